"""Rule 3: reserved system namespaces are there from the start, and not for end users."""

import json
from collections.abc import Callable

import pytest

from support.kubectl import Kubectl
from support.objects import (
    config_map,
    member,
    namespace,
    role_binding,
    rule,
    subject,
)
from support.resources import at
from support.session import JSON_PATCH, STRATEGIC_PATCH, Session
from support.teams import Teams
from support.world import EDITOR, OWNER, READER

RESERVED = (
    "kube-system",
    "kube-node-lease",
    "kube-public",
    "llmos-system",
    "llmos-gpu-stakc-system",
    "llmos-gpu-stack-system",
    "llmos-monitoring-system",
    "llmos-dashboards",
    "llmos-db-system",
    "storage-system",
    "system-upgrade",
)
DESCRIPTION = "kubernetes.io/description"
LABEL = {"metadata": {"labels": {"llmos.ai/reserved": "false"}}}
Change = Callable[[Session, str], int]


def labelled(name: str) -> dict:
    return {**namespace(name), "metadata": {"name": name, **LABEL["metadata"]}}


def put(change: Callable[[dict], object], subresource: str = "") -> Change:
    """Read it, change it, and put it back, whole or to a subresource."""

    def way(session: Session, name: str) -> int:
        # Whoever may not read it sends what everybody knows of it.
        answer = session.get(at("namespaces", name=name))
        obj = answer.json() if answer.status_code == 200 else namespace(name)
        change(obj)
        path = at("namespaces", name=name, subresource=subresource)
        return session.update(path, obj).status_code

    return way


def patch(body: object, kind: str, subresource: str = "") -> Change:
    return lambda session, name: (
        session.patch(at("namespaces", name=name, subresource=subresource), body, kind).status_code
    )


def apply(subresource: str = "") -> Change:
    return lambda session, name: (
        session.apply(
            at("namespaces", name=name, subresource=subresource), labelled(name), force="true"
        ).status_code
    )


MERGE = "application/merge-patch+json"
ACTIVE = {"phase": "Active"}
CONDITION = {
    "type": "NamespaceContentRemaining",
    "status": "True",
    "reason": "SomeResourcesRemain",
    "message": "so says somebody",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
STATUS = {"status": {"phase": "Active", "conditions": [CONDITION]}}
JSON_LABEL = [{"op": "replace", "path": "/metadata/labels", "value": {"mine": "yes"}}]
JSON_STATUS = [{"op": "add", "path": "/status/conditions", "value": [CONDITION]}]
CHANGES: dict[str, Change] = {
    "delete": lambda session, name: session.delete(at("namespaces", name=name)).status_code,
    "delete in the background": lambda session, name: (
        session.delete(
            at("namespaces", name=name), propagationPolicy="Background", gracePeriodSeconds="0"
        ).status_code
    ),
    "delete for a trial": lambda session, name: (
        session.delete(at("namespaces", name=name), dryRun="All").status_code
    ),
    "relabel by update": put(lambda obj: obj["metadata"].update(labels={"mine": "yes"})),
    "relabel by merge patch": patch(LABEL, MERGE),
    "relabel by json patch": patch(JSON_LABEL, JSON_PATCH),
    "relabel by strategic patch": patch(LABEL, STRATEGIC_PATCH),
    "relabel by apply": apply(),
    "update status": put(lambda obj: obj.update(STATUS), "status"),
    "merge patch status": patch(STATUS, MERGE, "status"),
    "json patch status": patch(JSON_STATUS, JSON_PATCH, "status"),
    "strategic patch status": patch(STATUS, STRATEGIC_PATCH, "status"),
    "relabel through status": patch(LABEL, MERGE, "status"),
    "apply status": apply("status"),
    "finalize": put(lambda obj: obj.update(spec={"finalizers": []}), "finalize"),
    "relabel through finalize": put(
        lambda obj: obj["metadata"].update(labels={"mine": "yes"}), "finalize"
    ),
    "add a finalizer": patch({"metadata": {"finalizers": ["example.com/mine"]}}, MERGE),
    "switch the guard off by an annotation": patch(
        {"metadata": {"annotations": {"llmos.ai/reserved": "false"}}}, MERGE
    ),
}


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_namespaces_exist_from_the_first_start(admin: Session, name: str) -> None:
    """Each of them is there and active, with nobody having made it."""
    found = admin.get(at("namespaces", name=name)).json()
    assert found["status"]["phase"] == "Active"


@pytest.mark.parametrize("name", RESERVED)
def test_each_carries_its_purpose_as_a_description(admin: Session, name: str) -> None:
    """The description says what the namespace is for, in a sentence of its own."""
    found = {
        each["metadata"]["name"]: each["metadata"].get("annotations", {}).get(DESCRIPTION, "")
        for each in admin.get(at("namespaces")).json()["items"]
    }
    assert len(found[name].split()) >= 3
    assert list(found.values()).count(found[name]) == 1


@pytest.mark.parametrize("prefix", ["kube-", "llmos-"])
def test_the_prefixes_are_reserved_too(teams: Teams, prefix: str) -> None:
    """No new namespace takes such a name, on no way to make one, and not by an admin either."""
    name = teams.world.named(f"{prefix}mine")
    path = at("namespaces", name=name)
    generated = {**namespace(""), "metadata": {"generateName": prefix}}
    for person in (teams.admin, teams.alice):
        before = set(teams.admin.names(at("namespaces")))
        answers = {
            "create": person.create(at("namespaces"), namespace(name)),
            "generate": person.create(at("namespaces"), generated),
            "apply": person.apply(path, namespace(name)),
        }
        codes = {way: answer.status_code for way, answer in answers.items()}
        assert set(codes.values()) == {403}, codes
        assert person.update(path, namespace(name)).status_code in (403, 404)
        assert set(teams.admin.names(at("namespaces"))) <= before


@pytest.mark.parametrize("way", CHANGES)
def test_nobody_signed_in_changes_a_reserved_namespace(teams: Teams, way: str) -> None:
    """Admin or not: no deletion, no other label, no status, no finalize, on any of them."""
    for name in RESERVED:
        before = teams.admin.get(at("namespaces", name=name)).json()
        codes = {
            person.name: CHANGES[way](person, name)
            for person in (teams.admin, teams.alice, teams.dave)
        }
        assert set(codes.values()) == {403}, f"{way} {name}: {codes}"
        assert teams.admin.get(at("namespaces", name=name)).json() == before


@pytest.mark.parametrize("name", RESERVED)
def test_nobody_renames_its_protected_label(teams: Teams, name: str) -> None:
    """The label with the name stays what it is: such a change is refused, or has no effect."""
    path = at("namespaces", name=name)
    before = teams.admin.get(path).json()
    for labels in ({"kubernetes.io/metadata.name": "team"}, None):
        change = {"metadata": {"labels": labels}}
        assert teams.admin.patch(path, change).status_code in (200, 403)
        assert teams.alice.patch(path, change).status_code == 403
        assert teams.admin.get(path).json() == before


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"labelSelector": "kubernetes.io/metadata.name=kube-system"},
        {"fieldSelector": "metadata.name=kube-system"},
    ],
    ids=["all", "by label", "by name"],
)
def test_reserved_namespaces_are_not_deleted_by_the_dozen(
    teams: Teams, query: dict[str, str]
) -> None:
    """There is no way to delete a collection of namespaces, whatever selects it."""
    assert teams.admin.delete(at("namespaces"), **query).status_code in (403, 405)
    assert teams.alice.delete(at("namespaces"), **query).status_code == 403
    kept = {*RESERVED, "default", "llmos-public", teams.vision, teams.speech}
    assert kept <= set(teams.admin.names(at("namespaces")))
    assert teams.admin.get(at("namespaces", name=teams.vision)).json()["status"] == ACTIVE


@pytest.mark.parametrize("name", RESERVED)
def test_no_label_or_annotation_switches_the_guard_off(teams: Teams, name: str) -> None:
    """What an admin may write on one, its description, leaves it as protected as it was."""
    path = at("namespaces", name=name)
    before = teams.admin.get(path).json()["metadata"]["annotations"][DESCRIPTION]
    for key in ("skip-protection", "example.com/force-delete", DESCRIPTION):
        told = {"metadata": {"annotations": {key: "true"}}}
        assert teams.admin.patch(path, told).status_code == 200
        assert teams.admin.delete(path).status_code == 403
        undone = {"metadata": {"annotations": {key: before if key == DESCRIPTION else None}}}
        assert teams.admin.patch(path, undone).status_code == 200


def test_a_label_makes_no_namespace_reserved(teams: Teams) -> None:
    """The list of names decides: a namespace with the platform's label is deleted as ever."""
    name = teams.world.namespace("lookalike")
    path = at("namespaces", name=name)
    assert teams.admin.patch(path, {"metadata": {"labels": {"llmos.ai/reserved": "true"}}})
    teams.world.remove(path)
    teams.world.gone(path)


@pytest.mark.parametrize("name", RESERVED)
def test_no_role_binding_of_an_end_user_points_into_one(teams: Teams, name: str) -> None:
    """Neither a RoleTemplateBinding nor a RoleBinding, for a user or a group, by nobody."""
    for person in (teams.admin, teams.alice):
        for role in (OWNER, EDITOR, READER):
            asked = member(teams.world.named("into"), name, role, subject(teams.dave.name))
            assert person.create(at("roletemplatebindings"), asked).status_code == 403
            assert (
                person.apply(
                    at("roletemplatebindings", name=asked["metadata"]["name"]), asked
                ).status_code
                == 403
            )
        for who in (subject(teams.dave.name), subject("researchers", "Group")):
            binding = role_binding("into", "view", who)
            assert person.create(at("rolebindings", name), binding).status_code == 403
    for group in ("llmos:users", "system:authenticated"):
        binding = role_binding("into", "view", subject(group, "Group"))
        assert teams.admin.create(at("rolebindings", name), binding).status_code == 403


@pytest.mark.parametrize("name", RESERVED)
def test_no_global_role_reaches_into_one(teams: Teams, name: str) -> None:
    """A GlobalRole with rules for single namespaces has none for a reserved one."""
    role = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "GlobalRole",
        "metadata": {"name": teams.world.named("reaching")},
        "namespacedRules": {name: [rule("configmaps", "get")]},
    }
    assert teams.admin.create(at("globalroles"), role).status_code == 403


def test_no_binding_is_turned_into_a_reserved_namespace(teams: Teams) -> None:
    """Where a binding points never changes, so none moves into a reserved namespace later."""
    name = teams.world.named("turned")
    made = member(name, teams.vision, READER, subject(teams.dave.name))
    teams.world.make(at("roletemplatebindings"), made)
    path = at("roletemplatebindings", name=name)
    moved = teams.admin.patch(path, {"namespaceId": "kube-system"})
    assert moved.status_code in (403, 422), moved.text
    assert teams.admin.get(path).json()["namespaceId"] == teams.vision
    teams.world.remove(path)


def test_end_users_do_not_see_them_in_lists_but_admins_do(teams: Teams) -> None:
    """Lists, watches and single reads of end users are without them; an admin's have them all."""
    assert set(RESERVED) <= set(teams.admin.names(at("namespaces")))
    for person in (teams.alice, teams.bob, teams.dave):
        assert not set(RESERVED) & set(person.names(at("namespaces")))
        with person.watch(at("namespaces"), resourceVersion="0") as watch:
            watch.wait_for("ADDED", "llmos-public")
            assert not set(RESERVED) & watch.shown()
        for name in RESERVED:
            assert person.get(at("namespaces", name=name)).status_code == 403
    with teams.admin.watch(at("namespaces"), resourceVersion="0") as watch:
        for name in RESERVED:
            watch.wait_for("ADDED", name)


@pytest.mark.parametrize("name", RESERVED)
def test_they_are_not_for_end_users(teams: Teams, name: str) -> None:
    """An end user reads and writes nothing in one, not even with a role in every other."""
    for person in (teams.alice, teams.dave):
        assert person.get(at("configmaps", name)).status_code == 403
        assert person.get(at("secrets", name)).status_code == 403
        assert person.create(at("configmaps", name), config_map("mine")).status_code == 403


def test_kubectl_says_why(teams: Teams, kubectl: Kubectl) -> None:
    """``kubectl delete ns`` of a reserved one fails for an admin, with a reason to read."""
    refused = kubectl(teams.admin, "delete", "namespace", "storage-system", "--wait=false")
    refused.refused("Forbidden", "storage-system", "belongs to the platform")
    shown = kubectl(teams.alice, "get", "namespaces", "-o", "json").ok()
    shown_names = {each["metadata"]["name"] for each in json.loads(shown)["items"]}
    assert not shown_names & set(RESERVED)
