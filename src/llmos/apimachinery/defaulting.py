"""Fill in the defaults of a schema, and settle nulls and numbers on the way.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting. Numbers: Go prints the
float 1.0 as ``1``, so whole numbers become integers wherever the schema speaks of numbers.
"""

from typing import Any

from llmos.apimachinery.object import Object, copy_object
from llmos.apimachinery.schema import MISSING, Schema

_EXACT = 2**53
"""Floats up to here are exact as integers."""


def apply_defaults(obj: Object, schema: Schema) -> None:
    """Default in place, also within lists; a null that may not be is dropped or defaulted."""
    _default_object(obj, schema)


def _default(value: Any, schema: Schema) -> Any:
    """The value as it should be; maps and lists are changed in place."""
    if isinstance(value, dict):
        _default_object(value, schema)
    elif isinstance(value, list):
        if schema.items is not None:
            _default_list(value, schema.items)
    elif isinstance(value, float):
        return _whole(value, schema)
    return value


def _default_object(value: Object, schema: Schema) -> None:
    properties = schema.properties
    for key, child in properties.items():
        if key not in value and child.default is not MISSING and child.default is not None:
            value[key] = copy_object(child.default)
    nulls = []
    for key, each in value.items():
        known = properties.get(key) or schema.additional
        if known is None or isinstance(each, str):
            continue
        if each is not None:
            value[key] = _default(each, known)
        elif not known.nullable:
            nulls.append((key, known))
    for key, child in nulls:
        _settle_null(value, key, child)


def _settle_null(value: Object, key: str, schema: Schema) -> None:
    if schema.default is MISSING or schema.default is None:
        del value[key]
    else:
        value[key] = _default(copy_object(schema.default), schema)


def _default_list(value: list[Any], schema: Schema) -> None:
    for index, each in enumerate(value):
        if each is None and not schema.nullable:
            if schema.default is not MISSING and schema.default is not None:
                value[index] = copy_object(schema.default)
        else:
            value[index] = _default(each, schema)


def _whole(value: float, schema: Schema) -> float | int:
    numeric = schema.type in ("integer", "number", "") or schema.int_or_string
    return int(value) if numeric and abs(value) <= _EXACT and value.is_integer() else value
