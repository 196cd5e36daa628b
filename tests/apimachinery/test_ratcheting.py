"""What was wrong before and did not change is let be, as kube-apiserver does (KEP-4008)."""

import pytest

from llmos.apimachinery.cel.rules import compile_rules
from llmos.apimachinery.ratcheting import deep_equal
from llmos.apimachinery.structural import compile_validator

LARGE = {"type": "integer", "minimum": 5}
KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
ITEM = {"type": "object", "required": ["name"], "properties": {"name": {}, "v": LARGE}}
NODE = {
    "type": "object",
    "properties": {
        "n": LARGE,
        "s": {"type": "string", "maxLength": 2},
        "map": {"type": "object", "maxProperties": 1, "additionalProperties": LARGE},
        "keyed": {"type": "array", "maxItems": 1, "items": ITEM, **KEYED},
        "list": {"type": "array", "items": {"type": "object", "properties": {"v": LARGE}}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "o": {"type": "object", "required": ["c"], "properties": {"a": LARGE, "b": {}, "c": {}}},
        "any": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "anyOf": [{"properties": {"a": LARGE}}, {"properties": {"b": LARGE}}],
        },
        "atomic": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": LARGE}},
        "emb": {"type": "object", "x-kubernetes-embedded-resource": True},
    },
}


def wrong(old, new):
    """The fields of what is said of an update."""
    return sorted(each.field for each in compile_validator(NODE)(new, (), old))


A, B = {"name": "a", "v": 1}, {"name": "b", "v": 1}


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ({"n": 1}, {"n": 1, "s": "ok"}, []),
        ({"n": 1}, {"n": 2}, ["n"]),
        ({"n": 9}, {"n": 9, "s": "long"}, ["s"]),
        ({"n": 1}, {"n": True}, ["n"]),
        ({"map": {"k": 1, "l": 1}}, {"map": {"k": 1, "l": 1}, "n": 9}, []),
        ({"map": {"k": 1, "l": 1}}, {"map": {"k": 1}}, []),
        ({"map": {"k": 1, "l": 1}}, {"map": {"k": 1, "m": 9}}, ["map"]),
        ({"map": {"k": 1}}, {"map": {"k": 2}}, ["map.k"]),
        ({"keyed": [A, B]}, {"keyed": [B, A]}, []),
        ({"keyed": [A, B]}, {"keyed": [B]}, []),
        ({"keyed": [A]}, {"keyed": [{"name": "a", "v": 2}]}, ["keyed[0].v"]),
        ({"keyed": [A]}, {"keyed": [{"name": "c", "v": 1}]}, ["keyed[0].v"]),
        ({"list": [{"v": 1}]}, {"list": [{"v": 1}], "n": 9}, []),
        ({"list": [{"v": 1}]}, {"list": [{"v": 1}, {"v": 9}]}, ["list[0].v"]),
        ({"set": ["a", "a"]}, {"set": ["a", "a", "b", "b"]}, []),
        ({"set": ["a"]}, {"set": ["a", "a"]}, ["set[1]"]),
        ({"o": {"a": 1}}, {"o": {"a": 1}, "n": 9}, []),
        ({"o": {"a": 1}}, {"o": {"a": 1, "b": 1}}, ["o.c"]),
        ({"o": {"a": 1}}, {"o": {"a": 1, "c": 1}}, []),
        ({"any": {"a": 1, "b": 1}}, {"any": {"a": 1, "b": 1}, "n": 9}, []),
        ({"any": {"a": 1, "b": 1}}, {"any": {"a": 1, "b": 2}}, ["<nil>", "any.a"]),
        ({"atomic": {"a": 1}}, {"atomic": {"a": 1, "b": 2}}, []),
        ({"emb": {"kind": "X"}}, {"emb": {"kind": "X"}, "n": 9}, ["emb.apiVersion"]),
    ],
)
def test_updates(old, new, fields):
    """Measured on a kube-apiserver, case by case."""
    assert wrong(old, new) == fields


def test_a_new_object_has_to_be_right():
    """Nothing is let be that was never there."""
    found = compile_validator(NODE)({"n": 1, "set": ["a", "a"]})
    assert sorted(each.field for each in found) == ["n", "set[1]"]


@pytest.mark.parametrize(
    ("node", "one", "other", "equal"),
    [
        ({}, {"a": [1, 2]}, {"a": [1, 2]}, True),
        ({}, [1, 2], [2, 1], False),
        ({}, 1, 1.0, False),
        ({}, 1, True, False),
        ({}, {"a": 1}, {"a": 1, "b": 2}, False),
        ({"items": ITEM, **KEYED}, [A, B], [B, A], True),
        ({"items": ITEM, **KEYED}, [A, B], [B], False),
        ({"items": ITEM, **KEYED}, [A, B], [B, {"name": "c"}], False),
        ({"properties": {"k": {"items": ITEM, **KEYED}}}, {"k": [A, B]}, {"k": [B, A]}, True),
        ({"additionalProperties": {"items": ITEM, **KEYED}}, {"k": [A, B]}, {"k": [B, A]}, True),
        ({"items": ITEM, **KEYED}, [A], "a", False),
    ],
)
def test_what_is_the_same(node, one, other, equal):
    """The order of a list counts, unless its elements have keys."""
    assert deep_equal(node, one, other) is equal


def rule(text):
    """A value of which a rule says something."""
    said = [{"rule": "self > 5", "message": text}]
    return {"type": "integer", "x-kubernetes-validations": said}


PAIR = {
    "type": "object",
    "properties": {"x": rule("small"), "y": {"type": "integer"}},
    "x-kubernetes-validations": [{"rule": "self.x > self.y", "message": "less"}],
}
RULES = {
    "type": "object",
    "properties": {
        "n": rule("small"),
        "pair": PAIR,
        "list": {"type": "array", "items": rule("small")},
        "keyed": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "v": rule("low")},
            },
            **KEYED,
        },
        "grows": {
            "type": "integer",
            "x-kubernetes-validations": [{"rule": "self > oldSelf", "message": "must grow"}],
        },
    },
}


@pytest.mark.parametrize(
    ("old", "new", "errors", "warnings"),
    [
        ({"n": 1}, {"n": 1}, [], ["n: Invalid value: 1: small"]),
        ({"n": 1}, {"n": 2}, ["n"], []),
        ({}, {"n": 1}, ["n"], []),
        (
            {"pair": {"x": 1, "y": 2}},
            {"pair": {"x": 1, "y": 3}},
            ["pair"],
            ["pair.x: Invalid value: 1: small"],
        ),
        ({"list": [1]}, {"list": [1]}, [], ["list[0]: Invalid value: 1: small"]),
        ({"list": [1]}, {"list": [1, 9]}, ["list[0]"], []),
        (
            {"keyed": [A, B]},
            {"keyed": [B, {"name": "a", "v": 2}]},
            ["keyed[1].v"],
            ["keyed[0].v: Invalid value: 1: low"],
        ),
        ({"grows": 1}, {"grows": 1}, ["grows"], []),
    ],
)
def test_rules_warn_of_what_did_not_change(old, new, errors, warnings):
    """But for rules about changes, which are about just that."""
    told = []
    found = compile_rules(RULES)(new, old, told)
    assert [each.field for each in found] == errors
    assert told == warnings
