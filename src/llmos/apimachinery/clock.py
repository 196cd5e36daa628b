"""Time comes in as an argument, so that tests own it; this is what it looks like."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], float]
"""Seconds since the epoch; ``time.time`` in production."""

system_clock: Clock = time.time


def rfc3339(seconds: float) -> str:
    """A Kubernetes ``metav1.Time``: whole seconds, UTC, with a ``Z``."""
    return _rfc3339(int(seconds))


@lru_cache(maxsize=64)
def _rfc3339(seconds: int) -> str:
    """Many writes share a second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(seconds: float) -> str:
    """A Kubernetes ``metav1.MicroTime``: six digits after the point."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> float:
    """Seconds since the epoch.

    Raises:
        ValueError: the text is not an RFC 3339 time with a zone.
    """
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return parsed.timestamp()
