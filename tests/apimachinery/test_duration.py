"""Durations read as kubectl writes them."""

import pytest

from llmos.apimachinery.duration import age, human_duration

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (5.9, "5s"),
        (119, "119s"),
        (120, "2m"),
        (123, "2m3s"),
        (10 * MINUTE + 30, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 4 * MINUTE, "3h4m"),
        (8 * HOUR + 30 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 3 * HOUR, "2d3h"),
        (8 * DAY + HOUR, "8d"),
        (729 * DAY, "729d"),
        (730 * DAY, "2y"),
        (733 * DAY, "2y3d"),
        (9 * 365 * DAY + 5 * DAY, "9y"),
    ],
)
def test_human_duration(seconds: float, expected: str) -> None:
    """At most two units, fewer as the time grows."""
    assert human_duration(seconds) == expected


def test_age_of_no_time() -> None:
    """No time is unknown, what is not a time is invalid."""
    assert age(None, 0) == "<unknown>"
    assert age("junk", 0) == "<invalid>"
    assert age("2026-01-01T00:00:00Z", 1767225605) == "5s"
