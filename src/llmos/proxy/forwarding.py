"""A request goes to the cluster as it came, in the name of who sent it; the answer comes back.

Nothing is sent twice that might change something. What the cluster does not answer well is answered
with a Status, and an answer that breaks off breaks off for the client too: he is never given a part
for the whole. A stream goes as fast as the client takes it, and ends when his rights do.
"""

import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from llmos.apimachinery.errors import (
    BadGatewayError,
    BadRequestError,
    MethodNotAllowedError,
    RequestEntityTooLargeError,
    ServiceUnavailableError,
    StatusError,
    TimedOutError,
    UnauthorizedError,
)
from llmos.endpoints.fastlane import in_task
from llmos.endpoints.http import (
    MAX_BODY,
    BrokenStreamError,
    Connection,
    Request,
    Response,
    Stream,
    StreamResponse,
    UpgradeResponse,
)
from llmos.endpoints.requestinfo import is_long
from llmos.endpoints.streams import OpenStreams
from llmos.proxy import tunnel, upgrading
from llmos.proxy.breaker import RETRY_AFTER, Breaker, UnreachableError
from llmos.proxy.headers import TextHeaders, returned_headers, upstream_headers
from llmos.proxy.lifetimes import Life, allowed_seconds
from llmos.proxy.metrics import UpstreamMetrics
from llmos.proxy.upgrading import UpstreamConnection
from llmos.proxy.upstream import Target, Upstream

MAX_WHOLE = 256 * 1024
"""Bytes of an answer that are sent at once; longer ones are passed on as they come."""
MAX_SMALL_BODY = 256 * 1024
"""Bytes of a request's body that are read before anything is sent."""
STALL_SECONDS = 4 * 3600.0
"""How long a client may leave a log or a watch lying: nothing piles up for him meanwhile."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REPEATABLE = frozenset({"GET", "HEAD"})
_PROBE = "/api"
"""What everybody who is known to the cluster may ask."""

_LOG = logging.getLogger("llmos.proxy")
_CONNECTING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""Nothing was sent."""


@dataclass(slots=True)
class _Call:
    """One request on its way."""

    request: Request
    path: str
    headers: TextHeaders
    long: bool
    life: Life
    body: bytes | AsyncIterator[bytes] | None = None
    sent: int = 0
    """Bytes of the body so far, where it goes as it comes."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        async for each in self.request.chunks():
            self.sent += len(each)
            yield each

    def broken(self, error: BaseException) -> StatusError:
        """What a broken connection means.

        The cluster refuses a body that is too large while it still comes, and hangs up; its answer
        may be lost on the way.
        """
        if self.sent > MAX_BODY and not self.long:
            return RequestEntityTooLargeError.of(MAX_BODY)
        _LOG.warning("the cluster did not answer well: %s: %s", type(error).__name__, error)
        return BadGatewayError("the cluster's API server did not answer well", {})


@dataclass(slots=True)
class Forwarder:
    """The handler that lets the cluster answer."""

    upstream: Upstream
    still_allowed: tunnel.StillAllowed
    streams: OpenStreams
    breaker: Breaker = field(init=False)
    metrics: UpstreamMetrics = field(init=False, default_factory=UpstreamMetrics)

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.upstream.connect)

    def problem(self) -> str:
        """What is wrong with the way to the cluster; empty: nothing."""
        return "the cluster cannot be reached" if self.breaker.is_open else ""

    async def __call__(self, request: Request) -> Response | StreamResponse | UpgradeResponse:
        """Answer a request that the filters let pass.

        Raises:
            UnauthorizedError: nobody is named who sent it.
            ForbiddenError: the cluster cannot be told who did.
            BadRequestError: it cannot be passed on as it came.
            MethodNotAllowedError: no server of Kubernetes knows the method.
            BadGatewayError: the cluster broke off, or answered what is no HTTP.
            RequestEntityTooLargeError: it broke off amid a body larger than it takes.
            ServiceUnavailableError: the cluster cannot be reached, or does not know the proxy.
            TimedOutError: it did not answer in time.
        """
        call = self._call(request)
        await in_task()
        self.breaker.check()
        try:
            async with call.life:
                return await self._answer(call)
        except TimeoutError:
            call.life.say_why()
            raise TimedOutError("the cluster's API server did not answer in time", {}) from None

    def _call(self, request: Request) -> _Call:
        """Read what is to be sent, before anything is."""
        if request.method not in _METHODS:
            raise MethodNotAllowedError
        user = getattr(request, "user", None)
        if user is None:
            raise UnauthorizedError
        long = is_long(request.info)
        seconds = None if long else allowed_seconds(request)
        return _Call(
            request,
            _target_of(request),
            upstream_headers(request.raw_headers, user),
            long,
            Life(request, seconds, self.still_allowed if long else None, self.streams),
        )

    async def _answer(self, call: _Call) -> Response | StreamResponse | UpgradeResponse:
        protocol = upgrading.wanted_protocol(call.request) if call.long else b""
        if protocol:
            return await self._tunnel(call, protocol)
        # Who is not given another protocol is answered in this one.
        call.request.handshake = None
        await self._read_body(call)
        target = await self.upstream.target()
        answer = await self._send(call, target)
        if answer.status == 401 and not await self._knows_us(call, target):
            answer.close()
            answer = await self._send_again(call, target)
        return await self._pass_on(call, answer)

    # The way there

    async def _read_body(self, call: _Call) -> None:
        request = call.request
        if request.received is not None:
            call.body = request.received or None
            return
        length = request.declared_length
        if length is not None and length <= MAX_SMALL_BODY:
            call.body = await request.raw_body(MAX_SMALL_BODY) if length else None
            return
        if call.long and request.connection is not None:
            request.connection.allow_long_body()
        call.body = call.chunks()
        if length is not None:
            call.headers.append(("Content-Length", str(length)))

    async def _send(self, call: _Call, target: Target) -> aiohttp.ClientResponse:
        """Send it once; what only reads is sent again where the cluster hung up meanwhile."""
        try:
            return await self._send_once(call, target)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if call.request.method not in _REPEATABLE or call.body is not None:
                raise call.broken(error) from None
        try:
            return await self._send_once(call, target)
        except aiohttp.ClientError as error:
            raise call.broken(error) from None

    async def _send_once(self, call: _Call, target: Target) -> aiohttp.ClientResponse:
        method = call.request.method
        began, code = time.perf_counter(), "<error>"
        try:
            answer = await self.upstream.send(target, method, call.path, call.headers, call.body)
            code = str(answer.status)
        except _CONNECTING as error:
            self.breaker.failed(error)
            raise UnreachableError from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise
        except (aiohttp.ClientError, ValueError) as error:
            raise call.broken(error) from None
        else:
            return answer
        finally:
            self.metrics.observe(method, target.netloc, code, time.perf_counter() - began)

    async def _knows_us(self, call: _Call, target: Target) -> bool:
        """Whether the cluster takes our credential; if so, a 401 comes from behind it."""
        headers = [each for each in call.headers if each[0].startswith("Impersonate-")]
        try:
            answer = await self.upstream.send(target, "GET", _PROBE, headers, None)
        except aiohttp.ClientError as error:
            raise call.broken(error) from None
        answer.close()
        return answer.status != 401

    async def _send_again(self, call: _Call, refused: Target) -> aiohttp.ClientResponse:
        """Try with a new credential what the cluster refused unread."""
        renewed = await self.upstream.renew(refused)
        if renewed and (call.body is None or isinstance(call.body, bytes)):
            answer = await self._send(call, await self.upstream.target())
            if answer.status != 401:
                return answer
            answer.close()
        _LOG.error("the cluster does not take the proxy's credential")
        details = {"retryAfterSeconds": RETRY_AFTER}
        raise ServiceUnavailableError("the cluster does not know this proxy", details)

    # The way back

    async def _pass_on(
        self, call: _Call, answer: aiohttp.ClientResponse
    ) -> Response | StreamResponse:
        try:
            return await self._read(call, answer)
        except (aiohttp.ClientError, ValueError) as error:
            answer.close()
            raise call.broken(error) from None
        except BaseException:
            answer.close()
            raise

    async def _read(self, call: _Call, answer: aiohttp.ClientResponse) -> Response | StreamResponse:
        """The answer, whole where it is short."""
        if not 200 <= answer.status < 600:
            raise ValueError(f"{answer.status} is no answer to this request")
        headers = returned_headers(answer.raw_headers)
        length = answer.content_length
        if call.request.method == "HEAD" or answer.status in (204, 304):
            answer.release()
            if call.request.method == "HEAD" and length is not None:
                headers.append((b"content-length", b"%d" % length))
            return Response(answer.status, b"", headers=headers, as_is=True)
        if length is None and not _is_chunked(answer):
            raise ValueError("the answer does not say where it ends")
        begun: list[bytes] = []
        if not call.long and (length is None or length <= MAX_WHOLE):
            begun = await _beginning(answer)
            if answer.content.at_eof():
                body = b"".join(begun)
                headers.append((b"content-length", b"%d" % len(body)))
                return Response(answer.status, body, headers=headers, as_is=True)
        if length is None and call.request.scope.get("http_version", "1.1") != "1.1":
            raise BadRequestError("an answer of this length needs HTTP/1.1")
        copy = _Copy(answer, begun, call)
        return StreamResponse(
            answer.status,
            copy.run,
            headers=headers,
            as_is=True,
            length=length,
            stall_seconds=STALL_SECONDS if call.long else None,
        )

    async def _tunnel(self, call: _Call, protocol: bytes) -> Response | UpgradeResponse:
        request = call.request
        target = await self.upstream.target()
        answer = await self._ask(call, target, protocol)
        if answer.status == 401 and not await self._knows_us(call, target):
            if not await self.upstream.renew(target):
                raise ServiceUnavailableError("the cluster does not know this proxy", {})
            answer = await self._ask(call, await self.upstream.target(), protocol)
        try:
            if answer.status != 101:
                return upgrading.answer_of(answer)
            life = tunnel.Tunnel(answer, request, self.still_allowed, self.streams, call.life.heard)
            return tunnel.upgraded(answer, protocol, life)
        except (ValueError, upgrading.BadAnswerError) as error:
            answer.abort()
            raise call.broken(error) from None

    async def _ask(self, call: _Call, target: Target, protocol: bytes) -> UpstreamConnection:
        headers = [*call.headers, ("Connection", "Upgrade"), ("Upgrade", protocol.decode())]
        if await call.request.raw_body(MAX_SMALL_BODY):
            raise BadRequestError("a request for another protocol has no body")
        try:
            return await upgrading.ask(target, call.request.method, call.path, headers)
        except upgrading.BadAnswerError as error:
            raise call.broken(error) from None
        except (OSError, TimeoutError) as error:
            self.breaker.failed(error)
            raise UnreachableError from None

    async def aclose(self) -> None:
        """Look for the cluster no more."""
        await self.breaker.aclose()


@dataclass(slots=True)
class _Copy:
    """An answer that is passed on as it comes."""

    answer: aiohttp.ClientResponse
    begun: list[bytes]
    call: _Call
    _last: bytes = b""

    async def run(self, stream: Stream) -> None:
        """Copy it to its end.

        Raises:
            BrokenStreamError: it has none.
        """
        connection: Any = self.call.request.connection or stream
        try:
            async with self.call.life:
                for each in self.begun:
                    connection.write(each)
                await self._copy(connection)
        except TimeoutError:
            if not self._may_end_here:
                raise BrokenStreamError from None
        except aiohttp.ClientError as error:
            _LOG.debug("an answer broke off: %s", error)
            raise BrokenStreamError from None
        finally:
            # One that was read to its end goes back to the others.
            self.answer.close()

    @property
    def _may_end_here(self) -> bool:
        """Whether nobody can take this end for a part: a watch may end between two events."""
        if self.call.request.info.verb != "watch" or self.answer.status != 200:
            return False
        kind = self.answer.headers.get("Content-Type", "")
        return kind.startswith("application/json") and self._last[-1:] in (b"", b"\n")

    async def _copy(self, connection: Connection) -> None:
        content, life = self.answer.content, self.call.life
        while not connection.gone:
            # Only the cluster's time counts, not what the client takes.
            life.suspend()
            await connection.drain()
            life.go_on()
            chunk = await content.readany()
            if not chunk:
                return
            if self.answer.status < 400:
                # A refusal tells nothing that he may not know.
                await life.check()
            self._last = chunk
            connection.write(chunk)


async def _beginning(answer: aiohttp.ClientResponse) -> list[bytes]:
    """The whole body, or more than ``MAX_WHOLE`` bytes of it."""
    chunks: list[bytes] = []
    size = 0
    while size <= MAX_WHOLE and (chunk := await answer.content.readany()):
        chunks.append(chunk)
        size += len(chunk)
    return chunks


def _is_chunked(answer: aiohttp.ClientResponse) -> bool:
    return answer.headers.get("Transfer-Encoding", "").lower() == "chunked"


def _target_of(request: Request) -> str:
    """Path and query, byte by byte as they were read and judged."""
    target = request.raw_path
    if request.query_string:
        target += b"?" + request.query_string
    try:
        return target.decode("ascii")
    except UnicodeDecodeError:
        raise BadRequestError("the request target is not ASCII") from None
