"""What a namespace has from its beginning, and how it ends.

* Every namespace has the ServiceAccount ``default`` and the ConfigMap ``kube-root-ca.crt``; both
  come back when they are deleted or changed.
* A namespace that is being deleted loses its content (pods first, so that network policies guard
  them to the end), says in its conditions what is left, and goes when nothing is.

Follows k8s.io/kubernetes/pkg/controller/namespace/deletion.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import (
    AlreadyExistsError,
    MethodNotAllowedError,
    NotFoundError,
    StatusError,
)
from llmos.apimachinery.object import (
    Object,
    finalizers_of,
    get_path,
    is_terminating,
    name_of,
    resource_version_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.client.client import Client
from llmos.client.discovery import Discovery, discover, preferred
from llmos.client.resources import CONFIG_MAPS, NAMESPACES, PODS, SERVICE_ACCOUNTS
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Informer, Informers, keep_named
from llmos.reconcile.status import condition, report, with_conditions
from llmos.reconcile.workqueue import Key

DEFAULT_ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
_ROOT_CA_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)
_FINALIZER = "kubernetes"
_AGAIN = 1.0
"""Seconds until what is left is looked at again."""


def root_ca(namespace: str, ca_pem: str) -> Object:
    """The ConfigMap by which clients in the namespace know the server."""
    annotations = {"kubernetes.io/description": _ROOT_CA_DESCRIPTION}
    meta = {"name": ROOT_CA, "namespace": namespace, "annotations": annotations}
    return {"metadata": meta, "data": {"ca.crt": ca_pem}}


@dataclass(frozen=True, slots=True)
class ContentReconciler:
    """Keeps what every namespace has."""

    client: Client
    namespaces: Informer
    accounts: Informer
    config_maps: Informer
    ca_pem: str

    async def reconcile(self, key: Key) -> Result:
        """Make what is missing in one namespace."""
        namespace = self.namespaces.get("", key.name)
        if namespace is None or is_terminating(namespace):
            return DONE
        if self.accounts.get(key.name, DEFAULT_ACCOUNT) is None:
            meta = {"name": DEFAULT_ACCOUNT, "namespace": key.name}
            await self._create(SERVICE_ACCOUNTS, {"metadata": meta})
        config_map = self.config_maps.get(key.name, ROOT_CA)
        wanted = root_ca(key.name, self.ca_pem)
        if config_map is None:
            await self._create(CONFIG_MAPS, wanted)
        elif config_map.get("data") != wanted["data"]:
            meta = {**wanted["metadata"], "resourceVersion": resource_version_of(config_map)}
            await self.client.update(CONFIG_MAPS, {**wanted, "metadata": meta})
        return DONE

    async def _create(self, resource: APIResource, obj: Object) -> None:
        try:
            await self.client.create(resource, obj)
        except AlreadyExistsError:
            return


@dataclass(slots=True)
class Remains:
    """What is left of a namespace's content, and what went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    undiscovered: Sequence[str] = ()
    failures: list[str] = field(default_factory=list)
    found: bool = False
    """Something was there when we looked: look once more before saying that nothing is."""

    @property
    def nothing(self) -> bool:
        """Whether the namespace is certainly empty."""
        return not (self.counts or self.undiscovered or self.failures or self.found)

    def add(self, resource: APIResource, items: Iterable[Object], count: int) -> None:
        """Take in the objects of a resource that are still there."""
        self.counts[f"{resource.plural}.{resource.group}"] += count
        self.finalizers.update(name for each in items for name in finalizers_of(each))


def conditions(remains: Remains) -> list[dict[str, Any]]:
    """The five conditions of a namespace that is being deleted."""

    def told(count: int, name: str) -> str:
        return f"{name} has {count} resource instances"

    content = ", ".join(told(n, name) for name, n in sorted(remains.counts.items()))
    holders = ", ".join(
        f"{name} in {n} resource instances" for name, n in sorted(remains.finalizers.items())
    )
    undiscovered = ", ".join(remains.undiscovered)
    failures = "; ".join(remains.failures)
    parts = (
        (
            "NamespaceDeletionDiscoveryFailure",
            undiscovered,
            ("DiscoveryFailed", f"Discovery failed for some groups: {undiscovered}"),
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "",
            ("", ""),
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        (
            "NamespaceDeletionContentFailure",
            failures,
            ("ContentDeletionFailed", f"Failed to delete all resource types: {failures}"),
            (
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
        ),
        (
            "NamespaceContentRemaining",
            content,
            ("SomeResourcesRemain", f"Some resources are remaining: {content}"),
            ("ContentRemoved", "All content successfully removed"),
        ),
        (
            "NamespaceFinalizersRemaining",
            holders,
            (
                "SomeFinalizersRemain",
                f"Some content in the namespace has finalizers remaining: {holders}",
            ),
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    )
    return [
        condition(kind, *(bad if value else good), holds=bool(value))
        for kind, value, bad, good in parts
    ]


@dataclass(frozen=True, slots=True)
class DeletionReconciler:
    """Ends namespaces."""

    client: Client
    clock: Clock
    namespaces: Informer

    async def reconcile(self, key: Key) -> Result:
        """Empty one namespace that is being deleted, and let it go when it is empty."""
        namespace = self.namespaces.get("", key.name)
        finalizers = get_path(namespace, "spec", "finalizers", default=None) or []
        if namespace is None or not is_terminating(namespace) or _FINALIZER not in finalizers:
            return DONE
        remains = await self._empty(key.name)
        if remains.found:
            # What was admitted before the deletion began may still come in: look once more.
            remains = await self._empty(key.name)
        if remains.nothing:
            await self._finalize(key.name, finalizers)
            return DONE
        now = self.clock()
        status = {"conditions": with_conditions(namespace, conditions(remains), now)}
        await report(self.client, NAMESPACES, namespace, status)
        return Result(requeue_after=_AGAIN)

    async def _empty(self, namespace: str) -> Remains:
        """Delete what is in the namespace; pods come first, alone."""
        discovery = await discover(self.client)
        remains = Remains(undiscovered=discovery.failed)
        resources = deletable(discovery)
        pods = [each for each in resources if each.group_resource == PODS.group_resource]
        for each in pods:
            await self._delete(each, namespace, remains)
        if remains.counts or remains.failures:
            return remains
        for each in resources:
            if each not in pods:
                await self._delete(each, namespace, remains)
        return remains

    async def _delete(self, resource: APIResource, namespace: str, remains: Remains) -> None:
        try:
            page = await self.client.list_page(resource, namespace)
            if not page.items:
                return
            remains.found = True
            await self._delete_all(resource, namespace)
            page = await self.client.list_page(resource, namespace)
            if page.items:
                remains.add(resource, page.items, len(page.items) + page.remaining)
        except (NotFoundError, MethodNotAllowedError):
            return  # The resource went away, or cannot be emptied this way: nothing is in it.
        except StatusError as error:
            remains.failures.append(f"{resource.group_resource}: {error.reason}")

    async def _delete_all(self, resource: APIResource, namespace: str) -> None:
        if "deletecollection" in resource.verbs:
            await self.client.delete_collection(resource, namespace)
            return
        for each in await self.client.list(resource, namespace):
            try:
                await self.client.delete(resource, namespace, name_of(each))
            except NotFoundError:
                continue

    async def _finalize(self, name: str, finalizers: Sequence[str]) -> None:
        """Take our finalizer away; the server deletes the namespace with the last one."""
        try:
            namespace = await self.client.get(NAMESPACES, "", name)
        except NotFoundError:
            return
        if not is_terminating(namespace):
            return
        spec = {**namespace["spec"], "finalizers": [x for x in finalizers if x != _FINALIZER]}
        await self.client.update(NAMESPACES, {**namespace, "spec": spec}, subresource="finalize")


def deletable(discovery: Discovery) -> list[APIResource]:
    """Every namespaced resource that can be listed and deleted, each in one version."""
    return [
        each
        for each in preferred(discovery.resources)
        if each.namespaced and "list" in each.verbs and "delete" in each.verbs
    ]


def _concerning(wanted: Callable[[Object], bool]) -> Callable[[Object], Iterable[Key]]:
    return lambda obj: [Key("", name_of(obj))] if wanted(obj) else ()


def _in_namespace(name: str) -> Callable[[Object], Iterable[Key]]:
    return lambda obj: [Key("", obj["metadata"]["namespace"])] if name_of(obj) == name else ()


def namespace_content_controller(
    client: Client, informers: Informers, clock: Clock, ca_pem: str
) -> Controller:
    """Namespace → ServiceAccount ``default``, ConfigMap ``kube-root-ca.crt``."""
    reconciler = ContentReconciler(
        client,
        informers.informer(NAMESPACES),
        informers.informer(SERVICE_ACCOUNTS, keep_named(DEFAULT_ACCOUNT)),
        informers.informer(CONFIG_MAPS, keep_named(ROOT_CA)),
        ca_pem,
    )
    controller = Controller("namespace-content", reconciler, clock)
    for informer, name in (
        (reconciler.accounts, DEFAULT_ACCOUNT),
        (reconciler.config_maps, ROOT_CA),
    ):
        controller.watch(
            informer,
            _in_namespace(name),
        )
    return controller.watch(reconciler.namespaces, _concerning(lambda obj: not is_terminating(obj)))


def namespace_deletion_controller(client: Client, informers: Informers, clock: Clock) -> Controller:
    """Namespace with a deletionTimestamp → nothing."""
    reconciler = DeletionReconciler(client, clock, informers.informer(NAMESPACES))
    controller = Controller("namespace-deletion", reconciler, clock, workers=4)
    return controller.watch(reconciler.namespaces, _concerning(is_terminating))
