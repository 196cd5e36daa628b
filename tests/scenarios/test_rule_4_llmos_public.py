"""Rule 4: in ``llmos-public`` every signed-in user reads and calls; hardly anybody writes."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from support.kubectl import Kubectl
from support.objects import (
    config_map,
    get_in,
    member,
    model_service,
    notebook,
    secret,
    service,
    subject,
)
from support.resources import at
from support.session import Session
from support.teams import Teams
from support.waiting import wait_until
from support.world import EDITOR, PASSWORD, World

PUBLIC = "llmos-public"
VERBS = ("get", "post", "put", "patch", "delete")


class Shared(NamedTuple):
    """What the admin put there."""

    config_map: str
    model_service: str
    notebook: str
    service: str
    secret: str


@pytest.fixture(scope="module")
def shared(teams: Teams) -> Iterator[Shared]:
    """One object of some kinds, made by the admin."""
    name = teams.world.named("shared")
    made = {
        "configmaps": config_map(name),
        "modelservices": model_service(name),
        "notebooks": notebook(name),
        "services": service(name),
        "secrets": secret(name),
    }
    for kind, obj in made.items():
        teams.world.make(at(kind, PUBLIC), obj)
    return Shared(name, name, name, name, name)


def readable_paths(session: Session) -> list[str]:
    """The collection in ``llmos-public`` of every namespaced kind that can be listed."""
    groups = session.get("/apis").json()["groups"]
    versions = [f"/apis/{each['preferredVersion']['groupVersion']}" for each in groups]
    return [
        f"{version}/namespaces/{PUBLIC}/{each['name']}"
        for version in ("/api/v1", *versions)
        for each in session.get(version).json()["resources"]
        if each["namespaced"] and "list" in each["verbs"]
    ]


def test_every_signed_in_user_reads_everything_in_it(teams: Teams, shared: Shared) -> None:
    """All namespaced kinds that are served, Secrets excepted, for a member of nothing too."""
    paths = readable_paths(teams.dave)
    assert len(paths) > 15
    for person in (teams.alice, teams.carol, teams.dave):
        codes = {path.rpartition("/")[2]: person.get(path).status_code for path in paths}
        assert codes.pop("secrets") == 403
        assert {path: code for path, code in codes.items() if code != 200} == {}
    for kind, name in zip(("configmaps", "modelservices", "notebooks"), shared, strict=False):
        assert name in teams.dave.names(at(kind, PUBLIC))
        assert teams.dave.get(at(kind, PUBLIC, name)).status_code == 200
        with teams.dave.watch(at(kind, PUBLIC), resourceVersion="0") as watch:
            watch.wait_for("ADDED", name)


def test_logs_are_read_too(teams: Teams) -> None:
    """Nobody is refused the log of a pod there; elsewhere a stranger is."""
    assert teams.dave.get(at("pods", PUBLIC, "some-pod", "log")).status_code != 403
    assert teams.dave.get(at("pods", teams.vision, "some-pod", "log")).status_code == 403


def test_secrets_are_excepted(teams: Teams, shared: Shared) -> None:
    """Nobody but the admin gets, lists or watches one, on any path."""
    for person in (teams.alice, teams.dave):
        assert person.get(at("secrets", PUBLIC)).status_code == 403
        assert person.get(at("secrets", PUBLIC, shared.secret)).status_code == 403
        named = person.get(at("secrets", PUBLIC), fieldSelector=f"metadata.name={shared.secret}")
        assert named.status_code == 403
        with person.watch(at("secrets", PUBLIC)) as watch:
            assert watch.status == 403
        assert shared.secret not in person.names(at("secrets"))
    assert teams.admin.get(at("secrets", PUBLIC, shared.secret)).status_code == 200


def test_every_signed_in_user_calls_the_services_in_it(teams: Teams, shared: Shared) -> None:
    """``services/proxy`` lets everybody pass there, with any method; elsewhere only members."""
    proxy = at("services", PUBLIC, f"{shared.service}:80", "proxy")
    private = at("services", teams.vision, "any:80", "proxy")
    for method in VERBS:
        assert teams.dave.http.request(method, f"{proxy}/v1/models").status_code != 403, method
        assert teams.dave.http.request(method, f"{private}/v1/models").status_code == 403, method


def test_nobody_writes_there(teams: Teams, shared: Shared) -> None:
    """Owners of other namespaces and members of nothing change nothing, in any way."""
    path = at("configmaps", PUBLIC, shared.config_map)
    before = teams.admin.get(path).json()
    for person in (teams.alice, teams.bob, teams.dave):
        codes = {
            "create": person.create(at("configmaps", PUBLIC), config_map("mine")),
            "update": person.update(path, before),
            "patch": person.patch(path, {"data": {"key": "mine"}}),
            "apply": person.apply(path, config_map(shared.config_map, key="mine"), force="true"),
            "delete": person.delete(path),
            "deletecollection": person.delete(at("configmaps", PUBLIC)),
            "model service": person.create(at("modelservices", PUBLIC), model_service("mine")),
            "notebook": person.create(at("notebooks", PUBLIC), notebook("mine")),
            "secret": person.create(at("secrets", PUBLIC), secret("mine")),
        }
        assert {each.status_code for each in codes.values()} == {403}, codes
    assert teams.admin.get(path).json() == before


def test_an_admin_writes_there(teams: Teams) -> None:
    """He creates, changes and deletes."""
    name = teams.world.named("by-admin")
    made = teams.admin.create(at("configmaps", PUBLIC), config_map(name))
    assert made.status_code == 201
    path = at("configmaps", PUBLIC, name)
    assert teams.admin.patch(path, {"data": {"key": "new"}}).status_code == 200
    assert teams.admin.delete(path).status_code == 200


def test_a_member_whom_an_admin_named_there_writes(teams: Teams) -> None:
    """An editor of ``llmos-public`` publishes; nobody else became one by that."""
    erin = teams.world.user("erin")
    binding = teams.world.member(EDITOR, PUBLIC, erin)
    name = teams.world.named("by-erin")
    assert erin.create(at("modelservices", PUBLIC), model_service(name)).status_code == 201
    assert teams.dave.create(at("configmaps", PUBLIC), config_map(name)).status_code == 403
    assert name in teams.dave.names(at("modelservices", PUBLIC))
    assert erin.delete(at("modelservices", PUBLIC, name)).status_code == 200
    teams.world.remove(binding)
    again = model_service(name)
    wait_until(
        lambda: erin.create(at("modelservices", PUBLIC), again, dryRun="All").status_code == 403, 2
    )


def test_only_an_admin_names_members_there(teams: Teams) -> None:
    """The owner of another namespace cannot make himself a member."""
    for name in (teams.alice.name, teams.dave.name):
        asked = member(teams.world.named("self-made"), PUBLIC, EDITOR, subject(name))
        assert teams.alice.create(at("roletemplatebindings"), asked).status_code == 403


def grants(admin: Session) -> list[dict]:
    """The role bindings in ``llmos-public``."""
    items: list[dict] = admin.get(at("rolebindings", PUBLIC)).json()["items"]
    return items


def test_it_is_one_grant_to_the_group_of_all_users(world: World) -> None:
    """A new user adds no binding: one names the group, and no user is named anywhere."""
    before = grants(world.admin)
    frank = world.user("frank")
    assert frank.names(at("configmaps", PUBLIC))
    after = grants(world.admin)
    named = [each for binding in after for each in binding.get("subjects") or []]
    assert [each["name"] for each in named].count("llmos:users") == 1
    assert frank.name not in {each["name"] for each in named}
    assert len(after) == len(before)


def test_who_is_not_signed_in_reads_nothing_there(teams: Teams, shared: Shared) -> None:
    """The grant is for llmos users: neither for the anonymous nor for service accounts."""
    with teams.world.engine.client() as nobody:
        answer = nobody.get(at("configmaps", PUBLIC, shared.config_map))
        assert answer.status_code in (401, 403)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    wait_until(
        lambda: teams.alice.get(at("serviceaccounts", teams.vision, "default")).status_code == 200,
        5,
    )
    answer = teams.alice.create(at("serviceaccounts", teams.vision, "default", "token"), body)
    assert answer.status_code == 201, answer.text
    robot = teams.world.session("robot", answer.json()["status"]["token"])
    assert robot.get(at("configmaps", PUBLIC, shared.config_map)).status_code == 403


def test_it_belongs_to_the_platform(teams: Teams) -> None:
    """``llmos-public`` says what it is for, and is not deleted by anybody signed in."""
    found = teams.dave.get(at("namespaces", name=PUBLIC)).json()
    assert get_in(found, "metadata", "annotations", "kubernetes.io/description")
    for person in (teams.admin, teams.alice, teams.dave):
        assert person.delete(at("namespaces", name=PUBLIC)).status_code == 403
    label = {"metadata": {"labels": {"mine": "yes"}}}
    assert teams.dave.patch(at("namespaces", name=PUBLIC), label).status_code == 403


def test_everybody_reads_it_with_kubectl(teams: Teams, kubectl: Kubectl, shared: Shared) -> None:
    """``kubectl get`` shows a member of nothing what is there, and no Secret."""
    out = kubectl(teams.dave, "get", "cm,msvc", "-o", "name", namespace=PUBLIC).ok()
    assert f"configmap/{shared.config_map}" in out
    assert f"modelservice.ml.llmos.ai/{shared.model_service}" in out
    kubectl(teams.dave, "get", "secrets", namespace=PUBLIC).refused("Forbidden", '"secrets"')
    mine = json.dumps(config_map("mine"))
    created = kubectl(teams.dave, "create", "-f", "-", stdin=mine, namespace=PUBLIC)
    created.refused("Forbidden", PUBLIC)


def test_a_password_is_needed(teams: Teams) -> None:
    """Signing in, by which one comes to read it, takes the right password."""
    assert teams.world.engine.try_login(teams.dave.name, f"{PASSWORD}!").status_code == 401
