"""The plugins of the embedded server, in the order they run."""

from llmos.admission import namespace_metadata, policy_guard, settings
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
    members = Members(inventory, rights, clock)
    limits = LimitRanger(inventory)
    return Chain(
        mutators=[
            *lifecycle.mutators(),
            *namespace_metadata.mutators(),
            *members.mutators(),
            *users.mutators(),
            *StorageDefaults(inventory).mutators(),
            *limits.mutators(),
        ],
        validators=[
            *lifecycle.validators(),
            # First the form, then who asks, then what it names: nobody probes for names.
            *members.forms(),
            *users.forms(),
            *settings.validators(),
            *policy_guard.validators(),
            *policies.validators(),
            *RBACEscalation(inventory, rights).validators(),
            *members.validators(),
            *RoleTemplates(rights).validators(),
            *users.validators(),
            *administrators.validators(),
            *limits.validators(),
            *ResourceQuota(inventory).validators(),
        ],
    )
