"""Opens the SQLite database so that a committed row survives the loss of power.

WAL with ``synchronous=FULL``; one connection, which alone may touch the file; a WAL that was grown
before the first write, because writing over blocks is faster than adding them.
"""

import contextlib
import errno
import logging
import os
from pathlib import Path

import apsw

from llmos.storage import schema
from llmos.storage.config import StorageConfig
from llmos.storage.interface import OpenError
from llmos.storage.lock import FileLock

logger = logging.getLogger(__name__)

SAFE_SQLITE = (3, 51, 3)
"""Versions before it may lose commits when a WAL is reset (sqlite.org/wal.html)."""

_WAL_LIMIT = 64 << 20  # a WAL that one huge transaction blew up is cut to this
_CHECKPOINT_PAGES = 1000  # small and inline: measured to give the shortest pauses
_STATEMENTS = 256  # one cached INSERT for each number of rows, and the rest


class Database:
    """An open connection, its lock, and the identity of its files."""

    def __init__(
        self, connection: apsw.Connection, path: Path | None, lock: FileLock | None
    ) -> None:
        self.connection = connection
        self._lock = lock
        self._directory = None if path is None else path.parent
        self.path = path
        self.wal = None if path is None else _wal(path)
        self._files = () if path is None else (path, _wal(path))
        self._modified = self._look()
        self._identity = self._identify()

    def verify(self) -> None:
        """Make sure that the files written to are still those that a restart would read.

        The files are looked at only after their directory has changed: Linux (6.13) keeps finer
        times of a file that is looked at, which makes every fdatasync of it a third slower.

        Raises:
            OSError: a file was removed or replaced.
        """
        modified = self._look()
        if modified == self._modified:
            return
        if self._replaced():
            raise OSError(errno.ESTALE, "the database was removed or replaced while in use")
        self._modified = modified

    def _look(self) -> tuple[int, int, int] | None:
        if self._directory is None:
            return None
        status = self._directory.stat()
        return status.st_dev, status.st_ino, status.st_mtime_ns

    def _replaced(self) -> bool:
        found = self._identify()
        # A disk that was full at the start has no WAL until the first write that succeeds.
        self._identity = tuple(old or new for old, new in zip(self._identity, found, strict=True))
        return found != self._identity

    def _identify(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_identity(file) for file in self._files)

    def close(self) -> None:
        """Close the database and free the lock.

        SQLite moves the WAL into the database and removes it, unless the database was taken away.
        """
        try:
            self.connection.close()
        except apsw.Error as error:
            logger.warning("the database was not closed cleanly: %s", error)
        finally:
            if self._lock:
                self._lock.release()


def open_database(path: Path | None, config: StorageConfig, vfs: str | None = None) -> Database:
    """Open or create the database at ``path``; None keeps it in memory.

    Raises:
        OpenError: it cannot be served, and why.
    """
    version = apsw.sqlite_lib_version()
    if tuple(map(int, version.split("."))) < SAFE_SQLITE:
        raise OpenError(f"SQLite {version} is too old: 3.51.3 or newer is needed")
    if path is None:
        connection = apsw.Connection(":memory:", statementcachesize=_STATEMENTS)
        schema.ensure(connection)
        return Database(connection, None, None)
    try:
        return _open_file(path, config, vfs)
    except (apsw.Error, OSError) as error:
        raise OpenError(f"{path}: cannot be opened: {error}") from error


def _open_file(path: Path, config: StorageConfig, vfs: str | None) -> Database:
    with contextlib.ExitStack() as undo:
        _make_directory(path.parent)
        lock = FileLock(path.with_name(path.name + ".lock"))
        undo.callback(lock.release)
        _make_private(path)
        connection = apsw.Connection(str(path), vfs=vfs, statementcachesize=_STATEMENTS)
        undo.callback(connection.close)
        _configure(connection)
        schema.ensure(connection)
        _extend_wal(connection, path, config.wal_bytes)
        _sync_directory(path.parent)
        undo.pop_all()
        return Database(connection, path, lock)


def _configure(connection: apsw.Connection) -> None:
    # Exclusive, before the first read: no other program can write to the file beside us.
    connection.pragma("locking_mode", "exclusive")
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("journal_size_limit", _WAL_LIMIT)
    connection.wal_autocheckpoint(_CHECKPOINT_PAGES)


def _extend_wal(connection: apsw.Connection, path: Path, size: int) -> None:
    """Grow the WAL by a row that is thrown away; its pages are left to the database as free ones.

    A full disk is no reason not to start: reads still work, and writes will say so themselves.
    """
    with contextlib.suppress(FileNotFoundError):
        if _wal(path).stat().st_size >= size:
            return
    try:
        connection.execute("DROP TABLE IF EXISTS filler; CREATE TABLE filler (space BLOB)")
        connection.execute("INSERT INTO filler VALUES (zeroblob(?))", (size,))
        connection.execute("DROP TABLE filler")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
    except apsw.FullError as error:
        logger.warning("no space to prepare the write-ahead log: %s", error)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _make_directory(path: Path) -> None:
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
        _sync_directory(path.parent)


def _make_private(path: Path) -> None:
    """Create the file, or take it from others' eyes; SQLite gives its WAL the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
