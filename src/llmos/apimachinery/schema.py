"""A compiled schema: what patches, field ownership, pruning and validation need to know of a type.

``compile_schema`` makes it from OpenAPI (built-in kinds) or from a CRD's ``openAPIV3Schema``.
Vocabulary: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
and the ``x-kubernetes-*`` extensions of Kubernetes' published OpenAPI.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

MISSING: Any = object()
"""Stands for "no default": None is a value."""

ListType = Literal["", "atomic", "set", "map"]
MapType = Literal["", "granular", "atomic"]


@dataclass(slots=True, eq=False)
class Schema:
    """One node. Compiled once, shared, never changed; may be recursive."""

    type: str = ""
    """``object array string integer number boolean``, or ``""`` for anything."""
    format: str = ""
    """OpenAPI's; also ``quantity`` and ``micro-time``, which are known by their definitions."""
    definition: str = ""
    """The name of the definition that the node refers to, where it is one."""
    properties: "dict[str, Schema]" = field(default_factory=dict)
    additional: "Schema | None" = None
    """Schema of the values of a map; None: the object has only ``properties``."""
    items: "Schema | None" = None
    required: tuple[str, ...] = ()
    nullable: bool = False
    int_or_string: bool = False
    preserve_unknown: bool = False
    embedded_resource: bool = False
    list_type: ListType = ""
    """``""`` on a list means atomic."""
    list_keys: tuple[str, ...] = ()
    map_type: MapType = ""
    """``""`` on an object or map means granular."""
    patch_merge_key: str = ""
    patch_strategy: str = ""
    default: Any = MISSING
    source: dict[str, Any] = field(default_factory=dict)
    """The OpenAPI node: enum, bounds, pattern, description, x-kubernetes-validations."""
