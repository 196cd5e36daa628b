"""What has owners goes when the last of them is gone.

A dependent whose owners are all absent is deleted; whether one is absent is asked of the server,
by name and uid, before anything is deleted. An owner that is deleted in the foreground waits for
the dependents that block it; one that orphans lets go of them first. Kinds of the platform whose
dependents are rights never orphan: rights end when their cause ends.

Follows k8s.io/kubernetes/pkg/controller/garbagecollector, but remembers dependents only.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import (
    Object,
    finalizers_of,
    find_condition,
    get_path,
    is_terminating,
    name_of,
    owner_references,
    resource_version_of,
    uid_of,
)
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.client.client import Client, delete_options
from llmos.client.discovery import preferred
from llmos.client.known import KnownResources
from llmos.client.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    EVENTS,
    GLOBAL_ROLES,
    ROLE_TEMPLATE_BINDINGS,
    ROLE_TEMPLATES,
    USERS,
)
from llmos.client.watch import EventType
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Change, Informer, Informers, keep_nothing
from llmos.reconcile.ownership import FOREGROUND, ORPHAN, Graph, Node, Owner, node_of
from llmos.reconcile.workqueue import Key

_DISCOVER = Key("", "discovery")
_BY_UID = "uid"
"""Keys of objects are ``(_BY_UID, uid)``."""
_AGAIN = 1.0
_IGNORED = frozenset({EVENTS.group_resource, GroupResource("events.k8s.io", "events")})
_NEVER_ORPHAN = frozenset(
    each.group_resource for each in (ROLE_TEMPLATE_BINDINGS, ROLE_TEMPLATES, GLOBAL_ROLES, USERS)
)


@dataclass(slots=True)
class Owners:
    """What became of an object's owners."""

    there: list[Owner] = field(default_factory=list)
    waiting: list[Owner] = field(default_factory=list)
    """Being deleted in the foreground, and this dependent blocks them."""
    absent: list[Owner] = field(default_factory=list)
    unknown: list[Owner] = field(default_factory=list)
    """Of kinds that are not served, or that cannot own this object: leave it alone."""


def policy_of(obj: Object) -> str:
    """How an object is deleted: as its finalizers say, else in the background."""
    finalizers = finalizers_of(obj)
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"


@dataclass(slots=True)
class GarbageCollector:
    """Deletes what lost its owners; lets owners go that waited for their dependents."""

    client: Client
    informers: Informers
    known: KnownResources
    definitions: Informer
    graph: Graph = field(default_factory=Graph)
    controller: Controller = field(init=False)
    followed: dict[GroupResource, Informer] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> Result:
        """Look for new resources, or at one object of the graph."""
        if key == _DISCOVER:
            return await self._discover()
        node = self.graph.nodes.get(key.name)
        if node is None:
            return DONE
        live = await self._live(node.resource, node.namespace, node.name)
        if live is None or uid_of(live) != node.uid:
            self._gone(node.uid)
            return DONE
        if is_terminating(live):
            return await self._let_go(node, live)
        return await self._collect(node, live)

    async def _discover(self) -> Result:
        """Follow every resource whose objects can be deleted, and no other."""
        discovery = await self.known.refresh()
        resources = {
            each.group_resource: each
            for each in preferred(discovery.resources)
            if {"list", "watch", "delete"} <= set(each.verbs)
            and each.group_resource not in _IGNORED
        }
        for resource in resources.values():
            self._follow(resource)
        if not discovery.failed:
            for gone in self.followed.keys() - resources.keys():
                self._unfollow(gone)
        expected = {established(each) for each in self.definitions.list()} - {None}
        late = not expected <= resources.keys()
        return Result(requeue_after=_AGAIN) if discovery.failed or late else DONE

    def _follow(self, resource: APIResource) -> None:
        if resource.group_resource in self.followed:
            return
        informer = self.informers.follow(resource, lambda change: self._changed(resource, change))
        informer.relisted.append(lambda: self._look_at_all(resource))
        self.followed[resource.group_resource] = informer

    def _unfollow(self, resource: GroupResource) -> None:
        informer = self.followed[resource]
        if informer.keep is keep_nothing:
            self.informers.drop(resource)
            del self.followed[resource]
        for node in self.graph.of_resource(resource):
            self._gone(node.uid)

    def _changed(self, resource: APIResource, change: Change) -> None:
        if change.type is EventType.DELETED:
            self._gone(uid_of(change.object))
            return
        node = node_of(resource, change.object)
        old = self.graph.nodes.get(node.uid)
        if self.graph.put(node):
            self._add(node.uid)
        if old is not None and (old.owners, old.terminating) != (node.owners, node.terminating):
            for owner in old.owners:
                self._add(owner.uid)

    def _look_at_all(self, resource: APIResource) -> None:
        """After a list: owners and dependents of the resource may have gone unseen."""
        for node in self.graph.of_resource(resource.group_resource):
            self._add(node.uid)
        for node in self.graph.dependents_of_kind(resource.group, resource.kind):
            self._add(node.uid)

    def _gone(self, uid: str) -> None:
        """An object is gone: look at its dependents, and at owners that wait for it."""
        node = self.graph.remove(uid)
        for dependent in self.graph.dependents_of(uid):
            self._add(dependent.uid)
        for owner in node.owners if node else ():
            self._add(owner.uid)

    def _add(self, uid: str) -> None:
        self.controller.queue.add(Key(_BY_UID, uid))

    async def _live(self, resource: APIResource, namespace: str, name: str) -> Object | None:
        try:
            return await self.client.get(resource, namespace, name)
        except NotFoundError:
            return None

    async def _owners(self, node: Node) -> Owners:
        """Ask the server for every owner."""
        owners = Owners()
        for owner in node.owners:
            resource = await self.known.kind(owner.group, owner.kind)
            if resource is None or (resource.namespaced and not node.namespace):
                owners.unknown.append(owner)
                continue
            live = await self._live(resource, node.namespace, owner.name)
            if live is None or uid_of(live) != owner.uid:
                owners.absent.append(owner)
            elif owner.blocks and is_terminating(live) and FOREGROUND in finalizers_of(live):
                owners.waiting.append(owner)
            else:
                owners.there.append(owner)
        return owners

    async def _collect(self, node: Node, live: Object) -> Result:
        """Delete an object that has no owner left, or tell it of those it lost."""
        node = node_of(node.resource, live)
        owners = await self._owners(node)
        lost = [*owners.absent, *owners.waiting]
        if not lost or owners.unknown:
            return DONE
        if owners.there:
            await self._release(node, live, {each.uid for each in lost})
            return DONE
        policy = policy_of(live)
        dependents = self.graph.dependents_of(node.uid)
        if owners.waiting and dependents:
            policy = "Foreground"
        await self._delete(node, live, policy)
        return DONE

    async def _delete(self, node: Node, live: Object, policy: str) -> None:
        """Delete this very version, so that one that was adopted meanwhile stays."""
        options = delete_options(
            uid=node.uid, resource_version=resource_version_of(live), propagation_policy=policy
        )
        try:
            await self.client.delete(node.resource, node.namespace, node.name, options)
        except NotFoundError:
            self._gone(node.uid)

    async def _release(self, node: Node, live: Object, uids: Collection[str]) -> None:
        """Take owners out of an object's ownerReferences."""
        kept = [each for each in owner_references(live) if each["uid"] not in uids]
        await self._patch_metadata(node, live, {"ownerReferences": kept or None})

    async def _patch_metadata(self, node: Node, live: Object, change: dict[str, Any]) -> None:
        patch = {"metadata": {"uid": node.uid, "resourceVersion": resource_version_of(live)}}
        patch["metadata"].update(change)
        try:
            await self.client.patch(node.resource, node.namespace, node.name, patch)
        except NotFoundError:
            self._gone(node.uid)

    async def _let_go(self, node: Node, live: Object) -> Result:
        """End the wait of an object that is being deleted, if nothing keeps it any more."""
        if not all(each.synced.is_set() for each in self.followed.values()):
            return Result(requeue_after=_AGAIN)  # There may be dependents we have not seen.
        finalizers = finalizers_of(live)
        if ORPHAN in finalizers:
            if node.resource.group_resource not in _NEVER_ORPHAN:
                await self._orphan(node.uid, self.graph.dependents_of(node.uid))
            await self._drop_finalizer(node, live, ORPHAN)
        elif FOREGROUND in finalizers and not self._is_blocked(node):
            await self._drop_finalizer(node, live, FOREGROUND)
        return DONE

    def _is_blocked(self, node: Node) -> bool:
        """Have the dependents that block the object deleted; says whether there are any.

        Those that wait for the object themselves do not count: one has to go first. Nor does a
        cluster-wide object wait for what is being deleted in a namespace: whoever may write there
        could hold it up for ever.
        """
        blocking = [
            each
            for each in self.graph.blocking(node.uid)
            if not (each.terminating and each.namespace and not node.namespace)
            and not self.graph.waits_for(each, node.uid)
        ]
        for each in blocking:
            if not each.terminating:
                self._add(each.uid)
        return bool(blocking)

    async def _orphan(self, uid: str, dependents: Sequence[Node]) -> None:
        for each in dependents:
            live = await self._live(each.resource, each.namespace, each.name)
            if live is not None and uid_of(live) == each.uid:
                await self._release(each, live, {uid})

    async def _drop_finalizer(self, node: Node, live: Object, name: str) -> None:
        kept = [each for each in finalizers_of(live) if each != name]
        await self._patch_metadata(node, live, {"finalizers": kept or None})


def garbage_collector_controller(
    client: Client, informers: Informers, known: KnownResources, clock: Clock
) -> Controller:
    """Objects with ownerReferences → nothing, when their owners are gone."""
    definitions = informers.informer(CUSTOM_RESOURCE_DEFINITIONS, _names_only)
    collector = GarbageCollector(client, informers, known, definitions)
    collector.controller = Controller("garbage-collector", collector, clock, workers=4)
    collector.controller.queue.add(_DISCOVER)
    return collector.controller.watch(definitions, lambda _: [_DISCOVER])


def established(definition: Object) -> GroupResource | None:
    """The resource that a CRD serves; None: it does not, or not yet."""
    condition = find_condition(definition, "Established") or {}
    if condition.get("status") != "True" or is_terminating(definition):
        return None
    plural, _, group = name_of(definition).partition(".")
    return GroupResource(group, plural)


def _names_only(definition: Object) -> Object | None:
    """What of a CRD tells whether its resource should be there: not the schema."""
    conditions = get_path(definition, "status", "conditions", default=None) or []
    return {"metadata": definition["metadata"], "status": {"conditions": conditions}}
