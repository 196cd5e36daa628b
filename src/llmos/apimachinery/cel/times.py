"""Times as texts that the runtime reads: it gives times to Python, and takes none back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def as_timestamp(text: str) -> str:
    """An RFC 3339 time; a date is its midnight in UTC."""
    return f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text.upper()


def as_texts(value: Any) -> Any:
    """A value in which texts stand for times and lengths of time."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.6f}s"
    if isinstance(value, list):
        return [as_texts(each) for each in value]
    if isinstance(value, dict):
        return {key: as_texts(each) for key, each in value.items()}
    return value
