"""Connections that become another protocol: exec, attach and port-forward, and sockets behind it.

The request goes to the cluster on its own connection (``upgrading.py``). If the cluster answers
101, bytes go both ways as they come, each side no faster than the other takes them, until one side
ends, nothing was said for hours, or the rights end that opened it. Whatever comes after a change of
rights waits until they have been asked again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from llmos.endpoints.http import Connection, Duplex, Request, UpgradeResponse
from llmos.endpoints.streams import OpenStreams
from llmos.proxy.headers import returned_headers
from llmos.proxy.upgrading import BadAnswerError, UpstreamConnection

IDLE_SECONDS = 4 * 3600.0
"""How long both sides may say nothing: the kubelet's own figure."""
RECHECK_SECONDS = 2.0
"""How often an open tunnel asks whether it may go on, besides at every change of rights."""

StillAllowed = Callable[[Request], Awaitable[bool]]


@dataclass(slots=True)
class Half:
    """Carries what one side says to the other."""

    tunnel: "Tunnel"
    other: "Duplex | UpstreamConnection | None" = None
    ended: bool = False
    held: list[bytes] = field(default_factory=list)
    """What was said since rights changed: it waits until they were asked again."""
    full: bool = False
    """The other side takes no more for now."""

    def receive(self, data: bytes) -> None:
        """Pass it on, or keep it until it may be."""
        self.tunnel.moved_at = self.tunnel.time()
        if self.held or self.tunnel.has_to_ask:
            self.held.append(data)
            self.regulate()
            self.tunnel.wake()
        elif self.other is not None:
            self.other.write(data)

    def release(self) -> None:
        """Pass on what was kept."""
        held, self.held = self.held, []
        if not held or self.other is None:
            return
        self.other.write(b"".join(held))
        self.regulate()
        if self.ended:
            self._pass_end()

    def regulate(self) -> None:
        """Let its side say no more than is taken."""
        source = self.tunnel.reverse(self).other
        if source is None:
            return
        if self.full or self.held:
            source.pause()
        else:
            source.resume()

    def writable(self, yes: bool) -> None:
        """Hear whether its side takes more of what comes the other way."""
        reverse = self.tunnel.reverse(self)
        reverse.full = not yes
        reverse.regulate()

    def eof(self) -> None:
        """Pass it on; where that cannot be said alone, everything is over."""
        self.ended = True
        if not self.held:
            self._pass_end()

    def _pass_end(self) -> None:
        if self.other is None or not self.other.write_eof() or self.tunnel.both_ended:
            self.tunnel.end()

    def lost(self) -> None:
        """Nothing is left to be carried."""
        self.tunnel.end()


@dataclass(slots=True)
class Tunnel:
    """An upgraded request; ``run`` is its life."""

    upstream: UpstreamConnection
    request: Request
    still_allowed: StillAllowed
    open_streams: OpenStreams
    """Where it is found by whoever has news about rights."""
    heard: int
    """The version of rights under which it was last allowed."""
    moved_at: float = 0.0
    over: bool = False
    _connection: Connection | None = None
    _client: Duplex | None = None
    _from_client: Half = field(init=False)
    _from_upstream: Half = field(init=False)

    def __post_init__(self) -> None:
        self._from_client = Half(self, self.upstream)
        self._from_upstream = Half(self)

    @property
    def both_ended(self) -> bool:
        """Whether nobody says anything any more."""
        return all(
            each.ended and not each.held for each in (self._from_client, self._from_upstream)
        )

    @property
    def has_to_ask(self) -> bool:
        """Whether rights have changed since they were asked for."""
        return self.heard != self.open_streams.version

    def reverse(self, half: Half) -> Half:
        """The half that carries the other way: where it leads to, this one comes from."""
        return self._from_upstream if half is self._from_client else self._from_client

    @staticmethod
    def time() -> float:
        """Seconds that only grow."""
        return asyncio.get_running_loop().time()

    def end(self) -> None:
        """Both sides have said what they had to say, or one of them is gone."""
        self.over = True
        self.wake()

    def wake(self) -> None:
        """Have it looked after at once."""
        if self._connection is not None:
            self._connection.wake()

    async def run(self, connection: Connection, head: bytes) -> None:
        """Carry bytes until something ends it."""
        self._connection = connection
        client = connection.take_over(head, self._from_client)
        self._client = self._from_upstream.other = client
        self.moved_at = self.time()
        rest, self.upstream.rest = self.upstream.rest, b""
        self.upstream.taker = self._from_upstream
        self.open_streams.add(connection)
        try:
            if rest:
                self._from_upstream.receive(rest)
            self._from_upstream.regulate()
            while True:
                if not (self.over or connection.gone):
                    await connection.wait(RECHECK_SECONDS)
                if not await self._may_go_on():
                    client.abort()
                    self.upstream.abort()
                    return
                self._from_client.release()
                self._from_upstream.release()
                if self.over or connection.gone:
                    break
            client.close()
            self.upstream.close()
        finally:
            self.open_streams.discard(connection)
            if not self.over and not connection.gone:
                self.upstream.abort()

    async def _may_go_on(self) -> bool:
        if self.over and not (self._from_client.held or self._from_upstream.held):
            return True
        if self.time() - self.moved_at > IDLE_SECONDS:
            return False
        while True:
            self.heard = self.open_streams.version
            if not await self.still_allowed(self.request):
                return False
            if not self.has_to_ask:
                return True


def upgraded(connection: UpstreamConnection, protocol: bytes, tunnel: Tunnel) -> UpgradeResponse:
    """The 101 for the client.

    Raises:
        BadAnswerError: the cluster changed to another protocol than was asked for.
    """
    said = [value for name, value in connection.headers if name.lower() == b"upgrade"]
    if [each.lower() for each in said] != [protocol.lower()]:
        connection.abort()
        raise BadAnswerError("the answer changes to another protocol")
    headers = [(b"upgrade", said[0]), (b"connection", b"Upgrade")]
    return UpgradeResponse([*headers, *returned_headers(connection.headers)], tunnel.run)
