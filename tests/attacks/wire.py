"""Requests as bytes on a TLS connection: nothing normalises paths or headers on the way."""

import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A whole response; status 0: the server closed the connection without one."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def names(self) -> list[str]:
        """The names in a list."""
        return [each["metadata"]["name"] for each in self.json()["items"]]


@lru_cache
def _context(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


@dataclass(frozen=True)
class Wire:
    """Opens connections to one server."""

    url: str
    ca_file: str

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens: on this machine."""
        parts = urlsplit(self.url)
        assert parts.hostname == "127.0.0.1"
        assert parts.port is not None
        return parts.hostname, parts.port

    @contextmanager
    def connect(self, source: str = "127.0.0.1", timeout: float = 15) -> Iterator[ssl.SSLSocket]:
        """A TLS connection; ``source`` is the loopback address that it comes from."""
        plain = socket.create_connection(self.address, timeout, source_address=(source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with _context(self.ca_file).wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            yield tls

    def keep(self) -> http.client.HTTPSConnection:
        """A connection for many requests, one after the other."""
        context = _context(self.ca_file)
        return http.client.HTTPSConnection(*self.address, context=context, timeout=30)

    def status(self, data: bytes) -> int:
        """The status of an answer, whose body may go on for ever."""
        with self.connect() as tls:
            tls.sendall(data)
            return int(tls.recv(64).split(b" ", 2)[1])

    def send(self, data: bytes, source: str = "127.0.0.1", timeout: float = 15) -> Answer:
        """Send bytes on a connection of their own and read one response."""
        with self.connect(source, timeout) as tls:
            started = time.monotonic()
            # It may be refused in the middle; what was answered is still to be read.
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                tls.sendall(data)
            return read_answer(tls, data.partition(b" ")[0].decode("latin-1"), started)


def read_answer(tls: ssl.SSLSocket, method: str = "GET", started: float | None = None) -> Answer:
    """Read one response."""
    started = time.monotonic() if started is None else started
    response = http.client.HTTPResponse(tls, method=method)
    try:
        response.begin()
        body = response.read()
    except (ConnectionError, ssl.SSLError, http.client.HTTPException):
        return Answer(0, seconds=time.monotonic() - started)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, time.monotonic() - started)


def request_bytes(
    method: str, target: str, headers: Pairs = (), body: bytes | None = None, close: bool = True
) -> bytes:
    """The bytes of a request; the target stands as it is given."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + (body or b"")
