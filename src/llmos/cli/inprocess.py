"""The way of the controllers to the server they run beside: HTTP without the wire.

Their requests pass the same filters and handlers under their own token; what is left out is
sockets, TLS and parsing, which would cost more than all else a controller does with an event.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from llmos.endpoints.http import Request, Response, StreamResponse, UpgradeResponse
from llmos.endpoints.pipeline import Pipeline, response_headers

MAX_BUFFERED = 64 * 1024 * 1024
"""Bytes that a controller may be behind before its watch ends and it lists again."""


class EventStream(httpx.AsyncByteStream):
    """The lines of a watch, from the handler that writes them to the client that reads them."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._filled = asyncio.Event()
        self._wakened = asyncio.Event()
        self.buffered = 0
        self.gone = False
        self.running: asyncio.Future[None] | None = None

    # What the handler sees

    def write(self, chunk: bytes) -> None:
        """Queue one chunk; dropped when the client is gone."""
        if self.gone:
            return
        self._chunks.append(chunk)
        self.buffered += len(chunk)
        self._filled.set()
        if self.buffered > MAX_BUFFERED:
            self.abort()

    def abort(self) -> None:
        """End the stream, whatever is still to be read."""
        self.gone = True
        self._chunks.clear()
        self._filled.set()
        self._wakened.set()

    def wake(self) -> None:
        """End ``wait`` early."""
        self._wakened.set()

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds; less if the client leaves or somebody calls ``wake``."""
        try:
            async with asyncio.timeout(seconds):
                await self._wakened.wait()
        except TimeoutError:
            return
        self._wakened.clear()

    # What the client sees

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Everything that was written, as it comes."""
        while True:
            while self._chunks:
                chunks, self._chunks = self._chunks, []
                self.buffered = 0
                yield b"".join(chunks)
            if self.gone or self.running is None or self.running.done():
                return
            self._filled.clear()
            await self._filled.wait()

    async def aclose(self) -> None:
        """The client has read enough."""
        self.abort()

    def run(self, response: StreamResponse) -> None:
        """Let the handler write until it has nothing more to say."""
        self.running = asyncio.ensure_future(response.run(self))
        self.running.add_done_callback(lambda _: self._filled.set())


class InProcessTransport(httpx.AsyncBaseTransport):
    """Hands requests to the application of this process."""

    def __init__(self, app: Pipeline) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        body = await request.aread()
        asked = Request(_scope(request), _body(body))
        answer = await self._app.answer(asked)
        # Nobody upgrades where there is no connection.
        assert not isinstance(answer, UpgradeResponse)
        headers = response_headers(asked, answer)
        if isinstance(answer, Response):
            return httpx.Response(answer.status, headers=headers, content=answer.body)
        stream = EventStream()
        stream.run(answer)
        return httpx.Response(answer.status, headers=headers, stream=stream)


def _scope(request: httpx.Request) -> Mapping[str, Any]:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "method": request.method,
        "raw_path": raw_path,
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": None,
    }


def _body(body: bytes) -> Any:
    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
