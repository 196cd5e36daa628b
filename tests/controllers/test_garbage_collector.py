"""Dependents go with their last owner; owners wait as they were told; nobody else is touched."""

import asyncio

import pytest

from controllers.world import quiet, running
from llmos.apimachinery.resource import APIResource
from llmos.client.resources import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    NAMESPACES,
    SECRETS,
    USERS,
)
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually


def owner(obj: dict, *, block: bool = False, uid: str = "") -> dict:
    reference = {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": uid or obj["metadata"]["uid"],
    }
    return {**reference, "blockOwnerDeletion": True} if block else reference


class World:
    """Two namespaces and what is made in them."""

    def __init__(self) -> None:
        self.api = FakeAPI()
        for name in ("a", "b"):
            self.api.create(NAMESPACES, name)

    def make(self, name: str, *owners: dict, namespace: str = "a", **meta) -> dict:
        """A ConfigMap with owners."""
        meta["ownerReferences"] = list(owners)
        return self.api.create(CONFIG_MAPS, name, namespace, metadata=meta)

    def has(self, name: str, namespace: str = "a") -> bool:
        """Whether the ConfigMap is there."""
        return self.api.get(CONFIG_MAPS, namespace, name) is not None

    def owners(self, name: str) -> list[str]:
        """The names of its owners."""
        found = self.api.get(CONFIG_MAPS, "a", name)["metadata"].get("ownerReferences", [])
        return [each["name"] for each in found]


def scenario(body) -> None:
    async def main() -> None:
        world = World()
        await body(world)

    asyncio.run(main())


def test_a_dependent_goes_with_its_owner_and_so_do_its_own():
    """A chain falls from its head, also one that was there before the start."""

    async def body(world: World) -> None:
        head = world.make("head")
        middle = world.make("middle", owner(head))
        world.make("tail", owner(middle))
        world.make("bystander")
        async with running(world.api):
            await quiet(world.api, 0.1)
            assert world.has("tail")
            world.api.delete(CONFIG_MAPS, "head", "a")
            await eventually(lambda: not world.has("middle") and not world.has("tail"))
            assert world.has("bystander")

    scenario(body)


def test_an_owner_deleted_while_nobody_looked():
    """Dependents of an owner that went unseen are collected at the start, and after a new list."""

    async def body(world: World) -> None:
        head = world.make("head")
        world.make("one", owner(head))
        world.api.delete(CONFIG_MAPS, "head", "a")
        head = world.make("head")
        world.make("two", owner(head))
        async with running(world.api):
            await eventually(lambda: not world.has("one"))
            assert world.has("two")
            world.api.break_watches()
            world.api.delete(CONFIG_MAPS, "head", "a")
            world.api.expire()
            await eventually(lambda: not world.has("two"))

    scenario(body)


def test_an_owner_that_never_existed_or_is_another():
    """An absent uid collects, though an object of that name exists; one solid owner saves."""

    async def body(world: World) -> None:
        head = world.make("head")
        async with running(world.api):
            world.make("fake", owner(head, uid="0000"))
            world.make("half", owner(head), owner(head, uid="0000"))
            await eventually(lambda: not world.has("fake"))
            await eventually(lambda: world.owners("half") == ["head"])

    scenario(body)


def test_owners_elsewhere_are_absent_and_untouched():
    """An owner in another namespace does not count; nothing outside one's own namespace changes."""

    async def body(world: World) -> None:
        other = world.make("other", namespace="b")
        async with running(world.api):
            world.make("mine", owner(other, block=True))
            await eventually(lambda: not world.has("mine"))
            assert world.has("other", "b")
            world.api.delete(CONFIG_MAPS, "other", "b", policy="Foreground")
            await eventually(lambda: not world.has("other", "b"))

    scenario(body)


def test_cluster_wide_owners_count():
    """A Namespace or User may own; a cluster-wide object with a namespaced owner is left alone."""

    async def body(world: World) -> None:
        user = world.api.create(USERS, "u")
        head = world.make("head")
        world.api.create(USERS, "odd", metadata={"ownerReferences": [owner(head, uid="0")]})
        async with running(world.api):
            world.make("mine", owner(user))
            await quiet(world.api, 0.1)
            assert world.has("mine")
            world.api.delete(USERS, "u")
            await eventually(lambda: not world.has("mine"))
            assert world.api.get(USERS, "", "odd") is not None

    scenario(body)


def test_foreground_waits_for_those_that_block():
    """The owner stays until its blocking dependents are gone, and they are deleted for it."""

    async def body(world: World) -> None:
        head = world.make("head")
        world.make("blocks", owner(head, block=True), finalizers=["x.io/y"])
        world.make("other", owner(head))
        async with running(world.api):
            world.api.delete(CONFIG_MAPS, "head", "a", policy="Foreground")
            await eventually(
                lambda: "deletionTimestamp" in world.api.get(CONFIG_MAPS, "a", "blocks")["metadata"]
            )
            await quiet(world.api, 0.1)
            assert world.has("head")
            world.api.patch(CONFIG_MAPS, "blocks", {"metadata": {"finalizers": []}}, "a")
            await eventually(lambda: not world.has("head"))
            await eventually(lambda: not world.has("other"))

    scenario(body)


@pytest.mark.parametrize("block", [True, False])
def test_owners_of_each_other_go(block):
    """A circle, or an object that owns itself, does not hang a foreground deletion."""

    async def body(world: World) -> None:
        one = world.make("one")
        two = world.make("two", owner(one, block=block))
        references = [owner(two, block=block), owner(one, block=block)]
        world.api.patch(CONFIG_MAPS, "one", {"metadata": {"ownerReferences": references}}, "a")
        async with running(world.api):
            world.api.delete(CONFIG_MAPS, "one", "a", policy="Foreground")
            await eventually(lambda: not world.has("one") and not world.has("two"))

    scenario(body)


def test_nobody_in_a_namespace_holds_up_what_is_cluster_wide():
    """A ConfigMap with a finalizer that names a User as its owner does not keep the User."""

    async def body(world: World) -> None:
        user = world.api.create(USERS, "u")
        world.make("mine", owner(user, block=True), finalizers=["evil.io/x"])
        async with running(world.api):
            world.api.delete(USERS, "u", policy="Foreground")
            await eventually(lambda: world.api.get(USERS, "", "u") is None)
            assert world.has("mine")

    scenario(body)


def test_orphan_lets_dependents_stay():
    """Dependents lose the reference and stay; then the owner goes."""

    async def body(world: World) -> None:
        head = world.make("head")
        other = world.make("other")
        world.make("child", owner(head), owner(other))
        world.make("only", owner(head, block=True))
        async with running(world.api):
            world.api.delete(CONFIG_MAPS, "head", "a", policy="Orphan")
            await eventually(lambda: not world.has("head"))
            await quiet(world.api, 0.1)
            assert world.owners("child") == ["other"]
            assert world.owners("only") == []

    scenario(body)


def test_custom_resources_come_and_go():
    """Objects of a new CRD are collected as all others; kinds that are unknown are left alone."""
    notebooks = APIResource("ml.llmos.ai", "v1", "notebooks", "notebook", "Notebook", True)
    stranger = {"apiVersion": "no.io/v1", "kind": "Stranger", "metadata": {"name": "x", "uid": "1"}}

    async def body(world: World) -> None:
        world.make("waits", owner(stranger))
        async with running(world.api):
            status = {"conditions": [{"type": "Established", "status": "True"}]}
            name = "notebooks.ml.llmos.ai"
            world.api.create(CUSTOM_RESOURCE_DEFINITIONS, name, status=status)
            await asyncio.sleep(0.05)
            world.api.serve(notebooks)
            head = world.make("head")
            meta = {"ownerReferences": [owner(head)]}
            notebook = world.api.create(notebooks, "n", "a", metadata=meta)
            world.make("child", owner(notebook))
            world.api.delete(CONFIG_MAPS, "head", "a")
            await eventually(lambda: world.api.get(notebooks, "a", "n") is None)
            await eventually(lambda: not world.has("child"))
            assert world.has("waits")
            world.api.withdraw(notebooks)
            world.api.delete(CUSTOM_RESOURCE_DEFINITIONS, name)
            await quiet(world.api, 0.1)
            assert world.has("waits")

    scenario(body)


def test_memory_holds_dependents_only():
    """Objects without owners leave no trace; those with owners leave it when they go."""
    from llmos.reconcile.ownership import Graph, node_of

    graph = Graph()
    plain = {"metadata": {"name": "a", "namespace": "n", "uid": "1"}}
    assert not graph.put(node_of(SECRETS, plain))
    assert graph.nodes == {}
    reference = {"apiVersion": "v1", "kind": "Secret", "name": "a", "uid": "1"}
    child = {"metadata": {"name": "b", "uid": "2", "ownerReferences": [reference]}}
    assert graph.put(node_of(SECRETS, child))
    assert not graph.put(node_of(SECRETS, child))
    assert [each.name for each in graph.dependents_of("1")] == ["b"]
    graph.remove("2")
    assert graph.nodes == {}
    assert graph.dependents == {}
