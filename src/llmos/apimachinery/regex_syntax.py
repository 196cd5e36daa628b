"""Reads RE2 patterns, the language of ``pattern`` in CRD schemas, into a small tree.

Only what can be matched in linear time is there: no look-around, no back-reference. Multi-line
mode, word boundaries and classes of Unicode scripts are refused as well. Source:
https://github.com/google/re2/wiki/Syntax. Used by ``apimachinery.regex``.
"""

from dataclasses import dataclass

Ranges = tuple[tuple[int, int], ...]
"""Code points, both ends included."""

_LAST = 0x10FFFF
_MAX_DEPTH = 100
_MAX_REPEAT = 1000
_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "digit": _DIGIT,
    "lower": ((97, 122),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROL = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}


class RegexError(ValueError):
    """The pattern is not of the language; the message is worded as Go words it."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of ranges."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Concat:
    """One after the other; of nothing, the empty match."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Alternate:
    """One of several."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """So many times; ``most`` None means without end."""

    body: "Node"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Edge:
    """The begin or the end of the text."""

    end: bool


Node = Chars | Concat | Alternate | Repeat | Edge


def parse(pattern: str) -> Node:
    """Parse a pattern.

    Raises:
        RegexError: it is malformed, or uses what is not supported.
    """
    parser = _Parser(pattern)
    node = parser.alternatives(0)
    if not parser.done:
        raise RegexError(f"unexpected ): `{pattern}`")
    return node


def negate(ranges: Ranges) -> Ranges:
    """All other code points."""
    result, position = [], 0
    for low, high in sorted(ranges):
        if low > position:
            result.append((position, low - 1))
        position = max(position, high + 1)
    if position <= _LAST:
        result.append((position, _LAST))
    return tuple(result)


class _Parser:
    """Recursive descent over one pattern."""

    __slots__ = ("_at", "_fold", "_newline", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._fold = False
        self._newline = False

    @property
    def done(self) -> bool:
        return self._at >= len(self._text)

    def alternatives(self, depth: int) -> Node:
        """Branches up to a closing parenthesis or the end."""
        if depth > _MAX_DEPTH:
            raise RegexError("expression nests too deeply")
        branches = [self._branch(depth)]
        while self._take("|"):
            branches.append(self._branch(depth))
        return branches[0] if len(branches) == 1 else Alternate(tuple(branches))

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        if self.done:
            raise RegexError("trailing backslash at end of expression")
        self._at += 1
        return self._text[self._at - 1]

    def _branch(self, depth: int) -> Node:
        parts: list[Node] = []
        while not self.done and self._text[self._at] not in "|)":
            atom = self._atom(depth)
            if atom is not None:
                parts.append(self._repeated(atom))
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def _atom(self, depth: int) -> Node | None:
        char = self._next()
        if char == "(":
            return self._group(depth)
        if char == "[":
            return Chars(self._folded(self._set()))
        if char == "\\":
            return self._escaped()
        if char in "*+?":
            raise RegexError(f"missing argument to repetition operator: `{char}`")
        return self._plain(char)

    def _plain(self, char: str) -> Node:
        if char == ".":
            return Chars(((0, _LAST),) if self._newline else negate(((10, 10),)))
        if char in "^$":
            return Edge(end=char == "$")
        return Chars(self._folded(((ord(char), ord(char)),)))

    def _group(self, depth: int) -> Node | None:
        fold, newline = self._fold, self._newline
        if self._take("?P<") or (self._text[self._at : self._at + 3][:2] == "?<" and self._named()):
            self._skip_name()
        elif self._take("?") and self._flags():
            return None
        body = self.alternatives(depth + 1)
        if not self._take(")"):
            raise RegexError(f"missing closing ): `{self._text}`")
        self._fold, self._newline = fold, newline
        return body

    def _named(self) -> bool:
        """Whether ``?<`` begins a name and not a look-behind; steps over it."""
        if self._text[self._at + 2 : self._at + 3] in ("=", "!", ""):
            return False
        self._at += 2
        return True

    def _skip_name(self) -> None:
        end = self._text.find(">", self._at)
        if end < 0:
            raise RegexError("invalid named capture")
        self._at = end + 1

    def _flags(self) -> bool:
        """Read ``i``, ``s``, ``-i``… up to ``:`` (a group follows) or ``)`` (True: none does)."""
        on = True
        while True:
            flag = self._next()
            if flag in ":)":
                return flag == ")"
            if flag == "-":
                on = False
            elif flag == "i":
                self._fold = on
            elif flag == "s":
                self._newline = on
            else:
                raise RegexError(f"invalid or unsupported Perl syntax: `(?{flag}`")

    def _repeated(self, atom: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return atom
        self._take("?")
        again = self._at
        if self._bounds() is not None:
            raise RegexError(
                f"invalid nested repetition operator: `{self._text[again : self._at]}`"
            )
        return Repeat(atom, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        for char, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(char):
                return bounds
        end = self._text.find("}", self._at)
        if end < 0 or not self._text.startswith("{", self._at):
            return None
        least, comma, most = self._text[self._at + 1 : end].partition(",")
        if not least.isdecimal() or (most and not most.isdecimal()):
            return None
        low = int(least)
        high = low if not comma else int(most) if most else None
        if max(low, high or 0) > _MAX_REPEAT or (high is not None and high < low):
            raise RegexError(f"invalid repeat count: `{self._text[self._at : end + 1]}`")
        self._at = end + 1
        return low, high

    def _escaped(self) -> Node:
        char = self._next()
        if char in "Az":
            return Edge(end=char == "z")
        if char == "Q":
            end = self._text.find("\\E", self._at)
            literal = self._text[self._at :] if end < 0 else self._text[self._at : end]
            self._at = len(self._text) if end < 0 else end + 2
            return Concat(tuple(Chars(self._folded(((ord(c), ord(c)),))) for c in literal))
        return Chars(self._folded(self._escape(char)))

    def _escape(self, char: str) -> Ranges:
        if char.lower() in _CLASSES:
            ranges = _CLASSES[char.lower()]
            return ranges if char.islower() else negate(ranges)
        if char == "x":
            code = self._hex()
        elif char in _CONTROL:
            code = _CONTROL[char]
        elif char.isalnum():
            raise RegexError(f"invalid escape sequence: `\\{char}`")
        else:
            code = ord(char)
        return ((code, code),)

    def _hex(self) -> int:
        if self._take("{"):
            end = self._text.find("}", self._at)
            digits, self._at = self._text[self._at : end], end + 1
        else:
            digits, self._at = self._text[self._at : self._at + 2], self._at + 2
        try:
            code = int(digits, 16)
        except ValueError:
            code = -1
        if not 0 <= code <= _LAST:
            raise RegexError("invalid escape sequence: `\\x`")
        return code

    def _set(self) -> Ranges:
        inverted = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not ranges or not self._take("]"):
            if self.done:
                raise RegexError(f"missing closing ]: `{self._text}`")
            ranges.extend(self._member())
        # A folded set is folded before it is negated, or [^a] would match A.
        return negate(self._folded(tuple(ranges))) if inverted else tuple(ranges)

    def _member(self) -> Ranges:
        if self._take("[:"):
            return self._posix()
        low = self._set_char()
        if len(low) > 1 or low[0][0] != low[0][1] or not self._is_range():
            return low
        self._at += 1
        high = self._set_char()
        if len(high) > 1 or high[0][1] < low[0][0]:
            raise RegexError("invalid character class range")
        return ((low[0][0], high[0][1]),)

    def _is_range(self) -> bool:
        return self._text[self._at : self._at + 1] == "-" and self._text[
            self._at + 1 : self._at + 2
        ] not in ("]", "")

    def _set_char(self) -> Ranges:
        char = self._next()
        return self._escape(self._next()) if char == "\\" else ((ord(char), ord(char)),)

    def _posix(self) -> Ranges:
        inverted = self._take("^")
        for name, ranges in _POSIX.items():
            if self._take(name + ":]"):
                return negate(ranges) if inverted else ranges
        raise RegexError("invalid character class range")

    def _folded(self, ranges: Ranges) -> Ranges:
        """Both cases of the ASCII letters in the ranges, where the pattern ignores case."""
        if not self._fold:
            return ranges
        folded = list(ranges)
        for low, high in ranges:
            for first, last, shift in ((65, 90, 32), (97, 122, -32)):
                start, end = max(low, first), min(high, last)
                if start <= end:
                    folded.append((start + shift, end + shift))
        return tuple(folded)
