"""Which parts of its variables an expression reads, so that no more than those is converted.

An expression that asks for ``object.metadata.name`` costs the same for a small object and for one
of a megabyte. ``reads`` finds the paths, ``take`` cuts them out of a value.
"""

from collections.abc import Iterable, Mapping
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
Paths = Mapping[str, tuple[str, ...]]
"""Where the value of a name is found."""

EACH = "[*]"
"""The key of all elements of a list; no field of an object is called so."""
_BY_KEY = ("_[_]", "_[?_]", "_?._")
_COMPARE = ("_==_", "_!=_")


def reads(roots: Iterable[Node], names: Iterable[str]) -> Reads:
    """What expressions read of the variables with these names."""
    found: Reads = {}
    paths = {name: (name,) for name in names}
    for root in roots:
        _visit(root, paths, found)
    return found


def take(value: Any, wanted: Reads | None) -> Any:
    """A value with no more in it than is wanted; shares what it keeps."""
    if wanted is None:
        return value
    if type(value) is dict:
        if EACH in wanted:
            return value
        return {key: take(value[key], below) for key, below in wanted.items() if key in value}
    if type(value) is list:
        below = wanted.get(EACH, {})
        return [take(each, below) for each in value] if EACH in wanted else []
    return value


def _visit(node: Node, paths: Paths, found: Reads) -> None:
    path = _path(node, paths)
    if path:
        _add(found, path, whole=not (isinstance(node, Select) and node.test_only))
    elif isinstance(node, Call) and node.function in _COMPARE and _tests_null(node, paths, found):
        return
    elif isinstance(node, Comprehension):
        _visit_comprehension(node, paths, found)
    else:
        for each in children(node):
            _visit(each, paths, found)


def _visit_comprehension(node: Comprehension, paths: Paths, found: Reads) -> None:
    """Of a list only what is read of its elements; of a map, whose keys are read, everything."""
    inner = {name: path for name, path in paths.items() if name != node.accumulator}
    for name in node.variables:
        inner.pop(name, None)
    path = _path(node.range, paths)
    if path:
        _add(found, (*path, EACH), whole=False)
        inner[node.variables[-1]] = (*path, EACH)
    else:
        _visit(node.range, paths, found)
    for each in (node.init, node.condition, node.step, node.result):
        _visit(each, inner, found)


def _tests_null(node: Call, paths: Paths, found: Reads) -> bool:
    """``x == null`` reads only whether there is an x."""
    for one, other in (node.args, node.args[::-1]):
        path = _path(one, paths)
        if path and isinstance(other, Const) and other.value is None:
            _add(found, path, whole=False)
            return True
    return False


def _path(node: Node, paths: Paths) -> tuple[str, ...]:
    """The keys that lead to a value, the variable's name first; empty: it is no such chain."""
    match node:
        case Ident(name=name):
            return paths.get(name, ())
        case Select(operand=operand, field=field):
            above = _path(operand, paths)
            return (*above, field) if above else ()
        case Call(function=function, args=(operand, Const(value=str(key)))) if function in _BY_KEY:
            above = _path(operand, paths)
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
