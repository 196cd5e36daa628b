"""What is written together, at the same time, or not at all: dry runs, charges, races."""

import asyncio

import pytest

from llmos.apimachinery.errors import (
    AlreadyExistsError,
    ForbiddenError,
    ServiceUnavailableError,
    StatusError,
)
from llmos.apimachinery.object import copy_object
from llmos.storage.interface import UnavailableError
from registry.world import QUOTAS, changed, config_map, stored_nothing


def test_a_dry_run_writes_nothing_and_says_what_it_would(world):
    """Everything is asked, nothing is stored; there is no resourceVersion to come."""
    dry = world.create(config_map(), dry_run=True)
    assert dry["data"] == {"k": "v"}
    assert "resourceVersion" not in dry["metadata"]
    assert world.get(config_map()) is None
    made = world.create(config_map())
    before = world.revision
    assert world.update(config_map(x="y"), dry_run=True)["data"] == {"x": "y"}
    assert world.update(config_map(), dry_run=True) == made
    assert world.delete(config_map(), dry_run=True).gone
    assert world.apply(config_map("b"), dry_run=True)[1]
    assert world.revision == before
    assert world.get(config_map()) == made
    assert all(asked.dry_run for _, asked in world.admission.asked[-2:])


def test_a_dry_run_is_refused_as_the_run_would_be(world):
    """It says what would happen."""
    world.create(config_map())
    with pytest.raises(AlreadyExistsError):
        world.create(config_map(), dry_run=True)


QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "q", "namespace": "team-a"},
    "spec": {"hard": {"count/configmaps": "5"}},
}


def charge(world):
    """An admission that counts config maps in a quota, in the write's own transaction."""

    def validate(asked):
        if asked.operation != "CREATE" or asked.resource.kind != "ConfigMap":
            return
        quotas = world.kind("resourcequotas")
        quota = quotas.load(world.storage.latest(quotas.key("team-a", "q")).value)
        used = int(quota.get("status", {}).get("used", {}).get("count/configmaps", 0))
        if used >= 5:
            raise ForbiddenError("exceeded quota")
        quota["status"] = {"used": {"count/configmaps": str(used + 1)}}
        asked.also.append((QUOTAS, quota))

    world.admission.on_validate = validate


def test_what_a_write_is_charged_is_stored_with_it(world):
    """One transaction: neighbouring revisions, or neither."""
    world.create(QUOTA)
    charge(world)
    world.create(config_map())
    (charged,) = [each for each in world.events("resourcequotas") if each.type == "MODIFIED"]
    (made,) = world.events()
    assert abs(charged.revision - made.revision) == 1
    stored_nothing(world, lambda: world.create(config_map()), AlreadyExistsError)
    assert world.get(QUOTA)["status"]["used"] == {"count/configmaps": "1"}


def test_a_quota_is_exact_under_concurrency(world):
    """Fifty writers at once, five of them fit."""
    world.create(QUOTA)
    charge(world)
    served = world.kind("configmaps")

    async def one(number):
        obj, _ = served.decode(config_map(f"c{number}"))
        return await world.store.create(served, obj, world.context(obj, namespace="team-a"))

    async def all_at_once():
        return await asyncio.gather(*(one(i) for i in range(50)), return_exceptions=True)

    results = world.run(all_at_once())
    assert sum(isinstance(each, bytes) for each in results) == 5
    assert sum(isinstance(each, ForbiddenError) for each in results) == 45
    assert world.get(QUOTA)["status"]["used"] == {"count/configmaps": "5"}
    assert len(world.page().items) == 5


def test_what_is_charged_to_nothing_is_left_out(world):
    """A quota that went away meanwhile is no reason to refuse."""
    ghost = copy_object(QUOTA)
    world.admission.on_validate = lambda asked: asked.also.append((QUOTAS, ghost))
    world.create(config_map())
    assert world.get(QUOTA) is None


def test_of_concurrent_creates_of_one_name_one_wins(world):
    """The others hear that it exists, and their writes are nowhere."""
    served = world.kind("configmaps")

    async def one(number):
        obj, _ = served.decode(config_map(n=str(number)))
        return await world.store.create(served, obj, world.context(obj, namespace="team-a"))

    async def all_at_once():
        return await asyncio.gather(*(one(i) for i in range(50)), return_exceptions=True)

    results = world.run(all_at_once())
    (winner,) = [each for each in results if isinstance(each, bytes)]
    assert sum(isinstance(each, AlreadyExistsError) for each in results) == 49
    assert world.get(config_map()) == served.load(winner)
    assert len(world.events()) == 1


def test_no_concurrent_increment_is_lost(world):
    """A patch works on the newest state, writes in flight included."""
    world.create(config_map(n="0"))
    served = world.kind("configmaps")

    def increment(current):
        current["data"]["n"] = str(int(current["data"]["n"]) + 1)
        return current

    async def all_at_once():
        context = world.context(config_map())
        await asyncio.gather(
            *(world.store.patch(served, "a", increment, context) for _ in range(100))
        )

    world.run(all_at_once())
    assert world.get(config_map())["data"]["n"] == "100"


def test_an_answer_to_nothing_waits_for_what_it_saw(world):
    """An update that changes nothing is answered once what it compared with is durable."""
    served = world.kind("configmaps")

    async def both():
        first, _ = served.decode(config_map())
        second, _ = served.decode(config_map())
        writing = asyncio.ensure_future(
            world.store.create(served, first, world.context(config_map()))
        )
        await asyncio.sleep(0)
        value, _ = await world.store.update(served, "a", second, world.context(config_map()))
        assert served.load(world.storage.get(served.key("team-a", "a")).value) == served.load(value)
        await writing

    world.run(both())


def test_a_storage_that_cannot_write_is_a_503(world, monkeypatch):
    """The client is told to come back, and nothing is there."""

    def unavailable(*_):
        raise UnavailableError("the disk is full")

    made = world.create(config_map())
    monkeypatch.setattr(type(world.storage), "submit", unavailable)
    monkeypatch.setattr(type(world.storage), "settled", unavailable)
    for action in (lambda: world.create(config_map("b")), lambda: world.update(config_map())):
        with pytest.raises(ServiceUnavailableError) as caught:
            action()
        assert caught.value.retry_after == 1
    assert world.get(config_map()) == made


def test_refusals_are_status_errors(world):
    """Whatever a client sends, no other exception comes out."""
    for meta in ({"labels": {"a": "b" * 99}}, {"ownerReferences": [{}]}, {"annotations": {"": ""}}):
        with pytest.raises(StatusError):
            world.create(changed(config_map(), metadata=meta))
