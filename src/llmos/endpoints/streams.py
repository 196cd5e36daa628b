"""The open streams of a server, so that news about rights reaches them at once."""

import asyncio

from llmos.endpoints.http import Stream

GATHER_SECONDS = 0.1
"""Many changes of rights in a row wake the streams once."""


class OpenStreams(set[Stream]):
    """Streams that ask again, when woken, whether they may go on."""

    version: int = 0
    """Grows with every change of rights: what was allowed under another one has to be asked."""
    _timer: asyncio.TimerHandle | None = None

    def rights_changed(self) -> None:
        """Wake every stream, soon; whoever has something to send before that asks first."""
        self.version += 1
        if self._timer is None and self:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._wake)

    def _wake(self) -> None:
        self._timer = None
        for stream in self:
            stream.wake()
