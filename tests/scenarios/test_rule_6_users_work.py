"""Rule 6: normal users create resources where their role allows it, and no namespaces."""

import json

import pytest

from support.kubectl import Kubectl
from support.objects import config_map, model_service, namespace, notebook, secret, service
from support.resources import at
from support.session import Session
from support.teams import Teams
from support.world import EDITOR

KINDS = {
    "configmaps": config_map,
    "modelservices": model_service,
    "notebooks": notebook,
    "secrets": secret,
    "services": service,
}


@pytest.fixture(scope="module")
def edith(teams: Teams) -> Session:
    """An editor of vision."""
    person = teams.world.user("edith")
    teams.world.member(EDITOR, teams.vision, person)
    return person


@pytest.mark.parametrize("kind", KINDS)
def test_owners_and_editors_create_resources(teams: Teams, edith: Session, kind: str) -> None:
    """They create, change and delete what their namespace is for."""
    for person, name in ((teams.alice, f"by-owner-{kind}"), (edith, f"by-editor-{kind}")):
        made = person.create(at(kind, teams.vision), KINDS[kind](name))
        assert made.status_code == 201, made.text
        path = at(kind, teams.vision, name)
        labelled = person.patch(path, {"metadata": {"labels": {"stage": "test"}}})
        assert labelled.json()["metadata"]["labels"]["stage"] == "test"
        current = labelled.json()
        current["metadata"]["labels"]["stage"] = "done"
        assert person.update(path, current).status_code == 200
        assert person.apply(path, KINDS[kind](name), force="true").status_code == 200
        assert person.delete(path).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_readers_read_and_do_not_write(teams: Teams, kind: str) -> None:
    """Bob sees all but Secrets, and every way to write is refused to him."""
    name = f"read-{kind}"
    assert teams.alice.create(at(kind, teams.vision), KINDS[kind](name)).status_code == 201
    path = at(kind, teams.vision, name)
    before = teams.alice.get(path).json()
    readable = 403 if kind == "secrets" else 200
    assert teams.bob.get(path).status_code == readable
    assert teams.bob.get(at(kind, teams.vision)).status_code == readable
    answers = {
        "create": teams.bob.create(at(kind, teams.vision), KINDS[kind]("mine")),
        "update": teams.bob.update(path, before),
        "patch": teams.bob.patch(path, {"metadata": {"labels": {"mine": "yes"}}}),
        "apply": teams.bob.apply(path, KINDS[kind](name), force="true"),
        "delete": teams.bob.delete(path),
        "deletecollection": teams.bob.delete(at(kind, teams.vision)),
    }
    codes = {way: answer.status_code for way, answer in answers.items()}
    assert set(codes.values()) == {403}, codes
    assert teams.alice.get(path).json() == before


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_learn_nothing(teams: Teams, kind: str) -> None:
    """Carol gets the same 403 for what is there, what is not, and a namespace that is not."""
    teams.alice.create(at(kind, teams.vision), KINDS[kind]("hidden"))
    missing = teams.world.named("no-such-team")

    def told(where: str, name: str) -> dict[str, tuple[int, str]]:
        path = at(kind, where, name)
        answers = {
            "get": teams.carol.get(path),
            "list": teams.carol.get(at(kind, where)),
            "create": teams.carol.create(at(kind, where), KINDS[kind](name)),
            "patch": teams.carol.patch(path, {"metadata": {"labels": {"mine": "yes"}}}),
            "apply": teams.carol.apply(path, KINDS[kind](name)),
            "delete": teams.carol.delete(path),
            "deletecollection": teams.carol.delete(at(kind, where)),
        }
        return {
            way: (answer.status_code, answer.text.replace(where, "WHERE").replace(name, "NAME"))
            for way, answer in answers.items()
        }

    there = told(teams.vision, "hidden")
    assert {code for code, _ in there.values()} == {403}, there
    assert told(teams.vision, "nothing") == there
    assert told(missing, "hidden") == there


def test_strangers_learn_nothing_of_a_namespace(teams: Teams) -> None:
    """Whether a namespace exists is not told by any answer about it."""

    def told(name: str) -> dict[str, tuple[int, str]]:
        path = at("namespaces", name=name)
        answers = {
            "get": teams.carol.get(path),
            "status": teams.carol.get(f"{path}/status"),
            "patch": teams.carol.patch(path, {"metadata": {"labels": {"mine": "yes"}}}),
            "update": teams.carol.update(path, namespace(name)),
            "apply": teams.carol.apply(path, namespace(name)),
            "delete": teams.carol.delete(path),
        }
        return {
            way: (answer.status_code, answer.text.replace(name, "NAME"))
            for way, answer in answers.items()
        }

    there = told(teams.vision)
    assert {code for code, _ in there.values()} == {403}, there
    assert told(teams.world.named("no-such-team")) == there
    assert told("kube-system") == there


def test_normal_users_cannot_create_a_namespace(teams: Teams, edith: Session) -> None:
    """Whatever their role elsewhere is."""
    for person in (teams.alice, edith, teams.bob, teams.dave):
        answer = person.create(at("namespaces"), namespace("of-my-own"))
        assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")


def test_kubectl_tells_who_may_not(teams: Teams, kubectl: Kubectl) -> None:
    """The refusal names the user, the verb, the resource and the namespace."""
    mine = json.dumps(notebook("mine"))
    refused = kubectl(teams.bob, "apply", "-f", "-", stdin=mine, namespace=teams.vision)
    refused.refused("Forbidden", teams.bob.name, "notebooks", teams.vision)
    refused = kubectl(teams.alice, "create", "namespace", "of-my-own")
    refused.refused("Forbidden", teams.alice.name, "namespaces")
