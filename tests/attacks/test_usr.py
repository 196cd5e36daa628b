"""USR: what people do with the accounts of others, and with their own."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from attacks.support import Actor, World
from attacks.words import MG, canary, unique
from support.objects import user

pytestmark = pytest.mark.slow
USERS = f"{MG}/users"
RISE = [
    {"status": {"isAdmin": True}},
    {"spec": {"isAdmin": True}},
    {"spec": {"roles": ["admin"], "isAdmin": True, "groups": ["system:masters"]}},
    {"spec": {"groups": ["llmos:admins"]}},
    {"spec": {"groups": ["system:masters"]}},
]


@pytest.mark.parametrize("change", RISE, ids=json.dumps)
@pytest.mark.parametrize("part", ["", "/status"])
def test_usr_01_nobody_makes_himself_an_admin(alice: Actor, world: World, change: dict, part: str):
    """A user changes neither his roles nor his groups nor his status."""
    path = f"{USERS}/alice{part}"
    body = {"apiVersion": "management.llmos.ai/v1", "kind": "User", "metadata": {"name": "alice"}}
    with world.unchanged():
        assert alice.patch(path, change).status == 403
        assert alice.apply(path, body | change).status == 403
        assert alice.put(path, body | change).status == 403
    assert alice.get(USERS).names == ["alice"]


@pytest.mark.parametrize("change", [{"isAdmin": True}, {"groups": ["system:masters"]}])
def test_usr_01_no_account_path_takes_rights(alice: Actor, world: World, change: dict):
    """Signing in, passwords and tokens know no fields that give rights."""
    with world.unchanged():
        password = {"currentPassword": alice.password, "newPassword": canary(), **change}
        assert alice.put("/auth/password", password, within=3).status == 422
        assert alice.post("/auth/tokens", {"ttlSeconds": 60, **change}).status == 422
        login = {"username": "alice", "password": alice.password, **change}
        assert alice.post("/auth/login", login, within=3).status == 422


@pytest.mark.parametrize("change", RISE, ids=json.dumps)
def test_usr_01_a_user_manager_who_edits_himself_does_not_rise(
    carol: Actor, world: World, change: dict
):
    """Whoever may edit users gains nothing by editing himself."""
    answer = carol.patch(f"{USERS}/carol", change)
    assert answer.status in (200, 403, 422)
    assert carol.patch(f"{USERS}/carol/status", change).status in (403, 404, 422)
    groups = carol.get("/auth/whoami").json()["user"]["groups"]
    assert not {"llmos:admins", "system:masters"} & set(groups)
    assert carol.get("/api/v1/namespaces/kube-system/secrets").status == 403
    assert not world.do("GET", f"{USERS}/carol")["spec"].get("isAdmin")


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"password": "Owned-by-carol-1"}},
        {"spec": {"isActive": False}},
        {"spec": {"username": "root2"}},
        {"spec": {"groups": ["owned"]}},
        {"spec": {"displayName": "Owned"}},
        {"spec": {"isAdmin": False}},
        {"metadata": {"labels": {"owned": "yes"}}},
        {"metadata": {"finalizers": ["owned.example.com/x"]}},
    ],
    ids=json.dumps,
)
def test_usr_04_nobody_edits_a_user_with_more_rights(carol: Actor, world: World, change: dict):
    """A manager of users who is no admin does not touch an admin's account."""
    path = f"{USERS}/root"
    # That a username does not change is said to everybody, before anybody is asked who he is: 422.
    with world.unchanged():
        assert carol.patch(path, change).status in (403, 422)
        whole = world.do("GET", path)
        for part in ("spec", "metadata"):
            whole[part] |= change.get(part, {})
        assert carol.put(path, whole).status in (403, 422)
        applied = {"apiVersion": "management.llmos.ai/v1", "kind": "User", **change}
        assert carol.apply(path, applied).status in (403, 422)


def test_usr_04_nobody_takes_over_a_user_with_more_rights(carol: Actor, root: Actor, world: World):
    """Neither deleting nor setting a password nor ending tokens, alone or as a collection."""
    name = root.token.partition(":")[0]
    with world.unchanged():
        assert carol.delete(f"{USERS}/root").status == 403
        assert carol.delete(f"{USERS}?fieldSelector=metadata.name%3Droot").status == 403
        assert carol.delete(USERS).status == 403
        assert carol.put("/auth/users/root/password", {"newPassword": canary()}).status == 403
        assert carol.put("/auth/users/root/password", {}).status == 403
        assert carol.delete(f"/auth/tokens/{name}?user=root").status == 403
    assert root.get("/auth/whoami").status == 200


def test_usr_04_nobody_takes_over_an_owner_of_a_namespace(carol: Actor, world: World):
    """What a user may do in namespaces counts too: his account is no way into them."""
    owner = world.throwaway("owner")
    world.bind(f"{owner.name}-x", "namespace-owner", owner.name, "team-x")
    body = {"newPassword": canary()}
    with world.unchanged():
        assert carol.put(f"/auth/users/{owner.name}/password", body, within=3).status == 403
        change = {"spec": {"password": canary()}}
        assert carol.patch(f"{USERS}/{owner.name}", change, within=3).status == 403
        assert carol.delete(f"{USERS}/{owner.name}").status == 403
    assert owner.get("/auth/whoami").status == 200


@pytest.mark.parametrize(
    "username", ["root", "ROOT", "Root", "", "admin", " root", "ro ot", "dave2"]
)
def test_usr_05_a_username_does_not_change(carol: Actor, world: World, username: str):
    """Once set it stays; nobody takes the name of somebody else, in whatever case."""
    dave = world.throwaway("dave")
    before = world.do("GET", f"{USERS}/{dave.name}")["spec"]["username"]
    answer = carol.patch(f"{USERS}/{dave.name}", {"spec": {"username": username}})
    assert answer.status == 422
    assert world.do("GET", f"{USERS}/{dave.name}")["spec"]["username"] == before


@pytest.mark.parametrize("username", ["root", "ROOT", "rOOt", "alice", "admin"])
def test_usr_05_a_new_user_does_not_take_a_name(carol: Actor, world: World, username: str):
    """A username is unique after normalisation, and no username is another user's name."""
    name = unique("thief")
    with world.unchanged():
        made = user(name, canary(), username=username)
        assert carol.post(USERS, made).status in (409, 422)


def test_usr_06_of_many_at_once_one_gets_the_name(carol: Actor, world: World):
    """Forty parallel creations with one username, in whatever case: one succeeds."""
    other = world.throwaway("carol")
    world.bind(f"{other.name}-delegated", "delegated", other.name)
    wanted = unique("same")

    def create(number: int) -> int:
        actor = carol if number % 2 else other
        made = user(f"{wanted}-{number}", "", username=wanted if number % 3 else wanted.upper())
        del made["spec"]["password"]
        return actor.post(USERS, made, within=5).status

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(create, range(40)))
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 422}
    found = world.do("GET", USERS)["items"]
    # One who says no username has his object's name.
    names = [each["spec"].get("username") or each["metadata"]["name"] for each in found]
    assert [each.lower() for each in names].count(wanted) == 1


def test_usr_08_guessing_the_current_password_is_limited(world: World):
    """Thirty wrong guesses are mostly not even tried, and the password stays."""
    eve = world.throwaway("eve")
    statuses = [
        eve.put(
            "/auth/password",
            {"currentPassword": f"wrong-{number}", "newPassword": canary()},
            source="127.0.8.1",
            within=3,
        ).status
        for number in range(30)
    ]
    assert set(statuses) == {403, 429}
    assert statuses.count(429) >= 20
    assert eve.get("/auth/whoami").status == 200


def test_usr_08_a_password_change_is_ones_own_and_complete(alice: Actor, bob: Actor, world: World):
    """It needs the current password, and no query makes it another's."""
    new = canary()
    change = {"currentPassword": alice.password, "newPassword": new}
    with world.unchanged():
        assert alice.put("/auth/password", {"newPassword": new}).status == 422
        assert alice.put("/auth/password", {"currentPassword": "", "newPassword": new}).status in (
            403,
            422,
        )
        assert alice.put("/auth/users/bob/password", {"newPassword": new}).status == 403
        assert alice.put("/auth/users/alice/password", {"newPassword": new}).status == 403
        assert alice.put("/auth/password", {**change, "name": "bob"}).status == 422
    eve = world.throwaway("eve")
    change = {"currentPassword": eve.password, "newPassword": new}
    for query in ("?name=bob", "?user=bob"):
        answer = eve.put(f"/auth/password{query}", change, source="127.0.8.3", within=3)
        assert answer.status in (204, 403, 422)
        assert bob.get("/auth/whoami").status == 200
    body = {"username": "bob", "password": new}
    answer = world.anonymous.post("/auth/login", body, source="127.0.8.4", within=3)
    assert answer.status == 401


@pytest.mark.parametrize("new", ["", "x", "short", "THE NAME", "x" * 4000, "\x00" * 20])
def test_usr_08_weak_passwords_are_refused(world: World, new: str):
    """A password is neither the name nor short nor endless, and is never said again."""
    eve = world.throwaway("eve")
    new = eve.name.upper() if new == "THE NAME" else new
    body = {"currentPassword": eve.password, "newPassword": new}
    answer = eve.put("/auth/password", body, source="127.0.8.5", within=3)
    assert answer.status == 422
    assert len(new) < 5 or new not in answer.text


def test_usr_08_a_password_of_a_megabyte_is_not_even_hashed(alice: Actor, world: World):
    """A body over 64 KiB is refused before anything is done with it."""
    body = {"currentPassword": alice.password, "newPassword": "x" * 1024 * 1024}
    with world.unchanged():
        busy = world.cpu_seconds()
        assert alice.put("/auth/password", body).status == 413
        assert world.cpu_seconds() - busy < 0.1


@pytest.mark.parametrize("shown", ["root", "ROOT", "root ", " root", "ro\u200bot", "root\u202e"])
def test_usr_11_a_display_name_is_nobody_elses(root: Actor, world: World, shown: str):
    """A display name that reads as another user's name is refused."""
    with world.unchanged():
        made = user(unique("twin"), canary(), displayName=shown)
        assert root.post(USERS, made, within=3).status == 422


@pytest.mark.parametrize("shown", ["r\u043e\u043et", "r\u03bf\u03bft", "\uff52oot"])
def test_usr_11_a_look_alike_is_shown_with_its_name(root: Actor, shown: str):
    """Where letters of other scripts look alike, the immutable name always stands beside them."""
    made = user(unique("twin"), canary(), displayName=shown)
    answer = root.post(USERS, made, within=3)
    assert answer.status in (201, 422)
    table = root.get(
        USERS, headers=[("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")]
    ).json()
    columns = [each["name"] for each in table["columnDefinitions"]]
    assert columns[:3] == ["Name", "Username", "Display Name"]
    for row in table["rows"]:
        assert row["cells"][0] == row["object"]["metadata"]["name"]


@pytest.mark.parametrize("subresource", ["", "/status"])
def test_usr_a_status_gives_no_rights(root: Actor, world: World, subresource: str):
    """Not even an admin makes an admin by writing the status; a binding does."""
    eve = world.throwaway("eve")
    change = {"status": {"isAdmin": True, "isActive": True}}
    assert root.patch(f"{USERS}/{eve.name}{subresource}", change).status in (200, 403)
    assert eve.get("/api/v1/namespaces/kube-system/secrets").status == 403
    found = world.do("GET", f"{USERS}/{eve.name}")
    assert not found.get("status", {}).get("isAdmin")


def test_usr_a_deactivated_user_is_out_at_once(root: Actor, world: World):
    """His tokens are refused, what he has open ends, and he cannot sign in."""
    eve = world.throwaway("eve")
    with eve.watch("/api/v1/namespaces") as watch:
        assert watch.status == 200
        answer = root.patch(f"{USERS}/{eve.name}", {"spec": {"isActive": False}})
        assert answer.status == 200
        assert eve.get("/auth/whoami").status == 401
        assert watch.ended.wait(5)
    body = {"username": eve.name, "password": eve.password}
    assert eve.world.anonymous.post("/auth/login", body, source="127.0.8.6").status == 401
