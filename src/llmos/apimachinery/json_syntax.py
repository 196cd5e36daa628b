"""Says where JSON breaks off in the words of Go's ``encoding/json``; asked only when it does.

Follows the states of encoding/json/scanner.go. Clients and their tests know these texts.
"""

import re
from collections.abc import Callable

UNEXPECTED_END = "unexpected end of JSON input"
_ESCAPES = frozenset(b'"\\/bfnrt')
_HEX = frozenset(b"0123456789abcdefABCDEF")
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_skip_space = re.compile(rb"[ \t\r\n]*").match
_skip_plain = re.compile(rb'[^"\\\x00-\x1f]*').match
_skip_digits = re.compile(rb"[0-9]*").match


class _BrokenError(Exception):
    """The text of the first error."""


def syntax_error(data: bytes) -> str | None:
    """The first error as Go words it; None where Go would find none."""
    try:
        _Scanner(data).document()
    except _BrokenError as broken:
        return str(broken)
    return None


class _Scanner:
    """Walks over the bytes once, with a stack instead of recursion."""

    __slots__ = ("at", "data", "open")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.open: list[int] = []
        """The closing bytes still to come."""

    def document(self) -> None:
        """One value and nothing after it."""
        self.begin_value()
        while self.open:
            self.after_value()
        self.space()
        if self.at < len(self.data):
            raise self.invalid("after top-level value")

    def begin_value(self) -> None:
        """A scalar, or the opening of a container and of all that open right within it."""
        while True:
            byte = self.next()
            if byte == ord("{"):
                if not self.opened(ord("}")):
                    return
                self.key()
            elif byte == ord("["):
                if not self.opened(ord("]")):
                    return
            else:
                self.scalar(byte)
                return

    def opened(self, closing: int) -> bool:
        """Step into a container; False where it is empty and thereby done."""
        self.at += 1
        if self.next() == closing:
            self.at += 1
            return False
        self.open.append(closing)
        return True

    def after_value(self) -> None:
        """A comma and the next value, or the end of the container."""
        byte = self.next()
        closing = self.open[-1]
        if byte == closing:
            self.at += 1
            self.open.pop()
            return
        if byte != ord(","):
            is_object = closing == ord("}")
            raise self.invalid(
                "after object key:value pair" if is_object else "after array element"
            )
        self.at += 1
        if closing == ord("}"):
            self.key()
        self.begin_value()

    def key(self) -> None:
        """An object's key and its colon."""
        if self.next() != ord('"'):
            raise self.invalid("looking for beginning of object key string")
        self.string()
        if self.next() != ord(":"):
            raise self.invalid("after object key")
        self.at += 1

    def scalar(self, byte: int) -> None:
        """A string, a number or a literal."""
        if byte == ord('"'):
            self.string()
        elif byte in _LITERALS:
            self.literal(_LITERALS[byte])
        elif byte in b"-0123456789":
            self.number(byte)
        else:
            raise self.invalid("looking for beginning of value")

    def string(self) -> None:
        """A string, from its opening quote on."""
        self.at += 1
        while True:
            self.skip(_skip_plain)
            byte = self.peek()
            if byte == ord('"'):
                self.at += 1
                return
            if byte != ord("\\"):
                raise self.invalid("in string literal")
            self.at += 1
            self.escape()

    def escape(self) -> None:
        """What follows a backslash."""
        byte = self.peek()
        self.at += 1
        if byte == ord("u"):
            for _ in range(4):
                self.expect(_HEX.__contains__, "in \\u hexadecimal character escape")
        elif byte not in _ESCAPES:
            self.at -= 1
            raise self.invalid("in string escape code")

    def literal(self, word: bytes) -> None:
        """``true``, ``false`` or ``null``."""
        for expected in word:
            text = f"in literal {word.decode()} (expecting '{chr(expected)}')"
            self.expect(expected.__eq__, text)

    def number(self, byte: int) -> None:
        """A number; one ends where no more digits come."""
        if byte == ord("-"):
            self.at += 1
            self.digits("in numeric literal", first_only=self.peek() == ord("0"))
        else:
            self.digits("in numeric literal", first_only=byte == ord("0"))
        if self.data[self.at : self.at + 1] == b".":
            self.at += 1
            self.digits("after decimal point in numeric literal")
        if self.data[self.at : self.at + 1] in (b"e", b"E"):
            self.at += 1
            if self.peek() in b"+-":
                self.at += 1
            self.digits("in exponent of numeric literal")

    def digits(self, context: str, first_only: bool = False) -> None:
        """At least one digit."""
        self.expect(lambda byte: ord("0") <= byte <= ord("9"), context)
        if not first_only:
            self.skip(_skip_digits)

    def expect(self, accept: Callable[[int], bool], context: str) -> None:
        """One byte of a kind."""
        if accept(self.peek()) is not True:
            raise self.invalid(context)
        self.at += 1

    def skip(self, match: Callable[[bytes, int], "re.Match[bytes] | None"]) -> None:
        """All bytes that the pattern matches."""
        found = match(self.data, self.at)
        assert found is not None
        self.at = found.end()

    def space(self) -> None:
        """Any white space."""
        self.skip(_skip_space)

    def next(self) -> int:
        """The next byte that is not white space."""
        self.space()
        return self.peek()

    def peek(self) -> int:
        """The next byte."""
        if self.at >= len(self.data):
            raise _BrokenError(UNEXPECTED_END)
        return self.data[self.at]

    def invalid(self, context: str) -> _BrokenError:
        """The error that the next byte is."""
        character = chr(self.data[self.at])
        shown = {"'": "\\'", '"': '"', "\\": "\\\\"}.get(character)
        if shown is None:
            shown = character if character.isprintable() else _control(character)
        return _BrokenError(f"invalid character '{shown}' {context}")


def _control(character: str) -> str:
    named = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v"}
    code = ord(character)
    fallback = f"x{code:02x}" if code < 0x80 else f"u{code:04x}"
    return "\\" + named.get(character, fallback)
