"""Rules of custom resources: when they are asked, of what, and what they say."""

import pytest

from llmos.apimachinery.cel.rule_errors import rule_errors
from llmos.apimachinery.cel.rules import compile_rules
from llmos.apimachinery.object import copy_object


def schema(*rules, resource=(), **properties):
    """A resource's schema with rules on its spec, and perhaps on itself."""
    spec = {"type": "object", "properties": properties, "x-kubernetes-validations": list(rules)}
    return {
        "type": "object",
        "properties": {"spec": spec},
        "x-kubernetes-validations": list(resource),
    }


def rule(source, **more):
    return {"rule": source, **more}


def named(**spec):
    return {"apiVersion": "v1", "kind": "K", "metadata": {"name": "x"}, "spec": spec}


def said(node, obj, old=None, warnings=None):
    told = [] if warnings is None else warnings
    return [str(each) for each in compile_rules(node)(obj, old, told)]


def on_create(node, **spec):
    return said(node, named(**spec))


def on_update(node, old, new, warnings=None):
    return said(node, named(**new), named(**old), warnings)


INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
LOW_HIGH = {"low": INTEGER, "high": INTEGER}


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({}, 'spec: Invalid value: "object": failed rule: self.low <= self.high'),
        ({"message": "upside down"}, 'spec: Invalid value: "object": upside down'),
        ({"messageExpression": "string(self.low) + '!'"}, 'spec: Invalid value: "object": 5!'),
        ({"messageExpression": "'a\\nb'", "message": "m"}, 'spec: Invalid value: "object": m'),
        (
            {"messageExpression": "string(1 / 0)", "message": "m"},
            'spec: Invalid value: "object": m',
        ),
        ({"reason": "FieldValueForbidden", "message": "m"}, "spec: Forbidden: m"),
        ({"reason": "FieldValueRequired", "message": "m"}, "spec: Required value: m"),
        ({"reason": "FieldValueDuplicate"}, 'spec: Duplicate value: "object"'),
        ({"fieldPath": ".low", "message": "m"}, 'spec.low: Invalid value: "object": m'),
    ],
)
def test_what_is_said(more, error):
    """The error's text, reason and place are the rule's."""
    node = schema(rule("self.low <= self.high", **more), **LOW_HIGH)
    assert on_create(node, low=1, high=5) == []
    assert on_create(node, low=5, high=1) == [error]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("self.low < 3", "no such key: low evaluating rule: self.low < 3"),
        (
            "self.any + 'a' == 'b'",
            (
                "'no such overload': call arguments did not match a supported "
                "operator, function or macro signature for rule: self.any + 'a' == 'b'"
            ),
        ),
        ("1 / (self.high - 1) == 1", "division by zero evaluating rule: 1 / (self.high - 1) == 1"),
    ],
)
def test_rules_without_a_value(source, text):
    """A rule that cannot be evaluated does not hold."""
    free = {"x-kubernetes-int-or-string": True}
    node = schema(rule(source), any=free, **LOW_HIGH)
    assert on_create(node, high=1, any=1) == [f'spec: Invalid value: "object": {text}']


def test_every_place():
    """Rules stand at every level, and are asked of values that are there and not null."""
    short = {**TEXT, "x-kubernetes-validations": [rule("self.size() < 3", message="long")]}
    node = schema(
        resource=[rule("self.metadata.name == 'x' && self.kind == 'K'")],
        text={**short, "nullable": True},
        list={"type": "array", "items": short},
        map={"type": "object", "additionalProperties": short},
        deep={"type": "object", "properties": {"er": short}},
    )
    assert on_create(node) == []
    spec = {"text": "abc", "list": ["a", "abc"], "map": {"k": "abc"}, "deep": {"er": "abc"}}
    places = ["spec.text", "spec.list[1]", "spec.map[k]", "spec.deep.er"]
    assert on_create(node, **spec) == [f'{each}: Invalid value: "abc": long' for each in places]
    assert on_create(node, text=None) == []
    other = {**named(), "metadata": {"name": "y"}}
    (error,) = said(node, other)
    assert error.startswith('<nil>: Invalid value: "object": failed rule: self.metadata.name')


def test_transitions():
    """Rules with ``oldSelf`` are asked on update alone, of values that were there before."""
    fixed = {**TEXT, "x-kubernetes-validations": [rule("self == oldSelf", message="fixed")]}
    node = schema(rule("self.low < 9"), id=fixed, **LOW_HIGH)
    assert on_create(node, id="a", low=1) == []
    assert on_update(node, {"low": 1}, {"id": "b", "low": 1}) == []
    assert on_update(node, {"id": "a"}, {"id": "a", "low": 1}) == []
    errors = on_update(node, {"id": "a"}, {"id": "b", "low": 10})
    assert errors == [
        'spec: Invalid value: "object": failed rule: self.low < 9',
        'spec.id: Invalid value: "b": fixed',
    ]


def test_elements_keep_their_identity():
    """An element of a map-like list is compared with the one that had its keys."""
    size = {"name": TEXT, "size": INTEGER}
    grows = [rule("self.size >= oldSelf.size", message="shrinks")]
    items = {"type": "object", "properties": size, "x-kubernetes-validations": grows}
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    node = schema(disks={"type": "array", "items": items, **keyed})
    old = {"disks": [{"name": "a", "size": 1}, {"name": "b", "size": 5}]}
    moved = {"disks": [{"name": "b", "size": 5}, {"name": "c", "size": 0}]}
    assert on_update(node, old, moved) == []
    smaller = {"disks": [{"name": "b", "size": 4}]}
    assert on_update(node, old, smaller) == ['spec.disks[0]: Invalid value: "object": shrinks']


def test_optional_old_self():
    """With ``optionalOldSelf`` a rule is asked on create too, and told whether there was one."""
    rules = [
        rule("oldSelf.hasValue() || self == 'new'", optionalOldSelf=True, message="begins"),
        rule(
            "!oldSelf.hasValue() || oldSelf.value() != 'old'", optionalOldSelf=True, message="ends"
        ),
        rule("oldSelf.orValue('new') != 'none'", optionalOldSelf=True),
    ]
    node = schema(phase={**TEXT, "x-kubernetes-validations": rules})
    assert on_create(node, phase="new") == []
    assert on_create(node, phase="run") == ['spec.phase: Invalid value: "run": begins']
    assert on_update(node, {"phase": "new"}, {"phase": "run"}) == []
    assert on_update(node, {"phase": "old"}, {"phase": "run"}) == [
        'spec.phase: Invalid value: "run": ends'
    ]
    assert on_update(node, {}, {"phase": "run"}) == ['spec.phase: Invalid value: "run": begins']


TIME, LENGTH = {**TEXT, "format": "date-time"}, {**TEXT, "format": "duration"}


@pytest.mark.parametrize(
    ("source", "spec", "holds"),
    [
        (
            "self.created + self.ttl < self.expired",
            {"created": "2026-01-01T00:00:00Z", "ttl": "1h30m", "expired": "2026-01-01T02:00:00Z"},
            True,
        ),
        (
            "self.created + self.ttl < self.expired",
            {
                "created": "2026-01-01T00:00:00Z",
                "ttl": "1h30m",
                "expired": "2026-01-01T02:00:00+01:00",
            },
            False,
        ),
        ("self.day.getFullYear() == 2026", {"day": "2026-05-05"}, True),
        ("self.bytes == b'a\\x00c'", {"bytes": "YQBj"}, True),
        (
            "self.times.all(t, t > timestamp('2026-01-01T00:00:00Z'))",
            {"times": ["2026-05-05T00:00:00Z"]},
            True,
        ),
        ("self.lengths.all(k, v, v < duration('1h'))", {"lengths": {"a": "5m", "b": "2h"}}, False),
        ("self.lengths['a'] < duration('1h')", {"lengths": {"a": "5m"}}, True),
        (
            "self.?created.orValue(timestamp('2026-01-01T00:00:00Z')).getFullYear() == 2026",
            {},
            True,
        ),
        ("self.ratio * 2.0 == 3.0", {"ratio": 1.5}, True),
        ("self.ratio * 2.0 == 4.0", {"ratio": 2}, True),
        ("type(self.any) == string ? self.any == '99%' : self.any == 42", {"any": 42}, True),
        ("self.__namespace__ == 'x'", {"namespace": "x"}, True),
        (
            "[self.foo__dash__bar, self.a__underscores__b, self.x__dot__y__slash__z] == [1, 2, 3]",
            {"foo-bar": 1, "a__b": 2, "x.y/z": 3},
            True,
        ),
    ],
)
def test_values(source, spec, holds):
    """Values have the types that their schema says, and names that an expression can spell."""
    node = schema(
        rule(source),
        created=TIME,
        expired=TIME,
        ttl=LENGTH,
        day={**TEXT, "format": "date"},
        bytes={**TEXT, "format": "byte"},
        times={"type": "array", "items": TIME},
        lengths={"type": "object", "additionalProperties": LENGTH},
        ratio={"type": "number"},
        any={"x-kubernetes-int-or-string": True},
        **{"namespace": TEXT, "foo-bar": INTEGER, "a__b": INTEGER, "x.y/z": INTEGER},
    )
    assert list(rule_errors(node, "f")) == []
    kept = copy_object(spec)
    assert (on_create(node, **spec) == []) == holds
    assert spec == kept


SET = {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT}
KEYED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {"type": "object", "properties": {"name": TEXT, "v": INTEGER, "in": SET}},
}


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("self.s1 == self.s2", True),
        ("self.s1 != self.s2", False),
        ("self.a1 == self.a2", False),
        ("self.s1 == ['b', 'a']", True),
        ("['b', 'a'] == self.s1", False),
        ("self.s1 == self.a2", True),
        ("self.a2 == self.s1", False),
        ("self.s1 == ['a', 'b', 'a']", False),
        ("self.s1 == ['a']", False),
        ("(self.s1 + ['b', 'c']) == ['c', 'b', 'a']", True),
        ("(self.s1 + ['b', 'c']).size() == 3", True),
        ("(self.s1 + ['b', 'c'])[2] == 'c'", True),
        ("(self.a1 + ['b']).size() == 3", True),
        ("self.s1 in [self.s2]", True),
        ("self.a1 in [self.a2]", False),
        ("[self.s1] == [self.s2]", True),
        ("self.s1[0] == 'a' && self.s2[0] == 'b'", True),
        ("dyn(self.s1) == self.s2", True),
        ("self.s1.map(x, x) == self.s2", False),
        ("self.?s1.value() == self.s2", True),
        ("self.map == {'k': self.s2}", True),
        ("self.map['k'] == self.s2", True),
        ("self.t1 == self.t2", False),
    ],
)
def test_sets_have_no_order(source, holds):
    """As measured on a kube-apiserver: what stands on the left says how it is compared."""
    plain = {"type": "array", "items": TEXT}
    times = {**SET, "items": TIME}
    spec = {"s1": ["a", "b"], "s2": ["b", "a"], "a1": ["a", "b"], "a2": ["b", "a"]}
    spec |= {"map": {"k": ["a", "b"]}}
    spec |= {"t1": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]}
    spec |= {"t2": spec["t1"][::-1]}
    node = schema(
        rule(source),
        s1=SET,
        s2=SET,
        a1=plain,
        a2=plain,
        map={"type": "object", "additionalProperties": SET},
        t1=times,
        t2=times,
    )
    assert list(rule_errors(node, "f")) == []
    assert (on_create(node, **spec) == []) == holds


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("self.keyed == oldSelf.keyed", True),
        ("self == oldSelf", True),
        ("(self.keyed + oldSelf.keyed).size() == 2", True),
        ("(self.keyed + oldSelf.keyed) == self.keyed", True),
        ("self.keyed[0] == oldSelf.keyed[0]", False),
        ("self.keyed[0] == oldSelf.keyed[1]", True),
    ],
)
def test_lists_with_keys_have_no_order(source, holds):
    """Nor have the sets in their elements, and the objects that they are in."""
    node = schema(rule(source), keyed=KEYED)
    one, other = {"name": "a", "v": 1, "in": ["x", "y"]}, {"name": "b", "v": 2}
    turned = {**one, "in": ["y", "x"]}
    errors = on_update(node, {"keyed": [other, turned]}, {"keyed": [one, other]})
    assert (errors == []) == holds


def test_a_later_element_takes_the_place_of_its_like():
    """In a sum of lists with keys."""
    node = schema(rule("(self.keyed + oldSelf.keyed)[0].v == 1"), keyed=KEYED)
    old, new = {"name": "a", "v": 1}, {"name": "a", "v": 2}
    assert on_update(node, {"keyed": [old]}, {"keyed": [new]}) == []


def test_the_budget_of_an_object():
    """A rule that would take too long ends the judgement of the object."""
    numbers = {"type": "array", "items": INTEGER}
    node = schema(rule("self.n.all(a, self.n.all(b, a != b || a == b))"), rule("false"), n=numbers)
    assert on_create(node, n=list(range(5000))) == [
        (
            'spec: Invalid value: "": validation failed due to running out of cost budget, '
            "no further validation rules will be run"
        )
    ]


def test_a_stored_rule_that_does_not_compile():
    """It refuses everything, rather than nothing."""
    (error,) = on_create(schema(rule("self.nope"), **LOW_HIGH))
    assert error.startswith('spec: Invalid value: "object": rule compile error: ERROR: <input>:1:5')


def errors(*rules, **properties):
    found = rule_errors(schema(*rules, **properties), "f")
    return [str(each).replace("f.properties[spec].x-kubernetes-validations", "") for each in found]


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (rule(" "), "[0].rule: Required value: rule is not specified"),
        (
            rule("self.low"),
            ('[0].rule: Invalid value: "self.low": cel expression must evaluate to a bool'),
        ),
        (
            rule("self.x == 1"),
            (
                '[0].rule: Invalid value: "self.x == 1": compilation failed: ERROR: '
                "<input>:1:5: undefined field 'x'\n | self.x == 1\n | ....^"
            ),
        ),
        (
            rule("self.free.x == 1"),
            (
                '[0].rule: Invalid value: "self.free.x == 1": compilation '
                "failed: ERROR: <input>:1:10: undefined field 'x'\n | self.free.x == 1\n "
                "| .........^"
            ),
        ),
        (
            rule("true", messageExpression="1"),
            (
                '[0].messageExpression: Invalid value: "1": '
                "messageExpression must evaluate to a string"
            ),
        ),
        (
            rule("true", messageExpression="self.x"),
            (
                "[0].messageExpression: Invalid value: "
                '"self.x": messageExpression compilation failed: ERROR: <input>:1:5: undefined '
                "field "
                "'x'\n | self.x\n | ....^"
            ),
        ),
        (
            rule("true", message=" "),
            ('[0].message: Invalid value: " ": message must be non-empty if specified'),
        ),
        (
            rule("true", message="a\nb"),
            ('[0].message: Invalid value: "a\\nb": message must not contain line breaks'),
        ),
        (
            rule("true\n|| true"),
            ("[0].message: Required value: message must be specified if rule contains line breaks"),
        ),
        (
            rule("true", message="x" * 3000),
            (
                '[0].message: Invalid value: "xxxxxxxxxx...": message '
                "must have a maximum length of 2048 characters"
            ),
        ),
        (
            rule("true", reason="Odd"),
            (
                '[0].reason: Unsupported value: "Odd": supported values: '
                '"FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", '
                '"FieldValueDuplicate"'
            ),
        ),
        (
            rule("true", fieldPath=".nope"),
            (
                '[0].fieldPath: Invalid value: ".nope": fieldPath must '
                "be a valid path: does not refer to a valid field"
            ),
        ),
        (
            rule("true", fieldPath="low"),
            (
                '[0].fieldPath: Invalid value: "low": fieldPath must be a '
                "valid path: expected [ or . but got: low"
            ),
        ),
        (
            rule("true", optionalOldSelf=True),
            (
                "[0].optionalOldSelf: Invalid value: true: may not be "
                "set to true when oldSelf is not used in the rule"
            ),
        ),
    ],
    ids=str,
)
def test_wrong_rules(made, error):
    """A definition with a wrong rule is refused with the place and the reason."""
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    assert errors(made, free=free, **LOW_HIGH) == [error]


def test_right_rules():
    """These are right."""
    labels = {"type": "object", "additionalProperties": TEXT}
    assert (
        errors(
            rule("self.low < 3", fieldPath=".labels['a.b']", reason="FieldValueForbidden"),
            rule("has(self.low) ? self == oldSelf : true"),
            rule("oldSelf.orValue(self) == self", optionalOldSelf=True),
            rule("true\n|| true", message="m"),
            labels=labels,
            **LOW_HIGH,
        )
        == []
    )


@pytest.mark.parametrize("kind", ["set", "atomic", None])
def test_transitions_where_nothing_is_kept(kind):
    """Elements of other lists have no former selves, so that rules cannot speak of them."""
    fixed = {**TEXT, "x-kubernetes-validations": [rule("self == oldSelf")]}
    node = {"type": "array", "items": fixed}
    if kind:
        node["x-kubernetes-list-type"] = kind
    where = "f.properties[spec].properties[list]"
    assert errors(list=node) == [
        (
            f'{where}.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": '
            f"oldSelf cannot be used on the uncorrelatable portion of the schema within {where}"
        )
    ]
