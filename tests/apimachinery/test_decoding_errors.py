"""What typed decoding refuses: values of a wrong type, objects of a wrong kind, in Go's words."""

import pytest

from llmos.apimachinery.decoding import (
    TypedDecodeError,
    check_type,
    decode_builtin,
    decode_typed,
    strict_error,
    unknown_field_problems,
)
from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apis.builtin_schemas import is_registered, schema_for

RBAC = "rbac.authorization.k8s.io"
GROUPS = {
    "Role": RBAC,
    "Lease": "coordination.k8s.io",
    "CustomResourceDefinition": "apiextensions.k8s.io",
}


def _gvk(kind):
    return GroupVersionKind(GROUPS.get(kind, ""), "v1", kind)


def _decode(kind, value):
    return decode_builtin(value, schema_for(_gvk(kind)), _gvk(kind))


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        (
            "ConfigMap",
            {"metadata": {"name": 5}},
            (
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name "
                "of type string"
            ),
        ),
        (
            "ConfigMap",
            {"metadata": "x"},
            (
                "json: cannot unmarshal string into Go struct field ConfigMap.metadata "
                "of type v1.ObjectMeta"
            ),
        ),
        (
            "ConfigMap",
            {"data": {"a": 1}},
            "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
        ),
        (
            "ConfigMap",
            {"data": ["a"]},
            (
                "json: cannot unmarshal array into Go struct field ConfigMap.data "
                "of type map[string]string"
            ),
        ),
        (
            "ConfigMap",
            {"metadata": {"labels": {"a": 1}}},
            (
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels "
                "of type string"
            ),
        ),
        (
            "ConfigMap",
            {"immutable": "yes"},
            "json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool",
        ),
        ("ConfigMap", {"binaryData": {"a": "!!!"}}, "illegal base64 data at input byte 0"),
        ("Secret", {"data": {"a": "YWJ"}}, "illegal base64 data at input byte 0"),
        ("Secret", {"data": {"a": "YWJjYQ=x"}}, "illegal base64 data at input byte 7"),
        ("Secret", {"data": {"a": "YQ==YQ=="}}, "illegal base64 data at input byte 4"),
        (
            "Role",
            {"rules": [{"verbs": "get"}]},
            (
                "json: cannot unmarshal string into Go struct field PolicyRule.rules.verbs "
                "of type []string"
            ),
        ),
        (
            "Secret",
            {"data": {"a": 1}},
            "json: cannot unmarshal number into Go struct field Secret.data of type []uint8",
        ),
        (
            "ConfigMap",
            {"metadata": {"ownerReferences": [5]}},
            (
                "json: cannot unmarshal number into Go struct field "
                "ObjectMeta.metadata.ownerReferences of type v1.OwnerReference"
            ),
        ),
        (
            "CustomResourceDefinition",
            {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"maximum": "1"}}}]}},
            (
                "json: cannot unmarshal string into Go struct field "
                "JSONSchemaProps.spec.versions.schema.openAPIV3Schema.maximum of type float64"
            ),
        ),
        (
            "Role",
            {"rules": {}},
            "json: cannot unmarshal object into Go struct field Role.rules of type []v1.PolicyRule",
        ),
        (
            "Pod",
            {"spec": {"containers": [{"ports": [{"containerPort": 1.5}]}]}},
            (
                "json: cannot unmarshal number 1.5 into Go struct field "
                "ContainerPort.spec.containers.ports.containerPort of type int32"
            ),
        ),
        (
            "Pod",
            {"spec": {"priority": 2**31}},
            (
                "json: cannot unmarshal number 2147483648 into Go struct field "
                "PodSpec.spec.priority of type int32"
            ),
        ),
        (
            "Pod",
            {"spec": {"activeDeadlineSeconds": 2**63}},
            (
                "json: cannot unmarshal number 9223372036854775808 into Go struct field "
                "PodSpec.spec.activeDeadlineSeconds of type int64"
            ),
        ),
        (
            "Service",
            {"spec": {"ports": [{"port": True}]}},
            (
                "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.port "
                "of type int32"
            ),
        ),
        (
            "Service",
            {"spec": {"ports": [{"targetPort": 1.5}]}},
            "json: cannot unmarshal number 1.5 into Go value of type int32",
        ),
        (
            "ResourceQuota",
            {"spec": {"hard": {"pods": "abc"}}},
            (
                "quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
        ),
        (
            "Lease",
            {"spec": {"renewTime": "2026-01-01T00:00:00.5Z"}},
            (
                'parsing time "2026-01-01T00:00:00.5Z" as "2006-01-02T15:04:05.000000Z07:00": '
                'cannot parse ".5Z" as ".000000"'
            ),
        ),
        (
            "Lease",
            {"spec": {"renewTime": "2026-01-01T00:00:00Z"}},
            (
                'parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": '
                'cannot parse "Z" as ".000000"'
            ),
        ),
        (
            "ConfigMap",
            {"metadata": {"creationTimestamp": "x"}},
            'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
        ),
        (
            "ConfigMap",
            {"metadata": {"creationTimestamp": "2026-13-01T00:00:00Z"}},
            'parsing time "2026-13-01T00:00:00Z": month out of range',
        ),
        (
            "ConfigMap",
            {"metadata": {"creationTimestamp": "2026-02-30T00:00:00Z"}},
            'parsing time "2026-02-30T00:00:00Z": day out of range',
        ),
        (
            "ConfigMap",
            {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Zz"}},
            'parsing time "2026-01-01T00:00:00Zz": extra text: "z"',
        ),
        (
            "ConfigMap",
            {"metadata": {"creationTimestamp": 5}},
            "json: cannot unmarshal number into Go value of type string",
        ),
    ],
)
def test_wrong_types(kind, value, why):
    """A value of the wrong type is a 400 with the text of Go's decoder."""
    with pytest.raises(BadRequestError) as error:
        _decode(kind, value)
    head = f'{kind} in version "v1" cannot be handled as a {kind}'
    assert error.value.message == f"{head}: {why}"
    with pytest.raises(TypedDecodeError) as bare:
        decode_typed(value, schema_for(_gvk(kind)))
    assert str(bare.value) == why


def test_strict_error():
    """The recorded text of fieldValidation=Strict."""
    problems = unknown_field_problems(["metadata.bogus", "extra"])
    assert strict_error(_gvk("ConfigMap"), problems).message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "metadata.bogus", unknown field "extra"'
    )


LEGACY = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"


@pytest.mark.parametrize(
    ("expected", "value", "message"),
    [
        (
            "Namespace",
            {"apiVersion": "v1", "kind": "Pod"},
            (
                'Pod in version "v1" cannot be handled as a Namespace: '
                "converting (v1.Pod) to (core.Namespace): unknown conversion"
            ),
        ),
        (
            "Namespace",
            {"apiVersion": "v2", "kind": "Namespace"},
            (
                'Namespace in version "v2" cannot be handled as a Namespace: '
                f'no kind "Namespace" is registered for version "v2" in scheme "{LEGACY}"'
            ),
        ),
        (
            "ConfigMap",
            {"apiVersion": "apps/v1", "kind": "ConfigMap"},
            (
                'ConfigMap in version "v1" cannot be handled as a ConfigMap: '
                f'no kind "ConfigMap" is registered for version "apps/v1" in scheme "{LEGACY}"'
            ),
        ),
        (
            "ConfigMap",
            {"apiVersion": "v1", "kind": "List"},
            (
                'List in version "v1" cannot be handled as a ConfigMap: '
                "converting (v1.List) to (core.ConfigMap): unknown conversion"
            ),
        ),
        (
            "ConfigMap",
            {"apiVersion": "v1", "kind": "ConfigMapList"},
            (
                'ConfigMapList in version "v1" cannot be handled as a ConfigMap: '
                "converting (v1.ConfigMapList) to (core.ConfigMap): unknown conversion"
            ),
        ),
        (
            "CustomResourceDefinition",
            {"apiVersion": "v1", "kind": "ConfigMap"},
            (
                'ConfigMap in version "v1" cannot be handled as a CustomResourceDefinition: '
                'no kind "ConfigMap" is registered for version "v1" in scheme '
                '"k8s.io/apiextensions-apiserver/pkg/apiserver/apiserver.go:55"'
            ),
        ),
    ],
)
def test_wrong_kind(expected, value, message):
    """A body of another kind is a 400 in the words that were recorded."""
    with pytest.raises(BadRequestError) as error:
        check_type(value, _gvk(expected), is_registered)
    assert error.value.message == message


@pytest.mark.parametrize(
    "value", [{}, {"kind": "Role"}, {"apiVersion": f"{RBAC}/v1"}, {"kind": None, "apiVersion": ""}]
)
def test_kind_may_be_left_out(value):
    """A built-in object may leave out its kind, its apiVersion, or both."""
    check_type(value, _gvk("Role"), is_registered)
