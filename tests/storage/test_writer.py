"""How the writer commits, what it does about failures, and how it cuts the log."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest

from llmos.storage.compaction import Compactor
from llmos.storage.config import StorageConfig
from llmos.storage.interface import UnavailableError, Write
from llmos.storage.log import Log, open_log
from llmos.storage.sqlite import SQLiteStorage, open_storage
from llmos.watchcache.interface import Change
from storage.tools import SMALL, USUAL, Kept, Received, fill, key, names, put, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "llmos.db"


async def idle(storage: SQLiteStorage) -> None:
    """Wait until the writer has done all it had to do, and the loop has heard of it."""
    for _ in range(200):
        await storage.settled()
        await asyncio.sleep(0.002)
        if not storage._writer._compactor.due(idle=True):
            await asyncio.sleep(0.01)
            return
    raise AssertionError("compaction does not end")


def test_compaction_leaves_the_living_and_the_window(path: Path) -> None:
    """The log has a row for each living key and each remembered event, and what those changed."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, SMALL, opener=kept) as storage:
            await put(storage, "quiet")
            for number in range(20):
                revision = await put(storage, f"gone-{number}")
                await put(storage, f"gone-{number}", revision, delete=True)
            await fill(storage, 100)
            await idle(storage)
            assert kept.rows() == 12  # quiet, the ten newest of filler, and what they built on
            assert kept.log.meta().revision == storage.revision
            assert kept.log.meta().compacted == storage.revision - 10

    asyncio.run(check())


def test_deletions_are_forgotten_with_their_rows(path: Path) -> None:
    """What is kept to continue the chain of a deleted key goes when its row has gone."""

    async def check() -> None:
        async with open_storage(path, SMALL) as storage:
            for _ in range(3):
                for name in ("a", "b", "c"):
                    await put(storage, name, await put(storage, name), delete=True)
            assert len(storage._cacher.memory._tombstones) == 3
            await fill(storage, 20)
            await idle(storage)
            assert storage._cacher.memory._tombstones == {}
            await put(storage, "b", await put(storage, "b"), delete=True)
            again = await put(storage, "b")
            await put(storage, "c", await put(storage, "c"), delete=True)
            await storage.submit([write(f"more-{number}") for number in range(20)])
            await put(storage, "b", again, delete=True)
            await idle(storage)
            assert list(storage._cacher.memory._tombstones) == [key("b")]
            for name in ("a", "b", "c"):
                await put(storage, name)

    asyncio.run(check())


def test_compaction_never_lowers_the_highest_revision(path: Path) -> None:
    """When the newest row of all goes, its number is remembered."""

    async def check() -> None:
        kept = Kept()
        config = StorageConfig(
            window_events=0, window_seconds=0, compaction_batch=1, wal_bytes=1 << 16
        )
        async with open_storage(path, config, opener=kept) as storage:
            revision = await put(storage, "a")
            deleted = await put(storage, "a", revision, delete=True)
            await idle(storage)
            assert kept.rows() == 0
        async with open_storage(path, config, opener=kept) as storage:
            assert storage.revision == deleted
            assert await put(storage, "a") == deleted + 1

    asyncio.run(check())


def test_compaction_waits_for_an_idle_moment_but_not_for_ever() -> None:
    """A writer that is never idle cuts the log once it lags too far behind."""
    config = StorageConfig(compaction_batch=50, compaction_lag=100)
    compactor = Compactor(open_log(None, config), 1000, config)
    assert not compactor.request(1049)
    assert not compactor.due(idle=True)
    assert compactor.request(1050)
    assert compactor.due(idle=True)
    assert not compactor.due(idle=False)
    assert compactor.request(1120)
    assert compactor.due(idle=False)
    assert compactor.step() == 1050
    assert not compactor.due(idle=False)
    assert [compactor.step(), compactor.step()] == [1100, 1120]
    assert not compactor.due(idle=True)


def test_a_failed_compaction_is_tried_again(path: Path) -> None:
    """No space to compact is no reason to refuse writes, nor to try without end."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, SMALL, opener=kept) as storage:
            calls = 0
            compact = kept.log.compact

            def full(after: int, to: int) -> None:
                nonlocal calls
                calls += 1
                raise apsw.FullError

            kept.log.compact = full
            await fill(storage, 30)
            await idle(storage)
            assert 0 < calls <= 30
            assert storage.healthy
            kept.log.compact = compact
            await put(storage, "a")
            await idle(storage)
            assert kept.log.meta().compacted == storage.revision - 10

    asyncio.run(check())


def test_a_compaction_that_meets_an_io_error_ends_writing(path: Path) -> None:
    """A disk that fails under compaction fails."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, SMALL, opener=kept) as storage:

            def broken(after: int, to: int) -> None:
                raise apsw.IOError("disk I/O error")

            kept.log.compact = broken
            with contextlib.suppress(UnavailableError):
                await fill(storage, 30)
            for _ in range(500):
                await asyncio.sleep(0.002)
                if not storage.healthy:
                    break
            assert storage.reason == "disk I/O error"
            with pytest.raises(UnavailableError, match="disk I/O error"):
                storage.submit([write("a")])

    asyncio.run(check())


class Gate:
    """Holds every commit until it is let through, or made to fail."""

    def __init__(self, log: Log) -> None:
        self._append = log.append
        self._outcomes: queue.Queue[Exception | None] = queue.Queue()
        self.arrived = threading.Semaphore(0)
        log.append = self

    def __call__(self, changes: Sequence[Change]) -> None:
        """Wait, then do as told."""
        self.arrived.release()
        outcome = self._outcomes.get(timeout=5)
        if outcome:
            raise outcome
        self._append(changes)

    def open(self, outcome: Exception | None = None) -> None:
        """Let one commit through."""
        self._outcomes.put(outcome)


def test_writes_that_wait_share_a_commit(path: Path) -> None:
    """While one commit runs, all that is submitted gathers for the next; and it stays in flight."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, USUAL, opener=kept) as storage:
            received = Received()
            storage.watch("configmaps", None, storage.revision, received)
            gate = Gate(kept.log)
            first = storage.submit([write("a")])
            await asyncio.sleep(0)  # a turn of the loop: then it is handed in
            assert gate.arrived.acquire(timeout=5)
            revision = storage.latest(key("a")).revision
            rest = [storage.submit([write("a", revision)])]
            rest += [storage.submit([write(f"b-{number}")]) for number in range(20)]
            gate.open()
            await first
            assert storage.get(key("a")).revision == revision
            assert storage.latest(key("a")).revision == revision + 1
            assert len(storage.list_latest("configmaps", None)) == 21
            gate.open()
            await asyncio.gather(*rest)
            assert [len(call) for call in received.calls] == [1, 21]

    asyncio.run(check())


def test_writes_of_one_turn_of_the_loop_share_a_commit(path: Path) -> None:
    """Requests that were read together wait for one fsync, and watches hear of them at once."""

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            received = Received()
            storage.watch("configmaps", None, storage.revision, received)
            await asyncio.gather(*(storage.submit([write(f"a-{each}")]) for each in range(20)))
            assert [len(call) for call in received.calls] == [20]

    asyncio.run(check())


def test_writes_after_a_failure_begin_anew(path: Path) -> None:
    """What was handed in before the failure is known is lost with it, whatever it wrote."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, USUAL, opener=kept) as storage:
            gate = Gate(kept.log)
            pending = [storage.submit([write("a")])]
            await asyncio.sleep(0)  # a turn of the loop: then it is handed in
            assert gate.arrived.acquire(timeout=5)
            pending += [storage.submit([write(f"a-{number}")]) for number in range(20)]
            pending += [storage.submit([write("a", storage.revision + 1)]), storage.settled()]
            gate.open(apsw.FullError("full"))
            results = await asyncio.gather(*pending, return_exceptions=True)
            assert all(isinstance(each, UnavailableError) for each in results)
            assert storage.list_latest("configmaps", None) == []
            gate.open()
            await put(storage, "b")
            assert names(storage) == ["b"]
        async with open_storage(path, USUAL) as storage:
            assert names(storage) == ["b"]

    asyncio.run(check())


def test_a_large_submission_is_written_whole_or_not_at_all(path: Path) -> None:
    """Rows of several statements are one transaction, undone where one of them cannot be taken."""

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            writes = [write(f"a-{number:03}") for number in range(100)]
            unfit = Write(key("unfit"), 0, lambda _: object())
            with pytest.raises(UnavailableError):
                await storage.submit([*writes, unfit])
            assert names(storage) == []
            await put(storage, "b")
            assert storage.healthy
        async with open_storage(path, USUAL) as storage:
            assert names(storage) == ["b"]

    asyncio.run(check())


def test_a_loop_that_ends_first_stops_the_writer(path: Path) -> None:
    """A program that forgets to close its storage does not hang, and what it wrote is kept."""
    ended = threading.Event()
    log = open_log(path, USUAL)
    append = log.append

    def append_late(changes: Sequence[Change]) -> None:
        ended.wait(5)
        append(changes)

    log.append = append_late

    async def forget() -> threading.Thread:
        storage = SQLiteStorage(log, USUAL, time.monotonic)
        storage.submit([write("a")])
        return storage._writer._thread

    thread = asyncio.run(forget())
    ended.set()
    thread.join(5)
    assert not thread.is_alive()

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            assert names(storage) == ["a"]

    asyncio.run(check())
