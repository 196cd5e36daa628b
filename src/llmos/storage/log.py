"""The log on disk: appending, reading and cutting it. Called by the writer's thread after start."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import apsw

from llmos.storage.config import StorageConfig
from llmos.storage.database import Database, open_database
from llmos.watchcache.interface import Change, Key, Record


class Meta(NamedTuple):
    """What the log knows about itself."""

    revision: int
    """The highest revision there ever was."""
    compacted: int
    """The log has every change after this one."""
    epoch: int
    """Grows when an older state is restored: the same revision then means something else."""


_ROWS = 64  # in one statement; measured: more is not faster

_INSERT = "INSERT INTO log (revision, resource, namespace, name, previous, deleted, value) VALUES "
_SUPERSEDED = """
DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > ? AND revision <= ?)
"""
_TOMBSTONES = "DELETE FROM log WHERE deleted = 1 AND revision > ? AND revision <= ?"
_MARK = """
UPDATE meta SET value = max(value, (SELECT coalesce(max(revision), 0) FROM log))
WHERE name = 'revision'
"""
_READ = "SELECT revision, resource, namespace, name, previous, deleted, value FROM log ORDER BY 1"


class Log:
    """The append-only log in its database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._connection = database.connection
        self.rows = 0
        """How many there are, once they were read."""

    def append(self, changes: Sequence[Change]) -> None:
        """Make the changes durable, all or none.

        Up to 64 rows are one statement, which is a transaction of its own: the thread then gives
        the interpreter up once and takes it back once, however busy the event loop is.

        Raises:
            apsw.Error: SQLite refused.
            OSError: the file is not the one we opened.
        """
        if len(changes) <= _ROWS:
            self._insert(changes)
        else:
            with self._transaction():
                for start in range(0, len(changes), _ROWS):
                    self._insert(changes[start : start + _ROWS])
        self.rows += len(changes)
        self.database.verify()

    def _insert(self, changes: Sequence[Change]) -> None:
        values: list[str | int | bytes] = []
        for key, record, base, deleted in changes:
            values += (record.revision, *key, base, int(deleted), record.value)
        self._connection.execute(_insert(len(changes)), values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # some errors have rolled back already
                with contextlib.suppress(apsw.Error):
                    self._connection.execute("ROLLBACK")
            raise

    def compact(self, after: int, to: int) -> None:
        """Remove what only revisions up to ``to`` need; ``after`` is where the last call ended.

        A row goes when its successor is not after ``to``, a deletion when it is not itself, so the
        newest row of a living key always stays. The highest revision is written down first.
        """
        with self._transaction():
            self._connection.execute(_MARK)
            removed = 0
            for statement in (_SUPERSEDED, _TOMBSTONES):
                self._connection.execute(statement, (after, to))
                removed += self._connection.changes()
            self._connection.execute("UPDATE meta SET value = ? WHERE name = 'compacted'", (to,))
        self.rows -= removed

    def meta(self) -> Meta:
        """Read what the log knows about itself."""
        known = dict(self._connection.execute("SELECT name, value FROM meta"))
        newest = self._connection.execute("SELECT max(revision) FROM log").get or 0
        return Meta(max(known["revision"], newest), known["compacted"], known["epoch"])

    def read(self) -> Iterator[Change]:
        """Every row, in the order of revisions."""
        for revision, resource, namespace, name, base, deleted, value in self._connection.execute(
            _READ
        ):
            self.rows += 1
            yield Change(
                Key(resource, namespace, name), Record(revision, value), base, deleted == 1
            )

    def close(self) -> None:
        """Close the database."""
        self.database.close()


@cache
def _insert(rows: int) -> str:
    return _INSERT + ",".join(["(?,?,?,?,?,?,?)"] * rows)


OpenLog = Callable[[Path | None, StorageConfig], Log]
"""How a storage gets its log; tests hand in one whose disk fails."""


def open_log(path: Path | None, config: StorageConfig) -> Log:
    """Open or create the log at ``path``.

    Raises:
        OpenError: it cannot be served.
    """
    return Log(open_database(path, config))
