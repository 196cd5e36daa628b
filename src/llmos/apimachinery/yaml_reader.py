"""YAML as sigs.k8s.io/yaml reads it: YAML 1.1 scalars, JSON values, one document, no alias bombs.

Events are read one at a time and built up at once, so that memory follows the result and not the
text; what aliases repeat is counted, and more than a body may hold is refused.
"""

import base64
import binascii
import math
import re
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from llmos.apimachinery.object import copy_object

MAX_DEPTH = 100
MAX_EXPANDED = 8 * 1024 * 1024
"""Bytes of memory, roughly, that aliases may add."""
_CONTAINER, _POINTER = 64, 8

_TAG = "tag:yaml.org,2002:"
_BOOLS = {
    form: value
    for value, words in ((True, "y yes true on"), (False, "n no false off"))
    for word in words.split()
    for form in (word, word.capitalize(), word.upper())
}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_SPECIAL = {
    form: value
    for word, value in ((".inf", math.inf), ("+.inf", math.inf), ("-.inf", -math.inf))
    for form in (word, word.replace("inf", "Inf"), word.upper())
} | dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
_FIRST_OF_NUMBER = frozenset("+-.0123456789")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[bB](?P<two>[01]+)|0[xX](?P<hex>[0-9a-fA-F]+)|0[oO]?(?P<eight>[0-7]+)"
    r"|(?P<ten>0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {"two": 2, "hex": 16, "eight": 8, "ten": 10}


class YAMLError(ValueError):
    """The text is not YAML that becomes JSON; says why as go-yaml does."""

    def __init__(self, why: str) -> None:
        super().__init__(f"error converting YAML to JSON: {why}")


def parse_yaml(data: bytes) -> tuple[Any, list[str]]:
    """Read one document into a JSON value.

    Returns:
        The value, and a text for each key that a mapping has twice (the last one counts).

    Raises:
        YAMLError: it is not YAML, more than one document, too deep, or cannot be JSON.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise YAMLError("yaml: invalid leading UTF-8 octet") from None
    if text.startswith("\ufeff"):
        raise YAMLError("yaml: a byte order mark is not allowed")
    reader = _Reader(text)
    try:
        return reader.document(), reader.duplicates
    except yaml.MarkedYAMLError as error:
        raise YAMLError(_go_text(error)) from None
    except yaml.YAMLError:
        raise YAMLError("yaml: control characters are not allowed") from None


def _go_text(error: yaml.MarkedYAMLError) -> str:
    """go-yaml is a port of the same parser, and counts its lines in a way of its own."""
    marks = (error.context_mark, error.problem_mark)
    line = next((mark.line for mark in marks if mark is not None and mark.line), 0)
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    where = f"line {line}: " if line else ""
    return f"yaml: {where}{error.problem}"


class _Reader:
    """Builds the value of one document from its events."""

    def __init__(self, text: str) -> None:
        self.loader = yaml.CBaseLoader(text)
        self.duplicates: list[str] = []
        self.anchors: dict[str, Any] = {}
        self.expanded = 0

    def document(self) -> Any:
        """The only document's value; None for an empty stream."""
        value: Any = None
        started = False
        while not isinstance(event := self.next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                if started:
                    raise YAMLError("yaml: expected a single document in the stream")
                started = True
                value = self.node(self.next(), 0)
        return value

    def next(self) -> Event:
        """The next event."""
        event = self.loader.get_event()
        assert event is not None
        return event

    def node(self, event: Event, depth: int) -> Any:
        """The value that begins with an event."""
        if depth > MAX_DEPTH:
            raise YAMLError("yaml: exceeded max depth")
        if isinstance(event, AliasEvent):
            return self.alias(event.anchor or "")
        assert isinstance(event, NodeEvent)
        if isinstance(event, ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, SequenceStartEvent):
            value = self.sequence(depth)
        else:
            value = self.mapping(depth)
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def sequence(self, depth: int) -> list[Any]:
        """The items up to the end of a sequence."""
        items: list[Any] = []
        while not isinstance(event := self.next(), CollectionEndEvent):
            items.append(self.node(event, depth + 1))
        return items

    def mapping(self, depth: int) -> dict[str, Any]:
        """The members up to the end of a mapping; those of merged mappings give way to them."""
        members: dict[str, Any] = {}
        merged: list[Any] = []
        while not isinstance(event := self.next(), CollectionEndEvent):
            if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
                raise YAMLError("unsupported map key")
            if _is_merge(event):
                merged.append(self.node(self.next(), depth + 1))
                continue
            key = _key(self.node(event, depth + 1))
            if key in members:
                self.duplicates.append(_already_set(event, key))
            members[key] = self.node(self.next(), depth + 1)
        for each in merged:
            members = {**_merged_members(each), **members}
        return members

    def alias(self, anchor: str) -> Any:
        """A copy of what an anchor names, counted."""
        if anchor not in self.anchors:
            raise YAMLError(f"yaml: unknown anchor '{anchor}' referenced")
        value = self.anchors[anchor]
        self.expanded += _size(value)
        if self.expanded > MAX_EXPANDED:
            raise YAMLError("yaml: document contains excessive aliasing")
        return copy_object(value)


def _already_set(event: Event, key: str) -> str:
    line = event.start_mark.line + 1 if event.start_mark else 0
    return f'  line {line}: key "{key}" already set in map'


def _size(value: Any) -> int:
    if isinstance(value, str):
        return _POINTER + len(value)
    if isinstance(value, dict):
        return _CONTAINER + sum(len(key) + _size(each) for key, each in value.items())
    if isinstance(value, list):
        return _CONTAINER + sum(_size(each) for each in value)
    return _POINTER


def _is_merge(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and event.value == "<<" and bool(event.implicit[0])


def _merged_members(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        members: dict[str, Any] = {}
        for each in reversed(value):
            members.update(each)
        return members
    raise YAMLError("yaml: map merge requires map or sequence of maps as the value")


def _key(value: Any) -> str:
    """A key as text, the way YAML keys become JSON keys."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise YAMLError("unsupported map key")


def _scalar(event: ScalarEvent) -> Any:
    """The value of a scalar: by its tag, and else plain ones by how they look."""
    text: str = event.value
    tag: str = event.tag or ""
    if tag == f"{_TAG}binary":
        return _binary(text)
    if tag in {f"{_TAG}{each}" for each in ("int", "float", "bool", "null")}:
        return _plain(text)
    return _plain(text) if not tag and event.implicit[0] else text


def _plain(text: str) -> Any:
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] not in _FIRST_OF_NUMBER:
        return text
    if text in _SPECIAL:
        raise YAMLError(f"json: unsupported value: {text}")
    return _number(text)


def _number(text: str) -> Any:
    digits = text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match is not None and len(digits) < 70:
        base = match.lastgroup or "ten"
        value = int(match["sign"] + match[base], _BASES[base])
        if -(2**63) <= value < 2**64:
            return value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        if not math.isfinite(number):
            return text
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    return text


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise YAMLError("yaml: !!binary value contains invalid base64 data") from None
