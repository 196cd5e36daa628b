"""A namespace takes no more than its ResourceQuotas allow, however many write at once.

What is used is counted from the newest state, writes in flight included, and not taken from
``status.used``; so neither a late controller nor a hand that edits the status lets anything
through. Texts follow k8s.io/apiserver/pkg/admission/plugin/resourcequota.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from llmos.admission.plugin import Scope, Validator
from llmos.admission.refusals import forbidden, objects_of
from llmos.admission.resources import (
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    RESOURCE_QUOTAS,
    SERVICES,
)
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apimachinery.quantity import ZERO, Quantity
from llmos.apimachinery.quota import (
    evaluate,
    has_scopes,
    is_plain_count,
    matches_scopes,
    total,
)
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes

Usage = Mapping[str, Quantity]

_MUST_SPECIFY = ("cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory")
"""What every container must say of itself where a quota limits it."""


class Inventory(Lister, Protocol):
    """Reads the newest state, writes in flight included."""

    def count(self, resource: GroupResource, namespace: str) -> int:
        """How many objects of a resource a namespace has."""


@dataclass(frozen=True, slots=True)
class ResourceQuota:
    """Checks a change against every quota of its namespace, and charges it."""

    inventory: Inventory

    def check(self, attributes: AdmissionAttributes) -> None:
        """Refuse what exceeds a quota; put the raised quotas into ``attributes.also``.

        Raises:
            ForbiddenError: a quota is exceeded, or asks for amounts that a container leaves out.
        """
        quotas = [*self.inventory.list(RESOURCE_QUOTAS, attributes.namespace)]
        if not quotas:
            return
        quotas.sort(key=name_of)
        charged = [(each, self._charge(attributes, each)) for each in quotas]
        if attributes.dry_run:
            return
        for quota, used in charged:
            if used:
                attributes.also.append((RESOURCE_QUOTAS, _with_used(quota, used)))

    def _charge(self, attributes: AdmissionAttributes, quota: Object) -> Usage:
        """What one quota has used after the change, for the names that rise.

        Raises:
            ForbiddenError: it is exceeded.
        """
        resource = attributes.resource.group_resource
        new, old = objects_of(attributes)
        if not matches_scopes(quota, resource, new):
            return {}
        hard = _hard(quota)
        if resource == PODS and attributes.operation == "CREATE":
            _require_amounts(attributes, quota, hard)
        before: Usage = {}
        if old and matches_scopes(quota, resource, old):
            before = evaluate(resource, old)
        requested = {
            name: amount - before.get(name, ZERO)
            for name, amount in evaluate(resource, new).items()
            if name in hard and amount > before.get(name, ZERO)
        }
        if not requested:
            return {}
        used = self._used(quota, resource, attributes.namespace, requested)
        _confirm(attributes, quota, hard, requested, used)
        return {name: used[name] + amount for name, amount in requested.items()}

    def _used(
        self, quota: Object, resource: GroupResource, namespace: str, names: Iterable[str]
    ) -> dict[str, Quantity]:
        """What the namespace uses now, of the names asked for."""
        if not has_scopes(quota) and all(is_plain_count(name) for name in names):
            return dict.fromkeys(names, Quantity.of(self.inventory.count(resource, namespace)))
        used = total(quota, resource, self.inventory.list(resource, namespace))
        return {name: used.get(name, ZERO) for name in names}

    def validators(self) -> list[Validator]:
        """Every new object; and the kinds that can grow."""
        growing = [PODS, PERSISTENT_VOLUME_CLAIMS, SERVICES]
        return [
            Validator("ResourceQuota", Scope(("CREATE",), namespaced_only=True), self.check),
            Validator(
                "ResourceQuota/growth", Scope(("UPDATE",), growing, ("", "resize")), self.check
            ),
        ]


def _hard(quota: Object) -> dict[str, Quantity]:
    hard = get_path(quota, "spec", "hard") or {}
    return {name: Quantity.parse(value) for name, value in hard.items()}


def _confirm(
    attributes: AdmissionAttributes,
    quota: Object,
    hard: Usage,
    requested: Usage,
    used: Usage,
) -> None:
    """Refuse where the new sum is over the limit, naming all that are."""
    over = sorted(name for name in requested if used[name] + requested[name] > hard[name])
    if over:
        raise forbidden(
            attributes,
            f"exceeded quota: {name_of(quota)}, requested: {_shown(requested, over)}, "
            f"used: {_shown(used, over)}, limited: {_shown(hard, over)}",
        )


def _shown(amounts: Usage, names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in names)


def _require_amounts(attributes: AdmissionAttributes, quota: Object, hard: Usage) -> None:
    """Refuse a pod one of whose containers does not say what a quota limits."""
    spec = get_path(attributes.object, "spec", default=None) or {}
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    missing = []
    for name in _MUST_SPECIFY:
        silent = sorted({str(each.get("name")) for each in containers if not _says(each, name)})
        if name in hard and silent:
            missing.append(f"{name} for: {','.join(silent)}")
    if missing:
        raise forbidden(
            attributes, f"failed quota: {name_of(quota)}: must specify {'; '.join(missing)}"
        )


def _says(container: Object, name: str) -> bool:
    """Whether a container gives the amount that a quota calls ``cpu`` or ``limits.cpu``."""
    kind, dot, resource = name.partition(".")
    if not dot:
        kind, resource = "requests", name
    return resource in (get_path(container, "resources", kind) or {})


def _with_used(quota: Object, used: Usage) -> Object:
    """The quota with its ``status.used`` raised."""
    status = quota.get("status") or {}
    raised = {**(status.get("used") or {}), **{name: str(each) for name, each in used.items()}}
    return {**quota, "status": {**status, "used": raised}}
