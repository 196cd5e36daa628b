"""The policies that the platform brings along: complete, and each part of them needed."""

from collections.abc import Iterable, Iterator

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CONTROLLER,
    EVERYBODY,
    FREE,
    MASTER,
    World,
    changed,
    install,
    named,
    namespace,
)
from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.object import Object, copy_object
from llmos.apis.admissionregistration_v1 import bindings, policies
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.namespaces import PUBLIC_NAMESPACE, RESERVED_NAMESPACES, is_reserved
from llmos.apis.role_template_bindings import GRANTED_BY
from llmos.manifests import load

SHIPPED = load("policies")
POLICIES = [each for each in SHIPPED if each["kind"] == "ValidatingAdmissionPolicy"]
GUARDS = [each for each in POLICIES if "warning" not in each["metadata"]["name"]]
WRITES = ["CREATE", "UPDATE"]
NAMESPACE = ["namespaces", "namespaces/finalize", "namespaces/status"]
SCOPES = {
    "llmos-namespaces": {"": ([*WRITES, "DELETE"], NAMESPACE)},
    "llmos-platform-tokens": {"": (["CREATE"], ["serviceaccounts/token"])},
    "llmos-not-for-production": {"*": (["CREATE"], ["*"])},
    "llmos-binding-subjects": {
        "rbac.authorization.k8s.io": (WRITES, ["clusterrolebindings", "rolebindings"]),
        "management.llmos.ai": (WRITES, ["roletemplatebindings"]),
    },
    "llmos-binding-subjects-warning": {
        "rbac.authorization.k8s.io": (WRITES, ["clusterrolebindings", "rolebindings"]),
        "management.llmos.ai": (WRITES, ["roletemplatebindings"]),
    },
    "llmos-bindings-in-reserved-namespaces": {
        "rbac.authorization.k8s.io": (WRITES, ["rolebindings"])
    },
    "llmos-members": {
        "management.llmos.ai": (
            [*WRITES, "DELETE"],
            ["roletemplatebindings", "roletemplatebindings/status"],
        )
    },
    "llmos-roles": {"management.llmos.ai": ([*WRITES, "DELETE"], ["globalroles", "roletemplates"])},
    "llmos-users": {"management.llmos.ai": ([*WRITES, "DELETE"], ["users", "users/status"])},
    "llmos-aggregation": {"rbac.authorization.k8s.io": (WRITES, ["clusterroles"])},
    "llmos-credentials": {"": ([*WRITES, "DELETE"], ["secrets"])},
    "llmos-certificates": {
        "certificates.k8s.io": (
            WRITES,
            [
                "certificatesigningrequests",
                "certificatesigningrequests/approval",
                "certificatesigningrequests/status",
            ],
        )
    },
    "llmos-system": {
        "": (
            [*WRITES, "DELETE", "CONNECT"],
            ["configmaps", "pods", "pods/*", "replicationcontrollers", "serviceaccounts"],
        ),
        "apps": ([*WRITES, "DELETE"], ["*/*"]),
        "batch": ([*WRITES, "DELETE"], ["*/*"]),
        "coordination.k8s.io": ([*WRITES, "DELETE"], ["leases"]),
    },
}


def names(objects: list[Object]) -> list[str]:
    return [each["metadata"]["name"] for each in objects]


def test_scopes():
    """Each policy sees every path by which what it guards could change, and no other."""
    found = {}
    for each in POLICIES:
        rules = each["spec"]["matchConstraints"]["resourceRules"]
        found[each["metadata"]["name"]] = {
            group: (rule["operations"], sorted(rule["resources"]))
            for rule in rules
            for group in rule["apiGroups"]
        }
        assert all(rule["apiVersions"] == ["*"] for rule in rules)
        assert all("resourceNames" not in rule for rule in rules)
    assert found == SCOPES


@pytest.mark.parametrize("policy", POLICIES, ids=lambda each: each["metadata"]["name"])
def test_fail_closed(policy):
    """What cannot be evaluated is refused, and other versions are no way around."""
    spec = policy["spec"]
    assert spec["failurePolicy"] == "Fail"
    assert spec["matchConstraints"]["matchPolicy"] == "Equivalent"
    assert "excludeResourceRules" not in spec["matchConstraints"]
    assert "objectSelector" not in spec["matchConstraints"]
    assert "paramKind" not in spec


def test_bindings():
    """Each policy is in force everywhere, and by its name the platform's."""
    made = [each for each in SHIPPED if each["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert sorted(names(made)) == sorted(names(POLICIES)) == sorted(SCOPES)
    for each in made:
        warns = each["metadata"]["name"] in (
            "llmos-not-for-production",
            "llmos-binding-subjects-warning",
        )
        assert each["spec"] == {
            "policyName": each["metadata"]["name"],
            "validationActions": ["Warn" if warns else "Deny"],
        }


def test_they_are_valid():
    """Every expression compiles: a real API server would take them."""
    for each in SHIPPED:
        obj = copy_object(each)
        strategy = policies() if obj["kind"] == "ValidatingAdmissionPolicy" else bindings()
        strategy.default(obj)
        assert list(strategy.validate(obj)) == []


@pytest.mark.parametrize(
    "name",
    [
        *sorted(RESERVED_NAMESPACES),
        PUBLIC_NAMESPACE,
        "kube-x",
        "llmos-x",
        "team",
        "storage-systems",
    ],
)
def test_reserved_names_are_those_of_the_list(world, name):
    """The expressions and ``apis.namespaces`` mean the same names."""
    code = world.code(ADMIN, "UPDATE", "namespaces", namespace(name), namespace(name),
                      subresource="status")  # fmt: skip
    assert (code == 403) is is_reserved(name)


SYSTEM = namespace("storage-system")
TEAM = namespace("team-a")
PROTECTED = {"llmos.ai/x": "y"}
CREATOR = {"llmos.ai/creator": "somebody"}
OWNERS = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1"}]


def labelled(obj: Object, more: dict[str, str]) -> Object:
    return changed(obj, metadata={"labels": obj["metadata"].get("labels", {}) | more})


def role(**spec: object) -> Object:
    return named("t", spec=spec, rules=[])


def member(where: str, *subjects: str) -> Object:
    return named(
        "m",
        namespaceId=where,
        roleTemplateRef={"kind": "RoleTemplate", "name": "t"},
        subjects=[{"kind": "Group", "name": each} for each in subjects or ("staff",)],
    )


def granted(by: str, *subjects: str, **fields: object) -> Object:
    """A binding that says who gave it."""
    annotations = {"annotations": {GRANTED_BY: by}} if by else {}
    return changed(member("team-a", *subjects), metadata=annotations, **fields)


def bound(where: str, *subjects: str) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
    made = [{"kind": "Group", "name": each} for each in subjects]
    return named("b", where, roleRef=reference, subjects=made)


def user(**spec: object) -> Object:
    return named("u", spec={"username": "u", **spec})


def secret(where: str, kind: str) -> Object:
    return named("s", where, type=kind)


def request(signer: str) -> Object:
    return named("c", spec={"signerName": signer})


def fed(**labels: str) -> Object:
    made = {f"rbac.authorization.k8s.io/{key}": value for key, value in labels.items()}
    return {**named("r", rules=[]), "metadata": {"name": "r", "labels": made}}


FEEDING = fed(**{"aggregate-to-admin": "true"})
KEPT = ("configmaps", "leases", "serviceaccounts")
"""Kinds of llmos-system of which only the platform's own names are kept from others."""
RUN = ("deployments", "jobs", "pods", "replicationcontrollers")

PROBES = [
    ("CREATE", "namespaces", named("kube-x"), None, ""),
    ("CREATE", "namespaces", named("llmos-x"), None, ""),
    ("CREATE", "namespaces", named("system-upgrade"), None, ""),
    ("CREATE", "namespaces", named("free"), None, ""),
    ("CREATE", "namespaces", labelled(named("free"), PROTECTED), None, ""),
    ("DELETE", "namespaces", None, SYSTEM, ""),
    ("DELETE", "namespaces", None, TEAM, ""),
    *(("UPDATE", "namespaces", SYSTEM, SYSTEM, each) for each in ("", "status", "finalize")),
    *(("UPDATE", "namespaces", TEAM, TEAM, each) for each in ("", "status", "finalize")),
    ("UPDATE", "namespaces", labelled(SYSTEM, {"a": "b"}), SYSTEM, ""),
    ("UPDATE", "namespaces", changed(SYSTEM, metadata={"annotations": {"a": "b"}}), SYSTEM, ""),
    ("UPDATE", "namespaces", changed(SYSTEM, metadata={"annotations": PROTECTED}), SYSTEM, ""),
    ("UPDATE", "namespaces", changed(SYSTEM, metadata={"ownerReferences": OWNERS}), SYSTEM, ""),
    ("UPDATE", "namespaces", changed(SYSTEM, metadata={"finalizers": ["a/b"]}), SYSTEM, ""),
    ("UPDATE", "namespaces", labelled(TEAM, PROTECTED), TEAM, ""),
    ("UPDATE", "namespaces", changed(TEAM, metadata={"annotations": PROTECTED}), TEAM, ""),
    ("UPDATE", "namespaces", changed(TEAM, metadata={"annotations": CREATOR}), TEAM, ""),
    ("UPDATE", "namespaces", TEAM, changed(TEAM, metadata={"annotations": CREATOR}), ""),
    ("CREATE", "namespaces", changed(named("free"), metadata={"annotations": CREATOR}), None, ""),
    ("UPDATE", "namespaces", changed(TEAM, metadata={"ownerReferences": OWNERS}), TEAM, ""),
    ("UPDATE", "namespaces", changed(TEAM, metadata={"finalizers": ["a/b"]}), TEAM, ""),
    *(
        ("UPDATE", "namespaces", labelled(TEAM, PROTECTED), TEAM, each)
        for each in ("status", "finalize")
    ),
    ("CREATE", "serviceaccounts", named("a", "kube-system"), None, "token"),
    ("CREATE", "serviceaccounts", named("a", "team-a"), None, "token"),
    ("CREATE", "configmaps", named("a", "default"), None, ""),
    ("CREATE", "configmaps", named("a", "team-a"), None, ""),
    ("UPDATE", "configmaps", named("a", "default"), named("a", "default"), ""),
    *(
        probe
        for plural, where in (("rolebindings", "team-a"), ("clusterrolebindings", ""))
        for name in ("staff", "system:masters", "llmos:users", "system:serviceaccounts:team-a")
        for probe in (
            ("CREATE", plural, bound(where, name), None, ""),
            ("UPDATE", plural, bound(where, name), bound(where), ""),
            ("UPDATE", plural, bound(where, name), bound(where, name), ""),
        )
    ),
    *(
        probe
        for name in ("staff", "system:nodes", "system:anonymous")
        for probe in (
            ("CREATE", "rolebindings", bound("kube-system", name), None, ""),
            ("UPDATE", "rolebindings", bound("kube-system", name), bound("kube-system"), ""),
        )
    ),
    ("CREATE", "roletemplatebindings", member("team-a"), None, ""),
    ("CREATE", "roletemplatebindings", member("team-b"), None, ""),
    ("CREATE", "roletemplatebindings", member("kube-system"), None, ""),
    ("CREATE", "roletemplatebindings", member("team-a", "system:authenticated"), None, ""),
    ("UPDATE", "roletemplatebindings", member("team-b", "a"), member("team-b"), ""),
    ("UPDATE", "roletemplatebindings", member("kube-system", "a"), member("kube-system"), ""),
    ("UPDATE", "roletemplatebindings", member("team-a", "llmos:users"), member("team-a"), ""),
    ("UPDATE", "roletemplatebindings", member("team-a"), member("team-a"), "status"),
    ("CREATE", "roletemplatebindings", granted("somebody"), None, ""),
    ("UPDATE", "roletemplatebindings", granted("somebody"), member("team-a"), ""),
    ("UPDATE", "roletemplatebindings", granted("somebody", "a"), member("team-a"), ""),
    ("DELETE", "roletemplatebindings", None, granted("somebody"), ""),
    ("UPDATE", "roletemplatebindings", granted("somebody"), member("team-a"), "status"),
    ("DELETE", "roletemplatebindings", None, member("team-b"), ""),
    ("DELETE", "roletemplatebindings", None, member("team-a"), ""),
    *(
        probe
        for plural in ("roletemplates", "globalroles")
        for probe in (
            ("CREATE", plural, role(builtin=True), None, ""),
            ("CREATE", plural, role(locked=True), None, ""),
            ("CREATE", plural, role(), None, ""),
            ("UPDATE", plural, role(builtin=True), role(), ""),
            ("UPDATE", plural, role(builtin=True, displayName="x"), role(builtin=True), ""),
            ("UPDATE", plural, role(builtin=True, x=1), role(builtin=True), ""),
            ("UPDATE", plural, role(newUserDefault=True), role(), ""),
            ("DELETE", plural, None, role(builtin=True), ""),
            ("DELETE", plural, None, role(), ""),
        )
    ),
    (
        "CREATE",
        "globalroles",
        {**role(), "namespacedRules": {"kube-system": []}},
        None,
        "",
    ),
    *(
        ("DELETE", plural, None, named(name, where), "")
        for plural in KEPT
        for name, where in (
            ("llmos-x", "llmos-system"),
            ("x", "llmos-system"),
            ("llmos-x", "team-a"),
        )
    ),
    *(
        probe
        for plural in (*KEPT, *RUN)
        for where in ("llmos-system", "team-a")
        for made in (named("llmos-x", where),)
        for probe in (
            ("CREATE", plural, made, None, ""),
            ("UPDATE", plural, made, made, ""),
            ("DELETE", plural, None, made, ""),
        )
    ),
    ("CONNECT", "pods", None, named("x", "llmos-system"), "exec"),
    ("CONNECT", "pods", None, named("x", "team-a"), "exec"),
    (
        "UPDATE",
        "pods",
        named("x", "llmos-system"),
        named("x", "llmos-system"),
        "ephemeralcontainers",
    ),
    *(
        probe
        for where in ("llmos-system", "team-a")
        for kind in ("llmos.ai/token", "kubernetes.io/service-account-token", "Opaque")
        for made in (secret(where, kind),)
        for probe in (
            ("CREATE", "secrets", made, None, ""),
            ("UPDATE", "secrets", made, made, ""),
            ("DELETE", "secrets", None, made, ""),
        )
    ),
    *(
        ("UPDATE", "certificatesigningrequests", made, made, each)
        for made in (request("kubernetes.io/kube-apiserver-client"), request("example.com/own"))
        for each in ("", "approval", "status")
    ),
    (
        "CREATE",
        "certificatesigningrequests",
        request("kubernetes.io/kube-apiserver-client"),
        None,
        "",
    ),
    ("CREATE", "clusterroles", FEEDING, None, ""),
    ("UPDATE", "clusterroles", FEEDING, fed(), ""),
    ("UPDATE", "clusterroles", FEEDING, FEEDING, ""),
    ("CREATE", "users", user(), None, ""),
    ("UPDATE", "users", user(), {**user(), "status": {"isAdmin": True}}, ""),
    ("DELETE", "users", None, {**user(), "status": {"isAdmin": True}}, ""),
    ("DELETE", "users", None, user(), ""),
    ("CREATE", "users", user(isAdmin=True), None, ""),
    ("CREATE", "users", user(groups=["staff"]), None, ""),
    ("UPDATE", "users", user(isAdmin=True), user(), ""),
    ("UPDATE", "users", user(groups=["staff"]), user(), ""),
    ("UPDATE", "users", user(groups=["staff"]), user(groups=["staff"]), ""),
    ("UPDATE", "users", user(), user(), "status"),
]
ASKING = [
    {"apiGroups": [""], "resources": ["namespaces/members"], "verbs": ["*"]},
    {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["bind"]},
]
Verdicts = list[tuple[str, ...]]


@pytest.fixture
def probed(world: World) -> World:
    """Alice manages the members of team-a."""
    world.grant("alice", ASKING, "team-a")
    return world


def concerning(policy: Object) -> list[int]:
    """The probes of resources that a policy names."""
    rules = policy["spec"]["matchConstraints"]["resourceRules"]
    named_ = {each.partition("/")[0] for rule in rules for each in rule["resources"]}
    return [at for at, probe in enumerate(PROBES) if named_ & {"*", probe[1]}]


def verdicts(
    world: World, probes: Iterable[int], authors: Iterable[UserInfo] = EVERYBODY
) -> Iterator[tuple[str, ...]]:
    """What the policies alone say to everybody about some probes."""
    for operation, plural, new, old, subresource in (PROBES[at] for at in probes):
        for author in authors:
            attributes = world.attributes(
                author, operation, plural, new, old, subresource=subresource
            )
            try:
                world.policies.validate(attributes)
            except StatusError as error:
                yield "refused", str(error.code), error.message.partition("request: ")[2]
            else:
                yield ("allowed", *attributes.warnings)


def mutants(policy: Object) -> Iterator[tuple[str, Object]]:
    """The policy with one thing less."""
    match = policy["spec"]["matchConstraints"]
    for at, rule in enumerate(match["resourceRules"]):
        for key in ("operations", "resources"):
            for each in rule[key]:
                rest = [other for other in rule[key] if other != each]
                rules = copy_object(match["resourceRules"])
                rules[at][key] = rest
                spec = {**policy["spec"], "matchConstraints": {**match, "resourceRules": rules}}
                yield f"{key} {each}", {**policy, "spec": spec}
    for key in ("validations", "matchConditions"):
        every = policy["spec"].get(key) or []
        for at, each in enumerate(every):
            rest = every[:at] + every[at + 1 :]
            yield (
                f"{key} {at} {each.get('name', '')}",
                {
                    **policy,
                    "spec": {**policy["spec"], key: rest},
                },
            )


MUTANTS = [
    pytest.param(mutant, concerning(policy), id=f"{policy['metadata']['name']} without {what}")
    for policy in POLICIES
    for what, mutant in mutants(policy)
]


@pytest.fixture(scope="module")
def original() -> list[Verdicts]:
    """What is said to each probe with nothing missing."""
    world = World()
    world.grant("alice", ASKING, "team-a")
    return [list(verdicts(world, [at])) for at in range(len(PROBES))]


@pytest.mark.parametrize(("mutant", "probes"), MUTANTS)
def test_every_part_is_needed(probed, original, mutant, probes):
    """A policy with one rule, operation, resource or condition less says something else."""
    install(probed.policies, [mutant])
    assert any(list(verdicts(probed, [at])) != original[at] for at in probes)


def test_the_platform_is_free(probed):
    """Nothing is refused to the platform, and nobody else is free of everything."""
    found = list(verdicts(probed, range(len(PROBES))))
    size = len(EVERYBODY)
    for at, author in enumerate(EVERYBODY):
        refused = any(each[0] == "refused" for each in found[at::size])
        assert refused is (author not in (MASTER, CONTROLLER)), author.name


@pytest.mark.parametrize("author", FREE, ids=lambda each: each.name)
def test_the_cluster_is_free(probed, author):
    """Nothing is refused to Kubernetes' own parts and to the operators of a cluster."""
    assert {each[0] for each in verdicts(probed, range(len(PROBES)), (author,))} == {"allowed"}


LATER = {"expiresAt": "2030-01-01T00:00:00Z"}


@pytest.mark.parametrize("author", [ADMIN, ALICE], ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("new", "old", "right"),
    [
        (granted(""), None, True),
        (granted("{me}"), None, True),
        (granted("somebody"), None, False),
        *(
            probe
            for fields in ({}, LATER)
            for subjects in (("staff",), ("staff", "more"))
            for gives in (bool(fields) or len(subjects) > 1,)
            for probe in (
                (granted("somebody", *subjects, **fields), granted("somebody"), not gives),
                (granted("{me}", *subjects, **fields), granted("somebody"), gives),
                (granted("", *subjects, **fields), granted("somebody"), gives),
                (granted("else", *subjects, **fields), granted("somebody"), False),
                (granted("{me}", *subjects, **fields), granted(""), gives),
                (granted("somebody", *subjects, **fields), granted(""), False),
                (granted("", *subjects, **fields), granted(""), True),
            )
        ),
        # Who takes something away gives nobody anything.
        (granted("somebody", "a"), granted("somebody", "a", "b"), True),
        (granted("somebody", "b", "a"), granted("somebody", "a", "b"), True),
        (granted("{me}", "a"), granted("somebody", "a", "b"), False),
        (granted("{me}"), granted("somebody", **LATER), True),
        (granted("somebody"), granted("somebody", **LATER), False),
    ],
)
def test_who_granted_a_role(probed, author, new, old, right):
    """Nobody says that somebody else did, nor that he did what somebody else has done."""
    said = new["metadata"].get("annotations", {}).get(GRANTED_BY, "").format(me=author.name)
    made = changed(new, metadata={"annotations": {GRANTED_BY: said}} if said else {})
    change = (author, "UPDATE" if old else "CREATE", "roletemplatebindings", made, old)
    attributes = probed.attributes(*change)
    if right:
        probed.policies.validate(attributes)
    else:
        with pytest.raises(StatusError, match="who granted a role is written by the platform"):
            probed.policies.validate(attributes)
    # What stores nothing tells what a change would give.
    probed.policies.validate(probed.attributes(*change, dry_run=True))


def test_large_bindings_are_compared(probed):
    """As many subjects as there may be, all of them others than before."""
    old, new = (granted("alice", *(f"{each}{i:0250}" for i in range(256))) for each in "ab")
    probed.policies.validate(probed.attributes(ALICE, "UPDATE", "roletemplatebindings", new, old))


POLICY = {"metadata": {"name": "llmos-namespaces"}, "spec": {}}
OTHER = {"metadata": {"name": "mine"}, "spec": {}}


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])
@pytest.mark.parametrize(
    "plural", ["validatingadmissionpolicies", "validatingadmissionpolicybindings"]
)
@pytest.mark.parametrize("author", EVERYBODY, ids=lambda each: each.name)
def test_nobody_switches_them_off(world, author, plural, operation):
    """The platform's policies and their bindings change by the platform alone."""
    for obj, guarded in ((POLICY, True), (OTHER, False)):
        new = None if operation == "DELETE" else obj
        old = None if operation == "CREATE" else obj
        code = world.code(author, operation, plural, new, old)
        assert code == (403 if guarded and author not in (MASTER, CONTROLLER) else 0)


def test_nobody_binds_them_elsewhere(world):
    """A binding of another name to one of the platform's policies is the platform's, too."""
    mine = {**OTHER, "spec": {"policyName": "llmos-namespaces"}}
    plural = "validatingadmissionpolicybindings"
    assert world.code(ADMIN, "CREATE", plural, mine) == 403
    assert world.code(ADMIN, "UPDATE", plural, OTHER, mine) == 403
    assert world.code(MASTER, "CREATE", plural, mine) == 0
