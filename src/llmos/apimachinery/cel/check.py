"""Finds what is wrong with the types of an expression, where the types of its variables are known.

The runtime checks types too, but knows objects only as ``dyn``: this adds the fields that a schema
has. In doubt an expression is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from llmos.apimachinery.cel.errors import CompileError
from llmos.apimachinery.cel.orders import UNION, UNORDERED, spelled
from llmos.apimachinery.cel.signatures import Signatures
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
from llmos.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    UNBOUND,
    CelType,
    common,
    element_of,
    list_of,
    map_of,
    optional_of,
)
from llmos.apimachinery.cel.wrapping import Calls

Scope = Mapping[str, CelType]
_LITERALS: Mapping[type, CelType] = {
    bool: BOOL,
    int: INT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): NULL,
}
_TIMES = (TIMESTAMP, DURATION)
_READING = ("_[_]", "value", "orValue", "sum", "min", "max")
"""Functions whose value is a text where its type is a time."""
_RANGES = ("list", "map", "dyn", "_")


def check_types(
    tree: Tree, source: str, types: Scope, signatures: Signatures
) -> tuple[CelType, Calls]:
    """Check an expression that the runtime has found right.

    Returns:
        The type of its value, and by their ids the nodes on whose value something is called: what
        reads a text which is a time, what takes their order from lists that have none.

    Raises:
        CompileError: types do not fit; the text shows every place.
    """
    checker = _Checker(tree, source, signatures)
    result = checker.visit(tree.root, types)
    if checker.errors:
        raise CompileError("\n".join(checker.errors))
    return result, checker.calls


@dataclass(slots=True)
class _Checker:
    """One walk over a tree."""

    tree: Tree
    source: str
    signatures: Signatures
    errors: list[str] = field(default_factory=list)
    calls: dict[int, list[tuple[str, ...]]] = field(default_factory=dict)

    def visit(self, node: Node, scope: Scope) -> CelType:
        """The type of a node; what is wrong below it is noted."""
        match node:
            case Const(value=value, unsigned=unsigned):
                kind = UINT if unsigned else _LITERALS[type(value)]
            case Ident(name=name):
                kind = scope.get(name, TYPE)
            case Select():
                kind = self._select(node, scope)
            case ListLiteral(elements=elements):
                kind = list_of(self._together(elements, scope))
            case MapLiteral(entries=entries):
                keys = self._together([key for key, _ in entries], scope)
                kind = map_of(self._together([value for _, value in entries], scope), keys)
            case Comprehension():
                kind = self._comprehension(node, scope)
            case _:
                kind = self._call(node, scope)
        if kind in _TIMES and _reads_data(node):
            self._wrap(node, kind.name)
        return kind

    def _together(self, nodes: "list[Node] | tuple[Node, ...]", scope: Scope) -> CelType:
        kind = UNBOUND
        for each in nodes:
            kind = common(kind, self.visit(each, scope))
        return kind

    def _select(self, node: Select, scope: Scope) -> CelType:
        found = self._field(self.visit(node.operand, scope), node, node.field)
        return BOOL if node.test_only else found

    def _field(self, kind: CelType, node: Node, name: str) -> CelType:
        """The type of a field of a value."""
        if kind.fields is not None:
            if name not in kind.fields:
                self._report(node, f"undefined field '{name}'")
            return kind.fields.get(name, DYN)
        if kind.name == "optional_type":
            return optional_of(self._field(kind.parameters[0], node, name))
        if kind.name == "map":
            return kind.parameters[1]
        if kind not in (DYN, UNBOUND):
            self._report(node, f"type '{kind}' does not support field selection")
        return DYN

    def _comprehension(self, node: Comprehension, scope: Scope) -> CelType:
        kind = self.visit(node.range, scope)
        if kind.name not in _RANGES:
            wanted = "must be list, map, or dynamic"
            text = f"expression of type '{kind}' cannot be range of a comprehension ({wanted})"
            self._report(node.range, text)
            kind = DYN
        first, second = element_of(kind), DYN
        if len(node.variables) == 2:
            key = INT if kind.name == "list" else first
            first, second = key, kind.parameters[-1] if kind.parameters else DYN
        names = dict(zip(node.variables, (first, second), strict=False))
        accumulator = self.visit(node.init, scope)
        inner = {**scope, **names, node.accumulator: accumulator}
        self.visit(node.condition, inner)
        accumulator = common(accumulator, self.visit(node.step, inner))
        return self.visit(node.result, {**scope, node.accumulator: accumulator})

    def _call(self, node: Call, scope: Scope) -> CelType:
        types = tuple(self.visit(each, scope) for each in node.operands)
        self._take_order(node, types)
        special = self._special(node, types)
        if special is not None:
            return special
        result = self.signatures.result(node.function, node.target is not None, types)
        if result is None:
            self._report(node, _no_overload(node, types))
            return DYN
        return replace(result, order=types[0].order) if node.function == "dyn" else result

    def _take_order(self, node: Call, types: tuple[CelType, ...]) -> None:
        """What is compared, or added, as the first operand's type has it."""
        order = types[0].order if len(types) == 2 else None
        if order is None:
            return
        first, second = node.operands
        match node.function:
            case "_==_" | "_!=_":
                self._wrap(first, UNORDERED, spelled(order))
                self._wrap(second, UNORDERED, spelled(order))
            case "@in" if types[1].name == "list":
                self._wrap(first, UNORDERED, spelled(order))
                self._wrap(second, UNORDERED, spelled({"items": order}))
            case "_+_" if order.get("unique") is not None:
                self._wrap(node, UNION, spelled(order))

    def _wrap(self, node: Node, *call: str) -> None:
        self.calls.setdefault(node.id, []).append(call)

    def _special(self, node: Call, types: tuple[CelType, ...]) -> CelType | None:
        """Calls whose types the runtime cannot tell, since they hand objects on."""
        found: CelType | None = None
        match node.function:
            case "_?_:_" if types[0] in (BOOL, DYN):
                found = common(types[1], types[2])
            case "_?._" if isinstance(node.args[1], Const):
                inner = types[0].parameters[0] if types[0].name == "optional_type" else types[0]
                found = optional_of(self._field(inner, node, str(node.args[1].value)))
            case "_[_]" | "_[?_]" if types[0].name in ("list", "map", "optional_type", "dyn", "_"):
                found = self._element(node, types)
            case "_+_" if types[0].name == types[1].name == "list":
                found = common(types[0], types[1])
            case "optional.of" | "optional.ofNonZeroValue":
                found = optional_of(types[0])
            case "value" | "orValue" if types[0].name == "optional_type":
                found = types[0].parameters[0]
            case "cel.@mapInsert":
                found = map_of(types[-1], types[1]) if len(types) == 3 else types[1]
            case _:
                pass
        return found

    def _element(self, node: Call, types: tuple[CelType, ...]) -> CelType:
        whole, key = types
        optional = node.function == "_[?_]" or whole.name == "optional_type"
        if whole.name == "optional_type":
            whole = whole.parameters[0]
        wanted = whole.parameters[0] if whole.name == "map" else INT
        if whole.name in ("list", "map") and wanted != key and DYN not in (wanted, key):
            self._report(node, _no_overload(node, types))
        element = whole.parameters[-1] if whole.parameters else DYN
        return optional_of(element) if optional else element

    def _report(self, node: Node, text: str) -> None:
        """Note an error, shown in its line of the source."""
        offset = self.tree.positions.get(node.id, 0)
        before = self.source[:offset]
        column = offset - (before.rfind("\n") + 1)
        line = self.source.split("\n")[before.count("\n")]
        place = f"<input>:{before.count(chr(10)) + 1}:{column + 1}"
        self.errors.append(f"ERROR: {place}: {text}\n | {line}\n | {'.' * column}^")


def _reads_data(node: Node) -> bool:
    """Whether a value may come from outside, and is a text there."""
    match node:
        case Select(test_only=test_only):
            return not test_only
        case Call(function=function):
            return function in _READING
        case _:
            return isinstance(node, Ident)


def _no_overload(node: Call, types: tuple[CelType, ...]) -> str:
    texts = [str(each) for each in types]
    if node.target is None:
        applied = f"({', '.join(texts)})"
    else:
        applied = f"{texts[0]}.({', '.join(texts[1:])})"
    return f"found no matching overload for '{node.function}' applied to '{applied}'"
