"""What a connection is to the handler of a request: where a stream is written, what may follow it.

Chunks go to the transport without a task switch each; how far the client is behind can be asked,
waited for, and passed on to whoever makes the chunks.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from llmos.apimachinery.lazy import LazyModule
from llmos.endpoints.http import Taker

if TYPE_CHECKING:
    from llmos.endpoints import websockets
    from llmos.endpoints.protocol import BoundedProtocol
else:
    websockets = LazyModule("llmos.endpoints.websockets")

_RESET = struct.pack("ii", 1, 0)
"""``SO_LINGER``: on, for no time. Such a connection ends with a reset, not as if all were said."""


class Follower(Protocol):
    """What takes the bytes of a connection that is no longer HTTP."""

    def receive(self, data: bytes) -> None:
        """Take what the client sends."""


class TransportStream:
    """The connection of one request."""

    __slots__ = ("_left", "_protocol")

    def __init__(self, protocol: "BoundedProtocol") -> None:
        self._protocol = protocol
        self._left: int | None = None
        """Bytes still to be written of a stream whose length is known; None: it is chunked."""

    def begin(self, length: int | None, stall_seconds: float | None) -> None:
        """Say how the stream is written; its head is written already."""
        self._left = length
        if stall_seconds is not None:
            self._protocol.patience.seconds = stall_seconds
        if length is not None:
            self._protocol.count_no_more()

    def write(self, chunk: bytes) -> None:
        """Send one chunk, in chunked encoding (RFC 9112, 7.1) where the length is not known."""
        if self.gone or not chunk:
            return
        if self._left is None:
            self._protocol.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            return
        if len(chunk) > self._left:
            self.abort()
            return
        self._left -= len(chunk)
        self._protocol.transport.write(chunk)

    @property
    def whole(self) -> bool:
        """Whether as many bytes were written as were announced, if any were."""
        return not self._left

    @property
    def buffered(self) -> int:
        """Bytes that the client has not taken yet."""
        return 0 if self.gone else self._protocol.transport.get_write_buffer_size()

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        return self._protocol.lost or self._protocol.transport.is_closing()

    def abort(self) -> None:
        """Drop the connection with a reset, whatever is still to be sent."""
        self._protocol.drop()

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

    async def drain(self) -> None:
        """Wait until the client has taken most of what was written, or is gone."""
        await self._protocol.flow.drain()

    def on_leave(self, callback: Callable[[], None] | None) -> None:
        """Call this, and nothing else, when the client leaves."""
        self._protocol.on_leave = callback
        if callback is not None and self._protocol.lost:
            callback()

    def allow_long_body(self) -> None:
        """Let the body come in for as long as it goes on coming."""
        self._protocol.long_body = True

    def upgrade(self, head: bytes) -> "websockets.WebSocket":
        """Answer with ``head`` and go on as a WebSocket."""
        protocol = self._protocol
        made = websockets.WebSocket(self, protocol.transport.write, protocol.hang_up)
        protocol.go_over(head, made)
        return made

    def take_over(self, head: bytes, taker: Taker) -> "RawConnection":
        """Answer with ``head`` and go on in another protocol."""
        made = RawConnection(self._protocol, taker)
        self._protocol.go_over(head, made)
        return made


class Patience:
    """Drops a client that takes nothing of what lies ready for him.

    Args:
        seconds: how long he may take none of it.
        drop: called when he did.
    """

    __slots__ = ("_drop", "_timer", "seconds")

    def __init__(self, seconds: float, drop: Callable[[], None]) -> None:
        self.seconds = seconds
        self._drop = drop
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, transport: asyncio.Transport) -> None:
        """Begin to wait: much lies ready."""
        self.rest()
        loop = asyncio.get_running_loop()
        left = transport.get_write_buffer_size()
        self._timer = loop.call_later(self.seconds, self._look, transport, left)

    def rest(self) -> None:
        """Wait no longer: he took it, or is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, transport: asyncio.Transport, left: int) -> None:
        if transport.get_write_buffer_size() < left:
            self.wait(transport)
        else:
            self._drop()


class RawConnection:
    """A connection that is no longer HTTP: bytes both ways."""

    __slots__ = ("_protocol", "taker")

    def __init__(self, protocol: "BoundedProtocol", taker: Taker) -> None:
        self._protocol = protocol
        self.taker = taker

    def receive(self, data: bytes) -> None:
        """Take what the client sends."""
        self.taker.receive(data)

    def write(self, data: bytes) -> None:
        """Queue bytes for the client."""
        if not self._protocol.lost:
            self._protocol.transport.write(data)

    def pause(self) -> None:
        """Take in nothing more for a while."""
        self._protocol.flow.pause_reading()

    def resume(self) -> None:
        """Take in again."""
        if not self._protocol.lost:
            self._protocol.flow.resume_reading()

    def write_eof(self) -> bool:
        """Say that nothing more is written; False: TLS cannot say it and go on."""
        transport = self._protocol.transport
        if not transport.can_write_eof():
            return False
        if not transport.is_closing():
            transport.write_eof()
        return True

    def close(self) -> None:
        """Close once everything is written."""
        self._protocol.hang_up()

    def abort(self) -> None:
        """Drop the connection with a reset."""
        self._protocol.drop()


def reset(transport: asyncio.BaseTransport) -> None:
    """Have a connection end with a reset when it is dropped, so that nobody takes it for an end."""
    known: socket.socket | None = transport.get_extra_info("socket")
    if known is not None and known.fileno() >= 0:
        known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def keep_alive(known: socket.socket) -> None:
    """Have the kernel ask now and then whether the other end is still there, on silent streams."""
    known.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            known.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
