"""Reserved system namespaces belong to the platform, and no label switches that off.

Which ones they are is a list in the server (``apis.namespaces``): a namespace never becomes one,
and never stops being one, by anything written on it.
"""

from llmos.admission.identity import is_end_user, is_platform, is_tenant
from llmos.admission.namespace_metadata import changed_keys
from llmos.admission.plugin import Scope, Validator
from llmos.admission.refusals import forbidden, name_in, objects_of
from llmos.admission.resources import NAMESPACES, SERVICE_ACCOUNTS
from llmos.apimachinery.object import annotations_of, finalizers_of, labels_of, owner_references
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.namespaces import (
    PUBLIC_NAMESPACE,
    RESERVED_PREFIXES,
    is_protected_key,
    is_reserved,
)


def keep_names_reserved(attributes: AdmissionAttributes) -> None:
    """Rule 3: the prefixes ``kube-`` and ``llmos-`` are reserved too, for generated names as well.

    Raises:
        ForbiddenError: the new namespace would have such a name.
    """
    name = name_in(attributes)
    if is_platform(attributes.user):
        return
    if is_reserved(name) or name.startswith(tuple(RESERVED_PREFIXES)):
        raise forbidden(attributes, "this name is reserved for the platform")


def keep_reserved_namespaces(attributes: AdmissionAttributes) -> None:
    """Rule 3: nobody signed in through llmos, admin included, deletes a reserved namespace.

    Raises:
        ForbiddenError: it is one, or ``llmos-public``.
    """
    if is_platform(attributes.user):
        return
    name = name_in(attributes)
    if is_reserved(name) or name == PUBLIC_NAMESPACE:
        raise forbidden(attributes, "this namespace belongs to the platform and may not be deleted")


def keep_reserved_status(attributes: AdmissionAttributes) -> None:
    """Rule 3: nobody signed in through llmos touches ``status`` or ``finalize`` of one.

    Raises:
        ForbiddenError: it is a reserved namespace.
    """
    if is_reserved(name_in(attributes)) and not is_platform(attributes.user):
        raise forbidden(
            attributes,
            f"this namespace belongs to the platform: its {attributes.subresource} "
            "may not be changed",
        )


def keep_reserved_metadata(attributes: AdmissionAttributes) -> None:
    """Rule 3: its labels, finalizers, owners and protected annotations stay as they are.

    An admin may change other annotations, such as the description; an end user none.

    Raises:
        ForbiddenError: one of them changes.
    """
    if not is_reserved(name_in(attributes)) or is_platform(attributes.user):
        return
    new, old = objects_of(attributes)
    annotations = changed_keys(annotations_of(new), annotations_of(old))
    touched = (
        bool(changed_keys(labels_of(new), labels_of(old)))
        or finalizers_of(new) != finalizers_of(old)
        or owner_references(new) != owner_references(old)
        or any(is_protected_key(key) for key in annotations)
        or (bool(annotations) and is_end_user(attributes.user))
    )
    if touched:
        raise forbidden(
            attributes,
            "this namespace belongs to the platform: "
            "only its unprotected annotations may be changed, by an administrator",
        )


def keep_platform_accounts(attributes: AdmissionAttributes) -> None:
    """Rule 3 would be void for whoever takes a token of the platform's own service accounts.

    Raises:
        ForbiddenError: somebody from inside llmos asks for one.
    """
    if is_tenant(attributes.user) and is_reserved(attributes.namespace):
        raise forbidden(attributes, "service accounts of the platform give tokens to nobody else")


def validators() -> list[Validator]:
    """Every way in which a reserved namespace could change."""
    namespaces = [NAMESPACES]
    return [
        Validator("ReservedNamespaces/names", Scope(("CREATE",), namespaces), keep_names_reserved),
        Validator(
            "ReservedNamespaces/delete", Scope(("DELETE",), namespaces), keep_reserved_namespaces
        ),
        Validator(
            "ReservedNamespaces/status",
            Scope(("CREATE", "UPDATE"), namespaces, ("status", "finalize")),
            keep_reserved_status,
        ),
        Validator(
            "ReservedNamespaces/metadata",
            Scope(("UPDATE",), namespaces, None),
            keep_reserved_metadata,
        ),
        Validator(
            "ReservedNamespaces/tokens",
            Scope(("CREATE",), [SERVICE_ACCOUNTS], ("token",)),
            keep_platform_accounts,
        ),
    ]
