"""What the cases of the storage's contract are written with."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from llmos.storage.config import StorageConfig
from llmos.storage.database import open_database
from llmos.storage.interface import Storage, Write
from llmos.storage.log import Log
from llmos.watchcache.interface import Event, Key, Record

Opener = Callable[..., AbstractAsyncContextManager[Storage]]
"""``opened(config=…, clock=…)``; what was kept by an earlier one is found again."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that must hold."""

    check: Callable[[Opener], Awaitable[None]]
    reopens: bool

    @property
    def name(self) -> str:
        """What must hold, in words."""
        return self.check.__name__


HELD: list[Case] = []

SMALL = StorageConfig(window_events=10, window_seconds=0, compaction_batch=1, wal_bytes=1 << 16)
"""Remembers ten events and cuts the log at once."""
USUAL = StorageConfig(wal_bytes=1 << 16)


def holds(check: Callable[[Opener], Awaitable[None]]) -> Callable[[Opener], Awaitable[None]]:
    HELD.append(Case(check, reopens=False))
    return check


def survives(check: Callable[[Opener], Awaitable[None]]) -> Callable[[Opener], Awaitable[None]]:
    HELD.append(Case(check, reopens=True))
    return check


def key(name: str, namespace: str = "team-a", resource: str = "configmaps") -> Key:
    return Key(resource, namespace, name)


def value(name: str, text: str = "") -> Callable[[int], bytes]:
    return lambda revision: f"{name}@{revision}{text}".encode()


def write(
    name: str, previous: int = 0, *, delete: bool = False, text: str = "", **at: Any
) -> Write:
    return Write(key(name, **at), previous, value(name, text), delete)


async def put(storage: Storage, name: str, previous: int = 0, **more: Any) -> int:
    """Write one object and give its new revision."""
    [record] = await storage.submit([write(name, previous, **more)])
    return record.revision


async def fill(storage: Storage, count: int, **at: Any) -> None:
    """Commit many changes of one object."""
    revision = await put(storage, "filler", **at)
    for _ in range(count - 1):
        revision = await put(storage, "filler", revision, **at)


class Received(list[Event]):
    """A receiver that keeps what it gets, and in which calls."""

    def __init__(self) -> None:
        self.calls: list[Sequence[Event]] = []

    def __call__(self, events: Sequence[Event]) -> None:
        """Take the events of one commit."""
        self.calls.append(events)
        self.extend(events)

    def brief(self) -> list[tuple[str, str, int]]:
        """What happened to whom, and when."""
        return [(event.type, event.key.name, event.revision) for event in self]


def names(storage: Storage, **at: Any) -> list[str]:
    return [each.name for each, _ in storage.list("configmaps", **at).items]


async def history(storage: Storage) -> dict[int, list[tuple[Key, Record]]]:
    """Make a history of every kind of change; gives what was there at each revision."""
    past = {storage.revision: list(storage.list("configmaps").items)}
    revisions: dict[str, int] = {}
    for step, name in enumerate("abcabcadbeacbd" * 2):
        delete = name in revisions and step % 3 == 0
        where = "team-a" if name < "c" else "team-b"
        revision = await put(storage, name, revisions.get(name, 0), delete=delete, namespace=where)
        revisions.pop(name, None) if delete else revisions.update({name: revision})
        await put(storage, f"other-{step}", resource="secrets")
        past[revision] = list(storage.list("configmaps").items)
        past[storage.revision] = past[revision]
    return past


class Kept:
    """Opens a log and keeps it, for a look behind the storage."""

    def __init__(self, vfs: str | None = None) -> None:
        self.vfs = vfs
        self.log: Log

    def __call__(self, path: Path | None, config: StorageConfig) -> Log:
        """Open it."""
        self.log = Log(open_database(path, config, self.vfs))
        return self.log

    @property
    def connection(self) -> apsw.Connection:
        """To be used while the writer is idle."""
        return self.log.database.connection

    def rows(self) -> int:
        """How many rows the log has."""
        return self.connection.execute("SELECT count(*) FROM log").get
