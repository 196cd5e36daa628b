"""Nobody grants what he does not hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authorization.objects import ALICE, ROOT, ask, binding, index_of, put, role, rule
from authorization.test_index import QUESTIONS, RULE
from llmos.apimachinery.errors import ForbiddenError
from llmos.apis.authentication_v1 import UserInfo
from llmos.authorization.bootstrap import bootstrap_index, bootstrap_objects
from llmos.authorization.escalation import Escalation, uncovered
from llmos.authorization.index import RoleKey
from llmos.authorization.rules import parse_rule, parse_rules, rule_allows

HEAD = (
    'user "alice" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions '
    "not currently held:\n"
)
EVERYTHING = [rule("*", "*", "*"), rule("*", urls="*")]


def escalation_of(*rules):
    """Alice holds the rules in namespace ``a``."""
    objects = [role("a", "held", *rules), binding("a", "b", "Role/held", "User/alice")]
    return Escalation(index_of(*objects))


COVERED = [
    ([rule("*", "*", "*")], [rule("get", "apps", "deployments/scale", "x")]),
    ([rule("get,list", "core", "pods")], [rule("get", "core", "pods", "x")]),
    (
        [rule("get", "core", "pods"), rule("list", "core", "pods")],
        [rule("get,list", "core", "pods")],
    ),
    ([rule("get", "core", "*/status")], [rule("get", "core", "pods/status")]),
    ([rule("get", "core", "*")], [rule("get", "core", "pods/status,pods")]),
    ([rule("get", "core", "pods", "x,y")], [rule("get", "core", "pods", "y")]),
    ([rule("get", "*", "pods")], [rule("get", "core,apps", "pods")]),
    ([rule("get", urls="/m*")], [rule("get", urls="/metrics,/m*,/m")]),
    ([], [rule("get", "core")]),
    ([], []),
]


@pytest.mark.parametrize(("owned", "wanted"), COVERED)
def test_what_is_held_may_be_granted(owned, wanted):
    """Rules that are covered, be it by several rules together, pass."""
    escalation_of(*owned).confirm_no_escalation(ALICE, "a", wanted)


MISSING = [
    (
        [],
        EVERYTHING,
        ['{APIGroups:["*"], Resources:["*"], Verbs:["*"]}', '{NonResourceURLs:["*"], Verbs:["*"]}'],
    ),
    (
        [],
        [rule("get,delete", "core", "secrets")],
        ['{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}'],
    ),
    (
        [rule("get", "core", "secrets")],
        [rule("get,delete", "core", "secrets,pods")],
        [
            '{APIGroups:[""], Resources:["pods"], Verbs:["get" "delete"]}',
            '{APIGroups:[""], Resources:["secrets"], Verbs:["delete"]}',
        ],
    ),
    (
        [rule("get", "core", "pods", "x")],
        [rule("get", "core", "pods")],
        ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
    ),
    (
        [rule("get", "core", "pods", "x")],
        [rule("get", "core", "pods", "x,y")],
        ['{APIGroups:[""], Resources:["pods"], ResourceNames:["y"], Verbs:["get"]}'],
    ),
    (
        [rule("get", "core", "pods")],
        [rule("get", "core", "*")],
        ['{APIGroups:[""], Resources:["*"], Verbs:["get"]}'],
    ),
    (
        [rule("get", "core", "pods")],
        [rule("get", "core", "pods/log")],
        ['{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}'],
    ),
    (
        [rule("get", "core", "*/status")],
        [rule("get", "core", "pods")],
        ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
    ),
    (
        [rule("get,list", "core", "pods")],
        [rule("*", "core", "pods")],
        ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}'],
    ),
    (
        [rule("get", urls="/metrics")],
        [rule("get", urls="/metrics/*"), rule("get,put", urls="/metrics")],
        [
            '{NonResourceURLs:["/metrics"], Verbs:["put"]}',
            '{NonResourceURLs:["/metrics/*"], Verbs:["get"]}',
        ],
    ),
]


@pytest.mark.parametrize(("owned", "wanted", "lines"), MISSING)
def test_what_is_not_held_is_listed(owned, wanted, lines):
    """The refusal lists what is missing, a line for each resource, sorted, in Kubernetes' words."""
    with pytest.raises(ForbiddenError) as refusal:
        escalation_of(*owned).confirm_no_escalation(ALICE, "a", wanted)
    assert refusal.value.message == HEAD + "\n".join(lines)


def test_what_counts_is_held_in_the_namespace():
    """Rules that are held in one namespace may not be granted in another, or cluster-wide."""
    pods = [rule("get", "core", "pods")]
    escalation = escalation_of(*pods)
    for namespace in ("b", ""):
        with pytest.raises(ForbiddenError):
            escalation.confirm_no_escalation(ALICE, namespace, pods)


def test_missing_roles_are_told():
    """Where a role of the user does not exist, the refusal says so, as it may be why."""
    escalation = Escalation(index_of(binding("a", "b", "Role/gone", "User/alice")))
    with pytest.raises(ForbiddenError) as refusal:
        escalation.confirm_no_escalation(ALICE, "a", [rule("get", "core", "pods")])
    assert refusal.value.message.endswith(
        '; resolution errors: [role.rbac.authorization.k8s.io "gone" not found]'
    )


def test_masters_grant_anything():
    """``system:masters`` outside llmos is above the check, and the same group inside is not."""
    escalation = escalation_of()
    escalation.confirm_no_escalation(ROOT, "", EVERYTHING)
    mallory = UserInfo("mallory", groups=("llmos:users", "system:masters"))
    with pytest.raises(ForbiddenError):
        escalation.confirm_no_escalation(mallory, "", EVERYTHING)


RULES = st.lists(RULE.map(parse_rule), max_size=4)


@settings(max_examples=200)
@given(RULES, RULES)
def test_covered_rules_allow_nothing_new(owned, wanted):
    """If nothing is uncovered, whatever the wanted rules allow, the owned ones allow too."""
    missing = uncovered(owned, wanted)
    for verb, what, namespace, name in QUESTIONS:
        question = ask(ALICE, verb, what, namespace, name)
        if any(rule_allows(question, each) for each in wanted):
            held = any(rule_allows(question, each) for each in owned)
            assert held or any(rule_allows(question, each) for each in missing)


@settings(max_examples=100)
@given(RULES, RULES)
def test_covering_is_reflexive_and_grows(owned, more):
    """One's own rules are always covered, and holding more uncovers nothing."""
    assert uncovered(owned, owned) == []
    assert set(uncovered(owned + more, more + owned)) == set()
    assert set(uncovered(owned + more, more)) <= set(uncovered(owned, more))


ADMIN = UserInfo("root", groups=("llmos:users", "llmos:admins"))
USER = UserInfo("dave", groups=("llmos:users",))
CAROL = UserInfo("carol", groups=("llmos:users",))
OWNER = UserInfo("olga", groups=("llmos:users",))


@pytest.mark.parametrize(
    ("editor", "other", "covers"),
    [
        (CAROL, USER, True),
        (CAROL, ADMIN, False),
        (ADMIN, CAROL, True),
        (USER, CAROL, False),
        (ADMIN, ADMIN, True),
        (ROOT, ADMIN, True),
        (ADMIN, ROOT, False),
        (USER, USER, True),
        (CAROL, OWNER, False),
        (ADMIN, OWNER, True),
        (OWNER, OWNER, True),
    ],
)
def test_nobody_edits_who_holds_more(editor, other, covers):
    """A user manager covers plain users, neither admins nor owners; an admin everybody in llmos."""
    index = bootstrap_index()
    put(
        index,
        binding("a", "olga", "ClusterRole/admin", "User/olga"),
        role("", "user-manager", rule("*", "management.llmos.ai", "users")),
        binding("", "carol", "ClusterRole/user-manager", "User/carol"),
    )
    assert Escalation(index).covers_user(editor, other) is covers


def test_the_admin_of_a_namespace_may_give_view_and_no_cluster_admin():
    """Kubernetes' ``admin`` in a namespace covers ``edit`` and ``view``, not cluster-admin."""
    index = bootstrap_index()
    put(index, binding("a", "b", "ClusterRole/admin", "User/alice"))
    shipped = {obj["metadata"]["name"]: obj for obj in bootstrap_objects() if "rules" in obj}
    escalation = Escalation(index)
    for name in ("view", "edit", "admin"):
        escalation.confirm_no_escalation(ALICE, "a", shipped[name]["rules"])
    with pytest.raises(ForbiddenError) as refusal:
        escalation.confirm_no_escalation(ALICE, "a", shipped["cluster-admin"]["rules"])
    assert refusal.value.message == HEAD + (
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}'
    )
    assert index.role(RoleKey("ClusterRole", "", "view")) == parse_rules(shipped["view"]["rules"])
