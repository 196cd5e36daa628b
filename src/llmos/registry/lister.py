"""The registry as ``Lister`` and ``ObjectStore``: for authorization, admission and accounts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import MASTERS_GROUP, UserInfo
from llmos.registry.catalog import Catalog
from llmos.registry.context import WriteContext
from llmos.registry.served import Served
from llmos.registry.store import Store
from llmos.storage.interface import Storage
from llmos.watchcache.interface import Key

PLATFORM = UserInfo(name="system:apiserver", groups=(MASTERS_GROUP,))
"""Who the server itself is when it writes."""


@dataclass(frozen=True, slots=True)
class CommittedLister:
    """Reads what is committed."""

    storage: Storage

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        record = self.storage.get(Key(str(resource), namespace, name))
        return None if record is None else orjson.loads(record.value)

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or (None) in all."""
        snapshot = self.storage.list(str(resource), namespace)
        return [orjson.loads(record.value) for _, record in snapshot.items]


_MAX_DECODED = 2048
"""Objects that admission reads again and again (Namespaces) and that are kept decoded."""


@dataclass(frozen=True, slots=True)
class LatestLister:
    """Reads the newest state, writes in flight included: what admission must judge by."""

    storage: Storage
    _decoded: dict[Key, tuple[int, Object]] = field(default_factory=dict, repr=False)

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        key = Key(str(resource), namespace, name)
        record = self.storage.latest(key)
        if record is None:
            return None
        known = self._decoded.get(key)
        if known is not None and known[0] == record.revision:
            return known[1]
        obj: Object = orjson.loads(record.value)
        if len(self._decoded) >= _MAX_DECODED:
            self._decoded.clear()
        self._decoded[key] = (record.revision, obj)
        return obj

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or (None) in all."""
        return [
            orjson.loads(record.value)
            for _, record in self.storage.list_latest(str(resource), namespace)
        ]

    def count(self, resource: GroupResource, namespace: str) -> int:
        """How many objects of a resource a namespace has."""
        return len(self.storage.list_latest(str(resource), namespace))


@dataclass(frozen=True, slots=True)
class PlatformStore:
    """Reads and writes as the platform itself, through the same store as every request."""

    store: Store
    catalog: Catalog

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One committed object, or None."""
        served = self._served(resource)
        record = self.store.storage.get(served.key(namespace, name))
        return None if record is None else served.load(record.value)

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All committed objects of a resource, in one namespace or (None) in all."""
        served = self._served(resource)
        snapshot = self.store.storage.list(served.storage_name, namespace)
        return [served.load(record.value) for _, record in snapshot.items]

    async def create(self, resource: GroupResource, obj: Object) -> Object:
        """Create, in the namespace that the object names; the stored object comes back."""
        served = self._served(resource)
        decoded, _ = served.decode(obj)
        value = await self.store.create(served, decoded, self._context(obj))
        return served.load(value)

    async def install(self, resource: GroupResource, obj: Object) -> None:
        """Create an object that ships with the platform: decoded, and valid as the tests found."""
        await self.store.create(self._served(resource), obj, self._context(obj, valid=True))

    async def update(self, resource: GroupResource, obj: Object) -> Object:
        """Replace; with ``metadata.resourceVersion`` set, only that version."""
        served = self._served(resource)
        decoded, _ = served.decode(obj)
        value, _ = await self.store.update(served, name_of(obj), decoded, self._context(obj))
        return served.load(value)

    async def update_status(self, resource: GroupResource, obj: Object) -> Object:
        """Replace the status; with ``metadata.resourceVersion`` set, only of that version."""
        served = self._served(resource)
        decoded, _ = served.decode(obj)
        context = self._context(obj)
        value, _ = await self.store.update(served, name_of(obj), decoded, context, "status")
        return served.load(value)

    async def delete(self, resource: GroupResource, namespace: str, name: str) -> None:
        """Delete; an object that does not exist raises NotFoundError."""
        served = self._served(resource)
        await self.store.delete(served, name, self._context({"metadata": {"namespace": namespace}}))

    def _served(self, resource: GroupResource) -> Served:
        served = self.catalog.of(resource)
        if served is None:
            raise NotFoundError.resource()
        return served

    @staticmethod
    def _context(obj: Object, valid: bool = False) -> WriteContext:
        return WriteContext(PLATFORM, namespace_of(obj), field_manager="llmos", valid=valid)
