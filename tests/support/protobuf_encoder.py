"""Writes objects as Kubernetes protobuf bodies, as client-go would, to test the reader with."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from llmos.apimachinery.go_types import GoField, message_fields, message_of_kind
from llmos.apimachinery.object import Object
from llmos.apimachinery.protobuf import MAGIC

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(obj: Object) -> bytes:
    """The body of an object whose kind is in the table."""
    message = message_of_kind(obj["apiVersion"], obj["kind"])
    assert message is not None
    meta = data(1, obj["apiVersion"].encode()) + data(2, obj["kind"].encode())
    return (
        MAGIC + data(1, meta) + data(2, encode_message(message, obj)) + data(3, b"") + data(4, b"")
    )


def encode_message(message: str, obj: Object) -> bytes:
    """The bytes of one message."""
    return b"".join(
        encode_field(field, obj if not field.name else obj[field.name])
        for field in message_fields(message)
        if not field.name or obj.get(field.name) is not None
    )


def encode_field(field: GoField, value: Any) -> bytes:
    """A field once, or once for each item."""
    if field.type.startswith("map:"):
        kind = field.type[4:]
        return b"".join(
            data(field.number, data(1, key.encode()) + encode_value(2, kind, each))
            for key, each in value.items()
        )
    if field.type.startswith("[]"):
        return b"".join(encode_value(field.number, field.type[2:], each) for each in value)
    return encode_value(field.number, field.type, value)


def encode_value(number: int, kind: str, value: Any) -> bytes:
    """One value with its tag."""
    if kind in ("bool", "int32", "int64"):
        return varint(number << 3) + varint(int(value))
    return data(number, encode_bytes(kind, value))


def encode_bytes(kind: str, value: Any) -> bytes:
    """The bytes of a value that has a length."""
    encoder = ENCODERS.get(kind)
    return encode_message(kind, value) if encoder is None else encoder(value)


def encode_time(value: str) -> bytes:
    """Seconds and nanoseconds since the epoch."""
    since = datetime.fromisoformat(value) - EPOCH
    seconds = since // timedelta(seconds=1)
    return varint(8) + varint(seconds) + varint(16) + varint(since.microseconds * 1000)


def encode_int_or_string(value: int | str) -> bytes:
    """Which of the two, and both."""
    if isinstance(value, str):
        return varint(8) + varint(1) + data(3, value.encode())
    return varint(8) + varint(0) + varint(16) + varint(value)


def data(number: int, value: bytes) -> bytes:
    """A field with a length."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number: int) -> bytes:
    """A number, seven bits a byte."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "string": str.encode,
    "bytes": base64.b64decode,
    "Quantity": lambda value: data(1, value.encode()),
    "Time": encode_time,
    "MicroTime": encode_time,
    "FieldsV1": lambda value: data(1, orjson.dumps(value)),
    "StrList": lambda value: b"".join(data(1, each.encode()) for each in value),
    "IntOrString": encode_int_or_string,
}
