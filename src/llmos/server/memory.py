"""The memory of a process that serves: what the collector looks at, and what is given back."""

import contextlib
import ctypes
import gc

_GC_THRESHOLDS = (50_000, 20, 50)
_MIB = 1 << 20
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's ``mallopt``."""


def return_large_blocks() -> None:
    """Have blocks of 16 MiB and more given back to the machine once they are free.

    The hash of a password takes 19 MiB for a moment. glibc takes the first of them for a sign that
    such blocks are needed all the time, and keeps one for each thread. Answers are smaller, and
    are made all the time indeed. Other C libraries know no such parameter.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 16 * _MIB)
        mallopt(_TRIM_THRESHOLD, 32 * _MIB)


def settle() -> None:
    """Keep the collector away from what stays for good, and let it come less often.

    Requests leave no cycles behind; a full collection over 100,000 objects would be a pause. So
    would one now, for the little that a start leaves behind.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(*_GC_THRESHOLDS)
