"""Objects that a controller makes for another one: whose they are, and how they come to be right.

Ownership is the controller's ownerReference with the owner's uid, nothing else: not a name, not a
label, both of which anybody can write.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from llmos.apimachinery.errors import AlreadyExistsError, NotFoundError
from llmos.apimachinery.object import (
    Object,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    owner_references,
    resource_version_of,
    uid_of,
)
from llmos.apimachinery.resource import APIResource, parse_api_version
from llmos.client.client import Client, delete_options
from llmos.reconcile.informer import Informer

_MAX_NAME_PART = 40
_NOT_CONTENT = ("apiVersion", "kind", "metadata", "status")


class NotOwnedError(Exception):
    """An object of the wanted name exists and is somebody else's."""


class Wanted(NamedTuple):
    """An object that should be."""

    resource: APIResource
    object: Object

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it stands: plural, namespace, name."""
        return self.resource.plural, namespace_of(self.object), name_of(self.object)


def short(text: str) -> str:
    """The text's beginning, fit for the middle of a name."""
    return text[:_MAX_NAME_PART].rstrip("-.:")


def short_uid(obj: Object) -> str:
    """Eight characters of the object's uid, which make a name unguessable before it exists."""
    return uid_of(obj).replace("-", "")[:8]


def controller_reference(owner: Object) -> dict[str, Any]:
    """The ownerReference of an object that ``owner`` controls."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Object) -> dict[str, Any] | None:
    """The ownerReference of the object's controller, or None."""
    return next((each for each in owner_references(obj) if each.get("controller")), None)


def owner_names(group: str, kind: str, obj: Object) -> Iterable[str]:
    """The name of the object's controller, if that is of this kind: what indexes are made of."""
    owner = controller_of(obj)
    if owner is None or owner.get("kind") != kind:
        return ()
    return (owner["name"],) if parse_api_version(owner["apiVersion"])[0] == group else ()


def _content(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in _NOT_CONTENT and value}


def differs(current: Object, wanted: Object) -> bool:
    """Whether the content, the owners or the labels are not as they should be."""
    return (
        _content(current) != _content(wanted)
        or owner_references(current) != owner_references(wanted)
        or labels_of(current) != labels_of(wanted)
    )


async def ensure(
    client: Client, wanted: Wanted, current: Object | None, *, adopt: bool = False
) -> None:
    """Make an object as it should be, unless it is somebody else's.

    Args:
        client: Writes it.
        wanted: What should be, with its controller's ownerReference.
        current: What is known to be.
        adopt: Whether to take over an object of this name that has no controller.

    Raises:
        NotOwnedError: an object of this name has another controller, or none.
        StatusError: the server refused.
    """
    resource, obj = wanted
    if current is None:
        try:
            await client.create(resource, obj)
        except AlreadyExistsError:
            current = await client.get(resource, namespace_of(obj), name_of(obj))
        else:
            return
    if not (adopt and controller_of(current) is None) and not _have_one_owner(current, obj):
        raise NotOwnedError(f"{resource.kind} {name_of(obj)} exists and is not ours")
    if not differs(current, obj):
        return
    if current.get("roleRef") != obj.get("roleRef"):
        await remove(client, resource, current)
        await client.create(resource, obj)
        return
    meta = {**metadata(obj), "resourceVersion": resource_version_of(current)}
    await client.update(resource, {**obj, "metadata": meta})


def _have_one_owner(current: Object, wanted: Object) -> bool:
    owner, ours = controller_of(current), controller_of(wanted)
    return owner is not None and ours is not None and owner["uid"] == ours["uid"]


async def remove(client: Client, resource: APIResource, obj: Object) -> None:
    """Delete this very object; one that is gone already is fine."""
    try:
        await client.delete(
            resource, namespace_of(obj), name_of(obj), delete_options(uid=uid_of(obj))
        )
    except NotFoundError:
        return


async def remove_others(
    client: Client, informer: Informer, index: tuple[str, str], uid: str, wanted: Iterable[Wanted]
) -> None:
    """Remove what has an owner for a controller and is not wanted.

    What an earlier owner of the same name left is among it: that one cannot exist any more.

    Args:
        client: Deletes.
        informer: Of what is owned.
        index: The index of the owners' names, and the owner's name.
        uid: The owner's.
        wanted: What is to be.
    """
    places = {each.place for each in wanted}
    for each in list(informer.by_index(*index)):
        owner = controller_of(each)
        place = Wanted(informer.resource, each).place
        if place not in places or (owner and owner["uid"] != uid):
            await remove(client, informer.resource, each)
