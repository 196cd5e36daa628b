"""A process that is killed while it writes loses nothing it acknowledged (C1, C2, C4)."""

import asyncio
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llmos.storage.config import StorageConfig
from llmos.storage.log import open_log
from llmos.storage.sqlite import SQLiteStorage, open_storage
from llmos.watchcache.interface import Key
from storage.tools import Received

CHILD = Path(__file__).with_name("crash_child.py")
EVERYTHING = StorageConfig(window_bytes=1 << 30, wal_bytes=1 << 20)

pytestmark = pytest.mark.slow


@dataclass
class Acknowledged:
    """What all the killed processes said, one after the other."""

    newest: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    """By name: operation, revision and hash of the last acknowledged write."""
    revisions: set[int] = field(default_factory=set)
    highest: int = 0

    def take(self, output: str) -> list[tuple[str, str, int, str]]:
        """Read one process's lines; the last may be torn."""
        lines = [line.split() for line in output.rpartition("\n")[0].splitlines()]
        started = next((int(line[1]) for line in lines if line[0] == "ready"), self.highest)
        assert started >= self.highest, "the revision fell"
        seen = [int(line[1]) for line in lines if line[0] == "seen"]
        assert seen == list(range(started + 1, started + 1 + len(seen))), "a watch has a gap"
        acks = [(o, n, int(r), h) for word, o, n, r, h in (x for x in lines if x[0] == "ack")]
        for operation, name, revision, digest in acks:
            assert revision not in self.revisions, "a revision was used twice"
            assert revision > started
            self.revisions.add(revision)
            self.newest[name] = operation, revision, digest
        self.highest = max([self.highest, *seen, *(revision for _, _, revision, _ in acks)])
        return acks


def run_until_killed(path: Path, window: int, after: float) -> str:
    """Start the writing process, kill it some seconds after it is ready, give its output."""
    command = [sys.executable, str(CHILD), str(path), str(window), "none", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        ready = child.stdout.readline()
        killer = threading.Timer(after, os.kill, (child.pid, signal.SIGKILL))
        killer.start()
        output = child.stdout.read()
        killer.join()
    assert child.returncode == -signal.SIGKILL
    return (ready + output).decode()


def run_until_point(path: Path, point: str, count: int) -> str:
    """Start the writing process and let it end itself."""
    command = [sys.executable, str(CHILD), str(path), "50", point, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=20)
    assert done.returncode == 137
    return done.stdout.decode()


def check(
    storage: SQLiteStorage, known: Acknowledged, acks: list[tuple[str, str, int, str]]
) -> None:
    """Every acknowledged write is there, or what was written over it."""
    assert storage.revision >= known.highest, "acknowledged writes are lost"
    floor = max(storage._cacher.floor, 1)  # a new log stands at 1
    events = Received()
    storage.watch("configmaps", None, floor, events).close()
    assert [each.revision for each in events] == list(range(floor + 1, storage.revision + 1))
    by_revision = {each.revision: each for each in events}
    for operation, name, revision, digest in acks:
        if revision > floor:
            event = by_revision[revision]
            assert event.key.name == name
            assert hashlib.sha256(event.value).hexdigest()[:16] == digest
            assert (event.type == "DELETED") == (operation == "delete")
    for name, (operation, revision, digest) in known.newest.items():
        record = storage.get(Key("configmaps", "team-a", name))
        later = any(e.revision > revision and e.key.name == name for e in events)
        if record is None:
            assert operation == "delete" or later
        elif record.revision == revision:
            assert hashlib.sha256(record.value).hexdigest()[:16] == digest
        else:
            assert record.revision > revision
            assert later


def verify(path: Path, known: Acknowledged, output: str) -> None:
    """Open what the killed process left, look at every promise, and write once more."""
    acks = known.take(output)
    log = open_log(path, EVERYTHING)
    assert log.database.connection.pragma("integrity_check") == "ok"
    log.close()

    async def look() -> None:
        begin = time.monotonic()
        async with open_storage(path, EVERYTHING) as storage:
            assert time.monotonic() - begin < 2
            check(storage, known, acks)
            known.highest = storage.revision

    asyncio.run(look())


def test_kill_at_any_moment(tmp_path: Path) -> None:
    """Twenty processes are killed while eight writers write; nothing acknowledged is lost."""
    seed = random.randrange(1 << 32)
    print("seed", seed)  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    known = Acknowledged()
    path = tmp_path / "llmos.db"
    for cycle in range(20):
        window = 200 if cycle % 2 else 100_000
        verify(path, known, run_until_killed(path, window, chance.uniform(0.005, 0.3)))
    assert len(known.revisions) > 1000


@pytest.mark.parametrize(
    "point",
    [
        "before-begin",
        "before-commit",
        "after-commit",
        "before-compaction",
        "in-compaction",
        "after-compaction",
    ],
)
def test_end_at_a_point(tmp_path: Path, point: str) -> None:
    """Where a process ends around its commits makes no difference."""
    known = Acknowledged()
    path = tmp_path / "llmos.db"
    for count in (1, 5, 30):
        verify(path, known, run_until_point(path, point, count))
    assert known.revisions


def test_a_commit_that_nobody_heard_of_is_whole(tmp_path: Path) -> None:
    """After COMMIT and before the acknowledgement the write is there, and its revision is used."""
    path = tmp_path / "llmos.db"
    output = run_until_point(path, "after-commit", 1)
    assert "ack" not in output

    async def look() -> None:
        async with open_storage(path, EVERYTHING) as storage:
            assert storage.revision > 1
            assert len(storage.list("configmaps").items) == storage.revision - 1

    asyncio.run(look())
    output = run_until_point(tmp_path / "other.db", "before-commit", 1)
    assert output == "ready 1\n"
