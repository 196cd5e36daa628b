"""The one thread that writes: all submissions that wait share one commit.

The event loop hands submissions in and hears of them through ``Owner``, on its own thread, in
order. After a failed commit everything handed in before the loop heard of it is thrown away, for it
may build on what was lost; the loop's next ``generation`` begins anew.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import apsw

from llmos.storage.compaction import Compactor
from llmos.storage.log import Log
from llmos.storage.measured import Measured
from llmos.watchcache.interface import Change, Record

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Submission:
    """Changes that are written together, and who waits for them."""

    generation: int
    changes: Sequence[Change]
    done: asyncio.Future[Sequence[Record]]


class Owner(Protocol):
    """Whom the writer reports to, on the loop's thread."""

    def committed(self, batch: Sequence[Submission]) -> None:
        """These are durable."""

    def failed(self, reason: str, final: bool) -> None:
        """Nothing more of this generation gets written; ``final``: of no generation."""

    def compacted(self, to: int) -> None:
        """The log no longer has what only revisions up to this one needed."""

    def stopped(self) -> None:
        """All is written and the database is closed."""


class Writer:
    """Owns the log from its start until it has stopped."""

    def __init__(
        self, log: Log, compactor: Compactor, owner: Owner, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._log = log
        self._compactor = compactor
        self._owner = owner
        self._loop = loop
        self._queue: queue.SimpleQueue[Submission | None] = queue.SimpleQueue()
        self.measured = Measured()
        self._stopping = False
        self._lost = -1  # the newest generation that had a failure
        self._failing = False
        self._broken = False
        # A daemon: a program that ends without closing the storage is a crash like any other.
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)

    def start(self) -> None:
        """Begin to take submissions."""
        self._thread.start()

    def submit(self, submission: Submission) -> None:
        """Hand changes in."""
        self._queue.put(submission)

    def compact(self, floor: int) -> None:
        """The watch window begins after ``floor``."""
        if self._compactor.request(floor):
            self._queue.put(None)

    def stop(self) -> None:
        """Write what was handed in, close the log, report and end."""
        self._stopping = True
        self._queue.put(None)

    def _run(self) -> None:
        try:
            while not (self._stopping and self._queue.empty()):
                self._turn()
        finally:
            self._log.close()
            self._report(self._owner.stopped)

    def _turn(self) -> None:
        if self._compactor.due(idle=self._queue.empty()) and not self._broken:
            self._compact()
            return
        batch = [each for each in self._take() if each.generation > self._lost]
        if batch and not self._broken:
            self._commit(batch)
        if self._compactor.due(idle=False) and not self._broken:
            self._compact()

    def _take(self) -> list[Submission]:
        """Wait for one submission, then take all that wait with it."""
        taken = [self._queue.get()]
        try:
            while True:
                taken.append(self._queue.get_nowait())
        except queue.Empty:
            return [each for each in taken if each is not None]

    def _commit(self, batch: Sequence[Submission]) -> None:
        changes = [change for submission in batch for change in submission.changes]
        try:
            if changes:
                began = time.perf_counter()
                self._log.append(changes)
                self.measured.commits.observe(time.perf_counter() - began)
        except Exception as error:
            if not self._failing:  # once: on a full disk every write fails
                logger.exception("a write failed")
            self._failing = True
            self.measured.failures += 1
            self._lost = batch[-1].generation
            self._lose(error)
            self._report(self._owner.failed, str(error) or type(error).__name__, self._broken)
        else:
            self._failing = False
            self._report(self._owner.committed, batch)

    def _compact(self) -> None:
        try:
            to = self._compactor.step()
        except Exception as error:
            if not self._failing:
                logger.exception("a step of compaction failed")
            self._failing = True
            self.measured.failures += 1
            self._compactor.postpone()
            self._lose(error)
            if self._broken:
                self._report(self._owner.failed, str(error), True)
        else:
            self.measured.compactions += 1
            self._report(self._owner.compacted, to)

    def _lose(self, error: Exception) -> None:
        """After a failure that leaves in doubt what is on the disk, write nothing more.

        What a failed fsync left behind nobody knows, and asking again may answer "done" falsely.
        """
        if isinstance(error, apsw.FullError | apsw.TooBigError):
            return
        if isinstance(error, apsw.Error | OSError):
            self._broken = True

    def _report(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop is closed: nobody waits any more
            logger.warning("storage: the event loop ended before its storage was closed")
            self._stopping = True
