"""Role templates and global roles become RBAC roles.

* RoleTemplate → ClusterRole ``llmos:roletemplate:<name>``
* GlobalRole → ClusterRole ``llmos:globalrole:<name>``, and for each namespace in
  ``namespacedRules`` a Role there.

Who is bound to them is the concern of role template bindings. What somebody else changes in a
generated role is set right again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from llmos.apimachinery.clock import Clock, rfc3339
from llmos.apimachinery.errors import InvalidError
from llmos.apimachinery.object import Object, get_path, is_terminating, name_of
from llmos.apimachinery.resource import APIResource
from llmos.apis.namespaces import is_reserved
from llmos.apis.role_template_bindings import cluster_role_name, namespaced_role_name
from llmos.client.client import Client
from llmos.client.resources import (
    CLUSTER_ROLES,
    GLOBAL_ROLES,
    MANAGEMENT_GROUP,
    NAMESPACES,
    ROLE_TEMPLATES,
    ROLES,
)
from llmos.reconcile.controller import DONE, Controller, Result, TerminalError
from llmos.reconcile.informer import Informer, Informers
from llmos.reconcile.owned import (
    NotOwnedError,
    Wanted,
    controller_reference,
    ensure,
    owner_names,
    remove_others,
)
from llmos.reconcile.status import condition, report, with_conditions
from llmos.reconcile.workqueue import Key

_BY_OWNER = "controller"
_BY_NAMESPACE = "namespacedRules"


def namespaced_rules(source: Object) -> Mapping[str, Any]:
    """``namespacedRules`` of a GlobalRole; empty for everything else."""
    rules = source.get("namespacedRules")
    return rules if isinstance(rules, dict) else {}


def _role(resource: APIResource, source: Object, namespace: str, rules: Any) -> Wanted:
    name = cluster_role_name(source["kind"], name_of(source))
    meta = {"name": name, "ownerReferences": [controller_reference(source)]}
    if namespace:
        meta |= {"name": namespaced_role_name(source), "namespace": namespace}
    return Wanted(resource, {"metadata": meta, "rules": rules or []})


def desired(source: Object, namespaces: Iterable[str]) -> list[Wanted]:
    """Say which roles a RoleTemplate or GlobalRole wants.

    Args:
        source: The RoleTemplate or GlobalRole.
        namespaces: Those of its ``namespacedRules`` that exist and are open to users.
    """
    if is_terminating(source):
        return []
    roles = [_role(CLUSTER_ROLES, source, "", source.get("rules"))]
    rules = namespaced_rules(source)
    roles += [_role(ROLES, source, each, rules[each]) for each in sorted(namespaces)]
    return roles


@dataclass(frozen=True, slots=True)
class RoleReconciler:
    """Keeps the roles of one kind of source."""

    client: Client
    clock: Clock
    sources: Informer
    cluster_roles: Informer
    roles: Informer
    namespaces: Informer

    async def reconcile(self, key: Key) -> Result:
        """Make the roles of one RoleTemplate or GlobalRole as it wants them."""
        source = self.sources.get("", key.name)
        wanted = desired(source, self._open_namespaces(source)) if source else []
        await self._remove_others(key.name, wanted)
        if source is None or not wanted:
            return DONE
        try:
            for each in wanted:
                # Only administrators write ClusterRoles; those of built-in roles are there first.
                adopt = each.resource is CLUSTER_ROLES
                await ensure(self.client, each, self._current(each), adopt=adopt)
        except (NotOwnedError, InvalidError) as error:
            reason = "Conflict" if isinstance(error, NotOwnedError) else "Invalid"
            await self._report(source, reason, str(error))
            raise TerminalError(f"{reason}: {source['kind']} {key.name}") from error
        await self._report(source, "", "")
        return DONE

    def _open_namespaces(self, source: Object) -> list[str]:
        found = []
        for name in namespaced_rules(source):
            namespace = self.namespaces.get("", name)
            if namespace and not is_terminating(namespace) and not is_reserved(name):
                found.append(name)
        return found

    def _current(self, wanted: Wanted) -> Object | None:
        _, namespace, name = wanted.place
        return self._informer(wanted.resource).get(namespace, name)

    def _informer(self, resource: APIResource) -> Informer:
        return self.roles if resource is ROLES else self.cluster_roles

    async def _remove_others(self, name: str, wanted: Sequence[Wanted]) -> None:
        uid = get_path(self.sources.get("", name), "metadata", "uid", default="")
        for informer in (self.cluster_roles, self.roles):
            await remove_others(self.client, informer, (self._index(), name), uid, wanted)

    def _index(self) -> str:
        return _BY_OWNER + self.sources.resource.kind

    async def _report(self, source: Object, reason: str, message: str) -> None:
        now = self.clock()
        holds = condition(
            "ClusterRoleExists", reason or "Ready", message or "the roles are in place",
            holds=not reason,
        )  # fmt: skip
        status = {
            "conditions": with_conditions(source, [holds], now),
            "observedGeneration": get_path(source, "metadata", "generation", default=0),
            "state": "Error" if reason else "Complete",
        }
        old = source.get("status") or {}
        if any(old.get(name) != value for name, value in status.items()):
            status["lastUpdateTime"] = rfc3339(now)
            await report(self.client, self.sources.resource, source, status)


def _controller(client: Client, informers: Informers, clock: Clock, name: str) -> Controller:
    resource = ROLE_TEMPLATES if name == "role-template" else GLOBAL_ROLES
    reconciler = RoleReconciler(
        client,
        clock,
        informers.informer(resource),
        informers.informer(CLUSTER_ROLES),
        informers.informer(ROLES),
        informers.informer(NAMESPACES),
    )
    controller = Controller(name, reconciler, clock)
    owners = partial(owner_names, MANAGEMENT_GROUP, resource.kind)
    for informer in (reconciler.cluster_roles, reconciler.roles):
        informer.add_index(_BY_OWNER + resource.kind, owners)
        controller.watch(informer, lambda obj: [Key("", each) for each in owners(obj)])
    return controller.watch(reconciler.sources)


def role_template_controller(client: Client, informers: Informers, clock: Clock) -> Controller:
    """RoleTemplate → ClusterRole."""
    return _controller(client, informers, clock, "role-template")


def global_role_controller(client: Client, informers: Informers, clock: Clock) -> Controller:
    """GlobalRole → ClusterRole and Roles."""
    controller = _controller(client, informers, clock, "global-role")
    sources = informers.informer(GLOBAL_ROLES)
    sources.add_index(_BY_NAMESPACE, namespaced_rules)

    def interested(namespace: Object) -> Iterable[Key]:
        found = sources.by_index(_BY_NAMESPACE, name_of(namespace))
        return [Key("", name_of(each)) for each in found]

    return controller.watch(informers.informer(NAMESPACES), interested)
