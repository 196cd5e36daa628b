"""An engine whose processes the tests can look into, and who may do everything behind it."""

from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from support.engine import Engine
from support.etcd import Etcd
from support.server import ADMIN_PASSWORD, RunningServer
from support.upstreamlog import UpstreamLog


@dataclass
class RunningEngine(Engine):
    """One engine, for tests that ask for more than answers."""

    name: str
    """``embedded`` or ``cluster``."""
    process: psutil.Process = field(repr=False)
    """Whom attackers speak to."""
    log: Path
    """What that process says."""
    operator: httpx.Client = field(repr=False)
    """The holder of the cluster's own credentials, who goes past the proxy where there is one."""
    upstream: UpstreamLog | None = field(default=None, repr=False)
    """What went from the proxy to the cluster, where there is a proxy."""
    store: Etcd | None = field(default=None, repr=False)
    """What the cluster has stored."""
    data_dir: Path = Path("/nonexistent")
    """Where the engine keeps everything."""


def running_embedded(server: RunningServer, operator: httpx.Client) -> RunningEngine:
    """The embedded engine."""
    return RunningEngine(
        server.url,
        server.ca_file,
        ADMIN_PASSWORD,
        name="embedded",
        process=psutil.Process(server.process.pid),
        log=server.log,
        operator=operator,
        data_dir=server.data_dir,
    )
