"""The syntax tree of a compiled expression, read from the runtime's serialized form.

Source: cel-spec/proto/cel/expr/{syntax,checked}.proto; only what is needed here is read. Used to
find what an expression reads (``reads``), what it may cost (``cost``) and what is wrong with its
types (``check``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.protobuf_wire import read_varint, read_varints

Message = dict[int, list[Any]]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal."""

    id: int
    value: Any
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Ident:
    """A name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """``operand.field``, or ``has(operand.field)``."""

    id: int
    operand: "Node"
    field: str
    test_only: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator; ``target`` is what a method is called on."""

    id: int
    function: str
    target: "Node | None"
    args: "tuple[Node, ...]"

    @property
    def operands(self) -> "tuple[Node, ...]":
        """The target, where there is one, and the arguments."""
        return self.args if self.target is None else (self.target, *self.args)


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[a, b]``; ``optional`` are the indices of ``?a``."""

    id: int
    elements: "tuple[Node, ...]"
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """``{key: value}``."""

    id: int
    entries: "tuple[tuple[Node, Node], ...]"


@dataclass(frozen=True, slots=True)
class Comprehension:
    """What ``all``, ``exists``, ``map``, ``filter`` and the like stand for."""

    id: int
    variables: tuple[str, ...]
    range: "Node"
    accumulator: str
    init: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"


Node = Const | Ident | Select | Call | ListLiteral | MapLiteral | Comprehension


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole expression."""

    root: Node
    scalars: frozenset[int]
    """Nodes whose values are known to be small: booleans, numbers, times."""
    positions: Mapping[int, int] = field(default_factory=dict)
    """Where in the source a node stands, in characters."""


def parse_tree(data: bytes) -> Tree:
    """Read a serialized ``CheckedExpr``, wrapped in an ``Any`` as the runtime gives it."""
    checked = _message(_message(data)[2][0])
    scalars = set()
    for entry in checked.get(3, ()):
        pair = _message(entry)
        if _is_scalar(_message(pair[2][0])):
            scalars.add(pair[1][0])
    source = _message(checked[5][0]) if 5 in checked else {}
    pairs = (_message(each) for each in source.get(4, ()))
    positions = {pair.get(1, [0])[0]: pair.get(2, [0])[0] for pair in pairs}
    return Tree(_node(checked[4][0]), frozenset(scalars), positions)


def children(node: Node) -> "tuple[Node, ...]":
    """The nodes right below a node."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.operands
        case ListLiteral():
            return node.elements
        case MapLiteral():
            return tuple(each for entry in node.entries for each in entry)
        case Comprehension():
            return (node.range, node.init, node.condition, node.step, node.result)
        case _:
            return ()


def _is_scalar(kind: Message) -> bool:
    """Bool, int, uint and double; null; timestamp and duration."""
    primitive, well_known = kind.get(3, [0])[0], kind.get(5, [0])[0]
    return 1 <= primitive <= 4 or well_known in (2, 3) or 2 in kind


def _node(data: bytes) -> Node:
    parts = _message(data)
    identity = parts.get(2, [0])[0]
    for number, read in _READERS.items():
        if number in parts:
            node: Node = read(identity, _message(parts[number][0]))
            return node
    return Const(identity, None)


def _constant(identity: int, parts: Message) -> Node:
    if 3 in parts:
        return Const(identity, _signed(parts[3][0]))
    for number, convert in ((2, bool), (4, int), (6, bytes.decode), (7, bytes)):
        if number in parts:
            return Const(identity, convert(parts[number][0]), unsigned=number == 4)
    return Const(identity, float("nan") if 5 in parts else None)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _text(parts: Message, number: int) -> str:
    return bytes(parts.get(number, [b""])[0]).decode()


def _ident(identity: int, parts: Message) -> Node:
    return Ident(identity, _text(parts, 1))


def _select(identity: int, parts: Message) -> Node:
    return Select(identity, _node(parts[1][0]), _text(parts, 2), bool(parts.get(3, [0])[0]))


def _call(identity: int, parts: Message) -> Node:
    target = _node(parts[1][0]) if 1 in parts else None
    return Call(identity, _text(parts, 2), target, tuple(_node(each) for each in parts.get(3, ())))


def _list(identity: int, parts: Message) -> Node:
    optional = frozenset(
        index
        for each in parts.get(2, ())
        for index in (read_varints(each) if isinstance(each, bytes) else (each,))
    )
    return ListLiteral(identity, tuple(_node(each) for each in parts.get(1, ())), optional)


def _struct(identity: int, parts: Message) -> Node:
    entries = (_message(each) for each in parts.get(2, ()))
    return MapLiteral(
        identity, tuple((_node(entry[3][0]), _node(entry[4][0])) for entry in entries)
    )


def _comprehension(identity: int, parts: Message) -> Node:
    names = (_text(parts, 1), _text(parts, 8))
    return Comprehension(
        identity,
        tuple(each for each in names if each),
        _node(parts[2][0]),
        _text(parts, 3),
        *(_node(parts[number][0]) for number in (4, 5, 6, 7)),
    )


_READERS = {
    3: _constant,
    4: _ident,
    5: _select,
    6: _call,
    7: _list,
    8: _struct,
    9: _comprehension,
}


def _message(data: bytes) -> Message:
    """The fields of a protobuf message: numbers as they are, all else as bytes."""
    fields: Message = {}
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        wire = key & 7
        if wire == 0:
            value: Any
            value, at = read_varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire)
            if size is None:
                size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        fields.setdefault(key >> 3, []).append(value)
    return fields
