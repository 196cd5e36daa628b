"""Stored bytes become what the client asked for: the object, a Table, or metadata alone."""

import asyncio
from collections.abc import Callable, Sequence

import orjson

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import NotAcceptableError, StatusError
from llmos.apimachinery.object import Object
from llmos.apimachinery.protobuf_encoding import (
    UnknownFieldError,
    can_encode,
    encode,
    encode_event,
    encode_item,
    encode_list,
)
from llmos.apis.tables import parse_include_object, partial_metadata, table
from llmos.endpoints.http import Request, Response
from llmos.endpoints.negotiation import (
    JSON,
    PROTOBUF,
    Representation,
    negotiate,
    not_acceptable,
)
from llmos.endpoints.responses import object_response
from llmos.watchcache.interface import Readable
from llmos.watchcache.listing import Page

_TABLES = {"Table/meta.k8s.io/v1", "Table/meta.k8s.io/v1beta1"}
OBJECT_FORMS = frozenset({*_TABLES, "PartialObjectMetadata/meta.k8s.io/v1"})
LIST_FORMS = frozenset({*_TABLES, "PartialObjectMetadataList/meta.k8s.io/v1"})
_META_VERSION = "meta.k8s.io/v1"
SLICE_SECONDS = 0.005
"""How long a list is encoded in one go; see docs/performance.md for what it costs."""


def object_form(request: Request, served: Readable, *, protobuf: bool = True) -> Representation:
    """How the client wants an object; raises NotAcceptableError."""
    return _form(request, served, OBJECT_FORMS, protobuf)


def list_form(request: Request, served: Readable, *, protobuf: bool = True) -> Representation:
    """How the client wants a list; raises NotAcceptableError."""
    return _form(request, served, LIST_FORMS, protobuf)


def watch_form(request: Request, served: Readable, *, protobuf: bool = True) -> Representation:
    """How the client wants the objects of a watch; raises NotAcceptableError."""
    form = _form(request, served, OBJECT_FORMS, protobuf and request.handshake is None)
    if form.format == "yaml":
        raise NotAcceptableError(
            f"only the following media types are accepted: {JSON};stream=watch, "
            f"{PROTOBUF};stream=watch"
        )
    return form


def _form(
    request: Request, served: Readable, forms: frozenset[str], protobuf: bool
) -> Representation:
    """Protobuf is for clients that take nothing else: objects are JSON already.

    Raises:
        NotAcceptableError: there is no such form of the kind.
    """
    accept = request.headers.get("accept", "")
    try:
        return negotiate(accept, forms)
    except NotAcceptableError:
        if not protobuf:
            raise
    form = negotiate(accept, forms, protobuf=True)
    if not form.transform and not can_encode(served.resource.api_version, served.resource.kind):
        raise not_acceptable()
    return form


def render_object(
    request: Request,
    served: Readable,
    value: bytes,
    now: float,
    answer: tuple[Representation, int],
) -> Response:
    """Answer with one object, in a form and with a status."""
    form, status = answer
    if not form.transform:
        return object_response(served.wire(value), form, status)
    obj = served.load(value)
    if form.transform == "PartialObjectMetadata":
        return object_response(orjson.dumps(partial_metadata(obj)), form, status)
    meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
    document = _table(request, served, ([obj], meta), now, form)
    return object_response(orjson.dumps(document), form, status)


def list_meta(page: Page) -> Object:
    """The metadata of a page of a list."""
    meta: Object = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        meta["continue"] = page.continue_token
    if page.remaining is not None:
        meta["remainingItemCount"] = page.remaining
    return meta


async def render_list(
    request: Request,
    served: Readable,
    content: tuple[Sequence[bytes], Object],
    now: float,
    form: Representation,
) -> Response:
    """Answer with objects and the metadata of their list.

    Raises:
        NotAcceptableError: an object has fields that protobuf has not.
    """
    values, meta = content
    if form.transform == "Table":
        document = _table(
            request, served, ([served.load(each) for each in values], meta), now, form
        )
        return object_response(orjson.dumps(document), form)
    head = _metadata_list_head(meta) if form.transform else _list_head(served, meta)
    if form.format == "protobuf":
        items = await _each(values, lambda value: _protobuf_item(served, value, form))
        return Response(200, encode_list(head, items), PROTOBUF)
    if form.transform:
        items = await _each(values, lambda value: _metadata_bytes(served, value))
        return object_response(_whole(head, b",".join(items)), form)
    return object_response(list_bytes(served, values, meta), form)


async def _each(values: Sequence[bytes], make: Callable[[bytes], bytes]) -> Sequence[bytes]:
    """Something of every value; it takes long, and others have their turn meanwhile."""
    loop = asyncio.get_running_loop()
    made, begun = [], loop.time()
    for value in values:
        made.append(make(value))
        if loop.time() - begun > SLICE_SECONDS:
            await asyncio.sleep(0)
            begun = loop.time()
    return made


def _protobuf_item(served: Readable, value: bytes, form: Representation) -> bytes:
    obj = served.load(value)
    try:
        return encode_item(partial_metadata(obj) if form.transform else obj)
    except UnknownFieldError as error:
        raise NotAcceptableError(str(error)) from None


def _metadata_bytes(served: Readable, value: bytes) -> bytes:
    return orjson.dumps(partial_metadata(served.load(value)))


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


def _list_head(served: Readable, meta: Object) -> Object:
    resource = served.resource
    return {
        "kind": resource.list_kind,
        "apiVersion": resource.api_version,
        "metadata": meta,
        "items": [],
    }


def _metadata_list_head(meta: Object) -> Object:
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": _META_VERSION,
        "metadata": meta,
        "items": [],
    }


def list_head(served: Readable, meta: Object) -> bytes:
    """A list's bytes up to its first item."""
    return orjson.dumps(_list_head(served, meta))[:-2]


def _whole(head: Object, items: bytes) -> bytes:
    return b"%b%b]}" % (orjson.dumps(head)[:-2], items)


def join_items(served: Readable, values: Sequence[bytes]) -> bytes:
    """The items of a list; those of built-in kinds carry no kind and apiVersion, others do."""
    if served.converted or served.resource.custom:
        return b",".join([served.wire(each) for each in values])
    return b",".join(values)


def list_bytes(served: Readable, values: Sequence[bytes], meta: Object) -> bytes:
    """A whole list as JSON."""
    return _whole(_list_head(served, meta), join_items(served, values))


def event_line(kind: str, body: bytes) -> bytes:
    """One line of a watch in JSON."""
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)


class WatchEncoder:
    """Encodes the events of one watch; a Table sends its columns with the first event only."""

    def __init__(self, request: Request, form: Representation, clock: Clock) -> None:
        self._form = form
        self._include = parse_include_object(request.query.get("includeObject", ""))
        self._clock = clock
        self._first = True
        own = form.transform == "Table"
        self.shared_key = None if own else (form.format, form.transform)
        """Watchers with equal keys may share bytes; None: these bytes are this watcher's own."""

    @property
    def content_type(self) -> str:
        """Of the whole stream."""
        return f"{PROTOBUF};stream=watch" if self._form.format == "protobuf" else JSON

    def event(self, kind: str, served: Readable, value: bytes) -> bytes:
        """One event about an object."""
        if self._form.format == "protobuf":
            return self._protobuf_event(kind, served.load(value))
        return event_line(kind, self._json(served, value))

    def error(self, error: StatusError) -> bytes:
        """The event that ends a watch."""
        if self._form.format == "protobuf":
            return encode_event("ERROR", encode(error.status()))
        return event_line("ERROR", orjson.dumps(error.status()))

    def _protobuf_event(self, kind: str, obj: Object) -> bytes:
        if kind == "BOOKMARK":
            obj.pop("spec", None)
        try:
            return encode_event(
                kind, encode(partial_metadata(obj) if self._form.transform else obj)
            )
        except UnknownFieldError as error:
            return self.error(NotAcceptableError(str(error)))

    def _json(self, served: Readable, value: bytes) -> bytes:
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
