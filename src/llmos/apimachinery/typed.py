"""Objects seen through their schema, as field ownership sees them.

A map is granular unless its schema says atomic; a list is atomic unless its schema says set or
map; what the schema does not describe is deduced: maps granular, lists atomic. Follows
sigs.k8s.io/structured-merge-diff/typed. Sets of fields are those of ``fieldset``.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from llmos.apimachinery.fieldset import LEAF, SELF, FieldSet, is_member, key_step, value_step
from llmos.apimachinery.object import Object
from llmos.apimachinery.schema import MISSING, Schema

UNTYPED = Schema(preserve_unknown=True)
_Changes = tuple[FieldSet, FieldSet]


def child(schema: Schema, key: str) -> Schema:
    """The schema of a field or of a map's value."""
    return schema.properties.get(key) or schema.additional or UNTYPED


def items_of(schema: Schema) -> Schema:
    """The schema of a list's elements."""
    return schema.items or UNTYPED


def _is_granular(value: Any, schema: Schema) -> bool:
    return isinstance(value, dict) and schema.map_type != "atomic"


def _is_associative(value: Any, schema: Schema) -> bool:
    return isinstance(value, list) and schema.list_type in ("map", "set")


def element_step(item: Any, schema: Schema) -> str:
    """The step to an element of a list that is a map or a set; a key that is missing is null."""
    if schema.list_type != "map" or not isinstance(item, dict):
        return value_step(item)
    return key_step({key: _key_value(item, key, schema) for key in schema.list_keys})


def _key_value(item: Mapping[str, Any], key: str, schema: Schema) -> Any:
    if key in item:
        return item[key]
    default = child(items_of(schema), key).default
    return None if default is MISSING else default


def fields_of(value: Object, schema: Schema) -> FieldSet:
    """What an applied configuration owns: leaves, elements of lists, and keys of free maps."""
    fields = {}
    for key, each in value.items():
        node = _owned(each, child(schema, key))
        if key not in schema.properties:
            node = _with_self(node)
        if node is not None:
            fields["f:" + key] = node
    return fields


def _owned(value: Any, schema: Schema) -> FieldSet | None:
    """The fields below a value; None where there are none and it is not itself a leaf."""
    if _is_granular(value, schema):
        return (fields_of(value, schema) or None) if value else LEAF
    if _is_associative(value, schema):
        items = items_of(schema)
        owned = {element_step(each, schema): _with_self(_owned(each, items)) for each in value}
        return owned or None
    return LEAF


def _with_self(node: FieldSet | None) -> FieldSet:
    if not node:
        return LEAF
    return node if SELF in node else {SELF: LEAF, **node}


def all_fields(value: Any, schema: Schema) -> FieldSet:
    """What is added with a new value: itself and all below it."""
    if _is_granular(value, schema) and value:
        fields: FieldSet = {SELF: LEAF}
        for key, each in value.items():
            # Most values are strings; they are leaves whatever their schema.
            fields["f:" + key] = LEAF if type(each) is str else all_fields(each, child(schema, key))
        return fields
    if _is_associative(value, schema) and value:
        items = items_of(schema)
        elements = {element_step(each, schema): all_fields(each, items) for each in value}
        return {SELF: LEAF, **elements}
    return LEAF


def compare(old: Object, new: Object, schema: Schema) -> _Changes:
    """The fields that are new or have another value, and those that are gone.

    The order of the elements of a set or a map does not count.
    """
    changed: FieldSet = {}
    removed: FieldSet = {}
    for key, after in new.items():
        before = old.get(key, MISSING)
        if before is after:
            continue
        step = "f:" + key
        if before is MISSING:
            changed[step] = all_fields(after, child(schema, key))
        elif before != after:
            _note(changed, removed, step, _compare(before, after, child(schema, key)))
    for key in old.keys() - new.keys():
        removed["f:" + key] = all_fields(old[key], child(schema, key))
    return changed, removed


def _note(changed: FieldSet, removed: FieldSet, step: str, changes: tuple[Any, Any]) -> None:
    if changes[0] is not None:
        changed[step] = changes[0]
    if changes[1]:
        removed[step] = changes[1]


def _compare(before: Any, after: Any, schema: Schema) -> tuple[FieldSet | None, FieldSet]:
    """The changes below a value that is not what it was; a leaf or None for the first."""
    if schema.map_type != "atomic" and _both(before, after, dict):
        changed, removed = compare(before or {}, after or {}, schema)
        return changed or None, removed
    if schema.list_type in ("map", "set") and _both(before, after, list):
        changed, removed = _compare_lists(before or (), after or (), schema)
        return changed or None, removed
    below = all_fields(before, schema)
    return all_fields(after, schema), {step: below[step] for step in below if step != SELF}


def _both(before: Any, after: Any, kind: type) -> bool:
    """Whether both are containers of a kind, null taken for an empty one, and one has content."""
    filled = before or after
    return bool(filled) and all(each is None or isinstance(each, kind) for each in (before, after))


def _compare_lists(before: Iterable[Any], after: Iterable[Any], schema: Schema) -> _Changes:
    items = items_of(schema)
    old = {element_step(each, schema): each for each in before}
    new = {element_step(each, schema): each for each in after}
    changed: FieldSet = {}
    removed = {step: all_fields(each, items) for step, each in old.items() if step not in new}
    for step, each in new.items():
        if step not in old:
            changed[step] = all_fields(each, items)
        elif old[step] != each:
            _note(changed, removed, step, _compare(old[step], each, items))
    return changed, removed


def merge(live: Object, config: Object, schema: Schema) -> Object:
    """The live object with an applied configuration laid over it."""
    merged = dict(live)
    for key, each in config.items():
        merged[key] = _merge(live[key], each, child(schema, key)) if key in live else each
    return merged


def _merge(live: Any, config: Any, schema: Schema) -> Any:
    granular = _is_granular(live, schema)
    if granular and isinstance(config, dict):
        return merge(live, config, schema)
    associative = _is_associative(live, schema)
    if associative and isinstance(config, list):
        return _merge_lists(live, config, schema)
    if config is None and (granular or associative):
        return live
    return config


def _merge_lists(live: list[Any], config: list[Any], schema: Schema) -> list[Any]:
    """Elements by their keys: the configuration's in its order, the others where they were."""
    items = items_of(schema)
    old = {element_step(each, schema): each for each in live}
    new = {element_step(each, schema): each for each in config}
    shared = iter([step for step in new if step in old])
    awaited = next(shared, None)
    others = deque(old)
    merged = []
    for step, each in new.items():
        while others and others[0] != awaited:
            other = others.popleft()
            if other not in new:
                merged.append(old[other])
        merged.append(_merge(old[step], each, items) if step in old else each)
        if step == awaited:
            if others and others[0] == step:
                others.popleft()
            awaited = next(shared, None)
    return merged + [old[step] for step in others if step not in new]


def remove(value: Object, fields: FieldSet, schema: Schema) -> Object:
    """An object without the members of a set and all below them."""
    kept = {}
    for key, each in value.items():
        node = fields.get("f:" + key)
        if node is None:
            kept[key] = each
        elif not is_member(node):
            kept[key] = _remove(each, node, child(schema, key))
    return kept


def _remove(value: Any, fields: FieldSet, schema: Schema) -> Any:
    if _is_granular(value, schema):
        return remove(value, fields, schema)
    if not _is_associative(value, schema):
        return value
    items = items_of(schema)
    kept = []
    for each in value:
        node = fields.get(element_step(each, schema))
        if node is None:
            kept.append(each)
        elif not is_member(node):
            kept.append(_remove(each, node, items))
    return kept


def with_named(fields: FieldSet, schema: Schema) -> FieldSet:
    """The set with every declared field on the way to a member, which owns it as a whole."""
    named = {}
    for step, node in fields.items():
        if not node:
            named[step] = node
            continue
        key = step[2:] if step[0] == "f" else None
        below = with_named(node, items_of(schema) if key is None else child(schema, key))
        named[step] = _with_self(below) if key in schema.properties else below
    return named
