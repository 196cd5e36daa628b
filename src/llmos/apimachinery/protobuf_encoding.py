"""Objects as Kubernetes' protobuf bodies, byte for byte as kube-apiserver writes them.

Its types are marshalled by gogo/protobuf's generated code, which this follows: fields ascend by
number; a field that is no pointer is written though it is zero; a map's keys are sorted, and its
entries have a key and a value always. ``go_types`` has the table of fields.

Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf and the types' ``generated.pb.go``.
"""

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson

from llmos.apimachinery.go_types import GoField, json_fields, message_fields, message_of_kind
from llmos.apimachinery.object import Object
from llmos.apimachinery.protobuf import MAGIC, UnknownKindError
from llmos.apimachinery.protobuf_wire import BYTES, VARINT, field_bytes, varint


class UnknownFieldError(ValueError):
    """A field is not in the table: what would be written would lack it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(f"{message} has no field {field} in protobuf")


Encode = Callable[[Any], bytes]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
_META = "meta.k8s.io/v1"


def encode(obj: Object) -> bytes:
    """The body of an object or a list with ``apiVersion`` and ``kind``.

    Raises:
        UnknownKindError: its kind is not in the table.
        UnknownFieldError: a field of its is not.
    """
    api_version, kind = obj["apiVersion"], obj["kind"]
    return _envelope(api_version, kind, _encoder_of(api_version, kind)(obj))


def can_encode(api_version: str, kind: str) -> bool:
    """Whether a kind, or what is listed by a kind of list, is in the table."""
    try:
        _encoder_of(api_version, kind)
    except UnknownKindError:
        return False
    return True


def encode_item(obj: Object) -> bytes:
    """An object as ``encode_list`` takes it; raises as ``encode``."""
    return field_bytes(2, _encoder_of(obj["apiVersion"], obj["kind"])(obj))


def encode_list(head: Object, items: Iterable[bytes]) -> bytes:
    """The body of a list.

    Args:
        head: its ``apiVersion``, ``kind`` and ``metadata``.
        items: each as ``encode_item`` gives it.
    """
    meta = _message_encoder("meta/v1.ListMeta")(head.get("metadata") or {})
    return _envelope(head["apiVersion"], head["kind"], b"".join([field_bytes(1, meta), *items]))


def encode_event(event: str, body: bytes) -> bytes:
    """One frame of a watch: its length in four bytes, and a ``WatchEvent`` with no envelope.

    Args:
        event: the event's type, e.g. ``ADDED``.
        body: the object as ``encode`` gives it.
    """
    message = field_bytes(1, event.encode()) + field_bytes(2, field_bytes(1, body))
    return len(message).to_bytes(4, "big") + message


@cache
def _encoder_of(api_version: str, kind: str) -> Encode:
    message = message_of_kind(api_version, kind)
    if message is not None:
        return _message_encoder(message)
    if (api_version, kind) == (_META, "PartialObjectMetadata"):
        return _encode_metadata
    if not kind.endswith("List"):
        raise UnknownKindError(api_version, kind)
    item = _encoder_of(api_version, kind.removesuffix("List"))
    meta = _message_encoder("meta/v1.ListMeta")

    def listed(obj: Object) -> bytes:
        items: Iterable[Object] = obj.get("items") or ()
        parts = [field_bytes(2, item(each)) for each in items]
        return b"".join([field_bytes(1, meta(obj.get("metadata") or {})), *parts])

    return listed


def _encode_metadata(obj: Object) -> bytes:
    return field_bytes(1, _message_encoder("meta/v1.ObjectMeta")(obj.get("metadata") or {}))


def _envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    """A ``runtime.Unknown``, whose encoding and content type stay empty."""
    meta = field_bytes(1, api_version.encode()) + field_bytes(2, kind.encode())
    return b"%b%b%b\x1a\x00\x22\x00" % (MAGIC, field_bytes(1, meta), field_bytes(2, raw))


@cache
def _message_encoder(name: str) -> Encode:
    """The bytes of a message, from its JSON; the plan is made when it is first needed."""
    known = _known(name)

    def encoder(obj: Object) -> bytes:
        if not known.issuperset(obj):
            raise UnknownFieldError(name, min(obj.keys() - known))
        parts = []
        for key, write, absent in _plan(name):
            value = obj.get(key) if key else obj
            parts.append(absent if value is None else write(value))
        return b"".join(parts)

    return encoder


def _known(message: str) -> frozenset[str]:
    """The keys that its JSON may have; the type of an object stands in its envelope."""
    return frozenset({"apiVersion", "kind", *json_fields(message)})


@cache
def _plan(message: str) -> tuple[tuple[str, Encode, bytes], ...]:
    """Of each field: its key, how it is written, and what is written when it is not there."""
    fields = sorted(message_fields(message), key=lambda each: each.number)
    return tuple((each.name, _writer(each), _absent(each)) for each in fields)


def _writer(field: GoField) -> Encode:
    number, kind = field.number, field.type
    if not field.name:
        return _inlined_writer(number, kind)
    if kind.startswith("map:"):
        entry = _value_writer(2, kind[4:])

        def write_map(value: Object) -> bytes:
            pairs = [
                field_bytes(1, key.encode()) + (b"" if value[key] is None else entry(value[key]))
                for key in sorted(value)
            ]
            return b"".join([field_bytes(number, each) for each in pairs])

        return write_map
    if kind.startswith("[]"):
        item = _value_writer(number, kind[2:])
        return lambda value: b"".join([item(each) for each in value])
    return _value_writer(number, kind)


def _inlined_writer(number: int, message: str) -> Encode:
    """A struct whose fields are among those of the one around it."""
    encoder, fields = _message_encoder(message), json_fields(message)

    def write(obj: Object) -> bytes:
        return field_bytes(number, encoder({key: obj[key] for key in fields if key in obj}))

    return write


def _value_writer(number: int, kind: str) -> Encode:
    """One value with its tag."""
    if kind in _NUMBERS:
        tag = varint(number << 3 | VARINT)
        return lambda value: tag + varint(int(value))
    encoder = _ENCODERS.get(kind) or _message_encoder(kind)
    tag = varint(number << 3 | BYTES)

    def write(value: Any) -> bytes:
        body = encoder(value)
        return b"%b%b%b" % (tag, varint(len(body)), body)

    return write


def _absent(field: GoField) -> bytes:
    """Go's zero value; nothing for what can be nil."""
    kind = field.type
    if field.pointer or kind in _NIL or kind.startswith(("[]", "map:")):
        return b""
    if kind in ("Time", "MicroTime"):
        return field_bytes(field.number, b"")
    return _value_writer(field.number, kind)(_ZERO.get(kind, {}))


def _time(value: str) -> bytes:
    return _timestamp((datetime.fromisoformat(value) - _EPOCH) // _SECOND, 0)


def _micro_time(value: str) -> bytes:
    seconds, rest = divmod(datetime.fromisoformat(value) - _EPOCH, _SECOND)
    return _timestamp(seconds, rest // _MICROSECOND * 1000)


def _timestamp(seconds: int, nanos: int) -> bytes:
    return b"\x08%b\x10%b" % (varint(seconds), varint(nanos))


def _int_or_string(value: int | str) -> bytes:
    """Which of the two, and both."""
    if isinstance(value, str):
        return b"\x08\x01\x10\x00" + field_bytes(3, value.encode())
    return b"\x08\x00\x10%b\x1a\x00" % varint(value)


_NUMBERS = frozenset({"bool", "int32", "int64"})
_NIL = frozenset({"bytes", "FieldsV1", "StrList"})
_ZERO: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS, 0),
    "string": "",
    "Quantity": "0",
    "IntOrString": 0,
}
_ENCODERS: dict[str, Encode] = {
    "string": str.encode,
    "bytes": base64.b64decode,
    "Quantity": lambda value: field_bytes(1, str(value).encode()),
    "Time": _time,
    "MicroTime": _micro_time,
    "FieldsV1": lambda value: field_bytes(1, orjson.dumps(value)),
    "StrList": lambda value: b"".join([field_bytes(1, each.encode()) for each in value]),
    "IntOrString": _int_or_string,
}
