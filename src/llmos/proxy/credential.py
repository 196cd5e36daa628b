"""The proxy's own credential, read again while it serves: whoever rotates it rotates ours."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from llmos.client.config import Config
from llmos.client.credentials import CredentialError
from llmos.client.kubeconfig import KubeconfigError
from llmos.proxy.config import Load

REREAD_SECONDS = 20.0
_LOG = logging.getLogger("llmos.proxy")


@dataclass(slots=True)
class FreshToken:
    """The token of a configuration that somebody else may replace."""

    load: Load
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    _read_at: float = float("-inf")

    def __call__(self) -> str:
        """The token of this moment; the one before, where the new one cannot be read.

        Raises:
            CredentialError: none could ever be read.
        """
        if self.clock() - self._read_at >= REREAD_SECONDS:
            try:
                self._token = self.load(False).bearer()
                self._read_at = self.clock()
            except (CredentialError, KubeconfigError, OSError) as error:
                if not self._token:
                    raise CredentialError("the proxy's own credential cannot be read") from error
                _LOG.warning("the proxy's own credential cannot be read again: %s", error)
        return self._token


def own_config(load: Load) -> Config:
    """Where the cluster is, with a token that stays fresh.

    Raises:
        KubeconfigError: the configuration cannot be read.
    """
    return replace(load(False), token=FreshToken(load), user_agent="llmos-proxy")
