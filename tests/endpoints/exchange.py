"""Requests as ASGI hands them over, and answers as it takes them."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from llmos.apis.authentication_v1 import UserInfo
from llmos.endpoints.http import Request
from llmos.endpoints.requestinfo import parse_request


def scope_of(method: str, target: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The ASGI scope of a request line and headers."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("10.0.0.1", 1),
        "extensions": {"llmos": FakeStream()},
    }


def receiver(body: bytes = b"", piece: int = 1 << 16):
    """What ASGI calls ``receive``: the body in pieces, then the client's leaving."""
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)] or [b""]
    messages = [
        {"type": "http.request", "body": each, "more_body": each is not pieces[-1]}
        for each in pieces
    ]

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


def request_of(
    method: str = "GET",
    target: str = "/",
    body: bytes = b"",
    user: UserInfo | None = None,
    **headers: str,
) -> Request:
    """A request that the filters have seen already, in the name of a user."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(scope_of(method, target, named), receiver(body))
    request.info = parse_request(method, request.raw_path, request.query)
    request.user = request.authenticated = user or UserInfo("alice")
    return request


class FakeStream:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.buffered = 0
        self.gone = False
        self.aborted = False
        self.woken = 0
        self.length: int | None = None
        self._wake = asyncio.Event()

    def begin(self, length: int | None, stall_seconds: float | None) -> None:
        """Learn how long the stream is."""
        self.length = length

    @property
    def whole(self) -> bool:
        """Whether as much came as was announced."""
        return self.length in (None, sum(map(len, self.chunks)))

    def write(self, chunk: bytes) -> None:
        """Take a chunk."""
        if not self.gone:
            self.chunks.append(chunk)

    def abort(self) -> None:
        """Drop the connection."""
        self.aborted = self.gone = True
        self._wake.set()

    def wake(self) -> None:
        """End ``wait``."""
        self.woken += 1
        self._wake.set()

    def leave(self) -> None:
        """The client goes."""
        self.gone = True
        self._wake.set()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until woken."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines written so far, as JSON."""
        return [orjson.loads(each) for each in b"".join(self.chunks).splitlines()]


class Answer:
    """What an application sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def send(self, message: dict[str, Any]) -> None:
        """What ASGI calls ``send``."""
        self.messages.append(message)

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, list[str]]:
        """Header values by name."""
        found: dict[str, list[str]] = {}
        for name, value in self.messages[0]["headers"]:
            found.setdefault(name.decode(), []).append(value.decode())
        return found

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(each["body"] for each in self.messages[1:])

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


def answer_of(application: Any, scope: dict[str, Any], body: bytes = b"") -> Answer:
    """What an application answers."""
    answer = Answer()
    asyncio.run(application(scope, receiver(body), answer.send))
    return answer
