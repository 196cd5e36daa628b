"""Keys to be worked on: each once, some later, failed ones later and later.

Follows client-go's workqueue: a key that is added while it is being worked on comes again when that
work is done, so no key is ever worked on twice at once.
"""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.measures import Histogram

_LONGEST_SLEEP = 60.0
"""A timer looks at the clock this often at least: clocks are set, machines sleep."""


class Key(NamedTuple):
    """An object's namespace (``""``: none) and name."""

    namespace: str
    name: str

    @property
    def path(self) -> str:
        """``namespace/name``, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


_BOUNDS = tuple(10.0**exponent for exponent in range(-8, 4))
"""client-go's buckets of how long a key waits and is worked on, in seconds."""


@dataclass(slots=True)
class Measured:
    """How a queue does."""

    steady: Callable[[], float] = time.monotonic
    """Seconds that no one sets."""
    adds: int = 0
    retries: int = 0
    waited: Histogram = field(default_factory=lambda: Histogram(_BOUNDS))
    worked: Histogram = field(default_factory=lambda: Histogram(_BOUNDS))
    _waiting: dict[Key, float] = field(default_factory=dict)
    _working: dict[Key, float] = field(default_factory=dict)

    def added(self, key: Key) -> None:
        """A key waits."""
        self.adds += 1
        self._waiting[key] = self.steady()

    def begun(self, key: Key) -> None:
        """It is worked on."""
        now = self.steady()
        self.waited.observe(now - self._waiting.pop(key, now))
        self._working[key] = now

    def done(self, key: Key) -> None:
        """The work on it ended."""
        now = self.steady()
        self.worked.observe(now - self._working.pop(key, now))

    def running(self) -> list[float]:
        """For how many seconds each key has been worked on that is not done."""
        now = self.steady()
        return [now - began for began in self._working.values()]


@dataclass(slots=True)
class WorkQueue:
    """A queue of keys; belongs to one event loop."""

    clock: Clock
    first_delay: float = 0.05
    most_delay: float = 60.0
    _ready: deque[Key] = field(default_factory=deque)
    _waiting: set[Key] = field(default_factory=set)
    """Keys that are in ``_ready``, or come again when their work is done."""
    _working: set[Key] = field(default_factory=set)
    _later: list[tuple[float, Key]] = field(default_factory=list)
    _due: dict[Key, float] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _timer: asyncio.TimerHandle | None = None
    measured: Measured = field(default_factory=Measured)

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: Key) -> None:
        """Have the key worked on, once."""
        if key in self._waiting:
            return
        self._waiting.add(key)
        self.measured.added(key)
        if key not in self._working:
            self._ready.append(key)
            self._wake.set()

    def add_after(self, key: Key, delay: float) -> None:
        """Add the key after some seconds; of several times the earliest counts."""
        if delay <= 0:
            self.add(key)
            return
        due = self.clock() + delay
        if self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, key))
        self._schedule()

    def add_failed(self, key: Key) -> float:
        """Add the key after a delay that doubles with each failure; gives the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.measured.retries += 1
        delay = min(self.first_delay * 2.0 ** min(failures, 32), self.most_delay)
        self.add_after(key, delay)
        return delay

    def forget(self, key: Key) -> None:
        """The key did well: its next failure is the first."""
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """Wait for a key; ``done`` must follow."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._working.add(key)
        self.measured.begun(key)
        return key

    def done(self, key: Key) -> None:
        """The work on a key ended, well or not."""
        self._working.discard(key)
        self.measured.done(key)
        if key in self._waiting:
            self._ready.append(key)
            self._wake.set()

    def fire(self) -> None:
        """Add every key whose time has come; the timer calls it."""
        now = self.clock()
        while self._later and self._later[0][0] <= now:
            due, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
        self._schedule()

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self.close()
        if self._later:
            delay = min(max(self._later[0][0] - self.clock(), 0.0), _LONGEST_SLEEP)
            self._timer = asyncio.get_running_loop().call_later(delay, self.fire)
