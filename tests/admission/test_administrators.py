"""One active administrator is always left."""

import pytest

from admission.world import ADMIN, CONTROLLER, MANAGEMENT, MASTER, World, changed, named

TEMPLATE = {"apiGroup": MANAGEMENT, "kind": "RoleTemplate", "name": "admin"}
LATER, PAST = "2030-01-01T00:00:00Z", "2026-01-01T00:00:00Z"


def user_object(name, **spec):
    return named(name, spec={"username": name, **spec})


def binding(*names, name="admins", role="admin", kind="User", **fields):
    reference = {"apiGroup": MANAGEMENT, "kind": "GlobalRole", "name": role}
    subjects = [{"kind": kind, "name": each} for each in names]
    return named(name, roleTemplateRef=reference, subjects=subjects, **fields)


@pytest.fixture
def world() -> World:
    """``root`` is the one administrator; ``bob`` is not."""
    world = World()
    for name in ("root", "bob"):
        world.put("users", user_object(name))
    world.put("globalroles", named("admin", rules=[]))
    world.put("roletemplatebindings", binding("root"))
    return world


def attempts(world, user=ADMIN):
    """The codes of deleting, deactivating and unbinding ``root``."""
    old, bound = user_object("root"), binding("root")
    return [
        world.code(user, "DELETE", "users", None, old),
        world.code(user, "UPDATE", "users", user_object("root", isActive=False), old),
        world.code(user, "DELETE", "roletemplatebindings", None, bound),
        world.code(user, "UPDATE", "roletemplatebindings", binding("gone"), bound),
        world.code(user, "UPDATE", "roletemplatebindings", binding("root", expiresAt=LATER), bound),
    ]


def test_the_last_one_stays(world: World):
    """He is not deleted, deactivated or unbound; a binding that still names him may change."""
    assert attempts(world) == [403, 403, 403, 403, 0]


@pytest.mark.parametrize("user", [MASTER, CONTROLLER], ids=lambda each: each.name)
def test_the_platform_may(world: World, user):
    """The rule does not bind the platform itself."""
    assert attempts(world, user) == [0] * 5


@pytest.mark.parametrize(
    "other",
    [
        [binding("bob", name="more")],
        [binding("ops", name="more", kind="Group")],
        [binding("bob", name="more", expiresAt=LATER)],
    ],
    ids=["user", "group", "not expired"],
)
def test_a_second_one_frees_the_first(world: World, other):
    """With another active administrator the first may go."""
    world.put("users", user_object("bob", groups=["ops"]))
    for each in other:
        world.put("roletemplatebindings", each)
    assert attempts(world) == [0] * 5


def ending(obj):
    return changed(obj, metadata={"deletionTimestamp": LATER})


@pytest.mark.parametrize(
    "others",
    [
        [binding("bob", name="more", role="user")],
        [changed(binding("bob", name="more"), roleTemplateRef=TEMPLATE, namespaceId="team-a")],
        [binding("bob", name="more", expiresAt=PAST)],
        [binding("bob", name="more", expiresAt="soon")],
        [ending(binding("bob", name="more"))],
        [binding("nobody", name="more")],
        [binding("bob", name="more", kind="Group")],
    ],
    ids=[
        "other role",
        "role template",
        "expired",
        "unreadable",
        "ending",
        "no such user",
        "other kind",
    ],
)
def test_not_a_second_one(world: World, others):
    """Whoever is not bound, or not any more, does not count."""
    for each in others:
        world.put("roletemplatebindings", each)
    assert attempts(world)[:3] == [403] * 3


@pytest.mark.parametrize("bob", [user_object("bob", isActive=False), ending(user_object("bob"))])
def test_inactive_does_not_count(world: World, bob):
    """An administrator who may not sign in, or is being deleted, does not count."""
    world.put("users", bob)
    world.put("roletemplatebindings", binding("root", "bob"))
    old = user_object("root")
    assert world.code(ADMIN, "DELETE", "users", None, old) == 403


def test_leaving_the_group(world: World):
    """The last one does not lose the group that makes him one."""
    world.put("roletemplatebindings", binding("ops", kind="Group"))
    old = world.put("users", user_object("root", groups=["ops"]))
    assert world.code(ADMIN, "UPDATE", "users", user_object("root", groups=[]), old) == 403
    same = user_object("root", groups=["ops"], displayName="Root")
    assert world.code(ADMIN, "UPDATE", "users", same, old) == 0


def test_others_are_free(world: World):
    """The rule is about administrators only."""
    assert world.code(ADMIN, "DELETE", "users", None, user_object("bob")) == 0
    other = binding("bob", name="x", role="user")
    assert world.code(ADMIN, "DELETE", "roletemplatebindings", None, other) == 0


def test_names_of_other_kinds(world: World):
    """A user who is named as the binding is not the binding."""
    assert world.code(ADMIN, "DELETE", "users", None, user_object("admins")) == 0


def test_without_any_nothing_is_lost(world: World):
    """Where nobody is an administrator (before the first), nothing is refused."""
    del world.memory.objects["roletemplatebindings", "", "admins"]
    assert world.code(ADMIN, "DELETE", "users", None, user_object("root")) == 0
