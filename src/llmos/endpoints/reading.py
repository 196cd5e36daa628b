"""Handlers of get, list and watch."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.selectors import FieldSelector, LabelSelector
from llmos.endpoints.http import Request, Response, StreamResponse
from llmos.endpoints.listcache import ListCache
from llmos.endpoints.narrowing import View, scope_of
from llmos.endpoints.readoptions import list_options, timeout_seconds
from llmos.endpoints.rendering import (
    WatchEncoder,
    list_form,
    list_meta,
    object_form,
    render_list,
    render_object,
    watch_form,
)
from llmos.endpoints.requestinfo import RequestInfo
from llmos.endpoints.responses import object_response
from llmos.endpoints.streams import OpenStreams
from llmos.endpoints.watching import Watch, WatchRequest
from llmos.endpoints.watchoptions import DEFAULT_WATCH_SECONDS, check_watch_options
from llmos.watchcache.interface import Readable, Record, Source
from llmos.watchcache.listing import check_options, list_page, parse_revision
from llmos.watchcache.matching import Matches, Selection


def selection_of(request: Request, served: Readable) -> Matches | None:
    """The test of a request's selectors; raises BadRequestError."""
    query = request.query
    if "labelSelector" not in query and "fieldSelector" not in query:
        return None
    return Selection(
        LabelSelector.parse(query.get("labelSelector", "")),
        FieldSelector.parse(query.get("fieldSelector", "")),
    ).matcher(served)


def namespace_of_request(request: Request, served: Readable) -> str | None:
    """The namespace to look in; None: all (or the kind has none)."""
    return (request.info.namespace or None) if served.resource.namespaced else None


def _shown(view: View | None, info: RequestInfo, record: Record) -> bool:
    return view is None or view.shows(info.namespace, info.name, record.value)


def _always(_: Readable) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Reading:
    """Answers reads from a source."""

    source: Source
    clock: Clock
    still_allowed: Callable[[Request], Awaitable[bool]]
    streams: OpenStreams
    protobuf: bool = False
    """Whether it knows every field of what it reads, so that none is lost in protobuf."""
    in_force: Callable[[Readable], bool] = _always
    """Whether a kind is still served as it was found: a watch of another ends."""
    cache: ListCache = field(default_factory=ListCache)

    async def get(self, request: Request, served: Readable) -> Response:
        """One object."""
        info = request.info
        record = self.source.get(served.key(info.namespace, info.name))
        if record is None or not _shown(request.visible, info, record):
            raise NotFoundError.of(served.resource.group_resource, info.name)
        if "accept" not in request.headers or request.headers["accept"] == "application/json":
            return Response(200, served.wire(record.value))
        form = object_form(request, served, protobuf=self.protobuf)
        return render_object(request, served, record.value, self.clock(), (form, 200))

    async def list(self, request: Request, served: Readable) -> Response:
        """A list, a page of one, or what of it is visible."""
        form = list_form(request, served, protobuf=self.protobuf)
        matches = selection_of(request, served)
        namespace = namespace_of_request(request, served)
        options = list_options(request)
        if "sendInitialEvents" in request.query:
            check_watch_options(request)
        whole = matches is None and request.visible is None and not form.transform
        whole = whole and form.format != "protobuf"
        if whole and not (options.limit or options.continue_token or options.match):
            check_options(options)
            if parse_revision(options.resource_version) <= self.source.revision:
                body = self.cache.body(self.source, served, namespace)
                return object_response(body, form)
        scope = scope_of(request.visible)
        page = await list_page(self.source, served, namespace, options, scope, matches)
        values = [record.value for _, record in page.items]
        content = values, list_meta(page)
        return await render_list(request, served, content, self.clock(), form)

    async def watch(self, request: Request, served: Readable) -> StreamResponse:
        """A stream of changes."""
        form = watch_form(request, served, protobuf=self.protobuf)
        query = request.query
        check_watch_options(request)
        wanted = query.get("resourceVersion", "")
        revision = parse_revision(wanted)
        initial_events = query.get("sendInitialEvents", "") in ("true", "True", "1")
        initial = initial_events or revision == 0
        encoder = WatchEncoder(request, form, self.clock)
        bookmarks = request.flag("allowWatchBookmarks")
        watch = WatchRequest(
            served=served,
            namespace=namespace_of_request(request, served),
            since=self.source.revision if initial else revision,
            initial=initial,
            initial_end=initial_events and bookmarks,
            bookmarks=bookmarks,
            seconds=timeout_seconds(request, DEFAULT_WATCH_SECONDS),
            matches=selection_of(request, served),
            encoder=encoder,
        )
        running = Watch(
            self.source, watch, request, self.still_allowed, self.streams, self.in_force
        )
        return StreamResponse(200, running.run, encoder.content_type)
