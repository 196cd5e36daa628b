"""PATCH: the four media types, each a function from the current object to the patched one.

Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from llmos.apimachinery.errors import (
    BadRequestError,
    FieldError,
    InvalidError,
    StatusError,
    UnsupportedMediaTypeError,
)
from llmos.apimachinery.object import Object
from llmos.apimachinery.patch import json_patch, merge_patch
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apimachinery.serializer import DecodeError, parse_json
from llmos.apimachinery.strategic import strategic_merge_patch
from llmos.apimachinery.strategic_order import go_text
from llmos.endpoints.http import Request
from llmos.registry.served import Served
from llmos.registry.store import Patch
from llmos.server.bodies import judge_fields

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCHES = ("application/apply-patch+yaml", "application/apply-patch+cbor")
_ACCEPTED_CUSTOM = (JSON_PATCH, MERGE_PATCH, APPLY_PATCHES[0])
_NO_KIND = GroupVersionKind("", "", "")


def patch_type(request: Request, served: Served) -> str:
    """The media type of a patch.

    Raises:
        UnsupportedMediaTypeError: the kind takes no such patch.
    """
    given = request.media_type
    if given in _ACCEPTED_CUSTOM or (given == STRATEGIC_PATCH and not served.resource.custom):
        return given
    if given == STRATEGIC_PATCH:
        accepted = ", ".join(_ACCEPTED_CUSTOM)
        raise UnsupportedMediaTypeError(
            "the body of the request was in an unknown format - "
            f"accepted media types include: {accepted}"
        )
    raise UnsupportedMediaTypeError("415: Unsupported Media Type", {})


def patch_function(request: Request, served: Served, kind: str, data: bytes) -> Patch:
    """What to do with the current object.

    Raises:
        BadRequestError: the body is not a patch of that type.
    """
    try:
        patch = parse_json(data)
    except DecodeError as error:
        raise BadRequestError(f"error decoding patch: {error}") from None

    def patched(current: Object) -> Object:
        value = _apply(kind, current, patch, served)
        # A strategic patch is shown itself, any other by what it made of the object.
        shown = partial(go_text, patch) if kind == STRATEGIC_PATCH else partial(_shown, value)
        return _decoded(request, served, value, shown)

    return patched


_METADATA_ORDER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)


def _shown(value: Any) -> str:
    """The patched object in an error text, its keys in the order in which Go writes them."""
    if not isinstance(value, dict):
        return orjson.dumps(value).decode()
    ordered = dict(sorted(value.items()))
    meta = ordered.get("metadata")
    if isinstance(meta, dict):
        known = {key: meta[key] for key in _METADATA_ORDER if key in meta}
        ordered["metadata"] = {**known, **meta}
    return orjson.dumps(ordered).decode()


def _apply(kind: str, current: Object, patch: Any, served: Served) -> Any:
    if kind == JSON_PATCH:
        return json_patch(current, patch)
    if kind == MERGE_PATCH or served.schema is None:
        return merge_patch(current, patch)
    return strategic_merge_patch(current, patch, served.schema)


def _decoded(request: Request, served: Served, value: Any, show: Callable[[], str]) -> Object:
    """The patched value as an object of its kind; what cannot be one is a 422 of the patch."""
    try:
        obj, unknown = served.decode(value)
        judge_fields(request, served, unknown)
    except StatusError as error:
        if not isinstance(error, BadRequestError):
            raise
        shown = "REDACTED" if served.strategy.redact else show()
        _, _, bare = error.message.partition(f" cannot be handled as a {served.resource.kind}: ")
        text = f"Invalid value: {orjson.dumps(shown).decode()}: {bare or error.message}"
        cause = FieldError("FieldValueInvalid", "patch", text)
        raise InvalidError.of(_NO_KIND, "", [cause]) from None
    return obj
