"""The caches of all resources that somebody reads narrowed: made on demand, dropped when idle."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

from llmos.apimachinery.errors import ServiceUnavailableError
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupResource
from llmos.client.client import Client
from llmos.endpoints.requestinfo import RequestInfo
from llmos.proxy.cache import Cache
from llmos.proxy.kinds import Kind, Kinds, Path
from llmos.proxy.platform import STALE_SECONDS
from llmos.reconcile.runner import supervise
from llmos.watchcache.config import WindowConfig

IDLE_SECONDS = 600.0
"""How long a cache is kept that nobody reads."""
_SWEEP_SECONDS = 30.0
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    cache: Cache
    task: "asyncio.Task[None]"
    used_at: float


@dataclass(slots=True, eq=False)
class Caches:
    """Use it with ``async with``; nothing is read before that."""

    client: Client
    """Under the proxy's own identity."""
    clock: Callable[[], float] = time.monotonic
    """Steady, never set."""
    config: WindowConfig = field(default_factory=WindowConfig)
    kinds: Kinds = field(init=False)
    _kept: dict[Path, _Kept] = field(init=False, default_factory=dict)
    _tasks: "set[asyncio.Task[None]]" = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.kinds = Kinds(self.client, self.clock)

    async def __aenter__(self) -> Self:
        for name, run in (("kinds", self.kinds.run), ("idle caches", self._sweep)):
            self._tasks.add(asyncio.create_task(supervise(name, run)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for kept in self._kept.values():
            kept.task.cancel()
            kept.cache.end(ServiceUnavailableError("the proxy is stopping"))
        tasks = [*self._tasks, *(kept.task for kept in self._kept.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()
        self._tasks.clear()

    def namespaced(self, info: RequestInfo) -> bool:
        """Whether the requested resource is a served namespaced kind that can be followed."""
        kind = self.kinds.find(info)
        return kind is not None and kind.resource.namespaced and kind.followed

    def problem(self) -> str:
        """Why narrowed reads cannot be answered; empty: they can.

        One kind that is silent (its webhook or its aggregated server is down) is refused by itself
        and does not take the others along.
        """
        if not self.kinds.known:
            return "what the cluster serves is not known yet"
        synced = [kept.cache for kept in self._kept.values() if kept.cache.synced]
        if synced and all(each.age > STALE_SECONDS for each in synced):
            return f"the cluster does not say what is new of {synced[0].resource.plural}"
        return ""

    def ages(self) -> Iterable[tuple[GroupResource, float | None]]:
        """For how many seconds nothing was heard of each resource; None: it was never known."""
        for (group, _, plural), kept in self._kept.items():
            yield GroupResource(group, plural), kept.cache.age if kept.cache.synced else None

    def wants(self, info: RequestInfo) -> bool:
        """Whether ``wrote`` has to hear of a successful write."""
        wanted = (info.group, info.resource)
        return any((group, plural) == wanted for group, _, plural in self._kept)

    def wrote(self, info: RequestInfo, answer: Object) -> None:
        """Take the answer to a write that was done: the next narrowed reads here will show it.

        Not for dry runs, which write nothing.
        """
        namespace = info.namespace if info.in_namespace else ""
        for (group, _, plural), kept in self._kept.items():
            if (group, plural) == (info.group, info.resource):
                kept.cache.wrote(namespace, info.name, answer)

    async def use(self, kind: Kind) -> Cache:
        """The cache of a kind, able to answer.

        Raises:
            StatusError: the cluster does not give the kind to the proxy.
            ServiceUnavailableError: it does not answer.
        """
        kept = self._kept.get(kind.path)
        if kept is None or kept.cache.ended:
            kept = self._start(kind)
        kept.used_at = self.clock()
        await kept.cache.ready()
        return kept.cache

    def _start(self, kind: Kind) -> _Kept:
        _LOG.info("following %s for narrowed reads", kind.storage_name)
        cache = Cache(self.client, kind.resource, self.clock, self.config)
        run = supervise(f"cache of {kind.storage_name}", cache.run)
        kept = _Kept(cache, asyncio.create_task(run), self.clock())
        self._kept[kind.path] = kept
        return kept

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.drop_idle()

    def drop_idle(self) -> None:
        """Forget what nobody has read for long, and what is not served any more."""
        now = self.clock()
        for path, kept in list(self._kept.items()):
            if kept.cache.watched:
                kept.used_at = now
            elif kept.cache.ended or now - kept.used_at > IDLE_SECONDS:
                kept.task.cancel()
                del self._kept[path]
