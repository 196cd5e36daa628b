"""Nobody writes a role or a binding that gives more than he holds."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    ALLOWED,
    CONTROLLER,
    MASTER,
    PRETENDER,
    RBAC,
    World,
    changed,
    named,
)
from llmos.apis.authentication_v1 import UserInfo

DEV = UserInfo("alice", groups=("devs", "system:authenticated"))
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "delete"]}
MISSING = (
    'user "alice" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC '
    'permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], '
    'Verbs:["get" "delete"]}'
)


@pytest.fixture
def world() -> World:
    """Alice reads pods in team-a."""
    world = World()
    world.grant("alice", [PODS], "team-a")
    return world


def role(*rules, **more):
    return named("r", "team-a", rules=list(rules), **more)


def cluster_role(*rules, **more):
    return named("r", rules=list(rules), **more)


def binding(kind="Role", name="r", subject="bob", where="team-a"):
    return named(
        "b",
        where,
        roleRef={"apiGroup": RBAC, "kind": kind, "name": name},
        subjects=[{"apiGroup": RBAC, "kind": "User", "name": subject}],
    )


def test_role_text(world: World):
    """The refusal is kube-apiserver's, word by word."""
    assert world.verdict(DEV, "CREATE", "roles", role(PODS, SECRETS)) == (
        403,
        "Forbidden",
        f'roles.rbac.authorization.k8s.io "r" is forbidden: {MISSING}',
    )


def test_binding_text(world: World):
    """The same for a binding."""
    world.put("clusterroles", named("admin-like", rules=[SECRETS]))
    obj = binding("ClusterRole", "admin-like")
    assert world.verdict(DEV, "CREATE", "rolebindings", obj) == (
        403,
        "Forbidden",
        f'rolebindings.rbac.authorization.k8s.io "b" is forbidden: {MISSING}',
    )


@pytest.mark.parametrize(
    ("user", "code"),
    [(ALICE, 403), (PRETENDER, 403), (ADMIN, 0), (MASTER, 0), (CONTROLLER, 0)],
    ids=lambda each: getattr(each, "name", str(each)),
)
@pytest.mark.parametrize("plural", ["roles", "clusterroles"])
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_rules_not_held(world: World, user, code, plural, operation):
    """A role is created or extended by who holds its rules."""
    make = role if plural == "roles" else cluster_role
    old = make() if operation == "UPDATE" else None
    assert world.code(user, operation, plural, make(SECRETS), old) == code


@pytest.mark.parametrize(("plural", "code"), [("roles", 0), ("clusterroles", 403)])
def test_rules_held_in_a_namespace(world: World, plural, code):
    """What is held in one namespace is handed out there, and not in the cluster."""
    make = role if plural == "roles" else cluster_role
    assert world.code(ALICE, "CREATE", plural, make(PODS)) == code


@pytest.mark.parametrize(("names", "operation", "code"), [
    ([], "CREATE", 0),
    ([], "UPDATE", 0),
    (["r"], "UPDATE", 0),
    (["r"], "CREATE", 403),
    (["other"], "UPDATE", 403),
])  # fmt: skip
def test_escalate(world: World, names, operation, code):
    """The verb ``escalate`` lifts the rule for the roles it names; a new one has no name yet."""
    rule = {"apiGroups": [RBAC], "resources": ["roles"], "verbs": ["escalate"]}
    world.grant("alice", [rule | ({"resourceNames": names} if names else {})], "team-a")
    old = role() if operation == "UPDATE" else None
    assert world.code(ALICE, operation, "roles", role(SECRETS), old) == code


def test_metadata_only(world: World):
    """An update of metadata never escalates, whatever the rules and subjects are."""
    labelled = {"labels": {"a": "b"}}
    old = role(SECRETS)
    assert world.code(ALICE, "UPDATE", "roles", changed(old, metadata=labelled), old) == 0
    old = binding()
    assert world.code(ALICE, "UPDATE", "rolebindings", changed(old, metadata=labelled), old) == 0


@pytest.mark.parametrize(("rules", "code"), [([PODS], 0), ([SECRETS], 403), ([], 0)])
def test_binding_held(world: World, rules, code):
    """A binding needs the rules of its role, in its namespace."""
    world.put("roles", role(*rules))
    assert world.code(ALICE, "CREATE", "rolebindings", binding()) == code


def test_binding_takes_the_role_of_its_own_namespace(world: World):
    """A Role of the same name elsewhere says nothing."""
    world.put("roles", named("r", "team-b", rules=[PODS]))
    assert world.code(ALICE, "CREATE", "rolebindings", binding()) == 404


@pytest.mark.parametrize(("names", "code"), [([], 0), (["r"], 0), (["other"], 403)])
def test_bind(world: World, names, code):
    """The verb ``bind`` on the role stands for its rules."""
    rule = {"apiGroups": [RBAC], "resources": ["roles"], "verbs": ["bind"]}
    world.grant("alice", [rule | ({"resourceNames": names} if names else {})], "team-a")
    world.put("roles", role(SECRETS))
    assert world.code(ALICE, "CREATE", "rolebindings", binding()) == code


def test_bind_is_asked_of_the_right_kind(world: World):
    """``bind`` on Roles does not stand for a ClusterRole."""
    rule = {"apiGroups": [RBAC], "resources": ["roles"], "verbs": ["bind"]}
    world.grant("alice", [rule], "team-a")
    world.put("clusterroles", cluster_role(SECRETS))
    assert world.code(ALICE, "CREATE", "rolebindings", binding("ClusterRole")) == 403


@pytest.mark.parametrize(
    ("user", "code"),
    [(ALICE, 404), (ADMIN, 0), (MASTER, 0)],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_missing_role(world: World, user, code):
    """A role that is not there is 404, unless the author may bind anything."""
    verdict = world.verdict(user, "CREATE", "rolebindings", binding("ClusterRole", "none"))
    assert verdict[0] == code
    if code:
        assert verdict[2] == 'clusterroles.rbac.authorization.k8s.io "none" not found'


def test_more_subjects(world: World):
    """Adding a subject hands out the rules again."""
    world.put("roles", role(SECRETS))
    assert world.code(ALICE, "UPDATE", "rolebindings", binding(subject="eve"), binding()) == 403


def test_cluster_binding(world: World):
    """A ClusterRoleBinding needs the rules in the whole cluster."""
    world.put("clusterroles", cluster_role(PODS))
    obj = binding("ClusterRole", where="")
    assert world.code(ALICE, "CREATE", "clusterrolebindings", obj) == 403
    world.grant("alice", [PODS])
    assert world.code(ALICE, "CREATE", "clusterrolebindings", obj) == 0


@pytest.mark.parametrize("rules", [None, []])
def test_no_rules(world: World, rules):
    """A role without rules gives nothing, however that is written."""
    assert world.code(ALICE, "CREATE", "roles", named("r", "team-a", rules=rules)) == 0
    other = [] if rules is None else None
    old = named("r", "team-a", rules=other)
    assert world.code(ALICE, "UPDATE", "roles", named("r", "team-a", rules=rules), old) == 0
    assert (
        world.code(ALICE, "UPDATE", "roles", named("r", "team-a", rules=rules), role(SECRETS)) == 0
    )
    world.put("roles", named("r", "team-a", rules=rules))
    assert world.code(ALICE, "CREATE", "rolebindings", binding()) == 0


AGGREGATION = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}


@pytest.mark.parametrize("old", [None, cluster_role(PODS), cluster_role(PODS, aggregationRule={})])
def test_aggregation_rule(world: World, old):
    """A role that gathers others is written by who holds everything."""
    world.grant("alice", [PODS])
    new = cluster_role(PODS, aggregationRule=AGGREGATION)
    operation = "UPDATE" if old else "CREATE"
    verdict = world.verdict(ALICE, operation, "clusterroles", new, old)
    assert verdict[0] == 403
    assert verdict[2].endswith("must have cluster-admin privileges to use the aggregationRule")
    assert world.verdict(MASTER, operation, "clusterroles", new, old) == ALLOWED


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_aggregation_label(world: World, operation):
    """A label that feeds a role into another needs the right to escalate; to hold is not enough."""
    world.grant("alice", [PODS])
    old = cluster_role(PODS) if operation == "UPDATE" else None
    new = cluster_role(PODS)
    new["metadata"]["labels"] = {f"{RBAC}/aggregate-to-admin": "true"}
    assert world.code(ALICE, operation, "clusterroles", new, old) == 403
    assert world.code(ADMIN, operation, "clusterroles", new, old) == 0
    assert world.code(MASTER, operation, "clusterroles", new, old) == 0


def test_aggregation_rule_goes(world: World):
    """Taking the rule away from a gathered role leaves its rules: the same right is needed."""
    world.grant("alice", [PODS])
    old = cluster_role(PODS, aggregationRule=AGGREGATION)
    assert world.code(ALICE, "UPDATE", "clusterroles", cluster_role(PODS), old) == 403


FEED = f"{RBAC}/aggregate-to-admin"


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({}, {"a": "b"}, 0),
        ({FEED: "true"}, {FEED: "true", "a": "b"}, 0),
        ({FEED: "true"}, {}, 0),
        ({FEED: "false"}, {FEED: "true"}, 403),
        ({}, {FEED: "true"}, 403),
    ],
    ids=str,
)
def test_only_new_aggregation_labels_count(world: World, before, after, code):
    """Other labels, old ones and removed ones hand out nothing."""
    old = changed(cluster_role(SECRETS), metadata={"labels": before})
    new = changed(cluster_role(SECRETS), metadata={"labels": after})
    assert world.code(ALICE, "UPDATE", "clusterroles", new, old) == code


def test_labels_may_be_missing(world: World):
    """Roles without labels, or with none at all, are no special case."""
    old = changed(cluster_role(SECRETS), metadata={"labels": None})
    assert world.code(ALICE, "UPDATE", "clusterroles", cluster_role(SECRETS), old) == 0


@pytest.mark.parametrize(("names", "code"), [([], 0), (["r"], 0), (["other"], 403)])
def test_escalate_lifts_aggregation(world: World, names, code):
    """The verb ``escalate`` on the ClusterRole lifts the rule for labels, too."""
    rule = {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["escalate"]}
    world.grant("alice", [rule | ({"resourceNames": names} if names else {})])
    new = changed(cluster_role(SECRETS), metadata={"labels": {FEED: "true"}})
    assert world.code(ALICE, "UPDATE", "clusterroles", new, cluster_role(SECRETS)) == code
