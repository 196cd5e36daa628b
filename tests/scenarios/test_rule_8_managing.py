"""Rule 8: what the page Advanced > Namespaces does is done through this API and no other way."""

from support.kubectl import Kubectl
from support.objects import Object, config_map, get_in, member, namespace, subject
from support.resources import at
from support.teams import Teams
from support.world import OWNER, READER, World

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
