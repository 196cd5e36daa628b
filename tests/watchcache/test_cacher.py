"""What the committed state keeps, and for how long."""

import asyncio
import gc

import pytest

from llmos.storage.sqlite import open_storage
from storage.tools import SMALL, USUAL, Received, fill, put


def test_lists_of_the_past_are_few_and_young() -> None:
    """Some are kept for the pages of a walk; all go when their revision is forgotten."""

    async def check() -> None:
        async with open_storage(None, SMALL) as storage:
            await fill(storage, 20)
            kept = storage._cacher._snapshots
            for at in range(storage.revision - 9, storage.revision):
                first = storage.list("configmaps", at=at)
                assert storage.list("configmaps", at=at).items is first.items
            assert len(kept) == SMALL.snapshots
            await fill_more(storage, 20)
            assert not kept

    asyncio.run(check())


async def fill_more(storage, count: int) -> None:
    for number in range(count):
        await put(storage, f"more-{number}")


def test_lists_are_joined_once() -> None:
    """A list nobody touched is the same list; one whose neighbour changed is so too."""

    async def check() -> None:
        async with open_storage(None, USUAL) as storage:
            first = await put(storage, "a")
            await put(storage, "b", namespace="team-b")
            everything = storage.list("configmaps").items
            part = storage.list("configmaps", "team-b").items
            assert storage.list("configmaps").items is everything
            await put(storage, "a", first)
            assert storage.list("configmaps", "team-b").items is part
            assert storage.list("configmaps").items is not everything

    asyncio.run(check())


def test_watches_leave_nothing_behind() -> None:
    """A closed watch is forgotten, and with the last one its collection."""

    async def check() -> None:
        async with open_storage(None, USUAL) as storage:
            watches = [
                storage.watch("configmaps", namespace, 0, Received())
                for namespace in (None, "a", "b", "b")
            ]
            for watch in watches:
                watch.close()
            assert storage._cacher._broadcaster._groups == {}

    asyncio.run(check())


def test_an_emptied_namespace_leaves_nothing_behind() -> None:
    """Namespaces come and go; the memory they took goes with their last object."""

    async def check() -> None:
        async with open_storage(None, USUAL) as storage:
            for number in range(10):
                revision = await put(storage, "a", namespace=f"team-{number}")
                await put(storage, "a", revision, delete=True, namespace=f"team-{number}")
            assert storage._cacher.memory._collections["configmaps"].buckets == {}

    asyncio.run(check())


@pytest.mark.parametrize("enabled", [True, False])
def test_loading_leaves_the_garbage_collector_as_it_was(enabled: bool) -> None:
    """It rests while the log is read, and only then."""

    async def check() -> None:
        gc.enable() if enabled else gc.disable()
        try:
            async with open_storage(None, USUAL):
                assert gc.isenabled() == enabled
        finally:
            gc.enable()

    asyncio.run(check())
