"""Which parts of its variables an expression reads, so that no more than those is converted.

An expression that asks for ``object.metadata.name`` costs the same for a small object and for one
of a megabyte. ``reads`` finds the paths, ``take`` cuts them out of a value.
"""

from collections.abc import Iterable
from typing import Any

from llmos.apimachinery.cel.syntax import (
    Call,
    Comprehension,
    Const,
    Ident,
    Node,
    Select,
    children,
)

Reads = dict[str, Any]
"""A tree of keys; ``None`` is all that is below, ``{}`` only whether there is something."""

_BY_KEY = ("_[_]", "_[?_]", "_?._")
_COMPARE = ("_==_", "_!=_")


def reads(roots: Iterable[Node], names: frozenset[str]) -> Reads:
    """What expressions read of the variables with these names."""
    found: Reads = {}
    for root in roots:
        _visit(root, names, found)
    return found


def take(value: Any, wanted: Reads | None) -> Any:
    """A value with no more in it than is wanted; shares what it keeps."""
    if wanted is None:
        return value
    if type(value) is dict:
        return {key: take(value[key], below) for key, below in wanted.items() if key in value}
    if type(value) is list and not wanted:
        return []
    return value


def _visit(node: Node, names: frozenset[str], found: Reads) -> None:
    path = _path(node, names)
    if path:
        _add(found, path, whole=not (isinstance(node, Select) and node.test_only))
        return
    if isinstance(node, Call) and node.function in _COMPARE and _tests_null(node, names, found):
        return
    if isinstance(node, Comprehension):
        _visit(node.range, names, found)
        inner = names - {*node.variables, node.accumulator}
        for each in (node.init, node.condition, node.step, node.result):
            _visit(each, inner, found)
        return
    for each in children(node):
        _visit(each, names, found)


def _tests_null(node: Call, names: frozenset[str], found: Reads) -> bool:
    """``x == null`` reads only whether there is an x."""
    for one, other in (node.args, node.args[::-1]):
        path = _path(one, names)
        if path and isinstance(other, Const) and other.value is None:
            _add(found, path, whole=False)
            return True
    return False


def _path(node: Node, names: frozenset[str]) -> tuple[str, ...]:
    """The keys that lead to a value, the variable's name first; empty: it is no such chain."""
    match node:
        case Ident(name=name) if name in names:
            return (name,)
        case Select(operand=operand, field=field):
            above = _path(operand, names)
            return (*above, field) if above else ()
        case Call(function=function, args=(operand, Const(value=str(key)))) if function in _BY_KEY:
            above = _path(operand, names)
            return (*above, key) if above else ()
        case _:
            return ()


def _add(found: Reads, path: tuple[str, ...], whole: bool) -> None:
    at = found
    for key in path[:-1]:
        below = at.setdefault(key, {})
        if below is None:
            return
        at = below
    if whole:
        at[path[-1]] = None
    else:
        at.setdefault(path[-1], {})
