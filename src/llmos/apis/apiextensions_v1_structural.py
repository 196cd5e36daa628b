"""Which OpenAPI schemas a CustomResourceDefinition may have: structural ones.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema (validation.go) and
pkg/apis/apiextensions/validation. Besides, what would let a schema stall the server is refused:
patterns that do not match in linear time, and nesting without end.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.lazy import LazyModule
from llmos.apimachinery.regex import regex_of
from llmos.apimachinery.regex_syntax import RegexError
from llmos.apimachinery.structural import has_rules
from llmos.apimachinery.structural_validation import compile_check
from llmos.apimachinery.validation import (
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apimachinery.valuepath import ROOT

if TYPE_CHECKING:
    from llmos.apimachinery.cel import rule_errors as rules
else:
    rules = LazyModule("llmos.apimachinery.cel.rule_errors")

Node = dict[str, Any]
Level = Literal["root", "field", "item"]

_MAX_DEPTH = 60
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
_TYPE_MISSING = {
    "root": "must not be empty at the root",
    "field": "must not be empty for specified object fields",
    "item": "must not be empty for specified array items",
}
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_NOT_IN_JUNCTORS = {
    "additionalProperties": "must be empty to be structural",
    "type": "must be empty to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "default": "must be undefined to be structural",
    "nullable": "must be false to be structural",
    "x-kubernetes-embedded-resource": "must be false to be structural",
    "x-kubernetes-int-or-string": "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-preserve-unknown-fields": "must be false to be structural",
}
_SCALARS_ONLY = ("array", "object")


def schema_errors(node: Node, field: str) -> list[FieldError]:
    """Find what keeps a schema from being structural; at its root it describes an object."""
    if _depth_exceeds(node, _MAX_DEPTH):
        return [field_invalid(field, "", f"must not nest more than {_MAX_DEPTH} levels deep")]
    errors = [*_root(node, field), *_node(node, field, "root")]
    if errors or not has_rules(node):
        return errors or [*_defaults(node, field)]
    return [*_defaults(node, field), *rules.rule_errors(node, field)]


def _depth_exceeds(node: Node, limit: int) -> bool:
    pending = [(node, 0)]
    while pending:
        current, depth = pending.pop()
        if depth > limit:
            return True
        pending.extend((each, depth + 1) for _, each in _all_children(current))
    return False


def _children(node: Node) -> Iterator[tuple[str, Node, Level]]:
    """The structural children of a node, with the end of their path."""
    for key, each in (node.get("properties") or {}).items():
        if isinstance(each, dict):
            yield f"properties[{key}]", each, "field"
    if isinstance(node.get("additionalProperties"), dict):
        yield "additionalProperties", node["additionalProperties"], "field"
    if isinstance(node.get("items"), dict):
        yield "items", node["items"], "item"


def _all_children(node: Node) -> Iterator[tuple[str, Node]]:
    for end, each, _ in _children(node):
        yield end, each
    for key in _JUNCTORS:
        for index, each in enumerate(node.get(key) or ()):
            if isinstance(each, dict):
                yield f"{key}[{index}]", each
    if isinstance(node.get("not"), dict):
        yield "not", node["not"]


def _root(node: Node, field: str) -> Iterator[FieldError]:
    kind = node.get("type")
    if kind and kind != "object":
        yield field_invalid(f"{field}.type", kind, "must be object at the root")
    if node.get("nullable"):
        yield field_forbidden(f"{field}.nullable", "nullable cannot be true at the root")
    meta = (node.get("properties") or {}).get("metadata")
    if isinstance(meta, dict):
        extra = sorted(set(meta.get("properties") or ()) - {"name", "generateName"})
        if extra or set(meta) - {"type", "properties", "description"}:
            text = (
                "must not specify anything other than name and generateName, but metadata is "
                "implicitly specified"
            )
            yield field_forbidden(f"{field}.properties[metadata]", text)


def _node(node: Node, field: str, level: Level) -> Iterator[FieldError]:
    yield from _type(node, field, level)
    yield from _keywords(node, field)
    yield from _extensions(node, field)
    for end, child, child_level in _children(node):
        yield from _node(child, f"{field}.{end}", child_level)
    yield from _junctors(node, node, field)


def _type(node: Node, field: str, level: Level) -> Iterator[FieldError]:
    kind = node.get("type") or ""
    free = node.get("x-kubernetes-int-or-string") or node.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    if not kind:
        if level == "root" or not free:
            yield field_required(f"{field}.type", _TYPE_MISSING[level])
    elif node.get("x-kubernetes-int-or-string"):
        text = "must be empty if x-kubernetes-int-or-string is true"
        yield field_invalid(f"{field}.type", kind, text)
    elif kind == "null":
        text = "type cannot be set to null, use nullable as an alternative"
        yield field_forbidden(f"{field}.type", text)
    elif kind not in _TYPES:
        yield field_not_supported(f"{field}.type", kind, _TYPES)
    if kind == "array" and node.get("items") is None:
        yield field_required(f"{field}.items", "must be specified")


def _keywords(node: Node, field: str) -> Iterator[FieldError]:
    for key in _UNSUPPORTED:
        if node.get(key):
            yield field_forbidden(f"{field}.{key}", f"{key} is not supported")
    if node.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield field_forbidden(f"{field}.uniqueItems", text)
    if isinstance(node.get("items"), list):
        text = "items must be a schema object and not an array"
        yield field_forbidden(f"{field}.items", text)
    additional = node.get("additionalProperties")
    if additional is False:
        text = "additionalProperties cannot be set to false"
        yield field_forbidden(f"{field}.additionalProperties", text)
    elif additional is not None and node.get("properties"):
        text = "additionalProperties and properties are mutual exclusive"
        yield field_forbidden(f"{field}.additionalProperties", text)
    yield from _pattern(node, field)


def _pattern(node: Node, field: str) -> Iterator[FieldError]:
    pattern = node.get("pattern")
    if not pattern:
        return
    try:
        regex_of(pattern)
    except RegexError as error:
        text = f"must be a valid regular expression, but isn't: error parsing regexp: {error}"
        yield field_invalid(f"{field}.pattern", pattern, text)


def _extensions(node: Node, field: str) -> Iterator[FieldError]:
    if node.get("x-kubernetes-preserve-unknown-fields") is False:
        name = f"{field}.x-kubernetes-preserve-unknown-fields"
        yield field_invalid(name, False, "must be true or undefined")
    if node.get("x-kubernetes-embedded-resource") and node.get("type") != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        yield field_invalid(f"{field}.type", node.get("type") or "", text)
    map_type = node.get("x-kubernetes-map-type")
    if map_type and map_type not in ("atomic", "granular"):
        name = f"{field}.x-kubernetes-map-type"
        yield field_not_supported(name, map_type, ("atomic", "granular"))
    yield from _list_type(node, field)


def _list_type(node: Node, field: str) -> Iterator[FieldError]:
    kind = node.get("x-kubernetes-list-type")
    keys = node.get("x-kubernetes-list-map-keys")
    if kind and kind not in ("atomic", "map", "set"):
        name = f"{field}.x-kubernetes-list-type"
        yield field_not_supported(name, kind, ("atomic", "map", "set"))
    if kind and node.get("type") != "array":
        text = f"must be array if x-kubernetes-list-type is {kind}"
        yield field_invalid(f"{field}.type", node.get("type") or "", text)
    if keys and kind != "map":
        text = "must be map if x-kubernetes-list-map-keys is non-empty"
        yield field_invalid(f"{field}.x-kubernetes-list-type", kind, text)
    items = node.get("items")
    if kind == "map":
        yield from _list_map(keys or [], items if isinstance(items, dict) else {}, field)
    elif kind == "set" and isinstance(items, dict) and not _is_atomic(items):
        text = "must be atomic as item of a list with x-kubernetes-list-type=set"
        yield field_invalid(f"{field}.items.x-kubernetes-{items['type']}-type", None, text)


def _is_atomic(node: Node) -> bool:
    kind = node.get("type")
    if kind == "array":
        return node.get("x-kubernetes-list-type") in (None, "atomic")
    return kind != "object" or node.get("x-kubernetes-map-type") == "atomic"


def _list_map(keys: list[str], items: Node, field: str) -> Iterator[FieldError]:
    name = f"{field}.x-kubernetes-list-map-keys"
    if not keys:
        yield field_required(name, "must not be empty if x-kubernetes-list-type is map")
    if items.get("type") != "object":
        text = "must be object if parent array's x-kubernetes-list-type is map"
        yield field_invalid(f"{field}.items.type", items.get("type") or "", text)
    properties = items.get("properties") or {}
    for key in keys:
        child = properties.get(key)
        where = f"{field}.items.properties[{key}]"
        if not isinstance(child, dict):
            yield field_invalid(name, keys, "entries must all be names of item properties")
        elif child.get("type") in _SCALARS_ONLY:
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield field_invalid(f"{where}.type", child["type"], text)
        elif "default" not in child and key not in (items.get("required") or ()):
            text = (
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a "
                "required property"
            )
            yield field_required(f"{where}.default", text)


def _junctors(node: Node, structure: Node, field: str) -> Iterator[FieldError]:
    """Junctors say rules for values only; ``structure`` is what they speak of."""
    choices = [*(((f"{k}[{i}]", e) for k in _JUNCTORS for i, e in enumerate(node.get(k) or ())))]
    if isinstance(node.get("not"), dict):
        choices.append(("not", node["not"]))
    for end, choice in choices:
        if isinstance(choice, dict) and not _repeats_int_or_string(structure, choice):
            yield from _value_rules(choice, structure, f"{field}.{end}")


def _repeats_int_or_string(structure: Node, choice: Node) -> bool:
    return bool(structure.get("x-kubernetes-int-or-string")) and choice in (
        {"type": "integer"},
        {"type": "string"},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    )


def _value_rules(node: Node, structure: Node, field: str) -> Iterator[FieldError]:
    for key, text in _NOT_IN_JUNCTORS.items():
        if node.get(key) not in (None, False, ""):
            yield field_forbidden(f"{field}.{key}", text)
    yield from _pattern(node, field)
    for key, child in (node.get("properties") or {}).items():
        below = (structure.get("properties") or {}).get(key)
        if not isinstance(below, dict) and isinstance(structure.get("additionalProperties"), dict):
            below = structure["additionalProperties"]
        if isinstance(below, dict):
            yield from _value_rules(child, below, f"{field}.properties[{key}]")
        elif not structure.get("x-kubernetes-preserve-unknown-fields"):
            where = f"{field.rsplit('.', 1)[0]}.properties[{key}]"
            yield field_required(where, f"because it is defined in {field}.properties[{key}]")
    if isinstance(node.get("items"), dict) and isinstance(structure.get("items"), dict):
        yield from _value_rules(node["items"], structure["items"], f"{field}.items")
    yield from _junctors(node, structure, field)


def _defaults(node: Node, field: str) -> Iterator[FieldError]:
    """Defaults must be valid themselves; asked only of schemas that are right otherwise."""
    if node.get("default") is not None:
        found: list[FieldError] = []
        compile_check(node)(node["default"], ROOT, found)
        for each in found:
            below = "" if each.field == "<nil>" else f".{each.field}"
            yield FieldError(each.reason, f"{field}.default{below}", each.message)
    for end, child, _ in _children(node):
        yield from _defaults(child, f"{field}.{end}")
