"""What a well-formed RoleTemplateBinding looks like, on its own and beside its former self."""

import re
from collections.abc import Iterator
from typing import Any

from llmos.admission.resources import MANAGEMENT, RBAC
from llmos.admission.subjects import has_hidden_characters
from llmos.apimachinery.clock import parse_rfc3339
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.validation import (
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
    field_too_many,
)

TEMPLATE_KINDS = ("GlobalRole", "RoleTemplate")
SUBJECT_KINDS = ("Group", "User")
MAX_SUBJECTS = 256
_MAX_NAME = 253
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def shape_errors(binding: Object) -> list[FieldError]:
    """All that is wrong with a binding, whoever writes it."""
    return [*_reference_errors(binding), *_namespace_errors(binding), *_subjects_errors(binding)]


def immutable_errors(new: Object, old: Object) -> list[FieldError]:
    """``namespaceId`` and ``roleTemplateRef`` never change: delete and create instead."""
    errors = []
    if (new.get("namespaceId") or "") != (old.get("namespaceId") or ""):
        errors.append(field_invalid("namespaceId", new.get("namespaceId"), "field is immutable"))
    if new.get("roleTemplateRef") != old.get("roleTemplateRef"):
        name = get_path(new, "roleTemplateRef", "name")
        errors.append(field_invalid("roleTemplateRef", name, "field is immutable"))
    return errors


def expiry_errors(binding: Object, now: float) -> list[FieldError]:
    """``expiresAt`` is a time to come."""
    text = binding.get("expiresAt")
    if text is None:
        return []
    try:
        passed = parse_rfc3339(str(text)) <= now
    except ValueError:
        return [field_invalid("expiresAt", text, "must be an RFC 3339 time with a zone")]
    return [field_invalid("expiresAt", text, "must be in the future")] if passed else []


def _reference_errors(binding: Object) -> Iterator[FieldError]:
    """A RoleTemplate or GlobalRole, by name."""
    kind = get_path(binding, "roleTemplateRef", "kind", default="")
    if kind not in TEMPLATE_KINDS:
        yield field_not_supported("roleTemplateRef.kind", str(kind), TEMPLATE_KINDS)
    group = get_path(binding, "roleTemplateRef", "apiGroup", default="")
    if group not in ("", MANAGEMENT):
        yield field_not_supported("roleTemplateRef.apiGroup", str(group), (MANAGEMENT,))
    if not get_path(binding, "roleTemplateRef", "name"):
        yield field_required("roleTemplateRef.name", "a binding names a role template")


def _namespace_errors(binding: Object) -> Iterator[FieldError]:
    """A RoleTemplate holds in one namespace, a GlobalRole in the whole cluster."""
    namespace = binding.get("namespaceId") or ""
    if get_path(binding, "roleTemplateRef", "kind") == "GlobalRole":
        if namespace:
            yield field_forbidden("namespaceId", "a GlobalRole is bound in the whole cluster")
    elif not namespace:
        yield field_required("namespaceId", "a RoleTemplate is bound in a namespace")
    elif not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace):
        yield field_invalid("namespaceId", namespace, "must be the name of one namespace")


def _subjects_errors(binding: Object) -> Iterator[FieldError]:
    """Between 1 and 256 users and groups."""
    subjects = binding.get("subjects")
    if not isinstance(subjects, list) or not subjects:
        yield field_required("subjects", "a binding names at least one user or group")
        return
    if len(subjects) > MAX_SUBJECTS:
        yield field_too_many("subjects", len(subjects), MAX_SUBJECTS)
        return
    for index, subject in enumerate(subjects):
        yield from _subject_errors(subject, f"subjects[{index}]")


def _subject_errors(subject: Any, field: str) -> Iterator[FieldError]:
    if not isinstance(subject, dict):
        yield field_invalid(field, subject, "must be an object")
        return
    if subject.get("kind") not in SUBJECT_KINDS:
        yield field_not_supported(f"{field}.kind", str(subject.get("kind")), SUBJECT_KINDS)
    if (subject.get("apiGroup") or RBAC) not in (RBAC, MANAGEMENT):
        yield field_not_supported(f"{field}.apiGroup", str(subject.get("apiGroup")), (RBAC,))
    if subject.get("namespace"):
        yield field_forbidden(f"{field}.namespace", "users and groups have no namespace")
    name = subject.get("name")
    if not isinstance(name, str) or not name:
        yield field_required(f"{field}.name", "a subject has a name")
    elif len(name) > _MAX_NAME or name != name.strip() or has_hidden_characters(name):
        yield field_invalid(
            f"{field}.name",
            name[:_MAX_NAME],
            "must be at most 253 visible characters without spaces around them",
        )
