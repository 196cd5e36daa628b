"""One of several replicas works at a time: leader election by a ``coordination.k8s.io`` Lease.

The rules and times are client-go's (k8s.io/client-go/tools/leaderelection). No two clocks are ever
compared: a challenger waits for the length of a lease since *it* saw the lease change, and a holder
counts from *before* the renewal was sent. So a holder's term ends, by his own clock, before anybody
else's can begin; what writes under it asks ``Term.check`` as the last thing before the bytes leave.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from llmos.apimachinery.clock import Clock, rfc3339_micro, system_clock
from llmos.apimachinery.errors import NotFoundError, StatusError
from llmos.apimachinery.object import Object, copy_object
from llmos.client.client import Client
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import resource

log = logging.getLogger(__name__)

LEASES = resource("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True)
_READS = frozenset({"GET", "HEAD"})
_SENDING = "http11.send_request_headers.started"
"""What httpcore tells its tracer when it is about to write to the connection."""


def steady_clock() -> float:
    """Seconds that no one sets; they go on while the process, or the machine, is asleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds; those of kube-controller-manager."""

    lease: float = 15.0
    """So long a lease is good that nobody renews."""
    renew: float = 10.0
    """A holder who could not renew for so long gives up."""
    retry: float = 2.0
    """Between attempts to get or to renew."""


class LeadershipLostError(httpx.TransportError):
    """A write was stopped because somebody else may lead by now."""


@dataclass(slots=True)
class Term:
    """The right to write, until it is renewed no more."""

    clock: Callable[[], float]
    until: float
    """By ``clock``."""

    @property
    def valid(self) -> bool:
        """Whether nobody else can lead now."""
        return self.clock() < self.until

    def check(self) -> None:
        """Refuse to go on when the term is over.

        Raises:
            LeadershipLostError: it is.
        """
        if not self.valid:
            raise LeadershipLostError("no longer the leader: nothing was written")


@dataclass(slots=True)
class FencedTransport(httpx.AsyncBaseTransport):
    """Lets reads pass, and writes while a term is valid.

    A term may end while a connection is made, or while the process is stopped; so it is asked for
    again when the connection is there and the request is about to be written.
    """

    inner: httpx.AsyncBaseTransport
    term: Term

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            LeadershipLostError: it would write, and the term is over.
        """
        if request.method not in _READS:
            self.term.check()
            request.extensions["trace"] = self._trace
        return await self.inner.handle_async_request(request)

    async def _trace(self, event: str, _: Any) -> None:
        if event == _SENDING:
            self.term.check()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.inner.aclose()


Lead = Callable[[Term], Awaitable[None]]
"""What the leader does; cancelled when the term ends."""


@dataclass(slots=True)
class Elector:
    """One candidate for one Lease."""

    client: Client
    namespace: str
    name: str
    identity: str
    """Unlike that of every other candidate, also of an earlier run."""
    times: Times = field(default_factory=Times)
    clock: Callable[[], float] = steady_clock
    wall: Clock = system_clock
    """For the times that people read in the Lease; nothing is decided by it."""
    term: Term | None = None
    """While we lead."""
    _seen: Object = field(default_factory=dict)
    """The spec of the Lease as it last changed."""
    _seen_at: float = 0.0

    async def run(self, lead: Lead) -> None:
        """Lead whenever nobody else does, until cancelled; then give the Lease back."""
        while True:
            self.term = await self._acquire()
            log.info("%s leads: %s", self.identity, self.name)
            try:
                await self._lead(self.term, lead)
            finally:
                term, self.term = self.term, None
                if term.valid:
                    await asyncio.shield(self._release(term))
            log.warning("%s no longer leads: %s", self.identity, self.name)

    async def _acquire(self) -> Term:
        while True:
            until = await self._try()
            if until is not None and self.clock() < until:
                return Term(self.clock, until)
            await asyncio.sleep(self.times.retry * random.uniform(1, 1.2))  # noqa: S311 - spreads load

    async def _lead(self, term: Term, lead: Lead) -> None:
        """Work and renew side by side; whichever ends first ends the other."""
        work = asyncio.ensure_future(lead(term))
        renewing = asyncio.ensure_future(self._renew(term))
        try:
            done, _ = await asyncio.wait({work, renewing}, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for task in (work, renewing):
                task.cancel()
            await asyncio.gather(work, renewing, return_exceptions=True)

    async def _renew(self, term: Term) -> None:
        """Renew until that fails for too long, or the Lease is somebody else's."""
        renewed = self.clock()
        while True:
            await asyncio.sleep(self.times.retry)
            if not term.valid:
                return
            until = await self._try()
            if until is not None:
                term.until = max(term.until, until)
                renewed = self.clock()
            elif self._holder() != self.identity or self.clock() - renewed >= self.times.renew:
                term.until = min(term.until, self.clock())
                return

    async def _try(self) -> float | None:
        """Get or renew the Lease; until when it is ours then, or None."""
        sent = self.clock()
        try:
            async with asyncio.timeout(self.times.renew / 2):
                taken = await self._take()
        except (StatusError, ConnectionFailedError, TimeoutError) as error:
            log.info("%s: the lease %s: %s", self.identity, self.name, str(error) or "no answer")
            return None
        # The renewal may give up at ``renew``; what is fenced may write until then and not longer,
        # so that what is on its way arrives before the lease ends.
        return sent + self.times.renew if taken else None

    async def _take(self) -> bool:
        try:
            lease = await self.client.get(LEASES, self.namespace, self.name)
        except NotFoundError:
            made = await self.client.create(LEASES, self._new())
            self._observe(made)
            return True
        self._observe(lease)
        if self._holder() not in ("", self.identity) and self._still_good():
            return False
        wanted = copy_object(lease)
        wanted["spec"] = self._spec(lease.get("spec") or {})
        # With the resourceVersion that was read: of two challengers one gets a Conflict.
        self._observe(await self.client.update(LEASES, wanted))
        return True

    def _observe(self, lease: Object) -> None:
        spec = lease.get("spec") or {}
        if spec != self._seen or not self._seen_at:
            self._seen, self._seen_at = spec, self.clock()

    def _holder(self) -> str:
        return str(self._seen.get("holderIdentity") or "")

    def _still_good(self) -> bool:
        return self.clock() < self._seen_at + self.times.lease

    def _new(self) -> Object:
        return {
            "metadata": {"namespace": self.namespace, "name": self.name},
            "spec": self._spec({}),
        }

    def _spec(self, old: Object) -> Object:
        now = rfc3339_micro(self.wall())
        same = old.get("holderIdentity") == self.identity
        transitions = int(old.get("leaseTransitions") or 0)
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self.times.lease) or 1,
            "acquireTime": old.get("acquireTime") if same else now,
            "renewTime": now,
            "leaseTransitions": transitions if same or not old else transitions + 1,
        }

    async def _release(self, term: Term) -> None:
        """Let the next one begin at once; whoever cannot be told waits for the lease to end."""
        term.until = min(term.until, self.clock())
        with contextlib.suppress(StatusError, ConnectionFailedError, TimeoutError):
            async with asyncio.timeout(self.times.retry):
                lease = await self.client.get(LEASES, self.namespace, self.name)
                if (lease.get("spec") or {}).get("holderIdentity") != self.identity:
                    return
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self.client.update(LEASES, lease)
