"""Merge patch (RFC 7386) and JSON patch (RFC 6902), with Kubernetes' deviations from the latter.

A patch never changes the object it is given: what stays is shared, what changes is copied.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from llmos.apimachinery.errors import (
    BadRequestError,
    InvalidError,
    RequestEntityTooLargeError,
    StatusError,
)
from llmos.apimachinery.golang import json_type
from llmos.apimachinery.object import Object, copy_object

MAX_OPERATIONS = 10_000
MAX_COPIED_BYTES = 3 * 1024 * 1024
"""Bytes that all ``copy`` operations of a patch may copy together, as kube-apiserver limits it."""
_INDEX = re.compile("0|[1-9][0-9]{0,9}")
_BAD_ESCAPE = re.compile("~(?![01])")
_ABSENT: Any = object()


def merge_patch(target: Object, patch: Any) -> Object:
    """Apply a JSON merge patch to an object.

    Raises:
        BadRequestError: the patch is not a map.
    """
    if not isinstance(patch, dict):
        wrong = f"json: cannot unmarshal {json_type(patch)} into Go value of type "
        raise BadRequestError(f"error decoding patch: {wrong}map[string]interface {{}}")
    return _merge(target, patch)


def _merge(target: Any, patch: dict[str, Any]) -> Object:
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge(merged.get(key), value)
        else:
            merged[key] = value
    return merged


def rejected() -> StatusError:
    """422 without a cause: how Kubernetes refuses a patch that cannot be carried out."""
    return InvalidError("the server rejected our request due to an error in our request", {})


def json_patch(document: Object, operations: Any) -> Object:
    """Apply the operations of a JSON patch in their order, all or none.

    ``replace`` of a map key that is not there adds it, and ``test`` takes an absent key for null;
    negative and padded indices are refused.

    Raises:
        BadRequestError: this is no list of operations.
        RequestEntityTooLargeError: there are more than 10,000 operations.
        InvalidError: an operation cannot be carried out, or a test fails.
    """
    _check_operations(operations)
    patched = _Patched(copy_object(document))
    try:
        for each in operations:
            patched.apply(each)
        # Moves and copies can nest a document deeper than JSON may be written.
        orjson.dumps(patched.document)
    except (RecursionError, orjson.JSONEncodeError):
        raise rejected() from None
    if not isinstance(patched.document, dict):
        raise rejected()
    return patched.document


@dataclass(slots=True)
class _Patched:
    """The document as the operations so far have left it, and how much they have copied."""

    document: Any
    copied: int = 0

    def apply(self, operation: dict[str, Any]) -> None:
        path = _pointer(operation.get("path"))
        match operation.get("op"):
            case "add":
                self.document = _put(self.document, path, _value(operation))
            case "replace":
                self.document = _put(self.document, path, _value(operation), insert=False)
            case "remove":
                _take(self.document, path)
            case "test":
                _test(self.document, path, operation.get("value"))
            case "move":
                value = _move(self.document, path, _pointer(operation.get("from")))
                self.document = _put(self.document, path, value)
            case "copy":
                value = self._copy(_pointer(operation.get("from")))
                self.document = _put(self.document, path, value)
            case _:
                raise rejected()

    def _copy(self, source: list[str]) -> Any:
        raw = orjson.dumps(_get(self.document, source))
        self.copied += len(raw)
        if self.copied > MAX_COPIED_BYTES:
            raise rejected()
        return orjson.loads(raw)


def _check_operations(operations: Any) -> None:
    prefix = "error decoding patch: json: cannot unmarshal"
    if not isinstance(operations, list):
        kind = json_type(operations)
        raise BadRequestError(f"{prefix} {kind} into Go value of type []handlers.jsonPatchOp")
    for each in operations:
        if not isinstance(each, dict):
            kind = json_type(each)
            raise BadRequestError(f"{prefix} {kind} into Go value of type handlers.jsonPatchOp")
        for field in ("op", "path", "from"):
            text = each.get(field)
            if text is not None and not isinstance(text, str):
                where = f"Go struct field jsonPatchOp.{field} of type string"
                raise BadRequestError(f"{prefix} {json_type(text)} into {where}")
    if len(operations) > MAX_OPERATIONS:
        raise RequestEntityTooLargeError(
            "Request entity too large: The allowed maximum operations in a JSON patch is "
            f"{MAX_OPERATIONS}, got {len(operations)}"
        )


def _pointer(text: str | None) -> list[str]:
    """The steps of a JSON pointer; none for the whole document."""
    if text == "":
        return []
    if text is None or not text.startswith("/") or _BAD_ESCAPE.search(text):
        raise rejected()
    steps = text[1:].split("/")
    if "~" in text:
        return [each.replace("~1", "/").replace("~0", "~") for each in steps]
    return steps


def _value(operation: dict[str, Any]) -> Any:
    """A copy, so that later operations do not change the patch."""
    if "value" not in operation:
        raise rejected()
    return copy_object(operation["value"])


def _index(step: str, length: int) -> int:
    """An index into a list of that length.

    Raises:
        InvalidError: it is no index, or it is past the end.
    """
    if not _INDEX.fullmatch(step) or int(step) >= length:
        raise rejected()
    return int(step)


def _step(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, _ABSENT)
    if isinstance(value, list):
        return value[_index(step, len(value))]
    raise rejected()


def _walk(value: Any, path: Sequence[str]) -> Any:
    """What a path leads to, or ``_ABSENT`` where only its last key is missing."""
    for step in path:
        value = _step(value, step)
    return value


def _get(document: Any, path: Sequence[str]) -> Any:
    value = _walk(document, path)
    if value is _ABSENT:
        raise rejected()
    return value


def _put(document: Any, path: Sequence[str], value: Any, insert: bool = True) -> Any:
    """Add or replace a value; the document comes back, since it may be replaced as a whole."""
    if not path:
        return value
    parent, last = _walk(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif not isinstance(parent, list):
        raise rejected()
    elif not insert:
        parent[_index(last, len(parent))] = value
    elif last == "-":
        parent.append(value)
    else:
        parent.insert(_index(last, len(parent) + 1), value)
    return document


def _take(document: Any, path: Sequence[str]) -> Any:
    """Remove a value and return it."""
    if not path:
        raise rejected()
    parent, last = _walk(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        return parent.pop(_index(last, len(parent)))
    if not isinstance(parent, dict) or last not in parent:
        raise rejected()
    return parent.pop(last)


def _move(document: Any, path: Sequence[str], source: Sequence[str]) -> Any:
    """Take the value to be moved; it cannot move into itself."""
    if len(path) > len(source) and path[: len(source)] == source:
        raise rejected()
    return _take(document, source)


def _test(document: Any, path: Sequence[str], expected: Any) -> None:
    found = _walk(document, path)
    if found is _ABSENT:
        found = None
    if not same(found, expected):
        raise rejected()


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal; unlike Python's ``==``, ``1`` is not ``true``."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            same(value, right[key]) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)
