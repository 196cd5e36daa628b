"""The memory of a process that serves: what the collector looks at."""

import gc

_GC_THRESHOLDS = (50_000, 20, 50)


def settle() -> None:
    """Keep the collector away from what stays for good, and let it come less often.

    Requests leave no cycles behind; a full collection over 100,000 objects would be a pause. So
    would one now, for the little that a start leaves behind.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(*_GC_THRESHOLDS)
