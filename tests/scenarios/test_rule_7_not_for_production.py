"""Rule 7: ``default`` and ``llmos-public`` are not for production, and say so."""

import json

import pytest

from support.kubectl import Kubectl
from support.objects import config_map, get_in, model_service
from support.resources import at
from support.session import Session
from support.world import EDITOR, World

SHARED = ("default", "llmos-public")


@pytest.fixture
def edith(world: World) -> Session:
    """Somebody who may write in both, because an admin said so."""
    person = world.user("edith")
    for where in SHARED:
        world.member(EDITOR, where, person)
    return person


@pytest.mark.parametrize("where", SHARED)
def test_creating_there_answers_with_a_warning(world: World, edith: Session, where: str) -> None:
    """On every way to create, for admins and members, and the object is made all the same."""
    for person in (world.admin, edith):
        name = f"{person.name}-{world.suffix}"
        made = person.create(at("configmaps", where), config_map(name))
        applied = person.apply(at("modelservices", where, name), model_service(name))
        for answer in (made, applied):
            assert answer.status_code == 201, answer.text
            assert answer.headers["warning"].startswith("299 - ")
            assert where in answer.headers["warning"]
            assert "production" in answer.headers["warning"]
        changed = person.patch(at("configmaps", where, name), {"data": {"key": "new"}})
        assert "warning" not in changed.headers
        for kind in ("configmaps", "modelservices"):
            assert person.delete(at(kind, where, name)).status_code == 200


def test_creating_elsewhere_answers_without_one(world: World) -> None:
    """A namespace of one's own is for production."""
    where = world.namespace("own")
    answer = world.admin.create(at("configmaps", where), config_map("mine"))
    assert answer.status_code == 201
    assert "warning" not in answer.headers


@pytest.mark.parametrize("where", SHARED)
def test_the_description_says_so(admin: Session, where: str) -> None:
    """Whoever looks at the namespace reads that it is not for production."""
    found = admin.get(at("namespaces", name=where)).json()
    said = get_in(found, "metadata", "annotations", "kubernetes.io/description")
    assert "not for production" in said.lower()


@pytest.mark.parametrize("where", SHARED)
def test_neither_is_deleted(admin: Session, where: str) -> None:
    """Both are there for as long as the cluster is."""
    assert admin.delete(at("namespaces", name=where)).status_code == 403


def test_kubectl_shows_the_warning(world: World, edith: Session, kubectl: Kubectl) -> None:
    """``kubectl create`` prints it, and succeeds."""
    name = world.named("warned")
    made = kubectl(
        edith, "create", "-f", "-", stdin=json.dumps(config_map(name)), namespace="default"
    )
    assert "created" in made.ok()
    assert "Warning:" in made.err
    assert "production" in made.err
    world.remove(at("configmaps", "default", name))
