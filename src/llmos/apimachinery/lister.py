"""Who can read (and write) many objects: the registry on one engine, informer and client elsewhere.

Rooms that need objects and may not import the registry take one of these.
"""

from collections.abc import Iterable
from typing import Protocol

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupResource


class Lister(Protocol):
    """Reads objects from memory. What it gives is shared: never change it."""

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None. ``namespace`` is ``""`` for cluster-wide resources."""

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or (None) in all."""


class ObjectStore(Lister, Protocol):
    """Reads and writes objects under the platform's own identity.

    Objects come and go with ``kind`` and ``apiVersion``. Every write raises the StatusErrors of
    the API (NotFoundError, AlreadyExistsError, ConflictError, InvalidError, …).
    """

    async def create(self, resource: GroupResource, obj: Object) -> Object:
        """Create, in the namespace that the object names; the stored object comes back."""

    async def update(self, resource: GroupResource, obj: Object) -> Object:
        """Replace; with ``metadata.resourceVersion`` set, only that version."""

    async def delete(self, resource: GroupResource, namespace: str, name: str) -> None:
        """Delete; an object that does not exist raises NotFoundError."""
