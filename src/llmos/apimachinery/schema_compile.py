"""Turns OpenAPI nodes into ``Schema``: those of the built-in kinds and those of a CRD's versions.

Follows the vocabulary of Kubernetes' published OpenAPI: references, an ``allOf`` of one reference
with more beside it, the ``x-kubernetes-*`` extensions, and the few definitions that have a codec
of their own (quantities, times, int-or-string, raw JSON).
"""

from collections.abc import Mapping
from typing import Any

from llmos.apimachinery.schema import MISSING, ListType, MapType, Schema

Node = dict[str, Any]
_BESIDE_REFERENCE = frozenset({"$ref", "allOf", "description"})
_RAW = frozenset(
    {
        "io.k8s.apimachinery.pkg.runtime.RawExtension",
        "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
        "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
    }
)
_FORMATS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("", "quantity"),
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": ("string", "date-time"),
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": ("string", "micro-time"),
}
_LIST_TYPES: dict[Any, ListType] = {"atomic": "atomic", "set": "set", "map": "map"}
_MAP_TYPES: dict[Any, MapType] = {"granular": "granular", "atomic": "atomic"}


def compile_schema(node: Node, definitions: Mapping[str, Node] | None = None) -> Schema:
    """Compile one node with all below it; ``definitions`` resolve its references."""
    return SchemaCompiler(definitions or {}).compile(node)


class SchemaCompiler:
    """Compiles nodes over one set of definitions, each of them at most once."""

    __slots__ = ("_compiled", "_definitions")

    def __init__(self, definitions: Mapping[str, Node]) -> None:
        self._definitions = definitions
        self._compiled: dict[str, Schema] = {}

    def definition(self, name: str) -> Schema:
        """The schema of a definition, shared by all that refer to it; recursion is a cycle.

        Raises:
            KeyError: there is no such definition.
        """
        known = self._compiled.get(name)
        if known is None:
            known = self._compiled[name] = Schema(definition=name)
            self._fill(known, self._definitions[name])
        return known

    def compile(self, node: Node) -> Schema:
        """The schema of a node."""
        name = reference(node)
        if name is None:
            return self._fill(Schema(), node)
        if _BESIDE_REFERENCE.issuperset(node):
            return self.definition(name)
        beside = {key: value for key, value in node.items() if key not in ("$ref", "allOf")}
        return self._fill(Schema(definition=name), {**self._definitions[name], **beside})

    def _fill(self, schema: Schema, node: Node) -> Schema:
        schema.source = node
        schema.type, schema.format = _type_and_format(schema.definition, node)
        schema.int_or_string = _is_int_or_string(node)
        schema.preserve_unknown = schema.definition in _RAW or bool(
            node.get("x-kubernetes-preserve-unknown-fields")
        )
        schema.nullable = bool(node.get("nullable"))
        schema.required = tuple(_list(node.get("required")))
        schema.default = node.get("default", MISSING)
        self._fill_children(schema, node)
        _fill_extensions(schema, node)
        return schema

    def _fill_children(self, schema: Schema, node: Node) -> None:
        for name, child in _map(node.get("properties")).items():
            schema.properties[name] = self.compile(_map(child))
        additional = node.get("additionalProperties")
        if isinstance(additional, dict) or additional is True:
            schema.additional = self.compile(_map(additional))
        items = node.get("items")
        if isinstance(items, dict):
            schema.items = self.compile(items)


def reference(node: Node) -> str | None:
    """The name of the definition that a node is a reference to."""
    target = node.get("$ref")
    if target is None:
        choices = _list(node.get("allOf"))
        if len(choices) == 1 and "properties" not in node and "type" not in node:
            target = _map(choices[0]).get("$ref")
    return target.rpartition("/")[2] if isinstance(target, str) else None


def _type_and_format(definition: str, node: Node) -> tuple[str, str]:
    known = _FORMATS.get(definition)
    if known is not None:
        return known
    if _is_int_or_string(node):
        return "", "int-or-string"
    return str(node.get("type") or ""), str(node.get("format") or "")


def _is_int_or_string(node: Node) -> bool:
    return node.get("format") == "int-or-string" or bool(node.get("x-kubernetes-int-or-string"))


def _fill_extensions(schema: Schema, node: Node) -> None:
    schema.embedded_resource = bool(node.get("x-kubernetes-embedded-resource"))
    schema.list_type = _LIST_TYPES.get(node.get("x-kubernetes-list-type"), "")
    schema.list_keys = tuple(_list(node.get("x-kubernetes-list-map-keys")))
    schema.map_type = _MAP_TYPES.get(node.get("x-kubernetes-map-type"), "")
    schema.patch_merge_key = str(node.get("x-kubernetes-patch-merge-key") or "")
    schema.patch_strategy = str(node.get("x-kubernetes-patch-strategy") or "")


def _map(value: Any) -> Node:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
