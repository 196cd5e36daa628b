"""The way of a request: a list of filters in reading order, a handler at its end.

``recover → read → authenticate → impersonate → authorize (narrow) → handle → answer → audit``.
A filter sets attributes of the request or raises a StatusError; nothing acts after a refusal.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import StatusError
from llmos.endpoints.audit import audit
from llmos.endpoints.browsers import SANDBOX
from llmos.endpoints.http import (
    BrokenStreamError,
    Connection,
    Headers,
    Receive,
    Request,
    Response,
    StreamResponse,
    UpgradeResponse,
)
from llmos.endpoints.metrics import RequestMetrics
from llmos.endpoints.pages import Pages
from llmos.endpoints.responses import (
    compress,
    error_response,
    unexpected_error_response,
    warning_headers,
)

Send = Callable[[dict[str, Any]], Awaitable[None]]
Filter = Callable[[Request], Awaitable[None]]
Answer = Response | StreamResponse | UpgradeResponse
Handler = Callable[[Request], Awaitable[Answer]]

_LOG = logging.getLogger("llmos.server")
_COMMON: Headers = [(b"cache-control", b"no-cache, private")]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An ASGI application made of filters and a handler."""

    filters: Sequence[Filter]
    handler: Handler
    clock: Clock
    metrics: RequestMetrics = field(default_factory=RequestMetrics)
    pages: Pages | None = None
    """The web page, which is before the filters: it is for everybody."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            return
        started = self.clock()
        request = Request(scope, receive)
        response = await self.answer(request)
        match response:
            case Response():
                await _send(request, response, send)
            case StreamResponse():
                await _send_stream(request, response, scope["extensions"]["llmos"], send)
            case UpgradeResponse():
                await response.run(scope["extensions"]["llmos"], upgrade_head(response))
        audit(request, response.status, self.clock() - started)

    async def answer(self, request: Request) -> Answer:
        """Run the filters and the handler; whatever is raised becomes an answer, and is counted."""
        began = self.metrics.begin(request)
        response: Answer
        try:
            response = await self._respond(request)
        except StatusError as error:
            response = error_response(error, request.headers.get("accept", ""))
        except Exception:  # noqa: BLE001 - the one place where everything is caught
            _LOG.exception("a request failed: %s", request.method)
            response = unexpected_error_response()
        except BaseException:
            self.metrics.dropped(request)
            raise
        self.metrics.answered(request, response, began)
        return response

    async def _respond(self, request: Request) -> Answer:
        if self.pages is not None and self.pages.concerns(request):
            return await self.pages.answer(request)
        for each in self.filters:
            await each(request)
        response = await self.handler(request)
        if isinstance(response, Response) and not response.as_is:
            await compress(request, response)
        return response


_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def response_bytes(request: Request, response: Response) -> bytes:
    """A whole answer as HTTP/1.1 sends it."""
    lines = _head_lines(response.status, response_headers(request, response))
    if not response.as_is:
        lines.append(b"content-length: %d\r\n" % len(response.body))
    lines += (b"\r\n", response.body)
    return b"".join(lines)


def stream_head(request: Request, response: StreamResponse) -> bytes:
    """The head of a stream as HTTP/1.1 sends it."""
    lines = _head_lines(response.status, stream_headers(request, response))
    lines.append(b"\r\n")
    return b"".join(lines)


def upgrade_head(response: UpgradeResponse) -> bytes:
    """The head of a 101."""
    lines = _head_lines(response.status, response.headers)
    lines.append(b"\r\n")
    return b"".join(lines)


def _head_lines(status: int, headers: Headers) -> list[bytes]:
    line = _STATUS_LINES.get(status)
    lines = [b"HTTP/1.1 %d \r\n" % status if line is None else line]
    for name, value in headers:
        if b"\r" in value or b"\n" in value:
            raise ValueError("a header must be one line")
        lines += (name, b": ", value, b"\r\n")
    return lines


def response_headers(request: Request, response: Response | StreamResponse) -> Headers:
    """The headers of an answer, but for its length."""
    if response.as_is:
        headers = list(response.headers)
    else:
        kind = response.content_type
        headers = [(b"content-type", kind.encode())] if kind else []
        headers += response.headers
        if not any(name == b"cache-control" for name, _ in headers):
            headers += _COMMON
    if request.identity is not None and request.identity.browser:
        headers += SANDBOX
    if request.warnings:
        headers += warning_headers(request.warnings)
    return headers


def stream_headers(request: Request, response: StreamResponse) -> Headers:
    """The headers of a stream."""
    headers = response_headers(request, response)
    if response.length is None:
        headers.append((b"transfer-encoding", b"chunked"))
    else:
        headers.append((b"content-length", b"%d" % response.length))
    return headers


async def run_stream(response: StreamResponse, connection: Connection) -> bool:
    """Let a stream be written whose head is out; False: it broke off, and so did the connection."""
    connection.begin(response.length, response.stall_seconds)
    try:
        await response.run(connection)
    except BrokenStreamError:
        connection.abort()
        return False
    if not connection.whole:
        connection.abort()
    return connection.whole


async def _send(request: Request, response: Response, send: Send) -> None:
    headers = response_headers(request, response)
    if not response.as_is and response.status not in (204, 304):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _send_stream(
    request: Request, response: StreamResponse, connection: Connection, send: Send
) -> None:
    if request.handshake is not None:
        socket = connection.upgrade(request.handshake.answer())
        await response.run(socket)
        await socket.close()
        return
    headers = stream_headers(request, response)
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if await run_stream(response, connection):
        await send({"type": "http.response.body", "body": b""})
