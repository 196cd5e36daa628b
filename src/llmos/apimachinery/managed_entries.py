"""The entries of ``metadata.managedFields``: who owns which fields, and since when.

Entries are plain maps, ready to be written as JSON; they are never changed in place. Follows
k8s.io/apimachinery/pkg/util/managedfields/internal.
"""

from collections.abc import Iterable
from typing import Any

from llmos.apimachinery.fieldset import FieldSet, difference, from_fields_v1, to_fields_v1, union

Entry = dict[str, Any]
Owner = tuple[str, str, str, str]

MAX_UPDATERS = 10
"""More entries of updates than that are merged, the oldest first."""
_ANCIENT = "ancient-changes"


def entry(owner: Owner, api_version: str, time: str | None, fields: FieldSet) -> Entry:
    """An entry; ``time`` is absent on one that never changed anything."""
    manager, operation, _, subresource = owner
    made: Entry = {"manager": manager, "operation": operation, "apiVersion": api_version}
    if time:
        made["time"] = time
    made["fieldsType"] = "FieldsV1"
    made["fieldsV1"] = to_fields_v1(fields)
    if subresource:
        made["subresource"] = subresource
    return made


def updater(manager: str, api_version: str, subresource: str) -> Owner:
    """Who writes by create, update or patch; each version has its own entry."""
    return manager, "Update", api_version, subresource


def applier(manager: str, subresource: str) -> Owner:
    """Who writes by apply: one entry for all versions."""
    return manager, "Apply", "", subresource


def owner_of(item: Entry) -> Owner:
    """Who an entry belongs to."""
    manager, subresource = item.get("manager", ""), item.get("subresource", "")
    if item["operation"] == "Apply":
        return applier(manager, subresource)
    return updater(manager, item["apiVersion"], subresource)


def read_entries(items: Any) -> list[Entry]:
    """Entries that a client sent along, or none if any of them is not one."""
    if not isinstance(items, list):
        return []
    try:
        read = [_read_entry(each) for each in items]
    except (TypeError, ValueError):
        return []
    # Of two entries of one owner the later counts.
    return list({owner_of(each): each for each in read}.values())


def _read_entry(item: Any) -> Entry:
    """One entry in canonical form.

    Raises:
        TypeError: it is no map.
        ValueError: a field is missing or is not what it must be.
    """
    if not isinstance(item, dict):
        raise TypeError("an entry is a map")
    texts = {key: item.get(key) or "" for key in ("manager", "apiVersion", "time", "subresource")}
    operation = item.get("operation")
    if operation not in ("Apply", "Update") or item.get("fieldsType") != "FieldsV1":
        raise ValueError("operation and fieldsType have fixed values")
    if not all(isinstance(each, str) for each in texts.values()) or not texts["apiVersion"]:
        raise ValueError("manager, apiVersion, time and subresource are texts")
    owner = (texts["manager"], operation, "", texts["subresource"])
    fields = from_fields_v1(item.get("fieldsV1") or {})
    return entry(owner, texts["apiVersion"], texts["time"], fields)


def without(items: Iterable[Entry], changed: FieldSet, removed: FieldSet) -> list[Entry]:
    """The entries without fields that somebody else changed or that are gone."""
    kept = []
    for each in items:
        fields = each["fieldsV1"]
        rest = difference(difference(fields, changed), removed)
        if rest is fields:
            kept.append(each)
        elif rest:
            kept.append({**each, "fieldsV1": rest})
    return kept


def arranged(items: list[Entry]) -> list[Entry]:
    """Entries in Kubernetes' order, the oldest updates merged where there are too many."""
    if len(items) > 1:
        items.sort(key=_order)
    updates = [each for each in items if each["operation"] == "Update"]
    if len(updates) <= MAX_UPDATERS:
        return items
    applied = items[: len(items) - len(updates)]
    return applied + sorted(_merge_oldest(updates), key=_order)


def _order(item: Entry) -> tuple[str, str, str, str, str]:
    manager, operation, _, subresource = owner_of(item)
    return operation, item.get("time", ""), manager, item["apiVersion"], subresource


def _merge_oldest(updates: list[Entry]) -> list[Entry]:
    """Merge the oldest entries of each version into one, until few enough are left."""
    first: dict[str, Entry] = {}
    kept = list(updates)
    for item in updates:
        if len(kept) <= MAX_UPDATERS:
            break
        version = item["apiVersion"]
        older = first.get(version)
        if older is None:
            first[version] = item
            continue
        fields = union(older["fieldsV1"], item["fieldsV1"])
        bucket = entry(updater(_ANCIENT, version, ""), version, item.get("time"), fields)
        kept = [each for each in kept if each is not older and each is not item]
        kept.append(bucket)
        first[version] = bucket
    return kept
