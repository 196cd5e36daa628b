"""The schemas of OpenAPI documents: of built-in kinds as published, of custom ones as defined.

A custom kind gets what every object has (``apiVersion``, ``kind``, ``metadata``) and a list kind,
as kube-apiserver publishes it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.resource import APIResource, GroupVersionKind
from llmos.apis.builtin_schemas import GVK_EXTENSION, definition_name, definitions

REF = "#/components/schemas/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A served resource and, where it is a custom one, its schema."""

    resource: APIResource
    schema: Node = field(default_factory=dict)

    @property
    def definition(self) -> str:
        """The name of its definition."""
        return definition_of(self.resource.gvk)

    @property
    def list_definition(self) -> str:
        """The name of its list's definition."""
        gvk = self.resource.gvk
        return definition_of(GroupVersionKind(gvk.group, gvk.version, self.resource.list_kind))


def definition_of(gvk: GroupVersionKind) -> str:
    """A built-in kind's published name, or the one a custom kind gets: its group turned round."""
    published = definition_name(gvk)
    if published is not None:
        return published
    group = ".".join(reversed(gvk.group.split("."))) if gvk.group else "io.k8s.api.core"
    return f"{group}.{gvk.version}.{gvk.kind}"


def reference(definition: str) -> Node:
    """A reference to a definition."""
    return {"$ref": REF + definition}


def schemas_of(kinds: Iterable[Kind], also: Iterable[str] = ()) -> dict[str, Node]:
    """The schemas of kinds with all that they refer to, and those named beside them, by name."""
    own: dict[str, Node] = {}
    for kind in kinds:
        own.update(_custom_schemas(kind))
    found: dict[str, Node] = {}
    pending = [*own, *also]
    while pending:
        name = pending.pop()
        node = own.get(name) or definitions().get(name)
        if name not in found and node is not None:
            found[name] = node
            pending.extend(references(node))
    return dict(sorted(found.items()))


def references(node: Any) -> Iterator[str]:
    """The names of the definitions that a node refers to."""
    if isinstance(node, list):
        for each in node:
            yield from references(each)
    elif isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(REF)
        for each in node.values():
            yield from references(each)


def _custom_schemas(kind: Kind) -> dict[str, Node]:
    """The object's and the list's schema; none for a built-in kind, whose are published."""
    if kind.definition in definitions():
        return {}
    resource = kind.resource
    list_gvk = GroupVersionKind(resource.group, resource.version, resource.list_kind)
    items = {"type": "array", "items": reference(kind.definition)}
    listed = {
        "description": f"{resource.list_kind} is a list of {resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **_type_meta(),
            "metadata": reference(f"{META}ListMeta"),
            "items": {"description": f"List of {resource.plural}", **items},
        },
        GVK_EXTENSION: [_gvk(list_gvk)],
    }
    own = {
        **kind.schema,
        "type": "object",
        "properties": {
            **kind.schema.get("properties", {}),
            **_type_meta(),
            "metadata": reference(f"{META}ObjectMeta"),
        },
        GVK_EXTENSION: [_gvk(resource.gvk)],
    }
    return {kind.definition: own, kind.list_definition: listed}


def _type_meta() -> dict[str, Node]:
    """``apiVersion`` and ``kind`` with the descriptions that every built-in kind has."""
    properties = definitions()["io.k8s.api.core.v1.ConfigMap"]["properties"]
    return {key: properties[key] for key in ("apiVersion", "kind")}


def _gvk(gvk: GroupVersionKind) -> dict[str, str]:
    return gvk._asdict()
