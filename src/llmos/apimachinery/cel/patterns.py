r"""What it costs to compile a regular expression, which the runtime does at every evaluation.

A few characters may stand for a large program (``\p{L}{100}``), so that the length of a pattern
says little.
"""

import re
from functools import lru_cache

from llmos.apimachinery.regex_syntax import (
    Alternate,
    Chars,
    Concat,
    Node,
    RegexError,
    Repeat,
    parse,
)

PLAIN = 8
"""Units of cost (see ``cost``) of one instruction of the program."""
_RANGE = 24
_UNICODE_CLASS = 16_000
_UNREADABLE = 1_000
_UNICODE = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)")
_BOUNDARY = re.compile(r"\\[bB]")
_STAND_IN = "\x01"
_ASCII = 128


@lru_cache(maxsize=2048)
def pattern_price(text: str) -> int:
    """Units of cost to compile a text as a pattern; 0 where its length says enough."""
    if "{" not in text and "\\" not in text:
        return 0
    try:
        return _price(parse(_BOUNDARY.sub("", _UNICODE.sub(_STAND_IN, text))))
    except (RegexError, RecursionError):
        return len(text) * (_UNREADABLE if "{" in text else PLAIN) + (
            _UNICODE_CLASS * len(_UNICODE.findall(text))
        )


def _price(node: Node) -> int:
    match node:
        case Chars(ranges=ranges):
            if ranges == ((1, 1),):
                return _UNICODE_CLASS
            return PLAIN + _RANGE * sum(high >= _ASCII for _, high in ranges)
        case Concat(parts=parts) | Alternate(parts=parts):
            return PLAIN + sum(_price(each) for each in parts)
        case Repeat(body=body, least=least, most=most):
            return PLAIN + _price(body) * max(1, least, most or 0)
        case _:
            return PLAIN
