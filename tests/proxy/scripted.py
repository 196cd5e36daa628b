"""An API server that answers as a script says, byte by byte, and remembers what it was asked."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

STATUS = b'{"kind":"Status","apiVersion":"v1","code":%d,"message":"scripted"}'


@dataclass
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    connection: int = 0

    def values(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for each, value in self.headers if each.lower() == name.lower()]

    @property
    def names(self) -> set[str]:
        """The names of all headers, in small letters."""
        return {each.lower() for each, _ in self.headers}


@dataclass
class Wire:
    """The connection that a script answers on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """End with a reset."""
        known = self.writer.get_extra_info("socket")
        known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Asked, Wire], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"{}", *headers: str) -> bytes:
    """A whole answer."""
    lines = [
        f"HTTP/1.1 {status} Scripted",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(*pieces: bytes, then: str = "") -> Script:
    """A script that says the same to everybody; then it closes, resets, or takes the next one."""

    async def script(asked: Asked, wire: Wire) -> None:
        for each in pieces:
            await wire.say(each)
        if then == "reset":
            await asyncio.sleep(0.02)
            wire.reset()
        elif then == "close":
            wire.writer.close()

    return script


@dataclass
class Scripted:
    """The server."""

    tls: ssl.SSLContext | None = None
    script: Script = field(default_factory=lambda: saying(answer()))
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    errors: list[BaseException] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; after ``stop`` on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone, as a killed process."""
        assert self._server is not None
        self._server.close()
        for each in list(self.open):
            each.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self.open.add(writer)
        try:
            while not writer.is_closing():
                asked = await _read(reader)
                asked.connection = number
                self.asked.append(asked)
                await self.script(asked, Wire(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.errors.append(error)
        finally:
            self.open.discard(writer)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, version = first.split(" ")
    assert version == "HTTP/1.1"
    headers = []
    for line in lines:
        name, _, value = line.partition(": ")
        assert name == name.strip()
        headers.append((name, value))
    asked = Asked(method, target, headers)
    lengths, codings = asked.values("content-length"), asked.values("transfer-encoding")
    assert len(lengths) + len(codings) <= 1, head
    if lengths:
        asked.body = await reader.readexactly(int(lengths[0]))
    elif codings:
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            asked.body += await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
        assert await reader.readexactly(2) == b"\r\n", "there are trailers"
    return asked


@asynccontextmanager
async def scripted(
    script: Script | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Scripted]:
    """A server for the length of a block."""
    server = Scripted(tls)
    if script is not None:
        server.script = script
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        assert server.errors == []
