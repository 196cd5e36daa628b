"""The texts of JSON errors are those of Go's encoding/json."""

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.json_syntax import syntax_error

TEXTS = {
    b"": "unexpected end of JSON input",
    b'{"a":': "unexpected end of JSON input",
    b"data: 1": "invalid character 'd' looking for beginning of value",
    b"{a:1}": "invalid character 'a' looking for beginning of object key string",
    b'{"a":1,}': "invalid character '}' looking for beginning of object key string",
    b'{"a" 1}': "invalid character '1' after object key",
    b'{"a":1 "b"}': "invalid character '\"' after object key:value pair",
    b"[1,]": "invalid character ']' looking for beginning of value",
    b"[1 2]": "invalid character '2' after array element",
    b"{} x": "invalid character 'x' after top-level value",
    b"01": "invalid character '1' after top-level value",
    b"trux": "invalid character 'x' in literal true (expecting 'e')",
    b"NaN": "invalid character 'N' looking for beginning of value",
    b"-x": "invalid character 'x' in numeric literal",
    b"1.x": "invalid character 'x' after decimal point in numeric literal",
    b"1ex": "invalid character 'x' in exponent of numeric literal",
    b'"a\nb"': "invalid character '\\n' in string literal",
    b'"\x01"': "invalid character '\\x01' in string literal",
    b'"\\x"': "invalid character 'x' in string escape code",
    b'"\\u12g4"': "invalid character 'g' in \\u hexadecimal character escape",
    b"'a'": "invalid character '\\'' looking for beginning of value",
    b"\xef\xbb\xbf{}": "invalid character 'ï' looking for beginning of value",
    b"\xb2": "invalid character '²' looking for beginning of value",
}


@pytest.mark.parametrize(("data", "text"), TEXTS.items())
def test_texts(data, text):
    """Each way to break JSON has Go's text."""
    assert syntax_error(data) == text


@pytest.mark.parametrize("data", [b' {"a": [1, -0.5e+3, {}, []], "b": null} ', b'"\\ud800"', b"0"])
def test_nothing_wrong(data):
    """What Go reads has no error, lone surrogates included."""
    assert syntax_error(data) is None


@given(st.lists(st.sampled_from([*b'{}[]",:0123-+.eEtrufalsn\\ x']), max_size=12).map(bytes))
def test_agrees_with_a_parser(data):
    """There is an error exactly where a JSON parser finds one."""
    parsed = False
    with contextlib.suppress(orjson.JSONDecodeError):
        orjson.loads(data)
        parsed = True
    assert (syntax_error(data) is None) is parsed
