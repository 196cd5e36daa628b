"""A stream as a WebSocket: one text frame a line (RFC 6455).

Outwards the frames are made here, for they are simple and many; what a client says goes through
wsproto. A watcher has nothing to say but pings and a close, so little is taken of him.
"""

from collections.abc import Callable
from contextlib import suppress

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from llmos.endpoints.http import Stream

MAX_RECEIVED = 64 * 1024
"""Bytes that a client may send in all: days of pings, and no flood of frames."""
MAX_UNREAD = 64 * 1024
"""A client this many bytes behind gets no answer to its pings."""
CLOSE_SECONDS = 2.0
"""How long a client may take to answer a close."""
_TEXT = b"\x81"
"""A whole message of text, the first byte of its frame."""


def text_frame(payload: bytes) -> bytes:
    """One message in one unmasked frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return b"%b%c%b" % (_TEXT, size, payload)
    if size < 1 << 16:
        return b"%b\x7e%b%b" % (_TEXT, size.to_bytes(2, "big"), payload)
    return b"%b\x7f%b%b" % (_TEXT, size.to_bytes(8, "big"), payload)


class WebSocket:
    """Writes each line as a message, and keeps to the protocol with the client.

    Args:
        stream: the connection below.
        send: writes bytes to it.
        hang_up: closes it.
    """

    __slots__ = ("_connection", "_hang_up", "_over", "_received", "_send", "_stream")

    def __init__(
        self, stream: Stream, send: Callable[[bytes], None], hang_up: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._send = send
        self._hang_up = hang_up
        self._connection = Connection(ConnectionType.SERVER)
        self._received = 0
        self._over = False

    def write(self, chunk: bytes) -> None:
        """Send the lines of a chunk."""
        if not self.gone:
            self._send(b"".join(text_frame(line) for line in chunk.split(b"\n") if line))

    @property
    def buffered(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._stream.buffered

    @property
    def gone(self) -> bool:
        """Whether the client has left, or said that it leaves."""
        return self._over or self._stream.gone

    def abort(self) -> None:
        """Drop the connection, whatever is still to be sent."""
        self._stream.abort()

    def wake(self) -> None:
        """End ``wait`` early."""
        self._stream.wake()

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds; less if the client leaves or somebody calls ``wake``."""
        await self._stream.wait(seconds)

    def receive(self, data: bytes) -> None:
        """Take what the client sends."""
        if self.gone:
            return
        self._received += len(data)
        if self._received > MAX_RECEIVED:
            self._end(CloseReason.MESSAGE_TOO_BIG)
            return
        self._connection.receive_data(data)
        for event in self._connection.events():
            self._take(event)

    async def close(self) -> None:
        """Say that nothing follows, and hang up once the client has heard it."""
        if not self.gone:
            self._say(CloseConnection(CloseReason.NORMAL_CLOSURE))
            await self._stream.wait(CLOSE_SECONDS)
            if not self._over:
                self._stream.abort()
        self._hang_up()

    def _take(self, event: Event) -> None:
        """Answer pings and the close; anything else means nothing, as on kube-apiserver."""
        if isinstance(event, Ping):
            # An answer to the latest of many pings will do (RFC 6455, 5.5.3).
            if self.buffered < MAX_UNREAD:
                self._say(event.response())
        elif isinstance(event, CloseConnection):
            # The client's own, or wsproto's word on what it does wrong.
            self._end(event.code)

    def _end(self, code: int) -> None:
        self._say(CloseConnection(code))
        self._over = True
        self._stream.wake()

    def _say(self, event: Event) -> None:
        with suppress(LocalProtocolError):
            self._send(self._connection.send(event))
