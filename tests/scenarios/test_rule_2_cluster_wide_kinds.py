"""Rule 2: scoping holds for namespaced kinds; cluster-wide ones everybody reads, admins change."""

from collections.abc import Iterator

import pytest

from support.kubectl import Kubectl
from support.objects import (
    Object,
    config_map,
    gpu_device,
    model_service,
    node,
    notebook,
    secret,
    storage_class,
)
from support.resources import at
from support.session import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Session
from support.teams import Teams

NAMESPACED = {
    "notebooks": notebook,
    "modelservices": model_service,
    "secrets": secret,
    "configmaps": config_map,
}
CLUSTER_WIDE = {"nodes": node, "gpudevices": gpu_device, "storageclasses": storage_class}


@pytest.fixture(scope="module")
def shared(teams: Teams) -> Iterator[dict[str, str]]:
    """One object of each cluster-wide kind, by kind."""
    names = {}
    for kind, make in CLUSTER_WIDE.items():
        names[kind] = teams.world.named(f"shared-{kind}")
        teams.world.make(at(kind), make(names[kind]))
    return names


def scopes(session: Session) -> dict[str, bool]:
    """Whether each of the resources of this file is namespaced, as discovery says."""
    found = {}
    for group in ("/api/v1", "/apis/ml.llmos.ai/v1", "/apis/gpustack.llmos.ai/v1"):
        for each in session.get(group).json()["resources"]:
            found[each["name"]] = each["namespaced"]
    for each in session.get("/apis/storage.k8s.io/v1").json()["resources"]:
        found[each["name"]] = each["namespaced"]
    return found


@pytest.mark.parametrize("kind", NAMESPACED)
def test_scoping_holds_for_namespaced_kinds(teams: Teams, kind: str) -> None:
    """They say so, carry their namespace, and are created nowhere else than in one."""
    assert scopes(teams.alice)[kind] is True
    made = teams.alice.create(at(kind, teams.vision), NAMESPACED[kind]("scoped"))
    assert made.json()["metadata"]["namespace"] == teams.vision
    outside = teams.admin.create(at(kind), NAMESPACED[kind]("scoped"))
    assert 400 <= outside.status_code < 500
    elsewhere = NAMESPACED[kind]("elsewhere")
    elsewhere["metadata"]["namespace"] = teams.speech
    assert teams.alice.create(at(kind, teams.vision), elsewhere).status_code == 400
    assert "elsewhere" not in teams.carol.names(at(kind, teams.speech))


@pytest.mark.parametrize("kind", CLUSTER_WIDE)
def test_cluster_wide_kinds_are_untouched_by_scoping(
    teams: Teams, shared: dict[str, str], kind: str
) -> None:
    """They have no namespace, are in none, and their names are unique in the cluster."""
    assert scopes(teams.alice)[kind] is False
    there = teams.admin.get(at(kind, name=shared[kind])).json()
    assert "namespace" not in there["metadata"]
    assert teams.admin.get(at(kind, teams.vision)).status_code == 404
    assert teams.admin.get(at(kind, teams.vision, shared[kind])).status_code == 404
    again = teams.admin.create(at(kind), CLUSTER_WIDE[kind](shared[kind]))
    assert (again.status_code, again.json()["reason"]) == (409, "AlreadyExists")


@pytest.mark.parametrize("kind", CLUSTER_WIDE)
def test_everybody_reads_cluster_wide_kinds(
    teams: Teams, shared: dict[str, str], kind: str
) -> None:
    """Members and users without any namespace get, list and watch them, all of them."""
    everything = teams.admin.names(at(kind))
    for person in (teams.alice, teams.bob, teams.dave):
        assert teams.admin.names(at(kind)) == everything
        assert person.names(at(kind)) == everything
        assert person.get(at(kind, name=shared[kind])).status_code == 200
        with person.watch(at(kind), resourceVersion="0") as watch:
            watch.wait_for("ADDED", shared[kind])


def every_change(session: Session, kind: str, name: str) -> dict[str, int]:
    """The status of every way to change a cluster-wide object, by name of the way."""
    path = at(kind, name=name)
    other: Object = CLUSTER_WIDE[kind]("made-by-somebody")
    current: Object = session.get(path).json()
    label = {"metadata": {"labels": {"mine": "yes"}}}
    add = [{"op": "add", "path": "/metadata/labels", "value": {"mine": "yes"}}]
    applied = CLUSTER_WIDE[kind](name)
    applied["metadata"]["labels"] = {"mine": "yes"}
    ways = {
        "create": session.create(at(kind), other),
        "create by update": session.update(at(kind, name="made-by-somebody"), other),
        "create by apply": session.apply(at(kind, name="made-by-somebody"), other),
        "update": session.update(path, current),
        "merge patch": session.patch(path, label, MERGE_PATCH),
        "json patch": session.patch(path, add, JSON_PATCH),
        "apply": session.patch(f"{path}?fieldManager=x&force=true", applied, APPLY_PATCH),
        "delete": session.delete(path),
        "deletecollection": session.delete(at(kind)),
    }
    if kind != "storageclasses":
        ways["status"] = session.patch(at(kind, name=name, subresource="status"), {"status": {}})
    return {way: answer.status_code for way, answer in ways.items()}


@pytest.mark.parametrize("kind", CLUSTER_WIDE)
def test_nobody_but_an_admin_changes_cluster_wide_kinds(
    teams: Teams, shared: dict[str, str], kind: str
) -> None:
    """Every way to change one is refused to owners, readers and users without a namespace."""
    before = teams.admin.get(at(kind, name=shared[kind])).json()
    for person in (teams.alice, teams.bob, teams.dave):
        ways = every_change(person, kind, shared[kind])
        assert set(ways.values()) == {403}, ways
    assert teams.admin.get(at(kind, name=shared[kind])).json() == before
    assert "made-by-somebody" not in teams.admin.names(at(kind))


@pytest.mark.parametrize("kind", CLUSTER_WIDE)
def test_an_admin_changes_cluster_wide_kinds(teams: Teams, kind: str) -> None:
    """He creates, labels and deletes them."""
    name = teams.world.named(f"short-lived-{kind}")
    teams.world.make(at(kind), CLUSTER_WIDE[kind](name))
    path = at(kind, name=name)
    changed = teams.admin.patch(path, {"metadata": {"labels": {"rack": "r1"}}})
    assert changed.json()["metadata"]["labels"]["rack"] == "r1"
    assert teams.admin.delete(path).status_code == 200
    assert teams.admin.get(path).status_code == 404


def test_everybody_lists_them_with_kubectl(
    teams: Teams, kubectl: Kubectl, shared: dict[str, str]
) -> None:
    """``kubectl get`` shows them to a user without any namespace, in one call."""
    shown = kubectl(teams.dave, "get", "nodes,gpudevices,sc", "-o", "name").ok().split()
    assert {each.split("/")[1] for each in shown} >= set(shared.values())
    refused = kubectl(teams.alice, "label", "node", shared["nodes"], "mine=yes")
    refused.refused("Forbidden", shared["nodes"])
