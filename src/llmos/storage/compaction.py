"""When the log is cut, and how far: in small steps, in the writer's idle moments."""

from llmos.storage.config import StorageConfig
from llmos.storage.log import Log


class Compactor:
    """Follows the watch window: what it has forgotten is removed from the log.

    ``request`` is called by the event loop; everything else belongs to the writer's thread. (Both
    set ``_target``: what one of them overwrites comes again with the next request.)
    """

    def __init__(self, log: Log, compacted: int, config: StorageConfig) -> None:
        self._log = log
        self._batch = max(config.compaction_batch, 1)
        self._lag = config.compaction_lag
        self._done = compacted
        self._target = compacted

    def request(self, floor: int) -> bool:
        """The window begins after ``floor``; says whether a step became due by it."""
        if floor - self._target < self._batch:
            return False
        self._target = floor
        return True

    def due(self, idle: bool) -> bool:
        """Whether to take a step now: when there is nothing else to do, or we lag far behind."""
        behind = self._target - self._done
        return behind > 0 and (idle or behind > self._lag)

    def step(self) -> int:
        """Cut one batch of revisions off; returns to which one the log is compacted.

        Raises:
            apsw.Error: SQLite refused.
        """
        to = min(self._done + self._batch, self._target)
        self._log.compact(self._done, to)
        self._done = to
        return to

    def postpone(self) -> None:
        """Give up until the next request, after a step that failed."""
        self._target = self._done
