"""The platform's controllers before a cluster: in every replica, at work in one at a time."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import httpx

from llmos.apimachinery.clock import system_clock
from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.measures import Family
from llmos.cli.controllers import platform_controllers
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import SERVICE_ACCOUNTS
from llmos.client.tls import make_context
from llmos.controllers.platform_content import platform_content_controller
from llmos.endpoints.metrics import Metrics
from llmos.reconcile.informer import Informers
from llmos.reconcile.leader import Elector, FencedTransport, Term
from llmos.reconcile.metrics import leader_family, queue_families
from llmos.reconcile.runner import Runner, supervise

NAMESPACE = "llmos-system"
ACCOUNT = "llmos-controllers"
LEASE = "llmos-controllers"
_TOKEN_SECONDS = 3600
_RENEW_SECONDS = _TOKEN_SECONDS / 2


@dataclass(slots=True)
class AccountToken:
    """A token of the controllers' account, asked for under the proxy's."""

    client: Client
    _token: str = field(default="", repr=False)
    _replacing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def __call__(self) -> str:
        """The token of this moment."""
        return self._token

    async def renew(self) -> None:
        """Get a new one.

        Raises:
            StatusError: the cluster refuses.
            ConnectionFailedError: it does not answer.
        """
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},
        }
        answer = await self.client.create_subresource(
            SERVICE_ACCOUNTS, NAMESPACE, ACCOUNT, "token", body
        )
        self._token = answer["status"]["token"]

    async def replace(self) -> bool:
        """Get a new one at once, because the cluster refused this one; whether there is another."""
        refused = self._token
        async with self._replacing:
            if self._token == refused:
                with contextlib.suppress(StatusError, ConnectionFailedError):
                    await self.renew()
        return self._token != refused

    async def run(self) -> None:
        """Keep it fresh."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            await self.renew()


async def run(upstream: Config, leads: Callable[[bool], None], metrics: Metrics) -> None:
    """Stand for election for ever, and do the controllers' work as the leader.

    Args:
        upstream: the cluster, and the proxy's account there.
        leads: hears whether this replica leads.
        metrics: takes whether it does, and how the controllers do.
    """
    await supervise("leader election", lambda: _run(upstream, leads, metrics))


async def _run(upstream: Config, leads: Callable[[bool], None], metrics: Metrics) -> None:
    async with Client(upstream) as client:
        token = AccountToken(client)
        await token.renew()
        own = replace(
            upstream,
            token=token,
            renew=token.replace,
            certificate=None,
            user_agent="llmos-controllers",
        )
        async with Client(own) as candidate, asyncio.TaskGroup() as tasks:
            tasks.create_task(supervise("token of the controllers", token.run))
            identity = f"{socket.gethostname()}_{secrets.token_hex(8)}"
            elector = Elector(candidate, NAMESPACE, LEASE, identity)

            def status() -> Iterable[Family]:
                term = elector.term
                return (leader_family(LEASE, term is not None and term.valid),)

            async def lead(term: Term) -> None:
                leads(True)
                try:
                    await _work(own, term, metrics)
                finally:
                    leads(False)

            metrics.tell("leader", status)
            tasks.create_task(elector.run(lead))


async def _work(config: Config, term: Term, metrics: Metrics) -> None:
    """Run the controllers until the term is over; nothing is written after it."""
    inner = httpx.AsyncHTTPTransport(
        verify=make_context(config) if config.server.startswith("https:") else False
    )
    async with Client(config, FencedTransport(inner, term)) as client:
        informers = Informers(client)
        controllers = [
            *platform_controllers(informers, system_clock),
            platform_content_controller(client, informers, system_clock),
        ]
        metrics.tell("controllers", lambda: queue_families(controllers))
        try:
            await Runner(informers, controllers).run()
        finally:
            metrics.be_silent("controllers")
