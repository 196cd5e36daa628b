"""The data path of the proxy with a few people before it, and a cluster behind it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from uvicorn.server import ServerState

from llmos.apimachinery.errors import UnauthorizedError
from llmos.apis.authentication_v1 import UserInfo
from llmos.authentication.certificates import ensure_certificates
from llmos.client.config import Config
from llmos.endpoints.http import Request
from llmos.endpoints.listener import bind, make_listener
from llmos.endpoints.pipeline import Pipeline
from llmos.endpoints.protocol import BoundedProtocol
from llmos.endpoints.requestinfo import parse_request
from llmos.endpoints.streams import OpenStreams
from llmos.endpoints.websocket import read_handshake
from llmos.proxy.forwarding import Forwarder
from llmos.proxy.upstream import Upstream

ALICE = UserInfo("alice", "alice-uid", ("devs", "system:authenticated"))
PEOPLE = {"alice": ALICE, "bob": UserInfo("bob")}
"""Who has which token."""


@dataclass
class Front:
    """The filters, and what they decide by."""

    upstream: Upstream
    people: dict[str, UserInfo | None] = field(default_factory=lambda: dict(PEOPLE))
    refused: set[str] = field(default_factory=set)
    """The names of those who have lost their rights."""
    refused_next: set[str] = field(default_factory=set)
    """Who loses them while somebody is asked for, slowly."""
    slow: float = 0.0
    """How long it takes to say who has rights, in seconds."""
    asking: bool = False
    body: bytes | None = None
    """What a handler before this one puts in the place of a body."""
    streams: OpenStreams = field(default_factory=OpenStreams)
    port: int = 0
    state: ServerState = field(default_factory=ServerState)

    def __post_init__(self) -> None:
        self.forwarder = Forwarder(self.upstream, self.still_allowed, self.streams)
        self.app = Pipeline((self.read, self.authenticate), self.forwarder, time.monotonic)

    async def read(self, request: Request) -> None:
        if not request.head_is_read:
            request.info = parse_request(request.method, request.raw_path, request.query)
            request.handshake = read_handshake(request)

    async def authenticate(self, request: Request) -> None:
        values = request.header_values("authorization")
        if request.handshake is not None:
            values += request.handshake.bearers
        token = values[0].removeprefix("Bearer ") if values else ""
        if token not in self.people:
            raise UnauthorizedError
        who = self.people[token]
        if who is not None:
            request.user = request.authenticated = who
        if self.body is not None:
            await request.body()
            request.put_body(self.body)

    async def still_allowed(self, request: Request) -> bool:
        refused = request.user.name in self.refused
        if self.slow:
            self.asking = True
            await asyncio.sleep(self.slow)
            self.refused |= self.refused_next
        return not refused

    async def aclose(self) -> None:
        await self.forwarder.aclose()
        await self.upstream.aclose()


def plain(port: int, token: str = "proxy-token") -> Callable[[bool], Config]:
    """Where a scripted server is."""
    return lambda anew: Config(f"http://127.0.0.1:{port}", token=token)


@asynccontextmanager
async def fronted(load: Callable[[bool], Config]) -> AsyncIterator[Front]:
    """A listener without TLS before a cluster, for the length of a block."""
    front = Front(Upstream(load))
    config = uvicorn.Config(
        front.app, http=BoundedProtocol, ws="none", lifespan="off", interface="asgi3",
        access_log=False, log_config=None, proxy_headers=False, server_header=False,
        date_header=False,
    )  # fmt: skip
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedProtocol(config=config, server_state=front.state, app_state={}),
        "127.0.0.1",
        0,
    )
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        for connection in list(front.state.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)
        await server.wait_closed()
        await front.aclose()


@dataclass
class Running:
    """A listener with TLS in a thread of its own."""

    url: str
    ca_file: Path
    front: Front
    loop: asyncio.AbstractEventLoop


@contextmanager
def running(load: Callable[[bool], Config], directory: Path, people: dict) -> Iterator[Running]:
    """A proxy for foreign clients, for the length of a block."""
    certificates = ensure_certificates(directory / "front", ["127.0.0.1"], time.time)
    started: list[Running] = []
    ready = threading.Event()
    stop: list[Callable[[], None]] = []

    async def serve() -> None:
        front = Front(Upstream(load), dict(people))
        socket = bind("127.0.0.1", 0)
        listener = make_listener(
            front.app, certificates.cert_path, certificates.key_path, lambda: None
        )
        url = f"https://127.0.0.1:{socket.getsockname()[1]}"
        loop = asyncio.get_running_loop()
        started.append(Running(url, directory / "front" / "ca.crt", front, loop))
        stop.append(lambda: setattr(listener, "should_exit", True))
        serving = asyncio.create_task(listener.serve([socket]))
        await listener.wait_started()
        ready.set()
        await serving
        await front.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield started[0]
    finally:
        started[0].loop.call_soon_threadsafe(stop[0])
        thread.join(15)


class Client:
    """A client that sends bytes as they are, and takes answers apart strictly."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, method: str, target: str, *headers: str, body: bytes = b"", user="alice"):
        """Send a request."""
        lines = [f"{method} {target} HTTP/1.1", "Host: front", f"Authorization: Bearer {user}"]
        lines += headers
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def head(self) -> tuple[int, list[tuple[str, str]]]:
        """The head of an answer."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        return int(first.split()[1]), [tuple(each.split(": ", 1)) for each in lines]

    async def body(self, headers: list[tuple[str, str]]) -> bytes:
        """A whole body; IncompleteReadError: it breaks off."""
        named = {name.lower(): value for name, value in headers}
        async with asyncio.timeout(10):
            if "content-length" in named:
                return await self.reader.readexactly(int(named["content-length"]))
            chunks = []
            while chunk := await self.chunk():
                chunks.append(chunk)
            return b"".join(chunks)

    async def chunk(self) -> bytes:
        """One chunk; empty: the end."""
        size = int((await self.reader.readuntil(b"\r\n")).strip(), 16)
        data = await self.reader.readexactly(size)
        assert await self.reader.readexactly(2) == b"\r\n"
        return data

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """A whole answer."""
        status, headers = await self.head()
        body = await self.body(headers)
        return status, {name.lower(): value for name, value in headers}, body

    async def ask(self, method: str, target: str, *headers: str, body=b"", user="alice"):
        """Send a request, and take its answer."""
        self.send(method, target, *headers, body=body, user=user)
        return await self.answer()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """A new connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
