"""Asks the cluster for another protocol, on a connection of its own.

If it answers 101, what comes and goes then is ``tunnel.py``'s; any other answer is passed on whole.
"""

import asyncio
from typing import cast

import httptools

from llmos.endpoints.http import Headers, Request, Response, Taker
from llmos.endpoints.transport import keep_alive, reset
from llmos.proxy.headers import TextHeaders, returned_headers
from llmos.proxy.upstream import CONNECT_SECONDS, Target

LAST_WORDS_SECONDS = 30.0
"""How long the cluster may take to take the rest."""
MAX_REFUSAL = 1024 * 1024
"""Bytes of an answer that is no 101."""
PROTOCOLS = frozenset({b"websocket", b"spdy/3.1"})

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


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
        self.taker: Taker | None = None
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
