"""The program that is killed: it writes without end and says what was acknowledged.

``crash_child.py DATABASE WINDOW POINT COUNT``. Lines on stdout, each written at once: ``ready
REVISION``; ``ack OPERATION NAME REVISION HASH`` after an acknowledgement; ``seen REVISION`` for the
events of a watch. ``POINT`` is where the program ends itself, at the ``COUNT``-th time it passes
there; ``none`` leaves that to others.
"""

import asyncio
import hashlib
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from llmos.storage.config import StorageConfig
from llmos.storage.database import open_database
from llmos.storage.interface import Write
from llmos.storage.log import Log
from llmos.storage.sqlite import SQLiteStorage, open_storage
from llmos.watchcache.interface import Change, Event, Key

WRITERS = 8


class CrashingLog(Log):
    """A log that ends the process at a point of its work."""

    point = "none"
    count = 0

    def _pass(self, point: str) -> None:
        if point == self.point:
            type(self).count -= 1
            if self.count <= 0:
                os._exit(137)

    def _around(self, work: Callable[[], None], before: str, committing: str, after: str) -> None:
        self._pass(before)
        self.database.connection.set_commit_hook(lambda: self._pass(committing) or False)
        work()
        self._pass(after)

    def append(self, changes: Sequence[Change]) -> None:
        """Append, or die before, in or after it."""
        self._around(
            lambda: super(CrashingLog, self).append(changes),
            "before-begin",
            "before-commit",
            "after-commit",
        )

    def compact(self, after: int, to: int) -> None:
        """Compact, or die in or after it."""
        self._around(
            lambda: super(CrashingLog, self).compact(after, to),
            "before-compaction",
            "in-compaction",
            "after-compaction",
        )


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def content(name: str, revision: int) -> bytes:
    return f"{name}@{revision}".encode() + bytes(revision % 2000)


async def write(storage: SQLiteStorage, writer: int) -> None:
    """Create, update and delete four objects, mostly update, each after the other."""
    for step in itertools.count():
        name = f"object-{writer}-{step % 4}"
        key = Key("configmaps", "team-a", name)
        latest = storage.latest(key)
        delete = latest is not None and step % 19 == 0
        previous = latest.revision if latest else 0
        operation = "delete" if delete else "update" if latest else "create"
        writes = [Write(key, previous, lambda revision, name=name: content(name, revision), delete)]
        [record] = await storage.submit(writes)
        digest = hashlib.sha256(record.value).hexdigest()[:16]
        say("ack", operation, name, record.revision, digest)


def watch(events: Sequence[Event]) -> None:
    for event in events:
        say("seen", event.revision)


async def main(path: Path, window: int) -> None:
    config = StorageConfig(
        window_events=window, window_seconds=0, compaction_batch=20, wal_bytes=1 << 20
    )

    def opener(path: Path | None, config: StorageConfig) -> Log:
        return CrashingLog(open_database(path, config))

    async with open_storage(path, config, opener=opener) as storage:
        say("ready", storage.revision)
        storage.watch("configmaps", None, storage.revision, watch)
        await asyncio.gather(*(write(storage, writer) for writer in range(WRITERS)))


if __name__ == "__main__":
    CrashingLog.point, CrashingLog.count = sys.argv[3], int(sys.argv[4])
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
