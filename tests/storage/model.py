"""The simplest storage that could be: a list of events. The real one must agree with it."""

from dataclasses import dataclass, field

from llmos.watchcache.interface import Key, Record

Change = tuple[str, Key, int, bytes]
"""Type, key, revision and value of one event."""


@dataclass
class Model:
    """A history, and what it makes of the collections."""

    revision: int
    history: list[Change] = field(default_factory=list)

    def at(self, revision: int, namespace: str | None = None) -> list[tuple[Key, Record]]:
        """What there was at a revision."""
        found: dict[Key, Record] = {}
        for kind, key, number, value in self.history:
            if number > revision or namespace not in (None, key.namespace):
                continue
            if kind == "DELETED":
                del found[key]
            else:
                found[key] = Record(number, value)
        return sorted(found.items())

    def get(self, key: Key) -> Record | None:
        """What there is under a key."""
        return dict(self.at(self.revision)).get(key)

    def write(self, key: Key, value: bytes, *, delete: bool) -> None:
        """Take one more change in."""
        kind = "DELETED" if delete else "MODIFIED" if self.get(key) else "ADDED"
        self.revision += 1
        self.history.append((kind, key, self.revision, value))

    def after(self, revision: int, namespace: str | None = None) -> list[Change]:
        """What happened after a revision."""
        return [
            change
            for change in self.history
            if change[2] > revision and namespace in (None, change[1].namespace)
        ]
