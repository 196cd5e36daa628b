"""The platform's own content: what it is, and whether an object is still as it was shipped.

Whoever puts it in place reads it here: the start of the embedded server, ``llmos install``, and the
controller that repairs it. An object of the platform's is restored whole, without what somebody
added; what an administrator may set on a built-in role stays as he set it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import NamedTuple

import orjson

from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import (
    Object,
    copy_object,
    get_path,
    is_terminating,
    labels_of,
    name_of,
    namespace_of,
)
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.apis import admissionregistration_v1, apiextensions_v1, rbac_v1
from llmos.manifests import load

_REGISTRATION = "admissionregistration.k8s.io"
_MANAGEMENT = "management.llmos.ai"


def _resource(group: str, plural: str, kind: str, *, namespaced: bool = False) -> APIResource:
    return APIResource(group, "v1", plural, kind.lower(), kind, namespaced)


NAMESPACES = _resource("", "namespaces", "Namespace")
SERVICE_ACCOUNTS = _resource("", "serviceaccounts", "ServiceAccount", namespaced=True)
DEFINITIONS = _resource(
    "apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition"
)
POLICIES = _resource(_REGISTRATION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy")
POLICY_BINDINGS = _resource(
    _REGISTRATION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"
)
GLOBAL_ROLES = _resource(_MANAGEMENT, "globalroles", "GlobalRole")
ROLE_TEMPLATES = _resource(_MANAGEMENT, "roletemplates", "RoleTemplate")
SETTINGS = _resource(_MANAGEMENT, "settings", "Setting")
CLUSTER_ROLES = _resource(rbac_v1.GROUP, "clusterroles", "ClusterRole")
ROLES = _resource(rbac_v1.GROUP, "roles", "Role", namespaced=True)
CLUSTER_ROLE_BINDINGS = _resource(rbac_v1.GROUP, "clusterrolebindings", "ClusterRoleBinding")
ROLE_BINDINGS = _resource(rbac_v1.GROUP, "rolebindings", "RoleBinding", namespaced=True)

IN_ORDER = (
    NAMESPACES,
    DEFINITIONS,
    POLICIES,
    POLICY_BINDINGS,
    GLOBAL_ROLES,
    ROLE_TEMPLATES,
    SETTINGS,
    SERVICE_ACCOUNTS,
    CLUSTER_ROLES,
    ROLES,
    CLUSTER_ROLE_BINDINGS,
    ROLE_BINDINGS,
)
"""Every kind of it, each after all that it needs: rules are in force before anybody has rights."""

BY_KIND: Mapping[str, APIResource] = {each.kind: each for each in IN_ORDER}

_DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    POLICIES.kind: admissionregistration_v1.policies().default,
    POLICY_BINDINGS.kind: admissionregistration_v1.bindings().default,
    DEFINITIONS.kind: apiextensions_v1.strategy().default,
    CLUSTER_ROLE_BINDINGS.kind: rbac_v1.cluster_role_bindings().default,
    ROLE_BINDINGS.kind: rbac_v1.role_bindings().default,
}
_ADORNED = frozenset({NAMESPACES.kind, SERVICE_ACCOUNTS.kind, SETTINGS.kind})
"""Kinds that people may adorn: of these only the shipped labels are the platform's."""
_BESIDE_CONTENT = ("apiVersion", "kind", "metadata", "status")

SHARED = ("namespaces", "crds", "policies", "roles", "settings")
"""The folders of what both engines have."""
CLUSTER = (*SHARED, "cluster")
"""The folders of what a cluster has."""


class Place(NamedTuple):
    """Where an object is: it is the platform's own by its place alone."""

    resource: GroupResource
    namespace: str
    name: str

    def __str__(self) -> str:
        """As kubectl names an object, with its namespace in front."""
        path = f"{self.resource}/{self.name}"
        return f"{self.namespace}/{path}" if self.namespace else path


class Shipped(NamedTuple):
    """An object as it is shipped, with the defaults that a server puts in."""

    resource: APIResource
    object: Object

    @property
    def place(self) -> Place:
        """Where it belongs."""
        return Place(self.resource.group_resource, namespace_of(self.object), name_of(self.object))


def complete(obj: Object) -> Object:
    """Put the defaults of its kind into a shipped object, in place."""
    default = _DEFAULTS.get(str(obj["kind"]))
    if default is not None:
        default(obj)
    return obj


def shipped(folders: Sequence[str] = CLUSTER) -> list[Shipped]:
    """What belongs into a cluster, in the order of its making."""
    found = [Shipped(BY_KIND[obj["kind"]], complete(obj)) for each in folders for obj in load(each)]
    return sorted(found, key=lambda each: IN_ORDER.index(each.resource))


def repaired(current: Object, wanted: Object) -> Object | None:
    """What an object becomes that is there already; None where nothing is amiss.

    Args:
        current: The object as it is; it is not changed.
        wanted: The same as it was shipped, completed.
    """
    made = copy_object(current)
    if wanted["kind"] in _ADORNED:
        _restore_labels(made, wanted)
    else:
        _restore_content(made, wanted)
    return made if made != current else None


def to_apply(wanted: Object, current: Object | None) -> Object:
    """What server-side apply is given of an object that was shipped.

    What an administrator has set on a built-in role is left out: who applies a field owns it.
    """
    if current is None or not get_path(wanted, "spec", "builtin"):
        return wanted
    old = current.get("spec") or {}
    spec = {
        key: value
        for key, value in wanted["spec"].items()
        if key == "builtin" or old.get(key, value) == value
    }
    return {**wanted, "spec": spec}


def _restore_labels(made: Object, wanted: Object) -> None:
    labels = labels_of(wanted)
    if any(labels_of(made).get(key) != value for key, value in labels.items()):
        made["metadata"]["labels"] = {**labels_of(made), **labels}


def _restore_content(made: Object, wanted: Object) -> None:
    content = {key: each for key, each in wanted.items() if key not in _BESIDE_CONTENT}
    if get_path(wanted, "spec", "builtin"):
        content["spec"] = {**wanted["spec"], **(made.get("spec") or {}), "builtin": True}
    for key in list(made):
        if key not in _BESIDE_CONTENT and key not in content and made[key]:
            del made[key]
    made |= copy_object(content)


MANAGER = "llmos"
"""The field manager of whoever puts it in place."""

RECORD = "llmos-installation"
"""The ConfigMap of ``llmos-system`` that says what is installed, by ``digest`` and place."""


@cache
def digest() -> str:
    """What tells the content of one version from that of another."""
    content = [each.object for each in shipped()]
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@cache
def _policies() -> tuple[Shipped, ...]:
    return tuple(each for each in shipped(CLUSTER) if each.resource in (POLICIES, POLICY_BINDINGS))


def amiss(lister: Lister, wanted: Iterable[Shipped] | None = None) -> list[str]:
    """What of the platform's content is missing, being deleted, or altered.

    Args:
        lister: Reads the resources of all that is wanted.
        wanted: What has to be there; None: the platform's policies and their bindings, without
            which nobody may be let in.
    """
    found = []
    for each in _policies() if wanted is None else wanted:
        resource, namespace, name = each.place
        current = lister.get(resource, namespace, name)
        if current is None or is_terminating(current):
            found.append(f"{each.place} is missing")
        elif repaired(current, each.object) is not None:
            found.append(f"{each.place} is altered")
    return found
