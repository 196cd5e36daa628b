"""The platform's own content stays as it was installed: policies, kinds, roles and their bindings.

Nothing in a cluster can keep an administrator from deleting a policy: policies do not apply to
policies. So what is deleted or altered is put back at once, and that is told: in the log, and in an
Event about the object. Content of another version is left alone, so that an upgrade is not undone.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from llmos.apimachinery.clock import Clock, rfc3339
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import (
    Object,
    get_path,
    is_terminating,
    name_of,
    namespace_of,
    uid_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.apis.namespaces import SYSTEM_NAMESPACE
from llmos.apis.platform_content import (
    MANAGER,
    NAMESPACES,
    RECORD,
    SERVICE_ACCOUNTS,
    SETTINGS,
    Place,
    Shipped,
    digest,
    repaired,
    shipped,
    to_apply,
)
from llmos.client.client import Client
from llmos.client.resources import CONFIG_MAPS, EVENTS
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Informer, Informers
from llmos.reconcile.owned import remove
from llmos.reconcile.workqueue import Key

log = logging.getLogger(__name__)

_LEFT_ALONE = (NAMESPACES, SERVICE_ACCOUNTS, SETTINGS)
"""Namespaces and settings are an administrator's to delete, and without its account nobody brings
anything back."""
_AGAIN = 1.0
"""Seconds until a definition that is being deleted may be gone."""


@dataclass(frozen=True, slots=True)
class ContentReconciler:
    """Restores one object at a time."""

    client: Client
    clock: Clock
    wanted: Mapping[Key, Shipped]
    informers: Mapping[str, Informer]
    """By kind."""

    async def reconcile(self, key: Key) -> Result:
        """Restore an object, if it is not as it was shipped."""
        each = self.wanted[key]
        _, namespace, name = each.place
        current = self.informers[each.resource.kind].get(namespace, name)
        if current is not None and is_terminating(current):
            return Result(requeue_after=_AGAIN)
        if current is not None and repaired(current, each.object) is None:
            return DONE
        if not await self._is_ours():
            return DONE
        what = "is missing" if current is None else "was changed"
        try:
            await self._restore(each, current)
        except NotFoundError:
            # Its namespace or its kind is gone, and comes back with an event of its own.
            return Result(requeue_after=_AGAIN)
        log.warning("platform content: %s %s: restored", each.place, what)
        if not namespace:
            await self._tell(each, what)
        return DONE

    async def _is_ours(self) -> bool:
        """Whether what is installed is of our version; where there is no record, it is."""
        try:
            record = await self.client.get(CONFIG_MAPS, SYSTEM_NAMESPACE, RECORD)
        except NotFoundError:
            return True
        return bool(get_path(record, "data", "content") == digest())

    async def _restore(self, each: Shipped, current: Object | None) -> None:
        resource, obj = each
        if current is not None and current.get("roleRef") != obj.get("roleRef"):
            await remove(self.client, resource, current)
        elif current is not None:
            exact = repaired(current, obj)
            if exact is not None:
                # Applied first, it might be refused: for what others put into a set of ours.
                await self.client.update(resource, exact)
        await self.client.apply(resource, to_apply(obj, current), manager=MANAGER)

    async def _tell(self, each: Shipped, what: str) -> None:
        now = rfc3339(self.clock())
        about = {
            "apiVersion": each.resource.api_version,
            "kind": each.resource.kind,
            "name": each.place.name,
        }
        current = self.informers[each.resource.kind].get("", each.place.name)
        event = {
            "metadata": {"generateName": "llmos-platform-content-", "namespace": "default"},
            "involvedObject": about | ({"uid": uid_of(current)} if current else {}),
            "type": "Warning",
            "reason": "PlatformContentRestored",
            "message": f"{each.place} {what}: it belongs to the platform and was restored",
            "source": {"component": "llmos-controllers"},
            "reportingComponent": "llmos-controllers",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self.client.create(EVENTS, event)


def key_of(place: Place) -> Key:
    """The key of an object, whose resource is a part of it."""
    return Key(f"{place.resource}/{place.namespace}", place.name)


def platform_content_controller(client: Client, informers: Informers, clock: Clock) -> Controller:
    """The platform's content → itself, as it was shipped."""
    wanted = {key_of(each.place): each for each in shipped() if each.resource not in _LEFT_ALONE}
    kinds = {each.resource.kind: each.resource for each in wanted.values()}
    followed = {kind: informers.informer(resource) for kind, resource in kinds.items()}
    controller = Controller(
        "platform-content", ContentReconciler(client, clock, wanted, followed), clock
    )

    def check_all() -> None:
        for key in wanted:
            controller.queue.add(key)

    for informer in followed.values():
        controller.watch(informer, partial(_concerned, wanted, informer.resource))
        informer.relisted.append(check_all)
    return controller


def _concerned(wanted: Mapping[Key, Shipped], resource: APIResource, obj: Object) -> Iterable[Key]:
    key = key_of(Place(resource.group_resource, namespace_of(obj), name_of(obj)))
    return [key] if key in wanted else ()
