"""What is committed, as the event loop sees it: objects, the newest events, and the watches.

Kubernetes' Cacher in small: reads never touch a disk or a network. It takes in what its feed
reports: the storage's writer, or a watch of the cluster.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from operator import itemgetter

from llmos.apimachinery.clock import Clock
from llmos.watchcache.broadcaster import Broadcaster, Subscriber
from llmos.watchcache.config import WindowConfig
from llmos.watchcache.interface import (
    Change,
    Deliver,
    Event,
    FutureRevisionError,
    Key,
    Record,
    Snapshot,
)
from llmos.watchcache.memory import Memory, Pair
from llmos.watchcache.window import Window


class Cacher:
    """The committed state at ``revision`` and what led to it."""

    def __init__(self, revision: int, floor: int, config: WindowConfig, clock: Clock) -> None:
        """Begin with nothing.

        Args:
            revision: the newest there is.
            floor: every change after this revision will be taken in.
            config: limits of what is remembered.
            clock: for the age of events; steady, never set.
        """
        self.revision = revision
        self.memory = Memory()
        self._window = Window(floor, config, clock)
        self._broadcaster = Broadcaster()
        self._snapshots: OrderedDict[tuple[str, str | None, int], Sequence[Pair]] = OrderedDict()
        self._snapshots_kept = config.snapshots

    @property
    def floor(self) -> int:
        """Every change after this revision is remembered."""
        return self._window.floor

    def replay(self, changes: Iterable[Change]) -> None:
        """Take in what happened before anybody listened, up to the revision that is reached."""
        self._window.append([self.memory.apply(change) for change in changes])

    def apply(self, changes: Sequence[Change]) -> None:
        """Take in what one commit wrote, then tell the watches."""
        events = [self.memory.apply(change) for change in changes]
        self.revision = changes[-1].record.revision
        self._window.append(events)
        self._forget_snapshots()
        self._broadcaster.publish(events)

    def advance(self, revision: int) -> None:
        """Nothing happened up to this revision."""
        self.revision = max(self.revision, revision)

    @property
    def watched(self) -> bool:
        """Whether there is a watch."""
        return not self._broadcaster.empty

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
