"""Rules of lists that are maps or sets, and of objects embedded in custom resources.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{listtype,objectmeta}. Compiled, like
``structural_validation``; nodes with no such rule below them cost nothing.
"""

from collections.abc import Callable
from typing import Any

import orjson

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1035_label, dns1123_subdomain
from llmos.apimachinery.scalar_checks import Check, Node
from llmos.apimachinery.validation import (
    field_duplicate,
    field_invalid,
    field_required,
    validate_annotations,
    validate_labels,
)
from llmos.apimachinery.valuepath import Path, render

Rule = Callable[[Node], Check | None]
"""The rule that one node makes, if it makes one."""


def compile_list_check(node: Node) -> Check | None:
    """Uniqueness in lists of type map and set; None: there are none."""
    return _compile(node, _unique_items)


def compile_embedded_check(node: Node) -> Check | None:
    """Type and metadata of embedded resources; None: there are none."""
    return _compile(node, _embedded)


def _compile(node: Node, rule: Rule) -> Check | None:
    own = rule(node)
    compiled = {key: _compile(each, rule) for key, each in (node.get("properties") or {}).items()}
    properties = {key: each for key, each in compiled.items() if each is not None}
    additional = node.get("additionalProperties")
    others = _compile(additional, rule) if isinstance(additional, dict) else None
    items = _compile(node["items"], rule) if isinstance(node.get("items"), dict) else None
    if own is None and not properties and others is None and items is None:
        return None

    def check(value: Any, path: Path, errors: list[FieldError]) -> None:
        if own is not None:
            own(value, path, errors)
        if type(value) is dict:
            _check_object(value, path, errors, properties, others)
        elif type(value) is list and items is not None:
            for index, each in enumerate(value):
                items(each, (path, index), errors)

    return check


def _check_object(
    value: Node,
    path: Path,
    errors: list[FieldError],
    properties: dict[str, Check],
    others: Check | None,
) -> None:
    if others is not None:
        for key, each in value.items():
            others(each, (path, (key,)), errors)
        return
    for key, check in properties.items():
        if key in value:
            check(value[key], (path, key), errors)


def _unique_items(node: Node) -> Check | None:
    kind = node.get("x-kubernetes-list-type")
    if kind == "set":
        return lambda value, path, errors: _check_unique(value, path, errors, None)
    if kind == "map":
        keys = tuple(sorted(node.get("x-kubernetes-list-map-keys") or ()))
        return lambda value, path, errors: _check_unique(value, path, errors, keys)
    return None


def _check_unique(
    value: Any, path: Path, errors: list[FieldError], keys: tuple[str, ...] | None
) -> None:
    if type(value) is not list:
        return
    seen: set[bytes] = set()
    for index, each in enumerate(value):
        identity = each
        if keys is not None:
            if type(each) is not dict:
                text = "must be an object for an array of list-type map"
                errors.append(field_invalid(render((path, index)), each, text))
                continue
            identity = {key: each[key] for key in keys if key in each}
        encoded = orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)
        if encoded in seen:
            errors.append(field_duplicate(render((path, index)), identity))
        seen.add(encoded)


def _embedded(node: Node) -> Check | None:
    return _check_embedded if node.get("x-kubernetes-embedded-resource") else None


def _check_embedded(value: Any, path: Path, errors: list[FieldError]) -> None:
    if type(value) is not dict:
        return
    errors.extend(
        field_required(render((path, key)), "must not be empty")
        for key in ("apiVersion", "kind")
        if not value.get(key)
    )
    kind = value.get("kind")
    if isinstance(kind, str) and kind:
        for text in dns1035_label(kind.lower()):
            wrong = f"may have mixed case, but should otherwise match: {text}"
            errors.append(field_invalid(render((path, "kind")), kind, wrong))
    meta = value.get("metadata")
    if meta is not None:
        _check_metadata(meta, (path, "metadata"), errors)


def _check_metadata(meta: Any, path: Path, errors: list[FieldError]) -> None:
    if type(meta) is not dict:
        errors.append(field_invalid(render(path), meta, "must be an object"))
        return
    name = meta.get("name")
    if name:
        field = render((path, "name"))
        errors.extend(field_invalid(field, name, text) for text in dns1123_subdomain(str(name)))
    for key, validate in (("labels", validate_labels), ("annotations", validate_annotations)):
        value = meta.get(key)
        field = render((path, key))
        if value is None:
            continue
        if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
            errors.extend(validate(value, field))
        else:
            errors.append(field_invalid(field, value, "must be a map of strings"))
