"""The accounts of a cluster, read once and written through: enough to make the first admin."""

from collections.abc import Iterable

from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.client import resources
from llmos.client.client import Client

_RESOURCES: dict[GroupResource, APIResource] = {
    each.group_resource: each
    for each in (resources.SECRETS, resources.USERS, resources.ROLE_TEMPLATE_BINDINGS)
}


class AccountStore:
    """An ``ObjectStore`` of Secrets in one namespace, Users and RoleTemplateBindings."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._objects: dict[tuple[GroupResource, str, str], Object] = {}

    async def read(self, namespace: str) -> None:
        """Read what is there; Secrets of this namespace."""
        for name, resource in _RESOURCES.items():
            place = namespace if resource.namespaced else None
            for each in await self._client.list(resource, place):
                self._put(name, each)

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._objects.get((resource, namespace, name))

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or (None) in all."""
        return [
            each
            for (kind, place, _), each in self._objects.items()
            if kind == resource and namespace in (None, place)
        ]

    async def create(self, resource: GroupResource, obj: Object) -> Object:
        """Create, in the namespace that the object names; the stored object comes back."""
        return self._put(resource, await self._client.create(_RESOURCES[resource], obj))

    async def update(self, resource: GroupResource, obj: Object) -> Object:
        """Replace; with ``metadata.resourceVersion`` set, only that version."""
        return self._put(resource, await self._client.update(_RESOURCES[resource], obj))

    async def delete(self, resource: GroupResource, namespace: str, name: str) -> None:
        """Delete; an object that does not exist raises NotFoundError."""
        await self._client.delete(_RESOURCES[resource], namespace, name)
        self._objects.pop((resource, namespace, name), None)

    def _put(self, resource: GroupResource, obj: Object) -> Object:
        self._objects[resource, namespace_of(obj), name_of(obj)] = obj
        return obj
