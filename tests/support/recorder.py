"""Stands between the proxy and the cluster: passes every byte on, writes down what was asked.

It can also be the cluster on a bad day: refuse, hang, delay, cut, or answer something else.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from support.upstreamlog import Sent, UpstreamLog

_CHUNK = 65536
_HEAD = 1 << 20


@dataclass(frozen=True)
class Trouble:
    """What happens to requests that match; what is not said stays as it is."""

    matches: Callable[[Sent], bool] = lambda _: True
    answer: bytes | None = None
    """These bytes instead of the cluster's answer."""
    then_close: bool = True
    """Whether the connection ends after ``answer``."""
    delay: float = 0
    """Seconds before the request is passed on."""
    hang: bool = False
    """No answer, ever."""
    cut_after: int | None = None
    """The answer ends after so many bytes, by a reset."""


@dataclass
class Recorder:
    """A TLS listener in a thread of its own."""

    upstream: str
    directory: Path
    """Where ``ca.crt`` and the certificate of loopback are."""
    log: UpstreamLog = field(default_factory=UpstreamLog)
    troubles: list[Trouble] = field(default_factory=list)
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where the proxy is to believe that the cluster is."""
        return f"https://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["Recorder"]:
        """Listen for the length of a block."""
        thread = threading.Thread(target=self._loop.run_forever, name="recorder")
        thread.start()
        try:
            self.listen()
            yield self
            self.stop()
        finally:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    def listen(self) -> None:
        """Be there, at the same place as before."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Be gone: connections are refused, and those that are open reset."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    def cut(self) -> None:
        """Reset what is open, and go on listening."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """The cluster cannot be reached in the block."""
        self.stop()
        try:
            yield
        finally:
            self.listen()

    @contextmanager
    def trouble(self, trouble: Trouble) -> Iterator[None]:
        """Requests that come in the block and match have it."""
        self.troubles.insert(0, trouble)
        try:
            yield
        finally:
            self.troubles.remove(trouble)

    # In the thread

    async def _listen(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "tls.crt", self.directory / "tls.key")
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=context, limit=_HEAD, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        for each in list(self._open):
            each.transport.abort()
        await asyncio.sleep(0)

    async def _end(self) -> None:
        await self._stop()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
                await _Way(self, reader, writer).run()
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the cluster."""
        context = ssl.create_default_context(cafile=str(self.directory / "ca.crt"))
        parts = urlsplit(self.upstream)
        return await asyncio.open_connection(parts.hostname, parts.port, ssl=context, limit=_HEAD)

    def trouble_of(self, request: Sent) -> Trouble | None:
        """What is to happen to a request."""
        return next((each for each in self.troubles if each.matches(request)), None)


class _Way:
    """One connection of the proxy, and the one that stands for it at the cluster."""

    def __init__(
        self, recorder: Recorder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._recorder = recorder
        self._reader, self._writer = reader, writer
        self._there: asyncio.StreamWriter | None = None
        self._answers: asyncio.Task[None] | None = None
        self._left: int | None = None
        """Bytes until the answer is cut."""
        self._status: asyncio.Future[bytes] | None = None
        """Set with the first line of the next answer, where somebody waits for it."""

    async def run(self) -> None:
        """Pass on request after request until either side ends."""
        try:
            while await self._one():
                pass
        finally:
            if self._answers is not None:
                self._answers.cancel()
            if self._there is not None:
                self._there.transport.abort()

    async def _one(self) -> bool:
        head = await self._reader.readuntil(b"\r\n\r\n")
        request = _parse(head)
        trouble = self._recorder.trouble_of(request)
        self._recorder.log.add(request)
        if trouble is not None:
            await asyncio.sleep(trouble.delay)
            self._left = trouble.cut_after
        passed = trouble is None or (trouble.answer is None and not trouble.hang)
        there = await self._open() if passed else None
        upgrade = bool(request.all("upgrade"))
        if there is not None:
            self._status = asyncio.get_running_loop().create_future() if upgrade else None
            there.write(head)
        await self._pass_body(request, there)
        self._recorder.log.ended(request)
        if there is None:
            assert trouble is not None
            return await self._answer(trouble)
        if self._status is not None and b" 101 " in await self._status:
            await self._pass_all(there)
            return False
        return True

    async def _answer(self, trouble: Trouble) -> bool:
        if trouble.answer is None:
            await self._reader.read(1)  # until the proxy gives up
            return False
        self._writer.write(trouble.answer)
        await self._writer.drain()
        if trouble.then_close:
            self._writer.close()
            await self._writer.wait_closed()
        return not trouble.then_close

    async def _open(self) -> asyncio.StreamWriter:
        if self._there is None:
            reader, self._there = await self._recorder.connect()
            self._answers = asyncio.create_task(self._pass_answers(reader))
        return self._there

    async def _pass_answers(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, ssl.SSLError):
            while data := await reader.read(_CHUNK):
                if self._status is not None and not self._status.done():
                    self._status.set_result(data.partition(b"\r\n")[0])
                if self._left is not None:
                    data, self._left = data[: self._left], self._left - len(data)
                self._writer.write(data)
                await self._writer.drain()
                if self._left is not None and self._left <= 0:
                    break
        if self._status is not None and not self._status.done():
            self._status.set_result(b"")
        if self._left is None:
            with suppress(OSError, ssl.SSLError):
                self._writer.close()
        else:
            self._writer.transport.abort()

    async def _pass_body(self, request: Sent, there: asyncio.StreamWriter | None) -> None:
        if request.all("transfer-encoding"):
            await self._pass_chunks(request, there)
            return
        left = int((request.all("content-length") or ["0"])[0])
        while left:
            data = await self._reader.read(min(left, _CHUNK))
            if not data:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(data)
            request.body.extend(data)
            await _write(there, data)

    async def _pass_chunks(self, request: Sent, there: asyncio.StreamWriter | None) -> None:
        while True:
            line = await self._reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            if not size:
                break
            data = await self._reader.readexactly(size + 2)
            request.body.extend(data[:-2])
            await _write(there, line + data)
        end = line
        while (line := await self._reader.readuntil(b"\r\n")) != b"\r\n":
            request.trailers.append(_pair(line))
            end += line
        await _write(there, end + line)

    async def _pass_all(self, there: asyncio.StreamWriter) -> None:
        while data := await self._reader.read(_CHUNK):
            await _write(there, data)
        if there.can_write_eof():
            there.write_eof()


async def _write(there: asyncio.StreamWriter | None, data: bytes) -> None:
    if there is not None:
        there.write(data)
        await there.drain()


def _parse(head: bytes) -> Sent:
    first, *lines = head[:-4].split(b"\r\n")
    method, target, _ = first.decode("latin-1").split(" ", 2)
    return Sent(method, target, [_pair(line) for line in lines])


def _pair(line: bytes) -> tuple[str, str]:
    name, _, value = line.strip(b"\r\n").partition(b":")
    return name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")
