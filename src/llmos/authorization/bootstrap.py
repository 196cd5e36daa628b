"""The roles and bindings that are there from the first start, and how a start restores them.

Follows k8s.io/kubernetes/pkg/registry/rbac/reconciliation: what Kubernetes ships is completed and
keeps what an operator added; what the platform ships is put back as it was.
"""

from llmos.apimachinery.object import Object, annotations_of, copy_object, name_of
from llmos.apimachinery.resource import GroupResource
from llmos.apis.platform_content import repaired
from llmos.authorization.index import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    RBAC_GROUP,
    ROLE_BINDINGS,
    ROLES,
    RBACIndex,
)
from llmos.manifests import load

PLATFORM_PREFIX = "llmos:"
"""How the names of the platform's own RBAC objects begin."""

_FOLDERS = ("kubernetes", "roles", "embedded")
_AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_RESOURCES = {
    "Role": ROLES,
    "RoleBinding": ROLE_BINDINGS,
    "ClusterRole": CLUSTER_ROLES,
    "ClusterRoleBinding": CLUSTER_ROLE_BINDINGS,
}


def resource_of(obj: Object) -> GroupResource | None:
    """The resource of an RBAC object by its kind; None for an object of any other group."""
    if str(obj.get("apiVersion", "")).partition("/")[0] != RBAC_GROUP:
        return None
    return _RESOURCES.get(str(obj.get("kind")))


def bootstrap_objects() -> list[Object]:
    """The RBAC objects that Kubernetes and the platform ship, roles before bindings."""
    found = [obj for each in _FOLDERS for obj in load(each) if resource_of(obj) is not None]
    return sorted(found, key=lambda obj: "Binding" in obj["kind"])


def bootstrap_index() -> RBACIndex:
    """An index of what is shipped and nothing else."""
    index = RBACIndex()
    for obj in bootstrap_objects():
        resource = resource_of(obj)
        assert resource is not None
        index.set(resource, obj)
    return index


def restored(existing: Object, shipped: Object) -> Object | None:
    """What a start makes of a shipped object that exists already; None where nothing is amiss.

    An operator switches this off for an object of Kubernetes with the annotation
    ``rbac.authorization.kubernetes.io/autoupdate: "false"``; the platform's own have no switch. A
    binding whose ``roleRef`` differs has to be deleted and created.
    """
    if not _is_of_kubernetes(shipped):
        return repaired(existing, shipped)
    if annotations_of(existing).get(_AUTOUPDATE) == "false":
        return None
    wanted: Object = copy_object(existing)
    _complete(wanted, shipped)
    return copy_object(wanted) if wanted != existing else None


def _is_of_kubernetes(shipped: Object) -> bool:
    return resource_of(shipped) is not None and not name_of(shipped).startswith(PLATFORM_PREFIX)


def _complete(wanted: Object, shipped: Object) -> None:
    """Add what is missing; an aggregated role gets its rules from its controller."""
    for key in ("aggregationRule", "roleRef"):
        if key in shipped:
            wanted[key] = shipped[key]
    for key in ("rules", "subjects"):
        if key in shipped and "aggregationRule" not in shipped:
            kept = wanted.get(key) or []
            wanted[key] = kept + [each for each in shipped[key] if each not in kept]
