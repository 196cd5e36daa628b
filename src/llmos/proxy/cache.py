"""One resource of the cluster in memory, fed by one watch: what narrowed reads are answered from.

It is read under the proxy's own identity and shown only through a ``View``. A list after a gap
becomes the events that lead to it, so that watches go on. Revisions are the cluster's own: they are
numbers that grow (KEP-5504).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from llmos.apimachinery.errors import NotFoundError, ServiceUnavailableError, StatusError
from llmos.apimachinery.object import (
    Object,
    get_path,
    name_of,
    namespace_of,
    resource_version_of,
    uid_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.client.client import Client
from llmos.client.errors import ConnectionFailedError
from llmos.client.watch import Event, EventType, Stream
from llmos.endpoints.fastlane import in_task
from llmos.proxy.platform import STALE_SECONDS, WATCH_SECONDS
from llmos.watchcache.cacher import Cacher
from llmos.watchcache.config import WindowConfig
from llmos.watchcache.interface import (
    Change,
    CompactedError,
    Deliver,
    Key,
    Record,
    Snapshot,
    Subscription,
)

SYNC_SECONDS = 20.0
"""How long a read waits for the first list."""
SETTLE_SECONDS = 1.0
"""How long a read waits for what was written through this replica."""
PAGE = 1000
"""Objects of one page of the first list."""
_PAUSE_SECONDS = 1.0
_LOG = logging.getLogger(__name__)
_DEFAULTS = WindowConfig()


@dataclass(slots=True, eq=False)
class Cache:
    """A ``Source`` over one resource; ``run`` keeps it true."""

    client: Client
    resource: APIResource
    clock: Callable[[], float] = time.monotonic
    config: WindowConfig = _DEFAULTS
    refused: StatusError | None = field(init=False, default=None)
    """Why the proxy itself may not read it, or that it is not served."""
    ended: bool = field(init=False, default=False)
    """The resource is not served any more."""
    _name: str = field(init=False)
    _cacher: Cacher = field(init=False)
    _synced: bool = field(init=False, default=False)
    _heard_at: float = field(init=False)
    _moved: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _listed: dict[Key, Record] = field(init=False, default_factory=dict)
    _pending: list[Change] = field(init=False, default_factory=list)
    _gaps: list[tuple[int, int]] = field(init=False, default_factory=list)
    """Between these revisions nobody knows what was when."""
    _written: int = field(init=False, default=0)
    _leaving: dict[str, None] = field(init=False, default_factory=dict)
    """Uids of what was deleted through this replica and is still here."""

    def __post_init__(self) -> None:
        self._name = str(self.resource.group_resource)
        self._cacher = Cacher(0, 0, self.config, self.clock)
        self._heard_at = self.clock()

    # A source

    @property
    def revision(self) -> int:
        """The newest revision that was heard of."""
        return self._cacher.revision

    def get(self, key: Key) -> Record | None:
        """The newest record."""
        return self._cacher.memory.get(key)

    def list(self, resource: str, namespace: str | None = None, at: int | None = None) -> Snapshot:
        """What there is, now or ``at`` a revision that is remembered.

        Raises:
            CompactedError: ``at`` is too old, or falls into a gap.
            FutureRevisionError: ``at`` is not reached.
        """
        if at is not None and any(begin < at < end for begin, end in self._gaps):
            raise CompactedError(f"what was at revision {at} is not known")
        return self._cacher.list(resource, namespace, at)

    def changed(self, resource: str, namespace: str | None = None) -> int:
        """A revision that grows with every change of the collection."""
        return self._cacher.memory.changed(resource, namespace)

    def watch(
        self, resource: str, namespace: str | None, since: int, deliver: Deliver
    ) -> Subscription:
        """Deliver every change after ``since``: the remembered ones now, then live.

        Raises:
            CompactedError: ``since`` is too old.
        """
        return self._cacher.watch(resource, namespace, since, deliver)

    # How true it is

    @property
    def watched(self) -> bool:
        """Whether somebody watches it."""
        return self._cacher.watched

    @property
    def synced(self) -> bool:
        """Whether it is known what there is."""
        return self._synced

    @property
    def age(self) -> float:
        """Seconds since the cluster last said something."""
        return self.clock() - self._heard_at

    async def ready(self) -> None:
        """Wait until it can answer, and has seen what was written through this replica.

        Raises:
            StatusError: the proxy may not read the resource, or it is not served.
            ServiceUnavailableError: the cluster is silent; old data is not shown.
        """
        if not await self._wait(self._may_answer, SYNC_SECONDS):
            raise _unavailable(f"what the cluster has of {self._name} is not known yet")
        if self.refused is not None and not self._synced:
            raise self.refused
        if self.age > STALE_SECONDS:
            raise _unavailable(f"the cluster does not say what is new of {self._name}")
        if not await self._wait(self._is_settled, SETTLE_SECONDS):
            self._written = 0
            self._leaving.clear()

    def _may_answer(self) -> bool:
        return self._synced or self.ended or self.refused is not None

    def _is_settled(self) -> bool:
        return self.revision >= self._written and not self._leaving

    async def _wait(self, reached: Callable[[], bool], seconds: float) -> bool:
        if reached():
            return True
        await in_task()
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _move(self) -> None:
        """Wake whoever waits for something to come."""
        self._moved.set()
        self._moved = asyncio.Event()

    def wrote(self, namespace: str, name: str, answer: Object) -> None:
        """Take the answer to a successful write; the next read waits for what it says."""
        version = _version(answer)
        if version:
            self._written = max(self._written, version)
            return
        # The Status of a deletion: it names what is gone, and no revision.
        uid = str(get_path(answer, "details", "uid", default=""))
        record = self.get(Key(self._name, namespace, name))
        if uid and record is not None and _uid(record) == uid:
            self._leaving[uid] = None

    # Its feed

    async def run(self) -> None:
        """Follow the resource until cancelled, or until it is not served any more."""
        while True:
            try:
                async for event in self._stream().events():
                    self._receive(event)
            except NotFoundError:
                self.end(NotFoundError.resource())
                return
            except _GapError as error:
                _LOG.warning("watch of %s: %s", self._name, error)
                await asyncio.sleep(_PAUSE_SECONDS)

    def _stream(self) -> Stream:
        return Stream(
            self.client,
            self.resource,
            page=PAGE,
            length=WATCH_SECONDS,
            heard=self._hear,
            failed=self._failed,
        )

    def _hear(self) -> None:
        self._heard_at = self.clock()

    def _failed(self, error: StatusError | ConnectionFailedError) -> None:
        if isinstance(error, StatusError) and error.code in (403, 405):
            self.refused = error
            self._move()

    def end(self, why: StatusError) -> None:
        """Answer no more, and end every watch."""
        self.refused, self.ended, self._synced = why, True, False
        self._cacher.close()
        self._move()

    def _receive(self, event: Event) -> None:
        match event.type:
            case EventType.LISTING:
                self._flush()
                self._listed = {}
            case EventType.LISTED:
                key, record = self._read(event.object)
                self._listed[key] = record
            case EventType.SYNCED:
                self._take_list(_version(event.object))
            case EventType.BOOKMARK:
                self._flush()
                self._cacher.advance(_version(event.object))
                self._move()
            case EventType.ADDED | EventType.MODIFIED | EventType.DELETED:
                self._take(event)

    def _read(self, obj: Object) -> tuple[Key, Record]:
        namespace = namespace_of(obj) if self.resource.namespaced else ""
        key = Key(self._name, namespace, name_of(obj))
        return key, Record(_version(obj), _encode(obj))

    def _take(self, event: Event) -> None:
        key, record = self._read(event.object)
        newest = self._pending[-1].record.revision if self._pending else self.revision
        if record.revision <= newest:
            raise _GapError(f"revision {record.revision} after {newest}")
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        deleted = event.type is EventType.DELETED
        self._pending.append(Change(key, record, 0, deleted))
        if deleted:
            self._leaving.pop(uid_of(event.object), None)

    def _flush(self) -> None:
        """Show what came in one turn of the event loop."""
        if self._pending and not self.ended:
            changes, self._pending = self._pending, []
            self._apply(changes)
        self._pending.clear()

    def _apply(self, changes: Sequence[Change]) -> None:
        self._cacher.apply(changes)
        self._cacher.memory.forget(self.revision)
        floor = self._cacher.floor
        self._gaps = [each for each in self._gaps if each[1] > floor]
        self._move()

    def _take_list(self, revision: int) -> None:
        """What a list says; the difference to what was known becomes events."""
        listed, self._listed = self._listed, {}
        memory = self._cacher.memory
        known = dict(memory.unordered(self._name, None))
        newer = {key: each for key, each in listed.items() if known.get(key) != each}
        known_at = self.revision
        odd = any(each.revision <= known_at for each in newer.values())
        if not self._synced or odd or revision < known_at:
            self._begin(revision, listed)
        else:
            changes = _difference(known, listed, known_at, revision)
            if changes:
                self._gaps.append((known_at, revision))
                self._apply(changes)
            self._cacher.advance(revision)
        self.refused, self._synced = None, True
        self._leaving.clear()
        self._move()

    def _begin(self, revision: int, listed: dict[Key, Record]) -> None:
        """Begin with a list: watches of what was known before it cannot go on."""
        self._cacher.close()
        self._cacher = Cacher(revision, revision, self.config, self.clock)
        self._gaps = []
        for key, record in listed.items():
            self._cacher.memory.apply(Change(key, record, 0, False))


class _GapError(Exception):
    """The watch is not what a watch is: only a list tells what there is."""


def _difference(
    known: dict[Key, Record], listed: dict[Key, Record], known_at: int, listed_at: int
) -> list[Change]:
    """What must have happened between two lists, in an order in which it can have happened."""
    changes: list[Change] = []
    for key, record in listed.items():
        old = known.get(key)
        if old == record:
            continue
        if old is not None and _uid(old) != _uid(record):
            before = record.revision - 1
            gone = Record(before, at_revision(old.value, before))
            changes.append(Change(key, gone, 0, True))
        changes.append(Change(key, record, 0, False))
    changes.sort(key=lambda each: each.record.revision)
    last = [each for each in changes if each.record.revision == listed_at]
    changes = changes[: len(changes) - len(last)]
    missing = sorted(key for key in known if key not in listed)
    # When each was deleted is not known. All are told as late as can be, yet before what brought
    # the list's own revision: whoever has that one has heard of all. Whoever hears of only some
    # before his connection breaks comes back with a revision from before them all.
    told = changes[-1].record.revision if changes else known_at
    told = listed_at if len(missing) == 1 and not last else told
    for key in missing:
        value = at_revision(known[key].value, told)
        changes.append(Change(key, Record(listed_at, value), 0, True))
    return changes + last


def at_revision(value: bytes, revision: int) -> bytes:
    """The object with another resourceVersion."""
    obj = orjson.loads(value)
    obj["metadata"]["resourceVersion"] = str(revision)
    return orjson.dumps(obj)


def _uid(record: Record) -> str:
    return uid_of(orjson.loads(record.value))


def _version(obj: Object) -> int:
    version = resource_version_of(obj)
    return int(version) if version.isascii() and version.isdigit() else 0


def _encode(obj: Object) -> bytes:
    """An object without its type: as it stands in lists."""
    value = orjson.dumps({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")})
    # A copy, because orjson leaves its whole buffer to what it returns: eight times the memory.
    return bytes(memoryview(value))


def _unavailable(message: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(message, {"retryAfterSeconds": 2})
