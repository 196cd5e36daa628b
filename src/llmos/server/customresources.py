"""CustomResourceDefinitions come to life: accepted names, serving, and the end of their objects.

Source: k8s.io/apiextensions-apiserver (naming, establish and finalizer controllers), here one
worker in the server itself, since what is served is the server's own state.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from llmos.apimachinery.clock import Clock, rfc3339
from llmos.apimachinery.errors import ConflictError, NotFoundError, StatusError
from llmos.apimachinery.object import (
    Object,
    copy_object,
    get_path,
    is_terminating,
    metadata,
    name_of,
    set_condition,
)
from llmos.apimachinery.resource import GroupResource
from llmos.apis.apiextensions_v1 import CLEANUP_FINALIZER, accepted_status, is_established
from llmos.apis.scheme import builtin_resources
from llmos.registry.catalog import Catalog
from llmos.registry.customserved import served_of
from llmos.registry.lister import PlatformStore
from llmos.storage.interface import Storage
from llmos.watchcache.interface import Event

CRDS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")
Said = tuple[object, object]
"""Its spec, and the names that were accepted."""
_RETRY_SECONDS = 0.5
_LOG = logging.getLogger("llmos.server")


@dataclass(slots=True)
class CustomResources:
    """Keeps the catalog and the CRDs' conditions true."""

    storage: Storage
    catalog: Catalog
    platform: PlatformStore
    clock: Clock
    _todo: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    _said: dict[str, tuple[Said, int]] = field(default_factory=dict)
    """What each served definition says of its kinds, and the revision that wrote it."""

    def start(self) -> None:
        """Serve what is established already, and follow every change from here on."""
        snapshot = self.storage.list(str(CRDS))
        for _, record in snapshot.items:
            # What was served before this start may be watched from as far back as is remembered.
            self._serve(orjson.loads(record.value), 0)
        self.storage.watch(str(CRDS), None, snapshot.revision, self._deliver)

    def _deliver(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.type == "DELETED":
                self.catalog.set_custom(event.key.name, ())
                self._said.pop(event.key.name, None)
                self._look_again()
            else:
                self._serve(orjson.loads(event.value), self._since(event))

    def _look_again(self) -> None:
        """Names are free again that others may be waiting for."""
        for key, _ in self.storage.list(str(CRDS)).items:
            self._todo.put_nowait(key.name)

    def _since(self, event: Event) -> int:
        """Since when the kinds of a definition are served: from this event on, if it is new."""
        served = self.catalog.custom(event.key.name)
        return served[0].since if served else event.revision

    def _serve(self, crd: Object, since: int) -> None:
        """Serve an established CRD at once; whatever else it needs is the worker's."""
        if is_established(crd):
            try:
                made = served_of(crd, since, self._defined(crd))
                self.catalog.set_custom(name_of(crd), made)
            except (KeyError, TypeError, ValueError):
                _LOG.exception("the definition %s cannot be served", name_of(crd))
        self._todo.put_nowait(name_of(crd))

    def _defined(self, crd: Object) -> int:
        """The revision since which it says of its kinds what it says now."""
        said = crd.get("spec"), get_path(crd, "status", "acceptedNames")
        before = self._said.get(name_of(crd))
        if before is None or before[0] != said:
            before = said, int(metadata(crd)["resourceVersion"])
            self._said[name_of(crd)] = before
        return before[1]

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            name = await self._todo.get()
            try:
                again = await self._reconcile(name)
            except ConflictError:
                again = True
            except StatusError as error:
                _LOG.warning("custom resource definition %s: %s", name, error.message)
                again = True
            except Exception:  # noqa: BLE001 - one odd definition must not stop the others
                _LOG.exception("custom resource definition %s", name)
                again = True
            if again:
                asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._todo.put_nowait, name)

    async def settled(self) -> None:
        """Wait until every CRD that exists is served (at start)."""
        while not self._todo.empty():
            await self._reconcile(self._todo.get_nowait())

    async def _reconcile(self, name: str) -> bool:
        """Bring one CRD on; True: look again later."""
        crd = self.platform.get(CRDS, "", name)
        if crd is None:
            return False
        if is_terminating(crd):
            return await self._end(crd)
        await self._accept_names(crd)
        return False

    async def _accept_names(self, crd: Object) -> None:
        others = [each for each in self.platform.list(CRDS) if name_of(each) != name_of(crd)]
        status = accepted_status(crd, others, rfc3339(self.clock()), builtin_resources())
        if status != crd.get("status"):
            await self.platform.update_status(CRDS, {**crd, "status": status})

    async def _end(self, crd: Object) -> bool:
        """Delete the objects of a CRD that is being deleted, then let it go."""
        served = self.catalog.custom(name_of(crd))
        if not served:
            served = served_of(crd)
        resource = served[0].resource.group_resource
        # Writes in flight included: none comes after them, and none may outlive its kind.
        remaining = self.storage.list_latest(str(resource), None)
        if not remaining:
            new = copy_object(crd)
            finalizers = metadata(new).get("finalizers") or []
            metadata(new)["finalizers"] = [each for each in finalizers if each != CLEANUP_FINALIZER]
            await self.platform.update(CRDS, new)
            return False
        new = copy_object(crd)
        terminating = {
            "type": "Terminating",
            "status": "True",
            "reason": "InstanceDeletionInProgress",
            "message": "CustomResource deletion is in progress",
        }
        status = new["status"] = new.get("status") or {}
        status["conditions"] = status.get("conditions") or []
        set_condition(status["conditions"], terminating, rfc3339(self.clock()))
        if new != crd:
            await self.platform.update_status(CRDS, new)
        for key, _ in remaining:
            try:
                await self.platform.delete(resource, key.namespace, key.name)
            except NotFoundError:
                continue
        return True
