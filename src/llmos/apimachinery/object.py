"""Kubernetes objects are plain JSON; these functions read and change the parts all kinds share."""

from collections.abc import Iterable, Iterator
from typing import Any

Object = dict[str, Any]


def metadata(obj: Object) -> dict[str, Any]:
    """The object's metadata, made if it is not there (or not a map)."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict):
        meta = obj["metadata"] = {}
    return meta


def name_of(obj: Object) -> str:
    """``metadata.name``, or ``""``."""
    return str((obj.get("metadata") or {}).get("name") or "")


def namespace_of(obj: Object) -> str:
    """``metadata.namespace``, or ``""``."""
    return str((obj.get("metadata") or {}).get("namespace") or "")


def uid_of(obj: Object) -> str:
    """``metadata.uid``, or ``""``."""
    return str((obj.get("metadata") or {}).get("uid") or "")


def resource_version_of(obj: Object) -> str:
    """``metadata.resourceVersion``, or ``""``."""
    return str((obj.get("metadata") or {}).get("resourceVersion") or "")


def labels_of(obj: Object) -> dict[str, str]:
    """``metadata.labels``, or an empty map."""
    return (obj.get("metadata") or {}).get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    """``metadata.annotations``, or an empty map."""
    return (obj.get("metadata") or {}).get("annotations") or {}


def put_annotation(obj: Object, key: str, value: str | None) -> None:
    """Set an annotation, or take it away (None); what holds others is never changed in place.

    Where annotations are no map nothing is set: whoever validates the object refuses it.
    """
    known: Any = metadata(obj).get("annotations") or {}
    if not isinstance(known, dict) or known.get(key) == value:
        return
    annotations = {each: text for each, text in known.items() if each != key}
    if value is not None:
        annotations[key] = value
    metadata(obj)["annotations"] = annotations


def owner_references(obj: Object) -> list[dict[str, Any]]:
    """``metadata.ownerReferences``, or an empty list."""
    return (obj.get("metadata") or {}).get("ownerReferences") or []


def finalizers_of(obj: Object) -> list[str]:
    """``metadata.finalizers``, or an empty list."""
    return (obj.get("metadata") or {}).get("finalizers") or []


def is_terminating(obj: Object) -> bool:
    """Whether deletion of the object has begun."""
    return bool((obj.get("metadata") or {}).get("deletionTimestamp"))


def copy_object(value: Any) -> Any:
    """A deep copy of JSON, several times faster than ``copy.deepcopy``."""
    if isinstance(value, dict):
        return {key: copy_object(each) for key, each in value.items()}
    if isinstance(value, list):
        return [copy_object(each) for each in value]
    return value


def get_path(obj: Any, *path: str, default: Any = None) -> Any:
    """Follow map keys; ``default`` where one is missing or a step is not a map."""
    for key in path:
        if not isinstance(obj, dict) or key not in obj:
            return default
        obj = obj[key]
    return obj


def find_condition(obj: Object, kind: str) -> dict[str, Any] | None:
    """The condition of a type in ``status.conditions``."""
    conditions: Iterable[dict[str, Any]] = get_path(obj, "status", "conditions") or ()
    for condition in conditions:
        if condition.get("type") == kind:
            return condition
    return None


def set_condition(conditions: list[dict[str, Any]], new: dict[str, Any], now: str) -> None:
    """Put a condition into the list by its type; the time changes only with the status.

    Args:
        conditions: ``status.conditions``, changed in place.
        new: ``type``, ``status``, ``reason``, ``message``.
        now: RFC 3339 time for ``lastTransitionTime``.
    """
    for index, old in enumerate(conditions):
        if old.get("type") == new["type"]:
            same = old.get("status") == new["status"]
            time = old.get("lastTransitionTime", now) if same else now
            conditions[index] = {**old, **new, "lastTransitionTime": time}
            return
    conditions.append({**new, "lastTransitionTime": now})


def walk_strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from walk_strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk_strings(each)
