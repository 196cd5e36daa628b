"""PersistentVolumeClaims and PersistentVolumes.

Source: kubernetes/pkg/registry/core/{persistentvolumeclaim,persistentvolume}, their defaults and
validation, and the printers. The default StorageClass of a claim is admission's.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object, get_path, is_terminating, metadata
from llmos.apimachinery.quantity import Quantity
from llmos.apimachinery.validation import (
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.printing import AGE, NAME, UNSET, field, text
from llmos.apis.strategy import Strategy

CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
VOLUME_PROTECTION = "kubernetes.io/pv-protection"
_ACCESS_MODES = {
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOnce": "RWO",
    "ReadWriteOncePod": "RWOP",
}
_SHORT_ORDER = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
_SPEC_IMMUTABLE = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
    "bound claims\n"
)
_SPEC_FIELDS = (
    "accessModes",
    "selector",
    "resources",
    "volumeName",
    "storageClassName",
    "volumeMode",
    "dataSource",
    "dataSourceRef",
    "volumeAttributesClassName",
)


def claims() -> Strategy:
    """The strategy of ``persistentvolumeclaims``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_claim,
        prepare_create=_prepare_claim,
        validate=_validate_claim,
        validate_update=_validate_claim_update,
        has_status=True,
        delete_returns_object=True,
        columns=_CLAIM_COLUMNS,
    )


def volumes() -> Strategy:
    """The strategy of ``persistentvolumes``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_volume,
        prepare_create=_prepare_volume,
        validate=_validate_volume,
        has_status=True,
        delete_returns_object=True,
        columns=_VOLUME_COLUMNS,
    )


def _default_claim(obj: Object) -> None:
    spec = obj.get("spec") or {}
    obj["spec"] = {**spec, "volumeMode": spec.get("volumeMode") or "Filesystem"}


def _prepare_claim(obj: Object) -> None:
    obj["status"] = {"phase": "Pending"}
    _protect(obj, CLAIM_PROTECTION)


def _protect(obj: Object, finalizer: str) -> None:
    meta = metadata(obj)
    finalizers = meta.get("finalizers") or []
    if finalizer not in finalizers:
        meta["finalizers"] = [*finalizers, finalizer]


def _validate_claim(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    errors = [*_access_modes(spec, "at least 1 access mode is required")]
    request = get_path(spec, "resources", "requests", "storage")
    if request is None:
        errors.append(field_required("spec.resources[storage]"))
    elif Quantity.parse(request).nanos <= 0:
        shown = Quantity.parse(request).canonical()
        errors.append(field_invalid("spec.resources[storage]", shown, "must be greater than zero"))
    mode = spec.get("volumeMode")
    if mode and mode not in _VOLUME_MODES:
        errors.append(field_not_supported("spec.volumeMode", mode, _VOLUME_MODES))
    name = spec.get("storageClassName")
    if name:
        wrong = dns1123_subdomain(name)
        errors += [field_invalid("spec.storageClassName", name, each) for each in wrong]
    return errors


def _access_modes(spec: Object, missing: str) -> Iterator[FieldError]:
    modes = spec.get("accessModes") or []
    if not modes:
        yield field_required("spec.accessModes", missing)
    for mode in modes:
        if mode not in _ACCESS_MODES:
            yield field_not_supported("spec.accessModes", mode, _ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        text_ = "may not use ReadWriteOncePod with other access modes"
        yield field_forbidden("spec.accessModes", text_)


def _validate_claim_update(new: Object, old: Object) -> Sequence[FieldError]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    allowed = {**before}
    if not before.get("volumeName") and after.get("volumeName"):
        allowed["volumeName"] = after["volumeName"]
    if get_path(old, "status", "phase") == "Bound":
        for key in ("resources", "volumeAttributesClassName"):
            if key in after:
                allowed[key] = after[key]
    if allowed != after:
        return [field_forbidden("spec", _SPEC_IMMUTABLE + _difference(before, after))]
    return _shrinking(after, before)


def _shrinking(after: Object, before: Object) -> list[FieldError]:
    path = ("resources", "requests", "storage")
    new, old = get_path(after, *path), get_path(before, *path)
    if new and old and Quantity.parse(new) < Quantity.parse(old):
        text_ = "field can not be less than status.capacity"
        return [field_forbidden("spec.resources.requests.storage", text_)]
    return []


def _difference(before: Object, after: Object) -> str:
    """A unified diff of two specs as Kubernetes' internal type prints them."""
    old, new = (_internal(each).splitlines() for each in (before, after))
    lines = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    return "".join(f"{each}\n" for each in lines)


def _internal(spec: Object) -> str:
    resources = spec.get("resources") or {}
    shown: dict[str, Any] = {
        key[0].upper() + key[1:]: _capitalized(spec.get(key)) for key in _SPEC_FIELDS
    }
    shown["Resources"] = {"Limits": resources.get("limits"), "Requests": resources.get("requests")}
    shown["VolumeName"] = spec.get("volumeName") or ""
    return json.dumps(shown, indent=1, ensure_ascii=False)


def _capitalized(value: Any) -> Any:
    """A nested value with Go's field names."""
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _capitalized(each) for key, each in value.items()}
    return value


def _default_volume(obj: Object) -> None:
    spec = obj.get("spec") or {}
    obj["spec"] = {
        **spec,
        "persistentVolumeReclaimPolicy": spec.get("persistentVolumeReclaimPolicy") or "Retain",
        "volumeMode": spec.get("volumeMode") or "Filesystem",
    }


def _prepare_volume(obj: Object) -> None:
    obj["status"] = {"phase": "Pending"}
    _protect(obj, VOLUME_PROTECTION)


def _validate_volume(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    errors = [*_access_modes(spec, "")]
    capacity: Mapping[str, str] = spec.get("capacity") or {}
    if not capacity:
        errors.append(field_required("spec.capacity"))
    elif set(capacity) != {"storage"}:
        errors.append(field_not_supported("spec.capacity", next(iter(capacity)), ("storage",)))
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy not in _RECLAIM_POLICIES:
        path = "spec.persistentVolumeReclaimPolicy"
        errors.append(field_not_supported(path, policy, _RECLAIM_POLICIES))
    return errors


def _short_modes(modes: Sequence[str] | None) -> str:
    return ",".join(_ACCESS_MODES[each] for each in _SHORT_ORDER if each in (modes or ()))


def _claim_status(obj: Object) -> str:
    return "Terminating" if is_terminating(obj) else get_path(obj, "status", "phase") or ""


def _claim_capacity(obj: Object) -> str:
    if not get_path(obj, "spec", "volumeName"):
        return ""
    return get_path(obj, "status", "capacity", "storage") or "0"


def _claim_modes(obj: Object) -> str:
    if not get_path(obj, "spec", "volumeName"):
        return ""
    return _short_modes(get_path(obj, "status", "accessModes"))


def _claim_of(obj: Object) -> str:
    claim = get_path(obj, "spec", "claimRef")
    return f"{claim.get('namespace')}/{claim.get('name')}" if claim else ""


_CLASS = field("StorageClass", "spec", "storageClassName")
_ATTRIBUTES_CLASS = field(
    "VolumeAttributesClass", "spec", "volumeAttributesClassName", default=UNSET
)
_MODE = field("VolumeMode", "spec", "volumeMode", default=UNSET, wide=True)
_CLAIM_COLUMNS = (
    NAME,
    text("Status", _claim_status),
    field("Volume", "spec", "volumeName"),
    text("Capacity", _claim_capacity),
    text("Access Modes", _claim_modes),
    _CLASS,
    _ATTRIBUTES_CLASS,
    AGE,
    _MODE,
)
_VOLUME_COLUMNS = (
    NAME,
    field("Capacity", "spec", "capacity", "storage"),
    text("Access Modes", lambda obj: _short_modes(get_path(obj, "spec", "accessModes"))),
    field("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy"),
    text("Status", _claim_status),
    text("Claim", _claim_of),
    _CLASS,
    _ATTRIBUTES_CLASS,
    field("Reason", "status", "reason"),
    AGE,
    _MODE,
)
