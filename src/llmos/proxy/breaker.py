"""Whether the cluster can be reached: after one failure everybody is told at once, until it can.

While it cannot, a bare connection is tried again and again; no request is sent for that, under
nobody's name.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from llmos.apimachinery.errors import ServiceUnavailableError

FIRST_PAUSE = 0.05
"""Seconds until the first attempt; each pause after that is twice as long."""
LONGEST_PAUSE = 0.8
ATTEMPT_SECONDS = (1.0, 1.0, 1.0, 5.0)
"""How long each attempt may take, over and over: most are quick, and some are patient."""
RETRY_AFTER = 1

_LOG = logging.getLogger("llmos.proxy")


class UnreachableError(ServiceUnavailableError):
    """503: the cluster cannot be reached now; nothing was sent, so it may be asked again."""

    def __init__(self) -> None:
        details = {"retryAfterSeconds": RETRY_AFTER}
        super().__init__("the cluster's API server cannot be reached", details)


class Breaker:
    """Remembers that the cluster is away, and looks for it.

    Args:
        connect: connects and hangs up; raises what a connection fails with.
    """

    def __init__(self, connect: Callable[[], Awaitable[None]]) -> None:
        self._connect = connect
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the cluster is away."""
        return self._looking is not None

    def check(self) -> None:
        """Let a request pass.

        Raises:
            UnreachableError: the cluster is away.
        """
        if self._looking is not None:
            raise UnreachableError

    def failed(self, error: BaseException) -> None:
        """Somebody could not connect."""
        if self._looking is None:
            _LOG.warning("the cluster cannot be reached: %s", error)
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        pause = FIRST_PAUSE
        try:
            for seconds in itertools.cycle(ATTEMPT_SECONDS):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._connect()
                    break
            _LOG.warning("the cluster can be reached again")
        except Exception:  # noqa: BLE001 - nobody waits for this task
            _LOG.exception("looking for the cluster failed")
        finally:
            # Whatever happened: the next request finds out.
            self._looking = None

    async def aclose(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
