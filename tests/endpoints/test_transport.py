"""Connections below the protocol: who is gone is noticed, and who takes nothing is dropped."""

import asyncio
import socket

from llmos.endpoints.listener import bind
from llmos.endpoints.transport import Patience


def test_silent_connections_are_looked_after():
    """The kernel asks whether a client is still there: a tunnel may say nothing for hours."""
    with bind("127.0.0.1", 0) as listening, socket.socket() as client:
        listening.listen()
        listening.setblocking(True)
        client.connect(listening.getsockname())
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30


class Buffer:
    """A transport with so many bytes that nobody takes."""

    def __init__(self):
        self.size = 100

    def get_write_buffer_size(self):
        return self.size


def waited(*, takes: int, rests: bool = False) -> bool:
    """Whether a client was dropped who takes so much at a time, in the time of a few patiences."""

    async def scenario():
        dropped = []
        buffer = Buffer()
        patience = Patience(0.03, lambda: dropped.append(True))
        patience.wait(buffer)
        for _ in range(8):
            await asyncio.sleep(0.01)
            buffer.size -= takes
        if rests:
            patience.rest()
            await asyncio.sleep(0.05)
        return bool(dropped)

    return asyncio.run(scenario())


def test_who_takes_nothing_is_dropped():
    """And who takes a little is not."""
    assert waited(takes=0)
    assert not waited(takes=1)


def test_who_took_everything_is_left_alone():
    """However little he takes after that: there is nothing."""
    assert not waited(takes=1, rests=True)
