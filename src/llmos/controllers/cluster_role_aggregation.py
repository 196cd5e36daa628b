"""A ClusterRole with an ``aggregationRule`` has the rules of all ClusterRoles that it selects.

Follows k8s.io/kubernetes/pkg/controller/clusterroleaggregation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.object import (
    Object,
    get_path,
    is_terminating,
    labels_of,
    name_of,
    resource_version_of,
)
from llmos.apimachinery.selectors import LabelSelector
from llmos.client.client import Client
from llmos.client.resources import CLUSTER_ROLES
from llmos.reconcile.controller import DONE, Controller, Result
from llmos.reconcile.informer import Informer, Informers
from llmos.reconcile.workqueue import Key

_AGGREGATING = "aggregationRule"


def selectors_of(role: Object) -> list[LabelSelector]:
    """The selectors of a role's ``aggregationRule``; one that is malformed selects nothing."""
    selectors = []
    for each in get_path(role, "aggregationRule", "clusterRoleSelectors", default=None) or ():
        try:
            selectors.append(LabelSelector.from_object(each))
        except (StatusError, ValueError):
            continue
    return selectors


def desired(role: Object, roles: Iterable[Object]) -> list[Any]:
    """The rules of an aggregating role: those of every other role it selects, each once."""
    selectors = selectors_of(role)
    rules: list[Any] = []
    for each in sorted(roles, key=name_of):
        if name_of(each) == name_of(role):
            continue
        if any(selector.matches(labels_of(each)) for selector in selectors):
            rules += [rule for rule in each.get("rules") or () if rule not in rules]
    return rules


@dataclass(frozen=True, slots=True)
class AggregationReconciler:
    """Keeps the rules of aggregating roles."""

    client: Client
    roles: Informer

    async def reconcile(self, key: Key) -> Result:
        """Write the rules of one ClusterRole where they are not what it selects."""
        role = self.roles.get("", key.name)
        if role is None or is_terminating(role) or role.get("aggregationRule") is None:
            return DONE
        rules = desired(role, self.roles.list())
        if rules != (role.get("rules") or []):
            patch = {"metadata": {"resourceVersion": resource_version_of(role)}, "rules": rules}
            await self.client.patch(CLUSTER_ROLES, "", key.name, patch)
        return DONE


def cluster_role_aggregation_controller(
    client: Client, informers: Informers, clock: Clock
) -> Controller:
    """ClusterRole with an aggregationRule → its rules."""
    roles = informers.informer(CLUSTER_ROLES)
    roles.add_index(_AGGREGATING, lambda obj: [_AGGREGATING] if obj.get(_AGGREGATING) else ())

    def concerned(role: Object) -> Iterable[Key]:
        """The role itself, and every role that selects it."""
        labels = labels_of(role)
        if role.get(_AGGREGATING):
            yield Key("", name_of(role))
        if not labels:
            return
        for each in roles.by_index(_AGGREGATING, _AGGREGATING):
            if any(selector.matches(labels) for selector in selectors_of(each)):
                yield Key("", name_of(each))

    controller = Controller("cluster-role-aggregation", AggregationReconciler(client, roles), clock)
    return controller.watch(roles, concerned)
