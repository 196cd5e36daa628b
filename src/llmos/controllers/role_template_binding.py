"""Role template bindings become role bindings.

A RoleTemplateBinding gives its subjects a RoleTemplate in one namespace (a RoleBinding there), or a
GlobalRole (a ClusterRoleBinding, and a RoleBinding for each of its ``namespacedRules``). It is tied
to the namespace's uid and to the uids of its users: nothing passes to what comes later under an old
name. The condition ``InForce`` says whether it counts, and why not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.object import (
    Object,
    get_path,
    is_terminating,
    name_of,
    resource_version_of,
    uid_of,
)
from llmos.apimachinery.resource import APIResource
from llmos.apis.namespaces import is_reserved
from llmos.apis.role_template_bindings import (
    Observed,
    bound_subjects,
    cluster_role_name,
    expiry,
    is_recreated,
    lost_users,
    namespaced_role_name,
    recorded_users,
    role_of,
    users_of,
    verdict,
)
from llmos.client.client import Client
from llmos.client.resources import (
    CLUSTER_ROLE_BINDINGS,
    GLOBAL_ROLES,
    MANAGEMENT_GROUP,
    NAMESPACES,
    RBAC_GROUP,
    ROLE_BINDINGS,
    ROLE_TEMPLATE_BINDINGS,
    ROLE_TEMPLATES,
    USERS,
)
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Informer, Informers
from llmos.reconcile.owned import (
    NotOwnedError,
    Wanted,
    controller_reference,
    ensure,
    owner_names,
    remove,
    remove_others,
    short,
    short_uid,
)
from llmos.reconcile.status import condition, report, with_conditions
from llmos.reconcile.workqueue import Key

_BY_OWNER = "controllerRoleTemplateBinding"
_BY_ROLE = "roleTemplateRef"
_BY_NAMESPACE = "namespaceId"
_BY_USER = "subjects"
_BY_NAMESPACED_RULES = "namespacedRules"


def _binding(observed: Observed, namespace: str, role_kind: str) -> Wanted:
    role_name = cluster_role_name(*role_of(observed.binding))
    if role_kind == "Role" and observed.role:
        role_name = namespaced_role_name(observed.role)
    meta = {
        "name": f"llmos-{short(name_of(observed.binding))}-{short_uid(observed.binding)}",
        "ownerReferences": [controller_reference(observed.binding)],
    }
    if namespace:
        meta["namespace"] = namespace
    role = {"apiGroup": RBAC_GROUP, "kind": role_kind, "name": role_name}
    return Wanted(
        ROLE_BINDINGS if namespace else CLUSTER_ROLE_BINDINGS,
        {"metadata": meta, "roleRef": role, "subjects": bound_subjects(observed)},
    )


def desired(observed: Observed) -> list[Wanted]:
    """Say which RBAC bindings should be."""
    if not verdict(observed).in_force:
        return []
    if role_of(observed.binding)[0] == "RoleTemplate":
        return [_binding(observed, observed.binding["namespaceId"], "ClusterRole")]
    return [
        _binding(observed, "", "ClusterRole"),
        *(_binding(observed, each, "Role") for each in sorted(observed.open_namespaces)),
    ]


@dataclass(frozen=True, slots=True)
class BindingReconciler:
    """Keeps the RBAC bindings of role template bindings."""

    client: Client
    clock: Clock
    bindings: Informer
    role_templates: Informer
    global_roles: Informer
    namespaces: Informer
    users: Informer
    role_bindings: Informer
    cluster_role_bindings: Informer

    async def reconcile(self, key: Key) -> Result:
        """Make the RBAC bindings of one role template binding as it wants them."""
        binding = self.bindings.get("", key.name)
        if binding is None:
            await self._remove_others(key.name, "", ())
            return DONE
        observed = self.observe(binding)
        wanted = desired(observed)
        await self._remove_others(key.name, uid_of(binding), wanted)
        if wanted and not await self._is_current(observed):
            return DONE
        conflict = await self._ensure(wanted)
        if not is_terminating(binding):
            if await self._clean_up(observed):
                return DONE
            await self._report(observed, conflict)
        return self._result(observed)

    def observe(self, binding: Object) -> Observed:
        """Gather all that decides about the binding, from memory."""
        kind, name = role_of(binding)
        informers = {"RoleTemplate": self.role_templates, "GlobalRole": self.global_roles}
        role = informers[kind].get("", name) if kind in informers else None
        users = {each: self.users.get("", each) for each in users_of(binding)}
        return Observed(
            binding,
            role,
            self.namespaces.get("", str(binding.get("namespaceId") or "")),
            {each: uid_of(user) for each, user in users.items() if user is not None},
            frozenset(self._open_namespaces(role or {})),
            self.clock(),
        )

    def _open_namespaces(self, role: Object) -> Iterable[str]:
        for name in role.get("namespacedRules") or ():
            namespace = self.namespaces.get("", name)
            if namespace and not is_terminating(namespace) and not is_reserved(name):
                yield name

    async def _remove_others(self, name: str, uid: str, wanted: Sequence[Wanted]) -> None:
        for informer in (self.role_bindings, self.cluster_role_bindings):
            await remove_others(self.client, informer, (_BY_OWNER, name), uid, wanted)

    async def _is_current(self, observed: Observed) -> bool:
        """Whether the namespace in memory is still the one there is, before we tie ourselves to it.

        Where it is not, its event is on the way and brings the binding here again.
        """
        recorded = get_path(observed.binding, "status", "namespaceUID", default="")
        if recorded or observed.namespace is None:
            return True
        live = await self._live_uid(NAMESPACES, name_of(observed.namespace))
        return live == uid_of(observed.namespace)

    async def _ensure(self, wanted: Iterable[Wanted]) -> str:
        """Make every binding; gives what stands in the way of one, which stops no other."""
        conflict = ""
        for each in wanted:
            resource, namespace, name = each.place
            cluster = resource == CLUSTER_ROLE_BINDINGS.plural
            informer = self.cluster_role_bindings if cluster else self.role_bindings
            try:
                await ensure(self.client, each, informer.get(namespace, name))
            except NotOwnedError as error:
                conflict = str(error)
        return conflict

    async def _clean_up(self, observed: Observed) -> bool:
        """Delete a binding whose cause is gone for good, drop users who are; says whether it did.

        What memory says is asked of the server again, because this cannot be undone.
        """
        binding = observed.binding
        if await self._lost_namespace(observed):
            await remove(self.client, ROLE_TEMPLATE_BINDINGS, binding)
            return True
        recorded = recorded_users(binding)
        lost = {
            each
            for each in lost_users(observed)
            if await self._live_uid(USERS, each) != recorded[each]
        }
        if not lost:
            return False
        kept = [
            each
            for each in binding.get("subjects") or ()
            if each.get("kind") != "User" or each.get("name") not in lost
        ]
        if not kept:
            await remove(self.client, ROLE_TEMPLATE_BINDINGS, binding)
            return True
        await self._drop_subjects(binding, kept)
        return True

    async def _drop_subjects(self, binding: Object, kept: list[dict[str, Any]]) -> None:
        """Write the subjects that stay, then forget the uids of those that left."""
        patch = {"metadata": {"resourceVersion": resource_version_of(binding)}, "subjects": kept}
        place = ("", name_of(binding))
        changed = await self.client.patch(ROLE_TEMPLATE_BINDINGS, *place, patch)
        names = set(users_of(changed))
        old = get_path(changed, "status", "subjects", default=None) or ()
        subjects = [each for each in old if each.get("name") in names]
        await report(self.client, ROLE_TEMPLATE_BINDINGS, changed, {"subjects": subjects})

    async def _lost_namespace(self, observed: Observed) -> bool:
        binding, namespace = observed.binding, observed.namespace
        recorded = get_path(binding, "status", "namespaceUID", default="")
        name = str(binding.get("namespaceId") or "")
        if not name or role_of(binding)[0] != "RoleTemplate":
            return False
        if namespace is None:
            return bool(recorded) and await self._live_uid(NAMESPACES, name) != recorded
        if not is_recreated(binding, namespace):
            return False
        live = await self._live_uid(NAMESPACES, name)
        return live != recorded if recorded else live == uid_of(namespace)

    async def _live_uid(self, resource: APIResource, name: str) -> str:
        try:
            return uid_of(await self.client.get(resource, "", name))
        except NotFoundError:
            return ""

    async def _report(self, observed: Observed, conflict: str) -> None:
        binding, now = observed.binding, observed.now
        found = verdict(observed)
        text = conflict or "no other object stands in the way"
        conditions = [
            condition("InForce", *found, holds=found.in_force and not conflict),
            condition(
                "Conflict", "NameTaken" if conflict else "NoConflict", text, holds=bool(conflict)
            ),
        ]
        if conflict:
            conditions[0] |= {"reason": "Conflict", "message": conflict}
        recorded = recorded_users(binding)
        status: Object = {
            "conditions": with_conditions(binding, conditions, now),
            "subjects": [
                {"kind": "User", "name": name, "uid": recorded.get(name) or observed.users[name]}
                for name in dict.fromkeys(users_of(binding))
                if name in recorded or name in observed.users
            ],
        }
        if observed.namespace and found.in_force and role_of(binding)[0] == "RoleTemplate":
            status["namespaceUID"] = uid_of(observed.namespace)
        await report(self.client, ROLE_TEMPLATE_BINDINGS, binding, status)

    def _result(self, observed: Observed) -> Result:
        if verdict(observed).reason in ("InvalidExpiry", "Expired"):
            return DONE
        ends = expiry(observed.binding)
        return DONE if ends is None else Result(requeue_after=max(ends - observed.now, 0.01))


def _keys(bindings: Iterable[Object]) -> list[Key]:
    return [Key("", name_of(each)) for each in bindings]


def _watch_causes(controller: Controller, reconciler: BindingReconciler) -> None:
    """Work on a binding when its role, its namespace or one of its users changes."""
    bindings, global_roles = reconciler.bindings, reconciler.global_roles
    bindings.add_index(_BY_ROLE, lambda obj: ["/".join(role_of(obj))])
    bindings.add_index(_BY_NAMESPACE, lambda obj: [str(obj.get("namespaceId") or "")])
    bindings.add_index(_BY_USER, users_of)
    global_roles.add_index(_BY_NAMESPACED_RULES, lambda obj: obj.get("namespacedRules") or ())

    def by_role(role: Object) -> list[Key]:
        return _keys(bindings.by_index(_BY_ROLE, f"{role['kind']}/{name_of(role)}"))

    def by_namespace(namespace: Object) -> list[Key]:
        name = name_of(namespace)
        keys = _keys(bindings.by_index(_BY_NAMESPACE, name))
        for role in global_roles.by_index(_BY_NAMESPACED_RULES, name):
            keys += by_role(role)
        return keys

    controller.watch(reconciler.role_templates, by_role)
    controller.watch(global_roles, by_role)
    controller.watch(reconciler.namespaces, by_namespace)
    controller.watch(
        reconciler.users, lambda user: _keys(bindings.by_index(_BY_USER, name_of(user)))
    )


def role_template_binding_controller(
    client: Client, informers: Informers, clock: Clock
) -> Controller:
    """RoleTemplateBinding → RoleBindings, ClusterRoleBindings."""
    reconciler = BindingReconciler(
        client,
        clock,
        bindings=informers.informer(ROLE_TEMPLATE_BINDINGS),
        role_templates=informers.informer(ROLE_TEMPLATES),
        global_roles=informers.informer(GLOBAL_ROLES),
        namespaces=informers.informer(NAMESPACES),
        users=informers.informer(USERS),
        role_bindings=informers.informer(ROLE_BINDINGS),
        cluster_role_bindings=informers.informer(CLUSTER_ROLE_BINDINGS),
    )
    controller = Controller("role-template-binding", reconciler, clock, workers=4)
    _watch_causes(controller, reconciler)
    owners = partial(owner_names, MANAGEMENT_GROUP, "RoleTemplateBinding")
    for informer in (reconciler.role_bindings, reconciler.cluster_role_bindings):
        informer.add_index(_BY_OWNER, owners)
        controller.watch(informer, lambda obj: [Key("", each) for each in owners(obj)])
    return controller.watch(reconciler.bindings)
