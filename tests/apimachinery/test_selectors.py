"""Label and field selectors."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.errors import BadRequestError
from llmos.apimachinery.selectors import FieldRequirement, FieldSelector, LabelSelector

KEYS = st.sampled_from(["a", "B-c", "in", "notin", "x.io/a", "a.b.io/c_d", "9"])
VALUES = st.sampled_from(["", "a", "B_c", "in", "1.2", "x-y"])
TERMS = st.one_of(
    st.builds("{}{}{}".format, KEYS, st.sampled_from(["=", "==", "!="]), VALUES),
    st.builds("{}{}{}".format, KEYS, st.sampled_from(["<", ">"]), st.integers(0, 99)),
    st.builds("{} in ({})".format, KEYS, st.lists(VALUES, min_size=1).map(", ".join)),
    st.builds("{} notin ({})".format, KEYS, st.lists(VALUES, min_size=1).map(",".join)),
    KEYS,
    KEYS.map("!{}".format),
)


@given(st.lists(TERMS))
def test_label_selector_prints_what_it_parsed(terms):
    """Parsing what a selector prints gives the same selector."""
    selector = LabelSelector.parse(",".join(terms))
    assert LabelSelector.parse(str(selector)) == selector


@given(st.text(alphabet="ab=!<>(), \\in\0", max_size=30))
def test_label_selector_raises_nothing_but_bad_request(text):
    """Whatever the text, the answer is a selector or a 400."""
    with contextlib.suppress(BadRequestError):
        LabelSelector.parse(text).matches({"a": "b"})


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a=b", {}, False),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in (b,c)", {}, False),
        ("a in (b,)", {"a": ""}, True),
        ("a in ()", {"a": ""}, True),
        ("a notin (b,c)", {}, True),
        ("a notin (b,c)", {"a": "b"}, False),
        ("a", {"a": ""}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("! a", {"a": "x"}, False),
        ("a>5", {"a": "6"}, True),
        ("a>5", {"a": "5"}, False),
        ("a<5", {"a": "4"}, True),
        ("a<5", {"a": "x"}, False),
        ("a<5", {}, False),
        ("a=b,c=d", {"a": "b"}, False),
        ("a=,b", {"a": "", "b": "1"}, True),
        ("in in (in)", {"in": "in"}, True),
    ],
)
def test_label_selector_matches(text, labels, matches):
    """Each operator selects as in Kubernetes; != and notin take objects without the key."""
    assert LabelSelector.parse(text).matches(labels) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a in (b", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
    ],
)
def test_label_selector_refuses(text, message):
    """A syntax error is a 400 in Kubernetes' words."""
    with pytest.raises(BadRequestError) as caught:
        LabelSelector.parse(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("a/b/c", 'unable to parse requirement: <nil>: Invalid value: "a/b/c": a qualified name'),
        ("a=-b", 'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label'),
        ("a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt'"),
    ],
)
def test_label_selector_checks_keys_and_values(text, beginning):
    """Keys and values must be possible labels."""
    with pytest.raises(BadRequestError) as caught:
        LabelSelector.parse(text)
    assert caught.value.message.startswith(beginning)


def test_label_selector_from_object():
    """MatchLabels and matchExpressions are one selector."""
    selector = LabelSelector.from_object(
        {
            "matchLabels": {"z": "1"},
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": ["y", "x"]},
                {"key": "b", "operator": "DoesNotExist"},
                {"key": "c", "operator": "Exists"},
                {"key": "d", "operator": "NotIn", "values": ["q"]},
            ],
        }
    )
    assert str(selector) == "a in (x,y),!b,c,d notin (q),z=1"
    assert LabelSelector.from_object({}).empty


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "a", "operator": "Near"}, '"Near" is not a valid label selector operator'),
        (
            {"key": "a", "operator": "In"},
            "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["x"]},
            'values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
        ),
    ],
)
def test_label_selector_object_is_checked(expression, message):
    """An expression that says nothing sensible is refused."""
    with pytest.raises(BadRequestError) as caught:
        LabelSelector.from_object({"matchExpressions": [expression]})
    assert caught.value.message == message


@given(
    st.lists(
        st.builds(
            FieldRequirement,
            st.sampled_from(["metadata.name", "spec.x", "type"]),
            st.sampled_from(["=", "!="]),
            st.text(max_size=6),
        )
    )
)
def test_field_selector_prints_what_it_parsed(requirements):
    """Parsing what a selector prints gives the same conditions, whatever the values."""
    printed = str(FieldSelector(tuple(requirements)))
    assert sorted(map(str, FieldSelector.parse(printed).requirements)) == sorted(
        map(str, requirements)
    )


@pytest.mark.parametrize(
    ("text", "fields", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {"a": "c"}, True),
        ("a=", {}, True),
        ("a=b,c!=d", {"a": "b", "c": "d"}, False),
        (r"a=x\,y\=z\\", {"a": "x,y=z\\"}, True),
        ("metadata.name=a,metadata.name=b", {"metadata.name": "a"}, False),
    ],
)
def test_field_selector_matches(text, fields, matches):
    """Equality and inequality of texts; an absent field is empty."""
    assert FieldSelector.parse(text).matches(fields) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "metadata.name in (a,b)",
            "invalid selector: 'metadata.name in (a,b)'; can't understand 'b)'",
        ),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=\z", r"invalid field selector: invalid escape sequence: \z"),
        ("a=\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_field_selector_refuses(text, message):
    """A syntax error is a 400 in Kubernetes' words."""
    with pytest.raises(BadRequestError) as caught:
        FieldSelector.parse(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("metadata.name=a", "a"),
        ("metadata.name==a", "a"),
        ("metadata.namespace=n,metadata.name=a", "a"),
        ("metadata.name=b,metadata.name=a", "a"),
        ("metadata.name!=a", ""),
        ("metadata.name in (a,b)", ""),
        ("metadata.name=", ""),
        ("metadata.name=..", ""),
        ("metadata.name=a/b", ""),
        ("metadata.name=a%2f", ""),
        ("metadata.name=a=b", ""),
        ("metadata.namespace=a", ""),
        ("", ""),
    ],
)
def test_exact_name(text, name):
    """Authorization may go by a name only if every selected object bears it."""
    assert FieldSelector.exact_name(text) == name


@given(st.text(alphabet="metadata.name=!,\\ab", max_size=30))
def test_exact_name_is_never_another_name(text):
    """An object that the selector matches bears the exact name, if there is one."""
    name = FieldSelector.exact_name(text)
    if name:
        assert not FieldSelector.parse(text).matches({"metadata.name": name + "x"})
