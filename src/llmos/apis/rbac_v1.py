"""Roles and their bindings.

Source: kubernetes/pkg/apis/rbac (v1/defaults.go, validation) and the printers. What they grant, and
who may grant it, is authorization's.
"""

from collections.abc import Iterator, Sequence

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain, path_segment
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.validation import field_invalid, field_not_supported, field_required
from llmos.apis.printing import AGE, CREATED, NAME, text
from llmos.apis.strategy import Column, Strategy

GROUP = "rbac.authorization.k8s.io"
_SUBJECT_KINDS = ("ServiceAccount", "User", "Group")


def roles() -> Strategy:
    """The strategy of ``roles``."""
    return _role_strategy(namespaced=True)


def cluster_roles() -> Strategy:
    """The strategy of ``clusterroles``."""
    return _role_strategy(namespaced=False)


def role_bindings() -> Strategy:
    """The strategy of ``rolebindings``."""
    return _binding_strategy(namespaced=True)


def cluster_role_bindings() -> Strategy:
    """The strategy of ``clusterrolebindings``."""
    return _binding_strategy(namespaced=False)


def _role_strategy(*, namespaced: bool) -> Strategy:
    return Strategy(
        check_name=path_segment,
        default=_default_role,
        validate=lambda obj: _validate_role(obj, namespaced=namespaced),
        create_on_update=True,
        columns=CREATED,
    )


def _binding_strategy(*, namespaced: bool) -> Strategy:
    return Strategy(
        check_name=path_segment,
        default=_default_binding,
        validate=lambda obj: _validate_binding(obj, namespaced=namespaced),
        validate_update=_validate_binding_update,
        create_on_update=True,
        columns=_BINDING_COLUMNS,
    )


def _default_role(obj: Object) -> None:
    obj.setdefault("rules", None)


def _validate_role(obj: Object, *, namespaced: bool) -> Sequence[FieldError]:
    errors = [
        error
        for index, rule in enumerate(obj.get("rules") or ())
        for error in _rule_errors(rule, f"rules[{index}]", namespaced=namespaced)
    ]
    aggregation = obj.get("aggregationRule")
    if aggregation is not None and not aggregation.get("clusterRoleSelectors"):
        detail = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        errors.append(field_required("aggregationRule.clusterRoleSelectors", detail))
    return errors


def _rule_errors(rule: Object, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not rule.get("verbs"):
        yield field_required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            detail = "namespaced rules cannot apply to non-resource URLs"
            yield field_invalid(f"{path}.nonResourceURLs", urls, detail)
        if any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            yield field_invalid(f"{path}.nonResourceURLs", urls, detail)
        return
    if not rule.get("apiGroups"):
        detail = "resource rules must supply at least one api group"
        yield field_required(f"{path}.apiGroups", detail)
    if not rule.get("resources"):
        detail = "resource rules must supply at least one resource"
        yield field_required(f"{path}.resources", detail)


def _default_binding(obj: Object) -> None:
    reference = obj.get("roleRef") or {}
    obj["roleRef"] = {
        "apiGroup": reference.get("apiGroup") or GROUP,
        "kind": reference.get("kind") or "",
        "name": reference.get("name") or "",
    }
    for subject in obj.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = GROUP


def _validate_binding(obj: Object, *, namespaced: bool) -> Sequence[FieldError]:
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    return [
        *_reference_errors(obj.get("roleRef") or {}, kinds),
        *(
            error
            for index, subject in enumerate(obj.get("subjects") or ())
            for error in _subject_errors(subject, f"subjects[{index}]", namespaced=namespaced)
        ),
    ]


def _reference_errors(reference: Object, kinds: Sequence[str]) -> Iterator[FieldError]:
    group, kind = reference.get("apiGroup") or "", reference.get("kind") or ""
    name = reference.get("name") or ""
    if group != GROUP:
        yield field_not_supported("roleRef.apiGroup", group, (GROUP,))
    if kind not in kinds:
        yield field_not_supported("roleRef.kind", kind, kinds)
    if not name:
        yield field_required("roleRef.name")
    else:
        yield from (field_invalid("roleRef.name", name, each) for each in path_segment(name))


def _subject_errors(subject: Object, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    name, kind = subject.get("name") or "", subject.get("kind") or ""
    group = subject.get("apiGroup") or ""
    if not name:
        yield field_required(f"{path}.name")
    if kind == "ServiceAccount":
        for each in dns1123_subdomain(name) if name else ():
            yield field_invalid(f"{path}.name", name, each)
        if group:
            yield field_not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield field_required(f"{path}.namespace")
    elif kind not in _SUBJECT_KINDS:
        yield field_not_supported(f"{path}.kind", kind, _SUBJECT_KINDS)
    elif group != GROUP:
        yield field_not_supported(f"{path}.apiGroup", group, (GROUP,))


def _validate_binding_update(new: Object, old: Object) -> Sequence[FieldError]:
    reference = new.get("roleRef") or {}
    if reference == old.get("roleRef"):
        return []
    shown = {
        "APIGroup": reference.get("apiGroup") or "",
        "Kind": reference.get("kind") or "",
        "Name": reference.get("name") or "",
    }
    return [field_invalid("roleRef", shown, "cannot change roleRef")]


def _role_text(obj: Object) -> str:
    return f"{get_path(obj, 'roleRef', 'kind')}/{get_path(obj, 'roleRef', 'name')}"


def _subjects(name: str, kind: str) -> Column:
    def cell(obj: Object) -> str:
        return ", ".join(
            f"{each.get('namespace') or ''}/{each.get('name')}"
            if kind == "ServiceAccount"
            else str(each.get("name"))
            for each in obj.get("subjects") or ()
            if each.get("kind") == kind
        )

    return text(name, cell, wide=True)


_BINDING_COLUMNS = (
    NAME,
    text("Role", _role_text),
    AGE,
    _subjects("Users", "User"),
    _subjects("Groups", "Group"),
    _subjects("ServiceAccounts", "ServiceAccount"),
)
