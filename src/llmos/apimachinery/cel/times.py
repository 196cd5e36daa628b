"""Times and lengths of time as JSON spells them, read into what the runtime takes."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_FRACTION = re.compile(r"\.(\d{6})\d+")


def read_timestamp(text: str) -> datetime:
    """An RFC 3339 time, or a date, which is its midnight in UTC; finer than a microsecond is cut.

    Raises:
        ValueError: it is neither.
    """
    found = datetime.fromisoformat(_FRACTION.sub(r".\1", text.upper()))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def read_duration(text: str) -> timedelta:
    """A length of time as Go writes it: ``1h30m``.

    Raises:
        ValueError: it is none.
    """
    sign = -1 if text.startswith("-") else 1
    body = text.lstrip("+-")
    if body != "0" and not re.fullmatch(rf"(?:{_PART.pattern})+", body):
        raise ValueError(f"time: invalid duration {text!r}")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(body))
    return timedelta(seconds=sign * seconds)
