"""Reads request bodies: which media type, and JSON, YAML or protobuf into one JSON value.

Follows the serializers of k8s.io/apimachinery/pkg/runtime in what is refused and in which words;
stricter in three things: text that is not well-formed Unicode, NUL characters, and nesting deeper
than ``MAX_DEPTH`` are refused.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from llmos.apimachinery import protobuf
from llmos.apimachinery.errors import BadRequestError, UnsupportedMediaTypeError
from llmos.apimachinery.golang import json_type
from llmos.apimachinery.json_syntax import syntax_error
from llmos.apimachinery.object import Object, walk_strings
from llmos.apimachinery.protobuf_wire import ProtobufError
from llmos.apimachinery.resource import parse_api_version
from llmos.apimachinery.yaml_reader import MAX_DEPTH, YAMLError, parse_yaml

MediaType = Literal["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
JSON: MediaType = "application/json"
YAML: MediaType = "application/yaml"
PROTOBUF: MediaType = "application/vnd.kubernetes.protobuf"
_BY_NAME: dict[str, MediaType] = {"": JSON, "*/*": JSON, JSON: JSON, YAML: YAML, PROTOBUF: PROTOBUF}
_UTF8 = re.compile(r'(?:^|;)\s*charset="?(?:utf-?8|us-ascii)"?\s*(?:;|$)')

_NO_KIND = "couldn't get version/kind; json parse error: "
_SUMMARY = 30
_ECHO = 4096
_TYPE_META = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


class DecodeError(ValueError):
    """A body cannot be read; the text is Kubernetes' own, for the caller to put in a sentence."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a body says."""

    value: Object
    duplicates: list[str] = field(default_factory=list)
    """Paths of the fields that are there twice (of JSON bodies); the last one counts."""
    problems: list[str] = field(default_factory=list)
    """The same as texts, for ``Warning`` headers and for strict errors."""


def media_type(content_type: str) -> MediaType:
    """The media type of a body; none given is JSON, parameters but a charset are passed over.

    Raises:
        UnsupportedMediaTypeError: it is not one that bodies may have, or not in UTF-8.
    """
    name, _, parameters = content_type.lower().partition(";")
    known = _BY_NAME.get(name.strip())
    if known is None or ("charset" in parameters and not _UTF8.search(parameters)):
        raise UnsupportedMediaTypeError(
            "the body of the request was in an unknown format - accepted media types include: "
            f"{JSON}, {YAML}, {PROTOBUF}"
        )
    return known


def decode_body(
    data: bytes, content_type: str, kind: str = "", find_duplicates: bool = True
) -> Decoded:
    """Read a body that holds one object.

    Args:
        data: the body.
        content_type: its ``Content-Type`` header, or ``""``.
        kind: the kind it should be of, for the error text alone.
        find_duplicates: False where nobody wants to know (``fieldValidation=Ignore``).

    Raises:
        BadRequestError: it cannot be read, or is not an object.
        UnsupportedMediaTypeError: it is of another media type.
    """
    media = media_type(content_type)
    try:
        value, problems = _READERS[media](data)
        _check_object(value)
    except protobuf.UnknownKindError as error:
        raise cannot_be_handled(error.api_version, error.kind, kind, str(error)) from None
    except DecodeError as error:
        raise unrecognized(kind, str(error), data) from None
    decoded: Object = value or {}
    if media != JSON or not find_duplicates:
        return Decoded(decoded, [], problems)
    paths = duplicate_fields(data, decoded)
    return Decoded(decoded, paths, [f'duplicate field "{path}"' for path in paths])


def cannot_be_handled(api_version: str, kind: str, expected: str, why: str) -> BadRequestError:
    """The error for a body whose kind is known, and which is not what was asked for."""
    version = parse_api_version(api_version)[1]
    return BadRequestError(
        f'{kind} in version "{version}" cannot be handled as a {expected}: {why}'
    )


def unrecognized(kind: str, why: str, data: bytes) -> BadRequestError:
    """The error for a body of which not even the kind can be told."""
    return BadRequestError(
        f"the object provided is unrecognized (must be of type {kind}): {why} ({summary(data)})"
    )


def missing_kind(kind: str, data: bytes) -> BadRequestError:
    """The error for a custom resource that does not say its kind."""
    body = data[:_ECHO].decode(errors="replace")
    return unrecognized(kind, f"Object 'Kind' is missing in '{body}'", data)


def summary(data: bytes) -> str:
    """The beginning of a body as error texts show it."""
    if not data:
        return "<empty>"
    more = " ..." if len(data) > _SUMMARY else ""
    head = data[:_SUMMARY]
    return (head.decode(errors="replace") if head.startswith(b"{") else head.hex()) + more


def parse_json(data: bytes) -> Any:
    """A JSON value, of any type: patches are not objects.

    Raises:
        DecodeError: it is not JSON, or not text that can be stored.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise DecodeError(_why_not_json(data)) from None
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    if b"\\u0000" in data:
        _check_strings(value)
    return value


def duplicate_fields(data: bytes, value: Any) -> list[str]:
    """Paths of the keys that an object of a JSON text (read by ``parse_json``) has twice.

    Cheap where there are none: each member of an object brings one colon, colons in strings stay,
    and a duplicate is not in the value any more, so equal counts mean that nothing was dropped.
    """
    escaped = b"\\u003a" in data or b"\\u003A" in data
    if not escaped and orjson.dumps(value).count(b":") == data.count(b":"):
        return []
    marked = json.loads(data, object_pairs_hook=_Members)
    return list(dict.fromkeys(_duplicates(marked, "")))


class _Members(dict[str, Any]):
    """An object that remembers which of its keys came twice."""

    __slots__ = ("twice",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice: list[str] = []
        if len(self) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self.twice.append(key)
                seen.add(key)


def _duplicates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Members):
        yield from (f"{path}.{key}" if path else key for key in value.twice)
        for key, each in value.items():
            yield from _duplicates(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _duplicates(each, f"{path}[{index}]")


def _check_object(value: Any) -> None:
    """An object (or null, which is an empty one) whose type fields are strings."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise DecodeError(
            f"{_NO_KIND}json: cannot unmarshal {json_type(value)} "
            f"into Go value of type {_TYPE_META}"
        )
    for key in ("apiVersion", "kind"):
        each = value.get(key)
        if each is not None and not isinstance(each, str):
            raise DecodeError(
                f"{_NO_KIND}json: cannot unmarshal {json_type(each)} "
                f"into Go struct field .{key} of type string"
            )


def _json(data: bytes) -> tuple[Any, list[str]]:
    try:
        return parse_json(data), []
    except DecodeError as error:
        raise DecodeError(f"{_NO_KIND}{error}") from None


def _protobuf(data: bytes) -> tuple[Any, list[str]]:
    try:
        value = protobuf.decode(data)
    except protobuf.UnknownKindError:
        raise
    except ProtobufError as error:
        raise DecodeError(str(error)) from None
    _check_strings(value)
    return value, []


def _yaml(data: bytes) -> tuple[Any, list[str]]:
    try:
        value, duplicates = parse_yaml(data)
    except YAMLError as error:
        raise DecodeError(str(error)) from None
    _check_strings(value)
    return value, ["yaml: unmarshal errors:\n" + "\n".join(duplicates)] if duplicates else []


def _why_not_json(data: bytes) -> str:
    return syntax_error(data) or (
        "the text is not well-formed Unicode, nested too deep, or has a number beyond float64"
    )


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        if not below:
            return
        level = below
    raise DecodeError("exceeded max depth")


def _check_strings(value: Any) -> None:
    if any("\x00" in text for text in walk_strings(value)):
        raise DecodeError("a string contains the character U+0000")


_READERS = {JSON: _json, YAML: _yaml, PROTOBUF: _protobuf}
