"""Drop what a schema does not know from a custom resource.

Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning.
"""

from typing import Any

from llmos.apimachinery.object import Object
from llmos.apimachinery.schema import Schema

_META_FIELDS = frozenset(("apiVersion", "kind", "metadata"))


def prune(obj: Object, schema: Schema) -> list[str]:
    """Drop unknown fields in place; ``apiVersion``, ``kind`` and ``metadata`` of the root stay.

    Returns:
        The paths of what was dropped, sorted: ``spec.bogus``, ``spec.vols[0].x``.
    """
    dropped: list[str] = []
    _prune_object(obj, schema, "", dropped, _META_FIELDS)
    return sorted(dropped)


def _prune(value: Any, schema: Schema, path: str, dropped: list[str]) -> None:
    if isinstance(value, dict):
        kept = _META_FIELDS if schema.embedded_resource else frozenset[str]()
        _prune_object(value, schema, path, dropped, kept)
    elif isinstance(value, list) and schema.items is not None:
        for index, each in enumerate(value):
            if isinstance(each, dict | list):
                _prune(each, schema.items, f"{path}[{index}]", dropped)


def _prune_object(
    value: Object, schema: Schema, path: str, dropped: list[str], kept: frozenset[str]
) -> None:
    properties, additional = schema.properties, schema.additional
    unknown = []
    for key, each in value.items():
        if key in kept:
            continue
        known = properties.get(key) or additional
        if known is None:
            unknown.append(key)
        elif isinstance(each, dict | list):
            _prune(each, known, f"{path}.{key}" if path else key, dropped)
    if schema.preserve_unknown:
        return
    for key in unknown:
        del value[key]
        dropped.append(f"{path}.{key}" if path else key)
