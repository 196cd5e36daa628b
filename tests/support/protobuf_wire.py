"""Pieces of protobuf bodies, to put together broken and unusual ones."""


def data(number: int, value: bytes) -> bytes:
    """A field with a length."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number: int) -> bytes:
    """A number, seven bits a byte."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
