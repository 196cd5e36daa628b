"""StorageClasses.

Source: kubernetes/pkg/apis/storage (v1/defaults.go, validation) and the printers.
"""

from collections.abc import Sequence

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain, qualified_name
from llmos.apimachinery.object import Object, annotations_of, name_of
from llmos.apimachinery.validation import (
    IMMUTABLE,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.printing import AGE, NAME, field, text
from llmos.apis.strategy import Column, Strategy

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_DEFAULT_CLASS_BETA = "storageclass.beta.kubernetes.io/is-default-class"
_RECLAIM_POLICIES = ("Delete", "Retain")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_IMMUTABLE_FIELDS = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")


def strategy() -> Strategy:
    """The strategy of ``storageclasses``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default,
        validate=_validate,
        validate_update=_validate_update,
        delete_returns_object=True,
        columns=_COLUMNS,
    )


def is_default(obj: Object) -> bool:
    """Whether claims that name no class get this one."""
    annotations = annotations_of(obj)
    return any(annotations.get(key) == "true" for key in (DEFAULT_CLASS, _DEFAULT_CLASS_BETA))


def _default(obj: Object) -> None:
    obj["reclaimPolicy"] = obj.get("reclaimPolicy") or "Delete"
    obj["volumeBindingMode"] = obj.get("volumeBindingMode") or "Immediate"


def _validate(obj: Object) -> Sequence[FieldError]:
    errors = []
    provisioner = obj.get("provisioner") or ""
    if not provisioner:
        errors.append(field_required("provisioner"))
    else:
        wrong = qualified_name(provisioner.lower())
        errors += [field_invalid("provisioner", provisioner, each) for each in wrong]
    for key, known in (
        ("reclaimPolicy", _RECLAIM_POLICIES),
        ("volumeBindingMode", _BINDING_MODES),
    ):
        if obj.get(key) not in known:
            errors.append(field_not_supported(key, obj.get(key), known))
    return errors


def _validate_update(new: Object, old: Object) -> Sequence[FieldError]:
    return [
        field_invalid(key, new.get(key), IMMUTABLE)
        for key in _IMMUTABLE_FIELDS
        if (new.get(key) or None) != (old.get(key) or None)
    ]


def _name(obj: Object) -> str:
    return f"{name_of(obj)} (default)" if is_default(obj) else name_of(obj)


_COLUMNS = (
    Column("Name", lambda obj, _: _name(obj), format="name", description=NAME.description),
    field("Provisioner", "provisioner"),
    field("ReclaimPolicy", "reclaimPolicy"),
    field("VolumeBindingMode", "volumeBindingMode"),
    text("AllowVolumeExpansion", lambda obj: bool(obj.get("allowVolumeExpansion"))),
    AGE,
)
