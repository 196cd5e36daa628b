"""A claim that a pod uses, and a volume that a claim is bound to, outlive their deletion.

The API server gives both a finalizer; here it is taken off when nothing needs them any more.
Follows k8s.io/kubernetes/pkg/controller/volume/{pvcprotection,pvprotection}.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import (
    Object,
    finalizers_of,
    get_path,
    is_terminating,
    name_of,
    namespace_of,
    resource_version_of,
)
from llmos.apimachinery.quota import is_finished
from llmos.client.client import Client
from llmos.client.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Informers, keep_nothing, key_of
from llmos.reconcile.workqueue import Key

_CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
_VOLUME_FINALIZER = "kubernetes.io/pv-protection"
_AGAIN = 10.0


def claims_of(pod: Object) -> Iterable[Key]:
    """The claims that a pod mounts; an ephemeral volume has one named after pod and volume."""
    for volume in get_path(pod, "spec", "volumes", default=None) or ():
        name = get_path(volume, "persistentVolumeClaim", "claimName")
        if "ephemeral" in volume:
            name = f"{name_of(pod)}-{volume['name']}"
        if name:
            yield Key(namespace_of(pod), name)


@dataclass(frozen=True, slots=True)
class ProtectionReconciler:
    """Lets claims (keys with a namespace) and volumes (without) go."""

    client: Client

    async def reconcile(self, key: Key) -> Result:
        """Take the finalizer off one claim or volume that is being deleted and not needed."""
        resource = PERSISTENT_VOLUME_CLAIMS if key.namespace else PERSISTENT_VOLUMES
        finalizer = _CLAIM_FINALIZER if key.namespace else _VOLUME_FINALIZER
        try:
            obj = await self.client.get(resource, *key)
        except NotFoundError:
            return DONE
        if not is_terminating(obj) or finalizer not in finalizers_of(obj):
            return DONE
        if await self._is_needed(obj, key):
            return Result(requeue_after=_AGAIN)
        kept = [each for each in finalizers_of(obj) if each != finalizer]
        meta = {"resourceVersion": resource_version_of(obj), "finalizers": kept or None}
        await self.client.patch(resource, *key, {"metadata": meta})
        return DONE

    async def _is_needed(self, obj: Object, key: Key) -> bool:
        if not key.namespace:
            return bool(get_path(obj, "status", "phase") == "Bound")
        pods = await self.client.list(PODS, key.namespace)
        return any(key in claims_of(each) for each in pods if not is_finished(each))


def volume_protection_controller(client: Client, informers: Informers, clock: Clock) -> Controller:
    """PersistentVolumeClaim or PersistentVolume with a deletionTimestamp → gone when unused."""
    controller = Controller("volume-protection", ProtectionReconciler(client), clock)

    def ending(obj: Object) -> Iterable[Key]:
        return [key_of(obj)] if is_terminating(obj) and finalizers_of(obj) else ()

    def released(pod: Object) -> Iterable[Key]:
        return claims_of(pod) if is_terminating(pod) or is_finished(pod) else ()

    for resource in (PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES):
        controller.watch(informers.informer(resource, keep_nothing), ending)
    return controller.watch(informers.informer(PODS, keep_nothing), released)
