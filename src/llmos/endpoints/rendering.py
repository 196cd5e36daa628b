"""Stored bytes become what the client asked for: the object, a Table, or metadata alone."""

from collections.abc import Sequence

import orjson

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.object import Object
from llmos.apis.tables import parse_include_object, partial_metadata, table
from llmos.endpoints.http import Request, Response
from llmos.endpoints.negotiation import Representation, negotiate
from llmos.endpoints.responses import object_response
from llmos.watchcache.interface import Readable
from llmos.watchcache.listing import Page

_TABLES = {"Table/meta.k8s.io/v1", "Table/meta.k8s.io/v1beta1"}
OBJECT_FORMS = frozenset({*_TABLES, "PartialObjectMetadata/meta.k8s.io/v1"})
LIST_FORMS = frozenset({*_TABLES, "PartialObjectMetadataList/meta.k8s.io/v1"})
_META_VERSION = "meta.k8s.io/v1"


def object_form(request: Request) -> Representation:
    """How the client wants an object; raises NotAcceptableError."""
    return negotiate(request.headers.get("accept", ""), OBJECT_FORMS)


def list_form(request: Request) -> Representation:
    """How the client wants a list; raises NotAcceptableError."""
    return negotiate(request.headers.get("accept", ""), LIST_FORMS)


def render_object(
    request: Request, served: Readable, value: bytes, now: float, status: int = 200
) -> Response:
    """Answer with one object."""
    form = object_form(request)
    if not form.transform:
        return object_response(served.wire(value), form, status)
    obj = served.load(value)
    if form.transform == "PartialObjectMetadata":
        return object_response(orjson.dumps(partial_metadata(obj)), form, status)
    meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
    document = _table(request, served, ([obj], meta), now, form)
    return object_response(orjson.dumps(document), form, status)


def render_list(request: Request, served: Readable, page: Page, now: float) -> Response:
    """Answer with a page of a list."""
    form = list_form(request)
    meta: Object = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        meta["continue"] = page.continue_token
    if page.remaining is not None:
        meta["remainingItemCount"] = page.remaining
    if not form.transform:
        values = [record.value for _, record in page.items]
        return object_response(list_bytes(served, values, meta), form)
    objects = [served.load(record.value) for _, record in page.items]
    if form.transform == "Table":
        document = _table(request, served, (objects, meta), now, form)
    else:
        document = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": _META_VERSION,
            "metadata": meta,
            "items": [partial_metadata(each) for each in objects],
        }
    return object_response(orjson.dumps(document), form)


def _table(
    request: Request,
    served: Readable,
    content: tuple[Sequence[Object], Object],
    now: float,
    form: Representation,
) -> Object:
    objects, meta = content
    return table(
        objects,
        served.columns,
        now,
        metadata=meta,
        include_object=parse_include_object(request.query.get("includeObject", "")),
        version=form.transform_version,
    )


def list_head(served: Readable, meta: Object) -> bytes:
    """A list's bytes up to its first item."""
    head = {
        "kind": served.resource.list_kind,
        "apiVersion": served.resource.api_version,
        "metadata": meta,
        "items": [],
    }
    return orjson.dumps(head)[:-2]


def join_items(served: Readable, values: Sequence[bytes]) -> bytes:
    """The items of a list; those of built-in kinds carry no kind and apiVersion, others do."""
    if served.converted or served.resource.custom:
        return b",".join([served.wire(each) for each in values])
    return b",".join(values)


def list_bytes(served: Readable, values: Sequence[bytes], meta: Object) -> bytes:
    """A whole list as JSON."""
    return b"%b%b]}" % (list_head(served, meta), join_items(served, values))


class WatchEncoder:
    """Encodes the objects of one watch; a Table sends its columns with the first event only."""

    def __init__(self, request: Request, form: Representation, clock: Clock) -> None:
        self._form = form
        self._include = parse_include_object(request.query.get("includeObject", ""))
        self._clock = clock
        self._first = True

    @property
    def shared_key(self) -> object:
        """Watchers with equal keys may share bytes; None: these bytes are this watcher's own."""
        return None if self._form.transform == "Table" else self._form.transform

    def encode(self, served: Readable, value: bytes) -> bytes:
        """One event's object."""
        if not self._form.transform:
            return served.wire(value)
        obj = served.load(value)
        if self._form.transform == "PartialObjectMetadata":
            return orjson.dumps(partial_metadata(obj))
        meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        named = "name" in obj["metadata"]
        rows = [obj] if named else []
        document = table(
            rows,
            served.columns,
            self._clock(),
            metadata=meta,
            include_object=self._include,
        )
        if not named:
            # A bookmark: kube-apiserver sends it as a table with the bare object in one row.
            document["rows"] = [{"cells": [], "object": partial_metadata(obj)}]
        if not self._first:
            document["columnDefinitions"] = None
        self._first = False
        return orjson.dumps(document)
