"""Times as schemas know them, spelled as the runtime reads them."""

import re

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def as_timestamp(text: str) -> str:
    """An RFC 3339 time; a date is its midnight in UTC."""
    return f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text.upper()
