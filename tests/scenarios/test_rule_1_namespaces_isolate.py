"""Rule 1: a namespace isolates a group of resources; names are unique in it and free elsewhere."""

import json

import pytest

from support.kubectl import Kubectl
from support.objects import config_map, model_service, notebook, secret
from support.resources import at
from support.teams import Teams

KINDS = {
    "notebooks": notebook("shared-name"),
    "modelservices": model_service("shared-name"),
    "secrets": secret("shared-name"),
    "configmaps": config_map("shared-name"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_namespace_isolates_a_group_of_resources(teams: Teams, kind: str) -> None:
    """What is in one namespace is not in the list of another, nor changes with the other's."""
    own = {**KINDS[kind], "metadata": {"name": f"isolated-{kind}"}}
    assert teams.alice.create(at(kind, teams.vision), own).status_code == 201
    assert f"isolated-{kind}" in teams.alice.names(at(kind, teams.vision))
    assert f"isolated-{kind}" not in teams.carol.names(at(kind, teams.speech))
    assert teams.carol.get(at(kind, teams.vision)).status_code == 403
    assert teams.carol.delete(at(kind, teams.speech, f"isolated-{kind}")).status_code == 404
    assert teams.alice.get(at(kind, teams.vision, f"isolated-{kind}")).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_unique_in_its_namespace(teams: Teams, kind: str) -> None:
    """A second object of the same kind and name is refused, and the first one stays as it is."""
    obj = {**KINDS[kind], "metadata": {"name": f"unique-{kind}"}}
    first = teams.alice.create(at(kind, teams.vision), obj)
    assert first.status_code == 201, first.text
    second = teams.alice.create(at(kind, teams.vision), obj)
    assert (second.status_code, second.json()["reason"]) == (409, "AlreadyExists")
    now = teams.alice.get(at(kind, teams.vision, f"unique-{kind}")).json()
    assert now["metadata"]["uid"] == first.json()["metadata"]["uid"]


def test_a_name_is_unique_only_among_its_kind(teams: Teams) -> None:
    """Objects of different kinds may share a name in one namespace."""
    for kind, obj in KINDS.items():
        renamed = {**obj, "metadata": {"name": "one-for-each-kind"}}
        assert teams.alice.create(at(kind, teams.vision), renamed).status_code == 201


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_free_in_every_other_namespace(teams: Teams, kind: str) -> None:
    """The same name in two namespaces names two objects, each with a life of its own."""
    made = {}
    for who, where in ((teams.alice, teams.vision), (teams.carol, teams.speech)):
        answer = who.create(at(kind, where), KINDS[kind])
        assert answer.status_code == 201, answer.text
        made[where] = answer.json()
        assert made[where]["metadata"]["namespace"] == where
    uids = {each["metadata"]["uid"] for each in made.values()}
    assert len(uids) == 2
    labels = {"metadata": {"labels": {"whose": "vision"}}}
    assert teams.alice.patch(at(kind, teams.vision, "shared-name"), labels).status_code == 200
    other = teams.carol.get(at(kind, teams.speech, "shared-name")).json()
    assert other["metadata"] == made[teams.speech]["metadata"]
    assert teams.alice.delete(at(kind, teams.vision, "shared-name")).status_code == 200
    assert teams.carol.get(at(kind, teams.speech, "shared-name")).status_code == 200


def test_two_teams_apply_an_experiment_of_the_same_name(teams: Teams, kubectl: Kubectl) -> None:
    """Alice's ``exp-1`` and Carol's live side by side; a second one of Alice's is refused."""
    own = "\n---\n".join(json.dumps(each) for each in (notebook("exp-1"), model_service("exp-1")))
    applied = kubectl(teams.alice, "apply", "-f", "-", stdin=own, namespace=teams.vision).ok()
    assert "notebook.ml.llmos.ai/exp-1 created" in applied
    assert "modelservice.ml.llmos.ai/exp-1 created" in applied
    hers = json.dumps(notebook("exp-1", image="speech/base"))
    kubectl(teams.carol, "apply", "-f", "-", stdin=hers, namespace=teams.speech).ok()
    assert "exp-1" in kubectl(teams.alice, "get", "nb", namespace=teams.vision).column()
    assert "exp-1" in kubectl(teams.carol, "get", "nb", namespace=teams.speech).column()
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    vision = kubectl(teams.alice, "get", "nb", "exp-1", "-o", image, namespace=teams.vision).ok()
    speech = kubectl(teams.carol, "get", "nb", "exp-1", "-o", image, namespace=teams.speech).ok()
    assert (vision, speech) == ("jupyter/base-notebook", "speech/base")
    again = kubectl(teams.alice, "create", "-f", "-", stdin=own, namespace=teams.vision)
    again.refused("AlreadyExists", '"exp-1" already exists')
