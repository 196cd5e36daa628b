"""How large a value is, in the three numbers that the cost of an evaluation depends on."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from llmos.apimachinery.cel.patterns import pattern_price

MAX_WEIGHT = 8_000_000
"""Past this a value is not even measured to its end."""
_NODE = 8
_MAX_PATTERN = 1_000
"""Longer texts are too costly as patterns by their length alone."""


class Size(NamedTuple):
    """An upper bound of a value, taken with all that is in it."""

    items: int
    """Elements of its longest list or map."""
    longest: int
    """Bytes of its longest text."""
    weight: int
    """Bytes of everything, a few for each value."""
    pattern: int = 0
    """Units of cost to compile the worst of its texts as a regular expression."""


SCALAR = Size(0, 0, _NODE)


def rounded(size: Size) -> Size:
    """The next size whose numbers have three binary digits, and zeros."""
    return Size(*map(_rounded, size))


def _rounded(number: int) -> int:
    zeros = max(number.bit_length() - 3, 0)
    return -(-number >> zeros) << zeros


@dataclass(slots=True)
class Measured:
    """What a look at a value found."""

    size: Size
    nodes: int
    """How many values there are in it."""
    clean: bool
    """Whether every text may be handed to the runtime as it is."""


def measure(value: Any) -> Measured:
    """Look at all of a JSON value; stops where it is far too large anyway."""
    items = longest = weight = nodes = pattern = 0
    clean = True
    todo = [value]
    while todo and weight <= MAX_WEIGHT:
        each = todo.pop()
        weight += _NODE
        nodes += 1
        kind = type(each)
        if kind is str:
            length = len(each) if each.isascii() else 4 * len(each)
            weight += length
            longest = max(longest, length)
            clean = clean and _is_clean(each)
            if ("{" in each or "\\" in each) and length <= _MAX_PATTERN:
                pattern = max(pattern, pattern_price(each))
        elif kind is dict:
            items = max(items, len(each))
            todo.extend(each)
            todo.extend(each.values())
        elif kind is list:
            items = max(items, len(each))
            todo.extend(each)
    return Measured(Size(items, longest, weight, pattern), nodes, clean)


def _is_clean(text: str) -> bool:
    """The runtime ends texts at a zero, and dies of half a surrogate pair."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def cleaned(value: Any) -> Any:
    """A copy in which U+FFFD stands for every character that the runtime cannot take."""
    if isinstance(value, str):
        text = value.replace("\0", "\ufffd")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {cleaned(key): cleaned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [cleaned(each) for each in value]
    return value
