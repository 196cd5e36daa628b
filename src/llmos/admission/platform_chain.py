"""The rules about the platform's own kinds that look at more than one object.

Policies say what one object says by itself; these count, compare names or know who holds what. Both
engines run them: the embedded server as a part of its chain, the proxy before it hands a change on.
"""

from llmos.admission import namespace_metadata, settings
from llmos.admission.administrators import Administrators
from llmos.admission.chain import Chain
from llmos.admission.members import Members
from llmos.admission.rights import Escalation, Rights
from llmos.admission.role_templates import RoleTemplates
from llmos.admission.users import Users
from llmos.apimachinery.clock import Clock
from llmos.apimachinery.lister import Lister
from llmos.apis.authorization_v1 import Authorizer


def platform_chain(
    lister: Lister, authorizer: Authorizer, escalation: Escalation, clock: Clock
) -> Chain:
    """Put the rules together, in the order of the embedded server's chain.

    Args:
        lister: reads users, roles, their bindings and namespaces.
        authorizer: answers for the author of a change.
        escalation: compares what people hold.
        clock: the time, for expiry.
    """
    rights = Rights(authorizer, escalation)
    administrators = Administrators(lister, clock)
    users = Users(lister, escalation, administrators)
    members = Members(lister, rights, clock)
    return Chain(
        mutators=[*namespace_metadata.mutators(), *members.mutators(), *users.mutators()],
        validators=[
            *members.forms(),
            *users.forms(),
            *settings.validators(),
            *members.validators(),
            *RoleTemplates(rights).validators(),
            *users.validators(),
            *administrators.validators(),
        ],
    )
