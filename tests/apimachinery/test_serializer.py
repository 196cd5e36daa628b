"""Request bodies: media types, error texts, duplicate fields, and text that must not be stored."""

import base64
import contextlib
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.errors import BadRequestError, UnsupportedMediaTypeError
from llmos.apimachinery.serializer import (
    JSON,
    PROTOBUF,
    YAML,
    DecodeError,
    decode_body,
    duplicate_fields,
    media_type,
    missing_kind,
    parse_json,
)

UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "
NO_KIND = f"{UNRECOGNIZED}couldn't get version/kind; json parse error: "
TYPE_META = (
    'into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)
TRUNCATED = base64.b64decode(
    "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEh4KFAoCYzASABoCdzEiACoAMgA4AEIAEgYKAWESATEa"
)


@pytest.mark.parametrize(
    ("header", "media"),
    [
        ("", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ('application/json;charset="UTF8"; x=y', JSON),
        ("Application/JSON", JSON),
        ("*/*", JSON),
        ("application/yaml", YAML),
        ("application/vnd.kubernetes.protobuf", PROTOBUF),
    ],
)
def test_media_type(header, media):
    """Parameters, UTF-8 among them, and case do not matter, and no header means JSON."""
    assert media_type(header) == media


@pytest.mark.parametrize(
    "header",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "json",
        "application/json; charset=utf-7",
        "application/yaml;x=y;charset=utf-16",
    ],
)
def test_media_type_refused(header):
    """Anything else, and another charset, is a 415 that names what there is."""
    with pytest.raises(UnsupportedMediaTypeError) as error:
        decode_body(b"{}", header)
    assert error.value.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


@pytest.mark.parametrize(
    ("data", "header", "message"),
    [
        (b'{"a":', "", f'{NO_KIND}unexpected end of JSON input ({{"a":)'),
        (b"", "", f"{NO_KIND}unexpected end of JSON input (<empty>)"),
        (b"[]", "", f"{NO_KIND}json: cannot unmarshal array {TYPE_META} (5b5d)"),
        (b'"x"', "", f"{NO_KIND}json: cannot unmarshal string {TYPE_META} (227822)"),
        (
            b'{"kind":5}',
            "",
            (
                f"{NO_KIND}json: cannot unmarshal number into Go struct field .kind of type string "
                '({"kind":5})'
            ),
        ),
        (b"[]", YAML, f"{NO_KIND}json: cannot unmarshal array {TYPE_META} (5b5d)"),
        (
            b"a: [",
            YAML,
            (
                f"{UNRECOGNIZED}error converting YAML to JSON: "
                "yaml: line 1: did not find expected node content (613a205b)"
            ),
        ),
        (
            b'{"metadata":{"name":"x"}}',
            PROTOBUF,
            (
                f"{UNRECOGNIZED}provided data does not appear to be a protobuf message, "
                'expected prefix [107 56 115 0] ({"metadata":{"name":"x"}})'
            ),
        ),
        (
            TRUNCATED,
            PROTOBUF,
            (
                f"{UNRECOGNIZED}unexpected EOF "
                "(6b3873000a0f0a0276311209436f6e6669674d6170121e0a140a02633012 ...)"
            ),
        ),
        (
            b"k8s\x00\n\x0b\n\x02v1\x12\x05Bogus",
            PROTOBUF,
            (
                'Bogus in version "v1" cannot be handled as a ConfigMap: no kind "Bogus" is '
                'registered for version "v1" in scheme '
                '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
            ),
        ),
    ],
)
def test_unreadable(data, header, message):
    """The recorded answers of a real server, to the letter."""
    with pytest.raises(BadRequestError) as error:
        decode_body(data, header, "ConfigMap")
    assert error.value.message == message


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":"\\u0000"}',
        b'{"a\\u0000":1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-be"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_never_stored(data):
    """Text that is not well-formed, numbers that are none, and bottomless nesting are a 400."""
    with pytest.raises(BadRequestError):
        decode_body(data, JSON, "ConfigMap")


def test_yaml_nul():
    """A NUL that YAML's escapes bring in is a 400 as well."""
    with pytest.raises(BadRequestError, match=r"U\+0000"):
        decode_body(b'a: "\\0"', YAML, "ConfigMap")


def test_protobuf_nul():
    """So is one in a protobuf string."""
    body = base64.b64decode(
        "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEh4KFAoCYzASABoCdzEiACoAMgA4AEIAEgYKAWESATEaACIA"
    )
    with pytest.raises(BadRequestError, match=r"U\+0000"):
        decode_body(body.replace(b"\x0a\x01a", b"\x0a\x01\x00"), PROTOBUF, "ConfigMap")


@pytest.mark.parametrize(
    ("data", "header", "value"),
    [
        (b'{"a":"\\\\u0000"}', "", {"a": "\\u0000"}),
        (b"null", "", {}),
        (b"", YAML, {}),
        (b'{"a":9223372036854775807}', "", {"a": 2**63 - 1}),
        (b'{"a":-0, "b": "\\ufffe"}', "", {"a": 0, "b": "\ufffe"}),
        (b'{"a":' * 90 + b"1" + b"}" * 90, "", None),
        (b"a: y\nb: no", YAML, {"a": True, "b": False}),
        (b'{"a":[' + b"[1],{}," * 150 + b"[]]}", "", None),
        (b'{"a":"\\ud83d\\ude00"}', "", {"a": "\U0001f600"}),
    ],
)
def test_readable(data, header, value):
    """What is odd and still right is read; null is an empty object."""
    read = decode_body(data, header).value
    assert value is None or read == value


def test_duplicates_json():
    """Every field that is there twice is told with its path; the last value counts."""
    data = b'{"data":{"a":"1","a":"2"},"l":[{"x":1,"x":2,"y":{"z":1,"z":{"u":1}}}],"data":{"b":1}}'
    decoded = decode_body(data, "")
    assert decoded.value["data"] == {"b": 1}
    assert decoded.duplicates == ["data", "l[0].x", "l[0].y.z"]
    assert decoded.problems[0] == 'duplicate field "data"'
    assert decode_body(data, "", find_duplicates=False).problems == []


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b'{"a":"\\u003a","a":1}', ["a"]),
        (b'{"a":"\\u003A", "a":1}', ["a"]),
        (b'{"a":"::","b":{"c:d":":"}}', []),
        (b'{"a":"\\u003a"}', []),
    ],
)
def test_duplicates_with_colons(data, paths):
    """Colons in strings, escaped or not, hide nothing and are no duplicates."""
    assert duplicate_fields(data, orjson.loads(data)) == paths


def test_duplicates_yaml():
    """YAML's duplicates are one text with their lines, as recorded."""
    data = b'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yd}\ndata:\n  a: "1"\n  a: "2"\n'
    decoded = decode_body(data, YAML)
    assert decoded.value["data"] == {"a": "2"}
    assert decoded.problems == ['yaml: unmarshal errors:\n  line 6: key "a" already set in map']


def test_missing_kind():
    """A custom resource without a kind is shown its body."""
    data = b'{"metadata": {"name": "x"}, "spec": {"type": "jupyter"}}'
    assert missing_kind("Notebook", data).message == (
        "the object provided is unrecognized (must be of type Notebook): Object 'Kind' is missing "
        'in \'{"metadata": {"name": "x"}, "spec": {"type": "jupyter"}}\' '
        '({"metadata": {"name": "x"}, "s ...)'
    )


def test_patches_need_not_be_objects():
    """A JSON value of any type can be read, and what is none says why."""
    assert parse_json(b'[{"op":"add"}]') == [{"op": "add"}]
    with pytest.raises(DecodeError, match="unexpected end of JSON input"):
        parse_json(b"{")


keys = st.sampled_from(["a", "b", ":", "c\u003a", '"'])
texts = st.recursive(
    st.sampled_from(["1", '":"', '"\\u003a"', "null", "{}"]),
    lambda inner: st.lists(st.tuples(keys, inner), max_size=4).map(
        lambda members: "{" + ",".join(f"{json.dumps(k)}: {v}" for k, v in members) + "}"
    ),
    max_leaves=8,
)


@given(texts)
def test_duplicates_are_found_exactly(text):
    """The cheap look agrees with one that reads every member."""
    found = False

    def pairs(members):
        nonlocal found
        found = found or len({key for key, _ in members}) < len(members)
        return dict(members)

    json.loads(text, object_pairs_hook=pairs)
    data = text.encode()
    assert bool(duplicate_fields(data, orjson.loads(data))) is found


@given(st.binary(max_size=60), st.sampled_from([JSON, YAML, PROTOBUF]))
def test_any_bytes(data, header):
    """Whatever the bytes, the answer is an object or a 400."""
    with contextlib.suppress(BadRequestError):
        assert isinstance(decode_body(data, header, "ConfigMap").value, dict)
