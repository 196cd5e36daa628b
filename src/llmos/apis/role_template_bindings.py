"""What a RoleTemplateBinding says, and whether it is in force; pure, for whoever asks.

A binding is tied to the uid of its namespace and to the uids of its users, which its controller
records in the status: nothing passes to what comes later under an old name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from llmos.apimachinery.clock import parse_rfc3339
from llmos.apimachinery.object import (
    Object,
    annotations_of,
    get_path,
    is_terminating,
    name_of,
    uid_of,
)
from llmos.apis.namespaces import is_reserved

GRANTED_BY = "llmos.ai/granted-by"
"""The annotation of a binding that names who gave what it gives; without it the platform did."""
_BOUND = "Bound"
_RBAC_GROUP = "rbac.authorization.k8s.io"
_SUBJECT_KINDS = ("User", "Group")


class Verdict(NamedTuple):
    """Whether a binding is in force, in a word and in a sentence."""

    reason: str
    message: str

    @property
    def in_force(self) -> bool:
        """Whether it gives anybody anything."""
        return self.reason == _BOUND


@dataclass(frozen=True, slots=True)
class Observed:
    """All that decides about one binding."""

    binding: Object
    role: Object | None
    """What ``roleTemplateRef`` names."""
    namespace: Object | None
    """What ``namespaceId`` names."""
    users: Mapping[str, str]
    """The uids of those of its users who exist."""
    open_namespaces: frozenset[str]
    """Those of the GlobalRole's ``namespacedRules`` that exist and are open to users."""
    now: float


def subjects_of(binding: Object) -> list[dict[str, Any]]:
    """The subjects that can be bound; whatever else is written there counts for nothing."""
    return [
        each
        for each in binding.get("subjects") or ()
        if isinstance(each, dict) and each.get("kind") in _SUBJECT_KINDS and each.get("name")
    ]


def users_of(binding: Object) -> list[str]:
    """The names of the users among the subjects."""
    return [each["name"] for each in subjects_of(binding) if each["kind"] == "User"]


def role_of(binding: Object) -> tuple[str, str]:
    """Kind and name of the role, as ``roleTemplateRef`` says them."""
    ref = binding.get("roleTemplateRef")
    ref = ref if isinstance(ref, dict) else {}
    return str(ref.get("kind") or ""), str(ref.get("name") or "")


def granter_of(binding: Object) -> str:
    """Who gave what the binding gives, as the server wrote it; ``""``: the platform."""
    return str(annotations_of(binding).get(GRANTED_BY) or "")


def recorded_users(binding: Object) -> dict[str, str]:
    """The uids of the users as they were first seen under their names."""
    recorded = get_path(binding, "status", "subjects", default=None) or ()
    return {each["name"]: each["uid"] for each in recorded if each.get("kind") == "User"}


def cluster_role_name(kind: str, name: str) -> str:
    """The ClusterRole that a RoleTemplate or GlobalRole becomes."""
    return f"llmos:{kind.lower()}:{name}"


def namespaced_role_name(role: Object) -> str:
    """The Role that a GlobalRole becomes in a namespace.

    Its uid is in the name: who may write there cannot bind himself to the Role beforehand.
    """
    return f"{cluster_role_name('GlobalRole', name_of(role))}:{uid_of(role)[:8]}"


def lost_users(observed: Observed) -> set[str]:
    """Users who were deleted, or whose name belongs to another user now."""
    recorded = recorded_users(observed.binding)
    names = set(users_of(observed.binding))
    return {
        name for name, uid in recorded.items() if name in names and observed.users.get(name) != uid
    }


def bound_subjects(observed: Observed) -> list[dict[str, Any]]:
    """The subjects of an RBAC binding."""
    lost = lost_users(observed)
    return [
        {"apiGroup": _RBAC_GROUP, "kind": each["kind"], "name": each["name"]}
        for each in subjects_of(observed.binding)
        if each["kind"] != "User" or each["name"] not in lost
    ]


def expiry(binding: Object) -> float | None:
    """When the binding ends; None: never.

    Raises:
        ValueError: ``expiresAt`` is not a time.
    """
    text = binding.get("expiresAt")
    return parse_rfc3339(str(text)) if text else None


def is_recreated(binding: Object, namespace: Object) -> bool:
    """Whether the namespace is another one than the binding was made for."""
    recorded = get_path(binding, "status", "namespaceUID", default="")
    if recorded:
        return bool(recorded != uid_of(namespace))
    made, bound = (get_path(each, "metadata", "creationTimestamp") for each in (namespace, binding))
    return bool(made and bound and parse_rfc3339(made) > parse_rfc3339(bound))


def is_older(binding: Object, role: Object) -> bool:
    """Whether the role was made after the binding: nobody was asked whether he may give that one.

    Built-in roles are always the same; whoever deletes one gets it back.
    """
    if get_path(role, "spec", "builtin") is True:
        return False
    made, bound = (get_path(each, "metadata", "creationTimestamp") for each in (role, binding))
    return bool(made and bound and parse_rfc3339(made) > parse_rfc3339(bound))


def _time_verdict(observed: Observed) -> Verdict | None:
    if is_terminating(observed.binding):
        return Verdict("Terminating", "the binding is being deleted")
    try:
        ends = expiry(observed.binding)
    except ValueError:
        return Verdict("InvalidExpiry", "expiresAt is not a time")
    if ends is not None and ends <= observed.now:
        return Verdict("Expired", f"the binding ended at {observed.binding['expiresAt']}")
    return None


def _namespace_verdict(observed: Observed) -> Verdict | None:
    name = observed.binding.get("namespaceId") or ""
    if not name:
        return Verdict("NamespaceRequired", "a RoleTemplate is bound in a namespace")
    if is_reserved(name):
        return Verdict("NamespaceReserved", f"namespace {name} is reserved for the platform")
    if observed.namespace is None:
        return Verdict("NamespaceNotFound", f"there is no namespace {name}")
    if is_recreated(observed.binding, observed.namespace):
        return Verdict("NamespaceRecreated", f"namespace {name} is not the one that was bound")
    if is_terminating(observed.namespace):
        return Verdict("NamespaceTerminating", f"namespace {name} is being deleted")
    return None


def verdict(observed: Observed) -> Verdict:
    """Say whether the binding is in force."""
    refused = _time_verdict(observed)
    if refused is not None:
        return refused
    kind, name = role_of(observed.binding)
    if observed.role is None or is_terminating(observed.role):
        known = "GlobalRole" if kind == "GlobalRole" else "RoleTemplate"
        return Verdict(f"{known}NotFound", f"there is no {kind} {name}")
    if is_older(observed.binding, observed.role):
        return Verdict(f"{kind}Recreated", f"{kind} {name} is not the one that was bound")
    if kind == "RoleTemplate":
        refused = _namespace_verdict(observed)
        if refused is not None:
            return refused
    if not bound_subjects(observed):
        reason = "SubjectRecreated" if lost_users(observed) else "NoSubjects"
        return Verdict(reason, "the binding has no subject left")
    return Verdict(_BOUND, "the subjects have the role")
