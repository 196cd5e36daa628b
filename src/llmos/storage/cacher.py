"""What is committed, as the event loop sees it: objects, the newest events, and the watches.

Kubernetes' Cacher in small: reads never touch the disk. It takes in what the writer reports and
what the log holds at the start; checking and submitting writes is left to ``sqlite``.
"""

import gc
import itertools
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from operator import itemgetter

from llmos.apimachinery.clock import Clock
from llmos.storage.broadcaster import Broadcaster, Subscriber
from llmos.storage.config import StorageConfig
from llmos.storage.interface import (
    Deliver,
    Event,
    FutureRevisionError,
    Key,
    OpenError,
    Record,
    Snapshot,
)
from llmos.storage.log import Change, Meta
from llmos.storage.memory import Memory, Pair
from llmos.storage.window import Window

_CHUNK = 1000  # rows taken in at once at the start


class Cacher:
    """The committed state at ``revision`` and what led to it."""

    def __init__(self, meta: Meta, config: StorageConfig, clock: Clock) -> None:
        self.revision = meta.revision
        self.memory = Memory()
        self._window = Window(meta.compacted, config, clock)
        self._broadcaster = Broadcaster()
        self._snapshots: OrderedDict[tuple[str, str | None, int], Sequence[Pair]] = OrderedDict()
        self._snapshots_kept = config.snapshots

    @property
    def floor(self) -> int:
        """Every change after this revision is remembered."""
        return self._window.floor

    def load(self, rows: Iterable[Change]) -> None:
        """Take in the log; its newest rows are remembered as events too.

        The garbage collector rests: it would look at every object again and again.

        Raises:
            OpenError: a row does not follow from those before it.
        """
        rows = iter(rows)
        compacted = self.floor
        collecting = gc.isenabled()
        gc.disable()
        try:
            while chunk := list(itertools.islice(rows, _CHUNK)):
                self._window.append([self._load(row, compacted) for row in chunk])
        finally:
            if collecting:
                gc.enable()

    def _load(self, row: Change, compacted: int) -> Event:
        head = self.memory.head(row.key)
        # What a row builds on may be compacted away, but only up to where compaction came.
        if row.base != head and (head or row.base > compacted):
            raise OpenError(
                f"the log is damaged: revision {row.record.revision} of {row.key} builds on "
                f"{row.base}, not on {head}; restore a backup"
            )
        return self.memory.apply(row)

    def apply(self, changes: Sequence[Change]) -> None:
        """Take in what one commit wrote, then tell the watches."""
        events = [self.memory.apply(change) for change in changes]
        self.revision = changes[-1].record.revision
        self._window.append(events)
        self._forget_snapshots()
        self._broadcaster.publish(events)

    def _forget_snapshots(self) -> None:
        for key in [key for key in self._snapshots if key[2] < self.floor]:
            del self._snapshots[key]

    def list(self, resource: str, namespace: str | None, at: int | None) -> Snapshot:
        """The collection now, or ``at`` a revision that is remembered.

        Raises:
            CompactedError: ``at`` is too old.
            FutureRevisionError: ``at`` is not reached.
        """
        if at is None or at == self.revision:
            return Snapshot(self.revision, self.memory.items(resource, namespace))
        if at > self.revision:
            raise FutureRevisionError(f"revision {at} is not reached, it is {self.revision}")
        self._window.check(at)
        if self.memory.changed(resource, namespace) <= at:
            return Snapshot(at, self.memory.items(resource, namespace))
        key = (resource, namespace, at)
        items = self._snapshots.get(key)
        if items is None:
            since = self._window.after(resource, namespace, at)
            items = self._snapshots[key] = _undo(self.memory.items(resource, namespace), since)
            if len(self._snapshots) > self._snapshots_kept:
                self._snapshots.popitem(last=False)
        else:
            self._snapshots.move_to_end(key)
        return Snapshot(at, items)

    def watch(
        self, resource: str, namespace: str | None, since: int, deliver: Deliver
    ) -> Subscriber:
        """Deliver the remembered events after ``since``, then those to come.

        Raises:
            CompactedError: ``since`` is too old.
        """
        missed = self._window.after(resource, namespace, since)
        begin = max(since, self.revision)
        subscriber = Subscriber(self._broadcaster, resource, namespace, begin, deliver)
        self._broadcaster.add(subscriber)
        if missed:
            subscriber.deliver(missed)
        return subscriber

    def close(self) -> None:
        """End every watch."""
        self._broadcaster.close()


def _undo(items: Sequence[Pair], events: Sequence[Event]) -> Sequence[Pair]:
    """The list as it was before the events: stretches of it, and between them what changed."""
    before: dict[Key, Record | None] = {}
    for event in reversed(events):
        before[event.key] = (
            None if event.previous is None else Record(event.previous_revision, event.previous)
        )
    past: list[Pair] = []
    start = 0
    for key in sorted(before):
        end = bisect_left(items, key, start, key=itemgetter(0))
        past += items[start:end]
        start = end + 1 if end < len(items) and items[end][0] == key else end
        record = before[key]
        if record is not None:
            past.append((key, record))
    past += items[start:]
    return past
