"""How long a request may take, and what ends it before: its client leaves, or loses his rights."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from llmos.apimachinery.errors import BadRequestError, ForbiddenError
from llmos.endpoints.http import Connection, Request
from llmos.endpoints.streams import OpenStreams

REQUEST_SECONDS = 60.0
"""How long the cluster may take to answer: its own bound, ``--request-timeout``."""
RECHECK_SECONDS = 2.0
"""How often a long request asks whether it may go on, besides at every change of rights."""
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)")
_LOG = logging.getLogger("llmos.proxy")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60, "h": 3600}


def allowed_seconds(request: Request) -> float:
    """What the client waits for, as its ``timeout`` says, but no longer than the cluster takes."""
    text = request.query.get("timeout", "")
    seconds = go_seconds(text) if text else 0.0
    return min(seconds, REQUEST_SECONDS) if seconds > 0 else REQUEST_SECONDS


def go_seconds(text: str) -> float:
    """A duration as Go writes it (``1m30s``), in seconds; 0 for what is none."""
    parts = _DURATION.findall(text)
    if "".join(parts) != text:
        return 0.0
    total = 0.0
    for part in parts:
        unit = part.lstrip("0123456789.")
        total += float(part[: len(part) - len(unit)]) * _UNITS[unit]
    return total


class Life:
    """Ends what is done for a request (``async with``), in time; can be entered again.

    Args:
        request: whose client may leave.
        seconds: how long all waiting for the cluster together may take; None: for ever.
        still_allowed: whether it may go on; None: that is not asked.
        open_streams: where it is found by whoever has news about rights.
    """

    __slots__ = (
        "_asked",
        "_began",
        "_guarding",
        "_left",
        "_lost_rights",
        "_request",
        "_scope",
        "_seconds",
        "_streams",
        "heard",
    )

    def __init__(
        self,
        request: Request,
        seconds: float | None,
        still_allowed: Callable[[Request], Awaitable[bool]] | None,
        open_streams: OpenStreams,
    ) -> None:
        self._request = request
        self._seconds = seconds
        self._asked = still_allowed
        self._streams = open_streams
        self._scope: asyncio.Timeout | None = None
        self._guarding: asyncio.Task[None] | None = None
        self._began = 0.0
        self.heard = open_streams.version
        """The version of rights under which it was last allowed."""
        self._left = False
        self._lost_rights = False

    async def __aenter__(self) -> None:
        """Do something for the request; leaving raises TimeoutError where it had to end."""
        scope = asyncio.timeout(self._seconds)
        await scope.__aenter__()
        self._scope = scope
        self._began = asyncio.get_running_loop().time()
        connection = self._request.connection
        if connection is not None:
            connection.on_leave(self._leave)
            if self._asked is not None:
                self._streams.add(connection)
                self._guarding = asyncio.create_task(self._guard(connection))

    async def __aexit__(self, *raised: Any) -> None:
        """Stop watching over it."""
        scope, self._scope = self._scope, None
        assert scope is not None
        self._count()
        connection = self._request.connection
        if connection is not None:
            connection.on_leave(None)
        if self._guarding is not None:
            self._streams.discard(connection)
            self._guarding.cancel()
            self._guarding = None
        await scope.__aexit__(*raised)

    def suspend(self) -> None:
        """Stop counting."""
        if self._seconds is not None and self._scope is not None and not self._is_over:
            self._count()
            self._scope.reschedule(None)

    def go_on(self) -> None:
        """Count again."""
        if self._seconds is not None and self._scope is not None and not self._is_over:
            self._began = asyncio.get_running_loop().time()
            self._scope.reschedule(self._began + self._seconds)

    def _count(self) -> None:
        if self._seconds is not None:
            passed = asyncio.get_running_loop().time() - self._began
            self._seconds = max(self._seconds - passed, 0.0)

    @property
    def _is_over(self) -> bool:
        return self._left or self._lost_rights or self._scope is None or self._scope.expired()

    def say_why(self) -> None:
        """Say why it ended, if not for the time.

        Raises:
            BadRequestError: the client left.
            ForbiddenError: he lost his rights.
        """
        if self._left:
            raise BadRequestError("the client closed the connection")
        if self._lost_rights:
            raise ForbiddenError("your rights have changed since the request began", {})

    async def check(self) -> None:
        """Wait, before more is sent, until it is known that it may go on.

        Costs nothing while nobody's rights change.

        Raises:
            TimeoutError: it has to end.
        """
        while self._asked is not None and self.heard != self._streams.version:
            self.heard = self._streams.version
            if not await self._may_go_on():
                self._lost_rights = True
                raise TimeoutError

    def _leave(self) -> None:
        self._left = True
        self._end()

    def _end(self) -> None:
        if self._scope is not None and not self._scope.expired():
            self._scope.reschedule(asyncio.get_running_loop().time())

    async def _guard(self, connection: Connection) -> None:
        """Ask again and again whether it may go on."""
        while not self._lost_rights:
            await connection.wait(RECHECK_SECONDS)
            self._lost_rights = not await self._may_go_on()
        self._end()

    async def _may_go_on(self) -> bool:
        assert self._asked is not None
        try:
            return await self._asked(self._request)
        except Exception:  # noqa: BLE001 - nobody else would hear of it, and doubt ends a stream
            _LOG.exception("the rights of an open request cannot be told")
            return False
