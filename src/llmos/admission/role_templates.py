"""RoleTemplates and GlobalRoles: nobody puts into one what he does not hold himself.

Those that the platform brings along (``builtin``) keep their rules; an admin may rename and lock
them and choose whether they are given by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmos.admission.identity import is_administrator, is_platform
from llmos.admission.plugin import CHANGES, WRITES, Scope, Validator
from llmos.admission.refusals import forbidden, objects_of
from llmos.admission.resources import GLOBAL_ROLES, ROLE_TEMPLATES
from llmos.admission.rights import Rights
from llmos.apimachinery.object import Object
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.namespaces import is_reserved

_BY_ADMINS = ("locked", "newNamespaceDefault", "newUserDefault")
_EDITABLE = frozenset({"displayName", *_BY_ADMINS})
_RULES = ("rules", "namespacedRules")


def _spec(template: Object) -> Mapping[str, Any]:
    return template.get("spec") or {}


def _is_builtin(template: Object) -> bool:
    return _spec(template).get("builtin") is True


def keep_builtin_mark(attributes: AdmissionAttributes) -> None:
    """Section 6: ``builtin`` is the platform's word; no user sets it or takes it away.

    Raises:
        ForbiddenError: one does.
    """
    new, old = objects_of(attributes)
    if _is_builtin(new) != _is_builtin(old) and not is_platform(attributes.user):
        raise forbidden(attributes, "only the platform sets builtin")


def keep_builtin(attributes: AdmissionAttributes) -> None:
    """Section 6: a built-in one is not deleted, and only its documented fields are edited.

    Raises:
        ForbiddenError: it is, or others are, or its editor is no admin.
    """
    new, old = objects_of(attributes)
    if not _is_builtin(old) or is_platform(attributes.user):
        return
    if attributes.operation == "DELETE":
        raise forbidden(attributes, "it is built in and may not be deleted")
    if not is_administrator(attributes.user):
        raise forbidden(attributes, "it is built in: only an administrator may edit it")
    same_rules = all((new.get(each) or None) == (old.get(each) or None) for each in _RULES)
    before, after = _spec(old), _spec(new)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if not same_rules or changed - _EDITABLE:
        raise forbidden(
            attributes, f"it is built in: only {', '.join(sorted(_EDITABLE))} may be changed"
        )


def guard_switches(attributes: AdmissionAttributes) -> None:
    """Section 6: what is locked, and what everybody new gets, is for admins to say.

    Raises:
        ForbiddenError: somebody else says it.
    """
    if is_administrator(attributes.user):
        return
    new, old = objects_of(attributes)
    for each in _BY_ADMINS:
        if bool(_spec(new).get(each)) != bool(_spec(old).get(each)):
            raise forbidden(attributes, f"only an administrator may change spec.{each}")


def keep_out_of_reserved_namespaces(attributes: AdmissionAttributes) -> None:
    """Rule 3: no rules for end users in a reserved namespace, by ``namespacedRules`` neither.

    Raises:
        ForbiddenError: the role names one.
    """
    if is_platform(attributes.user):
        return
    new, old = objects_of(attributes)
    before = old.get("namespacedRules") or {}
    for namespace, rules in (new.get("namespacedRules") or {}).items():
        if is_reserved(namespace) and rules != before.get(namespace):
            raise forbidden(attributes, f'the namespace "{namespace}" belongs to the platform')


@dataclass(frozen=True, slots=True)
class RoleTemplates:
    """The rule that compares rights."""

    rights: Rights

    def check_rules(self, attributes: AdmissionAttributes) -> None:
        """Its rules are held by its author everywhere, or he may ``escalate``.

        Raises:
            ForbiddenError: he holds not all of them.
        """
        new, old = objects_of(attributes)
        if all((new.get(each) or None) == (old.get(each) or None) for each in _RULES):
            return
        resource = attributes.resource.group_resource
        name = attributes.name if attributes.operation == "UPDATE" else ""
        if self.rights.may(attributes.user, "escalate", resource, name=name):
            return
        self.rights.confirm_held(attributes, "", new.get("rules") or [])
        for namespace, rules in (new.get("namespacedRules") or {}).items():
            self.rights.confirm_held(attributes, namespace, rules or [])

    def validators(self) -> list[Validator]:
        """What is fixed, then what may be handed out."""
        templates = [ROLE_TEMPLATES, GLOBAL_ROLES]
        write = Scope(WRITES, templates)
        return [
            Validator("RoleTemplates/mark", write, keep_builtin_mark),
            Validator("RoleTemplates/builtin", Scope(CHANGES, templates), keep_builtin),
            Validator("RoleTemplates/switches", write, guard_switches),
            Validator("RoleTemplates/reserved", write, keep_out_of_reserved_namespaces),
            Validator("RoleTemplates/rules", write, self.check_rules),
        ]
