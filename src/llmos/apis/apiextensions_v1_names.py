"""Which of its names a CustomResourceDefinition gets, where several want the same.

The first to be accepted keeps a name; a definition with a name in conflict is not served. Source:
k8s.io/apiextensions-apiserver/pkg/controller/status (naming_controller.go). Used by the catalog.
"""

from collections.abc import Iterable
from typing import Any

from llmos.apimachinery.object import Object, find_condition, get_path, name_of, set_condition
from llmos.apimachinery.resource import APIResource

_REASONS = {
    "plural": "PluralConflict",
    "singular": "SingularConflict",
    "shortNames": "ShortNamesConflict",
    "kind": "KindConflict",
    "listKind": "ListKindConflict",
}
_KIND_NAMES = ("kind", "listKind")
_ACCEPTED = {
    "type": "NamesAccepted",
    "status": "True",
    "reason": "NoConflicts",
    "message": "no conflicts found",
}
_ESTABLISHED = {
    "type": "Established",
    "status": "True",
    "reason": "InitialNamesAccepted",
    "message": "the initial names have been accepted",
}
_NOT_ESTABLISHED = {
    "type": "Established",
    "status": "False",
    "reason": "NotAccepted",
    "message": "not all names are accepted",
}


def names_conflict(
    crd: Object, others: Iterable[Object], reserved: Iterable[APIResource] = ()
) -> list[dict[str, Any]]:
    """The condition ``NamesAccepted`` that others refuse, without its time; empty: none do.

    Args:
        crd: the definition.
        others: the other definitions; those of its group that are accepted own their names.
        reserved: built-in resources; those of its group own theirs too.
    """
    refused = _refused(crd, others, reserved)
    return _conditions(crd, refused)[:1] if refused else []


def accepted_status(
    crd: Object, others: Iterable[Object], now: str, reserved: Iterable[APIResource] = ()
) -> Object:
    """The whole new status of a definition: names that it got, and its conditions.

    Args:
        crd: the definition; not changed.
        others: the other definitions.
        now: RFC 3339 time.
        reserved: built-in resources.
    """
    refused = _refused(crd, others, reserved)
    wanted = get_path(crd, "spec", "names") or {}
    accepted = get_path(crd, "status", "acceptedNames") or {}
    names: dict[str, Any] = {"plural": "", "kind": ""}
    for key in ("plural", "singular", "shortNames", "kind", "listKind", "categories"):
        value = (accepted if key in refused else wanted).get(key)
        if value:
            names[key] = value
    conditions = [{**each} for each in get_path(crd, "status", "conditions") or ()]
    for condition in _conditions(crd, refused):
        set_condition(conditions, condition, now)
    return {**(crd.get("status") or {}), "conditions": conditions, "acceptedNames": names}


def is_established(crd: Object) -> bool:
    """Whether a definition was ever fully accepted, so that it is served."""
    condition = find_condition(crd, "Established")
    return condition is not None and condition.get("status") == "True"


def _conditions(crd: Object, refused: dict[str, list[str]]) -> list[dict[str, Any]]:
    if not refused:
        return [dict(_ACCEPTED), dict(_ESTABLISHED)]
    # As Kubernetes does, the last of the names in conflict gives the condition its words.
    key = list(refused)[-1]
    taken = [f'"{each}" is already in use' for each in refused[key]]
    message = taken[0] if len(taken) == 1 else f"[{', '.join(taken)}]"
    accepted = {**_ACCEPTED, "status": "False", "reason": _REASONS[key], "message": message}
    return [accepted, dict(_ESTABLISHED if is_established(crd) else _NOT_ESTABLISHED)]


def _refused(
    crd: Object, others: Iterable[Object], reserved: Iterable[APIResource]
) -> dict[str, list[str]]:
    """The names that others own, by the field that asks for them."""
    resources, kinds = _used(crd, others, reserved)
    wanted = get_path(crd, "spec", "names") or {}
    accepted = get_path(crd, "status", "acceptedNames") or {}
    refused = {}
    for key in _REASONS:
        used = kinds if key in _KIND_NAMES else resources
        own = _as_list(accepted.get(key))
        taken = [each for each in _as_list(wanted.get(key)) if each in used and each not in own]
        if taken:
            refused[key] = taken
    return refused


def _as_list(value: Any) -> list[str]:
    if isinstance(value, list):
        return value
    return [value] if value else []


def _used(
    crd: Object, others: Iterable[Object], reserved: Iterable[APIResource]
) -> tuple[set[str], set[str]]:
    """Names of resources and of kinds that are taken in the definition's group."""
    group = get_path(crd, "spec", "group")
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if name_of(other) == name_of(crd) or get_path(other, "spec", "group") != group:
            continue
        names = get_path(other, "status", "acceptedNames") or {}
        for key in ("plural", "singular", "shortNames"):
            resources.update(_as_list(names.get(key)))
        for key in _KIND_NAMES:
            kinds.update(_as_list(names.get(key)))
    for resource in reserved:
        if resource.group == group:
            resources.update((resource.plural, resource.singular, *resource.short_names))
            kinds.update((resource.kind, resource.list_kind))
    return resources, kinds
