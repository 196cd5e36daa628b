"""Connections that become another protocol: exec, attach and port-forward, and sockets behind it.

The request goes to the cluster on a connection of its own. If the cluster answers 101, bytes go
both ways as they come, each side no faster than the other takes them, until one side ends, nothing
was said for hours, or the rights end that opened it. Any other answer is passed on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

import httptools

from llmos.endpoints.http import Connection, Duplex, Headers, Request, Response, UpgradeResponse
from llmos.endpoints.streams import OpenStreams
from llmos.endpoints.transport import keep_alive, reset
from llmos.proxy.headers import TextHeaders, returned_headers
from llmos.proxy.upstream import CONNECT_SECONDS, Target

IDLE_SECONDS = 4 * 3600.0
"""How long both sides may say nothing: the kubelet's own figure."""
RECHECK_SECONDS = 2.0
"""How often an open tunnel asks whether it may go on, besides at every change of rights."""
LAST_WORDS_SECONDS = 30.0
"""How long the cluster may take to take the rest."""
MAX_REFUSAL = 1024 * 1024
"""Bytes of an answer that is no 101."""
PROTOCOLS = frozenset({b"websocket", b"spdy/3.1"})

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

StillAllowed = Callable[[Request], Awaitable[bool]]


class BadAnswerError(Exception):
    """What came back is no HTTP, or not whole."""


def wanted_protocol(request: Request) -> bytes:
    """The protocol that a request wants to go on in; empty: none, or none that we know.

    A server may ignore what it does not know and answer as usual (RFC 9110, 7.8).
    """
    asked = [value for name, value in request.raw_headers if name == b"upgrade"]
    if len(asked) != 1 or request.scope.get("http_version", "1.1") != "1.1":
        return b""
    tokens = b",".join(value for name, value in request.raw_headers if name == b"connection")
    if b"upgrade" not in {each.strip() for each in tokens.lower().split(b",")}:
        return b""
    return asked[0] if asked[0].lower() in PROTOCOLS else b""


class UpstreamConnection(asyncio.Protocol):
    """The connection to the cluster: first the answer to the request, then bytes."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.taker: Half | None = None
        self.status = 0
        self.headers: Headers = []
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.rest = b""
        """What came behind a 101, until somebody takes it."""
        self._parser = httptools.HttpResponseParser(self)
        self._size = 0
        self._in_head = True
        self._body: list[bytes] = []
        self._lost = False

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember what to write to."""
        # That of another loop (uvloop) is one in all but its class.
        self.transport = cast("asyncio.Transport", transport)
        known = transport.get_extra_info("socket")
        if known is not None:
            keep_alive(known)

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer, or bytes."""
        if self.taker is not None:
            self.taker.receive(data)
        elif self.status == 101:
            self._keep(data)
        elif not self.answered.done():
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._switched(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._failed("the answer is no HTTP")
        if self._size > MAX_REFUSAL:
            self._failed("the answer is too long")

    def _switched(self, rest: bytes) -> None:
        self.status = self._parser.get_status_code()
        if self.status != 101:
            self._failed("the answer changes the protocol and says otherwise")
            return
        self._keep(bytes(rest))
        if not self.answered.done():
            self.answered.set_result(None)

    def _keep(self, data: bytes) -> None:
        self.rest += data
        self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The cluster says no more."""
        if self.taker is not None:
            self.taker.eof()
            return self.transport.can_write_eof()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self._lost = True
        if error is None and self._is_refused_to_the_end and not self.answered.done():
            self.answered.set_result(None)
        self._failed(str(error or "the connection ended"))
        if self.taker is not None:
            self.taker.lost()

    @property
    def _is_refused_to_the_end(self) -> bool:
        """Whether it is a refusal that ends with the connection: kube-apiserver makes such ones.

        Nobody takes a part of a refusal for a success.
        """
        framed = {name.lower() for name, _ in self.headers} & _FRAMING
        return self.status >= 400 and not self._in_head and not framed

    def pause_writing(self) -> None:
        """The cluster is behind."""
        if self.taker is not None:
            self.taker.writable(False)

    def resume_writing(self) -> None:
        """The cluster takes more."""
        if self.taker is not None and not self._lost:
            self.taker.writable(True)

    def _failed(self, why: str) -> None:
        if not self.answered.done():
            self.answered.set_exception(BadAnswerError(why))

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """A new answer: interim ones (1xx) come before it."""
        self.headers = []
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what follows a body comes too late."""
        if self._in_head:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole; not so one that would end with the connection."""
        if self.status >= 200 and not self.answered.done():
            self.answered.set_result(None)

    @property
    def body(self) -> bytes:
        """The body of an answer that is no 101."""
        return b"".join(self._body)

    # Duplex

    def write(self, data: bytes) -> None:
        """Queue bytes for the cluster."""
        if not self._lost:
            self.transport.write(data)

    def pause(self) -> None:
        """Take in nothing more for a while."""
        if not self._lost:
            self.transport.pause_reading()

    def resume(self) -> None:
        """Take in again."""
        if not self._lost and not self.transport.is_closing():
            self.transport.resume_reading()

    def write_eof(self) -> bool:
        """Say that nothing more is written; False: TLS cannot say it and go on."""
        if self._lost or not self.transport.can_write_eof():
            return False
        self.transport.write_eof()
        return True

    def close(self) -> None:
        """Close once everything is written."""
        if not self._lost:
            self.transport.close()
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, self.transport.abort)

    def abort(self) -> None:
        """Drop the connection with a reset."""
        if not self._lost:
            reset(self.transport)
            self.transport.abort()


@dataclass(slots=True)
class Half:
    """Carries what one side says to the other."""

    tunnel: "Tunnel"
    other: "Duplex | UpstreamConnection | None" = None
    ended: bool = False

    def receive(self, data: bytes) -> None:
        """Pass it on."""
        self.tunnel.moved_at = self.tunnel.time()
        if self.other is not None:
            self.other.write(data)

    def writable(self, yes: bool) -> None:
        """Let the other side say no more than this one takes."""
        if self.other is None:
            return
        if yes:
            self.other.resume()
        else:
            self.other.pause()

    def eof(self) -> None:
        """Pass it on; where that cannot be said alone, everything is over."""
        self.ended = True
        if self.other is None or not self.other.write_eof() or self.tunnel.both_ended:
            self.tunnel.end()

    def lost(self) -> None:
        """Nothing is left to be carried."""
        self.tunnel.end()


@dataclass(slots=True)
class Tunnel:
    """An upgraded request; ``run`` is its life."""

    upstream: UpstreamConnection
    request: Request
    still_allowed: StillAllowed
    open_streams: OpenStreams
    """Where it is found by whoever has news about rights."""
    moved_at: float = 0.0
    over: bool = False
    _connection: Connection | None = None
    _client: Duplex | None = None
    _from_client: Half = field(init=False)
    _from_upstream: Half = field(init=False)

    def __post_init__(self) -> None:
        self._from_client = Half(self, self.upstream)
        self._from_upstream = Half(self)

    @property
    def both_ended(self) -> bool:
        """Whether nobody says anything any more."""
        return self._from_client.ended and self._from_upstream.ended

    @staticmethod
    def time() -> float:
        """Seconds that only grow."""
        return asyncio.get_running_loop().time()

    def end(self) -> None:
        """Both sides have said what they had to say, or one of them is gone."""
        self.over = True
        if self._connection is not None:
            self._connection.wake()

    async def run(self, connection: Connection, head: bytes) -> None:
        """Carry bytes until something ends it."""
        self._connection = connection
        client = connection.take_over(head, self._from_client)
        self._client = self._from_upstream.other = client
        self.moved_at = self.time()
        rest, self.upstream.rest = self.upstream.rest, b""
        self.upstream.taker = self._from_upstream
        client.write(rest)
        self.upstream.resume()
        self.open_streams.add(connection)
        try:
            while not (self.over or connection.gone):
                await connection.wait(RECHECK_SECONDS)
                if not await self._may_go_on():
                    client.abort()
                    self.upstream.abort()
                    return
            client.close()
            self.upstream.close()
        finally:
            self.open_streams.discard(connection)
            if not self.over and not connection.gone:
                self.upstream.abort()

    async def _may_go_on(self) -> bool:
        if self.over:
            return True
        if self.time() - self.moved_at > IDLE_SECONDS:
            return False
        return await self.still_allowed(self.request)


async def ask(target: Target, method: str, path: str, headers: TextHeaders) -> UpstreamConnection:
    """Send a request that asks for another protocol, and wait for the head of the answer.

    Raises:
        OSError: there is no connection.
        TimeoutError: there is none in time.
        BadAnswerError: what came back is no answer.
    """
    async with asyncio.timeout(CONNECT_SECONDS):
        _, connection = await asyncio.get_running_loop().create_connection(
            UpstreamConnection,
            target.host,
            target.port,
            ssl=target.tls,
            server_hostname=target.tls_name,
        )
    try:
        connection.write(_head(target, method, path, headers))
        await connection.answered
    except BaseException:
        connection.abort()
        raise
    return connection


def _head(target: Target, method: str, path: str, headers: TextHeaders) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = [
        f"{method} {target.prefix}{path} HTTP/1.1",
        f"Host: {host}:{target.port}",
        *(f"{name}: {value}" for name, value in [*headers, *target.authorization]),
    ]
    if any("\r" in each or "\n" in each or "\0" in each for each in lines):
        raise BadAnswerError("a header must be one line")
    return "\r\n".join([*lines, "", ""]).encode()


def answer_of(connection: UpstreamConnection) -> Response:
    """What the cluster answered instead of a 101, whole; its connection is not used again.

    Raises:
        ValueError: a header could be read as two.
    """
    connection.abort()
    headers = returned_headers(connection.headers)
    if not 200 <= connection.status < 600:
        raise ValueError(f"{connection.status} is no answer to this request")
    if connection.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(connection.body)))
    return Response(connection.status, connection.body, headers=headers, as_is=True)


def upgraded(connection: UpstreamConnection, protocol: bytes, tunnel: Tunnel) -> UpgradeResponse:
    """The 101 for the client.

    Raises:
        BadAnswerError: the cluster changed to another protocol than was asked for.
    """
    said = [value for name, value in connection.headers if name.lower() == b"upgrade"]
    if [each.lower() for each in said] != [protocol.lower()]:
        connection.abort()
        raise BadAnswerError("the answer changes to another protocol")
    headers = [(b"upgrade", said[0]), (b"connection", b"Upgrade")]
    return UpgradeResponse([*headers, *returned_headers(connection.headers)], tunnel.run)
