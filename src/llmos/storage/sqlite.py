"""The storage of the embedded server: a log on SQLite, written by one thread, read from memory.

The way of a write: ``Overlay.prepare`` checks it and gives it its revision, ``Writer`` makes it
durable together with its neighbours, ``Cacher.apply`` shows it to readers and watches, and only
then does whoever submitted it hear of it.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.measures import Family
from llmos.storage.compaction import Compactor
from llmos.storage.config import StorageConfig
from llmos.storage.interface import UnavailableError, Write
from llmos.storage.loading import load
from llmos.storage.log import Log, OpenLog, open_log
from llmos.storage.measured import file_families, log_families, write_families
from llmos.storage.overlay import Overlay
from llmos.storage.writer import Submission, Writer
from llmos.watchcache.cacher import Cacher
from llmos.watchcache.interface import Change, Deliver, Key, Record, Snapshot, Subscription
from llmos.watchcache.memory import Pair

_CLOSED = "the storage is closed"
_DEFAULTS = StorageConfig()


class SQLiteStorage:
    """Keeps the promises of ``interface.Storage`` on a local disk, or in memory for tests."""

    def __init__(self, log: Log, config: StorageConfig, clock: Clock) -> None:
        """Read the log and begin to write; the running event loop's thread owns the result.

        Raises:
            OpenError: the log is damaged.
        """
        meta = log.meta()
        self.epoch = meta.epoch
        self._log = log
        self._compacted = meta.compacted
        self._cacher = Cacher(meta.revision, meta.compacted, config, clock)
        load(self._cacher, log.read())
        self._overlay = Overlay(self._cacher.memory)
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(log, Compactor(log, meta.compacted, config), self, self._loop)
        self._given = meta.revision  # the newest revision given to a write
        self._generation = 0
        self._in_flight: deque[Submission] = deque()
        self._gathered: list[Submission] = []  # what this turn of the event loop hands in
        self._refusal = ""  # why no write is taken any more
        self._reason = ""
        self._stopped = self._loop.create_future()
        self._writer.start()

    @property
    def revision(self) -> int:
        """The newest committed revision."""
        return self._cacher.revision

    @property
    def healthy(self) -> bool:
        """Whether the last attempt to write succeeded."""
        return not self._reason

    @property
    def reason(self) -> str:
        """Why nothing can be written; empty while healthy."""
        return self._reason

    def families(self) -> Iterator[Family]:
        """What there is to tell of the log, its files and its writes."""
        database = self._log.database
        yield from log_families(self._log.rows, self.revision, self._compacted, self.healthy)
        yield from file_families(database.path, database.wal)
        yield from write_families(self._writer.measured)

    def count(self, resource: str) -> int:
        """How many objects of a resource are committed."""
        return self._cacher.memory.count(resource)

    def latest(self, key: Key) -> Record | None:
        """The newest record, writes in flight included."""
        return self._overlay.latest(key)

    def list_latest(self, resource: str, namespace: str | None) -> Sequence[Pair]:
        """The newest records of a collection, writes in flight included, in no order."""
        return self._overlay.items(resource, namespace)

    def get(self, key: Key) -> Record | None:
        """The newest committed record."""
        return self._cacher.memory.get(key)

    def list(self, resource: str, namespace: str | None = None, at: int | None = None) -> Snapshot:
        """What is committed, now or ``at`` a revision that is remembered.

        Raises:
            CompactedError: ``at`` is too old.
            FutureRevisionError: ``at`` is not reached.
        """
        return self._cacher.list(resource, namespace, at)

    def changed(self, resource: str, namespace: str | None = None) -> int:
        """A revision that grows with every change of the collection."""
        return self._cacher.memory.changed(resource, namespace)

    def watch(
        self, resource: str, namespace: str | None, since: int, deliver: Deliver
    ) -> Subscription:
        """Deliver every change after ``since``: the remembered ones now, then live.

        Raises:
            CompactedError: ``since`` is too old.
        """
        return self._cacher.watch(resource, namespace, since, deliver)

    def submit(self, writes: Sequence[Write]) -> Awaitable[Sequence[Record]]:
        """Begin to write, all or nothing; the records come when they are durable.

        Raises:
            ExistsError: a write creates and the key exists.
            ConflictError: a key is not at the revision its write builds on.
            UnavailableError: nothing can be written (also from the awaitable).
        """
        if self._refusal:
            raise UnavailableError(self._refusal)
        changes = self._overlay.prepare(writes, self._given)
        self._given += len(changes)
        self._overlay.add(changes)
        return self._hand_in(changes)

    def _hand_in(self, changes: Sequence[Change]) -> "asyncio.Future[Sequence[Record]]":
        done: asyncio.Future[Sequence[Record]] = self._loop.create_future()
        submission = Submission(self._generation, changes, done)
        self._in_flight.append(submission)
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(submission)
        return done

    def _flush(self) -> None:
        """Hand in what one turn of the event loop brought: it shares a commit."""
        for each in self._gathered:
            self._writer.submit(each)
        self._gathered.clear()

    async def settled(self) -> None:
        """Wait until every write submitted so far is committed.

        Raises:
            UnavailableError: one of them failed.
        """
        if self._in_flight:
            await self._hand_in(())

    def committed(self, batch: Sequence[Submission]) -> None:
        """The writer's word: these are durable. Readers see them before their writers hear."""
        changes = [change for submission in batch for change in submission.changes]
        if changes:
            self._reason = ""
            self._overlay.settle(changes)
            self._cacher.apply(changes)
            self._writer.compact(self._cacher.floor)
        for submission in batch:
            self._in_flight.popleft()
            if not submission.done.done():  # whoever waited may have gone
                submission.done.set_result([change.record for change in submission.changes])

    def failed(self, reason: str, final: bool) -> None:
        """The writer's word: all in flight is lost."""
        self._reason = reason
        if final:
            self._refusal = reason
        self._generation += 1
        self._overlay.clear()
        while self._in_flight:
            done = self._in_flight.popleft().done
            if not done.done():
                done.set_exception(UnavailableError(reason))

    def compacted(self, to: int) -> None:
        """The writer's word: the log is cut up to there."""
        self._compacted = to
        self._cacher.memory.forget(to)

    def stopped(self) -> None:
        """The writer's word: it has ended; what it left unwritten fails."""
        if self._in_flight:
            self.failed(_CLOSED, final=True)
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def close(self) -> None:
        """End every watch, write what was submitted, close the database. Reads still work."""
        if self._refusal != _CLOSED:
            self._refusal = self._reason = _CLOSED
            self._flush()
            self._writer.stop()
        await asyncio.shield(self._stopped)
        self._cacher.close()


@asynccontextmanager
async def open_storage(
    path: Path | None,
    config: StorageConfig = _DEFAULTS,
    clock: Clock = time.monotonic,
    opener: OpenLog = open_log,
) -> AsyncIterator[SQLiteStorage]:
    """Open the storage in the file ``path`` (None: in memory), and close it at the end.

    Args:
        path: The database; ``-wal`` and ``.lock`` files lie beside it.
        config: Limits and sizes.
        clock: For the age of events; steady, never set.
        opener: Opens the log.

    Raises:
        OpenError: it cannot be served: in use, damaged, not ours, of a newer format.
    """
    log = opener(path, config)
    try:
        storage = SQLiteStorage(log, config, clock)
    except BaseException:
        log.close()
        raise
    try:
        yield storage
    finally:
        await storage.close()
