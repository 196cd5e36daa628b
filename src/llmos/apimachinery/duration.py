"""How long ago, as kubectl prints it: ``5s``, ``2m3s``, ``3h4m``, ``2d3h``, ``2y3d``.

Source: k8s.io/apimachinery/pkg/util/duration (HumanDuration). Used by table columns.
"""

from typing import Any

from llmos.apimachinery.clock import parse_rfc3339

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY
_STEPS = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)
"""Below how many seconds: the unit and its letter, and the smaller unit said besides (0: none)."""


def human_duration(seconds: float) -> str:
    """A duration in at most two units; ``<invalid>`` for one that is clearly negative."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    for limit, unit, letter, small, small_letter in _STEPS:
        if whole < limit:
            rest = whole % unit // small if small else 0
            return f"{whole // unit}{letter}" + (f"{rest}{small_letter}" if rest else "")
    return f"{whole // _YEAR}y"


def age(timestamp: Any, now: float) -> str:
    """How long ago an RFC 3339 time was; ``<unknown>`` for none, ``<invalid>`` for no time."""
    if not timestamp:
        return "<unknown>"
    try:
        return human_duration(now - parse_rfc3339(timestamp))
    except (ValueError, TypeError):
        return "<invalid>"
