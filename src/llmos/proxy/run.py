"""The life of a proxy: know the cluster, listen, work, stop."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from llmos import __version__
from llmos.apimachinery.clock import Clock, system_clock
from llmos.authentication.certificates import Certificates, given_certificates
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.endpoints.housekeeping import housekeeping
from llmos.endpoints.listener import bind, make_listener
from llmos.endpoints.metrics import Metrics, RequestMetrics
from llmos.endpoints.serving import background, listening_on, shown_host, until_signalled
from llmos.proxy.assembly import Core, build
from llmos.proxy.authority import certificates
from llmos.proxy.caches import Caches
from llmos.proxy.config import ProxyConfig
from llmos.proxy.credential import own_config
from llmos.proxy.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Started:
    """Where a proxy is, for whoever started it."""

    url: str
    upstream: Config
    ca_pem: str
    metrics: Metrics
    """Where the controllers tell theirs."""


Work = Callable[[Started], Coroutine[Any, Any, None]]
"""What runs beside the proxy, as clients of the cluster."""


async def serve(
    config: ProxyConfig,
    ready: Callable[[Started], None],
    stop: asyncio.Event,
    work: Work,
    clock: Clock = system_clock,
) -> None:
    """Serve until ``stop`` is set.

    It listens before it knows the cluster: ``/readyz`` says what it waits for.

    Args:
        config: how.
        ready: told where the proxy is, once it is there.
        stop: ends it.
        work: the controllers.
        clock: the time.

    Raises:
        OSError: the address cannot be used.
        CertificateError: the certificates cannot be used.
        StatusError: the cluster does not let us keep an authority.
        ConnectionFailedError: it does not answer.
    """
    listening = bind(config.host, config.port)
    async with AsyncExitStack() as stack:
        stack.callback(listening.close)
        found = own_config(config.load)
        client = await stack.enter_async_context(Client(found))
        own = await _certificates(config, client, stack, clock)
        core = Core(client, clock)
        caches = await stack.enter_async_context(Caches(client))
        upstream = Upstream(config.load)
        stack.push_async_callback(upstream.aclose)
        metrics = Metrics(RequestMetrics(caches.kinds.serves, "proxy"), __version__)
        app = build(core, upstream, caches, metrics, own.ca_pem)
        stopping = partial(core.lifecycle.stop, core.judges.streams)
        await stack.enter_async_context(background("informers", core.platform.run()))
        listener = make_listener(app, own.cert_path, own.key_path, stopping)
        await stack.enter_async_context(listening_on(listener, listening))
        url = f"https://{shown_host(config.host)}:{listening.getsockname()[1]}"
        started = Started(url, found, own.ca_pem, metrics)
        await stack.enter_async_context(background("start", _settle(core)))
        if config.controllers:
            await stack.enter_async_context(background("controllers", work(started)))
        ready(started)
        await stop.wait()


async def _certificates(
    config: ProxyConfig, client: Client, stack: AsyncExitStack, clock: Clock
) -> Certificates:
    if config.tls_cert and config.tls_key:
        return await asyncio.to_thread(given_certificates, config.tls_cert, config.tls_key)
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmos-")))
    return await certificates(client, directory, (config.host, *config.names), clock)


async def _settle(core: Core) -> None:
    """Say that the proxy has started once the cluster is known; then keep accounts in order."""
    await core.platform.wait_synced()
    core.lifecycle.starting = False
    await housekeeping(core.accounts, core.platform, core.platform.feed)


def run(config: ProxyConfig, ready: Callable[[Started], None], work: Work) -> None:
    """Serve until SIGINT or SIGTERM; see ``serve`` for what it raises."""
    uvloop.run(until_signalled(lambda stop: serve(config, ready, stop, work)))
