"""YAML bodies: the scalars of YAML 1.1 as Kubernetes knows them, and what is refused."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.yaml_reader import YAMLError, parse_yaml

SCALARS = {
    "y": True,
    "yes": True,
    "On": True,
    "TRUE": True,
    "n": False,
    "no": False,
    "off": False,
    "~": None,
    "": None,
    "null": None,
    "'y'": "y",
    '"1"': "1",
    "1": 1,
    "-3": -3,
    "0x1F": 31,
    "017": 15,
    "0o17": 15,
    "0b11": 3,
    "1_000": 1000,
    "08": 8,
    "1.0": 1,
    "1.5": 1.5,
    ".5": 0.5,
    "1e3": 1000,
    "1:30": "1:30",
    "2001-01-01": "2001-01-01",
    "2001-01-01T00:00:00Z": "2001-01-01T00:00:00Z",
    "1.2.3": "1.2.3",
    "+": "+",
    "123456789012345678901": 123456789012345678901.0,
    "!!str 5": "5",
    "!!int '5'": 5,
    "!!binary aGk=": "hi",
    "!mine 5": "5",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars(text, value):
    """A scalar becomes the JSON value that sigs.k8s.io/yaml makes of it."""
    read, _ = parse_yaml(f"a: {text}".encode())
    assert read == {"a": value}
    assert type(read["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("- a\n- [b, {c: d}]", ["a", ["b", {"c": "d"}]]),
        ("1: a\ntrue: b\n1.5: c", {"1": "a", "true": "b", "1.5": "c"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, d: 2}\nc: {<<: *x, d: 3}", {"a": {"b": 1, "d": 2}, "c": {"b": 1, "d": 3}}),
        ("a: &x {b: 1}\ne: &y {b: 2, f: 3}\nc: {<<: [*x, *y]}", None),
        ("---\na: |\n  b\n  c\n", {"a": "b\nc\n"}),
    ],
)
def test_structures(text, value):
    """Keys become strings, anchors and merges are resolved, an empty text is null."""
    read, duplicates = parse_yaml(text.encode())
    if value is None and text:
        assert read["c"] == {"b": 1, "f": 3}
    else:
        assert read == value
    assert duplicates == []


def test_duplicates():
    """The last of two equal keys counts, and the other is told with its line."""
    read, duplicates = parse_yaml(b"a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert read == {"a": 3, "b": {"c": 2}}
    assert duplicates == [
        '  line 4: key "c" already set in map',
        '  line 5: key "a" already set in map',
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "yaml: line 1: did not find expected node content"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("- a\nb", "yaml: line 2: could not find expected ':'"),
        ("a: *x", "yaml: unknown anchor 'x' referenced"),
        ("a: .nan", "json: unsupported value: .nan"),
        ("a: -.inf", "json: unsupported value: -.inf"),
        ("a: 1\n---\nb: 2", "yaml: expected a single document in the stream"),
        ("? [a]\n: b", "unsupported map key"),
        ("~: b", "unsupported map key"),
        ("a: \x01", "yaml: control characters are not allowed"),
        ("\ufeffa: 1", "yaml: a byte order mark is not allowed"),
        ("[" * 200, "yaml: exceeded max depth"),
        ("a: {<<: 1}", "yaml: map merge requires map or sequence of maps as the value"),
        ("a: !!binary '*'", "yaml: !!binary value contains invalid base64 data"),
    ],
)
def test_refused(text, why):
    """What is not YAML, or could not be JSON, is refused in go-yaml's words."""
    with pytest.raises(YAMLError) as error:
        parse_yaml(text.encode())
    assert str(error.value) == f"error converting YAML to JSON: {why}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_other_encodings(encoding):
    """Only UTF-8 is text."""
    with pytest.raises(YAMLError):
        parse_yaml("a: ü".encode(encoding))


@pytest.mark.parametrize(
    "first", ["[x,x,x,x,x,x,x,x,x]", "{a: 1, b: 2, c: 3}", "[{},{},{},{},{},{}]", "x" * 100000]
)
def test_alias_bombs(first):
    """What aliases repeat is bounded, in time and in memory."""
    lines = [f"a: &a {first}"]
    for one, other in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{other}: &{other} [{','.join([f'*{one}'] * 9)}]")
    started = time.process_time()
    with pytest.raises(YAMLError, match="excessive aliasing"):
        parse_yaml("\n".join(lines).encode())
    assert time.process_time() - started < 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(json_values)
def test_what_a_writer_quotes(value):
    """What PyYAML writes, with all strings quoted, reads as the same value."""
    text = yaml.safe_dump(value, default_style='"', allow_unicode=False)
    keys = text.encode()
    read, duplicates = parse_yaml(keys)
    assert read == value
    assert not duplicates
