"""Rule 8: what the page Advanced > Namespaces does is done through this API and no other way."""

import yaml

from support.kubectl import Kubectl
from support.objects import Object, config_map, get_in, member, namespace, subject
from support.resources import at
from support.session import APPLY_PATCH, Session
from support.teams import Teams
from support.waiting import wait_until
from support.world import OWNER, READER, World

CREATOR = "llmos.ai/creator"
BOUND = "llmos.ai/default-roles-bound"
DESCRIPTION = "kubernetes.io/description"


def described(name: str, description: str) -> Object:
    obj = namespace(name)
    obj["metadata"]["annotations"] = {DESCRIPTION: description}
    return obj


def test_namespaces_are_managed_through_the_api(world: World) -> None:
    """Create with a description, list with phase and age, edit, delete: by the admin."""
    name = world.named("managed")
    path = at("namespaces", name=name)
    assert world.admin.create(at("namespaces"), described(name, "first")).status_code == 201
    listed = {
        each["metadata"]["name"]: each for each in world.admin.get(at("namespaces")).json()["items"]
    }
    assert listed[name]["status"]["phase"] == "Active"
    assert listed[name]["metadata"]["annotations"][DESCRIPTION] == "first"
    assert listed[name]["metadata"]["creationTimestamp"]
    second = {"metadata": {"annotations": {DESCRIPTION: "second"}}}
    assert world.admin.patch(path, second).status_code == 200
    read = world.admin.get(path).json()
    assert get_in(read, "metadata", "annotations", DESCRIPTION) == "second"
    assert world.admin.delete(path).json()["status"]["phase"] == "Terminating"
    world.gone(path)


def test_who_created_a_namespace_is_recorded(world: World) -> None:
    """The server writes the creator's name, and nobody writes another."""
    name = world.namespace("created")
    path = at("namespaces", name=name)
    creator = ("metadata", "annotations", "llmos.ai/creator")
    assert get_in(world.admin.get(path).json(), *creator) == "admin"
    world.admin.patch(path, {"metadata": {"annotations": {"llmos.ai/creator": "somebody"}}})
    assert get_in(world.admin.get(path).json(), *creator) == "admin"


def test_who_applied_a_namespace_first_is_recorded(world: World) -> None:
    """As its creator, and stays so whoever applies what, and whatever he says of it."""
    name, other = world.named("applied"), world.user("other-admin")
    administrators = member(world.named("admins"), "", "admin", subject(other.name))
    administrators["roleTemplateRef"]["kind"] = "GlobalRole"
    world.make(at("roletemplatebindings"), administrators)
    path = at("namespaces", name=name)

    def apply(who: Session, code: int, manager: str = "one", **annotations: str) -> Object:
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        obj["metadata"]["annotations"] = annotations
        answer = who.http.patch(
            path,
            params={"fieldManager": manager},
            content=yaml.safe_dump(obj),
            headers={"Content-Type": APPLY_PATCH},
        )
        assert answer.status_code == code, answer.text
        found = answer.json()["metadata"].get("annotations") or {}
        return {key: value for key, value in found.items() if key != BOUND}

    try:
        wait_until(lambda: other.get(at("namespaces", name="kube-system")).status_code == 200, 5)
        assert apply(world.admin, 201, a="1") == {CREATOR: "admin", "a": "1"}
        assert apply(world.admin, 200, a="2") == {CREATOR: "admin", "a": "2"}
        assert apply(other, 200, "two", b="3") == {CREATOR: "admin", "a": "2", "b": "3"}
        assert apply(world.admin, 200) == {CREATOR: "admin", "b": "3"}
        said = {CREATOR: other.name}
        assert apply(other, 200, "two", **said) == {CREATOR: "admin"}
    finally:
        world.admin.delete(path)


def test_an_apply_that_only_tries_creates_nothing(world: World) -> None:
    """And is refused to who may not create, in Kubernetes' own words."""
    path = at("namespaces", name=world.named("tried"))
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.named("tried")}}
    headers = {"Content-Type": APPLY_PATCH}
    query = {"fieldManager": "one", "dryRun": "All"}
    answer = world.admin.http.patch(path, params=query, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["metadata"]["annotations"][CREATOR] == "admin"
    assert world.admin.get(path).status_code == 404
    someone = world.user("someone")
    refused = someone.http.patch(path, params={"fieldManager": "one"}, json=body, headers=headers)
    assert (refused.status_code, refused.json()["reason"]) == (403, "Forbidden")
    assert world.admin.get(path).status_code == 404


def test_members_are_managed_through_the_api(world: World) -> None:
    """Add, list and remove the members of a namespace: each says whether it is in force."""
    where, person = world.namespace("with-members"), world.user("mia")
    binding = world.member(READER, where, person)
    items = world.admin.get(at("roletemplatebindings")).json()["items"]
    found = [each for each in items if each.get("namespaceId") == where]
    assert [each["subjects"][0]["name"] for each in found] == [person.name]
    assert world.in_force(binding)
    world.remove(binding)
    world.gone(binding)


def test_a_description_is_edited_by_the_owner(teams: Teams) -> None:
    """An owner describes his namespace; a reader and a stranger do not."""
    path = at("namespaces", name=teams.vision)
    told = {"metadata": {"annotations": {DESCRIPTION: "The vision team"}}}
    assert teams.bob.patch(path, told).status_code == 403
    assert teams.carol.patch(path, told).status_code == 403
    assert teams.alice.patch(path, told).status_code == 200
    read = teams.bob.get(path).json()
    assert get_in(read, "metadata", "annotations", DESCRIPTION) == "The vision team"


def test_a_deleted_namespace_takes_nothing_new(world: World) -> None:
    """While it ends, nothing is created in it and nobody becomes a member of it."""
    where = world.namespace("ending")
    path = at("namespaces", name=where)
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    assert world.admin.create(at("configmaps", where), held).status_code == 201
    assert world.admin.delete(path).status_code == 200
    late = world.admin.create(at("configmaps", where), config_map("late"))
    assert late.status_code == 403
    assert late.json()["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    asked = member(world.named("late"), where, OWNER, subject("admin"))
    assert world.admin.create(at("roletemplatebindings"), asked).status_code == 403
    assert world.admin.get(path).json()["status"]["phase"] == "Terminating"
    free = {"metadata": {"finalizers": None}}
    assert world.admin.patch(at("configmaps", where, "held"), free).status_code == 200
    world.gone(path)


def test_kubectl_manages_namespaces(world: World, kubectl: Kubectl) -> None:
    """``kubectl create``, ``annotate`` and ``delete`` do all of it too."""
    name = world.named("by-kubectl")
    kubectl(world.admin, "create", "namespace", name).ok()
    kubectl(world.admin, "annotate", "namespace", name, f"{DESCRIPTION}=Ours").ok()
    assert "Ours" in kubectl(world.admin, "describe", "namespace", name).ok()
    kubectl(world.admin, "delete", "namespace", name, "--timeout=20s").ok()
    kubectl(world.admin, "get", "namespace", name).refused("NotFound")
