"""RoleTemplates and GlobalRoles: nobody puts into one what he does not hold himself.

What else nobody may change about them is said by the policy ``llmos-roles``.
"""

from dataclasses import dataclass

from llmos.admission.plugin import WRITES, Scope, Validator
from llmos.admission.refusals import objects_of
from llmos.admission.resources import GLOBAL_ROLES, ROLE_TEMPLATES
from llmos.admission.rights import Rights
from llmos.apis.admission_v1 import AdmissionAttributes

_RULES = ("rules", "namespacedRules")


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
        """What may be handed out."""
        templates = Scope(WRITES, [ROLE_TEMPLATES, GLOBAL_ROLES])
        return [Validator("RoleTemplates/rules", templates, self.check_rules)]
