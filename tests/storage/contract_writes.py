"""The storage's contract: create, update, delete, and writes in flight (C6)."""

import pytest

from llmos.storage.interface import ConflictError, ExistsError, Write
from llmos.watchcache.interface import Record
from storage.tools import (
    Opener,
    Received,
    holds,
    key,
    names,
    put,
    write,
)


@holds
async def a_created_object_is_read_with_its_revision(opened: Opener) -> None:
    async with opened() as storage:
        before = storage.revision
        [record] = await storage.submit([write("a")])
        assert record == Record(before + 1, f"a@{before + 1}".encode())
        assert storage.get(key("a")) == record
        assert storage.revision == record.revision
        assert storage.get(key("b")) is None
        assert storage.get(key("a", namespace="team-b")) is None
        assert storage.get(key("a", resource="secrets")) is None


@holds
async def a_new_storage_is_empty_and_stands_at_a_positive_revision(opened: Opener) -> None:
    async with opened() as storage:
        assert storage.revision > 0
        assert list(storage.list("configmaps").items) == []
        assert storage.changed("configmaps") == 0
        assert storage.healthy
        assert storage.reason == ""


@holds
async def a_name_is_taken_once(opened: Opener) -> None:
    async with opened() as storage:
        revision = await put(storage, "a")
        with pytest.raises(ExistsError):
            storage.submit([write("a")])
        assert storage.get(key("a")).revision == revision
        await put(storage, "a", namespace="team-b")
        await put(storage, "a", resource="secrets")


@holds
async def an_update_names_the_revision_it_builds_on(opened: Opener) -> None:
    async with opened() as storage:
        first = await put(storage, "a")
        second = await put(storage, "a", first, text="!")
        assert storage.get(key("a")) == Record(second, f"a@{second}!".encode())
        for stale in (first, second + 1, -1):
            with pytest.raises(ConflictError):
                storage.submit([write("a", stale)])
        with pytest.raises(ConflictError):
            storage.submit([write("b", second)])
        assert storage.get(key("a")).revision == second


@holds
async def a_delete_names_the_revision_it_builds_on(opened: Opener) -> None:
    async with opened() as storage:
        first = await put(storage, "a")
        second = await put(storage, "a", first)
        for stale in (0, first, second + 1):
            with pytest.raises(ConflictError):
                storage.submit([write("a", stale, delete=True)])
        deleted = await put(storage, "a", second, delete=True)
        assert deleted == second + 1
        assert storage.get(key("a")) is None
        assert storage.latest(key("a")) is None
        for revision in (0, second, deleted):
            with pytest.raises(ConflictError):
                storage.submit([write("a", revision, delete=True)])


@holds
async def a_deleted_name_is_free_again(opened: Opener) -> None:
    async with opened() as storage:
        for _ in range(4):
            revision = await put(storage, "a")
            await put(storage, "a", revision, delete=True)
        await put(storage, "a")
        assert names(storage) == ["a"]


@holds
async def a_refused_write_leaves_no_trace(opened: Opener) -> None:
    async with opened() as storage:
        revision = await put(storage, "a")

        def fail(_: int) -> bytes:
            raise ZeroDivisionError

        with pytest.raises(ConflictError):
            storage.submit([write("b"), write("a", revision + 5)])
        with pytest.raises(ZeroDivisionError):
            storage.submit([write("b"), Write(key("c"), 0, fail)])
        assert storage.latest(key("b")) is None
        await storage.settled()
        assert await put(storage, "b") == revision + 1


@holds
async def latest_sees_writes_in_flight_and_reads_do_not(opened: Opener) -> None:
    async with opened() as storage:
        revision = await put(storage, "a")
        pending = storage.submit([write("a", revision), write("b")])
        assert storage.latest(key("a")).revision == revision + 1
        assert storage.latest(key("b")).revision == revision + 2
        assert storage.get(key("a")).revision == revision
        assert storage.get(key("b")) is None
        assert names(storage) == ["a"]
        assert storage.revision == revision
        with pytest.raises(ExistsError):
            storage.submit([write("b")])
        with pytest.raises(ConflictError):
            storage.submit([write("a", revision)])
        await pending
        assert storage.get(key("a")).revision == revision + 1
        assert names(storage) == ["a", "b"]


@holds
async def writes_in_flight_build_on_one_another(opened: Opener) -> None:
    async with opened() as storage:
        start = storage.revision
        received = Received()
        storage.watch("configmaps", None, start, received)
        pending = [
            storage.submit([write("a")]),
            storage.submit([write("a", start + 1)]),
            storage.submit([write("a", start + 2, delete=True)]),
            storage.submit([write("a")]),
            storage.submit([write("a", start + 4)]),
        ]
        records = [(await each)[0] for each in pending]
        assert [record.revision for record in records] == list(range(start + 1, start + 6))
        assert received.brief() == [
            ("ADDED", "a", start + 1),
            ("MODIFIED", "a", start + 2),
            ("DELETED", "a", start + 3),
            ("ADDED", "a", start + 4),
            ("MODIFIED", "a", start + 5),
        ]


@holds
async def list_latest_sees_writes_in_flight(opened: Opener) -> None:
    async with opened() as storage:
        first = await put(storage, "a")
        second = await put(storage, "b")
        await put(storage, "x", namespace="team-b")
        pending = storage.submit(
            [
                write("a", first, delete=True),
                write("b", second),
                write("c"),
                write("y", namespace="z"),
            ]
        )
        latest = dict(storage.list_latest("configmaps", "team-a"))
        assert {each.name for each in latest} == {"b", "c"}
        assert latest[key("b")].revision > second
        everywhere = {each.name for each, _ in storage.list_latest("configmaps", None)}
        assert everywhere == {"b", "c", "x", "y"}
        await pending
        assert dict(storage.list_latest("configmaps", "team-a")) == latest
        assert list(storage.list_latest("secrets", None)) == []


@holds
async def settled_waits_for_all_that_was_submitted(opened: Opener) -> None:
    async with opened() as storage:
        await storage.settled()
        for number in range(20):
            storage.submit([write(f"a-{number}")])
        await storage.settled()
        assert len(names(storage)) == 20


@holds
async def a_cancelled_waiter_does_not_cancel_the_write(opened: Opener) -> None:
    async with opened() as storage:
        pending = storage.submit([write("a")])
        pending.cancel()
        await storage.settled()
        assert names(storage) == ["a"]


@holds
async def writes_of_one_submission_appear_together(opened: Opener) -> None:
    async with opened() as storage:
        seen: list[list[str]] = []
        storage.watch("configmaps", None, storage.revision, lambda _: seen.append(names(storage)))
        records = await storage.submit([write(name) for name in "abc"])
        assert [record.revision for record in records] == list(
            range(records[0].revision, records[0].revision + 3)
        )
        assert seen == [["a", "b", "c"]]


@holds
async def one_refused_write_refuses_its_neighbours(opened: Opener) -> None:
    async with opened() as storage:
        await put(storage, "b")
        with pytest.raises(ExistsError):
            storage.submit([write("a"), write("b"), write("c")])
        with pytest.raises(ConflictError):
            storage.submit([write("x"), write("x")])
        await storage.settled()
        assert names(storage) == ["b"]


@holds
async def many_writes_are_one_commit(opened: Opener) -> None:
    async with opened() as storage:
        received = Received()
        storage.watch("configmaps", None, storage.revision, received)
        records = await storage.submit([write(f"a-{number:03}") for number in range(200)])
        assert len(records) == len(received) == len(names(storage)) == 200
        assert len(received.calls) == 1
