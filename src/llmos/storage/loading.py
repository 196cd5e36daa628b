"""At the start: the log on disk becomes what is in memory."""

import gc
import itertools
from collections.abc import Iterable

from llmos.storage.interface import OpenError
from llmos.watchcache.cacher import Cacher
from llmos.watchcache.interface import Change

_CHUNK = 1000  # rows taken in at once


def load(cacher: Cacher, rows: Iterable[Change]) -> None:
    """Take in the log; its newest rows are remembered as events too.

    The garbage collector rests: it would look at every object again and again.

    Raises:
        OpenError: a row does not follow from those before it.
    """
    rows = iter(rows)
    compacted = cacher.floor
    collecting = gc.isenabled()
    gc.disable()
    try:
        while chunk := list(itertools.islice(rows, _CHUNK)):
            cacher.replay(_checked(cacher, row, compacted) for row in chunk)
    finally:
        if collecting:
            gc.enable()


def _checked(cacher: Cacher, row: Change, compacted: int) -> Change:
    head = cacher.memory.head(row.key)
    # What a row builds on may be compacted away, but only up to where compaction came.
    if row.base != head and (head or row.base > compacted):
        raise OpenError(
            f"the log is damaged: revision {row.record.revision} of {row.key} builds on "
            f"{row.base}, not on {head}; restore a backup"
        )
    return row
