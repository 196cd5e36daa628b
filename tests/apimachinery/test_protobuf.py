"""Protobuf bodies: those that kubectl and client-go sent, every kind of field, and broken ones."""

import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.protobuf import MAGIC, ProtobufError, UnknownKindError, decode
from support.protobuf_encoder import data, encode, varint

RECORDED = json.loads((Path(__file__).parent / "data" / "protobuf_bodies.json").read_text())
BODIES = [base64.b64decode(each["body"]) for each in RECORDED]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "p",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 0,
        "managedFields": [{"manager": "m", "fieldsV1": {"f:data": {}}}],
    },
    "spec": {
        "containers": [
            {
                "name": "c",
                "ports": [{"containerPort": 80}],
                "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 3},
                "readinessProbe": {"tcpSocket": {"port": 8080}},
            }
        ],
        "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}],
        "priority": -5,
        "hostNetwork": True,
    },
}
OBJECTS = [
    POD,
    {"apiVersion": "v1", "kind": "Secret", "data": {"k": "AAEC", "empty": ""}, "immutable": False},
    {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": "u", "extra": {"scopes": ["a", "b"]}},
        "status": {"allowed": False},
    },
    {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "spec": {"renewTime": "2026-01-01T00:00:00.000001Z", "leaseDurationSeconds": 0},
    },
    {"apiVersion": "apps/v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0},
]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_recorded_bodies(case):
    """What a real client sent reads as the object it meant."""
    assert decode(base64.b64decode(case["body"])) == case["object"]


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: obj["kind"])
def test_round_trip(obj):
    """Every kind of field comes back as it was written, zero values of pointers included."""
    assert decode(encode(obj)) == obj


@given(st.sampled_from(BODIES))
def test_recorded_bodies_round_trip(body):
    """Writing what was read and reading it again changes nothing."""
    obj = decode(body)
    assert decode(encode(obj)) == obj


@given(st.sampled_from([*BODIES, encode(POD)]), st.data())
def test_broken_bytes(body, draw):
    """A damaged body is an object or a ProtobufError, never another exception."""
    at = draw.draw(st.integers(4, len(body) - 1))
    cut = draw.draw(st.integers(0, 3))
    damaged = body[:at] + draw.draw(st.binary(max_size=4)) + body[at + cut :]
    with contextlib.suppress(ProtobufError):
        assert isinstance(decode(damaged), dict)


def _body(kind: bytes, raw: bytes) -> bytes:
    return MAGIC + data(1, data(1, b"v1") + data(2, kind)) + data(2, raw)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "empty data"),
        (b"k8s\x00", "empty body"),
        (b"{}", "expected prefix [107 56 115 0]"),
        (BODIES[2][:-3], "unexpected EOF"),
        (_body(b"ConfigMap", varint(2 << 3) + b"\x01"), "wrong wireType = 0 for field data"),
        (_body(b"ConfigMap", b"\x07"), "illegal tag 0"),
        (_body(b"ConfigMap", b"\x0f"), "illegal wireType 7"),
        (_body(b"ConfigMap", data(1, data(1, b"\xff"))), "invalid UTF-8"),
        (_body(b"ConfigMap", b"\xff" * 11), "integer overflow"),
    ],
)
def test_refused(body, text):
    """What is wrong with a body is said."""
    with pytest.raises(ProtobufError) as error:
        decode(body)
    assert text in str(error.value)


def test_unknown_kind():
    """A kind that is not in the table is named, so that the answer can name it."""
    with pytest.raises(UnknownKindError) as error:
        decode(_body(b"Bogus", b""))
    assert (error.value.api_version, error.value.kind) == ("v1", "Bogus")


def test_packed_numbers():
    """Lists of numbers may come packed."""
    groups = data(2, data(14, data(4, varint(1) + varint(300))))
    body = _body(b"Pod", groups)
    assert decode(body)["spec"]["securityContext"]["supplementalGroups"] == [1, 300]


def test_unknown_fields_are_passed_over():
    """A field that a newer client knows is no error."""
    assert decode(_body(b"ConfigMap", data(99, b"x"))) == {"apiVersion": "v1", "kind": "ConfigMap"}
