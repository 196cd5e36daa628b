"""What the storage does with its files, and when the disk fails it."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from llmos.storage import schema
from llmos.storage.config import StorageConfig
from llmos.storage.database import open_database
from llmos.storage.interface import ConflictError, OpenError, UnavailableError
from llmos.storage.log import open_log
from llmos.storage.sqlite import open_storage
from storage.tools import USUAL, Kept, Received, fill, key, names, put, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "llmos.db"


def test_a_commit_is_durable(path: Path) -> None:
    """Nothing less than WAL with FULL keeps an acknowledged write through a loss of power."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, USUAL, opener=kept):
            assert kept.connection.pragma("synchronous") == 2
            assert kept.connection.pragma("journal_mode") == "wal"
            assert kept.connection.pragma("locking_mode") == "exclusive"
            assert kept.connection.pragma("wal_autocheckpoint") == 1000

    asyncio.run(check())


def test_files_are_private(path: Path) -> None:
    """Secrets are in these files: nobody else reads them, whatever the umask was."""
    path.parent.mkdir()
    path.touch(mode=0o644)
    path.chmod(0o644)

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            await put(storage, "a")
            for file in path.parent.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
            assert {file.name for file in path.parent.iterdir()} == {
                "llmos.db",
                "llmos.db-wal",
                "llmos.db.lock",
            }

    asyncio.run(check())


def test_the_wal_is_grown_once(path: Path) -> None:
    """The WAL has its size before the first write, and what grew it is gone."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, StorageConfig(wal_bytes=1 << 20), opener=kept):
            assert path.with_name("llmos.db-wal").stat().st_size >= 1 << 20
            tables = [row[0] for row in kept.connection.execute("SELECT name FROM sqlite_schema")]
            assert "filler" not in tables
        assert not path.with_name("llmos.db-wal").exists()

    asyncio.run(check())


def test_an_old_sqlite_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite before 3.51.3 may lose commits."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(OpenError, match=r"3\.51\.3"):
        open_log(path, USUAL)


def test_a_second_opening_is_refused(path: Path) -> None:
    """Two storages on the same data would both give out the same revisions."""
    first = open_log(path, USUAL)
    program = (
        "import sys, pathlib; from llmos.storage.log import open_log; "
        "from llmos.storage.config import StorageConfig; "
        "open_log(pathlib.Path(sys.argv[1]), StorageConfig())"
    )
    command = [sys.executable, "-c", program, str(path)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"in use by another llmos (process {os.getpid()})" in second.stderr
    with pytest.raises(OpenError, match="in use"):
        open_log(path, USUAL)
    first.close()
    open_log(path, USUAL).close()


def test_no_other_program_writes_beside_us(path: Path) -> None:
    """A shell on the database while the storage runs is locked out."""
    first = open_log(path, USUAL)
    with pytest.raises(apsw.BusyError):
        apsw.Connection(str(path)).execute("SELECT * FROM meta").fetchall()
    first.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE meta SET value = 2 WHERE name = 'format'", "has format 2 and this llmos knows"),
        ("DELETE FROM meta", "has format None"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
def test_unknown_data_is_refused(path: Path, change: str, message: str) -> None:
    """Data of a newer or foreign program is left alone, and the message says what to do."""
    open_log(path, USUAL).close()
    connection = apsw.Connection(str(path))
    connection.execute(change)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(OpenError, match=message):
        open_log(path, USUAL)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused(path: Path) -> None:
    """A file of another kind is refused with its path, and so is a directory."""
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(OpenError, match=r"llmos\.db: cannot be opened"):
        open_log(path, USUAL)
    with pytest.raises(OpenError, match="cannot be opened"):
        open_log(path.parent, USUAL)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM log WHERE revision = 3",
        "UPDATE log SET previous = 7 WHERE revision = 4",
        "UPDATE log SET name = 'b' WHERE revision = 3",
    ],
)
def test_a_log_with_a_hole_is_refused(path: Path, damage: str) -> None:
    """A row that does not follow from those before it is noticed at the start."""

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            await fill(storage, 5)
        connection = apsw.Connection(str(path))
        connection.execute(damage)
        connection.close()
        with pytest.raises(OpenError, match="the log is damaged: revision"):
            async with open_storage(path, USUAL):
                pass
        open_log(path, USUAL).close()  # the lock is free again

    asyncio.run(check())


def test_a_full_disk_refuses_writes_and_recovers(path: Path) -> None:
    """Writes fail and leave no trace, reads go on, and space is all it takes to write again."""

    async def check() -> None:
        kept = Kept()
        async with open_storage(path, USUAL, opener=kept) as storage:
            received = Received()
            storage.watch("configmaps", None, storage.revision, received)
            revision = await put(storage, "a")
            pages = kept.connection.pragma("max_page_count")
            kept.connection.pragma("max_page_count", kept.connection.pragma("page_count"))
            big = "x" * 300_000
            failing = [
                storage.submit([write("a", revision, text=big)]),
                storage.submit([write("a", revision + 1)]),
                storage.submit([write("b", text=big)]),
            ]
            for each in failing:
                with pytest.raises(UnavailableError, match="full"):
                    await each
            assert not storage.healthy
            assert "full" in storage.reason
            assert storage.latest(key("a")).revision == revision
            assert storage.latest(key("b")) is None
            assert storage.get(key("a")).revision == revision
            assert names(storage) == ["a"]
            kept.connection.pragma("max_page_count", pages)
            with pytest.raises(ConflictError):
                storage.submit([write("a", revision + 1)])
            later = await put(storage, "a", revision, text=big)
            assert later > revision + 3
            assert storage.healthy
            assert storage.reason == ""
            assert [event.revision for event in received] == [revision, later]
        async with open_storage(path, USUAL) as storage:
            assert storage.get(key("a")).revision == later

    asyncio.run(check())


def test_a_full_disk_does_not_prevent_a_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no space to grow the WAL the storage still serves what it has."""

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            await put(storage, "a")
        ensure = schema.ensure

        def ensure_on_a_full_disk(connection: apsw.Connection) -> None:
            ensure(connection)
            connection.pragma("max_page_count", 1)

        monkeypatch.setattr(schema, "ensure", ensure_on_a_full_disk)
        async with open_storage(path, StorageConfig()) as storage:
            assert names(storage) == ["a"]

    asyncio.run(check())


class FailingFile(apsw.VFSFile):
    """A file whose writes or fsyncs fail on demand."""

    fail: str = ""

    def xSync(self, flags: int) -> None:  # noqa: N802 - the name is SQLite's
        """Write what the system holds back."""
        if FailingFile.fail == "sync":
            raise apsw.IOError
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - the name is SQLite's
        """Write."""
        if FailingFile.fail == "write":
            raise apsw.IOError
        super().xWrite(data, offset)


class FailingDisk(apsw.VFS):
    """A file system of failing files."""

    def __init__(self) -> None:
        super().__init__("failing", "")

    def xOpen(self, name, flags):  # noqa: N802 - the name is SQLite's
        """Open a file."""
        return FailingFile("", name, flags)


@pytest.mark.parametrize("fault", ["sync", "write"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_after_an_io_error_nothing_is_written(
    path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an error left on the disk is unknown: the storage only reads until it is restarted."""
    disk = FailingDisk()

    async def check() -> None:
        async with open_storage(path, USUAL, opener=Kept("failing")) as storage:
            revision = await put(storage, "a")
            monkeypatch.setattr(FailingFile, "fail", fault)
            with pytest.raises(UnavailableError):
                await storage.submit([write("b")])
            monkeypatch.setattr(FailingFile, "fail", "")
            assert not storage.healthy
            assert storage.reason
            with pytest.raises(UnavailableError):
                storage.submit([write("c")])
            await storage.settled()
            assert names(storage) == ["a"]
            assert storage.latest(key("b")) is None
        async with open_storage(path, USUAL) as storage:
            assert storage.get(key("a")).revision == revision
            assert storage.healthy
            await put(storage, "c")

    asyncio.run(check())
    disk.unregister()


@pytest.mark.parametrize("how", ["moved", "removed", "replaced", "without-wal", "directory"])
def test_a_database_taken_away_is_noticed(path: Path, how: str) -> None:
    """A write to files that a restart would not read is not acknowledged."""

    def take() -> None:
        if how == "moved":
            path.rename(path.with_name("elsewhere.db"))
        elif how == "removed":
            path.unlink()
        elif how == "replaced":
            path.unlink()
            path.write_bytes(b"")
        elif how == "without-wal":
            path.with_name("llmos.db-wal").unlink()
        else:
            path.parent.rename(path.parent.with_name("elsewhere"))

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            await put(storage, "a")
            path.with_name("notes.txt").touch()
            await put(storage, "b")
            take()
            with pytest.raises(UnavailableError, match=r"removed or replaced|No such file"):
                await storage.submit([write("c")])
            assert names(storage) == ["a", "b"]

    asyncio.run(check())


def test_a_foreign_wal_is_not_removed(path: Path) -> None:
    """Where another database took our place, the end of ours leaves its WAL alone."""

    def replace() -> None:
        path.parent.rename(path.parent.with_name("elsewhere"))
        path.parent.mkdir()
        path.touch()
        path.with_name("llmos.db-wal").write_bytes(b"theirs")

    async def check() -> None:
        async with open_storage(path, USUAL) as storage:
            await put(storage, "a")
            replace()
        assert path.with_name("llmos.db-wal").read_bytes() == b"theirs"

    asyncio.run(check())


def test_in_memory_there_are_no_files() -> None:
    """There is nothing to lock, to verify or to leave behind."""
    database = open_database(None, USUAL)
    database.verify()
    database.close()
