"""A WebSocket client that a test holds in its hands: it does nothing by itself."""

import base64
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, TextMessage

from support.engine import Engine

BEARER = "base64url.bearer.authorization.k8s.io."
PROTOCOL = "base64.binary.k8s.io"


def token_protocol(token: str) -> str:
    """A token as a subprotocol."""
    return BEARER + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


@dataclass
class Socket:
    """One connection, after the answer to its handshake."""

    tls: ssl.SSLSocket
    status: int
    headers: dict[str, str]
    frames: Connection = field(default_factory=lambda: Connection(ConnectionType.CLIENT))
    _events: list[Event] = field(default_factory=list)
    _text: str = ""

    def send(self, event: Event) -> None:
        """Send a frame."""
        self.tls.sendall(self.frames.send(event))

    def next(self, seconds: float = 10) -> Event:
        """The next thing that the server says; a CloseConnection 1006: it hung up."""
        self.tls.settimeout(seconds)
        while not self._events:
            try:
                data = self.tls.recv(1 << 16)
            except (ConnectionError, ssl.SSLError):
                data = b""
            self.frames.receive_data(data or None)
            self._events += list(self.frames.events())
        return self._events.pop(0)

    def message(self, seconds: float = 10) -> dict[str, Any]:
        """The next watch event."""
        text = ""
        while True:
            event = self.next(seconds)
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                return json.loads(text)

    def until(self, kind: str, name: str) -> dict[str, Any]:
        """The watch event of this type about this object; others before it are left out."""
        while True:
            event = self.message()
            if (event["type"], event["object"]["metadata"].get("name")) == (kind, name):
                return event["object"]

    def close_code(self, seconds: float = 10) -> int:
        """Read on until the server closes; with which code."""
        while True:
            event = self.next(seconds)
            if isinstance(event, CloseConnection):
                return int(event.code)


@contextmanager
def websocket(
    engine: Engine, path: str, protocols: tuple[str, ...] = (), buffer: int = 0, **headers: str
) -> Iterator[Socket]:
    """Ask for a WebSocket, for the length of a block; what was answered is for the test to see."""
    where = urlsplit(engine.url)
    lines = {
        "Host": where.netloc,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    if protocols:
        lines["Sec-WebSocket-Protocol"] = ", ".join(protocols)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    plain = socket.socket()
    if buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.connect((where.hostname, where.port))
    with engine.trust.wrap_socket(plain, server_hostname=where.hostname) as tls:
        tls.settimeout(10)
        tls.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = tls.recv(1)
            assert piece, answer
            answer += piece
        status, *rest = answer.decode().strip().split("\r\n")
        named = (line.split(": ", 1) for line in rest)
        yield Socket(tls, int(status.split()[1]), {name.lower(): value for name, value in named})


def watch_path(path: str, **query: str) -> str:
    """The target of a watch."""
    return f"{path}?{urlencode({'watch': 'true', **query})}"
