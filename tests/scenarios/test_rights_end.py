"""Rights end when their cause ends: requests are refused in 2 s, watches end or empty in 5 s."""

import time
from datetime import UTC, datetime

import pytest

from support.objects import (
    config_map,
    member,
    namespace,
    notebook,
    role_template,
    rule,
    subject,
)
from support.resources import at
from support.session import Session
from support.waiting import stays, wait_until
from support.world import EDITOR, OWNER, PASSWORD, READER, World

REFUSED, CUT = 2, 5


@pytest.mark.parametrize("role", [OWNER, EDITOR, READER])
def test_a_removed_member_is_refused_and_his_watches_end(world: World, role: str) -> None:
    """In the namespace, across all namespaces, and of the namespaces themselves."""
    where, person = world.namespace("left"), world.user("alice")
    binding = world.member(role, where, person)
    world.make(at("notebooks", where), notebook("exp-1"))
    with (
        person.watch(at("notebooks", where), resourceVersion="0") as inside,
        person.watch(at("notebooks"), resourceVersion="0") as across,
        person.watch(at("namespaces"), resourceVersion="0") as spaces,
    ):
        for watch in (inside, across):
            watch.wait_for("ADDED", "exp-1")
        spaces.wait_for("ADDED", where)
        world.remove(binding)
        removed = time.monotonic()
        wait_until(lambda: not person.may(at("notebooks", where, "exp-1")), REFUSED)
        assert person.create(at("configmaps", where), config_map("late")).status_code == 403
        for watch in (inside, across):
            watch.ends_or_empties(CUT - (time.monotonic() - removed))
        wait_until(lambda: where not in spaces.shown(), CUT - (time.monotonic() - removed))
        world.make(at("notebooks", where), notebook("after"))
        assert stays(lambda: "after" not in str(inside.seen() + across.seen()), 0.5)


def test_a_subject_taken_out_of_a_binding_is_refused(world: World) -> None:
    """The others in it stay members."""
    where, person, other = world.namespace("left"), world.user("bob"), world.user("mia")
    binding = world.member(READER, where, person, other)
    path = at("configmaps", where)
    assert person.may(path)
    with person.watch(path) as watch, other.watch(path) as kept:
        rest = {"subjects": [subject(other.name)]}
        assert world.admin.patch(binding, rest).status_code == 200
        wait_until(lambda: not person.may(path), REFUSED)
        wait_until(watch.ended.is_set, CUT)
        assert other.may(path)
        assert not kept.ended.is_set()


def test_a_binding_that_expires_ends(world: World) -> None:
    """``expiresAt`` needs nobody to do anything."""
    where, person = world.namespace("for-a-while"), world.user("guest")
    ends = datetime.fromtimestamp(time.time() + 3, UTC)
    asked = member(world.named("guest"), where, READER, subject(person.name))
    asked["expiresAt"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    world.make(at("roletemplatebindings"), asked)
    path = at("configmaps", where)
    wait_until(lambda: person.may(path), 2)
    with person.watch(path) as watch:
        wait_until(lambda: not person.may(path), 3 + REFUSED)
        wait_until(watch.ended.is_set, CUT)
    binding = at("roletemplatebindings", name=world.named("guest"))
    wait_until(lambda: not world.in_force(binding), 5)


def test_a_namespace_made_again_starts_without_members(world: World) -> None:
    """Users, groups, and a binding that is written while it does not exist: nobody has access."""
    where, group = world.namespace("team-vision"), world.named("researchers")
    alice, bob = world.user("alice"), world.user("bob")
    grace = world.user("grace", groups=[group])
    owner = world.member(OWNER, where, alice)
    world.member(READER, where, bob)
    world.member(READER, where, groups=(group,))
    path = at("namespaces", name=where)
    world.remove(path)
    world.gone(path)
    relabel = {"metadata": {"labels": {"touched": "yes"}}}
    assert world.admin.patch(owner, relabel).status_code in (200, 404)
    world.namespace("team-vision")
    for person in (alice, bob, grace):
        assert stays(lambda who=person: not who.may(at("configmaps", where)), 0.7)
        assert where not in person.names(at("namespaces"))
        assert person.create(at("configmaps", where), config_map("mine")).status_code == 403
    assert not world.in_force(owner)
    world.member(READER, where, bob)
    assert bob.may(at("configmaps", where))
    assert not alice.may(at("configmaps", where))


def test_a_namespace_made_again_at_once_starts_without_members(world: World) -> None:
    """Not even where no time passes between the end of the old one and the new one."""
    person = world.user("alice")
    for number in range(3):
        where = world.namespace(f"quick-{number}")
        world.member(OWNER, where, person)
        world.remove(at("namespaces", name=where))
        again = namespace(where)
        wait_until(
            lambda obj=again: world.admin.create(at("namespaces"), obj).status_code == 201, 10, 0
        )
        path = at("configmaps", where)
        assert stays(lambda at_=path: not person.may(at_), 0.5, 0.01)


def test_a_user_made_again_starts_without_rights(world: World) -> None:
    """Bindings, tokens and the password of a deleted user are not the next one's of that name."""
    where, person = world.namespace("kept"), world.user("bob")
    world.member(OWNER, where, person)
    world.remove(at("users", name=person.name))
    wait_until(lambda: not person.may(at("configmaps", where)), REFUSED)
    again = world.user("bob")
    assert again.name == person.name
    assert stays(lambda: not again.may(at("configmaps", where)), 0.7)
    assert person.get(at("namespaces")).status_code == 401
    assert again.names(at("namespaces")) == ["llmos-public"]


def deactivate(world: World, person: Session) -> None:
    inactive = {"spec": {"isActive": False}}
    assert world.admin.patch(at("users", name=person.name), inactive).status_code == 200


def delete(world: World, person: Session) -> None:
    world.remove(at("users", name=person.name))


@pytest.mark.parametrize("end", [deactivate, delete])
def test_a_user_who_ends_takes_his_tokens_along(world: World, end) -> None:
    """Sessions, tokens and watches of a deactivated or deleted user end; he signs in no more."""
    where, person = world.namespace("abandoned"), world.user("bob")
    world.member(READER, where, person)
    issued = person.create("/auth/tokens", {"ttlSeconds": 600})
    assert issued.status_code == 201, issued.text
    robot = world.session(person.name, issued.json()["token"])
    path = at("configmaps", where)
    assert robot.may(path)
    with person.watch(path) as watch, robot.watch(at("namespaces")) as other:
        end(world, person)
        for session in (person, robot):
            wait_until(lambda who=session: who.get(path).status_code == 401, REFUSED)
        for each in (watch, other):
            wait_until(each.ended.is_set, CUT)
    assert world.engine.try_login(person.name, PASSWORD).status_code == 401


def test_a_deactivated_user_comes_back(world: World) -> None:
    """Activated again he signs in, with the rights that he had; his old tokens stay dead."""
    where, person = world.namespace("back"), world.user("bob")
    world.member(READER, where, person)
    deactivate(world, person)
    wait_until(lambda: person.get(at("namespaces")).status_code == 401, REFUSED)
    active = {"spec": {"isActive": True}}
    assert world.admin.patch(at("users", name=person.name), active).status_code == 200
    wait_until(lambda: world.engine.try_login(person.name, PASSWORD).status_code == 200, 2)
    assert world.login(person.name).may(at("configmaps", where))
    assert person.get(at("namespaces")).status_code == 401


def test_an_expired_token_ends(world: World) -> None:
    """Requests are refused and the watch is cut, while other tokens of the user stay good."""
    where, person = world.namespace("expiring"), world.user("bob")
    world.member(READER, where, person)
    issued = person.create("/auth/tokens", {"ttlSeconds": 2, "description": "short"})
    token = world.session(person.name, issued.json()["token"])
    path = at("configmaps", where)
    with token.watch(path) as watch:
        assert watch.status == 200
        wait_until(lambda: token.get(path).status_code == 401, 2 + REFUSED)
        wait_until(watch.ended.is_set, CUT)
    assert person.may(path)


def test_a_deleted_token_ends(world: World) -> None:
    """Whoever deletes his token ends it at once, and what hangs on it."""
    person = world.user("bob")
    issued = person.create("/auth/tokens", {"ttlSeconds": 600}).json()
    token = world.session(person.name, issued["token"])
    with token.watch(at("namespaces")) as watch:
        assert watch.status == 200
        assert person.delete(f"/auth/tokens/{issued['name']}").status_code == 204
        wait_until(lambda: token.get(at("namespaces")).status_code == 401, REFUSED)
        wait_until(watch.ended.is_set, CUT)


def test_signing_out_ends_the_session(world: World) -> None:
    """The token of a session is worth nothing after ``/auth/logout``."""
    person = world.user("bob")
    other = world.login(person.name)
    assert person.create("/auth/logout", {}).status_code == 204
    assert person.get(at("namespaces")).status_code == 401
    assert other.get(at("namespaces")).status_code == 200


def test_a_left_group_ends_rights_and_watches(world: World) -> None:
    """The user object says the groups, not the token."""
    where, group = world.namespace("by-group"), world.named("researchers")
    person = world.user("grace", groups=[group])
    world.member(READER, where, groups=(group,))
    path = at("configmaps", where)
    with person.watch(path) as watch:
        assert watch.status == 200
        spec = {"spec": {"groups": []}}
        assert world.admin.patch(at("users", name=person.name), spec).status_code == 200
        wait_until(lambda: not person.may(path), REFUSED)
        wait_until(watch.ended.is_set, CUT)


def test_a_deleted_role_template_ends_rights(world: World) -> None:
    """Nobody keeps what a template gave that is not there any more."""
    where, person, template = world.namespace("t"), world.user("bob"), world.named("reader")
    made = role_template(template, rule("configmaps", "get", "list", "watch"))
    world.make(at("roletemplates"), made)
    world.member(template, where, person)
    path = at("configmaps", where)
    assert person.may(path)
    world.remove(at("roletemplates", name=template))
    wait_until(lambda: not person.may(path), REFUSED)
