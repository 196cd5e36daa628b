"""Protobuf bodies: those that kubectl and client-go sent, every kind of field, and broken ones."""

import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos.apimachinery.go_types import message_fields
from llmos.apimachinery.protobuf import MAGIC, UnknownKindError, decode
from llmos.apimachinery.protobuf_encoding import (
    UnknownFieldError,
    can_encode,
    encode,
    encode_event,
    encode_item,
    encode_list,
)
from llmos.apimachinery.protobuf_wire import ProtobufError
from support.protobuf_wire import data, varint

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
    """Writing what was read loses nothing, and adds no more than the zero values of Go's types."""
    obj = decode(body)
    again = encode(obj)
    assert _includes(decode(again), obj)
    assert encode(decode(again)) == again


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


VALUES = {
    "string": st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300),
    "bytes": st.binary(max_size=9).map(lambda raw: base64.b64encode(raw).decode()),
    "bool": st.just(value=True),
    "int32": st.integers(-(2**31), 2**31 - 1).filter(bool),
    "int64": st.integers(-(2**63), 2**63 - 1).filter(bool),
    "Quantity": st.sampled_from(["1", "100m", "1536Mi"]),
    "Time": st.sampled_from(["2026-01-01T00:00:00Z", "1969-12-31T23:59:59Z"]),
    "MicroTime": st.sampled_from(["2026-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.500000Z"]),
    "FieldsV1": st.just({"f:data": {}}),
    "StrList": st.lists(st.text("ab", max_size=2), min_size=1, max_size=2),
    "IntOrString": st.integers(1, 2**31 - 1) | st.text("a%", min_size=1),
}
"""Of each type, values that are not Go's zero: those are left out when they are read."""


@st.composite
def _messages(draw, name, depth=4):
    """A message with some of its fields, as deep as is worth while."""
    found = {}
    for field in message_fields(name):
        kind = field.type.removeprefix("[]").removeprefix("map:")
        if kind not in VALUES and depth == 0:
            continue
        one = VALUES[kind] if kind in VALUES else _messages(kind, depth - 1).filter(bool)
        if not draw(st.integers(0, 3)) or not field.omit_empty:
            if not field.name:
                found.update(draw(_messages(kind, depth - 1)))
            elif field.type.startswith("map:"):
                found[field.name] = draw(st.dictionaries(st.text("ab\u00e9"), one, min_size=1))
            elif field.type.startswith("[]"):
                found[field.name] = draw(st.lists(one, min_size=1, max_size=2))
            else:
                found[field.name] = draw(one)
    return found


@settings(suppress_health_check=list(HealthCheck), max_examples=30)
@given(st.data())
@pytest.mark.parametrize("kind", ["ConfigMap", "Service", "ResourceQuota", "LimitRange", "Event"])
def test_whatever_is_written_is_read(kind, draw):
    """Nothing that was set is lost, and what is read is written as the same bytes."""
    identity = {"apiVersion": "v1", "kind": kind}
    obj = {**draw.draw(_messages(f"core/v1.{kind}", 2)), **identity}
    body = encode(obj)
    assert _includes(decode(body), obj)
    assert encode(decode(body)) == body


def _includes(whole, part):
    """Whether all of a JSON value is in another."""
    if isinstance(part, dict):
        return all(key in whole and _includes(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(_includes, whole, part))
    return whole == part


def test_zero_values_are_written():
    """What is no pointer is there though nobody set it; what can be nil is not."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {}}
    meta = b"".join(data(n, b"") for n in (1, 2, 3, 4, 5, 6)) + b"\x38\x00" + data(8, b"")
    assert encode(secret) == _whole(b"Secret", data(1, meta) + data(3, b""))


def _whole(kind, raw):
    """A body with all that an envelope has."""
    return _body(kind, raw) + data(3, b"") + data(4, b"")


def test_lists_are_written():
    """A list has its metadata, and its items without kinds."""
    listed = {
        "apiVersion": "v1",
        "kind": "SecretList",
        "metadata": {"resourceVersion": "7", "remainingItemCount": 0},
        "items": [{"metadata": {}}],
    }
    item = encode({"apiVersion": "v1", "kind": "Secret"})
    raw = item[item.index(b"\x12", item.index(b"Secret")) + 2 : -4]
    meta = data(1, b"") + data(2, b"7") + data(3, b"") + b"\x20\x00"
    assert encode(listed) == _whole(b"SecretList", data(1, meta) + data(2, raw))
    assert encode({**listed, "items": None}) == _whole(b"SecretList", data(1, meta))


def test_lists_are_written_in_parts():
    """Item after item, as the whole is."""
    listed = {
        "apiVersion": "v1",
        "kind": "SecretList",
        "metadata": {"resourceVersion": "7"},
        "items": [{"metadata": {"name": each}} for each in "ab"],
    }
    typed = [{"apiVersion": "v1", "kind": "Secret", **each} for each in listed["items"]]
    assert encode_list(listed, map(encode_item, typed)) == encode(listed)


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        ({"metadata": {"colour": "red"}}, "meta/v1.ObjectMeta has no field colour"),
        ({"spec": {"colour": "red"}}, "core/v1.PodSpec has no field colour"),
        (
            {"spec": {"containers": [{"livenessProbe": {"colour": 1, "exec": {}}}]}},
            "core/v1.Probe has no field colour",
        ),
    ],
)
def test_no_field_is_left_out(obj, field):
    """What the table does not know is not written without being told of."""
    with pytest.raises(UnknownFieldError, match=field):
        encode({"apiVersion": "v1", "kind": "Pod", **obj})


def test_events_are_framed():
    """A frame is as long as it says."""
    frame = encode_event("ADDED", b"k8s")
    assert frame == b"\x00\x00\x00\x0e" + data(1, b"ADDED") + data(2, data(1, b"k8s"))


def test_kinds_that_cannot_be_written():
    """They are told apart before anything is written."""
    assert can_encode("v1", "PodList")
    assert can_encode("meta.k8s.io/v1", "PartialObjectMetadataList")
    for kind in ("Widget", "WidgetList", "List"):
        assert not can_encode("example.com/v1", kind)
        with pytest.raises(UnknownKindError):
            encode({"apiVersion": "example.com/v1", "kind": kind})
