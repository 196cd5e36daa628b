"""``default`` and ``llmos-public`` are not for production: say so, and let it pass."""

from llmos.admission.plugin import Scope, Validator
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.namespaces import NOT_FOR_PRODUCTION


def warn_in_shared_namespaces(attributes: AdmissionAttributes) -> None:
    """Rule 7: creating in ``default`` and ``llmos-public`` answers with a ``Warning`` header."""
    if attributes.namespace in NOT_FOR_PRODUCTION and attributes.user.is_llmos_user:
        attributes.warnings.append(
            f'the namespace "{attributes.namespace}" is not meant for production: '
            "ask an administrator for a namespace of your own"
        )


def validators() -> list[Validator]:
    """Every object that is created in a namespace."""
    scope = Scope(("CREATE",), namespaced_only=True)
    return [Validator("ProductionWarning", scope, warn_in_shared_namespaces)]
