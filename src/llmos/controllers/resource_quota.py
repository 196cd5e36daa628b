"""ResourceQuotas say what is allowed and what is used.

Admission refuses what is too much and charges what it lets through; this controller recounts when
a quota changes and when something it counts appears, shrinks or goes. It asks the server each time
and remembers nothing but the quotas.
"""

from dataclasses import dataclass, field

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import Object, get_path, is_terminating, namespace_of
from llmos.apimachinery.quantity import ZERO, Quantity
from llmos.apimachinery.quota import (
    Usage,
    has_scopes,
    is_plain_count,
    resource_of,
    total,
)
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.client.client import Client
from llmos.client.known import KnownResources
from llmos.client.resources import RESOURCE_QUOTAS
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Change, Informer, Informers, key_of
from llmos.reconcile.status import report
from llmos.reconcile.workqueue import Key

_GATHER = 0.1
"""Seconds in which changes are gathered before they are counted."""


def hard_of(quota: Object) -> dict[str, Quantity]:
    """What a quota allows."""
    hard = get_path(quota, "spec", "hard", default=None) or {}
    return {name: Quantity.parse(value) for name, value in hard.items()}


def counted_by(quota: Object) -> set[GroupResource]:
    """The resources whose objects a quota counts."""
    names = get_path(quota, "spec", "hard", default=None) or ()
    return {found for name in names if (found := resource_of(name)) is not None}


def desired(quota: Object, used: Usage) -> Object:
    """The status of a quota, amounts in their canonical form."""
    hard = hard_of(quota)
    return {
        "hard": {name: value.canonical() for name, value in hard.items()},
        "used": {name: used.get(name, ZERO).canonical() for name in hard},
    }


@dataclass(slots=True)
class QuotaReconciler:
    """Recounts quotas."""

    client: Client
    informers: Informers
    known: KnownResources
    quotas: Informer
    controller: Controller = field(init=False)
    followed: dict[GroupResource, Informer] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> Result:
        """Count what one quota speaks of, and write the status where it differs."""
        quota = self.quotas.get(*key)
        if quota is None or is_terminating(quota):
            return DONE
        used: Usage = {}
        for each in sorted(counted_by(quota)):
            used.update(await self._count(quota, each))
        await report(self.client, RESOURCE_QUOTAS, quota, desired(quota, used))
        return DONE

    async def _count(self, quota: Object, wanted: GroupResource) -> Usage:
        """What the objects of one resource use."""
        resource = await self.known.resource(wanted)
        if resource is None:
            return {}
        self._follow(resource)
        names = [name for name in hard_of(quota) if resource_of(name) == wanted]
        namespace = namespace_of(quota)
        try:
            if all(is_plain_count(name) for name in names) and not has_scopes(quota):
                page = await self.client.list_page(resource, namespace, limit=1)
                return dict.fromkeys(names, Quantity.of(len(page.items) + page.remaining))
            return total(quota, wanted, await self.client.list(resource, namespace))
        except NotFoundError:
            return {}

    def _follow(self, resource: APIResource) -> None:
        """Hear of changes of a resource from now on."""
        wanted = resource.group_resource
        if wanted not in self.followed or not self.informers.is_current(self.followed[wanted]):
            self.followed[wanted] = self.informers.follow(
                resource, lambda change: self._changed(wanted, change)
            )

    def _changed(self, resource: GroupResource, change: Change) -> None:
        for quota in self.quotas.list(namespace_of(change.object)):
            if resource in counted_by(quota):
                self.controller.queue.add_after(key_of(quota), _GATHER)


def resource_quota_controller(
    client: Client, informers: Informers, known: KnownResources, clock: Clock
) -> Controller:
    """ResourceQuota → its status."""
    quotas = informers.informer(RESOURCE_QUOTAS)
    reconciler = QuotaReconciler(client, informers, known, quotas)
    reconciler.controller = Controller("resource-quota", reconciler, clock)
    return reconciler.controller.watch(quotas)
