"""The tables on disk, and the check that this program knows them.

``log`` holds one row a change: its row id is the resourceVersion, and the unique index over the key
and the revision built upon lets the database itself refuse a lost update. ``previous`` of the row
that creates a key again is the revision of its deletion, so every key is one chain.
"""

import apsw

from llmos.storage.interface import OpenError

FORMAT = 1
APPLICATION_ID = 0x6C6C6D6F  # "llmo", so that a foreign database is never taken for ours

FIRST_REVISION = 1
"""Where a new log stands before its first write: a list of nothing needs a version to name too."""

_CREATE = """
CREATE TABLE log (
  revision  INTEGER PRIMARY KEY,
  resource  TEXT    NOT NULL,
  namespace TEXT    NOT NULL,
  name      TEXT    NOT NULL,
  previous  INTEGER NOT NULL,
  deleted   INTEGER NOT NULL,
  value     BLOB    NOT NULL,
  UNIQUE (resource, namespace, name, previous)
) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
_META = "INSERT INTO meta (name, value) VALUES (?, ?)"


def ensure(connection: apsw.Connection) -> None:
    """Make the tables in an empty database, or check those that are there.

    Raises:
        OpenError: the database is not ours, or of a newer format.
    """
    if connection.pragma("schema_version") == 0:
        _create(connection)
    if connection.pragma("application_id") != APPLICATION_ID:
        raise OpenError("the file is a database of another program")
    found = connection.execute("SELECT value FROM meta WHERE name = 'format'").get
    if found != FORMAT:
        raise OpenError(
            f"the data has format {found} and this llmos knows format {FORMAT}: "
            "start the version of llmos that wrote it, or a newer one"
        )


def _create(connection: apsw.Connection) -> None:
    """Make the tables, all or none of them."""
    meta = {"format": FORMAT, "epoch": 1, "revision": FIRST_REVISION, "compacted": 0}
    with connection:
        connection.execute(_CREATE)
        connection.executemany(_META, meta.items())
        connection.pragma("application_id", APPLICATION_ID)
