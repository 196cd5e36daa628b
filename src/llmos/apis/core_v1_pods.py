"""Pods, as far as an API server without kubelets needs them: they are kept, checked and printed.

Source: kubernetes/pkg/registry/core/pod, pkg/apis/core/v1/defaults.go, ValidatePod, the admission
plugins Priority and DefaultTolerationSeconds, and the printers.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_label, dns1123_subdomain
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.quantity import Quantity
from llmos.apimachinery.validation import (
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.core_v1_pods_printing import POD_COLUMNS
from llmos.apis.strategy import Strategy

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_SPEC_DEFAULTS = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "terminationGracePeriodSeconds": 30,
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
}
_CONTAINER_DEFAULTS = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_CONTAINER_LISTS = ("initContainers", "containers")
_TOLERATED_SECONDS = 300
_NOT_EXECUTED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_QOS_RESOURCES = ("cpu", "memory")
_MUTABLE = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "nodeName")
_UPDATE_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)
_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)


def strategy() -> Strategy:
    """The strategy of ``pods``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=default_pod_spec,
        prepare_create=_prepare_create,
        validate=_validate,
        validate_update=_validate_update,
        has_status=True,
        has_generation=True,
        delete_returns_object=True,
        fields=_fields,
        field_names=_FIELDS,
        columns=POD_COLUMNS,
    )


def containers_of(spec: Object) -> Iterator[tuple[str, Object]]:
    """Every container of a pod's spec, with its path."""
    for key in _CONTAINER_LISTS:
        for index, container in enumerate(spec.get(key) or ()):
            yield f"spec.{key}[{index}]", container


def qos_class(spec: Object) -> str:
    """``Guaranteed``, ``Burstable`` or ``BestEffort``, by what the containers ask for."""
    asks, guaranteed = False, True
    for _, container in containers_of(spec):
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in _QOS_RESOURCES:
            asks = asks or name in limits or name in requests
            guaranteed = guaranteed and name in limits and requests.get(name) == limits[name]
    if not asks:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def default_pod_spec(holder: Object) -> None:
    """Fill in the ``spec`` of a pod or of a template for pods."""
    spec = {**_SPEC_DEFAULTS, **(holder.get("spec") or {})}
    spec.setdefault("securityContext", {})
    holder["spec"] = spec
    for _, container in containers_of(spec):
        _default_container(container)


def _default_container(container: Object) -> None:
    for key, value in _CONTAINER_DEFAULTS.items():
        container[key] = container.get(key) or value
    if not container.get("imagePullPolicy"):
        latest = _tag(container.get("image") or "") == "latest"
        container["imagePullPolicy"] = "Always" if latest else "IfNotPresent"
    for port in container.get("ports") or ():
        port["protocol"] = port.get("protocol") or "TCP"
    resources = container.get("resources") or {}
    container["resources"] = resources
    if resources.get("limits"):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}


def _tag(image: str) -> str:
    """The tag of an image reference; none means ``latest``, a digest is as good as any tag."""
    if "@" in image:
        return "digest"
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return tag if colon else "latest"


def _prepare_create(obj: Object) -> None:
    spec = obj["spec"]
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = spec.get("tolerations") or []
    known = {each.get("key") for each in tolerations if each.get("effect") in (None, "NoExecute")}
    spec["tolerations"] = [
        *tolerations,
        *(
            {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": _TOLERATED_SECONDS,
            }
            for key in _NOT_EXECUTED
            if key not in known
        ),
    ]
    obj["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}


def _validate(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if not spec.get("containers"):
        errors.append(field_required("spec.containers"))
    names: set[Any] = set()
    for path, container in containers_of(spec):
        errors += _container(container, path)
        if container.get("name") in names:
            errors.append(field_duplicate(f"{path}.name", container.get("name")))
        names.add(container.get("name"))
    policy = spec.get("restartPolicy")
    if policy not in _RESTART_POLICIES:
        errors.append(field_not_supported("spec.restartPolicy", policy, _RESTART_POLICIES))
    return errors


def _container(container: Object, path: str) -> Iterator[FieldError]:
    name = container.get("name") or ""
    if not name:
        yield field_required(f"{path}.name")
    else:
        yield from (field_invalid(f"{path}.name", name, each) for each in dns1123_label(name))
    if not container.get("image"):
        yield field_required(f"{path}.image")
    policy = container.get("imagePullPolicy")
    if policy not in _PULL_POLICIES:
        yield field_not_supported(f"{path}.imagePullPolicy", policy, _PULL_POLICIES)
    yield from _resources(container.get("resources") or {}, f"{path}.resources")


def _resources(resources: Object, path: str) -> Iterator[FieldError]:
    limits: Mapping[str, str] = resources.get("limits") or {}
    for name, value in (resources.get("requests") or {}).items():
        amount = Quantity.parse(value)
        if amount.nanos < 0:
            text = "must be greater than or equal to 0"
            yield field_invalid(f"{path}.requests[{name}]", amount.canonical(), text)
        if name in limits and amount > Quantity.parse(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            yield field_invalid(f"{path}.requests", amount.canonical(), text)


def _validate_update(new: Object, old: Object) -> Sequence[FieldError]:
    after, before = (_unchangeable(each.get("spec") or {}) for each in (new, old))
    return [] if after == before else [field_forbidden("spec", _UPDATE_TEXT)]


def _unchangeable(spec: Object) -> Object:
    kept = {key: value for key, value in spec.items() if key not in _MUTABLE}
    for key in _CONTAINER_LISTS:
        if key in kept:
            kept[key] = [{**each, "image": ""} for each in kept[key]]
    return kept


def _fields(obj: Object) -> Mapping[str, str]:
    values = {name: get_path(obj, *name.split(".")) for name in _FIELDS}
    return {
        name: str(value or False).lower() if name == "spec.hostNetwork" else str(value or "")
        for name, value in values.items()
    }
