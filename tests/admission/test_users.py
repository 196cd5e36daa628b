"""Users: names nobody mistakes, and no way to rise by editing one."""

import pytest

from admission.world import (
    ADMIN,
    ALICE,
    CAROL,
    CONTROLLER,
    EVERYBODY,
    MANAGEMENT,
    MASTER,
    PLATFORM,
    World,
    named,
)

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}


def user_object(name, **spec):
    return named(name, spec={"username": name, **spec})


def admin_binding(*names, name="admins", kind="User", **fields):
    reference = {"apiGroup": MANAGEMENT, "kind": "GlobalRole", "name": "admin"}
    subjects = [{"kind": kind, "name": each} for each in names]
    return named(name, roleTemplateRef=reference, subjects=subjects, **fields)


@pytest.fixture
def world() -> World:
    """``root``, ``rosa`` are admins, ``carol`` reads pods, ``sven`` secrets, ``dave`` nothing."""
    world = World()
    for name in ("root", "rosa", "carol", "alice", "dave", "sven"):
        world.put("users", user_object(name))
    world.put("globalroles", named("admin", rules=[]))
    world.put("roletemplatebindings", admin_binding("root", "rosa"))
    world.grant("carol", [PODS])
    world.grant("sven", [SECRETS])
    return world


@pytest.mark.parametrize(
    ("spec", "username"),
    [
        ({}, "new"),
        ({"username": "Nora"}, "Nora"),
        ({"username": None}, "new"),
        ({"username": ""}, "new"),
    ],
)
def test_username_defaults_to_the_name(world: World, spec, username):
    """A user without a username signs in by the object's name."""
    admitted = world.admit(ADMIN, "CREATE", "users", named("new", spec=spec)).object
    assert admitted["spec"]["username"] == username


def test_username_survives_a_replacement(world: World):
    """A PUT that does not mention the username keeps it."""
    old = named("d", spec={"username": "dave.d"})
    admitted = world.admit(ADMIN, "UPDATE", "users", named("d", spec={}), old).object
    assert admitted["spec"]["username"] == "dave.d"


@pytest.mark.parametrize("username", ["root", "ROOT", "", "dave2"])
@pytest.mark.parametrize("user", [ADMIN, CAROL, MASTER, CONTROLLER], ids=lambda each: each.name)
def test_username_is_immutable(world: World, user, username):
    """Once set, the username never changes, for anybody."""
    new = user_object("dave", username=username)
    assert world.code(user, "UPDATE", "users", new, user_object("dave")) == 422


@pytest.mark.parametrize(
    "username",
    [
        *("system:admin", "two words", "a,b", "a/b", "zero\u200bwidth", "bidi\u202e", "x" * 254, 7),
        "Ｒｏｏｔ",  # noqa: RUF001 - full-width letters are the case
    ],
)
def test_bad_usernames(world: World, username):
    """A username is one visible word."""
    new = named("new", spec={"username": username})
    assert world.code(ADMIN, "CREATE", "users", new) == 422


@pytest.mark.parametrize(
    ("name", "username"),
    [
        ("new", "root"),
        ("new", "ROOT"),
        ("nora.n", "nora.n"),
        ("nora.n", "different"),
        ("different", "nora"),
        ("other", "Nora.N"),
    ],
)
def test_usernames_are_unique(world: World, name, username):
    """No two users have names that normalise to the same, in the spec or in the metadata."""
    world.put("users", named("nora", spec={"username": "nora.n"}))
    new = named(name, spec={"username": username})
    verdict = world.verdict(ADMIN, "CREATE", "users", new)
    assert verdict[0] == 422
    assert "is another user's name" in verdict[2]


def test_old_names_are_not_held_against_others(world: World):
    """An update that changes no name passes, even where names came to be the same."""
    world.put("users", named("twin", spec={"username": "dave"}))
    old = user_object("dave", displayName="twin")
    new = user_object("dave", displayName="twin", email="d@example.com")
    assert world.code(ADMIN, "UPDATE", "users", new, old) == 0


def test_concurrent_creation(world: World):
    """Of forty users with one username exactly one is created."""
    codes = [
        world.create(ADMIN, "users", named(f"u{index}", spec={"username": "same"}))
        for index in range(40)
    ]
    assert sorted(codes) == [0] + [422] * 39


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ("Dave", 0),
        ("Dave D. 😀", 0),
        ("x" * 128, 0),
        ("x" * 129, 422),
        ("root", 422),
        (" ROOT ", 422),
        ("Ro\u200bot", 422),
        ("\u202etoor", 422),
        ("a\x00b", 422),
        (7, 422),
    ],
)
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_display_name(world: World, shown, code, operation):
    """A display name is short, all visible, and nobody else's name."""
    del world.memory.objects["users", "", "dave"]
    old = user_object("dave") if operation == "UPDATE" else None
    new = user_object("dave", displayName=shown)
    assert world.code(ADMIN, operation, "users", new, old) == code


@pytest.mark.parametrize(
    ("groups", "code"),
    [
        (["staff"], 0),
        (["system:masters"], 422),
        (["llmos:admins"], 422),
        (["a,b"], 422),
        (["a b"], 422),
        (["a\u200b"], 422),
        ([""], 422),
        ([7], 422),
        (["x" * 254], 422),
        (["x"] * 257, 422),
        ({"staff": 1}, 422),
        (7, 422),
    ],
)
def test_groups(world: World, groups, code):
    """No group of the platform's, no name that could be read as two; an admin's word or not."""
    assert world.code(ADMIN, "CREATE", "users", user_object("new", groups=groups)) == code
    assert world.code(MASTER, "CREATE", "users", user_object("new", groups=groups)) == code


@pytest.mark.parametrize(
    ("user", "target", "group", "code"),
    [
        (CAROL, "dave", "staff", 0),
        (CAROL, "dave", "owners", 403),
        (CAROL, "carol", "owners", 403),
        (ALICE, "alice", "staff", 403),
        (ADMIN, "dave", "owners", 0),
        (CONTROLLER, "dave", "owners", 0),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_groups_are_handed_out_by_their_members(world: World, user, target, group, code):
    """Nobody but an admin puts anybody, himself included, into a group he is not in."""
    new = user_object(target, groups=[group])
    assert world.code(user, "UPDATE", "users", new, user_object(target)) == code
    if target == "dave":
        new = user_object("new", groups=[group])
        assert world.code(user, "CREATE", "users", new) == code


def test_groups_stay(world: World):
    """Who edits a user need not be in the groups that he is in already."""
    old = user_object("dave", groups=["owners"])
    new = user_object("dave", groups=["owners"], displayName="D")
    assert world.code(CAROL, "UPDATE", "users", new, old) == 0


@pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
def test_admin_flag(world: World, user):
    """``isAdmin`` is written by admins alone."""
    old = user_object(user.name.partition(":")[0])
    new = user_object(user.name.partition(":")[0], isAdmin=True)
    code = world.code(user, "UPDATE", "users", new, old)
    assert code == (0 if user in (*PLATFORM, ADMIN) else 403)
    created = world.code(user, "CREATE", "users", user_object("new", isAdmin=True))
    assert created == (0 if user in (*PLATFORM, ADMIN) else 403)


@pytest.mark.parametrize("user", EVERYBODY, ids=lambda each: each.name)
def test_status(world: World, user):
    """The controllers write the status, and nobody else."""
    old = user_object(user.name.partition(":")[0])
    new = {**old, "status": {"isAdmin": True}}
    code = world.code(user, "UPDATE", "users", new, old, subresource="status")
    assert code == (0 if user in PLATFORM else 403)


@pytest.mark.parametrize(
    ("user", "target", "code"),
    [
        (CAROL, "dave", 0),
        (CAROL, "carol", 0),
        (CAROL, "root", 403),
        (CAROL, "sven", 403),
        (ALICE, "alice", 0),
        (ALICE, "carol", 403),
        (ADMIN, "rosa", 0),
        (ADMIN, "sven", 0),
        (MASTER, "root", 0),
    ],
    ids=lambda each: getattr(each, "name", str(each)),
)
@pytest.mark.parametrize(
    "spec",
    [{"isActive": False}, {"displayName": "X"}, None],
    ids=["deactivate", "rename", "delete"],
)
def test_rising(world: World, user, target, code, spec):
    """Nobody edits or deletes a user who holds more than himself."""
    new = None if spec is None else user_object(target, **spec)
    operation = "DELETE" if spec is None else "UPDATE"
    assert world.code(user, operation, "users", new, user_object(target)) == code


def test_rights_of_groups_count(world: World):
    """A user holds what his groups hold: by a group of admins he is an admin."""
    world.put("roletemplatebindings", admin_binding("ops", name="ops", kind="Group"))
    old = user_object("olga", groups=["ops"])
    assert world.code(CAROL, "DELETE", "users", None, old) == 403
    assert world.code(ADMIN, "DELETE", "users", None, old) == 0


def test_group_rights_from_rbac_count(world: World):
    """A user holds what RBAC gives his groups."""
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "s"}
    subjects = [{"kind": "Group", "name": "keys", "apiGroup": "rbac.authorization.k8s.io"}]
    world.put("clusterroles", named("s", rules=[SECRETS]))
    world.put("clusterrolebindings", named("s", roleRef=reference, subjects=subjects))
    assert world.code(CAROL, "DELETE", "users", None, user_object("kim", groups=["keys"])) == 403
    assert world.code(CAROL, "DELETE", "users", None, user_object("kim")) == 0
