"""Puts calls into a compiled expression, where schemas say more of a value than the runtime knows.

Values come as JSON, and the runtime takes no times from outside but as texts. So each place that
reads such a text becomes a call of ``timestamp`` or ``duration`` on it; ``orders`` has the others.
Source: cel-spec/proto/cel/expr/{syntax,checked}.proto.
"""

from collections.abc import Iterator, Mapping, Sequence

from llmos.apimachinery.protobuf_wire import field_bytes, read_varint, varint

_ENVELOPE, _EXPRESSION = 2, 4
_ID, _CONST, _CALL = 2, 3, 6
_BELOW: Mapping[int, frozenset[int]] = {
    5: frozenset((1,)),
    6: frozenset((1, 3)),
    7: frozenset((1,)),
    8: frozenset((2,)),
    9: frozenset((2, 4, 5, 6, 7)),
}
"""Of each kind of node the fields that are nodes themselves; of a map literal its entries."""
_MAP, _ENTRY = 8, frozenset((3, 4))
_NEW_IDS = 1 << 20
"""Nodes of people's expressions have smaller numbers."""

Calls = Mapping[int, Sequence[tuple[str, ...]]]
"""The functions to call on the value of a node, by its id, with their other arguments: texts."""


def wrap_calls(serialized: bytes, calls: Calls) -> bytes:
    """The same serialized expression with calls around some of its nodes."""
    return b"".join(
        field_bytes(number, _checked(value, calls)) if number == _ENVELOPE else raw
        for number, _, value, raw in _fields(serialized)
    )


def _checked(data: bytes, calls: Calls) -> bytes:
    return b"".join(
        field_bytes(number, _node(value, calls)) if number == _EXPRESSION else raw
        for number, _, value, raw in _fields(data)
    )


def _node(data: bytes, calls: Calls) -> bytes:
    identity, pieces = 0, []
    for number, wire, value, raw in _fields(data):
        if number == _ID and wire == 0:
            identity, _ = read_varint(value, 0)
        below = _BELOW.get(number)
        pieces.append(
            raw if below is None else field_bytes(number, _kind(number, value, below, calls))
        )
    node = b"".join(pieces)
    for step, (function, *texts) in enumerate(calls.get(identity, ()), 1):
        arguments = [node, *(field_bytes(_CONST, field_bytes(6, each.encode())) for each in texts)]
        call = field_bytes(2, function.encode())
        call += b"".join([field_bytes(3, each) for each in arguments])
        node = b"\x10" + varint(_NEW_IDS * step + identity) + field_bytes(_CALL, call)
    return node


def _kind(kind: int, data: bytes, below: frozenset[int], calls: Calls) -> bytes:
    pieces = []
    for number, _, value, raw in _fields(data):
        if number not in below:
            pieces.append(raw)
        elif kind == _MAP:
            pieces.append(field_bytes(number, _kind(0, value, _ENTRY, calls)))
        else:
            pieces.append(field_bytes(number, _node(value, calls)))
    return b"".join(pieces)


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """The fields of a message: number, wire type, the value's bytes, the bytes of all of it."""
    at = 0
    while at < len(data):
        start = at
        key, at = read_varint(data, at)
        begin = at
        wire = key & 7
        if wire == 0:
            _, at = read_varint(data, at)
        elif wire == 2:
            size, begin = read_varint(data, at)
            at = begin + size
        else:
            at += 8 if wire == 1 else 4
        yield key >> 3, wire, data[begin:at], data[start:at]
