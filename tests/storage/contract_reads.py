"""The storage's contract: lists of now and of the past."""

import pytest

from llmos.watchcache.interface import FutureRevisionError
from storage.tools import (
    Opener,
    history,
    holds,
    names,
    put,
    write,
)


@holds
async def a_list_is_ordered_by_namespace_and_name(opened: Opener) -> None:
    async with opened() as storage:
        for namespace, name in (("b", "2"), ("a", "9"), ("b", "10"), ("a-b", "1"), ("a", "1")):
            await put(storage, name, namespace=namespace)
        items = storage.list("configmaps").items
        assert [(each.namespace, each.name) for each, _ in items] == [
            ("a", "1"), ("a", "9"), ("a-b", "1"), ("b", "10"), ("b", "2"),
        ]  # fmt: skip
        assert names(storage, namespace="b") == ["10", "2"]
        assert names(storage, namespace="none") == []
        assert storage.list("configmaps").revision == storage.revision


@holds
async def a_list_in_hand_does_not_change(opened: Opener) -> None:
    async with opened() as storage:
        first = await put(storage, "a")
        await put(storage, "b")
        held = storage.list("configmaps"), storage.list("configmaps", "team-a")
        before = [list(each.items) for each in held]
        await put(storage, "a", first)
        await put(storage, "c")
        assert [list(each.items) for each in held] == before


@holds
async def a_list_shows_every_remembered_revision(opened: Opener) -> None:
    async with opened() as storage:
        past = await history(storage)
        for revision, items in past.items():
            snapshot = storage.list("configmaps", at=revision)
            assert (snapshot.revision, list(snapshot.items)) == (revision, items)
            part = storage.list("configmaps", "team-b", at=revision).items
            assert list(part) == [pair for pair in items if pair[0].namespace == "team-b"]


@holds
async def a_walk_in_pages_stays_at_its_revision(opened: Opener) -> None:
    async with opened() as storage:
        await storage.submit([write(f"a-{number:02}") for number in range(20)])
        begin = storage.list("configmaps")
        expected, walked = list(begin.items), []
        for page in range(0, 20, 5):
            walked += storage.list("configmaps", at=begin.revision).items[page : page + 5]
            victim = expected[page + 7][0] if page + 7 < 20 else expected[0][0]
            current = storage.latest(victim)
            if current:
                await put(storage, victim.name, current.revision, delete=True)
            await put(storage, f"a-{page:02}-new")
        assert walked == expected


@holds
async def a_list_of_the_future_is_refused(opened: Opener) -> None:
    async with opened() as storage:
        revision = await put(storage, "a")
        with pytest.raises(FutureRevisionError):
            storage.list("configmaps", at=revision + 1)


@holds
async def changed_tells_collections_apart(opened: Opener) -> None:
    async with opened() as storage:
        first = await put(storage, "a")
        assert storage.changed("configmaps") == storage.changed("configmaps", "team-a") == first
        second = await put(storage, "b", namespace="team-b")
        await put(storage, "s", resource="secrets")
        assert storage.changed("configmaps") == second
        assert storage.changed("configmaps", "team-a") == first
        third = await put(storage, "a", first, delete=True)
        assert storage.changed("configmaps", "team-a") >= third
        assert storage.changed("configmaps", "team-b") == second
