"""Field errors in Kubernetes' words, and the rules of ``metadata``, the same for every kind.

Follows k8s.io/apimachinery/pkg/util/validation/field, ValidateObjectMeta and
ValidateObjectMetaUpdate. Rules of names alone are in ``names``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.golang import format_value, quote
from llmos.apimachinery.names import dns1123_label, label_value, qualified_name
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import parse_api_version

NameCheck = Callable[[str], Sequence[str]]

MAX_ANNOTATIONS = 256 * 1024
"""Bytes of all annotation keys and values of one object."""
MAX_FIELD_MANAGER = 128
STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
IMMUTABLE = "field is immutable"
_KEPT_WHEN_ABSENT = ("uid", "creationTimestamp")
_KEPT_WHEN_DELETING = ("deletionTimestamp", "deletionGracePeriodSeconds")


def field_required(field: str, detail: str = "") -> FieldError:
    """A value must be given."""
    return FieldError("FieldValueRequired", field, _with("Required value", detail))


def field_invalid(field: str, value: Any, detail: str) -> FieldError:
    """A value breaks a rule."""
    return FieldError(
        "FieldValueInvalid", field, _with(f"Invalid value: {format_value(value)}", detail)
    )


def field_type_invalid(field: str, value: Any, detail: str) -> FieldError:
    """A value is of the wrong type."""
    return FieldError(
        "FieldValueTypeInvalid", field, _with(f"Invalid value: {format_value(value)}", detail)
    )


def field_duplicate(field: str, value: Any) -> FieldError:
    """A value is there twice and may be there once."""
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {format_value(value)}")


def field_forbidden(field: str, detail: str) -> FieldError:
    """A value may not be given here."""
    return FieldError("FieldValueForbidden", field, f"Forbidden: {detail}")


def field_not_found(field: str, value: Any) -> FieldError:
    """A value names something that does not exist."""
    return FieldError("FieldValueNotFound", field, f"Not found: {format_value(value)}")


def field_not_supported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """A value is none of those that exist; they are shown in the order given."""
    shown = ", ".join(quote(each) for each in supported)
    text = f"Unsupported value: {format_value(value)}"
    return FieldError("FieldValueNotSupported", field, f"{text}: supported values: {shown}")


def field_too_long(field: str, limit: int) -> FieldError:
    """A value has more bytes than it may."""
    unit = "byte" if limit == 1 else "bytes"
    return FieldError("FieldValueTooLong", field, f"Too long: may not be more than {limit} {unit}")


def field_too_many(field: str, count: int, limit: int) -> FieldError:
    """A list has more items than it may."""
    unit = "item" if limit == 1 else "items"
    text = f"Too many: {count}: must have at most {limit} {unit}"
    return FieldError("FieldValueTooMany", field, text)


def _with(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text


def validate_object_meta(
    obj: Object, namespaced: bool, check_name: NameCheck, custom: bool = False
) -> list[FieldError]:
    """Find what is wrong with an object's metadata.

    Args:
        obj: the object, after its name was generated.
        namespaced: whether its kind lives in namespaces.
        check_name: the rule for names of its kind.
        custom: of a custom resource; those may have finalizers without a domain.
    """
    meta = obj.get("metadata") or {}
    return [
        *_names(meta, check_name),
        *_namespace(meta.get("namespace") or "", namespaced),
        *_generation(meta.get("generation") or 0),
        *validate_labels(meta.get("labels") or {}, "metadata.labels"),
        *validate_annotations(meta.get("annotations") or {}, "metadata.annotations"),
        *validate_owner_references(meta.get("ownerReferences") or []),
        *validate_finalizers(meta.get("finalizers") or [], custom),
        *validate_managed_fields(meta.get("managedFields") or []),
    ]


def validate_object_meta_update(new: Object, old: Object) -> list[FieldError]:
    """Find what an update may not change; fields that it leaves out count as unchanged."""
    after, before = new.get("metadata") or {}, old.get("metadata") or {}
    errors: list[FieldError] = []
    if before.get("deletionTimestamp"):
        errors += _no_new_finalizers(after.get("finalizers") or [], before.get("finalizers") or [])
    errors += [
        field_invalid(f"metadata.{key}", after.get(key), IMMUTABLE)
        for key in ("name", "namespace")
        if (after.get(key) or "") != (before.get(key) or "")
    ]
    for key in _KEPT_WHEN_ABSENT:
        if after.get(key) and after[key] != before.get(key):
            errors.append(field_invalid(f"metadata.{key}", after[key], IMMUTABLE))
    for key in _KEPT_WHEN_DELETING:
        errors += _deletion_field(key, after.get(key), before)
    return errors


def generated_name_check(check_name: NameCheck, prefix: str) -> Sequence[str]:
    """Check a ``generateName``: a dash at its end is fine, since more follows."""
    if len(prefix) > 1 and prefix.endswith("-"):
        prefix = prefix[:-2] + "a"
    return check_name(prefix)


def _names(meta: dict[str, Any], check_name: NameCheck) -> Iterator[FieldError]:
    name, prefix = meta.get("name") or "", meta.get("generateName") or ""
    if prefix:
        for text in generated_name_check(check_name, prefix):
            yield field_invalid("metadata.generateName", prefix, text)
    if not name:
        yield field_required("metadata.name", "name or generateName is required")
        return
    for text in check_name(name):
        yield field_invalid("metadata.name", name, text)


def _namespace(namespace: str, namespaced: bool) -> Iterator[FieldError]:
    if not namespaced:
        if namespace:
            yield field_forbidden("metadata.namespace", "not allowed on this type")
    elif not namespace:
        yield field_required("metadata.namespace")
    else:
        for text in dns1123_label(namespace):
            yield field_invalid("metadata.namespace", namespace, text)


def _generation(generation: int) -> Iterator[FieldError]:
    if generation < 0:
        yield field_invalid("metadata.generation", generation, "must be greater than or equal to 0")


def validate_owner_references(references: list[dict[str, Any]]) -> Iterator[FieldError]:
    """Every owner is named in full, and at most one is the controller."""
    field = "metadata.ownerReferences"
    controller = ""
    for reference in references:
        yield from _owner_reference(reference, field)
        if reference.get("controller"):
            name = f"{reference.get('kind')}/{reference.get('name')}"
            if controller:
                text = (
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {name}'
                )
                yield field_invalid(field, references, text)
            controller = controller or name


def _owner_reference(reference: dict[str, Any], field: str) -> Iterator[FieldError]:
    api_version = reference.get("apiVersion") or ""
    group, version = parse_api_version(api_version)
    if not version:
        yield field_invalid(f"{field}.apiVersion", api_version, "version must not be empty")
    for key in ("kind", "name", "uid"):
        if not reference.get(key):
            yield field_invalid(f"{field}.{key}", "", "must not be empty")
    if (group, version, reference.get("kind")) == ("", "v1", "Event"):
        yield field_invalid(field, reference, "/v1, Kind=Event is disallowed from being an owner")


def validate_finalizers(finalizers: list[str], custom: bool = False) -> Iterator[FieldError]:
    """Qualified names; a built-in kind wants a domain before all but Kubernetes' own three."""
    for index, finalizer in enumerate(finalizers):
        field = f"metadata.finalizers[{index}]"
        for text in qualified_name(finalizer):
            yield field_invalid(field, finalizer, text)
        if "/" not in finalizer and not custom and finalizer not in STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield field_invalid(field, finalizer, text)
    if {"orphan", "foregroundDeletion"}.issubset(finalizers):
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        yield field_invalid("metadata.finalizers", finalizers, text)


def validate_managed_fields(entries: list[dict[str, Any]]) -> Iterator[FieldError]:
    """Entries that a client sends along must at least be possible; one empty entry clears them."""
    if entries == [{}]:
        return
    for index, entry in enumerate(entries):
        field = f"metadata.managedFields[{index}]"
        operation, kind = entry.get("operation") or "", entry.get("fieldsType") or ""
        if operation not in ("Apply", "Update"):
            yield field_invalid(f"{field}.operation", operation, "must be `Apply` or `Update`")
        if kind and kind != "FieldsV1":
            yield field_invalid(f"{field}.fieldsType", kind, "must be `FieldsV1`")
        yield from validate_field_manager(entry.get("manager") or "", f"{field}.manager")


def _no_new_finalizers(new: list[str], old: list[str]) -> Iterator[FieldError]:
    extra = sorted(set(new) - set(old))
    if extra:
        shown = ", ".join(f'"{each}"' for each in extra)
        text = (
            "no new finalizers can be added if the object is being deleted, "
            f"found new finalizers []string{{{shown}}}"
        )
        yield field_forbidden("metadata.finalizers", text)


def _deletion_field(key: str, value: Any, before: dict[str, Any]) -> Iterator[FieldError]:
    """Deletion fields may be left out while deleting, and are never set by a client."""
    if value is not None and value != before.get(key):
        yield field_invalid(f"metadata.{key}", value, IMMUTABLE)


def validate_labels(labels: dict[str, str], field: str) -> list[FieldError]:
    """Keys and values of labels; ``field`` is their path."""
    errors: list[FieldError] = []
    for key, value in labels.items():
        errors += [field_invalid(field, key, text) for text in qualified_name(key)]
        errors += [field_invalid(field, value, text) for text in label_value(value)]
    return errors


def validate_annotations(annotations: dict[str, str], field: str) -> list[FieldError]:
    """Keys of annotations and their size all together."""
    errors: list[FieldError] = []
    size = 0
    for key, value in annotations.items():
        size += len(key.encode()) + len(value.encode())
        errors += [field_invalid(field, key, text) for text in qualified_name(key.lower())]
    if size > MAX_ANNOTATIONS:
        errors.append(field_too_long(field, MAX_ANNOTATIONS))
    return errors


def validate_field_manager(manager: str, field: str = "fieldManager") -> list[FieldError]:
    """The ``fieldManager`` of a write: short and printable."""
    errors: list[FieldError] = []
    if len(manager.encode()) > MAX_FIELD_MANAGER:
        errors.append(field_too_long(field, MAX_FIELD_MANAGER))
    position = 0
    for each in manager:
        if not each.isprintable():
            text = f"invalid character U+{ord(each):04X} (at position {position})"
            errors.append(field_invalid(field, manager, text))
            break
        position += len(each.encode())
    return errors
