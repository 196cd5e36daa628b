"""ResourceQuotas.

Source: kubernetes/pkg/registry/core/resourcequota, ValidateResourceQuota in
pkg/apis/core/validation, and pkg/apis/core/helper. Amounts are canonical already when they come
here; what they limit is admission's.
"""

from collections.abc import Iterator, Mapping, Sequence

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain, qualified_name
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.quantity import Quantity
from llmos.apimachinery.validation import (
    IMMUTABLE,
    field_invalid,
    field_not_supported,
    field_required,
)
from llmos.apis.printing import AGE, NAME, text
from llmos.apis.strategy import Strategy

_COMPUTE = frozenset(
    ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
)
_COUNTED = frozenset(
    (
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    )
)
_STORAGE = frozenset(
    (
        "ephemeral-storage",
        "limits.ephemeral-storage",
        "requests.ephemeral-storage",
        "requests.storage",
    )
)
_QUOTA_RESOURCES = _COMPUTE | _COUNTED | _STORAGE
_STANDARD_RESOURCES = _QUOTA_RESOURCES | {"storage"}
_POD_SCOPED = _COMPUTE | {"pods"}
_SCOPES: Mapping[str, frozenset[str]] = {
    "BestEffort": frozenset(("pods",)),
    "CrossNamespacePodAffinity": _POD_SCOPED,
    "NotBestEffort": _POD_SCOPED,
    "NotTerminating": _POD_SCOPED,
    "PriorityClass": _POD_SCOPED,
    "Terminating": _POD_SCOPED,
    "VolumeAttributesClass": frozenset(("persistentvolumeclaims", "requests.storage")),
}
"""The scopes, and the resources that each can narrow."""
_CONFLICTING = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_OPERATORS = ("DoesNotExist", "Exists", "In", "NotIn")
_VALUELESS = ("DoesNotExist", "Exists")
_HUGE_PAGES = ("hugepages-", "requests.hugepages-")


def strategy() -> Strategy:
    """The strategy of ``resourcequotas``."""
    return Strategy(
        check_name=dns1123_subdomain,
        prepare_create=_prepare_create,
        validate=_validate,
        validate_update=_validate_update,
        validate_status=_validate_status,
        has_status=True,
        delete_returns_object=True,
        columns=(NAME, text("Request", _requests), text("Limit", _limits), AGE),
    )


def is_integer_resource(name: str) -> bool:
    """Whether only whole amounts of a resource make sense: counts, and extended resources."""
    return name in _COUNTED or is_extended_resource(name)


def is_extended_resource(name: str) -> bool:
    """Whether a resource is of another domain than Kubernetes', such as ``nvidia.com/gpu``."""
    native = "/" not in name or "kubernetes.io/" in name
    return (
        not native and not name.startswith("requests.") and not qualified_name(f"requests.{name}")
    )


def _prepare_create(obj: Object) -> None:
    obj["status"] = {}


def _validate(obj: Object) -> Sequence[FieldError]:
    spec = obj.get("spec") or {}
    return [*_amounts(spec.get("hard") or {}, "spec.hard"), *_scopes(spec), *_selector(spec)]


def _validate_update(new: Object, old: Object) -> Sequence[FieldError]:
    scopes = get_path(new, "spec", "scopes") or []
    if set(scopes) != set(get_path(old, "spec", "scopes") or []):
        return [field_invalid("spec.scopes", scopes, IMMUTABLE)]
    return []


def _validate_status(new: Object, _: Object) -> Sequence[FieldError]:
    return [
        each
        for key in ("hard", "used")
        for each in _amounts(get_path(new, "status", key) or {}, f"status.{key}")
    ]


def _amounts(amounts: Mapping[str, str], path: str) -> Iterator[FieldError]:
    for name, value in amounts.items():
        where = f"{path}[{name}]"
        yield from _resource_name(name, where)
        amount = Quantity.parse(value)
        if amount.nanos < 0:
            text_ = "must be greater than or equal to 0"
            yield field_invalid(where, amount.canonical(), text_)
        if is_integer_resource(name) and amount.milli_value() % 1000:
            yield field_invalid(where, amount.canonical(), "must be an integer")


def _resource_name(name: str, where: str) -> Iterator[FieldError]:
    wrong = qualified_name(name)
    if wrong:
        yield from (field_invalid(where, name, each) for each in wrong)
        return
    if "/" in name or name.startswith(_HUGE_PAGES):
        return
    if name not in _STANDARD_RESOURCES:
        yield field_invalid(where, name, "must be a standard resource type or fully qualified")
    if name not in _QUOTA_RESOURCES:
        yield field_invalid(where, name, "must be a standard resource for quota")


def _scopes(spec: Object) -> Iterator[FieldError]:
    scopes: list[str] = spec.get("scopes") or []
    for scope in scopes:
        if scope not in _SCOPES:
            yield field_invalid("spec.scopes", scopes, "unsupported scope")
            continue
        for name in spec.get("hard") or {}:
            if name in _QUOTA_RESOURCES and name not in _SCOPES[scope]:
                yield field_invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in _CONFLICTING:
        if set(pair).issubset(scopes):
            yield field_invalid("spec.scopes", scopes, "conflicting scopes")


def _selector(spec: Object) -> Iterator[FieldError]:
    for each in get_path(spec, "scopeSelector", "matchExpressions") or ():
        where = "spec.scopeSelector.matchExpressions"
        scope, verb = each.get("scopeName") or "", each.get("operator") or ""
        if scope not in _SCOPES:
            yield field_invalid(f"{where}.scopeName", scope, "unsupported scope")
        if verb not in _OPERATORS:
            yield field_not_supported(f"{where}.operator", verb, _OPERATORS)
        elif verb in _VALUELESS and each.get("values"):
            text_ = (
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            )
            yield field_invalid(f"{where}.values", each["values"], text_)
        elif verb not in _VALUELESS and not each.get("values"):
            text_ = (
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
            yield field_required(f"{where}.values", text_)


def _used(obj: Object, *, limits: bool) -> str:
    """``name: used/hard`` of those resources that are limits, or of the others."""
    hard = get_path(obj, "status", "hard") or {}
    used = get_path(obj, "status", "used") or {}
    return ", ".join(
        f"{name}: {used.get(name, '0')}/{hard[name]}"
        for name in sorted(hard)
        if name.startswith("limits.") == limits
    )


def _requests(obj: Object) -> str:
    return _used(obj, limits=False)


def _limits(obj: Object) -> str:
    return _used(obj, limits=True)
