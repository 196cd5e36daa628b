"""Whom a binding may name, for RoleBindings, ClusterRoleBindings and RoleTemplateBindings alike."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from llmos.admission.identity import is_platform, is_tenant
from llmos.admission.plugin import WRITES, Scope, Validator
from llmos.admission.refusals import forbidden, objects_of
from llmos.admission.resources import CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS
from llmos.apimachinery.object import Object
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.authentication_v1 import (
    ANONYMOUS,
    AUTHENTICATED_GROUP,
    MASTERS_GROUP,
    SERVICE_ACCOUNTS_GROUP,
    UNAUTHENTICATED_GROUP,
)
from llmos.apis.namespaces import is_reserved

Subject = dict[str, Any]

PLATFORM_PREFIXES = ("system:", "llmos:")
_EVERYBODY = frozenset({ANONYMOUS, AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def has_hidden_characters(text: str) -> bool:
    """Whether a text has what nobody sees: control, bidi, zero-width, line separators."""
    return any(unicodedata.category(character) in _HIDDEN for character in text)


def subjects_of(binding: Object) -> Sequence[Subject]:
    """The subjects of a binding; what is not a map is left out."""
    return [each for each in binding.get("subjects") or () if isinstance(each, dict)]


def added_subjects(attributes: AdmissionAttributes) -> list[Subject]:
    """The subjects that this change adds."""
    new, old = objects_of(attributes)
    before = {_identity(each) for each in subjects_of(old)}
    return [each for each in subjects_of(new) if _identity(each) not in before]


def _identity(subject: Subject) -> tuple[str, str, str]:
    return str(subject.get("kind")), str(subject.get("name")), str(subject.get("namespace"))


def guard_platform_subjects(attributes: AdmissionAttributes) -> None:
    """No end user names a group or user of the platform; an admin does so with a warning.

    ``system:masters`` is named by nobody from inside llmos. The service accounts of the
    binding's own namespace are no secret of the platform's: anybody may name them.

    Raises:
        ForbiddenError: a subject is not for the author to name.
    """
    user = attributes.user
    if not is_tenant(user):
        return
    own = f"{SERVICE_ACCOUNTS_GROUP}:{attributes.namespace}"
    for name in _platform_names(added_subjects(attributes)):
        if name == MASTERS_GROUP or (not user.is_admin and name != own):
            raise forbidden(attributes, f'the subject "{name}" belongs to the platform')
        if name != own:
            attributes.warnings.append(
                f'the subject "{name}" belongs to the platform and may stand for many people'
            )


def _platform_names(subjects: Iterable[Subject]) -> list[str]:
    """The names of users and groups that only the platform gives."""
    return [
        str(each.get("name"))
        for each in subjects
        if str(each.get("name")).startswith(PLATFORM_PREFIXES)
    ]


def keep_end_users_out_of_reserved_namespaces(attributes: AdmissionAttributes) -> None:
    """Rule 3: no role binding of an end user may point into a reserved namespace.

    Service accounts and the platform's own identities may be bound there; groups that everybody
    is in may not.

    Raises:
        ForbiddenError: a subject is, or may be, an end user.
    """
    if is_platform(attributes.user) or not is_reserved(attributes.namespace):
        return
    for each in added_subjects(attributes):
        name = str(each.get("name"))
        platform = name.startswith("system:") and name not in _EVERYBODY
        if each.get("kind") != "ServiceAccount" and not platform:
            raise forbidden(
                attributes,
                f'"{attributes.namespace}" belongs to the platform: '
                f'the end user or group "{name}" may not be bound there',
            )


def validators() -> list[Validator]:
    """For the RBAC kinds; RoleTemplateBindings call the first rule themselves."""
    return [
        Validator(
            "BindingSubjects/platform",
            Scope(WRITES, [ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS]),
            guard_platform_subjects,
        ),
        Validator(
            "BindingSubjects/reserved",
            Scope(WRITES, [ROLE_BINDINGS]),
            keep_end_users_out_of_reserved_namespaces,
        ),
    ]
