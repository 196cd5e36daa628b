"""What is moved, and what is left: what is the platform's own, or is made again over there."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from llmos.apimachinery.clock import parse_rfc3339
from llmos.apimachinery.object import (
    Object,
    annotations_of,
    find_condition,
    get_path,
    is_terminating,
    labels_of,
    name_of,
    namespace_of,
    owner_references,
)
from llmos.apimachinery.resource import APIResource, parse_api_version
from llmos.apis.namespaces import NOT_FOR_PRODUCTION, SYSTEM_NAMESPACE, is_reserved
from llmos.apis.role_template_bindings import recorded_users
from llmos.client.resources import MANAGEMENT_GROUP

PASSWORD_TYPE = "llmos.ai/password"  # noqa: S105 - the type of a Secret
TOKEN_TYPE = "llmos.ai/token"  # noqa: S105 - the type of a Secret
SHARED = NOT_FOR_PRODUCTION
"""Namespaces that every server has, and that hold what users put there."""
FIRST_USER = "admin"
"""The user whom every server has."""

_CLUSTER_KINDS = {
    ("User", MANAGEMENT_GROUP): 0,
    ("Setting", MANAGEMENT_GROUP): 2,
    ("GlobalRole", MANAGEMENT_GROUP): 2,
    ("RoleTemplate", MANAGEMENT_GROUP): 2,
    ("CustomResourceDefinition", "apiextensions.k8s.io"): 3,
    ("Namespace", ""): 4,
    ("RoleTemplateBinding", MANAGEMENT_GROUP): 90,
}
_ACCOUNTS_RANK = 1
_FIRST = (
    *("ResourceQuota", "LimitRange", "ServiceAccount", "Secret", "ConfigMap"),
    *("PersistentVolumeClaim", "Role", "RoleBinding", "Service"),
)
"""Bounds before what they bound, and what pods need before pods; all others by their names."""
_NOT_MOVED = frozenset(
    {
        ("", "events"),
        ("events.k8s.io", "events"),
        ("coordination.k8s.io", "leases"),
        ("coordination.k8s.io", "leasecandidates"),
        ("storage.k8s.io", "csistoragecapacities"),
    }
)
"""Of the moment: who leads, what happened, what is free."""
_NEEDED_VERBS = {"list", "get", "create"}


class Ref(NamedTuple):
    """One object, by what finds it on any server, in the order of an export."""

    rank: int
    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Object) -> "Ref":
        """The object's own."""
        group, kind = type_of(obj)
        where = namespace_of(obj)
        return cls(rank_of(group, kind, where), group, kind, where, name_of(obj))

    def __str__(self) -> str:
        """As kubectl names it."""
        kind = self.kind.lower() + (f".{self.group}" if self.group else "")
        place = f" -n {self.namespace}" if self.namespace else ""
        return f"{kind}/{self.name}{place}"


def type_of(obj: Object) -> tuple[str, str]:
    """Group and kind."""
    return parse_api_version(str(obj["apiVersion"]))[0], str(obj["kind"])


def rank_of(group: str, kind: str, namespace: str) -> int:
    """Where a kind stands in the order in which objects can be made."""
    if namespace == SYSTEM_NAMESPACE:
        return _ACCOUNTS_RANK
    if not namespace:
        return _CLUSTER_KINDS.get((kind, group), 99)
    core = group in ("", "rbac.authorization.k8s.io")
    return 10 + (_FIRST.index(kind) if core and kind in _FIRST else len(_FIRST))


def is_moved_resource(resource: APIResource) -> bool:
    """Whether the objects of a namespaced resource are moved, as far as they are users' own."""
    return (
        resource.namespaced
        and set(resource.verbs) >= _NEEDED_VERBS
        and (resource.group, resource.plural) not in _NOT_MOVED
    )


def is_moved_namespace(namespace: Object) -> bool:
    """Whether a namespace holds what users put there."""
    return not is_reserved(name_of(namespace)) and not is_terminating(namespace)


def is_account(obj: Object) -> bool:
    """Whether a Secret keeps a password, or a token of a user."""
    return (
        obj.get("kind") == "Secret"
        and namespace_of(obj) == SYSTEM_NAMESPACE
        and obj.get("type") in (PASSWORD_TYPE, TOKEN_TYPE)
    )


def why_not_importable(document: Object) -> str:
    """Why a document cannot come from an export; empty: it can."""
    meta = document.get("metadata")
    if not (document.get("apiVersion") and document.get("kind") and isinstance(meta, dict)):
        return "it is no Kubernetes object"
    ref = Ref.of(document)
    if not ref.name:
        return "it has no name"
    if not ref.namespace and (ref.kind, ref.group) not in _CLUSTER_KINDS:
        return f"{ref} is of a cluster-wide kind that is not moved"
    reserved = ref.namespace or (ref.name if ref.kind == "Namespace" else "")
    if is_reserved(reserved) and not is_account(document):
        return f"{ref} belongs to the platform"
    if ref.kind == "CustomResourceDefinition" and is_own_definition(document):
        return f"{ref} belongs to the platform"
    return ""


def is_own_definition(definition: Object) -> bool:
    """Whether a CRD is the platform's."""
    group = str(get_path(definition, "spec", "group", default=""))
    return group == "llmos.ai" or group.endswith(".llmos.ai")


def selectorful(services: Iterable[Object]) -> set[tuple[str, str]]:
    """The Services whose Endpoints a controller makes."""
    return {
        (namespace_of(each), name_of(each))
        for each in services
        if get_path(each, "spec", "selector", default=None)
    }


def is_made_again(obj: Object, with_selector: set[tuple[str, str]]) -> bool:
    """Whether something over there makes the object, or it means nothing there."""
    if is_terminating(obj) or any(each.get("controller") for each in owner_references(obj)):
        return True
    if _is_platforms(obj):
        return True
    if type_of(obj) in (("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")):
        return _is_made_endpoints(obj, with_selector)
    check = _CHECKS.get(type_of(obj))
    return check is not None and bool(check(obj))


def _is_platforms(obj: Object) -> bool:
    """Whether installing the platform makes it: its RBAC objects begin with ``llmos:``."""
    return type_of(obj)[0] == "rbac.authorization.k8s.io" and name_of(obj).startswith("llmos:")


def _is_made_endpoints(obj: Object, with_selector: set[tuple[str, str]]) -> bool:
    if name_of(obj) == "kubernetes" and namespace_of(obj) == "default":
        return True
    if obj["kind"] == "EndpointSlice":
        return "endpointslice.kubernetes.io/managed-by" in labels_of(obj)
    return (namespace_of(obj), name_of(obj)) in with_selector


def is_plain_account(account: Object) -> bool:
    """Whether a ServiceAccount has nothing but its name."""
    own = set(account) - {"apiVersion", "kind", "metadata", "secrets"}
    return not (own or labels_of(account) or annotations_of(account))


def _is_finished_job(job: Object) -> bool:
    return any(
        (find_condition(job, each) or {}).get("status") == "True" for each in ("Complete", "Failed")
    )


_CHECKS: Mapping[tuple[str, str], Any] = {
    ("", "ConfigMap"): lambda obj: name_of(obj) == "kube-root-ca.crt",
    ("", "ServiceAccount"): lambda obj: name_of(obj) == "default" and is_plain_account(obj),
    ("", "Secret"): lambda obj: obj.get("type") == "kubernetes.io/service-account-token",
    ("", "Service"): lambda obj: (namespace_of(obj), name_of(obj)) == ("default", "kubernetes"),
    # What ran to its end would run once more.
    ("", "Pod"): lambda obj: (
        get_path(obj, "status", "phase", default="") in ("Succeeded", "Failed")
    ),
    ("batch", "Job"): _is_finished_job,
}


def is_over(
    binding: Object, uids: Mapping[str, str], namespaces: Mapping[str, str], now: float
) -> bool:
    """Whether a RoleTemplateBinding gives nobody anything any more.

    Args:
        binding: it.
        uids: of the users there are.
        namespaces: the uids of the namespaces there are.
        now: the time.
    """
    if is_terminating(binding) or _is_expired(binding, now):
        return True
    name = str(binding.get("namespaceId") or "")
    recorded = get_path(binding, "status", "namespaceUID", default="")
    if name and (name not in namespaces or recorded not in ("", namespaces[name])):
        return True
    return not living_subjects(binding, uids)


def _is_expired(binding: Object, now: float) -> bool:
    text = binding.get("expiresAt")
    try:
        return bool(text) and parse_rfc3339(str(text)) <= now
    except ValueError:
        return True


def living_subjects(binding: Object, uids: Mapping[str, str]) -> list[dict[str, Any]]:
    """The subjects of a RoleTemplateBinding without users who are gone or are others by now."""
    recorded = recorded_users(binding)
    return [
        each
        for each in binding.get("subjects") or ()
        if each.get("kind") != "User"
        or recorded.get(each.get("name"), uids.get(each.get("name"), ""))
        == uids.get(each["name"], "")
    ]
