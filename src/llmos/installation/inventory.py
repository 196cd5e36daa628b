"""What an installation put into the cluster, so that a later one knows what is left over.

It is a ConfigMap of ``llmos-system`` that nobody who signed in through llmos may write. And what it
says is believed of places only that can be the platform's: whoever forged it would not have others'
objects deleted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.resource import GroupResource
from llmos.apis.namespaces import SYSTEM_NAMESPACE
from llmos.apis.platform_content import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    GLOBAL_ROLES,
    POLICIES,
    POLICY_BINDINGS,
    RECORD,
    ROLE_BINDINGS,
    ROLE_TEMPLATES,
    ROLES,
    SERVICE_ACCOUNTS,
    Place,
)
from llmos.client.client import Client
from llmos.client.resources import CONFIG_MAPS

_PREFIXES = {
    each.group_resource: ("llmos:", "llmos-")
    for each in (
        *(POLICIES, POLICY_BINDINGS, SERVICE_ACCOUNTS),
        *(CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS),
    )
} | {each.group_resource: ("",) for each in (GLOBAL_ROLES, ROLE_TEMPLATES)}


_OURS = ("", SYSTEM_NAMESPACE, "llmos-public", "kube-public", "default")
"""The namespaces that the platform ever put anything into."""


def may_be_pruned(place: Place) -> bool:
    """Whether an object can be left over: never a namespace or a definition, which hold data."""
    prefixes = _PREFIXES.get(place.resource)
    return prefixes is not None and place.name.startswith(prefixes) and place.namespace in _OURS


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is installed."""

    version: str = ""
    """Of llmos, that was installed last; ``""``: none was."""
    content: str = ""
    """The ``digest`` of what it brought: controllers of another version repair nothing."""
    places: frozenset[Place] = frozenset()
    made: frozenset[str] = frozenset()
    """The namespaces that were not there before."""

    def with_places(self, places: Iterable[Place]) -> "Inventory":
        """The same with more places."""
        return replace(self, places=self.places.union(places))


def _line(place: Place) -> str:
    return f"{place.resource.group} {place.resource.resource} {place.namespace} {place.name}"


def _place(line: str) -> Place:
    group, plural, namespace, name = line.split(" ")
    return Place(GroupResource(group, plural), namespace, name)


async def read(client: Client) -> Inventory:
    """What is installed; nothing where there is no record that can be read.

    Raises:
        StatusError: the cluster refused.
        ConnectionFailedError: it did not answer.
    """
    try:
        found = await client.get(CONFIG_MAPS, SYSTEM_NAMESPACE, RECORD)
    except NotFoundError:
        return Inventory()
    data = found.get("data") or {}
    lines = [each for each in data.get("objects", "").splitlines() if each.count(" ") == 3]
    return Inventory(
        data.get("version", ""),
        data.get("content", ""),
        frozenset(_place(each) for each in lines),
        frozenset(data.get("namespaces", "").split()),
    )


def to_object(inventory: Inventory) -> Object:
    """The ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": RECORD, "namespace": SYSTEM_NAMESPACE},
        "data": {
            "version": inventory.version,
            "content": inventory.content,
            "objects": "\n".join(sorted(_line(each) for each in inventory.places)),
            "namespaces": "\n".join(sorted(inventory.made)),
        },
    }


async def write(client: Client, inventory: Inventory, manager: str) -> bool:
    """Record what is installed; says whether that is news.

    Raises:
        StatusError: the cluster refused.
        ConnectionFailedError: it did not answer.
    """
    wanted = to_object(inventory)
    try:
        found = await client.get(CONFIG_MAPS, SYSTEM_NAMESPACE, RECORD)
    except NotFoundError:
        found = {}
    if get_path(found, "data") == wanted["data"]:
        return False
    await client.apply(CONFIG_MAPS, wanted, manager=manager)
    return True
