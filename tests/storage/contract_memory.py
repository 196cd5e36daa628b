"""The storage's contract: what is forgotten and what is found again (C1, C2, C5)."""

import pytest

from llmos.storage.config import StorageConfig
from llmos.storage.interface import UnavailableError
from llmos.watchcache.interface import CompactedError, Record
from storage.tools import (
    SMALL,
    USUAL,
    Opener,
    Received,
    fill,
    history,
    holds,
    key,
    names,
    put,
    survives,
    write,
)


@holds
async def what_is_forgotten_is_refused_and_the_rest_is_whole(opened: Opener) -> None:
    async with opened(SMALL) as storage:
        start = storage.revision
        await fill(storage, 30)
        floor = storage.revision - 10
        for since in (0, start, floor - 1):
            with pytest.raises(CompactedError):
                storage.watch("configmaps", None, since, Received())
            with pytest.raises(CompactedError):
                storage.list("configmaps", at=since)
            with pytest.raises(CompactedError):
                storage.watch("secrets", None, since, Received())
            with pytest.raises(CompactedError):
                storage.list("secrets", at=since)
        received = Received()
        storage.watch("configmaps", None, floor, received)
        assert [event.revision for event in received] == list(range(floor + 1, floor + 11))
        assert storage.list("configmaps", at=floor).items[0][1].revision == floor


@holds
async def a_deletion_is_delivered_or_its_revision_refused(opened: Opener) -> None:
    async with opened(SMALL) as storage:
        revision = await put(storage, "victim")
        deleted = await put(storage, "victim", revision, delete=True)
        for _ in range(25):
            await put(storage, f"other-{storage.revision}")
            for since in range(deleted - 1, storage.revision + 1):
                received = Received()
                try:
                    storage.watch("configmaps", None, since, received).close()
                except CompactedError:
                    continue
                assert [each.revision for each in received] == list(
                    range(since + 1, storage.revision + 1)
                )
                if since < deleted:
                    assert "DELETED" in {each.type for each in received}


@holds
async def a_page_of_a_forgotten_list_is_refused(opened: Opener) -> None:
    async with opened(SMALL) as storage:
        at = await put(storage, "a")
        await put(storage, "b")
        assert [each.name for each, _ in storage.list("configmaps", at=at).items] == ["a"]
        await fill(storage, 30)
        with pytest.raises(CompactedError):
            storage.list("configmaps", at=at)


@holds
async def young_events_are_remembered_however_many(opened: Opener) -> None:
    now = 0.0
    config = StorageConfig(window_events=10, window_seconds=300, wal_bytes=1 << 16)
    async with opened(config, lambda: now) as storage:
        start = storage.revision
        await fill(storage, 30)
        now = 299.0
        middle = await put(storage, "b")
        storage.watch("configmaps", None, start, Received()).close()
        now = 301.0
        await put(storage, "c")
        with pytest.raises(CompactedError):
            storage.watch("configmaps", None, start, Received())
        storage.watch("configmaps", None, middle - 8, Received())


@holds
async def the_memory_for_events_is_bounded(opened: Opener) -> None:
    config = StorageConfig(window_bytes=1 << 16, wal_bytes=1 << 16)
    async with opened(config) as storage:
        start = storage.revision
        revision = await put(storage, "a")
        for _ in range(5):
            revision = await put(storage, "a", revision, text="x" * 10_000)
        with pytest.raises(CompactedError):
            storage.watch("configmaps", None, start, Received())
        received = Received()
        storage.watch("configmaps", None, revision - 3, received)
        assert len(received) == 3
        live = Received()
        storage.watch("configmaps", None, revision, live)
        await put(storage, "huge", text="x" * 100_000)
        assert len(live) == 1


@survives
async def everything_is_found_again(opened: Opener) -> None:
    async with opened() as storage:
        past = await history(storage)
        revision = storage.revision
        changed = storage.changed("configmaps"), storage.changed("secrets")
        received = Received()
        storage.watch("configmaps", None, 0, received)
    async with opened() as storage:
        assert storage.revision == revision
        assert (storage.changed("configmaps"), storage.changed("secrets")) == changed
        for each, items in past.items():
            assert list(storage.list("configmaps", at=each).items) == items
        again = Received()
        storage.watch("configmaps", None, 0, again)
        assert again == [] or again.brief() == received.brief()
        assert [(e.value, e.previous, e.previous_revision) for e in again] == [
            (e.value, e.previous, e.previous_revision) for e in received
        ]
        assert await put(storage, "new") == revision + 1
        assert again[-1].revision == revision + 1


@survives
async def revisions_never_fall_or_repeat(opened: Opener) -> None:
    seen: set[int] = set()
    last = 0
    for _ in range(6):
        async with opened(SMALL) as storage:
            assert storage.revision >= last
            for number in range(7):
                name = f"a-{number}"
                revision = await put(storage, name)
                revisions = [revision, await put(storage, name, revision, delete=True)]
                assert not seen & set(revisions)
                assert min(revisions) > last
                seen.update(revisions)
                last = max(revisions)


@survives
async def compaction_keeps_what_lives(opened: Opener) -> None:
    async with opened(SMALL) as storage:
        quiet = await put(storage, "quiet")
        for number in range(5):
            revision = await put(storage, f"gone-{number}")
            await put(storage, f"gone-{number}", revision, delete=True)
        await fill(storage, 40)
        before = list(storage.list("configmaps").items)
    async with opened(SMALL) as storage:
        assert list(storage.list("configmaps").items) == before
        assert storage.get(key("quiet")) == Record(quiet, f"quiet@{quiet}".encode())
        for number in range(5):
            await put(storage, f"gone-{number}")


@survives
async def what_was_forgotten_stays_forgotten(opened: Opener) -> None:
    async with opened(SMALL) as storage:
        await fill(storage, 60)
        revision = storage.revision
    async with opened(USUAL) as storage:
        for since in range(revision + 1):
            received = Received()
            try:
                storage.watch("configmaps", None, since, received).close()
            except CompactedError:
                assert since < revision - 10
                continue
            assert [each.revision for each in received] == list(range(since + 1, revision + 1))
        with pytest.raises(CompactedError):
            storage.watch("configmaps", None, 0, Received())


@survives
async def what_was_submitted_before_the_end_is_written(opened: Opener) -> None:
    async with opened() as storage:
        for number in range(100):
            storage.submit([write(f"a-{number}")])
    async with opened() as storage:
        assert len(names(storage)) == 100


@holds
async def after_the_end_reads_work_and_writes_do_not(opened: Opener) -> None:
    async with opened() as storage:
        received = Received()
        storage.watch("configmaps", None, storage.revision, received)
        revision = await put(storage, "a")
    with pytest.raises(UnavailableError):
        storage.submit([write("b")])
    assert not storage.healthy
    assert storage.get(key("a")).revision == revision
    assert [event.key.name for event in received] == ["a"]
