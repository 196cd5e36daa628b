"""uvicorn's HTTP/1.1 protocol with the bounds that a server in the open needs.

Adds: a deadline for the whole request, a limit on the size of its head, Status bodies for what
cannot be parsed, and for streams a way to write to the transport without a task switch a chunk.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from llmos.endpoints.audit import audit
from llmos.endpoints.fastlane import Heads, start, whole_head
from llmos.endpoints.http import Request, Response, StreamResponse, UpgradeResponse
from llmos.endpoints.pipeline import Pipeline, response_bytes, run_stream, stream_head
from llmos.endpoints.refusals import BAD_REQUEST, HEAD_TOO_LARGE, TOO_SLOW
from llmos.endpoints.responses import unexpected_error_response
from llmos.endpoints.transport import Follower, Patience, RawConnection, TransportStream, reset

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
LAST_WORDS_SECONDS = 30.0
"""How long a client may take to take the rest of what came in another protocol."""


_LOG = logging.getLogger("llmos.server")


def _may_end(data: bytes, room: int) -> bool:
    """Whether a head may end in the first bytes of a read, which may begin amid its end."""
    return data.find(b"\r\n\r\n", 0, room) >= 0 or data.startswith((b"\n", b"\r\n"))


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    heads: ClassVar[Heads] = Heads()
    """What heads mean, for all connections: it depends on nothing else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost = False
        self.wakened = asyncio.Event()
        self.socket: Follower | None = None
        """What takes the bytes once the connection is no longer HTTP."""
        self.on_leave: Callable[[], None] | None = None
        """Who besides hears that the client has left."""
        self.long_body = False
        """Whether the present body may take as long as it goes on coming."""
        self._answering: RequestResponseCycle | None = None
        """The request that is being answered; ``cycle`` is the latest that was read."""
        self._moved_at = 0.0
        """When something last came in."""
        self.patience = Patience(STALL_SECONDS, self.drop)
        """How long the client may leave the present answer lying."""
        self._upgrading = False
        """What follows is meant for another protocol, if it is granted; it waits in ``_held``."""
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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Start the clock: an idle new connection is closed as a slow request is."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the streams."""
        self._disarm()
        self.patience.rest()
        self.lost = True
        self.wakened.set()
        super().connection_lost(exc)
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        if isinstance(self.socket, RawConnection):
            self.socket.taker.lost()
        if self.on_leave is not None:
            self.on_leave()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn answers nothing
        """Close, as HTTP does; other protocols may go on in the other direction."""
        if isinstance(self.socket, RawConnection):
            self.socket.taker.eof()
            # TLS ends both ways at once.
            return self.transport.can_write_eof()
        return False

    def data_received(self, data: bytes) -> None:
        """Feed the parser, within bounds."""
        if self.socket is not None:
            self.socket.receive(data)
            return
        if self._busy or self._upgrading:
            self._held += data
            self.transport.pause_reading()
            return
        if self._in_head and not self._head_size and self._take_fast_lane(data):
            return
        if self._in_head:
            self._candidate = None if self._head_size else whole_head(data)
            self._head_size += len(data)
            if self._deadline is None:
                self._arm()
            # A body may follow in the same read: what is over the limit is judged without it.
            room = max(MAX_HEAD + len(data) - self._head_size, 0)
            if self._head_size > MAX_HEAD and not _may_end(data, room):
                self._refuse(HEAD_TOO_LARGE)
                return
        else:
            self._moved_at = self.loop.time()
        self._parse(data)
        if self._in_head and self._head_size > MAX_HEAD and not self.transport.is_closing():
            self._refuse(HEAD_TOO_LARGE)

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._held = bytes(data[upgrade.args[0] :])
        except HttpParserError:
            self._refuse(BAD_REQUEST)

    def pause_writing(self) -> None:
        """Let the work wait for a client that does not take its answers, but not for ever."""
        super().pause_writing()
        self.patience.wait(self.transport)
        if isinstance(self.socket, RawConnection):
            self.socket.taker.writable(False)

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        super().resume_writing()
        self.patience.rest()
        if isinstance(self.socket, RawConnection) and not self.lost:
            self.socket.taker.writable(True)

    def drop(self) -> None:
        """Drop the connection with a reset: nobody takes what he has for the whole."""
        for cycle in (self._answering, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
        if not self.lost:
            reset(self.transport)
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
        request.connection = TransportStream(self)
        began = self._used_at = self.loop.time()

        def done(response: Response | StreamResponse | UpgradeResponse) -> None:
            if isinstance(response, StreamResponse):
                self._keep(self.loop.create_task(self._stream(request, response, began)))
                return
            # Whoever wants another protocol comes the long way.
            assert isinstance(response, Response)
            self._finish(request, response, began)

        def failed(error: BaseException) -> None:
            _LOG.error("a request failed: %s", request.method, exc_info=error)
            self._finish(request, unexpected_error_response(), began)

        pipeline: Pipeline = self.app
        task = start(pipeline.answer(request), done, failed)
        if task is not None:
            self._keep(task)
        return True

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _in_cycle(self) -> bool:
        """Whether a request that went the long way is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _finish(self, request: Request, response: Response, began: float) -> None:
        if not self.lost:
            self.transport.write(response_bytes(request, response))
        self._go_on()
        audit(request, response.status, self.loop.time() - began)

    async def _stream(self, request: Request, response: StreamResponse, began: float) -> None:
        await self.flow.drain()
        if not self.lost:
            self.transport.write(stream_head(request, response))
        assert request.connection is not None
        try:
            whole = await run_stream(response, request.connection)
        except Exception:  # noqa: BLE001 - nobody else would hear of it
            _LOG.exception("a stream failed: %s", request.method)
            whole = False
            self.drop()
        if whole and response.length is None and not self.lost:
            self.transport.write(b"0\r\n\r\n")
        self._go_on()
        audit(request, response.status, self.loop.time() - began)

    def _go_on(self) -> None:
        """Take what came meanwhile, or wait for more."""
        self._busy = False
        self._forget()
        if self.lost:
            return
        self._used_at = self.loop.time()
        self.server_state.total_requests += 1
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

    def _forget(self) -> None:
        """What held for one answer does not hold for the next."""
        self.on_leave = None
        self.patience.seconds = STALL_SECONDS
        self.long_body = False
        self._upgrading = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """Give the scope its stream."""
        super().on_message_begin()
        self.scope["extensions"] = {"llmos": TransportStream(self)}  # type: ignore[dict-item]  # objects

    def on_url(self, url: bytes) -> None:
        """Refuse a fragment, which is no part of a request target (RFC 9112, 3.2).

        Raises:
            ValueError: there is one; the parser makes its own error of it.
        """
        if b"#" in url:
            raise ValueError("a fragment in the request target")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the headers; what follows a body claims to be one and comes too late."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Count the body apart from the head."""
        self._in_head = False
        self._moved_at = self.loop.time()
        super().on_headers_complete()
        if self._candidate is not None:
            self.heads.remember(self._candidate, self.scope)  # type: ignore[arg-type]  # a dict
        if self.parser.should_upgrade():
            # The parser reads nothing behind such a request, whether it is granted or not.
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The request is whole: the deadline is met."""
        self._in_head = True
        self._head_size = 0
        self._disarm()
        self._upgrading = self.parser.should_upgrade()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Bound the goodbye where the connection ends with this response."""
        self._forget()
        super().on_response_complete()
        self._bound_goodbye()

    def go_over(self, head: bytes, follower: Follower) -> None:
        """Answer with ``head``; what came behind the request and what comes is the follower's."""
        self.socket = follower
        self.cycle.response_started = True
        if self.lost or self.transport.is_closing():
            return
        self.transport.write(head)
        if self._held:
            held, self._held = self._held, b""
            follower.receive(held)
            self.transport.resume_reading()

    def count_no_more(self) -> None:
        """The stream counts its bytes itself."""
        if not self._busy and self._answering is not None:
            self._answering.expected_content_length = 0

    def hang_up(self) -> None:
        """Close a connection that is no longer HTTP."""
        self.cycle.response_complete = True
        self.on_leave = None
        if isinstance(self.socket, RawConnection):
            self.transport.close()
            self.loop.call_later(LAST_WORDS_SECONDS, self.transport.abort)
        else:
            self.shutdown()

    def shutdown(self) -> None:
        """Close the connection unless a request is being answered, however deaf its client is."""
        if self._busy:
            self._stopping = True
            return
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(FAREWELL_SECONDS, self.transport.abort)

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
        if self.long_body and not self._in_head and self._moves():
            self._arm()
        elif self._is_amid_an_answer():
            # Nothing can be said to this request without being taken for a part of another answer.
            self.drop()
        elif self._head_size:
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()

    def _moves(self) -> bool:
        """Whether the body comes in, or is kept waiting by us."""
        return self.flow.read_paused or self.loop.time() - self._moved_at < REQUEST_DEADLINE

    def _is_amid_an_answer(self) -> bool:
        answering = self._answering
        if answering is None or answering.response_complete:
            return False
        return answering.response_started or answering is not self.cycle
