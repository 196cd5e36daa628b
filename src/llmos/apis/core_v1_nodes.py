"""Nodes.

Source: kubernetes/pkg/registry/core/node, pkg/apis/core/v1/defaults.go, and the printers.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain, qualified_name
from llmos.apimachinery.object import Object, find_condition, get_path, labels_of
from llmos.apimachinery.validation import (
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.printing import AGE, NAME, NONE, UNKNOWN, field, joined, text
from llmos.apis.strategy import Column, Strategy

NOT_READY_TAINT = "node.kubernetes.io/not-ready"
_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NODE_INFO = (
    "machineID",
    "systemUUID",
    "bootID",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeletVersion",
    "kubeProxyVersion",
    "operatingSystem",
    "architecture",
)


def strategy() -> Strategy:
    """The strategy of ``nodes``."""
    return Strategy(
        check_name=dns1123_subdomain,
        prepare_create=_prepare_create,
        prepare_status=_prepare_status,
        validate=_validate,
        validate_update=_validate_update,
        has_status=True,
        fields=_fields,
        field_names=("spec.unschedulable",),
        columns=_COLUMNS,
    )


def _prepare_create(obj: Object) -> None:
    """A new node takes no pods until it is ready."""
    spec = obj.get("spec") or {}
    taints = spec.get("taints") or []
    if not any(each.get("key") == NOT_READY_TAINT for each in taints):
        taints = [*taints, {"key": NOT_READY_TAINT, "effect": "NoSchedule"}]
    obj["spec"] = {**spec, "taints": taints}
    obj["status"] = {
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": dict.fromkeys(_NODE_INFO, ""),
    }


def _prepare_status(new: Object, _: Object) -> None:
    """All that a node has can be given to pods, unless something else is said."""
    status = new.get("status") or {}
    if status.get("capacity") and not status.get("allocatable"):
        new["status"] = {**status, "allocatable": dict(status["capacity"])}


def _validate(obj: Object) -> Sequence[FieldError]:
    taints = get_path(obj, "spec", "taints") or []
    errors: list[FieldError] = []
    seen: set[tuple[Any, Any]] = set()
    for index, taint in enumerate(taints):
        path = f"metadata.taints[{index}]"
        errors += _taint(taint, path)
        identity = taint.get("key"), taint.get("effect")
        if identity in seen:
            errors.append(field_duplicate(path, taint))
        seen.add(identity)
    return errors


def _taint(taint: Object, path: str) -> Iterator[FieldError]:
    for each in qualified_name(taint.get("key") or ""):
        yield field_invalid(f"{path}.key", taint.get("key") or "", each)
    effect = taint.get("effect") or ""
    if not effect:
        yield field_required(f"{path}.effect")
    elif effect not in _EFFECTS:
        yield field_not_supported(f"{path}.effect", effect, _EFFECTS)


def _validate_update(new: Object, old: Object) -> Sequence[FieldError]:
    errors = []
    for key in ("podCIDR", "providerID"):
        before = get_path(old, "spec", key)
        if before and get_path(new, "spec", key) != before:
            text_ = "node updates may not change " + key + ' except from "" to valid'
            errors.append(field_forbidden(f"spec.{key}", text_))
    return errors


def _fields(obj: Object) -> Mapping[str, str]:
    unschedulable = bool(get_path(obj, "spec", "unschedulable"))
    return {"spec.unschedulable": str(unschedulable).lower()}


def _status(obj: Object) -> str:
    condition = find_condition(obj, "Ready")
    if condition is None:
        parts = ["Unknown"]
    else:
        parts = ["Ready" if condition.get("status") == "True" else "NotReady"]
    if get_path(obj, "spec", "unschedulable"):
        parts.append("SchedulingDisabled")
    return ",".join(parts)


def _roles(obj: Object) -> str:
    roles = set()
    for key, value in labels_of(obj).items():
        if key.startswith(_ROLE_PREFIX) and key != _ROLE_PREFIX:
            roles.add(key.removeprefix(_ROLE_PREFIX))
        elif key == _ROLE_LABEL and value:
            roles.add(value)
    return joined(sorted(roles))


def _address(name: str, kind: str) -> Column:
    def cell(obj: Object) -> str:
        for address in get_path(obj, "status", "addresses") or ():
            if address.get("type") == kind:
                return str(address.get("address"))
        return NONE

    return text(name, cell, wide=True)


def _info(name: str, key: str) -> Column:
    return field(name, "status", "nodeInfo", key, default=UNKNOWN, wide=True)


_COLUMNS = (
    NAME,
    text("Status", _status),
    text("Roles", _roles),
    AGE,
    field("Version", "status", "nodeInfo", "kubeletVersion"),
    _address("Internal-IP", "InternalIP"),
    _address("External-IP", "ExternalIP"),
    _info("OS-Image", "osImage"),
    _info("Kernel-Version", "kernelVersion"),
    _info("Container-Runtime", "containerRuntimeVersion"),
)
