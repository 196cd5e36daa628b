"""``llmos install`` over what somebody altered: afterwards it is exactly what was shipped.

Server-side apply alone leaves what another manager added to a set, a list or a map.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.installing import install, llmos
from support.objects import Object
from support.resources import at
from support.session import APPLY_PATCH, JSON_PATCH, Session

pytestmark = pytest.mark.slow
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICY = BINDING = "llmos-namespaces"
DENYING = "llmos-aggregation"
"""A policy, and its binding, that refuses."""
FOREIGN = {"fieldManager": "somebody", "force": "true"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster with llmos installed, and nobody who repairs it."""
    with control_plane(tmp_path_factory.mktemp("plane")) as running:
        install(running)
        yield running


@pytest.fixture(scope="module")
def root(plane: ControlPlane) -> Iterator[Session]:
    """The cluster's administrator."""
    session = plane.session("admin", ADMIN_TOKEN)
    yield session
    session.close()


@dataclass(frozen=True)
class Altered:
    """Where somebody puts what: as a JSON patch, or (an object) by server-side apply."""

    path: str
    patch: Any


def add(path: str, value: Any) -> list[Object]:
    """A JSON patch."""
    return [{"op": "add", "path": path, "value": value}]


def policies(name: str) -> str:
    return f"{ADMISSION}/validatingadmissionpolicies/{name}"


def bindings(name: str) -> str:
    return f"{ADMISSION}/validatingadmissionpolicybindings/{name}"


def applied(kind: str, name: str, spec: Object) -> Object:
    """What another manager applies."""
    group = "admissionregistration.k8s.io/v1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}


NOWHERE = {"matchLabels": {"no-such-label": "x"}}
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
EXCLUDE = {**PODS, "resources": ["*"], "operations": ["*"]}
A_BINDING = "ValidatingAdmissionPolicyBinding"
A_POLICY = "ValidatingAdmissionPolicy"
CASES: dict[str, Altered] = {
    "action, patched": Altered(bindings(BINDING), add("/spec/validationActions/-", "Audit")),
    "action, applied": Altered(
        bindings(BINDING),
        applied(A_BINDING, BINDING, {"policyName": POLICY, "validationActions": ["Audit"]}),
    ),
    "refusal turned into a warning": Altered(
        bindings(DENYING), add("/spec/validationActions", ["Warn"])
    ),
    "record beside a refusal, applied": Altered(
        bindings(DENYING),
        applied(A_BINDING, DENYING, {"policyName": DENYING, "validationActions": ["Audit"]}),
    ),
    "actions, replaced": Altered(bindings(BINDING), add("/spec/validationActions", ["Audit"])),
    "selector of a binding": Altered(
        bindings(BINDING), add("/spec/matchResources", {"namespaceSelector": NOWHERE})
    ),
    "selector of a binding, applied": Altered(
        bindings(BINDING),
        applied(
            A_BINDING,
            BINDING,
            {"policyName": POLICY, "matchResources": {"objectSelector": NOWHERE}},
        ),
    ),
    "exclusion of a binding": Altered(
        bindings(BINDING), add("/spec/matchResources", {"excludeResourceRules": [EXCLUDE]})
    ),
    "another policy": Altered(bindings(BINDING), add("/spec/policyName", "llmos-users")),
    "rule of a policy": Altered(
        policies(POLICY), add("/spec/matchConstraints/resourceRules/-", PODS)
    ),
    "no rule of a policy": Altered(
        policies(POLICY), add("/spec/matchConstraints/resourceRules", [PODS])
    ),
    "exclusion": Altered(
        policies(POLICY), add("/spec/matchConstraints/excludeResourceRules", [EXCLUDE])
    ),
    "exclusion, applied": Altered(
        policies(POLICY),
        applied(
            A_POLICY,
            POLICY,
            {"matchConstraints": {"resourceRules": [PODS], "excludeResourceRules": [EXCLUDE]}},
        ),
    ),
    "selector, applied": Altered(
        policies(POLICY),
        applied(
            A_POLICY,
            POLICY,
            {"matchConstraints": {"resourceRules": [PODS], "namespaceSelector": NOWHERE}},
        ),
    ),
    "condition, applied": Altered(
        policies(POLICY),
        applied(A_POLICY, POLICY, {"matchConditions": [{"name": "never", "expression": "false"}]}),
    ),
    "validation, applied": Altered(
        policies(POLICY),
        applied(A_POLICY, POLICY, {"validations": [{"expression": "true"}]}),
    ),
    "failure policy": Altered(policies(POLICY), add("/spec/failurePolicy", "Ignore")),
    "audit annotation": Altered(
        policies(POLICY),
        add("/spec/auditAnnotations", [{"key": "x", "valueExpression": "'y'"}]),
    ),
    "rule of a ClusterRole": Altered(
        at("clusterroles", name="llmos:proxy"),
        add("/rules/-", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
    ),
    "verb of a ClusterRole": Altered(
        at("clusterroles", name="llmos:proxy"), add("/rules/0/verbs/-", "deletecollection")
    ),
    "aggregation": Altered(
        at("clusterroles", name="llmos:proxy"),
        add("/aggregationRule", {"clusterRoleSelectors": [NOWHERE]}),
    ),
    "subject": Altered(
        at("clusterrolebindings", name="llmos:proxy"),
        add(
            "/subjects/-",
            {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mallory"},
        ),
    ),
    "rule of a template": Altered(
        at("roletemplates", name="namespace-readonly"),
        add("/rules/-", {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
    ),
    "rule of a global role": Altered(
        at("globalroles", name="user"),
        add("/rules/-", {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
    ),
    "field of a kind": Altered(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/users.management.llmos.ai",
        add(
            "/spec/versions/0/schema/openAPIV3Schema/properties/extra",
            {"type": "string"},
        ),
    ),
    "column of a kind": Altered(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/users.management.llmos.ai",
        add(
            "/spec/versions/0/additionalPrinterColumns/-",
            {"name": "Extra", "type": "string", "jsonPath": ".spec.extra"},
        ),
    ),
}


def content(root: Session, path: str) -> Object:
    """The object without what the cluster keeps about it."""
    answer = root.get(path)
    assert answer.status_code == 200, answer.text
    return {key: value for key, value in answer.json().items() if key not in ("metadata", "status")}


@pytest.mark.parametrize("name", CASES)
def test_what_was_altered_is_exactly_as_it_was(
    plane: ControlPlane, root: Session, name: str
) -> None:
    """One run is enough, and says what it did; the next has nothing to do."""
    case = CASES[name]
    before = content(root, case.path)
    if isinstance(case.patch, list):
        answer = root.patch(case.path, case.patch, JSON_PATCH)
    else:
        answer = root.http.patch(
            case.path,
            params=FOREIGN,
            content=json.dumps(case.patch),
            headers={"Content-Type": APPLY_PATCH},
        )
    assert answer.status_code == 200, answer.text
    assert content(root, case.path) != before
    assert case.path.rpartition("/")[2] in llmos(plane, "install", "--dry-run").stdout
    install(plane)
    assert content(root, case.path) == before
    assert llmos(plane, "install", "--dry-run").stdout == ""
