"""Decisions and their reasons."""

import time

import pytest

from authorization.objects import ALICE, BOB, ROOT, ask, binding, index_of, put, role, rule
from llmos.apis.authentication_v1 import UserInfo, service_account_name
from llmos.apis.authorization_v1 import DENIED, Decision
from llmos.authorization import rbac
from llmos.authorization.index import RBACIndex
from llmos.authorization.rbac import RBACAuthorizer

ROLE = role(
    "sar",
    "r",
    rule("get,list", "core", "pods"),
    rule("get", "core", "secrets", "one"),
    rule("update", "apps", "deployments/scale,*/status"),
)


def authorizer_of(*objects):
    return RBACAuthorizer(index_of(*objects))


def allowed(text):
    return Decision(allowed=True, reason=f"RBAC: allowed by {text}")


REASONS = [
    (
        binding("sar", "rb", "Role/r", "User/alice"),
        'RoleBinding "rb/sar" of Role "r" to User "alice"',
    ),
    (
        binding("sar", "rb", "ClusterRole/c", "Group/devs"),
        'RoleBinding "rb/sar" of ClusterRole "c" to Group "devs"',
    ),
    (
        binding("", "crb", "ClusterRole/c", "Group/system:authenticated"),
        'ClusterRoleBinding "crb" of ClusterRole "c" to Group "system:authenticated"',
    ),
]


@pytest.mark.parametrize(("bound", "reason"), REASONS)
def test_the_reason_names_the_binding(bound, reason):
    """An allowed request says by which binding, role and subject, in Kubernetes' words."""
    authorizer = authorizer_of(ROLE, role("", "c", rule("get", "core", "pods")), bound)
    assert authorizer.authorize(ask(ALICE, "get", "pods", "sar")) == allowed(reason)


@pytest.mark.parametrize("subject", ["ServiceAccount/robot", "ServiceAccount/sar/robot"])
def test_a_service_account_is_named_with_its_namespace(subject):
    """A ServiceAccount subject without a namespace is one of the binding's own namespace."""
    authorizer = authorizer_of(ROLE, binding("sar", "rb", "Role/r", subject))
    robot = UserInfo(service_account_name("sar", "robot"))
    expected = 'RoleBinding "rb/sar" of Role "r" to ServiceAccount "robot/sar"'
    assert authorizer.authorize(ask(robot, "get", "pods", "sar")) == allowed(expected)
    other = UserInfo(service_account_name("other", "robot"))
    assert authorizer.authorize(ask(other, "get", "pods", "sar")) == DENIED


QUESTIONS = [
    (ask(ALICE, "get", "pods", "default"), False),
    (ask(ALICE, "get", "pods"), False),
    (ask(ALICE, "get", "secrets", "sar", "one"), True),
    (ask(ALICE, "get", "secrets", "sar", "two"), False),
    (ask(ALICE, "get", "secrets", "sar"), False),
    (ask(ALICE, "list", "secrets", "sar", "one"), False),
    (ask(ALICE, "watch", "secrets", "sar", "one"), False),
    (ask(ALICE, "update", "apps:deployments/scale", "sar"), True),
    (ask(ALICE, "update", "apps:statefulsets/status", "sar"), True),
    (ask(ALICE, "get", "pods/log", "sar"), False),
    (ask(ALICE, "*", "*:*", "sar"), False),
    (ask(BOB, "get", "pods", "sar"), False),
]


@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_a_role_allows_what_it_says_and_no_more(question, expected):
    """Names, subresources and namespaces are held to the letter; a refusal has no reason."""
    authorizer = authorizer_of(ROLE, binding("sar", "rb", "Role/r", "User/alice"))
    decision = authorizer.authorize(question)
    assert decision.allowed is expected
    assert bool(decision.reason) is expected


def test_names_are_remembered_apart():
    """One answer by name never leaks to another name, in whatever order they are asked."""
    nina = UserInfo("nina")
    authorizer = authorizer_of(
        role("a", "names", rule("get,list,watch", "core", "configmaps", "x,y")),
        binding("a", "b", "Role/names", "User/nina"),
    )
    for _ in range(2):
        for verb in ("get", "list", "watch"):
            asked = {
                name: authorizer.authorize(ask(nina, verb, "configmaps", "a", name)).allowed
                for name in ("x", "z", "", "y")
            }
            assert asked == {"x": True, "z": False, "": False, "y": True}


def test_masters_stand_above():
    """``system:masters`` may everything, without a reason and without any role."""
    authorizer = RBACAuthorizer(RBACIndex())
    assert authorizer.authorize(ask(ROOT, "delete", "nodes")) == Decision(allowed=True)
    assert authorizer.authorize(ask(ROOT, "get", "/metrics")) == Decision(allowed=True)


def test_masters_is_nothing_to_who_signed_in_through_llmos():
    """The group gives an llmos user neither the power above RBAC nor what is bound to it."""
    mallory = UserInfo("mallory", groups=("llmos:users", "system:masters"))
    authorizer = authorizer_of(
        role("", "cluster-admin", rule("*", "*", "*")),
        binding("", "cluster-admin", "ClusterRole/cluster-admin", "Group/system:masters"),
    )
    assert authorizer.authorize(ask(mallory, "get", "secrets", "kube-system")) == DENIED
    assert authorizer.authorize(ask(ROOT, "get", "secrets", "kube-system")).allowed


def test_a_refusal_tells_of_roles_that_are_missing():
    """Kubernetes' text names each role that a binding of the user asks for in vain, once."""
    authorizer = authorizer_of(
        binding("a", "one", "Role/gone", "User/alice"),
        binding("a", "two", "ClusterRole/gone", "User/alice"),
        binding("a", "three", "ClusterRole/gone", "Group/devs"),
    )
    role_gone = 'role.rbac.authorization.k8s.io "gone" not found'
    decision = authorizer.authorize(ask(ALICE, "get", "pods", "a"))
    assert decision == Decision(reason=f"RBAC: [{role_gone}, cluster{role_gone}]")
    assert authorizer.authorize(ask(ALICE, "get", "pods", "b")) == DENIED


def test_a_change_counts_at_once():
    """A remembered answer does not outlive the binding that it came from."""
    index = index_of(ROLE, binding("sar", "rb", "Role/r", "User/alice"))
    authorizer = RBACAuthorizer(index)
    question = ask(ALICE, "get", "pods", "sar")
    assert authorizer.authorize(question).allowed
    put(index, binding("sar", "rb", "Role/r", "User/bob"))
    assert not authorizer.authorize(question).allowed
    assert authorizer.authorize(ask(BOB, "get", "pods", "sar")).allowed


def test_groups_are_part_of_who_one_is():
    """The same name with other groups has other rights."""
    authorizer = authorizer_of(ROLE, binding("sar", "rb", "Role/r", "Group/devs"))
    assert authorizer.authorize(ask(UserInfo("x", groups=("devs",)), "get", "pods", "sar")).allowed
    assert not authorizer.authorize(ask(UserInfo("x"), "get", "pods", "sar")).allowed
    odd = UserInfo("x", groups=("ops,devs", "devs "))
    assert not authorizer.authorize(ask(odd, "get", "pods", "sar")).allowed


def test_memory_is_bounded(monkeypatch):
    """Clients who ask for ever new things do not fill the memory."""
    monkeypatch.setattr(rbac, "MEMORY", 50)
    authorizer = RBACAuthorizer(RBACIndex())
    for number in range(500):
        authorizer.authorize(ask(UserInfo(f"u{number % 7}"), "get", f"/p{number}"))
    assert sum(len(answers) for answers in authorizer._memory.values()) <= 50


def test_ten_thousand_bindings_cost_nothing():
    """With 10,000 bindings in the index an answer is still a matter of microseconds."""
    index = index_of(role("", "c", *(rule("get", "g", f"r{n}") for n in range(30))))
    for number in range(10_000):
        user = "User/alice" if number % 200 == 0 else f"User/u{number % 997}"
        put(index, binding(f"n{number}", "b", "ClusterRole/c", user))
    authorizer = RBACAuthorizer(index)
    question = ask(ALICE, "get", "g:r29", "n200")
    assert authorizer.authorize(question).allowed
    rounds = 1_000
    start = time.perf_counter()
    for _ in range(rounds):
        index.generation += 1
        authorizer.authorize(question)
    assert (time.perf_counter() - start) / rounds < 200e-6
