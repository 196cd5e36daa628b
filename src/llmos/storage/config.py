"""What can be set about the storage; the defaults are what production uses."""

from dataclasses import dataclass

from llmos.watchcache.config import MIB, WindowConfig


@dataclass(frozen=True, slots=True)
class StorageConfig(WindowConfig):
    """Limits of the watch window and the sizes the log works in."""

    wal_bytes: int = 8 * MIB
    """To what size the write-ahead log is grown at the start: overwriting is faster than growing.
    It is twice the 1,000 pages after which SQLite begins to overwrite."""
    compaction_batch: int = 500
    """How many revisions one step of compaction covers: what a write may have to wait for."""
    compaction_lag: int = 50_000
    """From how many revisions behind compaction no longer waits for an idle moment."""
