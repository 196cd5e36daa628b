"""Who owns whom: the graph of ownerReferences, fed by events.

It holds objects that have owners, and those whose deletion waits for their dependents; everything
else is known to exist only while its event passes by.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from llmos.apimachinery.object import (
    Object,
    finalizers_of,
    is_terminating,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
)
from llmos.apimachinery.resource import APIResource, GroupResource, parse_api_version

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Owner(NamedTuple):
    """One ownerReference."""

    group: str
    kind: str
    name: str
    uid: str
    blocks: bool


class Node(NamedTuple):
    """An object of the graph."""

    resource: APIResource
    namespace: str
    name: str
    uid: str
    owners: tuple[Owner, ...]
    waits: bool
    """It is being deleted and has a finalizer of the garbage collector's."""
    terminating: bool


def owners_of(obj: Object) -> tuple[Owner, ...]:
    """The object's ownerReferences; malformed ones cannot be stored."""
    return tuple(
        Owner(
            parse_api_version(each["apiVersion"])[0],
            each["kind"],
            each["name"],
            each["uid"],
            bool(each.get("blockOwnerDeletion")),
        )
        for each in owner_references(obj)
    )


def node_of(resource: APIResource, obj: Object) -> Node:
    """What the graph remembers of an object."""
    terminating = is_terminating(obj)
    waits = terminating and not {FOREGROUND, ORPHAN}.isdisjoint(finalizers_of(obj))
    return Node(
        resource,
        namespace_of(obj),
        name_of(obj),
        uid_of(obj),
        owners_of(obj),
        waits,
        terminating,
    )


@dataclass(slots=True)
class Graph:
    """Objects by uid, and the dependents of each owner's uid."""

    nodes: dict[str, Node] = field(default_factory=dict)
    dependents: dict[str, set[str]] = field(default_factory=dict)

    def put(self, node: Node) -> bool:
        """Take in an object; says whether there is something to do about it."""
        old = self.nodes.get(node.uid)
        if old is not None and old.owners != node.owners:
            self._unlink(old)
        if not (node.owners or node.waits):
            self.nodes.pop(node.uid, None)
            return False
        self.nodes[node.uid] = node
        for owner in node.owners:
            self.dependents.setdefault(owner.uid, set()).add(node.uid)
        return old is None or old.owners != node.owners or (node.waits and not old.waits)

    def remove(self, uid: str) -> Node | None:
        """Forget an object that is gone."""
        node = self.nodes.pop(uid, None)
        if node is not None:
            self._unlink(node)
        return node

    def dependents_of(self, uid: str) -> list[Node]:
        """The objects that name an owner."""
        found = (self.nodes.get(each) for each in self.dependents.get(uid, ()))
        return [each for each in found if each is not None]

    def dependents_of_kind(self, group: str, kind: str) -> Iterator[Node]:
        """The objects that name any owner of a kind."""
        for node in list(self.nodes.values()):
            if any(each.group == group and each.kind == kind for each in node.owners):
                yield node

    def blocking(self, uid: str) -> list[Node]:
        """The dependents that a foreground deletion of an owner waits for."""
        return [
            each
            for each in self.dependents_of(uid)
            if each.uid != uid and any(owner.uid == uid and owner.blocks for owner in each.owners)
        ]

    def waits_for(self, waiting: Node, wanted: str) -> bool:
        """Whether a deletion in the foreground waits, over any number of others, for an object."""
        seen: set[str] = set()
        open_nodes = [waiting]
        while open_nodes:
            node = open_nodes.pop()
            if node.uid == wanted:
                return True
            if node.waits and node.uid not in seen:
                seen.add(node.uid)
                open_nodes += self.blocking(node.uid)
        return False

    def of_resource(self, resource: GroupResource) -> list[Node]:
        """The objects of a resource."""
        return [each for each in self.nodes.values() if each.resource.group_resource == resource]

    def _unlink(self, node: Node) -> None:
        for owner in node.owners:
            dependents = self.dependents.get(owner.uid, set())
            dependents.discard(node.uid)
            if not dependents:
                self.dependents.pop(owner.uid, None)
