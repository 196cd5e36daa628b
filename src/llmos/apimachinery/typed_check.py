"""Whether an applied configuration has the types that its schema declares.

The texts are those of sigs.k8s.io/structured-merge-diff/typed, which clients show as they are.
"""

from collections.abc import Iterator
from typing import Any

from llmos.apimachinery.fieldset import path_text
from llmos.apimachinery.golang import quote
from llmos.apimachinery.object import Object
from llmos.apimachinery.schema import MISSING, Schema
from llmos.apimachinery.strategic_order import go_text
from llmos.apimachinery.typed import UNTYPED, child, element_step, items_of

_ANY_SCALAR = frozenset({"date-time", "micro-time", "quantity", "int-or-string"})
"""Formats whose codec takes more than one type of JSON."""


def type_errors(value: Object, schema: Schema) -> list[str]:
    """What does not fit, each with the path to it."""
    return list(_check(value, schema, ""))


def _check(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if value is None:
        return
    if schema.type == "object":
        yield from _check_map(value, schema, path)
    elif schema.type == "array":
        yield from _check_list(value, schema, path)
    else:
        wrong = _scalar_error(value, schema)
        if wrong:
            yield f"{path}: {wrong}"


def _check_map(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected map, got {_pointer(value)}"
        return
    free = schema.preserve_unknown or not (schema.properties or schema.additional)
    for key, each in value.items():
        known = schema.properties.get(key) or schema.additional or (UNTYPED if free else None)
        if known is None:
            yield f"{path}.{key}: field not declared in schema"
            return
        yield from _check(each, known, f"{path}.{key}")


def _check_list(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: expected list, got {_pointer(value)}"
        return
    seen = set()
    for index, each in enumerate(value):
        where = f"[{index}]"
        if schema.list_type in ("map", "set"):
            wrong = _element_error(each, schema)
            if wrong:
                yield f"{path}: element {index}: {wrong}"
                return
            where = path_text((element_step(each, schema),))
            if where in seen:
                yield f"{path}: duplicate entries for key {where}"
            seen.add(where)
        yield from _check(each, items_of(schema), f"{path}{where}")


def _element_error(item: Any, schema: Schema) -> str | None:
    """Why an element cannot be told from its neighbours."""
    if schema.list_type == "set":
        return _member_error(item)
    if item is None:
        return "associative list with keys may not have a null element"
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    for key in schema.list_keys:
        if key not in item and child(items_of(schema), key).default is MISSING:
            text = "associative list with keys has an element that omits key field"
            return f"{text} {quote(key)} (and doesn't have default value)"
    return None


def _member_error(item: Any) -> str | None:
    if isinstance(item, dict):
        return "associative list without keys has an element that's a map type"
    if isinstance(item, list):
        return "not supported: associative list with lists as elements"
    if item is None:
        return "associative list without keys has an element that's an explicit null"
    return None


def _scalar_error(value: Any, schema: Schema) -> str | None:
    scalar = not isinstance(value, dict | list)
    if schema.int_or_string or schema.format in _ANY_SCALAR:
        return None if scalar else f"expected any scalar, got {_pointer(value)}"
    match schema.type:
        case "string" if not isinstance(value, str):
            return f"expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"
        case "boolean" if not isinstance(value, bool):
            return f"expected boolean, got {_pointer(value)}"
        case "integer" | "number" if isinstance(value, bool) or not isinstance(value, int | float):
            return "expected numeric (int or float), got *value.valueUnstructured"
        case _:
            return None


def _pointer(value: Any) -> str:
    return f"&{{{go_text(value)}}}"


def _go_syntax(value: Any) -> str:
    """A JSON value as Go's ``%#v`` prints it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{quote(key)}:{_go_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_go_syntax, value)) + "}"
    if value is None:
        return "interface {}(nil)"
    return quote(value) if isinstance(value, str) else go_text(value)
