"""A request and a response, as filters and handlers see them.

The embedded server and the proxy both make them from ASGI; nothing below this room knows HTTP.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from llmos.apimachinery.errors import (
    BadRequestError,
    RequestEntityTooLargeError,
    UnsupportedMediaTypeError,
)
from llmos.apimachinery.measures import Histogram
from llmos.apis.authentication_v1 import UserInfo
from llmos.endpoints.requestinfo import RequestInfo

MAX_BODY = 3 * 1024 * 1024
"""Bytes of a request body; kube-apiserver's own limit."""
SLOW_BODY_SECONDS = 1.0
"""When a body has taken longer than this, the rights of its sender are asked for again."""
MAX_FIELDS = 1000
"""Parameters of a query; more is no honest request."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Request:
    """One HTTP request on its way through the filters; each filter sets one attribute."""

    __slots__ = (
        "_body",
        "_headers",
        "_query",
        "authenticated",
        "cells",
        "connection",
        "handshake",
        "head_is_read",
        "identity",
        "info",
        "method",
        "query_string",
        "raw_headers",
        "raw_path",
        "receive",
        "recheck",
        "scope",
        "user",
        "visible",
        "warnings",
    )

    def __init__(self, scope: Mapping[str, Any], receive: Receive) -> None:
        self.scope, self.receive = scope, receive
        self.method: str = scope["method"]
        self.raw_path: bytes = scope["raw_path"]
        self.query_string: bytes = scope.get("query_string", b"")
        self.raw_headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        self._headers: Mapping[str, str] | None = None
        self._query: Mapping[str, str] | None = None
        self._body: bytes | None = None
        self.connection: Connection | None = scope.get("extensions", {}).get("llmos")
        """What it came on; None where there is none, in one process."""
        self.info: RequestInfo
        """Set by ``read``."""
        self.recheck: Callable[[], Awaitable[None]] | None = None
        """Set by ``read``: asks for the sender's rights again, where the body came in slowly."""
        self.handshake: Any = None
        """Set by ``read``: the ``Handshake`` of a client that wants a WebSocket."""
        self.identity: Any = None
        """Set by ``authenticate``: the authenticated ``Identity`` with its expiry."""
        self.authenticated: UserInfo
        """Who sent it, before impersonation."""
        self.user: UserInfo
        """Whose rights count, after impersonation."""
        self.visible: Any = None
        """Set by ``narrow``: what of the list the user may see; None: all."""
        self.head_is_read = False
        """The head was read before: ``info`` is there already."""
        self.warnings: list[str] = []
        """Texts for ``Warning`` headers of the answer."""
        self.cells: dict[int, Histogram] = {}
        """Where requests with this head are counted, by the status of the answer."""

    def again(self, body: bytes) -> "Request":
        """Another request with the same head; what was read out of the head is shared."""
        request = Request.__new__(Request)
        request.scope = self.scope
        request.receive = self.receive
        request.method = self.method
        request.raw_path = self.raw_path
        request.query_string = self.query_string
        request.raw_headers = self.raw_headers
        request._headers = self.headers  # noqa: SLF001 - of its own class
        request._query = self.query  # noqa: SLF001 - as above
        request._body = body  # noqa: SLF001 - as above
        request.connection = None
        request.info = self.info
        request.recheck = None
        request.handshake = None
        request.identity = None
        request.visible = None
        request.warnings = []
        request.head_is_read = True
        request.cells = self.cells
        return request

    def put_body(self, body: bytes, media_type: str = "") -> None:
        """Go on as if this had been the body; without a media type it has the one it had."""
        self._body = body
        if media_type:
            kept = [each for each in self.raw_headers if each[0] != b"content-type"]
            self.raw_headers = [*kept, (b"content-type", media_type.encode())]
            self._headers = None

    @property
    def received(self) -> bytes | None:
        """The body, where it was read already; None: it was not."""
        return self._body

    @property
    def path(self) -> str:
        """The decoded path, without a slash at its end; known once ``read`` has run."""
        return self.info.path.rstrip("/") or "/"

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name; of repeated ones the first (see ``header_values``)."""
        if self._headers is None:
            found: dict[str, str] = {}
            for name, value in self.raw_headers:
                found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
            self._headers = found
        return self._headers

    @property
    def media_type(self) -> str:
        """What the request says that its body is, in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def header_values(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        wanted = name.lower().encode("latin-1")
        return [v.decode("latin-1") for n, v in self.raw_headers if n.lower() == wanted]

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters; of repeated ones the first, as Go's ``url.Values.Get``.

        Raises:
            BadRequestError: there are too many.
        """
        if self._query is None:
            found: dict[str, str] = {}
            if self.query_string:
                text = self.query_string.decode("latin-1")
                try:
                    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
                except ValueError:
                    raise BadRequestError("the query has too many parameters") from None
                for name, value in pairs:
                    found.setdefault(name, value)
            self._query = found
        return self._query

    def flag(self, name: str) -> bool:
        """A boolean query parameter as Kubernetes reads it: any value but ``0`` and ``false``."""
        value = self.query.get(name)
        return value is not None and value.lower() not in ("", "0", "false")

    async def body(self, limit: int = MAX_BODY) -> bytes:
        """Read the whole body, once.

        Raises:
            RequestEntityTooLargeError: it is longer than ``limit`` bytes.
            UnsupportedMediaTypeError: it is compressed; nothing is ever unpacked.
            BadRequestError: the client went away.
            StatusError: the sender lost his rights while it came in.
        """
        if self._body is None:
            if self.headers.get("content-encoding", "").lower() not in ("", "identity"):
                raise UnsupportedMediaTypeError("the body must not be compressed")
            self._body = await self.raw_body(limit)
        return self._body

    @property
    def declared_length(self) -> int | None:
        """The body's length in bytes, where the head says it; None: it comes in chunks."""
        declared = self.headers.get("content-length", "")
        if declared.isdigit():
            return int(declared)
        return None if "transfer-encoding" in self.headers else 0

    async def raw_body(self, limit: int) -> bytes:
        """Read the whole body as it was sent, compressed or not, once.

        Raises:
            RequestEntityTooLargeError: it is longer than ``limit`` bytes.
            BadRequestError: the client went away.
            StatusError: the sender lost his rights while it came in.
        """
        if self._body is not None:
            return self._body
        if (self.declared_length or 0) > limit:
            raise RequestEntityTooLargeError.of(limit)
        loop = asyncio.get_running_loop()
        started = loop.time()
        chunks: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                raise RequestEntityTooLargeError.of(limit)
            chunks.append(chunk)
        if self.recheck is not None and loop.time() - started > SLOW_BODY_SECONDS:
            await self.recheck()
        return b"".join(chunks)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes in, once; the client waits while nobody takes it.

        Raises:
            BadRequestError: the client went away.
        """
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise BadRequestError("the client closed the connection")
            if chunk := message.get("body", b""):
                yield chunk
            if not message.get("more_body", False):
                return


Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Headers = field(default_factory=list)
    as_is: bool = False
    """``headers`` are all there are, the length included: somebody else's answer, unchanged."""


class BrokenStreamError(Exception):
    """A stream cannot be ended well: the client must not take what it has for the whole."""


class Stream(Protocol):
    """Where a streaming handler writes; made by the server's protocol class."""

    def write(self, chunk: bytes) -> None:
        """Queue one chunk; dropped when the connection is gone."""

    @property
    def buffered(self) -> int:
        """Bytes that the client has not taken yet."""

    @property
    def gone(self) -> bool:
        """Whether the client has left."""

    def abort(self) -> None:
        """Drop the connection, whatever is still to be sent."""

    def wake(self) -> None:
        """End ``wait`` early."""

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds; less if the client leaves or somebody calls ``wake``."""


class MessageStream(Stream, Protocol):
    """A stream whose lines are messages, with an end that both sides know of."""

    async def close(self) -> None:
        """Say that nothing follows, and hang up."""


class Taker(Protocol):
    """Who takes what a ``Duplex`` has to give. Nothing is called after ``lost``."""

    def receive(self, data: bytes) -> None:
        """Bytes came in."""

    def writable(self, yes: bool) -> None:
        """Whether more may be written: the other end takes it, or is behind."""

    def eof(self) -> None:
        """No more bytes come in; some may still go out."""

    def lost(self) -> None:
        """The connection is over."""


class Duplex(Protocol):
    """A connection that carries bytes both ways."""

    taker: Taker

    def write(self, data: bytes) -> None:
        """Queue bytes."""

    def pause(self) -> None:
        """Take in nothing more for a while."""

    def resume(self) -> None:
        """Take in again."""

    def write_eof(self) -> bool:
        """Say that nothing more is written; False: this connection can only be closed."""

    def close(self) -> None:
        """Close once everything is written."""

    def abort(self) -> None:
        """Drop the connection so that the other end sees that it was dropped."""


class Connection(Stream, Protocol):
    """The connection that a request came on."""

    def begin(self, length: int | None, stall_seconds: float | None) -> None:
        """Say how the stream is written: so many bytes, or (None) in chunks.

        ``stall_seconds`` is how long the client may leave it lying; None: as all answers.
        """

    @property
    def whole(self) -> bool:
        """Whether as many bytes were written as were announced, if any were."""

    async def drain(self) -> None:
        """Wait until the client has taken most of what was written, or is gone."""

    def on_leave(self, callback: Callable[[], None] | None) -> None:
        """Call this, and nothing else, when the client leaves."""

    def allow_long_body(self) -> None:
        """Let the body of this request come in for as long as it goes on coming.

        For requests that may make it: the bound on the whole request is for everybody else.
        """

    def upgrade(self, head: bytes) -> MessageStream:
        """Answer with ``head`` and go on as a WebSocket."""

    def take_over(self, head: bytes, taker: Taker) -> Duplex:
        """Answer with ``head`` and go on in another protocol."""


@dataclass(slots=True)
class StreamResponse:
    """An answer that goes on until ``run`` returns."""

    status: int
    run: Callable[[Stream], Awaitable[None]]
    """Raises ``BrokenStreamError`` where the answer is not whole."""
    content_type: str = "application/json"
    headers: Headers = field(default_factory=list)
    as_is: bool = False
    """``headers`` are all there are, but for ``length``: somebody else's answer, unchanged."""
    length: int | None = None
    """Bytes that ``run`` writes; None: it is not known before."""
    stall_seconds: float | None = None
    """How long the client may leave it lying; None: as all answers."""


@dataclass(slots=True)
class UpgradeResponse:
    """A 101, after which the connection belongs to another protocol until ``run`` returns."""

    headers: Headers
    run: Callable[[Connection, bytes], Awaitable[None]]
    """Takes the connection over, with the head that it is given."""
    status: int = 101
