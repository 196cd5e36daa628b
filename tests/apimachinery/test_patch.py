"""Merge patch and JSON patch."""

import contextlib
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.errors import (
    BadRequestError,
    InvalidError,
    RequestEntityTooLargeError,
    StatusError,
)
from llmos.apimachinery.patch import json_patch, merge_patch, same

SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=3))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=4)
REJECTED = "the server rejected our request due to an error in our request"


def diff(old, new):
    """The merge patch that makes ``new`` of ``old``."""
    patch = {key: None for key in old if key not in new}
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            patch[key] = diff(old[key], value)
        elif key not in old or not same(old[key], value):
            patch[key] = value
    return patch


@given(OBJECTS, OBJECTS)
def test_merge_patch_applies_a_difference(old, new):
    """Applying the difference of two objects to the first gives the second; nothing is mutated."""
    before = copy.deepcopy(old)
    patch = diff(old, new)
    sent = copy.deepcopy(patch)
    assert same(merge_patch(old, patch), new)
    assert same(old, before)
    assert same(patch, sent)


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "x"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_merge_patch_is_rfc_7386(target, patch, merged):
    """The examples of RFC 7386's appendix that have an object at their root."""
    assert merge_patch(target, patch) == merged


def test_merge_patch_must_be_a_map():
    """Anything else is a 400 that says what it is."""
    with pytest.raises(BadRequestError) as caught:
        merge_patch({}, [])
    assert caught.value.message == (
        "error decoding patch: json: cannot unmarshal array into Go value of type "
        "map[string]interface {}"
    )


def document():
    return {
        "kind": "ConfigMap",
        "metadata": {"resourceVersion": "5", "finalizers": ["a", "b"]},
        "data": {"x": "1", "a/b": "s", "m~n": "t"},
    }


@pytest.mark.parametrize(
    ("operations", "path", "value"),
    [
        ([{"op": "add", "path": "/data/y", "value": "2"}], ("data", "y"), "2"),
        ([{"op": "replace", "path": "/data/new", "value": "2"}], ("data", "new"), "2"),
        ([{"op": "replace", "path": "/data/a~1b", "value": "e"}], ("data", "a/b"), "e"),
        ([{"op": "replace", "path": "/data/m~0n", "value": "e"}], ("data", "m~n"), "e"),
        (
            [{"op": "add", "path": "/metadata/finalizers/-", "value": "c"}],
            ("metadata", "finalizers"),
            ["a", "b", "c"],
        ),
        (
            [{"op": "add", "path": "/metadata/finalizers/0", "value": "c"}],
            ("metadata", "finalizers"),
            ["c", "a", "b"],
        ),
        (
            [{"op": "add", "path": "/metadata/finalizers/2", "value": "c"}],
            ("metadata", "finalizers"),
            ["a", "b", "c"],
        ),
        (
            [{"op": "replace", "path": "/metadata/finalizers/1", "value": "c"}],
            ("metadata", "finalizers"),
            ["a", "c"],
        ),
        ([{"op": "remove", "path": "/metadata/finalizers/0"}], ("metadata", "finalizers"), ["b"]),
        (
            [
                {"op": "copy", "from": "/data/x", "path": "/data/y"},
                {"op": "move", "from": "/data/y", "path": "/data/z"},
            ],
            ("data",),
            {"x": "1", "a/b": "s", "m~n": "t", "z": "1"},
        ),
        (
            [
                {"op": "test", "path": "/metadata/resourceVersion", "value": "5"},
                {"op": "add", "path": "/data/ok", "value": "1"},
            ],
            ("data", "ok"),
            "1",
        ),
        ([{"op": "test", "path": "/metadata/labels", "value": None}], ("kind",), "ConfigMap"),
        ([{"op": "replace", "path": "", "value": {"kind": "Other"}}], ("kind",), "Other"),
        (
            [{"op": "remove", "path": "/metadata/finalizers"}],
            ("metadata",),
            {"resourceVersion": "5"},
        ),
    ],
)
def test_json_patch_carries_out(operations, path, value):
    """Operations of RFC 6902, with Kubernetes' ``replace`` and ``test`` of what is not there."""
    given = document()
    found = json_patch(given, operations)
    for key in path:
        found = found[key]
    assert found == value
    assert given == document()


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "test", "path": "/data/x", "value": "zzz"}],
        [{"op": "test", "path": "/data/x", "value": None}],
        [{"op": "test", "path": "/metadata/resourceVersion", "value": "4"}],
        [{"op": "remove", "path": "/data/nope"}],
        [{"op": "add", "path": "/metadata/labels/a", "value": "b"}],
        [{"op": "add", "path": "/data/x/y", "value": "b"}],
        [{"op": "frob", "path": "/data"}],
        [{"op": "add", "path": "/data/x"}],
        [{"op": "add", "value": "x"}],
        [{"path": "/data", "value": "x"}],
        [{"op": "add", "path": "data/x", "value": "x"}],
        [{"op": "add", "path": "/data/~2", "value": "x"}],
        [{"op": "add", "path": "/metadata/finalizers/9", "value": "x"}],
        [{"op": "replace", "path": "/metadata/finalizers/-1", "value": "x"}],
        [{"op": "replace", "path": "/metadata/finalizers/01", "value": "x"}],
        [{"op": "replace", "path": "/metadata/finalizers/2", "value": "x"}],
        [{"op": "replace", "path": "/metadata/finalizers/-", "value": "x"}],
        [{"op": "remove", "path": ""}],
        [{"op": "replace", "path": "", "value": []}],
        [{"op": "copy", "from": "/data/nope", "path": "/data/y"}],
        [{"op": "copy", "path": "/data/y"}],
        [{"op": "move", "from": "/metadata", "path": "/metadata/x"}],
        [
            {"op": "add", "path": "/big", "value": "x" * 1000},
            *[{"op": "copy", "from": "", "path": f"/c{n}"} for n in range(16)],
        ],
        [{"op": "copy", "from": "/data", "path": "/data/d" + "/d" * n} for n in range(300)],
    ],
)
def test_json_patch_refuses(operations):
    """What cannot be carried out is one 422 without details, and changes nothing."""
    given = document()
    with pytest.raises(InvalidError) as caught:
        json_patch(given, operations)
    assert caught.value.message == REJECTED
    assert caught.value.details == {}
    assert given == document()


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ({"op": "add"}, "object into Go value of type []handlers.jsonPatchOp"),
        ([1], "number into Go value of type handlers.jsonPatchOp"),
        ([{"op": 1}], "number into Go struct field jsonPatchOp.op of type string"),
    ],
)
def test_json_patch_must_be_operations(operations, message):
    """Anything else is a 400 in the words of Go's decoder."""
    with pytest.raises(BadRequestError) as caught:
        json_patch({}, operations)
    assert caught.value.message == f"error decoding patch: json: cannot unmarshal {message}"


def test_json_patch_has_a_limit():
    """More than 10,000 operations are too many."""
    test = {"op": "test", "path": "/kind", "value": "ConfigMap"}
    with pytest.raises(RequestEntityTooLargeError) as caught:
        json_patch(document(), [test] * 10_001)
    assert caught.value.message == (
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, "
        "got 10001"
    )


POINTERS = st.lists(st.sampled_from(["data", "x", "metadata", "finalizers", "0", "-"])).map(
    lambda steps: "".join(f"/{each}" for each in steps)
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
                "path": POINTERS,
                "from": POINTERS,
            },
            optional={"value": VALUES},
        ),
        max_size=5,
    )
)
def test_json_patch_never_breaks(operations):
    """Whatever the operations: an object or a StatusError, and the document is as it was."""
    given_document = document()
    with contextlib.suppress(StatusError):
        assert isinstance(json_patch(given_document, operations), dict)
    assert given_document == document()


def test_same_tells_one_from_true():
    """JSON's numbers and booleans are never equal."""
    assert not same({"a": [1]}, {"a": [True]})
    assert not same({"a": 0}, {"a": False})
    assert same({"a": [1, None]}, {"a": [1, None]})
