"""LimitRanges.

Source: kubernetes/pkg/apis/core/v1/defaults.go and ValidateLimitRange in pkg/apis/core/validation.
What they do to pods and claims is admission's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain, qualified_name
from llmos.apimachinery.object import Object, get_path
from llmos.apimachinery.quantity import Quantity
from llmos.apimachinery.validation import (
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_required,
)
from llmos.apis.printing import CREATED
from llmos.apis.strategy import Strategy

_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
_REQUEST = ("defaultRequest", "defaultRequest")
_RESOURCES = ("cpu", "memory", "ephemeral-storage", "storage")


class _Order(NamedTuple):
    """One thing that may not be greater than another, and how that is said."""

    low: str
    high: str
    field: str
    shown: str
    words: tuple[str, str]


_ORDERS = (
    _Order("min", "max", "min", "min", ("min", "max")),
    _Order("min", "defaultRequest", *_REQUEST, ("min", "default request")),
    _Order("defaultRequest", "max", *_REQUEST, ("default request", "max")),
    _Order("defaultRequest", "default", *_REQUEST, ("default request", "default limit")),
    _Order("min", "default", "default", "min", ("min", "default")),
    _Order("default", "max", "default", "default", ("default", "max")),
)
_GROUPS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def strategy() -> Strategy:
    """The strategy of ``limitranges``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default,
        validate=_validate,
        create_on_update=True,
        columns=CREATED,
    )


def _default(obj: Object) -> None:
    for limit in get_path(obj, "spec", "limits") or ():
        if limit.get("type") == "Container":
            _default_container(limit)


def _default_container(limit: Object) -> None:
    """A default limit is the maximum, a default request that limit, or else the minimum."""
    default = {**(limit.get("max") or {}), **(limit.get("default") or {})}
    request = {**(limit.get("min") or {}), **default, **(limit.get("defaultRequest") or {})}
    for key, values in (("default", default), ("defaultRequest", request)):
        if values:
            limit[key] = values


def _validate(obj: Object) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, limit in enumerate(get_path(obj, "spec", "limits") or ()):
        path = f"spec.limits[{index}]"
        kind = limit.get("type") or ""
        errors += _type(kind, f"{path}.type")
        if kind in seen:
            errors.append(field_duplicate(f"{path}.type", kind))
        seen.add(kind)
        errors += _names(limit, path)
        errors += _groups(limit, kind, path)
        errors += _amounts(limit, path)
    return errors


def _type(kind: str, path: str) -> Iterator[FieldError]:
    wrong = qualified_name(kind)
    yield from (field_invalid(path, kind, each) for each in wrong)
    if not wrong and "/" not in kind and kind not in _TYPES:
        yield field_invalid(path, kind, "must be a standard limit type or fully qualified")


def _names(limit: Object, path: str) -> Iterator[FieldError]:
    for group in _GROUPS:
        for name in limit.get(group) or {}:
            where = f"{path}.{group}[{name}]"
            yield from (field_invalid(where, name, each) for each in qualified_name(name))
            standard = name in _RESOURCES or name.startswith("hugepages-")
            if "/" not in name and not standard:
                yield field_invalid(where, name, "must be a standard resource for containers")


def _groups(limit: Object, kind: str, path: str) -> Iterator[FieldError]:
    if kind == "Pod":
        for group in ("default", "defaultRequest"):
            if limit.get(group):
                yield field_forbidden(
                    f"{path}.{group}", "may not be specified when `type` is 'Pod'"
                )
    if kind == "PersistentVolumeClaim":
        bounds = ((limit.get(each) or {}).get("storage") for each in ("min", "max"))
        if not any(bounds):
            text = "either minimum or maximum storage value is required, but neither was provided"
            yield field_required(f"{path}.limits", text)


def _amounts(limit: Object, path: str) -> Iterator[FieldError]:
    amounts = {
        group: {name: Quantity.parse(value) for name, value in (limit.get(group) or {}).items()}
        for group in _GROUPS
    }
    for name in dict.fromkeys(name for group in amounts.values() for name in group):
        yield from _ordered(amounts, name, path)
        ratio = amounts["maxLimitRequestRatio"].get(name)
        if ratio is not None and ratio < Quantity.of(1):
            where = f"{path}.maxLimitRequestRatio[{name}]"
            shown = ratio.canonical()
            yield field_invalid(where, shown, f"ratio {shown} is less than 1")


def _ordered(
    amounts: Mapping[str, Mapping[str, Quantity]], name: str, path: str
) -> Iterator[FieldError]:
    for order in _ORDERS:
        low, high = amounts[order.low].get(name), amounts[order.high].get(name)
        if low is None or high is None or low <= high:
            continue
        text = (
            f"{order.words[0]} value {low.canonical()} is greater than {order.words[1]} value "
            f"{high.canonical()}"
        )
        shown = amounts[order.shown][name].canonical()
        yield field_invalid(f"{path}.{order.field}[{name}]", shown, text)
