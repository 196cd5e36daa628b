"""Schemas that are not structural are refused at the right field."""

import pytest

from llmos.apis.apiextensions_v1_structural import schema_errors
from llmos.apis.apiextensions_v1_validation import validate

STRING = {"type": "string"}
OBJECTS = {"type": "object", "properties": {"k": STRING}, "required": ["k"]}


def in_field(**node: object) -> dict:
    return {"type": "object", "properties": {"a": node}}


def array(**node: object) -> dict:
    return in_field(type="array", **{"items": STRING, **node})


def listed(kind: str, **node: object) -> dict:
    return array(**{"x-kubernetes-list-type": kind, **node})


CASES = (
    ({"type": "string"}, "s.type", "must be object at the root"),
    ({"properties": {}}, "s.type", "must not be empty at the root"),
    ({"type": "object", "nullable": True}, "s.nullable", "nullable cannot be true at the root"),
    (in_field(type="null"), "s.properties[a].type", "type cannot be set to null, use nullable"),
    (in_field(type="text"), "s.properties[a].type", "supported values"),
    (
        in_field(type="integer", **{"x-kubernetes-int-or-string": True}),
        "s.properties[a].type",
        "must be empty if x-kubernetes-int-or-string is true",
    ),
    (
        in_field(type="array", items={}),
        "s.properties[a].items.type",
        "must not be empty for specified array items",
    ),
    (in_field(type="array", items=[STRING]), "s.properties[a].items", "items must be a schema"),
    (
        in_field(type="object", additionalProperties=False),
        "s.properties[a].additionalProperties",
        "additionalProperties cannot be set to false",
    ),
    (
        in_field(type="object", additionalProperties={}),
        "s.properties[a].additionalProperties.type",
        "must not be empty for specified object fields",
    ),
    (in_field(type="string", id="x"), "s.properties[a].id", "id is not supported"),
    (
        in_field(type="object", **{"x-kubernetes-preserve-unknown-fields": False}),
        "s.properties[a].x-kubernetes-preserve-unknown-fields",
        "must be true or undefined",
    ),
    (
        in_field(type="string", **{"x-kubernetes-embedded-resource": True}),
        "s.properties[a].type",
        "must be object if x-kubernetes-embedded-resource is true",
    ),
    (
        in_field(type="object", **{"x-kubernetes-map-type": "odd"}),
        "s.properties[a].x-kubernetes-map-type",
        'supported values: "atomic", "granular"',
    ),
    (
        listed("odd"),
        "s.properties[a].x-kubernetes-list-type",
        'supported values: "atomic", "map", "set"',
    ),
    (
        in_field(type="object", **{"x-kubernetes-list-type": "set"}),
        "s.properties[a].type",
        "must be array if x-kubernetes-list-type is set",
    ),
    (
        listed("set", **{"x-kubernetes-list-map-keys": ["k"]}),
        "s.properties[a].x-kubernetes-list-type",
        "must be map if x-kubernetes-list-map-keys is non-empty",
    ),
    (
        listed("set", items=OBJECTS),
        "s.properties[a].items.x-kubernetes-object-type",
        "must be atomic as item of a list with x-kubernetes-list-type=set",
    ),
    (
        listed("map", **{"x-kubernetes-list-map-keys": ["k"]}),
        "s.properties[a].items.type",
        "must be object if parent array's x-kubernetes-list-type is map",
    ),
    (
        listed("map", items=OBJECTS, **{"x-kubernetes-list-map-keys": ["z"]}),
        "s.properties[a].x-kubernetes-list-map-keys",
        "entries must all be names of item properties",
    ),
    (
        listed(
            "map",
            items={"type": "object", "properties": {"k": {"type": "object"}}},
            **{"x-kubernetes-list-map-keys": ["k"]},
        ),
        "s.properties[a].items.properties[k].type",
        "must be a scalar type if parent array's x-kubernetes-list-type is map",
    ),
    (
        in_field(type="string", **{"not": {"description": "x"}}),
        "s.properties[a].not.description",
        "must be empty to be structural",
    ),
    (
        in_field(type="string", anyOf=[{"oneOf": [{"nullable": True}]}]),
        "s.properties[a].anyOf[0].oneOf[0].nullable",
        "must be false to be structural",
    ),
    (
        in_field(type="string", anyOf=[{"pattern": "("}]),
        "s.properties[a].anyOf[0].pattern",
        "must be a valid regular expression",
    ),
    (
        array(allOf=[{"items": {"type": "string"}}]),
        "s.properties[a].allOf[0].items.type",
        "must be empty to be structural",
    ),
    (
        in_field(
            type="object",
            additionalProperties=STRING,
            allOf=[{"properties": {"b": {"default": "x"}}}],
        ),
        "s.properties[a].allOf[0].properties[b].default",
        "must be undefined to be structural",
    ),
    (
        in_field(type="object", properties={"b": STRING}, default={"b": 1}),
        "s.properties[a].default.b",
        "must be of type string",
    ),
)


@pytest.mark.parametrize(("node", "field", "text"), CASES)
def test_schemas_that_are_refused(node: dict, field: str, text: str) -> None:
    """Each rule of structural schemas is told at its field."""
    found = [(each.field, each.message) for each in schema_errors(node, "s")]
    assert [each for each in found if each[0] == field and text in each[1]], found


FINE = (
    in_field(**{"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, STRING]}),
    in_field(**{"x-kubernetes-preserve-unknown-fields": True}),
    listed("map", items=OBJECTS, **{"x-kubernetes-list-map-keys": ["k"]}),
    listed("set"),
    listed("set", items={**OBJECTS, "x-kubernetes-map-type": "atomic"}),
    listed("set", items={"type": "array", "items": STRING, "x-kubernetes-list-type": "atomic"}),
    in_field(type="object", properties={"b": STRING}, oneOf=[{"required": ["b"]}, {"not": {}}]),
    {"type": "object", "properties": {"metadata": {"type": "object"}}},
)


@pytest.mark.parametrize("node", FINE)
def test_schemas_that_are_fine(node: dict) -> None:
    """What kube-apiserver takes is taken."""
    assert schema_errors(node, "s") == []


VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": {"openAPIV3Schema": {"type": "object"}},
}


def column(**fields: str) -> dict:
    return {"additionalPrinterColumns": [fields]}


def scale(**paths: str) -> dict:
    return {"subresources": {"scale": paths}}


VERSION_CASES = (
    ({"name": "V_1"}, "spec.versions[0].name", "a DNS-1035 label"),
    (
        {"deprecated": True, "deprecationWarning": ""},
        "spec.versions[0].deprecationWarning",
        "empty",
    ),
    (
        {"deprecated": True, "deprecationWarning": "x" * 257},
        "spec.versions[0].deprecationWarning",
        "must be <= 256 characters long",
    ),
    (
        {"deprecated": True, "deprecationWarning": "a\nb"},
        "spec.versions[0].deprecationWarning",
        "must only contain printable UTF-8 characters",
    ),
    (column(), "spec.additionalPrinterColumns[0].name", "Required value"),
    (column(), "spec.additionalPrinterColumns[0].type", "must be one of boolean,date"),
    (column(), "spec.additionalPrinterColumns[0].JSONPath", "Required value"),
    (column(format="odd"), "spec.additionalPrinterColumns[0].format", "must be one of byte,date"),
    (column(jsonPath=".a["), "spec.additionalPrinterColumns[0].JSONPath", "is an invalid path"),
    (scale(), "spec.subresources.scale.specReplicasPath", "Required value"),
    (
        scale(specReplicasPath=".spec.a[0]"),
        "spec.subresources.scale.specReplicasPath",
        "not a simple path",
    ),
    (
        scale(labelSelectorPath=".x"),
        "spec.subresources.scale.labelSelectorPath",
        "should be a json path under either .spec or .status",
    ),
    (
        {"selectableFields": [{"jsonPath": f".a{each}"} for each in range(9)]},
        "spec.selectableFields",
        "may not have more than 8 selectable fields",
    ),
    ({"selectableFields": [{}]}, "spec.selectableFields[0].jsonPath", "Required value"),
    ({"selectableFields": [{"jsonPath": ".a[0]"}]}, "spec.selectableFields[0].jsonPath", "simple"),
)


@pytest.mark.parametrize(("fields", "field", "text"), VERSION_CASES)
def test_versions_that_are_refused(fields: dict, field: str, text: str) -> None:
    """Each part of a version is judged, and named at the top where all versions share it."""
    errors = validate({"spec": {"versions": [{**VERSION, **fields}]}})
    found = [(each.field, each.message) for each in errors]
    assert [each for each in found if each[0] == field and text in each[1]], found


SPEC_CASES = (
    ({}, "spec.group", "Required value"),
    ({"group": "A.b"}, "spec.group", "a lowercase RFC 1123 subdomain"),
    ({}, "spec.scope", "Required value"),
    ({}, "spec.names.plural", "Required value"),
    ({"names": {"shortNames": ["A"]}}, "spec.names.shortNames[0]", "a DNS-1035 label"),
    ({"names": {"categories": ["A"]}}, "spec.names.categories[0]", "a DNS-1035 label"),
    ({}, "spec.conversion.strategy", "Required value"),
    (
        {"conversion": {"strategy": "None", "webhook": {"clientConfig": {}}}},
        "spec.conversion.webhookClientConfig",
        "should not be set when strategy is not set to Webhook",
    ),
)


@pytest.mark.parametrize(("spec", "field", "text"), SPEC_CASES)
def test_specs_that_are_refused(spec: dict, field: str, text: str) -> None:
    """An incomplete definition is told all that it lacks, and nothing breaks."""
    found = [(each.field, each.message) for each in validate({"spec": spec})]
    assert [each for each in found if each[0] == field and text in each[1]], found


def test_an_approval_must_be_an_address() -> None:
    """The annotation of a protected group is a URL, or says that it is not approved."""
    definition = {
        "metadata": {"annotations": {"api-approved.kubernetes.io": "yes"}},
        "spec": {"group": "x.k8s.io"},
    }
    field = "metadata.annotations[api-approved.kubernetes.io]"
    assert field in [each.field for each in validate(definition)]
    definition["metadata"]["annotations"]["api-approved.kubernetes.io"] = "unapproved, a test"
    assert field not in [each.field for each in validate(definition)]
