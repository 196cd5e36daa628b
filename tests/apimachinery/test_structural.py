"""Custom resources by their schema: pruning, defaulting, and how these fit with validation."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.object import copy_object
from llmos.apimachinery.schema_compile import compile_schema
from llmos.apimachinery.structural import apply_defaults, has_rules, prune, validate
from support.notebook import NOTEBOOK, SCHEMA, judged, notebook


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
    begin = time.process_time()
    for _ in range(100):
        apply_defaults(obj, schema)
        validate(obj, schema)
    assert time.process_time() - begin < 1


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
