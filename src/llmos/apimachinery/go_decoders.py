"""Decoders for ``decoding``: one small function for each node of a built-in schema.

What OpenAPI does not say of a field (pointer or not, ``omitempty``) comes from ``go_types``; for
kinds that its table does not have, from what is usual in Kubernetes' types.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from llmos.apimachinery import go_values
from llmos.apimachinery.go_types import GoField, json_fields, message_of_definition
from llmos.apimachinery.golang import json_type
from llmos.apimachinery.quantity import Quantity
from llmos.apimachinery.schema import Schema


class GoTypeError(Exception):
    """A value of a wrong type, told as ``encoding/json`` tells it; the path grows on the way up."""

    def __init__(self, value: str, go_type: str) -> None:
        super().__init__(value, go_type)
        self.value = value
        self.go_type = go_type
        self.struct = ""
        self.path: list[str] = []

    def within(self, struct: str, key: str) -> None:
        """Note the field that the value is in; the innermost struct is the one named."""
        self.struct = self.struct or struct
        self.path.insert(0, key)

    def __str__(self) -> str:
        where = f"struct field {self.struct}.{'.'.join(self.path)}" if self.path else "value"
        return f"json: cannot unmarshal {self.value} into Go {where} of type {self.go_type}"


@dataclass(slots=True)
class Progress:
    """What one decoding has come across."""

    unknown: bool = False


Decoder = Callable[[Any, Progress], Any]


@dataclass(frozen=True, slots=True)
class _Member:
    """One field of a struct: how it is read, and whether an empty value is written."""

    decode: Decoder
    keeps_empty: bool


@cache
def decoder_of(schema: Schema) -> Decoder:
    """The decoder of a node."""
    if schema.format in _BY_FORMAT:
        return _BY_FORMAT[schema.format]
    if schema.preserve_unknown or not schema.type:
        return _anything
    if schema.type == "array":
        return _list(schema)
    if schema.type == "object":
        return _object(schema)
    return _BY_TYPE.get(schema.type, _anything)


def go_type(schema: Schema) -> str:
    """The name of a node's Go type as error texts show it."""
    if schema.type == "array":
        return "[]" + (go_type(schema.items) if schema.items else "string")
    if schema.type == "object" and schema.additional is not None:
        return f"map[string]{go_type(schema.additional)}"
    if schema.definition:
        return ".".join(schema.definition.split(".")[-2:])
    if schema.type == "integer":
        return schema.format or "int64"
    return {"boolean": "bool", "number": "float64"}.get(schema.type, schema.type)


def _anything(value: Any, _: Progress) -> Any:
    return value


def _string(value: Any, _: Progress) -> str:
    if type(value) is not str:
        raise GoTypeError(json_type(value), "string")
    return value


def _boolean(value: Any, _: Progress) -> bool:
    if type(value) is not bool:
        raise GoTypeError(json_type(value), "bool")
    return value


def _number(value: Any, _: Progress) -> float:
    if type(value) is not float and type(value) is not int:
        raise GoTypeError(json_type(value), "float64")
    return value


def _integer(limits: tuple[int, int], name: str) -> Decoder:
    low, high = limits

    def decode(value: Any, _: Progress) -> int:
        if type(value) is not int or not low <= value <= high:
            raise GoTypeError(go_values.number_text(value), name)
        return value

    return decode


def _bytes(value: Any, _: Progress) -> str:
    if type(value) is not str:
        raise GoTypeError(json_type(value), "[]uint8")
    return go_values.base64_bytes(value)


_INT64 = _integer(go_values.INT64, "int64")
_BY_FORMAT: dict[str, Decoder] = {
    "quantity": lambda value, _: Quantity.parse(value).canonical(),
    "date-time": lambda value, _: go_values.time(value),
    "micro-time": lambda value, _: go_values.micro_time(value),
    "int-or-string": lambda value, _: go_values.int_or_string(value),
    "byte": _bytes,
    "int32": _integer(go_values.INT32, "int32"),
    "int64": _INT64,
}
_BY_TYPE: dict[str, Decoder] = {
    "string": _string,
    "boolean": _boolean,
    "number": _number,
    "integer": _INT64,
}


def _list(schema: Schema) -> Decoder:
    items = schema.items or Schema()
    decode_item = decoder_of(items)
    name = go_type(schema)

    def decode(value: Any, progress: Progress) -> list[Any]:
        if type(value) is not list:
            raise GoTypeError(json_type(value), name)
        return [
            _zero(items, progress) if each is None else decode_item(each, progress)
            for each in value
        ]

    return decode


def _object(schema: Schema) -> Decoder:
    if schema.additional is not None:
        return _map(schema, schema.additional)
    if schema.properties or schema.definition:
        return _Struct(schema)
    return _anything


def _map(schema: Schema, values: Schema) -> Decoder:
    name = go_type(schema)
    decode_value = decoder_of(values)

    def decode(value: Any, progress: Progress) -> dict[str, Any]:
        if type(value) is not dict:
            raise GoTypeError(json_type(value), name)
        return {
            key: _zero(values, progress) if each is None else decode_value(each, progress)
            for key, each in value.items()
        }

    return decode


class _Struct:
    """Decodes a struct; its members are looked up at first use, since types may be recursive."""

    __slots__ = ("_always", "_members", "_name", "_schema", "_type")

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._name = schema.definition.rpartition(".")[2]
        self._type = go_type(schema)
        self._members: dict[str, _Member] | None = None
        self._always: list[tuple[str, Schema | None]] = []

    def __call__(self, value: Any, progress: Progress) -> dict[str, Any]:
        if type(value) is not dict:
            raise GoTypeError(json_type(value), self._type)
        members = self._members
        if members is None:
            members = self._members = self._look_up()
        out: dict[str, Any] = {}
        for key, each in value.items():
            member = members.get(key)
            if member is None:
                progress.unknown = True
            elif each is not None:
                self._decode(out, key, member, each, progress)
        for key, zero in self._always:
            if key not in out:
                out[key] = None if zero is None else _zero(zero, progress)
        return out

    def _decode(
        self, out: dict[str, Any], key: str, member: _Member, value: Any, progress: Progress
    ) -> None:
        try:
            decoded = member.decode(value, progress)
        except GoTypeError as error:
            error.within(self._name, key)
            raise
        if decoded or member.keeps_empty:
            out[key] = decoded

    def _look_up(self) -> dict[str, _Member]:
        """Work out the members, and those that are written whatever is given."""
        known = json_fields(message_of_definition(self._schema.definition))
        members: dict[str, _Member] = {}
        for key, child in self._schema.properties.items():
            field = known.get(key) or _usual(self._schema, key, child)
            is_collection = child.type == "array" or child.additional is not None
            keeps_empty = field.pointer or not field.omit_empty or _is_struct(child)
            members[key] = _Member(decoder_of(child), keeps_empty and not is_collection)
            if _is_always_written(key, field, child):
                is_null = field.pointer or is_collection or child.format in _NULL_FORMATS
                self._always.append((key, None if is_null else child))
        return members


_NULL_FORMATS = frozenset({"date-time", "micro-time"})


def _is_always_written(key: str, field: GoField, child: Schema) -> bool:
    if not field.omit_empty:
        return True
    if field.pointer or key == "creationTimestamp":
        return False
    return _is_struct(child) or child.format in _STRUCT_FORMATS


_STRUCT_FORMATS = frozenset({"quantity", "int-or-string", "date-time", "micro-time"})


def _is_struct(schema: Schema) -> bool:
    return schema.type == "object" and schema.additional is None and not schema.preserve_unknown


def _usual(schema: Schema, key: str, child: Schema) -> GoField:
    """What is usual: required fields are always written, optional structs and numbers pointers."""
    is_required = key in schema.required
    is_root = "x-kubernetes-group-version-kind" in schema.source
    is_plain = child.type == "string" and not child.format
    is_value = is_plain or (is_root and _is_struct(child)) or is_required
    return GoField(0, key, "", omit_empty=not is_required, pointer=not is_value)


def _zero(schema: Schema, progress: Progress) -> Any:
    """The zero value of a type as Go writes it."""
    if schema.format in _ZERO_FORMATS:
        return _ZERO_FORMATS[schema.format]
    if _is_struct(schema):
        return decoder_of(schema)({}, progress)
    return _ZERO_TYPES.get(schema.type)


_ZERO_FORMATS: dict[str, Any] = {
    "quantity": "0",
    "int-or-string": 0,
    "date-time": None,
    "micro-time": None,
    "byte": "",
}
_ZERO_TYPES: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
