"""Which CustomResourceDefinitions are refused, and in which words."""

import pytest

from llmos.apis.apiextensions_v1_structural import schema_errors
from support.builtin import create, texts

AT = "spec.validation.openAPIV3Schema"
"""How Kubernetes names the schema that all versions share."""
COLUMN = "spec.additionalPrinterColumns[0]"
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "replicas": {"type": "integer", "default": 1},
                "type": {"type": "string"},
            },
        }
    },
}


def version(name: str = "v1", **more: object) -> dict:
    return {
        "name": name,
        "served": True,
        "storage": name == "v1",
        "schema": {"openAPIV3Schema": SCHEMA},
        **more,
    }


def crd(*versions: dict, plural: str = "notebooks", kind: str = "Notebook", **spec: object) -> dict:
    group = spec.get("group", "ml.example.com")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def with_schema(**spec: object) -> dict:
    node = {"type": "object", "properties": {"spec": {"type": "object", **spec}}}
    return crd(version(schema={"openAPIV3Schema": node}))


NO_VERSION = "status.storedVersions: Invalid value: null: must have at least one stored version"
REFUSED = {
    "name": (
        {**crd(), "metadata": {"name": "foo.bar"}},
        'metadata.name: Invalid value: "foo.bar": must be spec.names.plural+"."+spec.group',
    ),
    "no schema": (
        crd({"name": "v1", "served": True, "storage": True}),
        "spec.versions[0].schema.openAPIV3Schema: Required value",
    ),
    "not structural": (
        crd(version(schema={"openAPIV3Schema": {"type": "object", "properties": {"a": {}}}})),
        (f"{AT}.properties[a].type: Required value: must not be empty for specified object fields"),
    ),
    "scope": (
        crd(scope="Galaxy"),
        'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"',
    ),
    "group without a dot": (
        crd(group="ml"),
        'spec.group: Invalid value: "ml": should be a domain with at least one dot',
    ),
    "protected group": (
        crd(group="foo.k8s.io"),
        (
            "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups "
            'must have approval annotation "api-approved.kubernetes.io", see '
            "https://github.com/kubernetes/enhancements/pull/1111"
        ),
    ),
    "two storage versions": (
        crd(version(), version("v2", storage=True)),
        "spec.versions: Invalid value: [*: must have exactly one version marked as storage version",
    ),
    "a version twice": (
        crd(version(), version(storage=False)),
        "spec.versions: Invalid value: [*: must contain unique version names",
    ),
    "bad kind": (
        crd(kind="Note_book"),
        (
            'spec.names.kind: Invalid value: "Note_book": may have mixed case, but should '
            "otherwise match: a DNS-1035 label*"
        ),
    ),
    "kind and list kind": (
        crd(names={"plural": "notebooks", "kind": "A", "listKind": "A"}),
        'spec.names.listKind: Invalid value: "A": kind and listKind may not be the same',
    ),
    "bad column type": (
        crd(
            version(additionalPrinterColumns=[{"name": "A", "type": "text", "jsonPath": ".spec.a"}])
        ),
        (
            f'{COLUMN}.type: Invalid value: "text": must be one of '
            "boolean,date,integer,number,string"
        ),
    ),
    "column path": (
        crd(
            version(
                additionalPrinterColumns=[{"name": "A", "type": "string", "jsonPath": "spec.a"}]
            )
        ),
        (f'{COLUMN}.JSONPath: Invalid value: "spec.a": must be a simple json path starting with .'),
    ),
    "scale path": (
        crd(
            version(
                subresources={
                    "scale": {"specReplicasPath": ".replicas", "statusReplicasPath": ".status.r"}
                }
            )
        ),
        (
            'spec.subresources.scale.specReplicasPath: Invalid value: ".replicas": should be a '
            "json path under .spec"
        ),
    ),
    "selectable metadata": (
        crd(version(selectableFields=[{"jsonPath": ".metadata.name"}])),
        (
            'spec.selectableFields[0].jsonPath: Invalid value: ".metadata.name": must not point to '
            "fields in metadata"
        ),
    ),
    "warning of what is not deprecated": (
        crd(version(deprecationWarning="old")),
        (
            'spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for '
            "deprecated versions"
        ),
    ),
    "webhook between versions": (
        crd(version(), version("v2"), conversion={"strategy": "Webhook"}),
        'spec.conversion.strategy: Unsupported value: "Webhook": supported values: "None"',
    ),
    "array without items": (
        with_schema(properties={"a": {"type": "array"}}),
        (f"{AT}.properties[spec].properties[a].items: Required value: must be specified"),
    ),
    "unique items": (
        with_schema(
            properties={"a": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}}
        ),
        (
            f"{AT}.properties[spec].properties[a].uniqueItems: Forbidden: "
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        ),
    ),
    "reference": (
        with_schema(properties={"a": {"type": "object", "$ref": "#"}}),
        (f"{AT}.properties[spec].properties[a].$ref: Forbidden: $ref is not supported"),
    ),
    "both kinds of properties": (
        with_schema(properties={"a": {"type": "string"}}, additionalProperties={"type": "string"}),
        (
            f"{AT}.properties[spec].additionalProperties: Forbidden: "
            "additionalProperties and properties are mutual exclusive"
        ),
    ),
    "pattern": (
        with_schema(properties={"a": {"type": "string", "pattern": "(?=a)"}}),
        (
            f"{AT}.properties[spec].properties[a].pattern: Invalid value: "
            '"(?=a)": must be a valid regular expression, but isn\'t: error parsing regexp: *'
        ),
    ),
    "type in a junctor": (
        with_schema(
            properties={"a": {"type": "string"}}, anyOf=[{"type": "object", "required": ["a"]}]
        ),
        (f"{AT}.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural"),
    ),
    "unknown field in a junctor": (
        with_schema(
            properties={"a": {"type": "string"}}, allOf=[{"properties": {"b": {"minLength": 1}}}]
        ),
        (
            f"{AT}.properties[spec].properties[b]: Required value: because "
            f"it is defined in {AT}.properties[spec].allOf[0].properties[b]"
        ),
    ),
    "list map without keys": (
        with_schema(
            properties={
                "a": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "items": {"type": "object", "properties": {}},
                }
            }
        ),
        (
            f"{AT}.properties[spec].properties[a].x-kubernetes-list-map-keys:"
            " Required value: must not be empty if x-kubernetes-list-type is map"
        ),
    ),
    "list map with an optional key": (
        with_schema(
            properties={
                "a": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    "items": {"type": "object", "properties": {"k": {"type": "string"}}},
                }
            }
        ),
        (
            f"{AT}.properties[spec].properties[a].items.properties[k].default"
            ": Required value: this property is in x-kubernetes-list-map-keys, so it must have a "
            "default or be a required property"
        ),
    ),
    "default of another type": (
        with_schema(properties={"a": {"type": "integer", "default": "x"}}),
        f"{AT}.properties[spec].properties[a].default: Invalid value: *",
    ),
    "metadata in the schema": (
        crd(
            version(
                schema={
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "metadata": {
                                "type": "object",
                                "properties": {"labels": {"type": "object"}},
                            }
                        },
                    }
                }
            )
        ),
        (
            f"{AT}.properties[metadata]: Forbidden: must not specify "
            "anything other than name and generateName, but metadata is implicitly specified"
        ),
    ),
    "an empty rule": (
        with_schema(**{"x-kubernetes-validations": [{"rule": " "}]}),
        (
            f"{AT}.properties[spec].x-kubernetes-validations[0].rule: "
            "Required value: rule is not specified"
        ),
    ),
}


def matches(found: str, expected: str) -> bool:
    begin, _, end = expected.partition("*")
    return found.startswith(begin) and found.endswith(end)


@pytest.mark.parametrize("case", REFUSED)
def test_refused_definitions_say_why(case: str) -> None:
    """What kube-apiserver refuses is refused, at the same field in the same words."""
    definition, expected = REFUSED[case]
    _, errors = create(definition)
    assert [each for each in texts(errors) if matches(each, expected)], texts(errors)


def test_no_storage_version_is_two_errors() -> None:
    """Without a storage version the spec and the stored versions are wrong, as in Kubernetes."""
    _, errors = create(crd(version(storage=False)))
    assert texts(errors) == [
        (
            'spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,'
            '"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,'
            '"AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one '
            "version marked as storage version"
        ),
        NO_VERSION,
    ]


def test_schemas_that_differ_are_named_by_their_version() -> None:
    """Errors stand at the version, unless all versions have the same schema."""
    bad = {"openAPIV3Schema": {"type": "object", "properties": {"a": {}}}}
    _, errors = create(crd(version(), version("v2", schema=bad)))
    assert texts(errors) == [
        (
            "spec.versions[1].schema.openAPIV3Schema.properties[a].type: Required value: "
            "must not be empty for specified object fields"
        )
    ]


def test_a_schema_that_nests_without_end_is_refused() -> None:
    """Depth is bounded, so that nothing that walks a schema runs out of stack."""
    node: dict = {"type": "object"}
    for _ in range(5000):
        node = {"type": "object", "properties": {"a": node}}
    assert texts(schema_errors(node, "x")) == [
        'x: Invalid value: "": must not nest more than 60 levels deep'
    ]
