"""A blocking HTTP/1.1 client over one kept connection, with as little as possible around it.

It prepares what is measured, and measures what takes several requests in a row.
"""

import json
import socket
import ssl
from pathlib import Path
from typing import Any, Self

from bench.engines import Endpoint
from bench.measures import BenchError

_READ = 1 << 20


def trusting(ca_file: Path) -> ssl.SSLContext:
    """TLS settings that trust one authority."""
    return ssl.create_default_context(cafile=str(ca_file))


class Client:
    """One user's connection to a server."""

    def __init__(self, endpoint: Endpoint, user: str = "", seconds: float = 60.0) -> None:
        """Connect.

        Raises:
            OSError: nobody answers there.
        """
        raw = socket.create_connection((endpoint.host, endpoint.port), timeout=seconds)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = raw
        if endpoint.ca_file is not None:
            context = trusting(endpoint.ca_file)
            self._socket = context.wrap_socket(raw, server_hostname=endpoint.host)
        self._name = endpoint.name
        token = endpoint.tokens.get(user, "")
        self._head = f"Host: {endpoint.host}:{endpoint.port}\r\nAccept: application/json\r\n" + (
            f"Authorization: Bearer {token}\r\n" if token else ""
        )
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Send a request; status and body of the answer come back.

        Raises:
            OSError: the connection broke.
        """
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\n{self._head}"
        if content:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        self._socket.sendall(head.encode() + b"\r\n" + content)
        lines = self._until(b"\r\n\r\n").split(b"\r\n")
        headers = dict(each.lower().split(b":", 1) for each in lines[1:] if each)
        status = int(lines[0].split()[1])
        if b"transfer-encoding" in headers:
            return status, self._chunks()
        return status, self._exactly(int(headers.get(b"content-length", 0)))

    def ask(
        self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,)
    ) -> Any:
        """Send a request; the JSON of the answer comes back.

        Raises:
            BenchError: the status is another one.
        """
        status, answer = self.send(method, path, body)
        if status not in expect:
            raise BenchError(f"{self._name}: {method} {path} answered {status}: {answer[:300]!r}")
        return json.loads(answer)

    def create(self, path: str, body: Any) -> Any:
        """POST; an object that is there already is as good."""
        return self.ask("POST", path, body, (201, 409))

    def _more(self) -> None:
        data = self._socket.recv(_READ)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._rest += data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._more()
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._more()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._until(b"\r\n"), 16):
            parts.append(self._exactly(size))
            self._exactly(2)
        self._exactly(2)
        return b"".join(parts)


def is_ready(endpoint: Endpoint, user: str = "") -> bool:
    """Whether ``/readyz`` says so; an OSError where nobody listens yet."""
    with Client(endpoint, user, 5.0) as client:
        return client.send("GET", "/readyz")[0] == 200
