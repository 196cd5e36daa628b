"""Writes in flight, laid over what is committed: what the next write builds on."""

from collections.abc import Sequence

from llmos.storage.interface import ConflictError, ExistsError, Write
from llmos.watchcache.interface import Change, Key, Record
from llmos.watchcache.memory import Memory, Pair


class Overlay:
    """For each key the newest change that is not committed yet."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._pending: dict[str, dict[Key, Change]] = {}

    def latest(self, key: Key) -> Record | None:
        """The record as it will be when all in flight is committed."""
        changes = self._pending.get(key.resource)
        change = changes.get(key) if changes else None
        if change is None:
            return self._memory.get(key)
        return None if change.deleted else change.record

    def items(self, resource: str, namespace: str | None) -> Sequence[Pair]:
        """The collection as it will be, in no order."""
        committed = self._memory.unordered(resource, namespace)
        changes = self._pending.get(resource)
        if not changes:
            return committed
        items = dict(committed)
        for key, change in changes.items():
            if namespace is not None and key.namespace != namespace:
                continue
            if change.deleted:
                items.pop(key, None)
            else:
                items[key] = change.record
        return list(items.items())

    def prepare(self, writes: Sequence[Write], revision: int) -> list[Change]:
        """Check every write, then encode each for the revisions after ``revision``.

        Raises:
            ExistsError: ``previous`` is 0 and the key exists.
            ConflictError: the key is not at ``previous``.
        """
        bases = [self._base(write) for write in writes]
        if len(writes) > 1 and len({write.key for write in writes}) < len(writes):
            raise ConflictError("a key is written twice at once")
        return [
            Change(write.key, Record(number, write.encode(number)), base, write.delete)
            for number, (write, base) in enumerate(zip(writes, bases, strict=True), revision + 1)
        ]

    def _base(self, write: Write) -> int:
        """The revision of the row that this write follows in the key's chain."""
        latest = self.latest(write.key)
        if write.previous == 0 and not write.delete:
            if latest is not None:
                raise ExistsError(f"{write.key} exists at revision {latest.revision}")
            return self._head(write.key)
        if latest is None or latest.revision != write.previous:
            found = "does not exist" if latest is None else f"is at revision {latest.revision}"
            raise ConflictError(f"{write.key} {found}, not at {write.previous}")
        return write.previous

    def _head(self, key: Key) -> int:
        changes = self._pending.get(key.resource)
        change = changes.get(key) if changes else None
        return change.record.revision if change else self._memory.head(key)

    def add(self, changes: Sequence[Change]) -> None:
        """These are in flight now."""
        for change in changes:
            self._pending.setdefault(change.key.resource, {})[change.key] = change

    def settle(self, changes: Sequence[Change]) -> None:
        """These are committed; newer ones of the same keys stay."""
        for change in changes:
            pending = self._pending[change.key.resource]
            if pending[change.key] is change:
                del pending[change.key]

    def clear(self) -> None:
        """All in flight is lost."""
        self._pending.clear()
