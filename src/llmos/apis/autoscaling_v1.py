"""The ``scale`` subresource: a ``Scale`` read from an object, and its replicas put back.

Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource (etcd.go, validator.go).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.jsonpath import simple_fields
from llmos.apimachinery.object import Object, get_path, metadata
from llmos.apimachinery.validation import field_invalid
from llmos.apis.printing import labels_text, selector_text

_MAX_INT32 = 2**31 - 1
_GO_TYPES = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    dict: "map[string]interface {}",
    list: "[]interface {}",
    type(None): "<nil>",
}
_GO_ZEROS = {"int64": 0, "string": ""}
_COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where an object keeps its replicas and its selector, as keys to follow."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...] = ()

    @classmethod
    def of(cls, paths: Mapping[str, str]) -> "ScalePaths":
        """Read ``subresources.scale`` of a CustomResourceDefinition.

        Raises:
            ValueError: a path has more than keys.
        """
        selector = paths.get("labelSelectorPath") or ""
        return cls(
            simple_fields(paths["specReplicasPath"]),
            simple_fields(paths["statusReplicasPath"]),
            simple_fields(selector) if selector else (),
        )


WORKLOAD = ScalePaths(("spec", "replicas"), ("status", "replicas"), ("spec", "selector"))
"""Where the built-in kinds keep theirs."""


def scale_from(obj: Object, paths: ScalePaths) -> Object:
    """The Scale of an object."""
    meta = metadata(obj)
    scale: Object = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in _COPIED if key in meta},
        "spec": {},
        "status": {"replicas": _count(get_path(obj, *paths.status))},
    }
    replicas = _count(get_path(obj, *paths.spec))
    if replicas:
        scale["spec"]["replicas"] = replicas
    selector = get_path(obj, *paths.selector) if paths.selector else None
    if selector:
        scale["status"]["selector"] = _selector_text(selector)
    return scale


def _selector_text(selector: Any) -> str:
    """A selector as text: it may be text already, a LabelSelector, or a plain map of labels."""
    if not isinstance(selector, dict):
        return selector if isinstance(selector, str) else ""
    structured = selector.keys() & {"matchLabels", "matchExpressions"}
    return selector_text(selector) if structured else labels_text(selector)


def set_replicas(obj: Object, paths: ScalePaths, scale: Object) -> None:
    """Put the replicas of a Scale into its object.

    The object's own resourceVersion gives way to that of the Scale, so that a stale one conflicts.
    """
    at = obj
    for key in paths.spec[:-1]:
        if not isinstance(at.get(key), dict):
            at[key] = {}
        at = at[key]
    at[paths.spec[-1]] = get_path(scale, "spec", "replicas") or 0
    version = get_path(scale, "metadata", "resourceVersion")
    if version:
        metadata(obj)["resourceVersion"] = version


def validate_scale(scale: Object) -> list[FieldError]:
    """Find what is wrong with a Scale that a client sends."""
    replicas = get_path(scale, "spec", "replicas") or 0
    if replicas < 0:
        text = "must be greater than or equal to 0"
        return [field_invalid("spec.replicas", replicas, text)]
    return []


def scale_errors(obj: Object, paths: ScalePaths) -> list[FieldError]:
    """Find what keeps an object from having a Scale."""
    return [
        *_replicas_errors(obj, paths.spec),
        *_replicas_errors(obj, paths.status),
        *(_access_errors(obj, paths.selector, "string") if paths.selector else ()),
    ]


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _replicas_errors(obj: Object, path: tuple[str, ...]) -> Iterator[FieldError]:
    wrong = [*_access_errors(obj, path, "int64")]
    yield from wrong
    value = get_path(obj, *path)
    if wrong or value is None:
        return
    field = "." + ".".join(path)
    if value < 0:
        yield field_invalid(field, value, "should be a non-negative integer")
    elif value > _MAX_INT32:
        text = f"should be less than or equal to {_MAX_INT32}"
        yield field_invalid(field, value, text)


def _access_errors(obj: Object, path: tuple[str, ...], wanted: str) -> Iterator[FieldError]:
    """Follow a path as ``unstructured.NestedInt64`` does, and complain as it does."""
    field = "." + ".".join(path)
    value: Any = obj
    for depth, key in enumerate(path):
        if not isinstance(value, dict):
            so_far = "." + ".".join(path[:depth])
            text = _access_text(so_far, value, "map[string]interface {}")
            yield field_invalid(field, _GO_ZEROS[wanted], text)
            return
        if key not in value:
            return
        value = value[key]
    if _GO_TYPES[type(value)] != wanted:
        yield field_invalid(field, _GO_ZEROS[wanted], _access_text(field, value, wanted))


def _access_text(path: str, value: Any, wanted: str) -> str:
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    shown = "<nil>" if value is None else shown
    return (
        f"{path} accessor error: {shown} is of the type {_GO_TYPES[type(value)]}, expected {wanted}"
    )
