"""Typed decoding of built-in objects gives what kube-apiserver would give back, in its words."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.decoding import decode_builtin, unknown_field_problems
from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apis.builtin_schemas import schema_for

RBAC = "rbac.authorization.k8s.io"
KINDS = {
    kind: GroupVersionKind(group, "v1", kind)
    for kind, group in {
        "ConfigMap": "",
        "Secret": "",
        "Namespace": "",
        "Pod": "",
        "Event": "",
        "Service": "",
        "Node": "",
        "ResourceQuota": "",
        "PersistentVolumeClaim": "",
        "Lease": "coordination.k8s.io",
        "Role": RBAC,
        "TokenRequest": "authentication.k8s.io",
        "CustomResourceDefinition": "apiextensions.k8s.io",
        "EndpointSlice": "discovery.k8s.io",
        "SelfSubjectAccessReview": "authorization.k8s.io",
    }.items()
}


def _decode(kind, value):
    return decode_builtin(value, schema_for(KINDS[kind]), KINDS[kind])


@pytest.mark.parametrize(
    ("kind", "value", "decoded"),
    [
        (
            "ConfigMap",
            {"metadata": {"name": "a", "labels": {}, "annotations": None, "finalizers": []}},
            {"metadata": {"name": "a"}},
        ),
        ("ConfigMap", {}, {"metadata": {}}),
        ("ConfigMap", {"data": {"a": None}}, {"metadata": {}, "data": {"a": ""}}),
        ("ConfigMap", {"immutable": False}, {"metadata": {}, "immutable": False}),
        ("ConfigMap", {"metadata": {"generation": 0}}, {"metadata": {}}),
        ("ConfigMap", {"metadata": {"generation": 7}}, {"metadata": {"generation": 7}}),
        (
            "ConfigMap",
            {"metadata": {"ownerReferences": [{"name": "x", "uid": "u", "controller": False}]}},
            {
                "metadata": {
                    "ownerReferences": [
                        {"apiVersion": "", "kind": "", "name": "x", "uid": "u", "controller": False}
                    ]
                }
            },
        ),
        (
            "ConfigMap",
            {"metadata": {"managedFields": [{"fieldsV1": {"f:a": {".": {}, "f:b": None}}}]}},
            {"metadata": {"managedFields": [{"fieldsV1": {"f:a": {".": {}, "f:b": None}}}]}},
        ),
        ("Namespace", {}, {"metadata": {}, "spec": {}, "status": {}}),
        ("Role", {}, {"metadata": {}, "rules": None}),
        ("Role", {"rules": []}, {"metadata": {}, "rules": None}),
        ("Role", {"rules": [None]}, {"metadata": {}, "rules": [{"verbs": None}]}),
        (
            "Secret",
            {"data": {"a": "dg==", "b": None, "c": "ZGg\n=", "d": "dh=="}},
            {"metadata": {}, "data": {"a": "dg==", "b": "", "c": "ZGg=", "d": "dg=="}},
        ),
        (
            "Event",
            {"involvedObject": {"name": "x"}, "count": 0},
            {
                "metadata": {},
                "involvedObject": {"name": "x"},
                "source": {},
                "eventTime": None,
                "firstTimestamp": None,
                "lastTimestamp": None,
                "reportingComponent": "",
                "reportingInstance": "",
            },
        ),
        (
            "ResourceQuota",
            {"spec": {"hard": {"pods": 5, "memory": "1024Mi", "x": None}}},
            {
                "metadata": {},
                "spec": {"hard": {"pods": "5", "memory": "1Gi", "x": "0"}},
                "status": {},
            },
        ),
        (
            "Lease",
            {"spec": {"renewTime": "2026-01-01T02:00:00.123456+02:00", "leaseTransitions": 0}},
            {
                "metadata": {},
                "spec": {"renewTime": "2026-01-01T00:00:00.123456Z", "leaseTransitions": 0},
            },
        ),
        (
            "Service",
            {"spec": {"ports": [{"port": 80}, {"port": 81, "targetPort": "http"}]}},
            {
                "metadata": {},
                "spec": {
                    "ports": [{"port": 80, "targetPort": 0}, {"port": 81, "targetPort": "http"}]
                },
                "status": {"loadBalancer": {}},
            },
        ),
        (
            "TokenRequest",
            {},
            {
                "metadata": {},
                "spec": {"audiences": None, "boundObjectRef": None, "expirationSeconds": None},
                "status": {"token": "", "expirationTimestamp": None},
            },
        ),
        (
            "EndpointSlice",
            {"metadata": {"name": "x", "namespace": ""}, "ports": []},
            {"metadata": {"name": "x"}, "addressType": ""},
        ),
    ],
)
def test_given_back(kind, value, decoded):
    """Empty and null values are dropped or written as Go's omitempty and pointers have it."""
    assert _decode(kind, value) == (decoded, [])


def test_pod():
    """A deep object keeps what pointers hold and loses what is only zero."""
    spec = {
        "hostNetwork": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "c", "args": [], "stdin": False, "securityContext": {}}],
        "volumes": [
            {"name": "v", "emptyDir": {}},
            {
                "name": "d",
                "downwardAPI": {"items": [{"path": "p", "resourceFieldRef": {"resource": "r"}}]},
            },
        ],
    }
    decoded, unknown = _decode("Pod", {"metadata": {"name": "p"}, "spec": spec})
    assert unknown == []
    assert decoded["status"] == {}
    assert decoded["spec"]["terminationGracePeriodSeconds"] == 0
    assert "hostNetwork" not in decoded["spec"]
    assert decoded["spec"]["containers"] == [{"name": "c", "securityContext": {}, "resources": {}}]
    reference = decoded["spec"]["volumes"][1]["downwardAPI"]["items"][0]["resourceFieldRef"]
    assert reference == {"resource": "r", "divisor": "0"}


def test_custom_resource_definition():
    """A CRD's schema is JSON that is kept as it is, and it recurses."""
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "default": 0, "enum": [1, None]},
            "b": {"type": "array", "items": {"type": "object", "properties": {}}},
        },
    }
    versions = [
        {"name": "v1", "served": True, "storage": False, "schema": {"openAPIV3Schema": schema}}
    ]
    decoded, unknown = _decode("CustomResourceDefinition", {"spec": {"versions": versions}})
    assert unknown == []
    kept = decoded["spec"]["versions"][0]
    assert kept["storage"] is False
    assert kept["schema"]["openAPIV3Schema"]["properties"]["a"] == schema["properties"]["a"]


def test_times():
    """Times come back in UTC and whole seconds; Go's zero time is none."""
    for text, kept in {
        "2026-01-01T02:00:00.9+02:00": "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z": "2026-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z": None,
    }.items():
        decoded, _ = _decode("ConfigMap", {"metadata": {"creationTimestamp": text}})
        assert decoded["metadata"].get("creationTimestamp") == kept


def test_unknown_fields():
    """Unknown fields are dropped and told with their paths, in the order of the text."""
    value = {
        "Metadata": {"name": "x"},
        "metadata": {"name": "s", "bogus": 1},
        "spec": {"containers": [{"name": "c"}, {"name": "d", "zed": {}}]},
        "extra": {"x": 1},
    }
    decoded, unknown = _decode("Pod", value)
    assert decoded["metadata"] == {"name": "s"}
    assert unknown == ["Metadata", "metadata.bogus", "spec.containers[1].zed", "extra"]
    assert unknown_field_problems(unknown[:1]) == ['unknown field "Metadata"']


def test_unknown_beside_raw_json():
    """JSON that belongs to no type has no unknown fields."""
    value = {
        "bogus": 1,
        "metadata": {"managedFields": [{"fieldsV1": {"f:x": {}}}]},
        "data": {"k": "v"},
    }
    assert _decode("ConfigMap", value)[1] == ["bogus"]
    schema = {"type": "object", "properties": {"a": {"default": {"any": 1}}}}
    crd = {"bogus": 1, "spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}
    assert _decode("CustomResourceDefinition", crd)[1] == ["bogus"]


def test_unknown_fields_are_bounded():
    """A body of nothing but unknown fields does not make an endless answer."""
    assert len(_decode("ConfigMap", {f"x{each}": 1 for each in range(500)})[1]) == 100


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "name", "containers", "ports", "data", "status"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(KINDS)), json_values)
def test_any_value(kind, value):
    """Whatever the JSON, the answer is an object or a 400, and decoding again changes nothing."""
    with contextlib.suppress(BadRequestError):
        decoded, _ = _decode(kind, value)
        assert _decode(kind, decoded) == (decoded, [])
