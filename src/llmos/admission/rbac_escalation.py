"""Nobody writes a role or a binding that gives more than he holds.

Follows kubernetes/pkg/registry/rbac (``policybased`` storage of roles and bindings).
"""

from dataclasses import dataclass

from llmos.admission.plugin import WRITES, Scope, Validator
from llmos.admission.refusals import forbidden, objects_of
from llmos.admission.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from llmos.admission.rights import Rights, Rule
from llmos.apimachinery.errors import ForbiddenError, NotFoundError
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import get_path
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes

FULL_AUTHORITY: list[Rule] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]


@dataclass(frozen=True, slots=True)
class RBACEscalation:
    """Checks roles and bindings; ``lister`` reads the roles that bindings name."""

    lister: Lister
    rights: Rights

    def check_role(self, attributes: AdmissionAttributes) -> None:
        """A Role's or ClusterRole's rules are held by its author, or he may ``escalate``.

        Raises:
            ForbiddenError: he holds not all of them.
        """
        new, old = objects_of(attributes)
        aggregates = new.get("aggregationRule")
        same_rules = (new.get("rules") or []) == (old.get("rules") or [])
        if same_rules and aggregates == old.get("aggregationRule"):
            return
        resource = attributes.resource.group_resource
        name = attributes.name if attributes.operation == "UPDATE" else ""
        if self.rights.may(attributes.user, "escalate", resource, attributes.namespace, name):
            return
        self.rights.confirm_held(attributes, attributes.namespace, new.get("rules") or [])
        if aggregates or old.get("aggregationRule"):
            self._confirm_full_authority(attributes)

    def _confirm_full_authority(self, attributes: AdmissionAttributes) -> None:
        """An aggregated role can gather anything, so its author must hold everything."""
        try:
            self.rights.confirm_held(attributes, "", FULL_AUTHORITY)
        except ForbiddenError as error:
            raise forbidden(
                attributes, "must have cluster-admin privileges to use the aggregationRule"
            ) from error

    def check_binding(self, attributes: AdmissionAttributes) -> None:
        """A binding's role is held by its author in the namespace, or he may ``bind`` it.

        Raises:
            NotFoundError: there is no such role, and the author may not bind it unseen.
            ForbiddenError: he holds not all of its rules.
        """
        new, old = objects_of(attributes)
        if all(new.get(each) == old.get(each) for each in ("subjects", "roleRef")):
            return
        role = GroupResource(
            ROLES.group, "roles" if get_path(new, "roleRef", "kind") == "Role" else "clusterroles"
        )
        name = str(get_path(new, "roleRef", "name", default=""))
        if self.rights.may(attributes.user, "bind", role, attributes.namespace, name):
            return
        namespace = attributes.namespace if role == ROLES else ""
        found = self.lister.get(role, namespace, name)
        if found is None:
            raise NotFoundError.of(role, name)
        self.rights.confirm_held(attributes, attributes.namespace, found.get("rules") or [])

    def validators(self) -> list[Validator]:
        """Roles and bindings; labels that aggregate are the policy ``llmos-aggregation``'s."""
        return [
            Validator(
                "RBACEscalation/roles", Scope(WRITES, [ROLES, CLUSTER_ROLES]), self.check_role
            ),
            Validator(
                "RBACEscalation/bindings",
                Scope(WRITES, [ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS]),
                self.check_binding,
            ),
        ]
