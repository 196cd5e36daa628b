"""Keeps ``metadata.managedFields`` true while objects are created, updated and patched."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llmos.apimachinery.fieldset import FieldSet, Path, difference, union
from llmos.apimachinery.managed_entries import (
    Entry,
    arranged,
    entry,
    owner_of,
    read_entries,
    updater,
    without,
)
from llmos.apimachinery.object import Object
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.typed import UNTYPED, compare

_TRACKED_METADATA = ("annotations", "finalizers", "generateName", "labels", "ownerReferences")
"""Everything else in the metadata belongs to the server or names the object."""


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Who writes, in which version, and when."""

    manager: str
    api_version: str
    subresource: str
    schema: Schema | None
    """Of the kind; None: all is deduced."""
    now: str
    """RFC 3339."""
    reset: tuple[Path, ...] = ()
    """Field names leading to what an apply may not touch, e.g. ``(("status",),)``."""


_TEXT = Schema(type="string")
_TEXTS = Schema(type="object", additional=_TEXT)
_NUMBER = Schema(type="integer")
_TIME = Schema(type="string", format="date-time")
_FLAG = Schema(type="boolean")
_OWNER = Schema(
    type="object",
    map_type="atomic",
    properties={
        **dict.fromkeys(("apiVersion", "kind", "name", "uid"), _TEXT),
        **dict.fromkeys(("controller", "blockOwnerDeletion"), _FLAG),
    },
)
_METADATA = Schema(
    type="object",
    properties={
        **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid"), _TEXT),
        **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), _NUMBER),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), _TIME),
        **dict.fromkeys(("labels", "annotations"), _TEXTS),
        "resourceVersion": _TEXT,
        "managedFields": Schema(type="array", items=UNTYPED),
        "finalizers": Schema(type="array", items=_TEXT, list_type="set"),
        "ownerReferences": Schema(type="array", items=_OWNER, list_type="map", list_keys=("uid",)),
    },
)


@lru_cache(maxsize=1024)
def object_schema(schema: Schema | None) -> Schema:
    """The schema of a whole object: a custom resource's does not describe the metadata."""
    if schema is None:
        properties: dict[str, Schema] = {"metadata": _METADATA}
        return Schema(type="object", properties=properties, preserve_unknown=True)
    described = schema.properties.get("metadata")
    if described is not None and "labels" in described.properties:
        return schema
    properties = {"apiVersion": _TEXT, "kind": _TEXT, **schema.properties, "metadata": _METADATA}
    return Schema(type="object", properties=properties, preserve_unknown=schema.preserve_unknown)


def ownable(obj: Object) -> Object:
    """The part of an object that managers own."""
    part = {key: obj[key] for key in obj if key not in ("apiVersion", "kind")}
    meta = obj.get("metadata") or {}
    part["metadata"] = {key: meta[key] for key in _TRACKED_METADATA if key in meta}
    return part


NOTHING: Object = {"metadata": {}}
"""What is owned of an object that does not exist yet. Shared: never change it."""


def live_entries(obj: Object | None) -> list[Entry]:
    """The entries of a stored object."""
    entries: list[Entry] = ((obj or {}).get("metadata") or {}).get("managedFields") or []
    return entries


def set_entries(obj: Object, entries: list[Entry]) -> None:
    """Write the entries into an object, whose metadata may be shared and is not changed."""
    meta = obj.get("metadata") or {}
    if entries:
        obj["metadata"] = {**meta, "managedFields": entries}
    elif "managedFields" in meta:
        obj["metadata"] = {key: meta[key] for key in meta if key != "managedFields"}


def track_update(old: Object | None, new: Object, context: WriteContext) -> None:
    """Set ``new``'s managedFields after a create, an update or a patch.

    What this write changed or added goes to the writer, silently and from everybody else; what it
    removed leaves everybody. Without entries (``[{}]`` clears them) nothing is tracked until the
    next apply. Entries that the client sent replace the stored ones, except on a subresource.

    Args:
        old: the stored object, None on create.
        new: the object about to be stored; only its managedFields change.
        context: who writes.
    """
    schema = object_schema(context.schema)
    if old is None:
        added, _ = compare(NOTHING, ownable(new), schema)
        owner = updater(context.manager, context.api_version, context.subresource)
        made = entry(owner, context.api_version, context.now, added)
        set_entries(new, [made] if added else [])
        return
    entries = _entries_before(old, new, context)
    if entries:
        changed, removed = compare(ownable(old), ownable(new), schema)
        if changed or removed:
            entries = _taken_over(entries, changed, removed, context)
    set_entries(new, entries)


def _entries_before(old: Object, new: Object, context: WriteContext) -> list[Entry]:
    stored = live_entries(old)
    given = live_entries(new)
    if not given or context.subresource or given is stored or given == stored:
        return stored
    if given == [{}]:
        return []
    read = read_entries(given)
    return arranged(read) if read else stored


def _taken_over(
    entries: list[Entry], changed: FieldSet, removed: FieldSet, context: WriteContext
) -> list[Entry]:
    """The entries after a write of the context's manager."""
    owner = updater(context.manager, context.api_version, context.subresource)
    mine: Any = next((each for each in entries if owner_of(each) == owner), None)
    others = [each for each in entries if each is not mine]
    kept = without(others, changed, removed)
    fields = union(difference(mine["fieldsV1"], removed) if mine else {}, changed)
    if fields:
        time = context.now if changed else mine.get("time")
        kept.append(entry(owner, context.api_version, time, fields))
    return arranged(kept)


def fields_before(live: Object, context: WriteContext) -> list[Entry]:
    """The entries an apply starts from; what nobody owned belongs to ``before-first-apply``."""
    entries = live_entries(live)
    if entries:
        return entries
    added, _ = compare(NOTHING, ownable(live), object_schema(context.schema))
    owner = updater("before-first-apply", context.api_version, context.subresource)
    return [entry(owner, context.api_version, context.now, added)] if added else []
