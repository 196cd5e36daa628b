"""Scalars with a codec of their own in Go: times, base64, int-or-string, numbers.

Each function takes the JSON value and gives back what Go would write again. Errors are in the
words of Go's ``time``, ``encoding/base64`` and ``encoding/json``.
"""

import base64
import binascii
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from llmos.apimachinery.golang import json_type, quote

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
_SECONDS = "2006-01-02T15:04:05Z07:00"
_MICROS = "2006-01-02T15:04:05.000000Z07:00"
_ZERO_TIME = "0001-01-01T00:00:00Z"
_FRACTION = re.compile(r"[.,][0-9]+")
_DATE_STEPS = [
    ("2006", re.compile(r"[0-9]{4}")),
    ("-", re.compile("-")),
    ("01", re.compile(r"[0-9]{2}")),
    ("-", re.compile("-")),
    ("02", re.compile(r"[0-9]{2}")),
    ("T", re.compile("T")),
    ("15", re.compile(r"[0-9]{1,2}")),
    (":", re.compile(":")),
    ("04", re.compile(r"[0-9]{2}")),
    (":", re.compile(":")),
    ("05", re.compile(r"[0-9]{2}")),
]
_MICRO_STEP = (".000000", re.compile(r"[.,][0-9]{6}"))
_ZONE_STEP = ("Z07:00", re.compile(r"Z|[-+][0-9]{2}:[0-9]{2}"))
_RANGES = ((5, "month", 1, 12), (8, "day", 1, 31), (11, "hour", 0, 23))
_LONGEST_KNOWN = 40
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


class GoValueError(ValueError):
    """The value is not what the type reads; the text is Go's."""


def time(value: Any) -> str | None:
    """A ``metav1.Time``: any RFC 3339 time in, whole seconds in UTC out; None for zero.

    Raises:
        GoValueError: it is not one.
    """
    text = _string(value)
    moment = _moment(text, _SECONDS)
    if text == _ZERO_TIME:
        return None
    if _PLAIN.fullmatch(text):
        return text
    return moment.replace(tzinfo=None, microsecond=0).isoformat("T") + "Z"


def micro_time(value: Any) -> str | None:
    """A ``metav1.MicroTime``: exactly six digits after the point; None for zero.

    Raises:
        GoValueError: it is not one.
    """
    moment = _moment(_string(value), _MICROS)
    plain = moment.replace(tzinfo=None)
    if plain == datetime.min:  # noqa: DTZ901 - compared with another time of no zone
        return None
    return plain.isoformat("T", "microseconds") + "Z"


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise GoValueError(
            f"json: cannot unmarshal {json_type(value)} into Go value of type string"
        )
    return value


def _moment(text: str, layout: str) -> datetime:
    """Read a time; each object brings some that were read before."""
    return _known_moment(text, layout) if len(text) <= _LONGEST_KNOWN else _read(text, layout)


@lru_cache(maxsize=1024)
def _known_moment(text: str, layout: str) -> datetime:
    return _read(text, layout)


def _read(text: str, layout: str) -> datetime:
    rest = text
    steps = [*_DATE_STEPS, _MICRO_STEP, _ZONE_STEP] if layout == _MICROS else _DATE_STEPS
    for name, pattern in steps:
        rest = _step(text, layout, rest, name, pattern)
    if layout == _SECONDS:
        fraction = _FRACTION.match(rest)
        rest = rest[fraction.end() :] if fraction else rest
        rest = _step(text, layout, rest, *_ZONE_STEP)
    if rest:
        raise GoValueError(f"parsing time {quote(text)}: extra text: {quote(rest)}")
    try:
        return datetime.fromisoformat(text.replace(",", ".")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GoValueError(f"parsing time {quote(text)}: {_out_of_range(text)}") from None


def _step(text: str, layout: str, rest: str, name: str, pattern: "re.Pattern[str]") -> str:
    match = pattern.match(rest)
    if match is None:
        raise GoValueError(
            f"parsing time {quote(text)} as {quote(layout)}: "
            f"cannot parse {quote(rest)} as {quote(name)}"
        )
    return rest[match.end() :]


def _out_of_range(text: str) -> str:
    for start, name, low, high in _RANGES:
        part = text[start : start + 2]
        if part.isdigit() and not low <= int(part) <= high:
            return f"{name} out of range"
    return "day out of range"


def base64_bytes(value: str) -> str:
    """Base64 text in, the canonical text of the same bytes out.

    Raises:
        GoValueError: it is not base64.
    """
    text = value.replace("\n", "").replace("\r", "")
    try:
        return base64.b64encode(binascii.a2b_base64(text, strict_mode=True)).decode()
    except ValueError:
        at = _illegal_base64(text)
        raise GoValueError(f"illegal base64 data at input byte {at}") from None


def _illegal_base64(text: str) -> int:
    """Where Go's decoder stops."""
    for at, character in enumerate(text):
        if character in _ALPHABET:
            continue
        if character != "=" or at % 4 < 2:
            return at
        if at % 4 == 2 and text[at + 1 : at + 2] != "=":
            return at + 1
        return at + (2 if at % 4 == 2 else 1)
    return len(text) - len(text) % 4


def int_or_string(value: Any) -> int | str:
    """An ``intstr.IntOrString``.

    Raises:
        GoValueError: it is neither an int32 nor a string.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and INT32[0] <= value <= INT32[1]:
        return value
    raise GoValueError(f"json: cannot unmarshal {number_text(value)} into Go value of type int32")


def number_text(value: Any) -> str:
    """What ``encoding/json`` calls a value that does not fit a number."""
    kind = json_type(value)
    return f"{kind} {value!r}" if kind == "number" else kind
