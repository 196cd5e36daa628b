"""Whoever creates a namespace gets the roles there that ``newNamespaceDefault`` says.

Done once for each namespace: what an admin takes away later stays away.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import AlreadyExistsError
from llmos.apimachinery.object import (
    Object,
    annotations_of,
    get_path,
    is_terminating,
    name_of,
    resource_version_of,
)
from llmos.apis.namespaces import is_reserved
from llmos.client.client import Client
from llmos.client.resources import (
    MANAGEMENT_GROUP,
    NAMESPACES,
    RBAC_GROUP,
    ROLE_TEMPLATE_BINDINGS,
    ROLE_TEMPLATES,
    USERS,
)
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Informer, Informers
from llmos.reconcile.owned import short, short_uid
from llmos.reconcile.workqueue import Key

CREATOR = "llmos.ai/creator"
"""Written by the server when a user creates a namespace."""
DEFAULTS_BOUND = "llmos.ai/default-roles-bound"
"""Written here when the creator has his roles."""


def desired(namespace: Object, templates: Iterable[Object]) -> list[Object]:
    """The bindings that a namespace's creator gets."""
    creator = annotations_of(namespace)[CREATOR]
    return [
        {
            "metadata": {
                "name": f"namespace-default-{short(name_of(template))}-{short_uid(namespace)}"
            },
            "roleTemplateRef": {
                "apiGroup": MANAGEMENT_GROUP,
                "kind": "RoleTemplate",
                "name": name_of(template),
            },
            "subjects": [{"apiGroup": RBAC_GROUP, "kind": "User", "name": creator}],
            "namespaceId": name_of(namespace),
        }
        for template in sorted(templates, key=name_of)
        if get_path(template, "spec", "newNamespaceDefault") is True
        and get_path(template, "spec", "locked") is not True
        and not is_terminating(template)
    ]


def is_new(namespace: Object) -> bool:
    """Whether a user created the namespace and has not had his roles yet."""
    annotations = annotations_of(namespace)
    return (
        bool(annotations.get(CREATOR))
        and DEFAULTS_BOUND not in annotations
        and not is_terminating(namespace)
        and not is_reserved(name_of(namespace))
    )


@dataclass(frozen=True, slots=True)
class NamespaceDefaultsReconciler:
    """Binds creators of namespaces."""

    client: Client
    namespaces: Informer
    templates: Informer
    users: Informer

    async def reconcile(self, key: Key) -> Result:
        """Bind the creator of one namespace, if it is new."""
        namespace = self.namespaces.get("", key.name)
        if namespace is None or not is_new(namespace):
            return DONE
        creator = self.users.get("", annotations_of(namespace)[CREATOR])
        if creator is not None and not is_terminating(creator):
            for binding in desired(namespace, self.templates.list()):
                await self._bind(binding)
        patch = {
            "metadata": {
                "resourceVersion": resource_version_of(namespace),
                "annotations": {DEFAULTS_BOUND: "true"},
            }
        }
        await self.client.patch(NAMESPACES, "", key.name, patch)
        return DONE

    async def _bind(self, binding: Object) -> None:
        try:
            await self.client.create(ROLE_TEMPLATE_BINDINGS, binding)
        except AlreadyExistsError:
            return


def namespace_defaults_controller(client: Client, informers: Informers, clock: Clock) -> Controller:
    """Namespace with a creator → bindings to the default RoleTemplates."""
    reconciler = NamespaceDefaultsReconciler(
        client,
        informers.informer(NAMESPACES),
        informers.informer(ROLE_TEMPLATES),
        informers.informer(USERS),
    )

    def new(namespace: Object) -> Iterable[Key]:
        return [Key("", name_of(namespace))] if is_new(namespace) else ()

    controller = Controller("namespace-defaults", reconciler, clock)
    return controller.watch(reconciler.namespaces, new)
