"""Users: who may make them, what they look after themselves, and what nobody reads."""

import pytest

from support.objects import get_in, global_role, rule, user
from support.resources import at
from support.session import Session
from support.waiting import wait_until
from support.world import PASSWORD, World

NEW = "another-good-password"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def test_only_admins_manage_users(world: World) -> None:
    """Others neither create, change, deactivate nor delete one, themselves included."""
    person, other = world.user("bob"), world.user("mia")
    assert person.create(at("users"), user(world.named("x"), PASSWORD)).status_code == 403
    for name in (person.name, other.name, "admin"):
        path = at("users", name=name)
        for spec in ({"isActive": False}, {"groups": ["x"]}, {"isAdmin": True}, {"password": NEW}):
            assert person.patch(path, {"spec": spec}).status_code == 403
        assert person.patch(f"{path}/status", {"status": {"isAdmin": True}}).status_code == 403
        assert person.delete(path).status_code == 403
    assert person.get(at("secrets", "llmos-public")).status_code == 403


def test_whoever_manages_users_does_not_rise(world: World) -> None:
    """A delegated manager makes plain users, and touches nobody with more rights than his own."""
    role = world.named("user-manager")
    every = rule("users", "*", group="management.llmos.ai")
    part = rule("users/status", "*", group="management.llmos.ai")
    world.make(at("globalroles"), global_role(role, every, part))
    manager, plain, second = world.user("carol"), world.user("bob"), world.user("second")
    world.member(role, "", manager)
    world.member("admin", "", second)
    assert manager.create(at("users"), user(world.named("new"), PASSWORD)).status_code == 201
    world.remove(at("users", name=world.named("new")))
    for spec in ({"isAdmin": True}, {"groups": ["researchers"]}):
        path = at("users", name=plain.name)
        assert manager.patch(path, {"spec": spec}).status_code == 403, spec
    for person in (manager, world.admin):
        path = at("users", name=plain.name, subresource="status")
        assert person.patch(path, {"status": {"isAdmin": True}}).status_code == 403
    path = at("users", name=second.name)
    for spec in ({"password": NEW}, {"isActive": False}, {"displayName": "Somebody"}):
        assert manager.patch(path, {"spec": spec}).status_code == 403, spec
    assert manager.delete(path).status_code == 403
    assert manager.http.put(f"/auth/users/{second.name}/password", json={}).status_code == 403
    assert second.get(at("namespaces")).status_code == 200


def test_a_password_is_never_read_back(world: World) -> None:
    """Neither the user object nor what kubectl remembers of it shows it, in no form."""
    name = world.named("quiet")
    obj = user(name, PASSWORD)
    applied = f'{{"spec":{{"password":"{PASSWORD}"}}}}'
    obj["metadata"]["annotations"] = {LAST_APPLIED: applied}
    path = at("users", name=name)
    created = world.admin.create(at("users"), obj)
    assert created.status_code == 201
    patched = world.admin.patch(path, {"spec": {"password": NEW}})
    with world.admin.watch(at("users"), resourceVersion="0") as watch:
        watch.wait_for("ADDED", name)
        said = str(watch.events)
    shown = created.text + patched.text + world.admin.get(path).text + said
    assert PASSWORD not in shown
    assert NEW not in shown
    assert "argon2" not in shown
    assert get_in(created.json(), "spec", "username") == name
    world.remove(path)


def test_a_user_changes_his_own_password(world: World) -> None:
    """With the old one; his other sessions end, and the new one signs in."""
    person = world.user("bob")
    other = world.login(person.name)
    wrong = {"currentPassword": "not-the-password", "newPassword": NEW}
    assert person.http.put("/auth/password", json=wrong).status_code == 403
    right = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert person.http.put("/auth/password", json=right).status_code == 204
    assert person.get(at("namespaces")).status_code == 200
    assert other.get(at("namespaces")).status_code == 401
    assert world.engine.try_login(person.name, PASSWORD).status_code == 401
    assert world.engine.try_login(person.name, NEW).status_code == 200


def test_an_admin_sets_a_password(world: World) -> None:
    """Nobody else does it for another; the user's sessions end, and he is told to change it."""
    person, other = world.user("bob"), world.user("mia")
    path = f"/auth/users/{person.name}/password"
    assert other.http.put(path, json={"newPassword": NEW}).status_code == 403
    assert world.admin.http.put(path, json={"newPassword": NEW}).status_code == 204
    assert person.get(at("namespaces")).status_code == 401
    session = world.engine.try_login(person.name, NEW)
    assert session.json()["mustChangePassword"] is True


def test_a_user_sees_and_ends_only_his_own_tokens(world: World) -> None:
    """What others have is neither listed nor deleted; an admin may do both."""
    person, other = world.user("bob"), world.user("mia")
    made = person.create("/auth/tokens", {"ttlSeconds": 600, "description": "laptop"}).json()
    listed = person.get("/auth/tokens").json()["items"]
    assert made["name"] in {each["name"] for each in listed}
    assert made["token"] not in str(listed)
    assert made["name"] not in str(other.get("/auth/tokens").json())
    theirs = {"user": person.name}
    assert other.get("/auth/tokens", **theirs).status_code == 403
    assert other.delete(f"/auth/tokens/{made['name']}", **theirs).status_code == 403
    assert other.delete(f"/auth/tokens/{made['name']}").status_code == 404
    assert made["name"] in str(world.admin.get("/auth/tokens", **theirs).json())
    assert world.admin.delete(f"/auth/tokens/{made['name']}", **theirs).status_code == 204


@pytest.mark.parametrize("ttl", [0, -1, 10**9])
def test_no_token_lives_for_ever(world: World, ttl: int) -> None:
    """A life of 0 does not mean for ever, and too long a one is refused."""
    person = world.user("bob")
    assert person.create("/auth/tokens", {"ttlSeconds": ttl}).status_code == 422
    assert person.create("/auth/tokens", {}).status_code == 422


def test_nobody_signs_in_as_nobody(world: World) -> None:
    """A wrong password and an unknown user get the same answer."""
    person = world.user("bob")
    wrong = world.engine.try_login(person.name, "not-the-password")
    unknown = world.engine.try_login(world.named("nobody"), "not-the-password")
    assert (wrong.status_code, wrong.text) == (unknown.status_code, unknown.text)
    assert wrong.status_code == 401
    world.engine.try_login(person.name, PASSWORD)


def test_nobody_acts_for_somebody_else(world: World) -> None:
    """``Impersonate-User`` is for admins: others are refused before anything else is looked at."""
    person, other = world.user("bob"), world.user("mia")
    for name in ("admin", other.name, "system:admin"):
        headers = {"Impersonate-User": name}
        assert person.http.get(at("namespaces"), headers=headers).status_code == 403
    headers = {"Impersonate-User": person.name, "Impersonate-Group": "llmos:admins"}
    assert person.http.get(at("secrets", "llmos-system"), headers=headers).status_code == 403


def test_the_last_admin_stays(admin: Session) -> None:
    """Nobody deactivates, deletes or unbinds the only one who can mend things."""
    path = at("users", name="admin")
    assert admin.delete(path).status_code == 403
    assert admin.patch(path, {"spec": {"isActive": False}}).status_code == 403
    binding = at("roletemplatebindings", name="bootstrap-admin")
    assert admin.delete(binding).status_code == 403
    assert admin.patch(binding, {"subjects": []}).status_code in (403, 422)


def test_credentials_are_the_platforms(world: World) -> None:
    """No end user reads a Secret of ``llmos-system``, on any path."""
    person = world.user("bob")
    for path in (at("secrets", "llmos-system"), at("secrets", "llmos-system", "x")):
        assert person.get(path).status_code == 403
    assert person.names(at("secrets")) == []
    with person.watch(at("secrets"), resourceVersion="0") as watch:
        world.login(person.name)
        assert watch.events == []


def test_the_platforms_accounts_give_no_tokens(world: World) -> None:
    """Nobody signed in takes a token of a service account in a reserved namespace."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    for where, name in (("llmos-system", "llmos-controllers"), ("kube-system", "default")):
        path = at("serviceaccounts", where, name, "token")
        for person in (world.admin, world.user(f"bob-{where}")):
            assert person.create(path, body).status_code == 403


def test_no_two_users_are_taken_for_one_another(world: World) -> None:
    """Login names are unique without regard to case, and stay what they are."""
    person = world.user("bob")
    for login in (person.name, person.name.upper()):
        other = user(world.named("other"), PASSWORD, username=login)
        assert world.admin.create(at("users"), other).status_code == 422
    disguised = user(world.named("other"), PASSWORD, displayName=person.name)
    assert world.admin.create(at("users"), disguised).status_code == 422
    renamed = {"spec": {"username": world.named("renamed")}}
    assert world.admin.patch(at("users", name=person.name), renamed).status_code == 422


def test_a_new_user_is_told_about_in_his_status(world: World) -> None:
    """``status.isActive`` and ``status.isAdmin`` mirror what is so."""
    person = world.user("bob")
    path = at("users", name=person.name)

    def status() -> dict:
        found: dict = world.admin.get(path).json().get("status", {})
        return {key: found.get(key) for key in ("isActive", "isAdmin")}

    wait_until(lambda: status() == {"isActive": True, "isAdmin": False}, 5)
    binding = world.member("admin", "", person)
    wait_until(lambda: status()["isAdmin"], 5)
    world.remove(binding)
    wait_until(lambda: status() == {"isActive": True, "isAdmin": False}, 5)
