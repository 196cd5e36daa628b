"""Whom RoleBindings and ClusterRoleBindings may name."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CONTROLLER,
    EVERYBODY,
    MASTER,
    OPERATOR,
    PLATFORM,
    PRETENDER,
    RBAC,
    ROBOT,
    RUNNER,
    World,
    changed,
    named,
)

BIND = {"apiGroups": [RBAC], "resources": ["*"], "verbs": ["bind"]}


@pytest.fixture
def world() -> World:
    """Everybody may bind anything, so that only the subjects matter."""
    world = World()
    for user in ("alice", "robot", "eve", RUNNER.name):
        world.grant(user, [BIND])
    return world


def binding(kind, name, where="team-a"):
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    subject = {"kind": kind, "name": name}
    if kind == "ServiceAccount":
        subject["namespace"] = "team-a"
    return named("b", where, roleRef=reference, subjects=[subject])


@pytest.mark.parametrize("where", ["team-a", ""])
@pytest.mark.parametrize(
    "subject",
    [
        ("Group", "system:authenticated"),
        ("Group", "system:unauthenticated"),
        ("Group", "system:serviceaccounts"),
        ("Group", "system:serviceaccounts:team-b"),
        ("Group", "llmos:users"),
        ("User", "system:anonymous"),
        ("User", "system:kube-scheduler"),
    ],
)
@pytest.mark.parametrize(
    ("user", "code", "warned"),
    [
        (ALICE, 403, False),
        (PRETENDER, 403, False),
        (RUNNER, 403, False),
        (ADMIN, 0, True),
        (ROBOT, 403, False),
        (OPERATOR, 0, False),
        (MASTER, 0, False),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_platform_subjects(world: World, user, code, warned, subject, where):
    """End users name no identity of the platform; an admin does, with a warning."""
    plural = "rolebindings" if where else "clusterrolebindings"
    kind, name = subject
    assert world.code(user, "CREATE", plural, binding(kind, name, where)) == code
    if not code:
        attributes = world.admit(user, "CREATE", plural, binding(kind, name, where))
        assert any(name in each for each in attributes.warnings) is warned


@pytest.mark.parametrize(
    ("user", "code"),
    [(ALICE, 403), (RUNNER, 403), (ADMIN, 403), (MASTER, 0)],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_masters(world: World, user, code):
    """``system:masters`` is named by nobody who signed in through llmos."""
    obj = binding("Group", "system:masters")
    assert world.code(user, "CREATE", "rolebindings", obj) == code


@pytest.mark.parametrize("user", [ALICE, ADMIN], ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Group", "system:serviceaccounts:team-a"),
        ("Group", "staff"),
        ("User", "bob"),
        ("ServiceAccount", "runner"),
    ],
)
def test_ordinary_subjects(world: World, user, kind, name):
    """People, groups and the namespace's own service accounts are free to name."""
    attributes = world.admit(user, "CREATE", "rolebindings", binding(kind, name))
    assert attributes.warnings == []


def test_old_subjects_stay(world: World):
    """What a binding named before is not held against who edits it."""
    old = binding("Group", "system:authenticated")
    new = changed(old, subjects=[*old["subjects"], {"kind": "User", "name": "bob"}])
    assert world.code(ALICE, "UPDATE", "rolebindings", new, old) == 0


@pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
@pytest.mark.parametrize("where", ["kube-system", "llmos-system", "storage-system"])
@pytest.mark.parametrize(
    ("kind", "name", "end_user"),
    [
        ("User", "bob", True),
        ("Group", "staff", True),
        ("Group", "llmos:users", True),
        ("Group", "system:authenticated", True),
        ("Group", "system:unauthenticated", True),
        ("User", "system:anonymous", True),
        ("ServiceAccount", "runner", False),
        ("User", "system:kube-scheduler", False),
        ("Group", "system:nodes", False),
    ],
)
def test_reserved_namespaces(world: World, user, where, kind, name, end_user):
    """No end user, and no group that has end users, is bound in a reserved namespace."""
    world.grant("carol", [BIND])
    code = world.code(user, "CREATE", "rolebindings", binding(kind, name, where))
    if user in PLATFORM:
        assert code == 0
    elif end_user:
        assert code == 403
    elif user is ADMIN:
        assert code == 0


def test_controllers_may(world: World):
    """The platform's controllers bind whom they must."""
    obj = binding("Group", "llmos:users", "llmos-public")
    assert world.code(CONTROLLER, "CREATE", "rolebindings", obj) == 0
