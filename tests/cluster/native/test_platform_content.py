"""What belongs to the platform comes back within seconds, whoever deletes or alters it."""

import time

import pytest

from llmos.apis.platform_content import amiss
from support.native import Native
from support.objects import namespace, rule, subject
from support.resources import at
from support.waiting import stays, wait_until

pytestmark = pytest.mark.slow
REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
POLICY = f"{REGISTRATION}/validatingadmissionpolicies"
BINDING = f"{REGISTRATION}/validatingadmissionpolicybindings"
SECONDS = 5
NEVER = [{"name": "never", "expression": "false"}]
RECORD = at("configmaps", "llmos-system", "llmos-installation")


class Lister:
    """What is in the cluster now."""

    def __init__(self, native: Native) -> None:
        self.native = native

    def get(self, resource, namespace, name):
        """One object, or None."""
        answer = self.native.root.get(f"{REGISTRATION}/{resource.resource}/{name}")
        return answer.json() if answer.is_success else None


def everything_is_there(native: Native) -> bool:
    """Whether all policies are as they were shipped."""
    return amiss(Lister(native)) == []


@pytest.mark.parametrize(
    "path",
    [
        f"{POLICY}/llmos-namespaces",
        f"{BINDING}/llmos-namespaces",
        at("clusterroles", name="llmos:globalrole:user"),
        at("clusterroles", name="llmos:public-reader"),
        at("clusterrolebindings", name="llmos:admins"),
        at("rolebindings", "llmos-public", "llmos:public-readers"),
        at("roletemplates", name="namespace-editor"),
        at("globalroles", name="user"),
        at("customresourcedefinitions", name="gpudevices.gpustack.llmos.ai"),
    ],
)
def test_what_is_deleted_comes_back(native: Native, path: str) -> None:
    """Within five seconds, and as it was."""
    before = native.root.get(path).json()
    native.clock_tick()
    started = time.monotonic()
    assert native.root.delete(path).status_code == 200
    after = wait_until(lambda: comes_back(native, path, before), SECONDS + 1)
    assert time.monotonic() - started < SECONDS
    for part in ("spec", "rules", "subjects", "roleRef"):
        assert after.get(part) == before.get(part)


def comes_back(native: Native, path: str, before: dict) -> dict | None:
    """The object, when it is there under a new uid."""
    found = native.root.get(path)
    if not found.is_success or found.json()["metadata"]["uid"] == before["metadata"]["uid"]:
        return None
    return found.json()


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (f"{POLICY}/llmos-members", {"spec": {"matchConditions": NEVER}}),
        (f"{POLICY}/llmos-users", {"spec": {"failurePolicy": "Ignore"}}),
        (f"{POLICY}/llmos-roles", {"spec": {"validations": [{"expression": "true"}]}}),
        (
            f"{POLICY}/llmos-namespaces",
            {"spec": {"matchConstraints": {"objectSelector": {"matchLabels": {"a": "b"}}}}},
        ),
        (f"{BINDING}/llmos-namespaces", {"spec": {"validationActions": ["Audit"]}}),
        (
            f"{BINDING}/llmos-members",
            {"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}},
        ),
        (at("clusterroles", name="llmos:globalrole:user"), {"rules": [rule("secrets", "*")]}),
        (
            at("clusterroles", name="llmos:public-reader"),
            {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}},
        ),
        (at("clusterrolebindings", name="llmos:users"), {"subjects": [subject("eve")]}),
        (at("roletemplates", name="namespace-readonly"), {"rules": [rule("secrets", "*")]}),
    ],
)
def test_what_is_altered_is_set_right(native: Native, path: str, change: dict) -> None:
    """An administrator of llmos, or an operator: what he adds goes, what he removes comes back."""
    before = native.root.get(path).json()
    assert native.root.patch(path, change).status_code == 200

    def is_right() -> bool:
        after = native.root.get(path).json()
        parts = ("spec", "rules", "subjects", "aggregationRule")
        return all(after.get(part) == before.get(part) for part in parts)

    wait_until(is_right, SECONDS)


def test_it_acts_again_within_seconds(native: Native) -> None:
    """An administrator who deletes a policy has not got rid of the rule."""
    root = native.people["root"]
    assert root.delete(f"{BINDING}/llmos-namespaces").status_code == 200
    wait_until(lambda: everything_is_there(native), SECONDS)
    made = namespace("kube-mine")
    wait_until(
        lambda: root.create(at("namespaces"), made, dryRun="All").status_code == 403, SECONDS
    )


def test_it_is_told(native: Native) -> None:
    """An Event about the object says what happened."""
    assert native.root.delete(f"{POLICY}/llmos-certificates").status_code == 200

    def told() -> bool:
        events = native.root.get(at("events", "default")).json()["items"]
        return any(
            each["reason"] == "PlatformContentRestored"
            and each["involvedObject"]["name"] == "llmos-certificates"
            and each["type"] == "Warning"
            for each in events
        )

    wait_until(told, SECONDS)


def test_the_content_of_another_version_is_left_alone(native: Native) -> None:
    """An upgrade is not undone by the controllers of the version before it."""
    record = native.root.get(RECORD).json()
    change = {"data": {"content": "another"}}
    assert native.root.patch(RECORD, change).status_code == 200
    path = f"{POLICY}/llmos-users"
    before = native.root.get(path).json()["spec"]
    altered = {"spec": {"failurePolicy": "Ignore"}}
    assert native.root.patch(path, altered).status_code == 200
    assert stays(lambda: native.root.get(path).json()["spec"]["failurePolicy"] == "Ignore", 2)
    native.root.patch(RECORD, {"data": {"content": record["data"]["content"]}})
    native.root.patch(path, {"metadata": {"annotations": {"touched": "yes"}}})
    wait_until(lambda: native.root.get(path).json()["spec"] == before, SECONDS)
