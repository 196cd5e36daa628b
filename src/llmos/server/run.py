"""The life of an embedded server: open, fill, listen, work, stop."""

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from llmos.apimachinery.clock import Clock, system_clock
from llmos.apimachinery.lazy import LazyModule
from llmos.authentication.bootstrap import bootstrap_admin
from llmos.authentication.static_tokens import StaticTokens
from llmos.client.config import Token
from llmos.endpoints.housekeeping import housekeeping
from llmos.endpoints.listener import bind, make_listener
from llmos.endpoints.metrics import Metrics
from llmos.endpoints.pipeline import Pipeline
from llmos.endpoints.serving import (
    Lifecycle,
    background,
    listening_on,
    shown_host,
    until_signalled,
)
from llmos.server import memory
from llmos.server.app import build
from llmos.server.assembly import Core
from llmos.server.config import ServerConfig
from llmos.server.content import Content
from llmos.server.credentials import ControllerToken, write_admin_kubeconfig
from llmos.server.feeds import feed
from llmos.storage.sqlite import open_storage

_CERTIFICATES = "llmos.authentication.certificates"

if TYPE_CHECKING:
    from llmos.authentication import certificates
else:
    certificates = LazyModule(_CERTIFICATES)

_LOG = logging.getLogger("llmos.server")
_SWITCH_SECONDS = 0.0005
ADMIN_PASSWORD_FILE = "admin.password"  # noqa: S105 - the name of a file
DATABASE = "llmos.db"
ADMIN_KUBECONFIG = "admin.kubeconfig"


@dataclass(frozen=True, slots=True)
class Started:
    """Where a server is, for whoever started it."""

    url: str
    data_dir: Path
    ca_pem: str
    app: Pipeline
    """For the controllers, who come in without the wire."""
    admin_kubeconfig: Path | None
    """None: the user ``admin`` is gone."""
    one_time_password: str | None
    """Only at the very first start, and only where nobody chose a password."""
    metrics: Metrics
    """Where the controllers tell theirs."""


Work = Callable[[Started, Token], Coroutine[Any, Any, None]]
"""What runs beside the server as a client of it, with a token of the controllers' account."""


async def serve(
    config: ServerConfig,
    ready: Callable[[Started], None],
    stop: asyncio.Event,
    work: Work,
    clock: Clock = system_clock,
) -> None:
    """Serve until ``stop`` is set.

    Args:
        config: how.
        ready: told where the server is, once it is there.
        stop: ends it.
        work: the controllers, run as a client of the server while it serves.
        clock: the time.

    Raises:
        OSError: the address cannot be used.
        OpenError: the database cannot be used.
        CertificateError: the certificates cannot be used.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    listening = bind(config.host, config.port)
    async with AsyncExitStack() as stack:
        stack.callback(listening.close)
        stack.callback(gc.enable)
        gc.disable()  # what is made until it serves stays
        # Cryptography is imported while the disk prepares the storage.
        asyncio.get_running_loop().run_in_executor(None, import_module, _CERTIFICATES)
        storage = await stack.enter_async_context(open_storage(config.data_dir / DATABASE))
        core = Core(storage, clock)
        password = await _fill(core, config, stack, clock)
        started, token = await _open(core, config, (listening, password), stack, clock)
        await stack.enter_async_context(background("controllers", work(started, token)))
        await stack.enter_async_context(background("policy types", core.policy_types.run()))
        memory.settle()
        ready(started)
        await stop.wait()


async def _fill(
    core: Core, config: ServerConfig, stack: AsyncExitStack, clock: Clock
) -> str | None:
    """Put the platform's content in place; the one-time password comes back, if one was made.

    The policies come when all that the platform itself writes is there (``_open``).
    """
    core.custom.start()
    core.policy_types.start()
    content = Content(core.platform, core.catalog)
    await content.before_kinds()
    await core.custom.settled()
    await content.with_kinds()
    await stack.enter_async_context(background("custom resources", core.custom.run()))
    path = config.data_dir / ADMIN_PASSWORD_FILE

    def keep(password: str) -> None:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(f"{password}\n")

    password = await bootstrap_admin(
        core.platform, core.passwords, clock, config.admin_password, keep
    )
    core.accounts.limiter.load(core.platform)
    return password


async def _open(
    core: Core,
    config: ServerConfig,
    made: tuple[socket.socket, str | None],
    stack: AsyncExitStack,
    clock: Clock,
) -> tuple[Started, ControllerToken]:
    """Listen; what is said about it comes back with the token of the controllers."""
    listening, password = made
    static = StaticTokens.load(config.token_auth_file) if config.token_auth_file else None
    authenticators = await core.authenticators(static)
    own = await asyncio.to_thread(_certificates, config, clock)
    lifecycle = Lifecycle()

    app = build(core, lifecycle, authenticators, clock, own.ca_pem)
    url = f"https://{shown_host(config.host)}:{listening.getsockname()[1]}"
    kubeconfig = config.data_dir / ADMIN_KUBECONFIG
    written = await write_admin_kubeconfig(core, kubeconfig, (url, own.ca_pem), clock)
    await Content(core.platform, core.catalog).policies()
    stopping = partial(lifecycle.stop, core.streams)
    listener = make_listener(app, own.cert_path, own.key_path, stopping)
    await stack.enter_async_context(listening_on(listener, listening))
    lifecycle.starting = False
    await stack.enter_async_context(
        background(
            "housekeeping", housekeeping(core.accounts, core.platform, partial(feed, core.storage))
        )
    )
    token = ControllerToken(authenticators[1], core.committed, clock)
    made_kubeconfig = kubeconfig if written else None
    started = Started(
        url, config.data_dir, own.ca_pem, app, made_kubeconfig, password, core.metrics
    )
    return started, token


def _certificates(config: ServerConfig, clock: Clock) -> certificates.Certificates:
    own = certificates.ensure_certificates(config.data_dir / "tls", [config.host], clock)
    if config.tls_cert and config.tls_key:
        return certificates.given_certificates(config.tls_cert, config.tls_key)
    return own


def run(config: ServerConfig, ready: Callable[[Started], None], work: Work) -> None:
    """Serve until SIGINT or SIGTERM; see ``serve`` for what it raises."""
    # The writer thread must get its turn while the loop is busy with reads.
    sys.setswitchinterval(_SWITCH_SECONDS)
    memory.return_large_blocks()
    uvloop.run(until_signalled(lambda stop: serve(config, ready, stop, work)))
