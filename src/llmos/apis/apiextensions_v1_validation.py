"""What a CustomResourceDefinition must be, in kube-apiserver's words.

Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation. Schemas themselves are
judged in ``apiextensions_v1_structural``. Used by ``apiextensions_v1``.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.jsonpath import compile_path, simple_fields
from llmos.apimachinery.names import dns1035_label, dns1123_subdomain
from llmos.apimachinery.object import Object, annotations_of, get_path, name_of
from llmos.apimachinery.validation import (
    IMMUTABLE,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.apiextensions_v1_structural import schema_errors

APPROVED_ANNOTATION = "api-approved.kubernetes.io"
_PROTECTED_GROUPS = ("k8s.io", "kubernetes.io")
_APPROVAL_TEXT = (
    f'protected groups must have approval annotation "{APPROVED_ANNOTATION}", see '
    "https://github.com/kubernetes/enhancements/pull/1111"
)
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = (
    "byte",
    "date",
    "date-time",
    "double",
    "float",
    "int32",
    "int64",
    "password",
)
_KINDS = ("kind", "listKind")
_MAX_WARNING = 256
_MAX_SELECTABLE = 8
_SHARED = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
"""Fields of versions that Kubernetes names at the top where all versions agree."""


def validate(crd: Object) -> Sequence[FieldError]:
    """Everything about one definition, except its metadata."""
    spec = crd.get("spec") or {}
    return [
        *_name(crd, spec),
        *_group(spec.get("group") or ""),
        *_scope(spec.get("scope") or ""),
        *_versions(spec),
        *_names(spec.get("names") or {}),
        *_conversion(spec),
        *_stored_versions(crd, spec),
        *_approval(crd, spec.get("group") or ""),
    ]


def validate_update(new: Object, old: Object) -> Sequence[FieldError]:
    """What may not change once a definition exists, or once it is established."""
    conditions = get_path(old, "status", "conditions") or ()
    established = any(
        each.get("type") == "Established" and each.get("status") == "True" for each in conditions
    )
    paths: list[tuple[str, ...]] = [("group",), ("names", "plural")]
    if established:
        paths += [("scope",), ("names", "kind")]
    return [
        field_invalid(".".join(("spec", *path)), get_path(new, "spec", *path), IMMUTABLE)
        for path in paths
        if get_path(new, "spec", *path) != get_path(old, "spec", *path)
    ]


def _name(crd: Object, spec: Object) -> Iterator[FieldError]:
    # Judged when the definition is new only; later its parts are immutable.
    if get_path(crd, "status", "acceptedNames", "plural"):
        return
    wanted = f"{get_path(spec, 'names', 'plural') or ''}.{spec.get('group') or ''}"
    if name_of(crd) and name_of(crd) != wanted:
        text = 'must be spec.names.plural+"."+spec.group'
        yield field_invalid("metadata.name", name_of(crd), text)


def _group(group: str) -> Iterator[FieldError]:
    if not group:
        yield field_required("spec.group")
    elif wrong := dns1123_subdomain(group):
        yield field_invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield field_invalid("spec.group", group, "should be a domain with at least one dot")


def _scope(scope: str) -> Iterator[FieldError]:
    if not scope:
        yield field_required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield field_not_supported("spec.scope", scope, ("Cluster", "Namespaced"))


def _versions(spec: Object) -> Iterator[FieldError]:
    versions: list[Object] = spec.get("versions") or []
    names = [each.get("name") for each in versions]
    for index, version in enumerate(versions):
        field = f"spec.versions[{index}]"
        name = version.get("name") or ""
        if wrong := dns1035_label(name):
            yield field_invalid(f"{field}.name", name, ",".join(wrong))
        yield from _deprecation(version, field)
    yield from _version_parts(versions)
    if len(set(names)) != len(names):
        yield field_invalid(
            "spec.versions", _internal(versions), "must contain unique version names"
        )
    if sum(bool(each.get("storage")) for each in versions) != 1:
        text = "must have exactly one version marked as storage version"
        yield field_invalid("spec.versions", _internal(versions), text)


def _deprecation(version: Object, field: str) -> Iterator[FieldError]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    field = f"{field}.deprecationWarning"
    if not version.get("deprecated"):
        yield field_invalid(field, warning, "can only be set for deprecated versions")
    if not warning:
        yield field_invalid(field, warning, "must not be an empty string")
    elif len(warning) > _MAX_WARNING:
        yield field_invalid(field, warning, f"must be <= {_MAX_WARNING} characters long")
    elif not warning.isprintable():
        yield field_invalid(field, warning, "must only contain printable UTF-8 characters")


def _version_parts(versions: list[Object]) -> Iterator[FieldError]:
    shared = _shared_fields(versions)
    for index, version in enumerate(versions):
        for key, check in _PARTS.items():
            if key not in shared:
                yield from check(version.get(key), f"spec.versions[{index}].{key}", version)
            elif index == 0:
                field = f"spec.{_SHARED[key]}"
                if key == "schema" and not get_path(version, "schema", "openAPIV3Schema"):
                    field = "spec.versions[0].schema"
                yield from check(version.get(key), field, version)


def _shared_fields(versions: list[Object]) -> set[str]:
    return {
        key
        for key in _SHARED
        if versions and all(each.get(key) == versions[0].get(key) for each in versions)
    }


def _internal(versions: list[Object]) -> list[Object]:
    """Versions as Kubernetes shows them in errors: as its internal type."""
    shared = _shared_fields(versions)
    return [
        {
            "Name": each.get("name") or "",
            "Served": bool(each.get("served")),
            "Storage": bool(each.get("storage")),
            "Deprecated": bool(each.get("deprecated")),
            "DeprecationWarning": each.get("deprecationWarning"),
            **{
                key[0].upper() + key[1:]: None if key in shared else each.get(key)
                for key in _SHARED
            },
        }
        for each in versions
    ]


def _schema(schema: Any, field: str, _: Object) -> Iterator[FieldError]:
    node = (schema or {}).get("openAPIV3Schema")
    if not node:
        yield field_required(f"{field}.openAPIV3Schema")
    else:
        yield from schema_errors(node, f"{field}.openAPIV3Schema")


def _subresources(subresources: Any, field: str, _: Object) -> Iterator[FieldError]:
    scale = (subresources or {}).get("scale")
    if scale is None:
        return
    for key, roots, where in (
        ("specReplicasPath", (".spec.",), "under .spec"),
        ("statusReplicasPath", (".status.",), "under .status"),
        ("labelSelectorPath", (".spec.", ".status."), "under either .spec or .status"),
    ):
        path = scale.get(key) or ""
        if not path:
            if key != "labelSelectorPath":
                yield field_required(f"{field}.scale.{key}")
        elif not path.startswith(roots):
            yield field_invalid(f"{field}.scale.{key}", path, f"should be a json path {where}")
        else:
            yield from _simple_path(path, f"{field}.scale.{key}")


def _simple_path(path: str, field: str) -> Iterator[FieldError]:
    try:
        simple_fields(path)
    except ValueError as error:
        yield field_invalid(field, path, str(error))


def _columns(columns: Any, field: str, _: Object) -> Iterator[FieldError]:
    for index, column in enumerate(columns or ()):
        yield from _column(column, f"{field}[{index}]")


def _column(column: Object, field: str) -> Iterator[FieldError]:
    if not column.get("name"):
        yield field_required(f"{field}.name")
    kind, form, path = (column.get(key) or "" for key in ("type", "format", "jsonPath"))
    if not kind:
        yield field_required(f"{field}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
    elif kind not in _COLUMN_TYPES:
        yield field_invalid(f"{field}.type", kind, f"must be one of {','.join(_COLUMN_TYPES)}")
    if form and form not in _COLUMN_FORMATS:
        yield field_invalid(f"{field}.format", form, f"must be one of {','.join(_COLUMN_FORMATS)}")
    if not path:
        yield field_required(f"{field}.JSONPath")
    elif not path.startswith("."):
        yield field_invalid(f"{field}.JSONPath", path, "must be a simple json path starting with .")
    else:
        yield from _any_path(path, f"{field}.JSONPath")


def _any_path(path: str, field: str) -> Iterator[FieldError]:
    try:
        compile_path(path)
    except ValueError as error:
        yield field_invalid(field, path, f"is an invalid path: {error}")


def _selectable(fields: Any, field: str, _: Object) -> Iterator[FieldError]:
    fields = fields or []
    if len(fields) > _MAX_SELECTABLE:
        text = f"may not have more than {_MAX_SELECTABLE} selectable fields"
        yield field_invalid(field, len(fields), text)
    for index, each in enumerate(fields):
        path = each.get("jsonPath") or ""
        where = f"{field}[{index}].jsonPath"
        if not path:
            yield field_required(where)
        elif path.startswith(".metadata"):
            yield field_invalid(where, path, "must not point to fields in metadata")
        else:
            yield from _simple_path(path, where)


_PARTS = {
    "schema": _schema,
    "subresources": _subresources,
    "additionalPrinterColumns": _columns,
    "selectableFields": _selectable,
}


def _names(names: Object) -> Iterator[FieldError]:
    for key in ("plural", "singular", "kind", "listKind"):
        name = names.get(key) or ""
        if not name:
            yield field_required(f"spec.names.{key}")
        elif wrong := dns1035_label(name.lower() if key in _KINDS else name):
            mixed = "may have mixed case, but should otherwise match: " if key in _KINDS else ""
            yield field_invalid(f"spec.names.{key}", name, mixed + ",".join(wrong))
    yield from _more_names(names)
    if names.get("kind") and names["kind"] == names.get("listKind"):
        text = "kind and listKind may not be the same"
        yield field_invalid("spec.names.listKind", names["listKind"], text)


def _more_names(names: Object) -> Iterator[FieldError]:
    for key in ("shortNames", "categories"):
        for index, name in enumerate(names.get(key) or ()):
            if wrong := dns1035_label(name):
                yield field_invalid(f"spec.names.{key}[{index}]", name, ",".join(wrong))


def _conversion(spec: Object) -> Iterator[FieldError]:
    """Versions are converted by renaming only; a webhook is accepted where it has nothing to do."""
    strategy = get_path(spec, "conversion", "strategy") or ""
    served = [each for each in spec.get("versions") or () if each.get("served")]
    known = ("None", "Webhook") if len(served) < 2 else ("None",)
    if not strategy:
        yield field_required("spec.conversion.strategy")
    elif strategy not in known:
        yield field_not_supported("spec.conversion.strategy", strategy, known)
    if strategy == "None" and get_path(spec, "conversion", "webhook"):
        text = "should not be set when strategy is not set to Webhook"
        yield field_forbidden("spec.conversion.webhookClientConfig", text)


def _stored_versions(crd: Object, spec: Object) -> Iterator[FieldError]:
    stored = get_path(crd, "status", "storedVersions") or []
    known = {each.get("name") for each in spec.get("versions") or ()}
    if not stored:
        yield field_invalid("status.storedVersions", None, "must have at least one stored version")
    for index, version in enumerate(stored):
        if version not in known:
            text = (
                f"missing from spec.versions; {version} was previously a storage version, and must "
                "remain in spec.versions until a storage migration ensures no data remains "
                f"persisted in {version} and removes {version} from status.storedVersions"
            )
            yield field_invalid(f"status.storedVersions[{index}]", version, text)


def _approval(crd: Object, group: str) -> Iterator[FieldError]:
    if not any(group == each or group.endswith(f".{each}") for each in _PROTECTED_GROUPS):
        return
    field = f"metadata.annotations[{APPROVED_ANNOTATION}]"
    approval = annotations_of(crd).get(APPROVED_ANNOTATION) or ""
    if not approval:
        yield field_required(field, _APPROVAL_TEXT)
    elif not approval.startswith(("https://", "http://", "unapproved")):
        yield field_invalid(field, approval, _APPROVAL_TEXT)
