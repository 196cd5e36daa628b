"""Custom resources by their schema: pruning, defaulting, validation, and how these fit together."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.object import copy_object
from llmos.apimachinery.schema_compile import compile_schema
from llmos.apimachinery.structural import apply_defaults, has_rules, prune, validate

NOTEBOOK = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {"type": "string", "enum": ["jupyter", "vscode"]},
                "replicas": {"type": "integer", "default": 1, "minimum": 0, "maximum": 5},
                "name": {"type": "string", "maxLength": 5, "minLength": 2, "pattern": "^[a-z]+$"},
                "ios": {
                    "x-kubernetes-int-or-string": True,
                    "anyOf": [{"type": "integer"}, {"type": "string"}],
                },
                "nul": {"type": "string", "nullable": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "m": {"type": "object", "additionalProperties": {"type": "string"}},
                "vols": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string"},
                            "mode": {"type": "string", "default": "rw"},
                        },
                    },
                },
                "set": {
                    "type": "array",
                    "x-kubernetes-list-type": "set",
                    "items": {"type": "string"},
                },
                "lst": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 2,
                    "items": {"type": "string"},
                },
                "tmo": {"type": "string", "format": "date-time"},
                "f": {"type": "number", "exclusiveMinimum": True, "minimum": 0, "multipleOf": 0.5},
                "b": {"type": "boolean"},
                "i32": {"type": "integer", "format": "int32"},
                "few": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 2,
                    "additionalProperties": {"type": "integer"},
                },
                "template": {"type": "object", "x-kubernetes-embedded-resource": True},
                "one": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                "any": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                    "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                "all": {
                    "type": "string",
                    "allOf": [{"minLength": 3}, {"pattern": "^a"}],
                    "not": {"enum": ["abc"]},
                },
            },
        },
    },
}
SCHEMA = compile_schema(NOTEBOOK)


def notebook(**spec: object) -> dict:
    return {
        "apiVersion": "ml.example.com/v1",
        "kind": "Notebook",
        "metadata": {"name": "a"},
        "spec": {"type": "jupyter", **spec},
    }


def judged(obj: dict) -> list[str]:
    prune(obj, SCHEMA)
    apply_defaults(obj, SCHEMA)
    return [f"{each.reason} {each}" for each in validate(obj, SCHEMA)]


INVALID = {
    "enum": (
        {"type": "emacs"},
        [
            (
                'NotSupported spec.type: Unsupported value: "emacs": '
                'supported values: "jupyter", "vscode"'
            )
        ],
    ),
    "type of an enum": (
        {"type": 5},
        [
            (
                'TypeInvalid spec.type: Invalid value: "integer": '
                'spec.type in body must be of type string: "integer"'
            ),
            'NotSupported spec.type: Unsupported value: 5: supported values: "jupyter", "vscode"',
        ],
    ),
    "required after a null": ({"type": None}, ["Required spec.type: Required value"]),
    "fraction for an integer": (
        {"replicas": 1.5},
        [
            (
                'TypeInvalid spec.replicas: Invalid value: "number": '
                'spec.replicas in body must be of type integer: "number"'
            ),
            (
                'Invalid <nil>: Invalid value: "": '
                "Checked value must be of type integer (default format) in spec.replicas"
            ),
        ],
    ),
    "string for an integer": (
        {"replicas": "1"},
        [
            (
                'TypeInvalid spec.replicas: Invalid value: "string": '
                'spec.replicas in body must be of type integer: "string"'
            )
        ],
    ),
    "boolean for an integer": (
        {"i32": True},
        [
            (
                'TypeInvalid spec.i32: Invalid value: "boolean": '
                'spec.i32 in body must be of type integer: "boolean"'
            )
        ],
    ),
    "below the minimum": (
        {"replicas": -1},
        [
            (
                "Invalid spec.replicas: Invalid value: -1: "
                "spec.replicas in body should be greater than or equal to 0"
            )
        ],
    ),
    "above the maximum": (
        {"replicas": 6},
        [
            (
                "Invalid spec.replicas: Invalid value: 6: "
                "spec.replicas in body should be less than or equal to 5"
            )
        ],
    ),
    "wider than int32": (
        {"i32": 2**31},
        [
            (
                'Invalid <nil>: Invalid value: "": '
                "Checked value must be of type integer with format int32 in spec.i32"
            )
        ],
    ),
    "exclusive bound and multiple": (
        {"f": 0.0, "i32": 1},
        ["Invalid spec.f: Invalid value: 0: spec.f in body should be greater than 0"],
    ),
    "no multiple": (
        {"f": 0.7},
        ["Invalid spec.f: Invalid value: 0.7: spec.f in body should be a multiple of 0.5"],
    ),
    "too long hides the pattern": (
        {"name": "ABCDEFG"},
        ["TooLong spec.name: Too long: may not be more than 5 bytes"],
    ),
    "too short": (
        {"name": "a"},
        [
            (
                'Invalid spec.name: Invalid value: "a": '
                "spec.name in body should be at least 2 chars long"
            )
        ],
    ),
    "pattern": (
        {"name": "ABC"},
        ["Invalid spec.name: Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'"],
    ),
    "newline is no end of text": (
        {"name": "abc\n"},
        ["Invalid spec.name: Invalid value: \"abc\\n\": spec.name in body should match '^[a-z]+$'"],
    ),
    "too many items": (
        {"lst": ["a", "b", "c"]},
        ["TooMany spec.lst: Too many: 3: must have at most 2 items"],
    ),
    "too few items": (
        {"lst": []},
        ["Invalid spec.lst: Invalid value: 0: spec.lst in body should have at least 1 items"],
    ),
    "too many properties hide their types": (
        {"few": {"a": "x", "b": 1, "c": 2}},
        ["TooMany spec.few: Too many: 3: must have at most 2 items"],
    ),
    "too few properties": (
        {"few": {}},
        ["Invalid spec.few: Invalid value: 0: spec.few in body should have at least 1 properties"],
    ),
    "int or string": (
        {"ios": True},
        [
            (
                'TypeInvalid spec.ios: Invalid value: "boolean": '
                'spec.ios in body must be of type integer,string: "boolean"'
            )
        ],
    ),
    "value of a map": (
        {"m": {"a": 1}},
        [
            (
                'TypeInvalid spec.m.a: Invalid value: "integer": '
                'spec.m.a in body must be of type string: "integer"'
            )
        ],
    ),
    "null in a list": (
        {"lst": [None]},
        [
            (
                'TypeInvalid spec.lst[0]: Invalid value: "null": '
                'spec.lst[0] in body must be of type string: "null"'
            )
        ],
    ),
    "duplicate in a list map": (
        {"vols": [{"name": "a"}, {"name": "a"}]},
        ['Duplicate spec.vols[1]: Duplicate value: {"name":"a"}'],
    ),
    "no key in a list map": (
        {"vols": [{"mode": "ro"}]},
        ["Required spec.vols[0].name: Required value"],
    ),
    "duplicate in a set": ({"set": ["a", "a"]}, ['Duplicate spec.set[1]: Duplicate value: "a"']),
    "format": (
        {"tmo": "notadate"},
        [
            (
                'TypeInvalid spec.tmo: Invalid value: "notadate": '
                'spec.tmo in body must be of type date-time: "notadate"'
            )
        ],
    ),
    "embedded resource without a type": (
        {"template": {"metadata": {"name": "A_b", "labels": {"a": "b c"}}}},
        [
            "Required spec.template.apiVersion: Required value: must not be empty",
            "Required spec.template.kind: Required value: must not be empty",
            'Invalid spec.template.metadata.name: Invalid value: "A_b": a lowercase',
            'Invalid spec.template.metadata.labels: Invalid value: "b c": a valid label',
        ],
    ),
    "none of oneOf": (
        {"one": {}},
        [
            (
                'Invalid <nil>: Invalid value: "": "spec.one" must validate one and only one '
                "schema (oneOf). Found none valid"
            ),
            "Required spec.one.a: Required value",
        ],
    ),
    "both of oneOf": (
        {"one": {"a": "1", "b": "2"}},
        [
            (
                'Invalid <nil>: Invalid value: "": "spec.one" must validate one and only one '
                "schema (oneOf). Found 2 valid alternatives"
            )
        ],
    ),
    "none of anyOf": (
        {"any": {}},
        [
            (
                'Invalid <nil>: Invalid value: "": '
                '"spec.any" must validate at least one schema (anyOf)'
            ),
            "Required spec.any.a: Required value",
        ],
    ),
    "some of allOf": (
        {"all": "a"},
        [
            (
                'Invalid spec.all: Invalid value: "a": '
                "spec.all in body should be at least 3 chars long"
            ),
            'Invalid <nil>: Invalid value: "": "spec.all" must validate all the schemas (allOf)',
        ],
    ),
    "not": (
        {"all": "abc"},
        ['Invalid <nil>: Invalid value: "": "spec.all" must not validate the schema (not)'],
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_values_are_named_in_kubernetes_words(case: str) -> None:
    """Every kind of error has kube-apiserver's reason, field and text."""
    spec, expected = INVALID[case]
    found = judged(notebook(**spec))
    assert len(found) == len(expected), found
    for text, start in zip(
        sorted(found), sorted(f"FieldValue{each}" for each in expected), strict=True
    ):
        assert text.startswith(start)


VALID = (
    {"ios": 10},
    {"ios": "10%"},
    {"nul": None},
    {"free": {"x": {"y": [1, None]}}},
    {"f": 1.5},
    {"one": {"b": "x"}},
    {"all": "abcd"},
    {"tmo": "2026-01-01T00:00:00.5+01:00"},
    {"template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}}},
    {"few": {"a": 2**40}},
)


@pytest.mark.parametrize("spec", VALID)
def test_valid_values_pass(spec: dict) -> None:
    """What kube-apiserver takes is taken."""
    assert judged(notebook(**spec)) == []


def test_no_spec_is_fine_where_it_is_not_required() -> None:
    """A required field counts only where the object that it is of exists."""
    assert validate({"apiVersion": "a/v1", "kind": "Notebook", "metadata": {}}, SCHEMA) == []


def test_pruning_drops_and_names_what_is_unknown() -> None:
    """Unknown fields go at every depth; what may be kept is kept."""
    obj = notebook(
        bogus=1,
        vols=[{"name": "a", "x": 1}],
        free={"any": {"thing": 1}},
        m={"k": "v"},
        template={"apiVersion": "v1", "kind": "Pod", "metadata": {"a": 1}, "spec": {"b": 1}},
    )
    obj["rooty"] = {"a": 1}
    assert prune(obj, SCHEMA) == [
        "rooty",
        "spec.bogus",
        "spec.template.spec",
        "spec.vols[0].x",
    ]
    assert obj == notebook(
        vols=[{"name": "a"}],
        free={"any": {"thing": 1}},
        m={"k": "v"},
        template={"apiVersion": "v1", "kind": "Pod", "metadata": {"a": 1}},
    )


def test_pruning_goes_on_below_known_fields_of_what_preserves() -> None:
    """``preserve-unknown-fields`` keeps what is unknown, and known fields keep their own rules."""
    schema = compile_schema(
        {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"known": {"type": "object", "properties": {"a": {"type": "string"}}}},
        }
    )
    obj = {"known": {"a": "1", "b": 2}, "unknown": {"c": 3}}
    assert prune(obj, schema) == ["known.b"]
    assert obj == {"known": {"a": "1"}, "unknown": {"c": 3}}


DEFAULTED = (
    ({}, {"replicas": 1}),
    ({"replicas": None}, {"replicas": 1}),
    ({"replicas": 3}, {"replicas": 3}),
    ({"b": None}, {"replicas": 1}),
    ({"nul": None}, {"replicas": 1, "nul": None}),
    ({"m": {"a": None, "b": "x"}}, {"replicas": 1, "m": {"b": "x"}}),
    ({"vols": [{"name": "a"}]}, {"replicas": 1, "vols": [{"name": "a", "mode": "rw"}]}),
    (
        {"vols": [{"name": "a", "mode": None}]},
        {"replicas": 1, "vols": [{"name": "a", "mode": "rw"}]},
    ),
    ({"replicas": 1.0, "f": 1e3}, {"replicas": 1, "f": 1000}),
    ({"f": 0.5}, {"replicas": 1, "f": 0.5}),
    ({"few": {"a": 9007199254740993}}, {"replicas": 1, "few": {"a": 9007199254740993}}),
    ({"free": {"a": None, "b": 1.5}}, {"replicas": 1, "free": {"a": None, "b": 1.5}}),
)


@pytest.mark.parametrize(("spec", "expected"), DEFAULTED)
def test_defaults_nulls_and_numbers_settle(spec: dict, expected: dict) -> None:
    """Defaults come in, also in lists; a null that may not be goes; whole numbers are integers."""
    obj = notebook(**spec)
    apply_defaults(obj, SCHEMA)
    assert obj["spec"] == {"type": "jupyter", **expected}
    assert all(type(obj["spec"].get(key)) is type(expected.get(key)) for key in ("replicas", "f"))


def test_a_default_is_never_shared() -> None:
    """Two objects that got a default do not hold the same value."""
    schema = compile_schema(
        {"type": "object", "properties": {"a": {"type": "object", "default": {"b": {}}}}}
    )
    one: dict = {}
    other: dict = {}
    apply_defaults(one, schema)
    apply_defaults(other, schema)
    one["a"]["b"]["c"] = 1
    assert other == {"a": {"b": {}}}


def test_rules_are_found_anywhere_and_said_to_be_unchecked() -> None:
    """An object with blocking errors says that its rules were not checked; others do not."""
    node = {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "maximum": 5},
            "b": {"type": "array", "items": {"x-kubernetes-validations": [{"rule": "true"}]}},
        },
    }
    assert has_rules(node)
    assert not has_rules(NOTEBOOK)
    schema = compile_schema(node)
    assert [str(each) for each in validate({"a": 6}, schema)] == [
        "a: Invalid value: 6: a in body should be less than or equal to 5"
    ]
    unchecked = validate({"a": "x"}, schema)[-1]
    assert (unchecked.reason, unchecked.field) == ("FieldValueInvalid", "<nil>")
    assert unchecked.message.startswith(
        "Invalid value: null: some validation rules were not checked"
    )


def test_a_big_schema_with_a_nasty_pattern_stays_fast() -> None:
    """Ten thousand properties, a pattern that backtracks for ever: 100 objects in a second."""
    properties = {f"p{each}": {"type": "string", "pattern": "(a+)+$"} for each in range(10_000)}
    node = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    schema = compile_schema(node)
    obj = {"spec": {f"p{each}": "a" * 64 + "!" for each in range(20)}}
    assert len(validate(obj, schema)) == 20
    begin = time.perf_counter()
    for _ in range(100):
        apply_defaults(obj, schema)
        validate(obj, schema)
    assert time.perf_counter() - begin < 1


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats(0, 9)
    | st.sampled_from(["a", "jupyter", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "name", "mode", "apiVersion", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
specs = st.dictionaries(
    st.sampled_from([*NOTEBOOK["properties"]["spec"]["properties"], "bogus"]),
    json_values,
    max_size=6,
)


@given(specs)
def test_pruning_twice_is_pruning_once(spec: dict) -> None:
    """A pruned object has nothing to prune."""
    obj = notebook(**spec)
    prune(obj, SCHEMA)
    once = copy_object(obj)
    assert prune(obj, SCHEMA) == []
    assert obj == once


@given(specs)
def test_defaulting_twice_is_defaulting_once(spec: dict) -> None:
    """A defaulted object does not change by defaulting, whatever is wrong with it."""
    obj = notebook(**spec)
    apply_defaults(obj, SCHEMA)
    once = copy_object(obj)
    apply_defaults(obj, SCHEMA)
    assert obj == once


@given(specs)
def test_what_is_valid_stays_valid(spec: dict) -> None:
    """Pruning and defaulting a valid object again leaves it valid; nothing ever raises."""
    obj = notebook(**spec)
    found = judged(obj)
    again = copy_object(obj)
    assert judged(again) == found
    assert again == obj
