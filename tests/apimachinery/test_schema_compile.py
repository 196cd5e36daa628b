"""OpenAPI nodes become schemas: references, recursion, Kubernetes' extensions."""

import pytest

from llmos.apimachinery.schema import MISSING
from llmos.apimachinery.schema_compile import compile_schema

REF = "#/components/schemas/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
DEFINITIONS = {
    "Leaf": {"type": "string", "description": "of the definition"},
    "Tree": {
        "type": "object",
        "properties": {"left": {"$ref": f"{REF}Tree"}, "value": {"$ref": f"{REF}Leaf"}},
    },
    "Set": {"type": "object", "properties": {"a": {"type": "integer"}}},
    f"{META}Time": {"type": "string", "format": "date-time"},
    f"{META}MicroTime": {"type": "string", "format": "date-time"},
    f"{META}FieldsV1": {"type": "object"},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"format": "int-or-string"},
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {"type": "object"},
}


def _compiled(name):
    return compile_schema({"$ref": REF + name}, DEFINITIONS)


def test_recursion():
    """A definition that refers to itself becomes a cycle, compiled once."""
    tree = _compiled("Tree")
    assert tree.properties["left"] is tree
    assert tree.definition == "Tree"
    assert tree.properties["value"].type == "string"


def test_reference_with_more_beside_it():
    """An allOf of one reference keeps the definition and takes what stands beside it."""
    node = {
        "allOf": [{"$ref": f"{REF}Set"}],
        "description": "of the field",
        "x-kubernetes-map-type": "atomic",
        "default": {},
    }
    schema = compile_schema({"type": "object", "properties": {"f": node}}, DEFINITIONS)
    field = schema.properties["f"]
    assert (field.definition, field.map_type, field.default) == ("Set", "atomic", {})
    assert field.properties["a"].type == "integer"
    assert _compiled("Set").map_type == ""


def test_reference_with_a_description_is_shared():
    """A description alone makes no schema of its own."""
    node = {"allOf": [{"$ref": f"{REF}Set"}], "description": "x"}
    schema = compile_schema({"properties": {"a": node, "b": {"$ref": f"{REF}Set"}}}, DEFINITIONS)
    assert schema.properties["a"] is schema.properties["b"]


@pytest.mark.parametrize(
    ("name", "kind", "form"),
    [
        (f"{META}Time", "string", "date-time"),
        (f"{META}MicroTime", "string", "micro-time"),
        ("io.k8s.apimachinery.pkg.api.resource.Quantity", "", "quantity"),
        ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "", "int-or-string"),
    ],
)
def test_types_with_a_codec(name, kind, form):
    """Definitions that have a codec of their own are known by their names."""
    schema = _compiled(name)
    assert (schema.type, schema.format) == (kind, form)
    assert schema.int_or_string is (form == "int-or-string")


@pytest.mark.parametrize(
    "name", [f"{META}FieldsV1", "io.k8s.apimachinery.pkg.runtime.RawExtension"]
)
def test_raw_json(name):
    """Raw JSON has no fields that could be unknown."""
    assert _compiled(name).preserve_unknown


def test_extensions():
    """Everything that patches, field ownership and pruning ask for is there."""
    node = {
        "type": "object",
        "required": ["l"],
        "nullable": True,
        "x-kubernetes-preserve-unknown-fields": True,
        "x-kubernetes-embedded-resource": True,
        "properties": {
            "l": {
                "type": "array",
                "items": {"type": "object", "properties": {"k": {"type": "string"}}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
                "x-kubernetes-patch-merge-key": "k",
                "x-kubernetes-patch-strategy": "merge",
            },
            "m": {"type": "object", "additionalProperties": {"type": "integer", "default": 0}},
            "any": {"type": "object", "additionalProperties": True},
            "ios": {"x-kubernetes-int-or-string": True},
        },
    }
    schema = compile_schema(node)
    listed, mapped = schema.properties["l"], schema.properties["m"]
    assert (schema.required, schema.nullable) == (("l",), True)
    assert (schema.preserve_unknown, schema.embedded_resource) == (True, True)
    assert (listed.list_type, listed.list_keys) == ("map", ("k",))
    assert (listed.patch_merge_key, listed.patch_strategy) == ("k", "merge")
    assert listed.items is not None
    assert listed.items.properties["k"].type == "string"
    assert mapped.additional is not None
    assert (mapped.additional.type, mapped.additional.default) == ("integer", 0)
    assert mapped.default is MISSING
    assert schema.properties["any"].additional is not None
    assert schema.properties["ios"].int_or_string
    assert schema.source is node


@pytest.mark.parametrize(
    "node",
    [
        {"properties": []},
        {"properties": {"a": 5}},
        {"items": [{}]},
        {"required": "a"},
        {"x-kubernetes-list-type": "bag"},
        {"allOf": [5]},
    ],
)
def test_odd_nodes(node):
    """A node that is no schema compiles to one that allows anything in that place."""
    assert compile_schema(node).required == ()
