"""An ``ObjectStore`` on a cluster for a job that is soon done: read once, then kept up by hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.client.client import Client

_Name = tuple[str, str]


@dataclass(slots=True)
class Snapshot:
    """Some resources as they were read, with our own writes."""

    client: Client
    resources: Mapping[GroupResource, APIResource]
    _objects: dict[GroupResource, dict[_Name, Object]] = field(default_factory=dict)

    async def read(self, resource: APIResource, namespace: str | None = None) -> None:
        """Read a resource, in one namespace or (None) in all."""
        found = await self.client.list(resource, namespace)
        self._objects[resource.group_resource] = {
            (namespace_of(each), name_of(each)): each for each in found
        }

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._objects[resource].get((namespace, name))

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or (None) in all."""
        found = self._objects[resource].items()
        return [obj for (where, _), obj in found if namespace in (None, where)]

    async def create(self, resource: GroupResource, obj: Object) -> Object:
        """Create, in the namespace that the object names; the stored object comes back."""
        return self._keep(resource, await self.client.create(self.resources[resource], obj))

    async def update(self, resource: GroupResource, obj: Object) -> Object:
        """Replace; with ``metadata.resourceVersion`` set, only that version."""
        return self._keep(resource, await self.client.update(self.resources[resource], obj))

    async def delete(self, resource: GroupResource, namespace: str, name: str) -> None:
        """Delete; an object that does not exist raises NotFoundError."""
        await self.client.delete(self.resources[resource], namespace, name)
        self._objects[resource].pop((namespace, name), None)

    def _keep(self, resource: GroupResource, obj: Object) -> Object:
        self._objects[resource][namespace_of(obj), name_of(obj)] = obj
        return obj
