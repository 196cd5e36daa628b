"""The life of what serves: listening, work beside it, stopping."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from llmos.endpoints.listener import Listener
from llmos.endpoints.streams import OpenStreams

_LOG = logging.getLogger("llmos.server")


class Lifecycle:
    """Whether requests are taken, and why not."""

    def __init__(self) -> None:
        self.stopping = False
        self.starting = True

    @property
    def problem(self) -> str:
        """Why no traffic should come here; empty: it should."""
        if self.stopping:
            return "the server is stopping"
        return "the server is starting" if self.starting else ""

    def stop(self, streams: OpenStreams) -> None:
        """Take no more, and have the open streams end."""
        self.stopping = True
        for stream in streams:
            stream.wake()


def shown_host(host: str) -> str:
    """A host as clients on this machine write it into a URL."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


@asynccontextmanager
async def listening_on(listener: Listener, listening: socket.socket) -> AsyncIterator[None]:
    """Serve requests, and finish those that are being answered at the end."""
    task = asyncio.create_task(listener.serve(sockets=[listening]))
    await listener.wait_started()
    try:
        yield
    finally:
        listener.should_exit = True
        await task


@asynccontextmanager
async def background(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the server, and end it with the server."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        _LOG.error("%s stopped: %r", task.get_name(), error)


async def until_signalled(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Serve until SIGINT or SIGTERM sets the event that it is given."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    await serve(stop)
