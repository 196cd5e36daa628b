"""What the storage has to tell of itself: how much it holds, and how its writes go."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llmos.apimachinery.measures import Family, Histogram, counter, gauge

_BOUNDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip


@dataclass(slots=True)
class Measured:
    """Counted by the writer's thread, read by any."""

    commits: Histogram = field(default_factory=lambda: Histogram(_BOUNDS))
    failures: int = 0
    compactions: int = 0


def write_families(measured: Measured) -> Iterator[Family]:
    """How writing goes."""
    yield Family(
        "llmos_storage_commit_duration_seconds",
        "histogram",
        "How long it takes to make a batch of writes durable.",
        (),
        [((), measured.commits.copy())],
    )
    yield counter(
        "llmos_storage_write_failures_total",
        "Batches of writes, and steps of compaction, that failed.",
        measured.failures,
    )
    yield counter(
        "llmos_storage_compactions_total",
        "Steps in which old revisions were cut off the log.",
        measured.compactions,
    )


def file_families(database: Path | None, wal: Path | None) -> Iterator[Family]:
    """How much of the disk is used; nothing for a database in memory.

    The files are looked at, and never opened: closing one of them would take SQLite's locks away.
    """
    sizes = {"database": database, "wal": wal}
    found = Family(
        "llmos_storage_file_bytes", "gauge", "Size of a file of the database.", ("file",)
    )
    for name, path in sizes.items():
        if path is not None:
            with contextlib.suppress(OSError):
                found.add(path.stat().st_size, name)
    yield found


def log_families(rows: int, revision: int, compacted: int, writable: bool) -> Iterator[Family]:
    """What the log holds."""
    yield gauge("llmos_storage_rows", "Rows of the log, past states included.", rows)
    yield gauge("llmos_storage_revision", "The newest committed revision.", revision)
    yield gauge(
        "llmos_storage_compacted_revision",
        "The revision up to which old states were cut off the log.",
        compacted,
    )
    yield gauge(
        "llmos_storage_writable", "Whether the last attempt to write succeeded.", int(writable)
    )
