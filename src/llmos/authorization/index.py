"""Roles and bindings, indexed by whom they concern; fed by events, asked by everything here.

The embedded server feeds it from the commit that carries the change, a proxy from informers. It
holds whatever order the events come in: a binding whose role does not exist grants nothing until
the role appears. Follows k8s.io/kubernetes/pkg/registry/rbac/validation (VisitRulesFor).
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import MASTERS_GROUP, UserInfo, service_account_name
from llmos.authorization.rules import Rule, Rules, parse_rules

RBAC_GROUP = "rbac.authorization.k8s.io"
ROLES = GroupResource(RBAC_GROUP, "roles")
ROLE_BINDINGS = GroupResource(RBAC_GROUP, "rolebindings")
CLUSTER_ROLES = GroupResource(RBAC_GROUP, "clusterroles")
CLUSTER_ROLE_BINDINGS = GroupResource(RBAC_GROUP, "clusterrolebindings")

_ROLE_KINDS = {ROLES: "Role", CLUSTER_ROLES: "ClusterRole"}


class RoleKey(NamedTuple):
    """Which role: ``namespace`` is ``""`` for a ClusterRole."""

    kind: str
    namespace: str
    name: str


class Subject(NamedTuple):
    """Whom an identity can be bound as: a service account is the User of its name."""

    kind: str
    name: str


class Binding(NamedTuple):
    """A RoleBinding, or (``namespace`` empty) a ClusterRoleBinding."""

    namespace: str
    name: str
    role: RoleKey
    subjects: tuple[tuple[Subject, str], ...]
    """Each with how it is described in a reason."""


class Grant(NamedTuple):
    """One binding, as it concerns one identity."""

    binding: Binding
    subject: str

    @property
    def reason(self) -> str:
        """Kubernetes' words for why something is allowed."""
        binding = self.binding
        kind, name = "ClusterRoleBinding", binding.name
        if binding.namespace:
            kind, name = "RoleBinding", f"{binding.name}/{binding.namespace}"
        role = f"{binding.role.kind} {quoted(binding.role.name)}"
        return f"RBAC: allowed by {kind} {quoted(name)} of {role} to {self.subject}"


_MAX_STAMPS = 100_000
"""Subjects whose changes are told apart; with more than that, all of them have changed once."""
_BindingKey = tuple[str, str]
_Grants = dict[_BindingKey, Grant]


def quoted(text: str) -> str:
    """A string in double quotes, as Go's ``%q`` prints it."""
    return json.dumps(text, ensure_ascii=False)


def scopes_of(namespace: str) -> tuple[str, ...]:
    """Where the rules for a request come from: cluster-wide, then its namespace if it has one."""
    return ("", namespace) if namespace else ("",)


def is_superuser(user: UserInfo) -> bool:
    """Whether the identity is above RBAC: ``system:masters`` that did not come through llmos."""
    return MASTERS_GROUP in user.groups and not user.is_llmos_user


def _subject(subject: Object, namespace: str) -> tuple[Subject, str] | None:
    kind, name = subject.get("kind"), subject.get("name")
    if not isinstance(name, str) or not name:
        return None
    if kind in ("User", "Group"):
        return Subject(kind, name), f"{kind} {quoted(name)}"
    owner = subject.get("namespace") or namespace
    if kind != "ServiceAccount" or not owner:
        return None
    described = f"ServiceAccount {quoted(f'{name}/{owner}')}"
    return Subject("User", service_account_name(owner, name)), described


def _parse_binding(obj: Object) -> Binding:
    namespace = namespace_of(obj)
    reference = obj.get("roleRef") or {}
    kind = str(reference.get("kind") or "")
    role = RoleKey(kind, namespace if kind == "Role" else "", str(reference.get("name") or ""))
    subjects: dict[Subject, str] = {}
    for each in obj.get("subjects") or ():
        parsed = _subject(each, namespace)
        if parsed is not None:
            subjects.setdefault(*parsed)
    return Binding(namespace, name_of(obj), role, tuple(subjects.items()))


class RBACIndex:
    """All roles and bindings, ready to be asked by identity and namespace."""

    def __init__(self) -> None:
        self.generation = 0
        """Raised by every change that can change an answer: drop what you remembered."""
        self._roles: dict[RoleKey, Rules] = {}
        self._bindings: dict[_BindingKey, Binding] = {}
        self._subjects: dict[Subject, dict[str, _Grants]] = {}
        self._roles_changed = 0
        self._bindings_changed: dict[Subject, int] = {}
        """By subject the generation of its newest change; it outlives the bindings."""

    def stamp(self, user: UserInfo) -> int:
        """A number that grows whenever what the identity holds may have changed.

        Equal stamps, equal answers; the bindings of others do not touch it, roles do.
        """
        changed = self._bindings_changed
        newest = max(self._roles_changed, changed.get(Subject("User", user.name), 0))
        return max(newest, *(changed.get(Subject("Group", each), 0) for each in user.groups), 0)

    def _touch(self, binding: Binding) -> None:
        """Raise the generation, for the subjects of a binding."""
        self.generation += 1
        if len(self._bindings_changed) > _MAX_STAMPS:
            self._bindings_changed.clear()
            self._roles_changed = self.generation
        for subject, _ in binding.subjects:
            self._bindings_changed[subject] = self.generation

    def set(self, resource: GroupResource, obj: Object) -> None:
        """Take a role or binding as it is now; other resources are ignored."""
        if resource in _ROLE_KINDS:
            key = RoleKey(_ROLE_KINDS[resource], namespace_of(obj), name_of(obj))
            self._set_role(key, parse_rules(obj.get("rules")))
        elif resource in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            self._set_binding(_parse_binding(obj))

    def delete(self, resource: GroupResource, obj: Object) -> None:
        """Forget a role or binding; only its name and namespace are looked at."""
        if resource in _ROLE_KINDS:
            key = RoleKey(_ROLE_KINDS[resource], namespace_of(obj), name_of(obj))
            if self._roles.pop(key, None) is not None:
                self._touch_all()
        elif resource in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            self._delete_binding((namespace_of(obj), name_of(obj)))

    def _set_role(self, key: RoleKey, rules: Rules) -> None:
        if self._roles.get(key) != rules:
            self._roles[key] = rules
            self._touch_all()

    def _touch_all(self) -> None:
        self.generation += 1
        self._roles_changed = self.generation

    def _set_binding(self, binding: Binding) -> None:
        key = (binding.namespace, binding.name)
        if self._bindings.get(key) == binding:
            return
        self._delete_binding(key)
        self._bindings[key] = binding
        for subject, described in binding.subjects:
            namespaces = self._subjects.setdefault(subject, {})
            namespaces.setdefault(binding.namespace, {})[key] = Grant(binding, described)
        self._touch(binding)

    def _delete_binding(self, key: _BindingKey) -> None:
        binding = self._bindings.pop(key, None)
        if binding is None:
            return
        for subject, _ in binding.subjects:
            namespaces = self._subjects[subject]
            grants = namespaces[binding.namespace]
            del grants[key]
            if not grants:
                del namespaces[binding.namespace]
            if not namespaces:
                del self._subjects[subject]
        self._touch(binding)

    def role(self, key: RoleKey) -> Rules | None:
        """The rules of a role, or None where it does not exist."""
        return self._roles.get(key)

    def _concerning(self, user: UserInfo) -> Iterator[dict[str, _Grants]]:
        """What concerns the identity, by namespace: as itself, and as each of its groups.

        ``system:masters`` is no group of somebody who signed in through llmos.
        """
        subjects = self._subjects
        found = subjects.get(Subject("User", user.name))
        if found is not None:
            yield found
        masters = "" if not user.is_llmos_user else MASTERS_GROUP
        for group in user.groups:
            found = subjects.get(Subject("Group", group)) if group != masters else None
            if found is not None:
                yield found

    def grants(self, user: UserInfo, *scopes: str) -> Iterator[Grant]:
        """Bindings that concern the identity in the scopes: namespaces, or ``""``, cluster-wide."""
        concerning = list(self._concerning(user))
        for scope in scopes:
            for each in concerning:
                found = each.get(scope)
                if found is not None:
                    yield from found.values()

    def namespaces(self, user: UserInfo) -> frozenset[str]:
        """The namespaces in which some RoleBinding concerns the identity."""
        found = frozenset().union(*self._concerning(user))
        return found - {""}

    def held(self, user: UserInfo, *scopes: str) -> Iterator[tuple[Grant, Rules | None]]:
        """Each grant in the scopes with its role's rules, None where the role does not exist."""
        roles = self._roles
        for grant in self.grants(user, *scopes):
            yield grant, roles.get(grant.binding.role)

    def rules_for(self, user: UserInfo, namespace: str) -> tuple[Rules, list[str]]:
        """The rules the identity holds cluster-wide and in a namespace, and what is missing."""
        found: dict[Rule, None] = {}
        problems: list[str] = []
        for grant, rules in self.held(user, *scopes_of(namespace)):
            if rules is None:
                problems.append(missing_role(grant.binding.role))
            else:
                found.update(dict.fromkeys(rules))
        return tuple(found), problems


def missing_role(role: RoleKey) -> str:
    """Kubernetes' words for a binding whose role does not exist."""
    return f"{role.kind.lower()}.{RBAC_GROUP} {quoted(role.name)} not found"
