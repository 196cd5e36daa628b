"""The proxy's own credential, read again while it serves: whoever rotates it rotates ours.

It is read beside the work, and at once when the cluster refuses the one that we have.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from llmos.client.config import Config
from llmos.client.credentials import CredentialError
from llmos.client.kubeconfig import KubeconfigError
from llmos.proxy.config import Load

REREAD_SECONDS = 20.0
RENEW_PAUSE = 1.0
"""So long after a reading that changed nothing, a refusal makes nobody read again."""
_UNREADABLE = (CredentialError, KubeconfigError, OSError)
_LOG = logging.getLogger("llmos.proxy")


@dataclass(slots=True)
class FreshToken:
    """The token of a configuration that somebody else may replace."""

    load: Load
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    _read_at: float = float("-inf")
    _renewed_at: float = float("-inf")
    _reading: "asyncio.Task[None] | None" = field(default=None, repr=False)

    def __call__(self) -> str:
        """The token of this moment; the one before, until a new one is read, or if none can be.

        Raises:
            CredentialError: none could ever be read.
        """
        if not self._token:
            try:
                self._take(self.load(False).bearer())
            except _UNREADABLE as error:
                raise CredentialError("the proxy's own credential cannot be read") from error
        elif self.clock() - self._read_at >= REREAD_SECONDS:
            self._start(anew=False)
        return self._token

    async def renew(self) -> bool:
        """Read it again, because the cluster refused it; whether it is another one now."""
        refused = self._token
        if self._reading is None and self.clock() - self._renewed_at < RENEW_PAUSE:
            return False
        # Whoever goes away does not stop it for the others who wait.
        await asyncio.shield(self._start(anew=True))
        self._renewed_at = self.clock()
        return self._token != refused

    def _start(self, *, anew: bool) -> "asyncio.Task[None]":
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read(anew))
        return self._reading

    async def _read(self, anew: bool) -> None:
        try:
            self._take(await asyncio.to_thread(lambda: self.load(anew).bearer()))
        except _UNREADABLE as error:
            _LOG.warning("the proxy's own credential cannot be read again: %s", error)
        finally:
            self._reading = None

    def _take(self, token: str) -> None:
        self._token = token
        self._read_at = self.clock()


def own_config(load: Load) -> Config:
    """Where the cluster is, with a token that stays fresh.

    Raises:
        KubeconfigError: the configuration cannot be read.
    """
    token = FreshToken(load)
    return replace(load(False), token=token, renew=token.renew, user_agent="llmos-proxy")
