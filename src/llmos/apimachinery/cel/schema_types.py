"""What an OpenAPI schema says about the types of its values, and how the values are handed over.

Source: k8s.io/apiserver/pkg/cel/common (SchemaDeclType, UnstructuredToVal) and
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#type-checking
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from llmos.apimachinery.cel.times import as_timestamp
from llmos.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelType,
    Fields,
    Order,
    list_of,
    map_of,
    object_of,
)
from llmos.apimachinery.cel.words import RESERVED
from llmos.apimachinery.ratcheting import keys_of
from llmos.apimachinery.schema import Schema

Node = Mapping[str, Any]
Convert = Callable[[Any], Any]

_SCALARS = {"boolean": BOOL, "integer": INT, "number": DOUBLE, "string": STRING}
_FORMATS = {
    "byte": BYTES,
    "date": TIMESTAMP,
    "date-time": TIMESTAMP,
    "datetime": TIMESTAMP,
    "duration": DURATION,
}
_NO_SET = frozenset((BYTES, DURATION, TIMESTAMP))
"""Sets of these are compared in their order, by Kubernetes too."""
_METADATA = {"name": STRING, "generateName": STRING}
_IDENTIFIER = re.compile(r"[A-Za-z_.\-/][A-Za-z0-9_.\-/]*")
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))


def escaped(name: str) -> str | None:
    """How an expression spells a property; None: no expression can name it."""
    if name in RESERVED:
        return f"__{name}__"
    if not _IDENTIFIER.fullmatch(name):
        return None
    for text, replacement in _ESCAPES:
        name = name.replace(text, replacement)
    return name


def type_of(node: Node, name: str, resource: bool = False) -> CelType:
    """The type of a schema's values.

    Args:
        node: the schema.
        name: what errors call an object of it.
        resource: whether it is a whole resource, with metadata.
    """
    kind = node.get("type")
    if node.get("x-kubernetes-int-or-string"):
        return DYN
    if kind == "array":
        items = node.get("items")
        made = list_of(type_of(items, f"{name}.@idx") if isinstance(items, dict) else DYN)
        return replace(made, order=_list_order(node, made))
    if kind == "object":
        return _object(node, name, resource)
    if kind == "string":
        return _FORMATS.get(node.get("format") or "", STRING)
    return _SCALARS.get(kind or "", DYN)


def _list_order(node: Node, made: CelType) -> Order | None:
    """The order of a list type, where it is a set or a map."""
    keys: tuple[str, ...] | None = keys_of(node)
    if node.get("x-kubernetes-list-type") == "set" and made.parameters[0] not in _NO_SET:
        keys = ()
    return made.order if keys is None else {**(made.order or {}), "unique": [*keys]}


def _object(node: Node, name: str, resource: bool) -> CelType:
    additional = node.get("additionalProperties")
    if additional:
        value = type_of(additional, f"{name}.@elem") if isinstance(additional, dict) else DYN
        return map_of(value)
    embedded = resource or bool(node.get("x-kubernetes-embedded-resource"))
    made = object_of(name, partial(_fields, node, name, embedded))
    orders = {
        spelled: order
        for key, child in (node.get("properties") or {}).items()
        if isinstance(child, dict)
        and (spelled := escaped(key)) is not None
        and (order := type_of(child, "").order) is not None
    }
    return replace(made, order={"fields": orders} if orders else None)


def _fields(node: Node, name: str, resource: bool) -> Fields:
    fields = {}
    for key, child in (node.get("properties") or {}).items():
        spelled = escaped(key)
        if spelled is not None and isinstance(child, dict):
            fields[spelled] = type_of(child, f"{name}.{key}")
    if resource:
        metadata = object_of(f"{name}.metadata", lambda: _METADATA)
        fields |= {"apiVersion": STRING, "kind": STRING, "metadata": metadata}
    return fields


def type_of_schema(schema: Schema, name: str) -> CelType:
    """The type of values as policies see them: as JSON has them, so that a time is a text."""
    if schema.int_or_string or schema.preserve_unknown:
        return DYN
    if schema.type == "array":
        items = schema.items
        return list_of(DYN if items is None else type_of_schema(items, f"{name}.@idx"))
    if schema.additional is not None:
        return map_of(type_of_schema(schema.additional, f"{name}.@elem"))
    if schema.properties:
        return object_of(name, partial(_schema_fields, schema, name))
    scalar = _SCALARS.get(schema.type, DYN)
    return DYN if scalar == DOUBLE or (scalar == STRING and schema.format) else scalar


def _schema_fields(schema: Schema, name: str) -> Fields:
    return {key: type_of_schema(child, f"{name}.{key}") for key, child in schema.properties.items()}


def converter(node: Node) -> Convert | None:
    """What turns a schema's JSON values into what expressions work on; None: they are that."""
    kind = node.get("type")
    if node.get("x-kubernetes-int-or-string"):
        return None
    if kind == "array":
        return _list_converter(node)
    if kind == "object":
        return _map_converter(node) or _object_converter(node)
    if kind == "number":
        return _number
    return _TEXTS.get(type_of(node, "")) if kind == "string" else None


def _number(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _text(read: Callable[[str], Any]) -> Convert:
    return lambda value: read(value) if isinstance(value, str) else value


_TEXTS: Mapping[CelType, Convert] = {
    TIMESTAMP: _text(as_timestamp),
    BYTES: _text(lambda text: bytearray(base64.b64decode(text))),
}


def _list_converter(node: Node) -> Convert | None:
    items = node.get("items")
    convert = converter(items) if isinstance(items, dict) else None
    if convert is None:
        return None
    return lambda value: [convert(each) for each in value] if isinstance(value, list) else value


def _map_converter(node: Node) -> Convert | None:
    additional = node.get("additionalProperties")
    convert = converter(additional) if isinstance(additional, dict) else None
    if convert is None:
        return None

    def each_value(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: convert(each) for key, each in value.items()}

    return each_value


def _object_converter(node: Node) -> Convert | None:
    properties = {
        key: (escaped(key) or key, converter(child))
        for key, child in (node.get("properties") or {}).items()
        if isinstance(child, dict)
    }
    special = {
        key: (spelled, convert)
        for key, (spelled, convert) in properties.items()
        if spelled != key or convert is not None
    }
    if not special:
        return None

    def each_field(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        new = dict(value)
        for key, (spelled, convert) in special.items():
            if key in new:
                found = new.pop(key)
                new[spelled] = found if convert is None else convert(found)
        return new

    return each_field
