"""A request and a response, as filters and handlers see them.

The embedded server and the proxy both make them from ASGI; nothing below this room knows HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from llmos.apimachinery.errors import (
    BadRequestError,
    RequestEntityTooLargeError,
    UnsupportedMediaTypeError,
)
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
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.raw_path: bytes = scope["raw_path"]
        self.query_string: bytes = scope.get("query_string", b"")
        self.raw_headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        self._headers: Mapping[str, str] | None = None
        self._query: Mapping[str, str] | None = None
        self._body: bytes | None = None
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
        request._query = self.query  # noqa: SLF001
        request._body = body  # noqa: SLF001
        request.info = self.info
        request.recheck = None
        request.handshake = None
        request.identity = None
        request.visible = None
        request.warnings = []
        request.head_is_read = True
        return request

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
            loop = asyncio.get_running_loop()
            started = loop.time()
            self._body = await self._read(limit)
            if self.recheck is not None and loop.time() - started > SLOW_BODY_SECONDS:
                await self.recheck()
        return self._body

    async def _read(self, limit: int) -> bytes:
        if self.headers.get("content-encoding", "").lower() not in ("", "identity"):
            raise UnsupportedMediaTypeError("the body must not be compressed")
        declared = self.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            raise RequestEntityTooLargeError.of(limit)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise BadRequestError("the client closed the connection")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise RequestEntityTooLargeError.of(limit)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)


Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Headers = field(default_factory=list)


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


class Connection(Stream, Protocol):
    """The connection that a request came on."""

    def upgrade(self, head: bytes) -> MessageStream:
        """Answer with ``head`` and go on as a WebSocket."""


@dataclass(slots=True)
class StreamResponse:
    """An answer that goes on until ``run`` returns."""

    status: int
    run: Callable[[Stream], Awaitable[None]]
    content_type: str = "application/json"
    headers: Headers = field(default_factory=list)
