"""The platform's own policies are the platform's to change.

No policy can guard policies (Kubernetes exempts them, so that a wrong one can be taken back), and
an admin may write every kind: without this rule he could switch off all others.
"""

from llmos.admission.identity import is_platform
from llmos.admission.plugin import CHANGES, Scope, Validator
from llmos.admission.policies import BINDINGS, POLICIES
from llmos.admission.refusals import forbidden, name_in
from llmos.apimachinery.object import get_path
from llmos.apis.admission_v1 import AdmissionAttributes

PREFIX = "llmos-"
"""What the names of the platform's policies and bindings begin with."""


def keep_platform_policies(attributes: AdmissionAttributes) -> None:
    """Policies and bindings of the platform, by name or by the policy bound, change by it alone.

    Raises:
        ForbiddenError: somebody else would create, change or delete one.
    """
    if is_platform(attributes.user):
        return
    both = (attributes.object, attributes.old_object)
    names = [name_in(attributes), *(str(get_path(each, "spec", "policyName")) for each in both)]
    if any(each.startswith(PREFIX) for each in names):
        raise forbidden(attributes, "this policy belongs to the platform")


def validators() -> list[Validator]:
    """On every path."""
    scope = Scope(CHANGES, [POLICIES, BINDINGS], None)
    return [Validator("PolicyGuard", scope, keep_platform_policies)]
