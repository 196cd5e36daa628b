"""What is in the cluster, in memory: one list and watch for each resource, shared by all.

Controllers read through ``Informers`` (a ``Lister``) and hear of changes through handlers. A
``keep`` function says what of an object stays in memory, so that a resource of which only the
events matter costs nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.client.client import Client
from llmos.client.watch import Event, EventType, Stream
from llmos.reconcile.workqueue import Key

log = logging.getLogger(__name__)

_NOT_SERVED_DELAY = 1.0
"""Seconds until a resource that was not served is asked for again."""

Keep = Callable[[Object], Object | None]
"""What of an object to remember; None: nothing."""
Index = Callable[[Object], Iterable[str]]
"""The values under which an object is found."""


def keep_all(obj: Object) -> Object | None:
    """Remember the object but for ``managedFields``, which no controller reads."""
    obj.get("metadata", {}).pop("managedFields", None)
    return obj


def keep_named(wanted: str) -> Keep:
    """Remember only the objects of one name, one in each namespace."""
    return lambda obj: obj if name_of(obj) == wanted else None


def keep_nothing(obj: Object) -> Object | None:  # noqa: ARG001 - the shape of Keep
    """Remember nothing: only the events are wanted."""
    return None


def _ignore() -> None:
    """Nobody wants to know."""


class Change(NamedTuple):
    """What happened to one object."""

    type: EventType
    """ADDED, MODIFIED or DELETED."""
    object: Object
    """Whole, as it came; of an object that a new list no longer had: what was remembered."""
    old: Object | None
    """What was remembered before."""


Handler = Callable[[Change], None]


def key_of(obj: Object) -> Key:
    """The object's key."""
    return Key(namespace_of(obj), name_of(obj))


@dataclass(slots=True, eq=False)
class Informer:
    """Follows one resource. What it gives is shared: never change it."""

    client: Client
    resource: APIResource
    keep: Keep = keep_all
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    handlers: list[Handler] = field(default_factory=list)
    relisted: list[Callable[[], None]] = field(default_factory=list)
    """Called after each whole list."""
    namespace: str | None = None
    """Only what is in this one; None: all."""
    length: float | None = None
    """See ``Stream.length``."""
    heard: Callable[[], None] = _ignore
    """Called whenever the server has said something."""
    _objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    _indexes: dict[str, Index] = field(default_factory=dict)
    _indexed: dict[str, dict[str, set[Key]]] = field(default_factory=dict)
    _listed: set[Key] = field(default_factory=set)

    def add_handler(self, handler: Handler) -> None:
        """Tell of every change from now on, and of all that is remembered as ADDED."""
        for obj in list(self.list()):
            handler(Change(EventType.ADDED, obj, None))
        self.handlers.append(handler)

    def add_index(self, name: str, index: Index) -> None:
        """Find objects by the values that ``index`` gives; a second one of a name is ignored."""
        if name in self._indexes:
            return
        self._indexes[name] = index
        self._indexed[name] = {}
        for obj in self.list():
            self._put_in_index(name, key_of(obj), obj)

    def get(self, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._objects.get(namespace, {}).get(name)

    def list(self, namespace: str | None = None) -> Iterator[Object]:
        """All objects, in one namespace or (None) in all."""
        if namespace is not None:
            yield from self._objects.get(namespace, {}).values()
            return
        for objects in self._objects.values():
            yield from objects.values()

    def by_index(self, index: str, value: str) -> Iterator[Object]:
        """All objects that an index gives a value."""
        for key in tuple(self._indexed[index].get(value, ())):
            obj = self.get(*key)
            if obj is not None:
                yield obj

    async def run(self) -> None:
        """Follow the resource until cancelled; one that is not served (yet) is empty."""
        while True:
            try:
                async for event in self._stream().events():
                    self.receive(event)
            except NotFoundError:
                self.receive(Event(EventType.LISTING, {}))
                self.receive(Event(EventType.SYNCED, {}))
            await asyncio.sleep(_NOT_SERVED_DELAY)

    def _stream(self) -> Stream:
        return Stream(
            self.client, self.resource, self.namespace, length=self.length, heard=self.heard
        )

    def receive(self, event: Event) -> None:
        """Take one event of the stream."""
        match event.type:
            case EventType.LISTING:
                self._listed = set()
            case EventType.SYNCED:
                self._end_list()
            case EventType.DELETED:
                self._forget(event.object)
            case EventType.LISTED:
                self._remember(event.object)
                if self.get(*(key := key_of(event.object))) is not None:
                    self._listed.add(key)
            case EventType.ADDED | EventType.MODIFIED:
                self._remember(event.object)
            case EventType.BOOKMARK:
                pass

    def _end_list(self) -> None:
        gone = [each for each in self.list() if key_of(each) not in self._listed]
        self._listed = set()
        for obj in gone:
            self._forget(obj)
        self.synced.set()
        for call in self.relisted:
            call()

    def _remember(self, obj: Object) -> None:
        namespace, name = key = key_of(obj)
        old = self.get(namespace, name)
        self._replace(key, old, self.keep(obj))
        kind = EventType.ADDED if old is None else EventType.MODIFIED
        self._tell(Change(kind, obj, old))

    def _forget(self, obj: Object) -> None:
        namespace, name = key = key_of(obj)
        old = self.get(namespace, name)
        self._replace(key, old, None)
        self._tell(Change(EventType.DELETED, obj, old))

    def _tell(self, change: Change) -> None:
        for handler in self.handlers:
            try:
                handler(change)
            except Exception as error:  # noqa: BLE001 - one odd object must not stop the others
                log.error(  # noqa: TRY400 - a traceback could show the object
                    "%s %s: a handler failed: %s",
                    self.resource.group_resource,
                    key_of(change.object).path,
                    type(error).__name__,
                )

    def _replace(self, key: Key, old: Object | None, new: Object | None) -> None:
        for index in self._indexes:
            if old is not None:
                self._take_from_index(index, key, old)
            if new is not None:
                self._put_in_index(index, key, new)
        if new is not None:
            self._objects.setdefault(key.namespace, {})[key.name] = new
        elif old is not None:
            objects = self._objects[key.namespace]
            del objects[key.name]
            if not objects:
                del self._objects[key.namespace]

    def _values(self, index: str, obj: Object) -> tuple[str, ...]:
        try:
            return tuple(self._indexes[index](obj))
        except Exception:  # noqa: BLE001 - one odd object must not stop the others
            return ()

    def _put_in_index(self, index: str, key: Key, obj: Object) -> None:
        for value in self._values(index, obj):
            self._indexed[index].setdefault(value, set()).add(key)

    def _take_from_index(self, index: str, key: Key, obj: Object) -> None:
        for value in self._values(index, obj):
            keys = self._indexed[index].get(value, set())
            keys.discard(key)
            if not keys:
                self._indexed[index].pop(value, None)


class Informers:
    """One informer for each resource; a ``Lister`` over those that remember their objects."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._informers: dict[GroupResource, Informer] = {}
        self._tasks: dict[GroupResource, asyncio.Task[None]] = {}
        self._start: Callable[[Informer], asyncio.Task[None]] | None = None

    def informer(self, resource: APIResource, keep: Keep = keep_all) -> Informer:
        """The resource's informer; the first who asks says what is remembered.

        Who needs whole objects asks before the runner starts; ``follow`` is for all others.
        """
        known = self._informers.get(resource.group_resource)
        if known is None:
            known = Informer(self.client, resource, keep)
            self._informers[resource.group_resource] = known
            self._run(known)
        return known

    def follow(self, resource: APIResource, handler: Handler) -> Informer:
        """Tell of every object, and of every change, of a resource; of some more than once.

        An informer that does not remember all of them lists them again for the newcomer.
        """
        known = resource.group_resource in self._informers
        informer = self.informer(resource, keep_nothing)
        informer.add_handler(handler)
        if known and informer.keep is not keep_all:
            self._stop(resource.group_resource)
            informer.synced.clear()
            self._run(informer)
        return informer

    def is_current(self, informer: Informer) -> bool:
        """Whether the informer is in use, and was not dropped."""
        return self._informers.get(informer.resource.group_resource) is informer

    def drop(self, resource: GroupResource) -> None:
        """Stop following a resource and forget its objects."""
        self._informers.pop(resource, None)
        self._stop(resource)

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        informer = self._informers.get(resource)
        return informer.get(namespace, name) if informer else None

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or (None) in all."""
        informer = self._informers.get(resource)
        return informer.list(namespace) if informer else ()

    def start(self, start: Callable[[Informer], asyncio.Task[None]]) -> None:
        """Start every informer, those that are asked for later at once."""
        self._start = start
        for informer in self._informers.values():
            self._run(informer)

    def stop(self) -> None:
        """Start no more informers; whoever holds the tasks ends them."""
        self._start = None
        self._tasks.clear()

    async def wait_synced(self) -> None:
        """Wait until every informer knows what there is."""
        for informer in list(self._informers.values()):
            await informer.synced.wait()

    def _stop(self, resource: GroupResource) -> None:
        task = self._tasks.pop(resource, None)
        if task is not None:
            task.cancel()

    def _run(self, informer: Informer) -> None:
        if self._start is not None:
            self._tasks[informer.resource.group_resource] = self._start(informer)
