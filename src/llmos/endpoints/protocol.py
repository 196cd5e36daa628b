"""uvicorn's HTTP/1.1 protocol with the bounds that a server in the open needs.

Adds: a deadline for the whole request, a limit on the size of its head, Status bodies for what
cannot be parsed, and for streams a way to write to the transport without a task switch a chunk.
"""

import asyncio
import logging
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from llmos.endpoints.audit import audit
from llmos.endpoints.fastlane import HEAD_END, Heads, start
from llmos.endpoints.fastlane import MAX_HEAD as MAX_KNOWN_HEAD
from llmos.endpoints.http import Request, Response
from llmos.endpoints.pipeline import Pipeline, response_bytes
from llmos.endpoints.responses import unexpected_error_response
from llmos.endpoints.websockets import WebSocket

MAX_HEAD = 64 * 1024
"""Bytes of request line and headers together."""
STALL_SECONDS = 20.0
"""How long a client may leave all of its answers lying."""
REQUEST_DEADLINE = 12.0
"""Seconds from the first byte of a request to its last."""
FAREWELL_SECONDS = 2.0
"""How long a client may take to take the rest and to answer that the connection closes."""
GOODBYE_SECONDS = 0.5
"""How long a closed connection waits for the client's part of the TLS goodbye."""


def _refusal(code: int, phrase: str, reason: str) -> bytes:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": phrase,
        "reason": reason,
        "code": code,
    }
    body = orjson.dumps(status)
    head = (
        f"HTTP/1.1 {code} {phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def _whole_head(data: bytes) -> bytes | None:
    end = data.find(HEAD_END, 0, MAX_KNOWN_HEAD)
    return None if end < 0 else bytes(data[: end + len(HEAD_END)])


_LOG = logging.getLogger("llmos.server")
_BAD_REQUEST = _refusal(400, "Bad Request", "BadRequest")
_HEAD_TOO_LARGE = _refusal(431, "Request Header Fields Too Large", "BadRequest")
_TOO_SLOW = _refusal(408, "Request Timeout", "Timeout")


def _may_end(data: bytes, room: int) -> bool:
    """Whether a head may end in the first bytes of a read, which may begin amid its end."""
    return data.find(b"\r\n\r\n", 0, room) >= 0 or data.startswith((b"\n", b"\r\n"))


class TransportStream:
    """Writes the chunks of a streaming response straight to the connection."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: "BoundedProtocol") -> None:
        self._protocol = protocol

    def write(self, chunk: bytes) -> None:
        """Send one chunk in chunked encoding (RFC 9112, 7.1)."""
        if not self.gone:
            self._protocol.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    @property
    def buffered(self) -> int:
        """Bytes that the client has not taken yet."""
        return 0 if self.gone else self._protocol.transport.get_write_buffer_size()

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        return self._protocol.lost or self._protocol.transport.is_closing()

    def abort(self) -> None:
        """Drop the connection, whatever is still to be sent."""
        self._protocol.transport.abort()

    def wake(self) -> None:
        """End ``wait`` early."""
        self._protocol.wakened.set()

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds; less if the client leaves or somebody calls ``wake``."""
        wakened = self._protocol.wakened
        try:
            async with asyncio.timeout(seconds):
                await wakened.wait()
        except TimeoutError:
            return
        wakened.clear()

    def upgrade(self, head: bytes) -> WebSocket:
        """Answer with ``head`` and go on as a WebSocket."""
        protocol = self._protocol
        protocol.socket = WebSocket(self, protocol.transport.write, protocol.hang_up)
        protocol.cycle.response_started = True
        if not self.gone:
            protocol.transport.write(head)
        return protocol.socket


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    heads: ClassVar[Heads] = Heads()
    """What heads mean, for all connections: it depends on nothing else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost = False
        self.wakened = asyncio.Event()
        self.socket: WebSocket | None = None
        """What takes the bytes once the connection is no longer HTTP."""
        self._head_size = 0
        self._in_head = True
        self._deadline: asyncio.TimerHandle | None = None
        self._candidate: bytes | None = None
        """The head that is being read, if it came in one piece."""
        self._busy = False
        """A request of the fast lane is being answered; what follows it waits in ``_held``."""
        self._held = b""
        self._used_at = 0.0
        self._stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: an idle new connection is closed as a slow request is."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the streams."""
        self._disarm()
        self.lost = True
        self.wakened.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, within bounds."""
        if self.socket is not None:
            self.socket.receive(data)
            return
        if self._busy:
            self._held += data
            self.transport.pause_reading()
            return
        if self._in_head and not self._head_size and self._take_fast_lane(data):
            return
        if self._in_head:
            self._candidate = None if self._head_size else _whole_head(data)
            self._head_size += len(data)
            if self._deadline is None:
                self._arm()
            # A body may follow in the same read: what is over the limit is judged without it.
            room = max(MAX_HEAD + len(data) - self._head_size, 0)
            if self._head_size > MAX_HEAD and not _may_end(data, room):
                self._refuse(_HEAD_TOO_LARGE)
                return
        super().data_received(data)
        if self._in_head and self._head_size > MAX_HEAD and not self.transport.is_closing():
            self._refuse(_HEAD_TOO_LARGE)

    def pause_writing(self) -> None:
        """Let the work wait for a client that does not take its answers, but not for ever."""
        super().pause_writing()
        self._bound_stall()

    def _bound_stall(self) -> None:
        left = self.transport.get_write_buffer_size()
        self.loop.call_later(STALL_SECONDS, self._drop_stalled, left)

    def _drop_stalled(self, left: int) -> None:
        if self.lost or not self.flow.write_paused:
            return
        if self.transport.get_write_buffer_size() < left:
            self._bound_stall()
        else:
            self.transport.abort()

    # The fast lane

    def _take_fast_lane(self, data: bytes) -> bool:
        """Answer a request whose head is known, without the parser; False: it is none."""
        if self._in_cycle() or self.flow.write_paused:
            # A client that does not take its answers gets no more this way: the long one waits.
            return False
        request = self.heads.find(data)
        if request is None:
            return False
        self._disarm()
        self._busy = True
        began = self._used_at = self.loop.time()

        def done(response: Response) -> None:
            self._finish(request, response, began)

        def failed(error: BaseException) -> None:
            _LOG.error("a request failed: %s", request.method, exc_info=error)
            self._finish(request, unexpected_error_response(), began)

        pipeline: Pipeline = self.app
        task = start(pipeline.answer(request), done, failed)
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return True

    def _in_cycle(self) -> bool:
        """Whether a request that went the long way is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _finish(self, request: Request, response: Response, began: float) -> None:
        self._busy = False
        if not self.lost:
            self.transport.write(response_bytes(request, response))
            self.server_state.total_requests += 1
            self._go_on()
        audit(request, response.status, self.loop.time() - began)

    def _go_on(self) -> None:
        """Take what came meanwhile, or wait for more."""
        if self._stopping:
            self.transport.close()
            return
        if self._held:
            held, self._held = self._held, b""
            self.transport.resume_reading()
            self.data_received(held)
        elif self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has been idle; the timer runs on over fast requests."""
        idle = self.loop.time() - self._used_at
        if self._busy or idle < self.timeout_keep_alive:
            self.timeout_keep_alive_task = self.loop.call_later(
                max(self.timeout_keep_alive - idle, 1.0), self.timeout_keep_alive_handler
            )
            return
        super().timeout_keep_alive_handler()

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """Give the scope its stream."""
        super().on_message_begin()
        self.scope["extensions"] = {"llmos": TransportStream(self)}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        """Count the body apart from the head."""
        self._in_head = False
        super().on_headers_complete()
        if self._candidate is not None:
            self.heads.remember(self._candidate, self.scope)  # type: ignore[arg-type]
        if self.parser.should_upgrade():
            # The parser reads nothing behind such a request, whether it is granted or not.
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The request is whole: the deadline is met."""
        self._in_head = True
        self._head_size = 0
        self._disarm()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed with a Status."""
        del msg
        self._refuse(_BAD_REQUEST)

    def on_response_complete(self) -> None:
        """Bound the goodbye where the connection ends with this response."""
        super().on_response_complete()
        self._bound_goodbye()

    def hang_up(self) -> None:
        """Close a connection that is no longer HTTP."""
        self.cycle.response_complete = True
        self.shutdown()

    def shutdown(self) -> None:
        """Close the connection unless a request is being answered, however deaf its client is."""
        if self._busy:
            self._stopping = True
            return
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(FAREWELL_SECONDS, self.transport.abort)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing of an upgrade: the application decides about it."""

    def _bound_goodbye(self) -> None:
        if self.transport.is_closing():
            self.loop.call_later(GOODBYE_SECONDS, self._drop)

    def _drop(self) -> None:
        if not self.lost and not self.transport.get_write_buffer_size():
            self.transport.abort()

    def _refuse(self, answer: bytes) -> None:
        self._disarm()
        self.transport.write(answer)
        self.transport.close()

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(REQUEST_DEADLINE, self._late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._head_size:
            self._refuse(_TOO_SLOW)
        else:
            self.transport.close()
