"""Sets of fields, and the sets that objects have under a schema."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.fieldset import (
    difference,
    field_set,
    from_fields_v1,
    intersection,
    is_empty,
    path_text,
    paths,
    to_fields_v1,
    union,
)
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.typed import all_fields, compare, fields_of, merge, remove

STEPS = st.sampled_from(["f:a", "f:b", "f:c", 'k:{"name":"a"}', 'v:"x"'])
PATHS = st.lists(STEPS, min_size=1, max_size=3).map(tuple)
SETS = st.sets(PATHS, max_size=6)


@given(SETS, SETS)
def test_sets_are_sets_of_paths(left, right):
    """Union, intersection and difference are those of the members; nothing is mutated."""
    a, b = field_set(*left), field_set(*right)
    before = copy.deepcopy((a, b))
    assert set(paths(a)) == left
    assert set(paths(union(a, b))) == left | right
    assert set(paths(intersection(a, b))) == left & right
    assert set(paths(difference(a, b))) == left - right
    assert is_empty(difference(a, b)) is (not left - right)
    assert (a, b) == before


@given(SETS, SETS)
def test_equal_sets_are_equal_trees(left, right):
    """However a set comes about, its tree is the same."""
    a, b = field_set(*left), field_set(*right)
    assert difference(union(a, b), difference(b, a)) == a
    assert intersection(a, union(a, b)) == a
    assert union(difference(a, b), intersection(a, b)) == a


@given(SETS)
def test_fields_v1_round_trip(members):
    """What is written as FieldsV1 is read as the same set, and is in canonical form."""
    fields = field_set(*members)
    written = to_fields_v1(fields)
    assert from_fields_v1(written) == fields
    assert to_fields_v1(from_fields_v1(written)) == written


def test_reading_normalizes():
    """Keys of elements are sorted JSON; what leads nowhere is dropped; lone dots are leaves."""
    assert from_fields_v1(
        {"f:a": {".": {}}, "f:p": {'k:{ "z": 1, "a": "x" }': {}}, ".": {}, "i:07": {}}
    ) == {"f:a": {}, "f:p": {'k:{"a":"x","z":1}': {}}, "i:7": {}}


def deep(levels):
    fields = {}
    for _ in range(levels):
        fields = {"f:a": fields}
    return fields


@pytest.mark.parametrize(
    "data",
    [
        [],
        "x",
        {"f:a": None},
        {"f:a": "x"},
        {"a": {}},
        {"k:[]": {}},
        {"k:{": {}},
        {"v:": {}},
        {"i:x": {}},
        {"": {}},
        deep(1000),
    ],
)
def test_reading_refuses(data):
    """What is no set of fields raises ValueError, however it is broken."""
    with pytest.raises(ValueError, match=r"step|expected|JSON|empty"):
        from_fields_v1(data)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:data", "f:x"), ".data.x"),
        (("f:spec", "f:vols", 'k:{"name":"a"}', "f:size"), '.spec.vols[name="a"].size'),
        (("f:ports", 'k:{"port":80,"protocol":"TCP"}'), '.ports[port=80,protocol="TCP"]'),
        (("f:metadata", "f:finalizers", 'v:"x.io/a"'), '.metadata.finalizers[="x.io/a"]'),
        (("f:s", "v:true"), ".s[=true]"),
        (("f:s", 'v:{"a":[1,"b"]}'), '.s[={a=[1,"b"]}]'),
        (("f:l", "i:3"), ".l[3]"),
    ],
)
def test_path_text(path, text):
    """Paths are printed as structured-merge-diff prints them."""
    assert path_text(path) == text


def test_members_of_a_node_come_before_those_below():
    """The order of conflicts is Kubernetes'."""
    fields = field_set(("f:spec", "f:z"), ("f:spec", "f:a", "f:x"), ("f:data",))
    assert list(map(path_text, paths(fields))) == [".data", ".spec.z", ".spec.a.x"]


TEXT = Schema(type="string")
VOLUME = Schema(type="object", properties={"name": TEXT, "size": TEXT, "mode": TEXT})
SPEC = Schema(
    type="object",
    properties={
        "type": TEXT,
        "list": Schema(type="array", items=TEXT),
        "set": Schema(type="array", items=TEXT, list_type="set"),
        "vols": Schema(type="array", items=VOLUME, list_type="map", list_keys=("name",)),
        "labels": Schema(type="object", additional=TEXT),
        "maps": Schema(type="object", additional=Schema(type="object", additional=TEXT)),
        "selector": Schema(type="object", additional=TEXT, map_type="atomic"),
        "free": Schema(type="object", preserve_unknown=True),
    },
)
VALUE = {
    "type": "t",
    "list": ["a"],
    "set": ["x"],
    "vols": [{"name": "a", "size": "1"}],
    "labels": {"k": "v"},
    "maps": {"m": {"n": "o"}},
    "selector": {"a": "b"},
    "free": {"x": {"y": [1]}},
}


def test_fields_of_an_applied_object():
    """An apply owns leaves, elements of lists and keys of free maps, but no declared map."""
    assert fields_of(VALUE, SPEC) == {
        "f:type": {},
        "f:list": {},
        "f:set": {'v:"x"': {}},
        "f:vols": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:size": {}}},
        "f:labels": {"f:k": {}},
        "f:maps": {"f:m": {".": {}, "f:n": {}}},
        "f:selector": {},
        "f:free": {"f:x": {".": {}, "f:y": {}}},
    }


def test_fields_of_empty_containers():
    """An empty map is a leaf; an empty list of elements is nothing."""
    assert fields_of({"labels": {}, "vols": [], "set": [], "list": [], "type": None}, SPEC) == {
        "f:labels": {},
        "f:list": {},
        "f:type": {},
    }


def test_all_fields_of_an_added_value():
    """An update that adds a value owns every container in it as well."""
    assert all_fields(VALUE, SPEC) == {
        ".": {},
        "f:type": {},
        "f:list": {},
        "f:set": {".": {}, 'v:"x"': {}},
        "f:vols": {".": {}, 'k:{"name":"a"}': {".": {}, "f:name": {}, "f:size": {}}},
        "f:labels": {".": {}, "f:k": {}},
        "f:maps": {".": {}, "f:m": {".": {}, "f:n": {}}},
        "f:selector": {},
        "f:free": {".": {}, "f:x": {".": {}, "f:y": {}}},
    }


@pytest.mark.parametrize(
    ("old", "new", "changed", "removed"),
    [
        ({"type": "a"}, {"type": "b"}, {"f:type": {}}, {}),
        (
            {"labels": {"a": "1"}},
            {"labels": {"b": "1"}},
            {"f:labels": {"f:b": {}}},
            {"f:labels": {"f:a": {}}},
        ),
        ({"list": ["a"]}, {"list": ["a", "b"]}, {"f:list": {}}, {}),
        ({"set": ["a", "b"]}, {"set": ["b", "a"]}, {}, {}),
        ({"set": ["a"]}, {"set": ["b"]}, {"f:set": {'v:"b"': {}}}, {"f:set": {'v:"a"': {}}}),
        (
            {"vols": [{"name": "a", "size": "1"}]},
            {"vols": [{"name": "a", "mode": "rw"}]},
            {"f:vols": {'k:{"name":"a"}': {"f:mode": {}}}},
            {"f:vols": {'k:{"name":"a"}': {"f:size": {}}}},
        ),
        ({"labels": {"a": "1"}}, {}, {}, {"f:labels": {".": {}, "f:a": {}}}),
        ({"labels": {"a": "1"}}, {"labels": {}}, {}, {"f:labels": {"f:a": {}}}),
        ({"labels": None}, {"labels": {"a": "1"}}, {"f:labels": {"f:a": {}}}, {}),
        ({"labels": {}}, {"labels": None}, {"f:labels": {}}, {}),
        ({"selector": {"a": "1"}}, {"selector": {"b": "1"}}, {"f:selector": {}}, {}),
        (
            {"free": {"a": {"b": 1}}},
            {"free": {"a": 1}},
            {"f:free": {"f:a": {}}},
            {"f:free": {"f:a": {"f:b": {}}}},
        ),
        (
            {"free": {"a": [1]}},
            {"free": {"a": {"b": 1}}},
            {"f:free": {"f:a": {".": {}, "f:b": {}}}},
            {},
        ),
    ],
)
def test_compare(old, new, changed, removed):
    """Changes are found leaf by leaf; the order of a set or a map is no change."""
    assert compare(old, new, SPEC) == (changed, removed)


@pytest.mark.parametrize(
    ("live", "config", "merged"),
    [
        ("ab", "c", "abc"),
        ("ab", "cb", "acb"),
        ("ab", "ba", "ba"),
        ("axb", "ba", "xba"),
        ("abc", "xc", "abxc"),
        ("", "ba", "ba"),
        ("ab", "", "ab"),
        ("xay", "ab", "xayb"),
    ],
)
def test_merged_lists(live, config, merged):
    """Elements of the configuration keep its order, the others stay where they were."""
    assert merge({"set": list(live)}, {"set": list(config)}, SPEC) == {"set": list(merged)}
    found = merge(
        {"vols": [{"name": each, "mode": "rw"} for each in live]},
        {"vols": [{"name": each, "size": "1"} for each in config]},
        SPEC,
    )["vols"]
    assert [each["name"] for each in found] == list(merged)
    assert all("mode" in each for each in found if each["name"] in live)
    assert all("size" in each for each in found if each["name"] in config)


def test_merge_of_maps():
    """Granular maps merge, atomic ones are replaced, null leaves a container alone."""
    live = {"labels": {"a": "1"}, "selector": {"a": "1"}, "maps": {"m": {"a": "1"}}, "type": "t"}
    config = {"labels": {"b": "1"}, "selector": {"b": "1"}, "maps": None, "type": None}
    assert merge(live, config, SPEC) == {
        "labels": {"a": "1", "b": "1"},
        "selector": {"b": "1"},
        "maps": {"m": {"a": "1"}},
        "type": None,
    }


def test_remove():
    """A member goes with all below it; an emptied container stays."""
    fields = field_set(
        ("f:type",),
        ("f:set", 'v:"x"'),
        ("f:vols", 'k:{"name":"a"}', "f:size"),
        ("f:maps", "f:m"),
        ("f:list", "i:0"),
    )
    assert remove(VALUE, fields, SPEC) == {
        "list": ["a"],
        "set": [],
        "vols": [{"name": "a"}],
        "labels": {"k": "v"},
        "maps": {},
        "selector": {"a": "b"},
        "free": {"x": {"y": [1]}},
    }
