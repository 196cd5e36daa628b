"""The plugins of the embedded server, in the order they run."""

from llmos.admission import (
    binding_subjects,
    namespace_metadata,
    production_warning,
    reserved_namespaces,
    settings,
)
from llmos.admission.administrators import Administrators
from llmos.admission.chain import Chain
from llmos.admission.limit_ranger import LimitRanger
from llmos.admission.members import Members
from llmos.admission.namespace_lifecycle import NamespaceLifecycle
from llmos.admission.policies import Policies
from llmos.admission.rbac_escalation import RBACEscalation
from llmos.admission.resource_quota import Inventory, ResourceQuota
from llmos.admission.rights import Escalation, Rights
from llmos.admission.role_templates import RoleTemplates
from llmos.admission.storage_defaults import StorageDefaults
from llmos.admission.users import Users
from llmos.apimachinery.clock import Clock
from llmos.apis.authorization_v1 import Authorizer


def default_chain(
    inventory: Inventory,
    authorizer: Authorizer,
    escalation: Escalation,
    clock: Clock,
    policies: Policies,
) -> Chain:
    """Put the chain together.

    Args:
        inventory: reads the newest state, writes in flight included.
        authorizer: answers for the author of a change.
        escalation: compares what people hold.
        clock: the time, for expiry.
        policies: the ValidatingAdmissionPolicies in force.
    """
    rights = Rights(authorizer, escalation)
    lifecycle = NamespaceLifecycle(inventory)
    administrators = Administrators(inventory, clock)
    users = Users(inventory, escalation, administrators)
    limits = LimitRanger(inventory)
    return Chain(
        mutators=[
            *lifecycle.mutators(),
            *namespace_metadata.mutators(),
            *users.mutators(),
            *StorageDefaults(inventory).mutators(),
            *limits.mutators(),
        ],
        validators=[
            *lifecycle.validators(),
            *reserved_namespaces.validators(),
            *namespace_metadata.validators(),
            *binding_subjects.validators(),
            *RBACEscalation(inventory, rights).validators(),
            *Members(inventory, rights, clock).validators(),
            *RoleTemplates(rights).validators(),
            *users.validators(),
            *administrators.validators(),
            *settings.validators(),
            *production_warning.validators(),
            *limits.validators(),
            *policies.validators(),
            *ResourceQuota(inventory).validators(),
        ],
    )
