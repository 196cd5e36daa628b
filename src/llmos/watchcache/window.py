"""The newest events, kept so that a watch resumes without a gap and a list shows the past."""

from collections import deque
from collections.abc import Sequence

from llmos.apimachinery.clock import Clock
from llmos.watchcache.config import WindowConfig
from llmos.watchcache.interface import CompactedError, Event

_OVERHEAD = 512  # an event without its bytes, with its places in the two queues


class Window:
    """Every event after ``floor``, in order, by resource as well."""

    def __init__(self, floor: int, config: WindowConfig, clock: Clock) -> None:
        self.floor = floor
        """Every change after this revision is remembered."""
        self._config = config
        self._clock = clock
        self._events: deque[tuple[float, Event]] = deque()
        self._by_resource: dict[str, deque[Event]] = {}
        self._bytes = 0

    def append(self, events: Sequence[Event]) -> None:
        """Remember the events of a commit and forget what is over the limits."""
        now = self._clock()
        for event in events:
            self._events.append((now, event))
            self._bytes += _weight(event)
            self._of(event.key.resource).append(event)
        while self._events and self._over(now):
            self._drop()

    def _of(self, resource: str) -> deque[Event]:
        events = self._by_resource.get(resource)
        if events is None:
            events = self._by_resource[resource] = deque()
        return events

    def _over(self, now: float) -> bool:
        config = self._config
        if self._bytes > config.window_bytes:
            return True
        old = now - self._events[0][0] >= config.window_seconds
        return old and len(self._events) > config.window_events

    def _drop(self) -> None:
        _, event = self._events.popleft()
        self._bytes -= _weight(event)
        self._by_resource[event.key.resource].popleft()
        self.floor = event.revision

    def check(self, revision: int) -> None:
        """Make sure that every change after a revision is remembered.

        Raises:
            CompactedError: some are forgotten.
        """
        if revision < self.floor:
            raise CompactedError(
                f"revision {revision} is too old, the oldest remembered is {self.floor}"
            )

    def after(self, resource: str, namespace: str | None, revision: int) -> list[Event]:
        """The remembered events of a collection after a revision, oldest first.

        Raises:
            CompactedError: some are forgotten.
        """
        self.check(revision)
        found = []
        for event in reversed(self._by_resource.get(resource, ())):
            if event.revision <= revision:
                break
            if namespace is None or event.key.namespace == namespace:
                found.append(event)
        found.reverse()
        return found


def _weight(event: Event) -> int:
    """What an event takes: its object, and once more as watchers get it."""
    return 2 * len(event.value) + _OVERHEAD
