"""What can be set about the storage; the defaults are what production uses."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """Limits of the watch window and the sizes the log works in."""

    window_events: int = 10_000
    """As many of the newest events are always remembered, while ``window_bytes`` allows."""
    window_seconds: float = 300.0
    """Events younger than this are remembered too, while ``window_bytes`` allows."""
    window_bytes: int = 64 * MIB
    """The memory the window may take, whatever the other two say."""
    snapshots: int = 8
    """How many lists of the past are kept, so that the pages of one walk are cut from one list."""
    wal_bytes: int = 8 * MIB
    """To what size the write-ahead log is grown at the start: overwriting is faster than growing.
    It is twice the 1,000 pages after which SQLite begins to overwrite."""
    compaction_batch: int = 500
    """How many revisions one step of compaction covers: what a write may have to wait for."""
    compaction_lag: int = 50_000
    """From how many revisions behind compaction no longer waits for an idle moment."""
