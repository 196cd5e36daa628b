"""Server-side apply: lay a configuration over an object, as far as others' fields allow.

Follows sigs.k8s.io/structured-merge-diff/merge and the managers around it in
k8s.io/apimachinery/pkg/util/managedfields.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import orjson

from llmos.apimachinery.errors import BadRequestError, ConflictError, StatusError
from llmos.apimachinery.field_ownership import (
    NOTHING,
    WriteContext,
    fields_before,
    object_schema,
    ownable,
    set_entries,
)
from llmos.apimachinery.fieldset import (
    FieldSet,
    Path,
    difference,
    intersection,
    path_text,
    paths,
    union,
)
from llmos.apimachinery.golang import quote
from llmos.apimachinery.managed_entries import (
    Entry,
    Owner,
    applier,
    arranged,
    entry,
    owner_of,
    without,
)
from llmos.apimachinery.object import Object, annotations_of
from llmos.apimachinery.resource import parse_api_version
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.typed import compare, fields_of, merge, remove, with_named
from llmos.apimachinery.typed_check import type_errors
from llmos.apimachinery.validation import MAX_ANNOTATIONS

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"
"""The manager whose annotation of client-side apply the server keeps up to date."""
_SERVER_METADATA = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


@dataclass(frozen=True, slots=True)
class _Applying:
    """One apply: the configuration without what it may not touch, and what it owns."""

    config: Object
    fields: FieldSet
    schema: Schema
    context: WriteContext

    @property
    def owner(self) -> Owner:
        return applier(self.context.manager, self.context.subresource)


def apply(live: Object | None, config: Object, context: WriteContext, force: bool) -> Object:
    """The object after an apply, with its managedFields; shares parts with both arguments.

    Fields that the manager owned alone and no longer sends are removed. An apply that changes
    nothing gives back an object equal to ``live``.

    Args:
        live: the stored object; None: the apply creates it.
        config: what the client applied, with ``apiVersion`` and ``kind``.
        context: who applies.
        force: take fields from others instead of refusing.

    Raises:
        BadRequestError: the configuration carries managedFields.
        StatusError: 500, the configuration does not fit the schema (as kube-apiserver answers).
        ConflictError: somebody else owns a field that would change.
    """
    schema = object_schema(context.schema)
    _check(config, schema, context)
    allowed = _without_reset(config, context.reset)
    owned = fields_of(ownable(allowed), schema)
    if not owned.get("f:metadata"):
        owned.pop("f:metadata", None)
    applying = _Applying(allowed, owned, schema, context)
    if live is None:
        return _created(applying)
    applied = _applied(live, applying, force)
    if context.manager == _KUBECTL and not context.subresource:
        _keep_last_applied(applied, config)
    return applied


def _check(config: Object, schema: Schema, context: WriteContext) -> None:
    given = config.get("metadata")
    meta = given if isinstance(given, dict) else {}
    if meta.get("managedFields") is not None:
        raise BadRequestError("metadata.managedFields must be nil")
    errors = type_errors(config, schema)
    if not errors:
        return
    group, version = parse_api_version(context.api_version)
    namespace, name = (
        each if isinstance(each, str) else "" for each in (meta.get("namespace"), meta.get("name"))
    )
    text = errors[0] if len(errors) == 1 else "errors:\n  " + "\n  ".join(errors)
    what = f"{namespace}/{name}; {group}/{version}, Kind={config.get('kind', '')}"
    raise StatusError(f"failed to create typed patch object ({what}): {text}")


def _without_reset(config: Object, reset: Iterable[Path]) -> Object:
    """The configuration without paths that this endpoint may not change."""
    for path in reset:
        config = _without_path(config, path)
    return config


def _without_path(value: Object, path: Path) -> Object:
    key, below = path[0], path[1:]
    if key not in value:
        return value
    if not below:
        return {each: value[each] for each in value if each != key}
    if not isinstance(value[key], dict):
        return value
    return {**value, key: _without_path(value[key], below)}


def _created(applying: _Applying) -> Object:
    meta = applying.config.get("metadata") or {}
    kept = {key: value for key, value in meta.items() if key not in _SERVER_METADATA}
    created = {**applying.config, "metadata": kept}
    set_entries(created, [_own_entry(applying, applying.context.now)] if applying.fields else [])
    return created


def _own_entry(applying: _Applying, time: str | None) -> Entry:
    return entry(applying.owner, applying.context.api_version, time, applying.fields)


def _applied(live: Object, applying: _Applying, force: bool) -> Object:
    entries = fields_before(live, applying.context)
    mine: Any = next((each for each in entries if owner_of(each) == applying.owner), None)
    others = [each for each in entries if each is not mine]
    merged = _pruned(_merged(live, applying), mine, others, applying)
    before, after = ownable(live), ownable(merged)
    changed, removed = compare(before, after, applying.schema)
    if not force:
        _refuse_conflicts(others, changed, live, applying)
    kept = without(others, changed, removed) if changed or removed else others
    # The order of a list's elements belongs to nobody, and is a change all the same.
    touched = before != after
    if applying.fields:
        time = applying.context.now if touched else (mine or {}).get("time")
        kept.append(_own_entry(applying, time))
    if touched or kept != entries:
        kept = arranged(kept)
    set_entries(merged, kept)
    return merged


def _merged(live: Object, applying: _Applying) -> Object:
    """The configuration laid over the object; the object stays what and where it is."""
    meta = applying.config.get("metadata") or {}
    laid = {key: meta[key] for key in meta if key not in _SERVER_METADATA}
    merged = merge(live, {**applying.config, "metadata": laid}, applying.schema)
    merged["metadata"] = dict(merged["metadata"])
    return merged


def _pruned(
    merged: Object, mine: Entry | None, others: Iterable[Entry], applying: _Applying
) -> Object:
    """Without what the manager applied last time, does not apply now, and nobody else owns."""
    if mine is None:
        return merged
    schema = applying.schema
    managed = reduce(union, (each["fieldsV1"] for each in others), applying.fields)
    gone = difference(with_named(mine["fieldsV1"], schema), with_named(managed, schema))
    if not gone:
        return merged
    pruned = remove({**merged, "metadata": {}}, gone, schema)
    kept = ownable(merged)["metadata"]
    below = remove(kept, gone.get("f:metadata", {}), schema.properties["metadata"])
    meta = {key: value for key, value in merged["metadata"].items() if key not in kept}
    pruned["metadata"] = {**meta, **below}
    return pruned


def _refuse_conflicts(
    others: Iterable[Entry], changed: FieldSet, live: Object, applying: _Applying
) -> None:
    """Raise if a change is somebody else's field.

    Raises:
        ConflictError: with one cause for each field and owner.
    """
    conflicts = [(each, intersection(each["fieldsV1"], changed)) for each in others]
    conflicts = [(each, fields) for each, fields in conflicts if fields]
    if not conflicts:
        return
    if applying.context.manager == _KUBECTL:
        allowed = _still_last_applied(live, applying.schema)
        if not any(difference(fields, allowed) for _, fields in conflicts):
            return
        conflicts = [(each, difference(fields, allowed)) for each, fields in conflicts]
    raise _conflict([(_manager_text(each), list(paths(fields))) for each, fields in conflicts])


def _manager_text(item: Entry) -> str:
    text = quote(item.get("manager", ""))
    if item.get("subresource"):
        text += f" with subresource {quote(item['subresource'])}"
    return f"{text} using {item['apiVersion']}" if item["operation"] == "Update" else text


def _conflict(conflicts: list[tuple[str, list[Path]]]) -> ConflictError:
    found = sorted((manager, list(map(path_text, each))) for manager, each in conflicts if each)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": field}
        for manager, fields in found
        for field in fields
    ]
    if len(causes) == 1:
        cause = causes[0]
        text = f"1 conflict: {cause['message']}: {cause['field']}"
    else:
        blocks = (
            "\n".join([f"conflicts with {manager}:", *(f"- {each}" for each in fields)])
            for manager, fields in found
        )
        text = f"{len(causes)} conflicts: " + "\n".join(blocks)
    return ConflictError(f"Apply failed with {text}", {"causes": causes})


def _still_last_applied(live: Object, schema: Schema) -> FieldSet:
    """What kubectl's client-side apply wrote and nobody has changed since: kubectl may take it."""
    try:
        last = orjson.loads(annotations_of(live).get(LAST_APPLIED, ""))
    except ValueError:
        return {}
    if not isinstance(last, dict) or type_errors(last, schema):
        return {}
    before = ownable(last)
    changed, removed = compare(before, {**NOTHING, **ownable(live)}, schema)
    return difference(difference(fields_of(before, schema), changed), removed)


def _keep_last_applied(applied: Object, config: Object) -> None:
    """Rewrite the annotation of client-side apply, so that kubectl may go back to that."""
    annotations = annotations_of(applied)
    if not annotations.get(LAST_APPLIED):
        return
    meta = dict(config.get("metadata") or {})
    given = {key: each for key, each in annotations_of(config).items() if key != LAST_APPLIED}
    if "annotations" in meta:
        meta["annotations"] = given
    if not given:
        meta.pop("annotations", None)
    text = orjson.dumps({**config, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    kept = {**annotations, LAST_APPLIED: text}
    if sum(len(key.encode()) + len(each.encode()) for key, each in kept.items()) > MAX_ANNOTATIONS:
        del kept[LAST_APPLIED]
    applied["metadata"]["annotations"] = kept
