"""Strategic merge patch: a merge patch that knows which lists are merged and by which key.

Follows k8s.io/apimachinery/pkg/util/strategicpatch, the server's half of it. Ordering of merged
lists is in ``strategic_order``.
"""

from collections.abc import Sequence
from typing import Any

from llmos.apimachinery.errors import BadRequestError, InvalidError
from llmos.apimachinery.golang import quote
from llmos.apimachinery.object import Object
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.strategic_order import arrange, check_order, go_text, key_of

_DIRECTIVE = "$patch"
_RETAIN_KEYS = "$retainKeys"
_SET_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"
_UNTYPED = Schema()


class _UndecodableError(Exception):
    """A directive that ends up as the value of a map that has values of another type."""


def strategic_merge_patch(target: Object, patch: Any, schema: Schema | None) -> Object:
    """Apply a strategic merge patch; neither object nor patch is changed.

    Args:
        target: the object as it is.
        patch: the decoded patch.
        schema: of the kind; without one, maps are merged and lists replaced.

    Raises:
        BadRequestError: the patch or one of its directives is malformed.
        InvalidError: the outcome could not be an object of the kind.
    """
    if not isinstance(patch, dict):
        raise BadRequestError("invalid JSON document")
    try:
        return _merge_map(target, patch, schema or _UNTYPED)
    except _UndecodableError as error:
        text = f"Invalid value: {quote(go_text(patch))}: {error}"
        cause = {"reason": "FieldValueInvalid", "message": text, "field": "patch"}
        message = f' "" is invalid: patch: {text}'
        raise InvalidError(message, {"causes": [cause]}) from None


def _child(schema: Schema, key: str) -> Schema:
    return schema.properties.get(key) or schema.additional or _UNTYPED


def _merge_map(original: Object, patch: Object, schema: Schema) -> Object:
    directive = patch.get(_DIRECTIVE)
    if directive is not None:
        return _whole_map(directive, patch)
    merged = _retained(original, patch)
    rest = _merge_ordered(merged, patch, schema)
    for key, value in rest.items():
        if value is None:
            merged.pop(key, None)
        elif key.startswith(_DELETE):
            _delete_from_list(merged, key, value)
        elif key != _RETAIN_KEYS:
            _merge_field(merged, key, value, _child(schema, key))
    return merged


def _whole_map(directive: Any, patch: Object) -> Object:
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    raise BadRequestError(f"unknown patch type: {directive} in map: {go_text(patch)}")


def _retained(original: Object, patch: Object) -> Object:
    """A copy of the original, without what ``$retainKeys`` does not name."""
    retain = patch.get(_RETAIN_KEYS)
    if retain is None:
        return dict(original)
    malformed = BadRequestError("invalid patch format of retainKeys")
    if not isinstance(retain, list):
        raise malformed
    for key, value in patch.items():
        directive = key == _RETAIN_KEYS or key.startswith((_DELETE, _SET_ORDER))
        if value is not None and not directive and key not in retain:
            raise malformed
    return {key: value for key, value in original.items() if key in retain}


def _merge_ordered(merged: Object, patch: Object, schema: Schema) -> Object:
    """Merge the lists whose order the patch sets; what remains of the patch comes back."""
    directives = [key for key in patch if key.startswith(_SET_ORDER)]
    if not directives:
        return patch
    rest = dict(patch)
    for directive in directives:
        order = rest.pop(directive)
        key = _key_after(directive, _SET_ORDER, "invalid patch format of setElementOrder list")
        before, change = merged.get(key), rest.pop(key, None)
        order, before, change = map(_list_or_none, (order, before, change))
        if order is None or (before is None and change is None):
            continue
        node = _child(schema, key)
        check_order(change or [], order, node.patch_merge_key)
        if change is None:
            items = before or []
        elif before is None:
            items = _taken(change, node)
        else:
            items = _merge_list(before, change, node)
        merged[key] = arrange(items, order, before or [], node.patch_merge_key)
    return rest


def _key_after(directive: str, prefix: str, malformed: str) -> str:
    key = directive[len(prefix) :]
    if not key or "/" in key:
        raise BadRequestError(malformed)
    return key


def _list_or_none(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return value
    kind = "map[string]interface {}" if isinstance(value, dict) else type(value).__name__
    raise BadRequestError(f"expected a []interface {{}}, but received a {kind}")


def _delete_from_list(merged: Object, directive: str, values: Any) -> None:
    malformed = "invalid patch format of primitive list"
    key = _key_after(directive, _DELETE, malformed)
    if not isinstance(values, list):
        raise BadRequestError(malformed)
    if isinstance(merged.get(key), list):
        gone = {key_of(each, "") for each in values}
        merged[key] = [each for each in merged[key] if key_of(each, "") not in gone]


def _merge_field(merged: Object, key: str, value: Any, schema: Schema) -> None:
    before = merged.get(key)
    if isinstance(value, dict) and isinstance(before, dict):
        replace = schema.patch_strategy == "replace"
        merged[key] = value if replace else _merge_map(before, value, schema)
    elif isinstance(value, list) and isinstance(before, list):
        merged[key] = _merge_list(before, value, schema)
    elif isinstance(value, dict) and _DIRECTIVE in value:
        merged.pop(key, None)
    else:
        merged[key] = _taken(value, schema)


def _merge_list(before: list[Any], change: list[Any], schema: Schema) -> list[Any]:
    if "merge" not in schema.patch_strategy.split(","):
        return [_without_directive(each) for each in change]
    if not before and not change:
        return before
    key = schema.patch_merge_key
    if not key:
        merged = list({key_of(each, ""): each for each in [*before, *change]})
        return arrange(merged, change, before, "")
    kept, changes, replaced = _special_elements(before, change, key)
    if replaced:
        return changes
    items = _merge_elements(kept, changes, key, schema.items or _UNTYPED)
    return arrange(items, changes, kept, key)


def _without_directive(item: Any) -> Any:
    """An item of a list that is replaced: a directive in it has no meaning and is no field."""
    if isinstance(item, dict) and _DIRECTIVE in item:
        return {key: value for key, value in item.items() if key != _DIRECTIVE}
    return item


def _special_elements(
    before: list[Any], change: Sequence[Any], key: str
) -> tuple[list[Any], list[Any], bool]:
    """Carry out the elements that are directives: what stays, the other changes, all replaced."""
    changes = []
    gone = set()
    replaced = False
    for item in change:
        if not isinstance(item, dict):
            raise BadRequestError("expected a map[string]interface {}, but received a scalar")
        directive = item.get(_DIRECTIVE)
        if directive is None:
            changes.append(item)
        elif directive == "delete":
            gone.add(key_of(item, key))
        elif directive == "replace":
            replaced = True
        elif directive == "merge":
            raise BadRequestError("merging lists cannot yet be specified in the patch")
        else:
            raise BadRequestError(f"unknown patch type: {directive} in map: {go_text(item)}")
    kept = [each for each in before if key_of(each, key) not in gone] if gone else before
    return kept, changes, replaced


def _merge_elements(before: list[Any], changes: list[Any], key: str, schema: Schema) -> list[Any]:
    merged = list(before)
    positions = {key_of(each, key): index for index, each in enumerate(merged)}
    for item in changes:
        at = positions.setdefault(key_of(item, key), len(merged))
        if at == len(merged):
            merged.append(_taken(item, schema))
        else:
            merged[at] = _merge_map(merged[at], item, schema)
    return merged


def _taken(value: Any, schema: Schema) -> Any:
    """A value that is new: nulls are dropped, and maps that are directives.

    Raises:
        _UndecodableError: a directive would become a value of a map.
    """
    if isinstance(value, list):
        items = schema.items or _UNTYPED
        return [_taken(each, items) for each in value if not _is_directive(each)]
    if not isinstance(value, dict):
        return value
    taken = {}
    for key, each in value.items():
        if each is None or _is_directive(each):
            continue
        if key == _RETAIN_KEYS or key.startswith((_DELETE, _SET_ORDER)):
            kind = schema.additional.type if schema.additional else ""
            if kind not in ("", "object", "array"):
                raise _UndecodableError(f"unrecognized type: {kind}")
            continue
        taken[key] = _taken(each, _child(schema, key))
    return taken


def _is_directive(value: Any) -> bool:
    return isinstance(value, dict) and _DIRECTIVE in value
