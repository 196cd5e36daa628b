r"""Sets of fields, in the form in which ``managedFields`` carries them: FieldsV1.

A set is a tree of maps, ready to be written as JSON::

    {"f:data": {".": {}, "f:a": {}}, "f:secrets": {"k:{\"name\":\"x\"}": {}}}

A key is one step of a path: ``f:`` and a field name, ``k:`` and the keys of an element of a list,
``v:`` and the value of an element of a set, ``i:`` and an index. A step whose map is empty, or
has ``"."``, is a member of the set; any other only leads to members. No step leads nowhere.
Sets are never changed in place and may share parts. Follows
sigs.k8s.io/structured-merge-diff/fieldpath.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from llmos.apimachinery.golang import quote

FieldSet = dict[str, Any]
Path = tuple[str, ...]

SELF = "."
LEAF: FieldSet = {}
"""The value of a step that is a member and leads no further. Shared: never change it."""
_MAX_DEPTH = 64
"""Deeper than any schema's path; what a client sends along must not exhaust the stack."""


def is_member(node: FieldSet) -> bool:
    """Whether the step that leads to a node is in the set itself."""
    return not node or SELF in node


def is_empty(fields: FieldSet) -> bool:
    """Whether nothing is in the set."""
    return not fields


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in either set."""
    if not left or not right:
        return left or right
    merged = dict(left)
    for step, other in right.items():
        mine = merged.get(step)
        merged[step] = other if mine is None else _union_node(mine, other)
    return merged


def _union_node(left: FieldSet, right: FieldSet) -> FieldSet:
    if left == right:
        return left
    merged = union(left, right)
    if SELF not in merged and (not left or not right):
        return {SELF: LEAF, **merged}
    return merged


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in both sets."""
    common = {}
    for step, other in right.items():
        mine = left.get(step)
        if mine is None or step == SELF:
            continue
        node = intersection(mine, other)
        if is_member(mine) and is_member(other):
            common[step] = {SELF: LEAF, **node} if node else LEAF
        elif node:
            common[step] = node
    return common


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in the left set and not in the right one; ``left`` itself where that is all."""
    rest = left
    for step, other in right.items():
        mine = left.get(step)
        if mine is None or step == SELF:
            continue
        node = _difference_node(mine, other)
        if node is mine:
            continue
        if rest is left:
            rest = dict(left)
        if node is None:
            del rest[step]
        else:
            rest[step] = node
    return rest


def _difference_node(left: FieldSet, right: FieldSet) -> FieldSet | None:
    if not left:
        return None if is_member(right) else left
    rest = difference(left, right)
    if SELF in rest:
        if is_member(right):
            rest = {step: node for step, node in rest.items() if step != SELF}
        elif len(rest) == 1:
            return LEAF
    return rest or None


def paths(fields: FieldSet) -> Iterator[Path]:
    """The members in Kubernetes' order: those of a node before those below it, each sorted."""
    yield from _paths(fields, ())


def _paths(fields: FieldSet, prefix: Path) -> Iterator[Path]:
    steps = sorted(each for each in fields if each != SELF)
    for step in steps:
        if is_member(fields[step]):
            yield (*prefix, step)
    for step in steps:
        if fields[step]:
            yield from _paths(fields[step], (*prefix, step))


def field_set(*members: Path) -> FieldSet:
    """The set of a few paths."""
    fields: FieldSet = {}
    for path in members:
        single: FieldSet = LEAF
        for step in reversed(path):
            single = {step: single}
        fields = union(fields, single)
    return fields


def path_text(path: Path) -> str:
    """A path as conflicts print it: ``.spec.vols[name="a"].size``, ``.finalizers[="x"]``."""
    return "".join(map(_step_text, path))


def _step_text(step: str) -> str:
    kind, text = step[0], step[2:]
    if kind == "f":
        return f".{text}"
    if kind == "i":
        return f"[{text}]"
    value = orjson.loads(text)
    if kind == "v":
        return f"[={value_text(value)}]"
    return "[" + ",".join(f"{key}={value_text(value[key])}" for key in sorted(value)) + "]"


def value_text(value: Any) -> str:
    """A JSON value inside a path."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "[" + ",".join(map(value_text, value)) + "]"
    if isinstance(value, dict):
        inner = ";".join(f"{key}={value_text(value[key])}" for key in sorted(value))
        return "{" + inner + "}"
    return orjson.dumps(value).decode()


def key_step(keys: dict[str, Any]) -> str:
    """The step to the element of a list that has these keys."""
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def value_step(value: Any) -> str:
    """The step to an element of a set."""
    return "v:" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def to_fields_v1(fields: FieldSet) -> dict[str, Any]:
    """The set as FieldsV1, with its steps in the order that Kubernetes writes them in."""
    written: dict[str, Any] = {}
    for step in sorted(fields):
        node = fields[step]
        written[step] = to_fields_v1(node) if node else LEAF
    return written


def from_fields_v1(data: Any) -> FieldSet:
    """Read what a client sent as FieldsV1, in canonical form.

    Raises:
        ValueError: this is no set of fields.
    """
    return _read(data, 0) or {}


def _read(data: Any, depth: int) -> FieldSet | None:
    """A node; None where it leads nowhere."""
    if not isinstance(data, dict) or depth > _MAX_DEPTH:
        raise ValueError("a step of a field set must lead to a map")
    fields: FieldSet = {}
    for step, below in data.items():
        if step == SELF:
            if depth:
                fields[SELF] = LEAF
            continue
        node = _read(below, depth + 1)
        if node is not None:
            fields[_canonical(step)] = node
    if len(fields) == 1 and SELF in fields:
        return LEAF
    return fields if fields or not data else None


def _canonical(step: str) -> str:
    """A step as this module writes it.

    Raises:
        ValueError: it is no step.
    """
    kind, text = step[:2], step[2:]
    if kind == "f:":
        return step
    if kind == "i:" and text.isdecimal():
        return f"i:{int(text)}"
    if kind == "v:":
        return value_step(orjson.loads(text))
    if kind == "k:" and text.startswith("{"):
        return key_step(orjson.loads(text))
    raise ValueError(f"{step!r} is no step of a field set")
