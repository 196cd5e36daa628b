"""An upper bound of what an evaluation costs, from the expression and the size of its inputs.

The runtime cannot be stopped once it runs, and while it runs nobody else is served. So what could
take too long is refused before it begins. A unit is about 50 ns on a slow core: the visit of one
node. The runtime itself ends an evaluation after ``MAX_ITERATIONS`` steps of comprehensions.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from llmos.apimachinery.cel.patterns import PLAIN, pattern_price
from llmos.apimachinery.cel.sizes import SCALAR, Size
from llmos.apimachinery.cel.syntax import (
    Call,
    Comprehension,
    Const,
    Ident,
    ListLiteral,
    MapLiteral,
    Node,
    Select,
    Tree,
)

EVALUATION_LIMIT = 600_000.0
"""Units of one evaluation: 30 ms."""
OBJECT_LIMIT = 900_000.0
"""Units of all evaluations for one object: 45 ms."""
MAX_ITERATIONS = 10_000

_BYTE = 0.03
"""Units to look at a byte."""
_ITEM = 1.0
"""Units to copy an element."""
_OWN_CALL = 40.0
"""Units to call a function that is written in Python."""
_OWN_BYTE = 0.2
_MAX_AUTOMATON = 9_000
"""Units to compile the largest program that the runtime surely makes an automaton of."""
_SIMULATED = 0.006
"""Units for each byte of a text and unit of a program, where it does not."""
_FOUND = 6.0
"""Units for each piece that ``findAll`` may find."""

Scope = Mapping[str, Size]
Priced = tuple[float, Size]
"""What a call costs, and how large its value may be."""


def bound(tree: Tree, size: Size, own: frozenset[str]) -> float:
    """The most that an evaluation may cost.

    Args:
        tree: the expression.
        size: of all its variables together.
        own: the functions that are written in Python.
    """
    estimate = _Estimate(tree.scalars, size, own)
    estimate.visit(tree.root, {}, 1.0)
    return estimate.total + size.weight * _BYTE * 2


@dataclass(slots=True)
class _Estimate:
    """One walk over a tree."""

    scalars: frozenset[int]
    inputs: Size
    own: frozenset[str]
    total: float = 0.0

    def visit(self, node: Node, scope: Scope, times: float) -> Size:
        """Add what a node costs that is evaluated so many times; its value's size comes back."""
        self.total += times
        size = self._value(node, scope, times)
        return SCALAR if node.id in self.scalars else size

    def _value(self, node: Node, scope: Scope, times: float) -> Size:
        match node:
            case Const(value=value):
                size = _constant(value)
            case Ident(name=name):
                size = scope.get(name, self.inputs)
            case Select(operand=operand, test_only=test_only):
                size = self.visit(operand, scope, times)
                size = SCALAR if test_only else size
            case ListLiteral(elements=elements):
                size = self._literal(elements, scope, times)
            case MapLiteral(entries=entries):
                size = self._literal([each for entry in entries for each in entry], scope, times)
            case Comprehension():
                size = self._comprehension(node, scope, times)
            case _:
                size = self._call(node, scope, times)
        return size

    def _literal(self, nodes: "list[Node] | tuple[Node, ...]", scope: Scope, times: float) -> Size:
        sizes = [self.visit(each, scope, times) for each in nodes]
        return Size(
            max([1, len(nodes), *(each.items for each in sizes)]),
            max([0, *(each.longest for each in sizes)]),
            SCALAR.weight + sum(each.weight for each in sizes),
            max([0, *(each.pattern for each in sizes)]),
        )

    def _call(self, node: Call, scope: Scope, times: float) -> Size:
        sizes = [self.visit(each, scope, times) for each in node.operands]
        price = _PRICES.get(node.function, _other)
        cost, size = price(sizes)
        if node.function in self.own:
            cost += _OWN_CALL + _OWN_BYTE * sum(each.weight for each in sizes)
        self.total += times * cost
        return size

    def _comprehension(self, node: Comprehension, scope: Scope, times: float) -> Size:
        range_size = self.visit(node.range, scope, times)
        inner = min(times * range_size.items, MAX_ITERATIONS)
        init = self.visit(node.init, scope, times)
        gathers = isinstance(node.init, (ListLiteral, MapLiteral))
        below = {**scope, **dict.fromkeys(node.variables, range_size), node.accumulator: init}
        self.visit(node.condition, below, inner)
        if not gathers:
            step = self.visit(node.step, below, inner)
            return self.visit(node.result, {**scope, node.accumulator: step}, times)
        # The runtime copies the list for each element that is added.
        self.total += inner * range_size.items * _ITEM / 2
        element = self._literal(list(_gathered(node.step)), below, inner)
        rounds = max(1, min(range_size.items, MAX_ITERATIONS))
        whole = Size(
            max(rounds, element.items), element.longest, rounds * element.weight, element.pattern
        )
        return self.visit(node.result, {**scope, node.accumulator: whole}, times)


def _gathered(step: Node) -> Iterator[Node]:
    """What a step of ``map`` or ``filter`` works out, without the adding itself."""
    match step:
        case Call(function="_?_:_", args=(condition, added, _)):
            yield condition
            yield from _gathered(added)
        case Call(function="_+_", args=(_, ListLiteral(elements=elements))):
            yield from elements
        case _:
            yield step


def _constant(value: object) -> Size:
    if not isinstance(value, (str, bytes)):
        return SCALAR
    length = len(value.encode()) if isinstance(value, str) else len(value)
    pattern = pattern_price(value) if isinstance(value, str) else 0
    return Size(0, length, length + SCALAR.weight, pattern)


def _together(sizes: list[Size]) -> Size:
    return Size(
        sum(each.items for each in sizes),
        sum(each.longest for each in sizes),
        SCALAR.weight + sum(each.weight for each in sizes),
        sum(each.pattern for each in sizes),
    )


def _other(sizes: list[Size]) -> Priced:
    size = _together(sizes)
    return size.longest * _BYTE, size


def _index(sizes: list[Size]) -> Priced:
    return 0.0, sizes[0]


def _choice(sizes: list[Size]) -> Priced:
    return 0.0, Size(*(max(numbers) for numbers in zip(*sizes[1:], strict=True)))


def _compare(sizes: list[Size]) -> Priced:
    return min(each.weight for each in sizes) * _BYTE, SCALAR


def _contained(sizes: list[Size]) -> Priced:
    """``x in list`` looks at each element; most differ in their first bytes."""
    sought, searched = sizes
    compared = min(sought.weight * searched.items, searched.weight)
    return searched.items * _ITEM / 2 + compared * _BYTE / 8, SCALAR


def _joined(sizes: list[Size]) -> Priced:
    """``a + b``: lists, or texts and numbers, which have no elements."""
    size = _together(sizes)
    if not all(each.items for each in sizes):
        text = Size(0, size.longest, size.longest + SCALAR.weight, size.pattern)
        return size.longest * _BYTE, text
    return size.longest * _BYTE + size.items * _ITEM, size


def _match(sizes: list[Size]) -> Priced:
    """A regular expression is compiled, then runs along the text."""
    text, pattern = sizes[0].longest, sizes[1]
    program = max(pattern.pattern, pattern.longest * PLAIN)
    if program > _MAX_AUTOMATON:
        return program + text * program * _SIMULATED, SCALAR
    return program + text * (1 + program / 400) * _BYTE, SCALAR


def _matches(sizes: list[Size]) -> Priced:
    """All that matches is gathered."""
    cost, _ = _match(sizes)
    pieces = sizes[0].longest + 1
    return cost + pieces * _FOUND, Size(pieces, pieces, pieces * SCALAR.weight)


def _searched(sizes: list[Size]) -> Priced:
    """A text is searched for another; the worst case looks at the latter again and again."""
    text, sought = sizes[0].longest, max([0, *(each.longest for each in sizes[1:])])
    return text * (1 + sought / 16) * _BYTE, _together(sizes)


def _replaced(sizes: list[Size]) -> Priced:
    cost, _ = _searched(sizes)
    length = sizes[0].longest * (1 + sizes[2].longest)
    return cost + length * _BYTE, Size(0, length, length + SCALAR.weight)


def _split(sizes: list[Size]) -> Priced:
    cost, size = _searched(sizes)
    length = sizes[0].longest
    return cost + length * _ITEM, Size(length + 1, length, size.weight + length * SCALAR.weight)


def _written(sizes: list[Size]) -> Priced:
    """A text made of all that is in a list."""
    separator = max([0, *(each.longest for each in sizes[1:])])
    length = 2 * sum(each.weight for each in sizes) + sizes[0].items * separator
    return length * _BYTE * 2, Size(0, length, length + SCALAR.weight)


def _pairs(sizes: list[Size]) -> Priced:
    """Each element of one list is compared with each of another."""
    one, other = sizes
    return one.items * other.items * 0.5 + one.weight * other.items * _BYTE / 8, SCALAR


def _formatted(sizes: list[Size]) -> Priced:
    return _written([sizes[1], sizes[0]])


_PRICES: Mapping[str, Callable[[list[Size]], Priced]] = {
    "_[_]": _index,
    "_[?_]": _index,
    "_?._": _index,
    "_?_:_": _choice,
    "_==_": _compare,
    "_!=_": _compare,
    "@in": _contained,
    "_+_": _joined,
    "matches": _match,
    "find": _match,
    "findAll": _matches,
    "contains": _searched,
    "indexOf": _searched,
    "lastIndexOf": _searched,
    "replace": _replaced,
    "split": _split,
    "join": _written,
    "format": _formatted,
    "sets.contains": _pairs,
    "sets.equivalent": _pairs,
    "sets.intersects": _pairs,
}
