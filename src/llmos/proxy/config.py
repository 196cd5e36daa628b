"""How a proxy is started."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmos.client.config import Config

DEFAULT_PORT = 8443

Load = Callable[[bool], Config]
"""Reads where the cluster is and the platform's account there; True: uses nothing that it kept."""


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """The options of ``llmos proxy``."""

    load: Load
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0: a free one."""
    names: tuple[str, ...] = ()
    """More names for a certificate of our own authority."""
    tls_cert: Path | None = None
    """A certificate of the operator's own, with its key; None: one by our own authority."""
    tls_key: Path | None = None
    controllers: bool = True
    """Whether to stand for election and, as the leader, run the controllers."""
