"""The pieces that all protobuf messages are made of: numbers, and fields with a length.

Source: https://protobuf.dev/programming-guides/encoding
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types."""
_SMALL = tuple(bytes((number,)) for number in range(0x80))


class ProtobufError(ValueError):
    """The bytes are not such a message; the text says why, as Go does."""


def varint(number: int) -> bytes:
    """A number, seven bits a byte; a negative one as its 64 bits."""
    if 0 <= number < 0x80:
        return _SMALL[number]
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field_bytes(number: int, value: bytes) -> bytes:
    """A field with a length."""
    return b"%b%b%b" % (varint(number << 3 | BYTES), varint(len(value)), value)


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    """A number at a place, and where it ends.

    Raises:
        ProtobufError: the bytes end before it does, or it has more than 64 bits.
    """
    number = shift = 0
    while True:
        if at >= len(message):
            raise ProtobufError("unexpected EOF")
        if shift > 63:
            raise ProtobufError("proto: integer overflow")
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def read_varints(packed: bytes) -> Iterator[int]:
    """The numbers of a packed field; raises as ``read_varint``."""
    at = 0
    while at < len(packed):
        number, at = read_varint(packed, at)
        yield number
