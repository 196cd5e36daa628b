"""What the platform keeps in the cluster, in memory: the proxy's ``ObjectStore``.

Reads come from informers; writes go to the cluster and are in memory when they return. News that is
older than what memory has (a watch that lags behind our own write, a list that began before it)
changes nothing. Nobody may be judged by old records: ``check_fresh`` refuses when a watch is silent
for longer than it can be while the cluster answers.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from llmos.apimachinery.errors import (
    ForbiddenError,
    InternalError,
    NotFoundError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from llmos.apimachinery.object import Object, get_path, resource_version_of, uid_of
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.client.client import Client, delete_options
from llmos.client.errors import ConnectionFailedError
from llmos.client.watch import Event, EventType
from llmos.endpoints.requestinfo import RequestInfo
from llmos.reconcile.informer import Change, Informer, key_of
from llmos.reconcile.runner import supervise

WATCH_SECONDS = 8.0
"""The length of a watch: so often the cluster proves, resource by resource, that it is there."""
STALE_SECONDS = 20.0
"""Silence after which what memory has decides nothing any more."""

ANSWER_SECONDS = 5.0
"""How long the cluster may take to answer what somebody waits for who signs in, or asks."""

_REMEMBERED_DELETIONS = 10_000
_LOG = logging.getLogger("llmos.proxy")


@dataclass(slots=True, eq=False)
class Memory(Informer):
    """An informer that also takes our own writes, and lets nothing older undo them."""

    clock: Callable[[], float] = time.monotonic
    heard_at: float = 0.0
    _deleted: dict[str, None] = field(default_factory=dict)
    """The uids of what we deleted and the watch may still bring; the oldest first."""

    def __post_init__(self) -> None:
        self.length = WATCH_SECONDS
        self.heard = self._hear

    def _hear(self) -> None:
        self.heard_at = self.clock()

    @property
    def stale(self) -> bool:
        """Whether nothing was heard for too long, or never."""
        return not self.synced.is_set() or self.clock() - self.heard_at > STALE_SECONDS

    def receive(self, event: Event) -> None:
        """Take one event of the stream, unless memory knows better."""
        match event.type:
            case EventType.LISTED | EventType.ADDED | EventType.MODIFIED:
                key = key_of(event.object)
                if event.type is EventType.LISTED and self.get(*key) is not None:
                    self._listed.add(key)
                if uid_of(event.object) in self._deleted or self._is_older(event.object):
                    return
            case EventType.DELETED:
                self._deleted.pop(uid_of(event.object), None)
                if self._is_older(event.object):
                    return
            case EventType.SYNCED:
                self._keep_newer(_version(event.object))
            case EventType.LISTING | EventType.BOOKMARK:
                pass
        Informer.receive(self, event)

    def wrote(self, obj: Object) -> None:
        """Take the answer to a write."""
        self.receive(Event(EventType.MODIFIED, obj))

    def deleted(self, namespace: str, name: str, uid: str) -> None:
        """Forget what was deleted, also when the watch brings an older state of it."""
        if uid:
            self._deleted[uid] = None
            while len(self._deleted) > _REMEMBERED_DELETIONS:
                del self._deleted[next(iter(self._deleted))]
        known = self.get(namespace, name)
        if known is not None and uid in ("", uid_of(known)):
            self._forget(known)

    def _is_older(self, obj: Object) -> bool:
        known = self.get(*key_of(obj))
        return known is not None and _version(obj) < _version(known)

    def _keep_newer(self, version: int) -> None:
        """What was written after a list was made is not gone because the list lacks it."""
        self._listed.update(key_of(each) for each in self.list() if _version(each) > version)


def _version(obj: Object) -> int:
    """A resourceVersion as a number: they grow, in the cluster and here (KEP-5504)."""
    return _number(resource_version_of(obj))


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0


@dataclass(slots=True)
class Bucket:
    """So many at once, and so many a second."""

    burst: float
    rate: float
    clock: Callable[[], float] = time.monotonic
    _level: float = field(init=False, default=0.0)
    _at: float = field(init=False, default=0.0)

    def take(self) -> bool:
        """Whether one more may be."""
        now = self.clock()
        self._level = max(0.0, self._level - (now - self._at) * self.rate)
        self._at = now
        if self._level + 1 > self.burst:
            return False
        self._level += 1
        return True


Take = Callable[[Object], None]


class Platform:
    """An ``ObjectStore`` on the cluster, of the resources that it was told to follow."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._memories: dict[GroupResource, Memory] = {}
        self._look_ups = Bucket(burst=50, rate=20, clock=clock)

    def follow(self, resource: APIResource, namespace: str | None = None) -> Memory:
        """Keep a resource in memory; to be called before ``run``."""
        memory = Memory(self._client, resource, namespace=namespace, clock=self._clock)
        self._memories[resource.group_resource] = memory
        return memory

    def feed(
        self, resource: GroupResource, put: Take, remove: Take, namespace: str | None = None
    ) -> None:
        """Give an index every object of a resource that is followed, now and at every change."""
        assert self._memories[resource].namespace == namespace

        def deliver(change: Change) -> None:
            if change.type is EventType.DELETED:
                remove(change.object)
            else:
                put(change.object)

        self._memories[resource].add_handler(deliver)

    async def run(self) -> None:
        """Follow everything until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for each in self._memories.values():
                name = f"informer {each.resource.group_resource}"
                tasks.create_task(supervise(name, each.run))

    async def wait_synced(self) -> None:
        """Wait until everything is known."""
        for each in self._memories.values():
            await each.synced.wait()

    def stale(self) -> Sequence[str]:
        """The resources of which nothing was heard for too long, or never."""
        return [str(name) for name, each in self._memories.items() if each.stale]

    def ages(self) -> Iterable[tuple[GroupResource, float | None]]:
        """For how many seconds nothing was heard of each resource; None: it was never known."""
        now = self._clock()
        for name, each in self._memories.items():
            yield name, now - each.heard_at if each.synced.is_set() else None

    def check_fresh(self) -> None:
        """Refuse to judge anybody by old records.

        Raises:
            ServiceUnavailableError: some are old.
        """
        stale = self.stale()
        if stale:
            message = f"the cluster does not say what is new of {stale[0]}"
            raise ServiceUnavailableError(message, {"retryAfterSeconds": 1})

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._memories[resource].get(namespace, name)

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or (None) in all."""
        return list(self._memories[resource].list(namespace))

    def follows(self, group: str, resource: str) -> bool:
        """Whether a resource is kept in memory."""
        return GroupResource(group, resource) in self._memories

    def heard(self, info: RequestInfo, answer: Object) -> None:
        """Take the cluster's answer to a write that a user made."""
        memory = self._memories.get(GroupResource(info.group, info.resource))
        namespace = info.namespace if info.in_namespace else ""
        if memory is None or memory.namespace not in (None, namespace):
            return
        if answer.get("kind") != "Status":
            memory.wrote(answer)  # also where it goes on for a while, for its finalizers
        elif uid := _deleted_uid(answer):
            memory.deleted(namespace, info.name, uid)

    async def at_least(
        self, resource: GroupResource, namespace: str, name: str, version: str
    ) -> Object | None:
        """An object in this resourceVersion or a newer one: the cluster is asked where memory lags.

        Args:
            resource: what it is; it is followed.
            namespace: where it is.
            name: its name.
            version: empty: as memory has it.

        Raises:
            NotFoundError: it is gone meanwhile.
            StatusError: the cluster refused.
        """
        known = self._memories[resource].get(namespace, name)
        wanted = _number(version)
        if wanted == 0 or (known is not None and _version(known) >= wanted):
            return known
        found = await self.fetch(resource, namespace, name)
        if found is None:
            raise NotFoundError.of(resource, name)
        return found

    async def look_up(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """Ask the cluster for an object that memory lacks: another replica may just have made it.

        Raises:
            TooManyRequestsError: too much was asked lately.
            StatusError: the cluster refused.
        """
        if not self._look_ups.take():
            raise TooManyRequestsError("too many unknown credentials, please try again later")
        return await self.fetch(resource, namespace, name)

    async def fetch(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """An object as the cluster has it, for whom memory is not new enough; None: it has none.

        Raises:
            StatusError: the cluster refused.
        """
        memory = self._memories[resource]
        try:
            # In a task of its own: filters begin outside of any, where neither an HTTP client nor
            # a timeout can work.
            memory.wrote(await asyncio.ensure_future(self._read(memory, namespace, name)))
        except NotFoundError:
            return None
        return memory.get(namespace, name)

    async def _read(self, memory: Memory, namespace: str, name: str) -> Object:
        async with _answering():
            return await self._client.get(memory.resource, namespace, name)

    async def create(self, resource: GroupResource, obj: Object) -> Object:
        """Create, in the namespace that the object names; the stored object comes back."""
        memory = self._memories[resource]
        async with _answering():
            return self._wrote(memory, await self._client.create(memory.resource, obj))

    async def update(self, resource: GroupResource, obj: Object) -> Object:
        """Replace; with ``metadata.resourceVersion`` set, only that version."""
        memory = self._memories[resource]
        async with _answering():
            return self._wrote(memory, await self._client.update(memory.resource, obj))

    async def delete(
        self, resource: GroupResource, namespace: str, name: str, *, uid: str = ""
    ) -> None:
        """Delete; an object that does not exist raises NotFoundError.

        With a ``uid`` only that very object: another one of the name raises ConflictError.
        """
        memory = self._memories[resource]
        options = delete_options(uid=uid) if uid else None
        known = memory.get(namespace, name)
        uid = uid or (uid_of(known) if known else "")
        try:
            async with _answering():
                answer = await self._client.delete(memory.resource, namespace, name, options)
        except NotFoundError:
            memory.deleted(namespace, name, uid)
            raise
        if get_path(answer, "metadata", "finalizers"):
            memory.wrote(answer)
            return
        memory.deleted(namespace, name, _deleted_uid(answer) or uid)

    def _wrote(self, memory: Memory, obj: Object) -> Object:
        memory.wrote(obj)
        return obj


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Let a cluster that does not answer, or not us, be one of the errors of an API.

    What it refuses to the platform is not the fault of who asks, and no word about his rights.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except (ConnectionFailedError, TimeoutError) as error:
        _LOG.warning("the cluster did not answer the platform: %s", str(error) or "not in time")
        raise ServiceUnavailableError("the cluster does not answer") from error
    except (UnauthorizedError, ForbiddenError, InternalError) as error:
        raise ServiceUnavailableError("the cluster does not serve the platform") from error


def _deleted_uid(answer: Object) -> str:
    """The uid of what a DELETE removed, from a Status or the object itself."""
    return str(get_path(answer, "details", "uid", default="") or uid_of(answer))
