"""One object, made as it was shipped: server-side apply under the field manager ``llmos``.

What is right already is not written. Fields that others added are taken out of the platform's own
objects, which apply alone would leave there. An object of the same name that the platform never
made is not taken over unless the operator says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.errors import ConflictError, NotFoundError
from llmos.apimachinery.object import (
    Object,
    annotations_of,
    get_path,
    labels_of,
    name_of,
    namespace_of,
    resource_version_of,
    uid_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.apis.platform_content import MANAGER, NAMESPACES, Place, Shipped, repaired, to_apply
from llmos.client.client import APPLY_PATCH, Client, delete_options, resource_path
from llmos.installation.inventory import Inventory
from llmos.installation.outcome import Action, Outcome


@dataclass(frozen=True, slots=True)
class Applier:
    """Makes objects, or only asks the server what would become of them."""

    client: Client
    inventory: Inventory
    dry_run: bool = False
    _found: dict[Place, Object] = field(default_factory=dict)
    _absent: set[str] = field(default_factory=set)
    """Namespaces and kinds that only a real run would have made by now."""

    async def look(self, content: Iterable[Shipped]) -> list[Place]:
        """Read what is there; gives what is, and is somebody else's.

        Raises:
            StatusError: the cluster refused.
            ConnectionFailedError: it did not answer.
        """
        for each in content:
            try:
                self._found[each.place] = await self.client.get(each.resource, *each.place[1:])
            except NotFoundError:
                continue
        return [
            each.place
            for each in content
            if each.place in self._found and not self._is_ours(each, self._found[each.place])
        ]

    def _is_ours(self, shipped: Shipped, current: Object) -> bool:
        """Whether an object may be changed: those that are right as they are need not be."""
        return (
            shipped.resource == NAMESPACES
            or repaired(current, shipped.object) is None
            or shipped.place in self.inventory.places
            or any(each.get("manager") == MANAGER for each in managers_of(current))
        )

    async def apply(self, shipped: Shipped) -> Outcome:
        """Make one object as it was shipped.

        Raises:
            InstallationError: somebody else writes the same, and cannot be overruled.
            StatusError: the cluster refused.
            ConnectionFailedError: it did not answer.
        """
        resource, obj = shipped
        needed = (namespace_of(obj), str(resource.group_resource))
        if not self._absent.isdisjoint(needed):
            return Outcome(shipped.place, Action.CREATED, after=obj)
        current = self._found.get(shipped.place)
        if current is None:
            return await self._create(shipped)
        if resource == NAMESPACES:
            return await self._adorn(shipped, current)
        if repaired(current, obj) is None:
            return Outcome(shipped.place, Action.UNCHANGED, current, current)
        return await self._restore(shipped, current)

    async def _create(self, shipped: Shipped) -> Outcome:
        made = await self._send(shipped.resource, shipped.object)
        if self.dry_run:
            # A definition is named after its kind's resource, as ``str(group_resource)`` is.
            self._absent.add(name_of(shipped.object))
        return Outcome(shipped.place, Action.CREATED, after=made)

    async def _adorn(self, shipped: Shipped, current: Object) -> Outcome:
        """Add labels and annotations to a namespace; what others wrote there stays theirs."""
        known = shipped.place in self.inventory.places
        meta: Object = {"name": name_of(current), "labels": labels_of(shipped.object)}
        wanted, found = annotations_of(shipped.object), annotations_of(current)
        meta["annotations"] = {
            key: value
            for key, value in wanted.items()
            if found.get(key) == value
            or (_owns(current, "annotations", key) if known else key not in found)
        }
        same = all(
            found_there.get(key) == value
            for part, found_there in (("labels", labels_of(current)), ("annotations", found))
            for key, value in meta[part].items()
        )
        if same:
            return Outcome(shipped.place, Action.UNCHANGED, current, current)
        after = await self._send(shipped.resource, {"metadata": meta})
        return Outcome(shipped.place, Action.CHANGED, current, after)

    async def _restore(self, shipped: Shipped, current: Object) -> Outcome:
        resource, obj = shipped
        if obj.get("roleRef") != current.get("roleRef"):
            return await self._replace(shipped, current)
        after = current
        while (exact := repaired(after, obj)) is not None:
            try:
                after = await self._call("PUT", resource, exact)
            except ConflictError:
                # Its status was written meanwhile.
                after = await self.client.get(resource, namespace_of(obj), name_of(obj))
        if not self.dry_run:
            # It is ours from now on. Applied first, it might be refused: with what others put into
            # a set of ours it may be no object that can be.
            after = await self._send(resource, to_apply(obj, current))
        return Outcome(shipped.place, Action.CHANGED, current, after)

    async def _replace(self, shipped: Shipped, current: Object) -> Outcome:
        """A binding to another role cannot be changed: it goes, and comes again."""
        options = delete_options(resource_version=resource_version_of(current))
        await self._call("DELETE", shipped.resource, current, options)
        after = shipped.object
        if not self.dry_run:
            after = await self._send(shipped.resource, shipped.object)
        return Outcome(shipped.place, Action.CHANGED, current, after)

    async def _send(self, resource: APIResource, obj: Object) -> Object:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return await self._call("PATCH", resource, obj, body)

    async def _call(
        self, method: str, resource: APIResource, obj: Object, body: Any = None
    ) -> Object:
        params: dict[str, str | int] = {} if method == "DELETE" else {"fieldManager": MANAGER}
        if method == "PATCH":
            params["force"] = "true"
        if self.dry_run:
            params["dryRun"] = "All"
        return await self.client.call(
            method,
            resource_path(resource, namespace_of(obj), name_of(obj)),
            params=params,
            body=obj if body is None else body,
            content_type=APPLY_PATCH if method == "PATCH" else "application/json",
        )

    async def prune(self, resource: APIResource, current: Object) -> Outcome:
        """Delete what an earlier version had and this one has no more."""
        await self._call("DELETE", resource, current, delete_options(uid=uid_of(current)))
        place = Place(resource.group_resource, namespace_of(current), name_of(current))
        return Outcome(place, Action.DELETED, current)


def managers_of(obj: Object) -> list[Object]:
    """The object's ``managedFields``."""
    return get_path(obj, "metadata", "managedFields", default=None) or []


def _owns(obj: Object, part: str, key: str) -> bool:
    """Whether the platform wrote a label or an annotation last."""
    path = ("fieldsV1", "f:metadata", f"f:{part}", f"f:{key}")
    return any(
        each.get("manager") == MANAGER and get_path(each, *path) is not None
        for each in managers_of(obj)
    )
