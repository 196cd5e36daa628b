"""Kubernetes' protobuf bodies, as kubectl and helm send them, read into JSON objects.

A body is the prefix ``k8s`` with a zero byte, and a ``runtime.Unknown`` around the kind's message;
``go_types`` has the table of fields. Fields that are not known are passed over, as protobuf wants.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson

from llmos.apimachinery.go_types import GoField, message_fields, message_of_kind
from llmos.apimachinery.object import Object
from llmos.apimachinery.protobuf_wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    ProtobufError,
    read_varint,
    read_varints,
)

MAGIC = b"k8s\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnknownKindError(ProtobufError):
    """The bytes are a body, of a kind that is not in the table."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(
            f'no kind "{kind}" is registered for version "{api_version}" '
            'in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
        )
        self.api_version = api_version
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Unknown:
    """The envelope: which kind, and its bytes."""

    api_version: str
    kind: str
    raw: bytes
    content_type: str


Decode = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one field is read."""

    field: GoField
    wire: int
    decode: Decode
    shape: str
    """``""``, ``list``, ``map`` or ``inline``."""


def read_envelope(data: bytes) -> Unknown:
    """Take a body's envelope off.

    Raises:
        ProtobufError: it is not one.
    """
    if not data:
        raise ProtobufError("empty data")
    if not data.startswith(MAGIC):
        raise ProtobufError(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    if len(data) == len(MAGIC):
        raise ProtobufError("empty body")
    parts = {number: value for number, _, value in _fields(data[len(MAGIC) :])}
    meta = {number: value for number, _, value in _fields(_bytes(parts.get(1, b"")))}
    return Unknown(
        api_version=_text(meta.get(1, b"")),
        kind=_text(meta.get(2, b"")),
        raw=_bytes(parts.get(2, b"")),
        content_type=_text(parts.get(4, b"")),
    )


def decode(data: bytes) -> Object:
    """A body's object, with ``apiVersion`` and ``kind``.

    Raises:
        UnknownKindError: its kind is not in the table.
        ProtobufError: it is not a body.
    """
    unknown = read_envelope(data)
    message = message_of_kind(unknown.api_version, unknown.kind)
    if message is None:
        raise UnknownKindError(unknown.api_version, unknown.kind)
    obj = _message(message, unknown.raw)
    return {"apiVersion": unknown.api_version, "kind": unknown.kind, **obj}


def _message(name: str, data: bytes) -> Object:
    """One message as JSON: zero values that Go would leave out are left out."""
    plans = _plans(name)
    out: Object = {}
    for number, wire, value in _fields(data):
        plan = plans.get(number)
        if plan is None:
            continue
        if plan.shape == "list" and wire == BYTES and plan.wire == VARINT:
            out.setdefault(plan.field.name, []).extend(
                plan.decode(each) for each in read_varints(value)
            )
            continue
        if wire != plan.wire:
            raise ProtobufError(f"proto: wrong wireType = {wire} for field {plan.field.name}")
        _put(out, plan, value)
    return out


def _put(out: Object, plan: _Plan, value: Any) -> None:
    field = plan.field
    decoded = plan.decode(value)
    if plan.shape == "list":
        out.setdefault(field.name, []).append(decoded)
    elif plan.shape == "map":
        key, entry = decoded
        out.setdefault(field.name, {})[key] = entry
    elif plan.shape == "inline":
        out.update(decoded)
    elif decoded or _is_kept_when_empty(field, decoded):
        out[field.name] = decoded


def _is_kept_when_empty(field: GoField, value: Any) -> bool:
    return value is not None and (field.pointer or not field.omit_empty)


@cache
def _plans(name: str) -> dict[int, _Plan]:
    return {field.number: _plan(field) for field in message_fields(name)}


def _plan(field: GoField) -> _Plan:
    if field.type.startswith("map:"):
        return _Plan(field, BYTES, _entry_decoder(field.type[4:]), "map")
    shape = "list" if field.type.startswith("[]") else ("" if field.name else "inline")
    wire, decoder = _value_decoder(field.type.removeprefix("[]"))
    return _Plan(field, wire, decoder, shape)


def _value_decoder(kind: str) -> tuple[int, Decode]:
    known = _DECODERS.get(kind)
    if known is not None:
        return known
    return BYTES, lambda data: _message(kind, data)


def _entry_decoder(kind: str) -> Decode:
    """A map's entry is a message of key and value, either of which may be missing."""
    wire, decoder = _value_decoder(kind)
    missing = _MISSING.get(kind, "")

    def entry(data: bytes) -> tuple[str, Any]:
        key, value = "", missing
        for number, actual, raw in _fields(data):
            if number == 1:
                key = _text(raw)
            elif number == 2 and actual == wire:
                value = decoder(raw)
        return key, value

    return entry


_MISSING: dict[str, Any] = {"Quantity": "0", "StrList": None, "Time": None}


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and raw value of each field."""
    at, end = 0, len(data)
    while at < end:
        tag, at = read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise ProtobufError("proto: illegal tag 0 (wire type 0)")
        if wire == VARINT:
            value, at = read_varint(data, at)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, at = read_varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        if at + size > end:
            raise ProtobufError("unexpected EOF")
        yield number, wire, data[at : at + size]
        at += size


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ProtobufError("proto: wrong wireType = 0 for field Unknown")
    return value


def _text(value: Any) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise ProtobufError("proto: string field contains invalid UTF-8") from None


def _signed(value: int, bits: int = 64) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _int32(value: int) -> int:
    return _signed(value, 32)


def _numbered(data: bytes) -> dict[int, Any]:
    """The last value of each field of a small message."""
    return {number: value for number, _, value in _fields(data)}


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise ProtobufError("proto: wrong wireType = 2 for a number")
    return value


def _moment(data: bytes) -> datetime | None:
    """A timestamp; nothing for Go's zero time, which has no seconds."""
    parts = _numbered(data)
    seconds = _signed(_number(parts.get(1, 0)))
    nanos = _int32(_number(parts.get(2, 0)))
    if seconds == 0 and nanos == 0:
        return None
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        raise ProtobufError("proto: timestamp out of range") from None


def _time(data: bytes) -> str | None:
    moment = _moment(data)
    return None if moment is None else moment.replace(tzinfo=None).isoformat("T", "seconds") + "Z"


def _micro_time(data: bytes) -> str | None:
    moment = _moment(data)
    if moment is None:
        return None
    return moment.replace(tzinfo=None).isoformat("T", "microseconds") + "Z"


def _quantity(data: bytes) -> str:
    return _text(_numbered(data).get(1, b"0"))


def _raw_json(data: bytes) -> Any:
    raw = _bytes(_numbered(data).get(1, b""))
    try:
        return orjson.loads(raw) if raw else None
    except ValueError:
        raise ProtobufError("proto: a raw field is not JSON") from None


def _int_or_string(data: bytes) -> int | str:
    parts = _numbered(data)
    if parts.get(1):
        return _text(parts.get(3, b""))
    return _int32(_number(parts.get(2, 0)))


def _strings(data: bytes) -> list[str]:
    return [_text(value) for number, _, value in _fields(data) if number == 1]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_DECODERS: dict[str, tuple[int, Decode]] = {
    "string": (BYTES, _text),
    "bytes": (BYTES, _base64),
    "bool": (VARINT, bool),
    "int32": (VARINT, _int32),
    "int64": (VARINT, _signed),
    "Quantity": (BYTES, _quantity),
    "Time": (BYTES, _time),
    "MicroTime": (BYTES, _micro_time),
    "FieldsV1": (BYTES, _raw_json),
    "StrList": (BYTES, _strings),
    "IntOrString": (BYTES, _int_or_string),
}
