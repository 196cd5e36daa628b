"""What belongs in a cluster, in the order in which it can be applied."""

from dataclasses import dataclass

from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import APIResource, parse_api_version
from llmos.client import resources
from llmos.client.resources import resource
from llmos.manifests import load

_ADMISSION = "admissionregistration.k8s.io"
_KNOWN = (
    resources.NAMESPACES,
    resources.SERVICE_ACCOUNTS,
    resources.CONFIG_MAPS,
    resources.ROLES,
    resources.ROLE_BINDINGS,
    resources.CLUSTER_ROLES,
    resources.CLUSTER_ROLE_BINDINGS,
    resources.CUSTOM_RESOURCE_DEFINITIONS,
    resources.GLOBAL_ROLES,
    resources.ROLE_TEMPLATES,
    resources.SETTINGS,
    resource(_ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
    resource(
        _ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"
    ),
)
_BY_KIND = {(each.group, each.kind): each for each in _KNOWN}

STAGES = ("namespaces", "crds", "roles", "policies")
"""Policies come last: they bind whoever installs as well, once they are there."""
KEPT = frozenset({"Namespace", "CustomResourceDefinition"})
"""Kinds that hold what others put there: an upgrade never deletes them."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One object, by what finds it."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Object) -> "Ref":
        """The object's own."""
        return cls(str(obj["apiVersion"]), str(obj["kind"]), namespace_of(obj), name_of(obj))

    @property
    def resource(self) -> APIResource:
        """The resource that serves it."""
        return _BY_KIND[parse_api_version(self.api_version)[0], self.kind]

    def __str__(self) -> str:
        """As kubectl names it."""
        group = parse_api_version(self.api_version)[0]
        kind = self.kind.lower() + (f".{group}" if group else "")
        place = f" -n {self.namespace}" if self.namespace else ""
        return f"{kind}/{self.name}{place}"


def stage(name: str) -> list[Object]:
    """The objects of one stage; bindings after the roles that they give."""
    return sorted(load(name), key=lambda each: _RANK.get(str(each["kind"]), 1))


_RANK = {"Namespace": 0, "ServiceAccount": 0, "ClusterRoleBinding": 2, "RoleBinding": 2}
