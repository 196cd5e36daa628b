"""Compiling and evaluating: errors in Kubernetes' words, bounds, and what is read."""

import sys
import time

import pytest

from apimachinery.cel.evaluation import ENVIRONMENT, POD, evaluate, type_of
from llmos.apimachinery.cel.cost import EVALUATION_LIMIT
from llmos.apimachinery.cel.errors import CompileError, CostError
from llmos.apimachinery.cel.expression import Budget
from llmos.apimachinery.cel.reads import EACH, take
from llmos.apimachinery.cel.types import (
    BOOL,
    INT,
    STRING,
    list_of,
    map_of,
    object_of,
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("object.spec.nope == 1", "EvaluationError: no such key: nope"),
        ("object.spec.replicas / 0 == 1", "EvaluationError: division by zero"),
        ("object.spec.replicas % 0 == 1", "EvaluationError: modulus by zero"),
        ("object.spec.replicas + 'a' == ''", "EvaluationError: no such overload"),
        ("object.spec.containers[7].name == ''", "EvaluationError: index out of bounds: 7"),
        ("object.spec.replicas.x == ''", "EvaluationError: no such overload"),
        ("int('x') == 1", "EvaluationError: cannot convert string to int"),
        ("other.x == 1", "EvaluationError: no such overload"),
        (
            "nope == 1",
            (
                "CompileError: ERROR: <input>:1:1: undeclared reference to 'nope' "
                "(in container '')\n | nope == 1\n | ^"
            ),
        ),
        (
            "'a' + 1",
            (
                "CompileError: ERROR: <input>:1:5: found no matching overload for '_+_' "
                "applied to '(string, int)'\n | 'a' + 1\n | ....^"
            ),
        ),
    ],
)
def test_errors(source, text):
    """Errors are those of Kubernetes' implementation, without the runtime's own codes."""
    assert evaluate(source) == text


def test_a_result_of_another_type():
    """A condition must be one."""
    with pytest.raises(CompileError, match=r"\Amust evaluate to bool\Z"):
        ENVIRONMENT.compile("1", results=(BOOL,))
    with pytest.raises(CompileError, match=r"\Amust evaluate to one of \[bool string\]\Z"):
        ENVIRONMENT.compile("object.x", results=(BOOL, STRING))


@pytest.mark.parametrize("source", ["x" * 20_001, "'a\0b' == ''", "(" * 500 + "1" + ")" * 500])
def test_sources_that_are_no_expressions(source):
    """Expressions are not too long, not too deep, and text."""
    with pytest.raises(CompileError):
        ENVIRONMENT.compile(source)


SELF = object_of(
    "Object",
    lambda: {
        "spec": object_of(
            "Object.spec",
            lambda: {
                "n": INT,
                "name": STRING,
                "items": list_of(object_of("Item", lambda: {"name": STRING})),
                "labels": map_of(STRING),
            },
        )
    },
)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (
            "object.spec.n == 'x'",
            ("1:15: found no matching overload for '_==_' applied to '(int, string)'"),
        ),
        ("object.nope", "1:7: undefined field 'nope'"),
        ("has(object.spec.nope)", "1:4: undefined field 'nope'"),
        ("object.?nope", "1:7: undefined field 'nope'"),
        ("object.?spec.?nope", "1:13: undefined field 'nope'"),
        ("object.spec.items.all(i, i.nope == 1)", "1:27: undefined field 'nope'"),
        ("object.spec.items.all(i, v, v.nope == i)", "1:30: undefined field 'nope'"),
        ("object.spec.items.filter(i, true)[0].nope", "1:37: undefined field 'nope'"),
        (
            "object.spec.items.map(i, i.name) == [1]",
            ("1:34: found no matching overload for '_==_' applied to '(list(string), list(int))'"),
        ),
        (
            "object.spec.labels.all(k, k == 1)",
            ("1:29: found no matching overload for '_==_' applied to '(string, int)'"),
        ),
        (
            "object.spec.labels['a'] == 1",
            ("1:25: found no matching overload for '_==_' applied to '(string, int)'"),
        ),
        (
            "object.spec.labels[1] == ''",
            ("1:19: found no matching overload for '_[_]' applied to '(map(string, string), int)'"),
        ),
        (
            "object.spec.n.startsWith('x')",
            ("1:25: found no matching overload for 'startsWith' applied to 'int.(string)'"),
        ),
        (
            "object.spec == 'x'",
            ("1:13: found no matching overload for '_==_' applied to '(Object.spec, string)'"),
        ),
        (
            "size(object.spec)",
            ("1:5: found no matching overload for 'size' applied to '(Object.spec)'"),
        ),
        (
            "object.spec.name.all(x, true)",
            (
                "1:12: expression of type 'string' cannot be range of a "
                "comprehension (must be list, map, or dynamic)"
            ),
        ),
        ("object.spec.name.x", "1:17: type 'string' does not support field selection"),
        (
            "object.spec.name ? 1 : 2",
            ("1:18: found no matching overload for '_?_:_' applied to '(string, int, int)'"),
        ),
        (
            "quantity('1') == 'a'",
            (
                "1:15: found no matching overload for '_==_' applied to "
                "'(kubernetes.Quantity, string)'"
            ),
        ),
        (
            "ip('::1').startsWith(':')",
            ("1:21: found no matching overload for 'startsWith' applied to 'net.IP.(string)'"),
        ),
        (
            "object.spec.items.isSorted()",
            ("1:27: found no matching overload for 'isSorted' applied to 'list(Item).()'"),
        ),
    ],
)
def test_wrong_types(source, found):
    """Where a schema is known its fields and types are checked, at the place of the error."""
    place, _, text = found.partition(" ")
    column = int(place.rstrip(":").split(":")[1])
    expected = f"ERROR: <input>:{place} {text}\n | {source}\n | {'.' * (column - 1)}^"
    assert type_of(source, object=SELF) == expected


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("object.spec.items.map(i, i.name)", "list(string)"),
        ("object.spec.items.filter(i, i.name == 'x')[0].name", "string"),
        ("object.?spec.?name.orValue('x')", "string"),
        ("object.spec.items[?0]", "optional_type(Item)"),
        ("object.spec.n > 1.5", "bool"),
        ("object.spec.name == null", "bool"),
        ("object.spec.items == object.spec.items", "bool"),
        ("object.spec.items + object.spec.items", "list(Item)"),
        ("object.spec.n > 1 ? object.spec : object.spec", "Object.spec"),
        ("object.spec.labels.transformMap(k, v, v.size())", "map(string, int)"),
        ("dyn(object.spec.name) == 1", "bool"),
        ("type(object.spec.n) == int", "bool"),
        ("string(ip(object.spec.name))", "string"),
        ("quantity(object.spec.name).add(1).asInteger()", "int"),
        ("object.spec.name in object.spec.labels", "bool"),
        ("object.spec.labels.exists_one(k, k == 'a')", "bool"),
        ("[]", "list(_)"),
        ("other.anything[3].goes", "dyn"),
    ],
)
def test_right_types(source, kind):
    """What is right is not refused."""
    assert type_of(source, object=SELF) == kind


def test_errors_in_the_second_line():
    """The place is one of the line."""
    assert type_of("true &&\n  object.nope", object=SELF) == (
        "ERROR: <input>:2:9: undefined field 'nope'\n |   object.nope\n | ........^"
    )


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("object.metadata.name == 'x'", {"object": {"metadata": {"name": None}}}),
        (
            "object.metadata.labels['app'] == ''",
            {"object": {"metadata": {"labels": {"app": None}}}},
        ),
        ("object.?a[?'b'].hasValue()", {"object": {"a": {"b": None}}}),
        ("has(object.a.b)", {"object": {"a": {"b": {}}}}),
        ("object == null", {"object": {}}),
        ("null != other && object == other", {"object": None, "other": None}),
        ("object.a.all(x, x.b > 1)", {"object": {"a": {EACH: {"b": None}}}}),
        ("object.a.map(x, x.b.map(y, y.c))", {"object": {"a": {EACH: {"b": {EACH: {"c": None}}}}}}),
        ("object.a.all(x, x > 1)", {"object": {"a": {EACH: None}}}),
        ("object.a.all(i, x, x.b > i)", {"object": {"a": {EACH: {"b": None}}}}),
        ("object.a[0].b == 1", {"object": {"a": None}}),
        ("has(object.a) && object.a.b == 1", {"object": {"a": {"b": None}}}),
        ("object.a.b == 1 && object.a == {}", {"object": {"a": None}}),
        ("[1].all(object, object > 0)", {}),
    ],
)
def test_reads(source, wanted):
    """No more is handed over than an expression reads."""
    assert ENVIRONMENT.reads([ENVIRONMENT.compile(source)]) == wanted


def test_take():
    """A cut-out has the same shape, and nothing else in it."""
    wanted = {"spec": {"containers": {EACH: {"name": None}}, "none": None}, "metadata": {}}
    assert take(POD, wanted) == {
        "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
        "metadata": {},
    }
    assert take({"a": {"x": 1}}, {"a": {EACH: {"b": None}}}) == {"a": {"x": 1}}
    assert take({"a": [1]}, {"a": {}}) == {"a": []}


BIG = {
    "items": [{"name": f"n{index}", "value": index} for index in range(5000)],
    "numbers": list(range(3000)),
    "names": [f"name-{index}" for index in range(200)],
    "text": "a" * 1_000_000,
}


@pytest.mark.parametrize(
    "source",
    [
        "object.items.all(i, i.value >= 0)",
        "object.items.exists(i, i.name == 'n4999')",
        "object.text.contains('b')",
        "object.names.all(n, n.matches('^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$'))",
        "object.text.matches('^a+$')",
        "object.text.size() > 3",
    ],
)
def test_large_objects_are_judged(source):
    """What looks at each element of something large once is no trouble."""
    assert evaluate(source, {"object": BIG}) in (True, False)


@pytest.mark.parametrize(
    "source",
    [
        "object.numbers.map(n, n + 1).size() > 0",
        "object.numbers.all(a, object.numbers.all(b, a + b >= 0))",
        "object.numbers.all(a, object.text.contains('b') || a >= 0)",
        "object.numbers.all(a, object.numbers.indexOf(a) >= 0)",
        "sets.contains(object.numbers, object.numbers)",
        "object.text.replace('a', object.text).size() > 0",
        "object.text.matches(object.text)",
        "object.text.findAll('a').size() > 0",
        "object.items.all(i, i.name.matches('a{1000}'))",
        "object.items.all(i, i.name.matches('\\\\p{L}+'))",
        "object.items.all(i, i.name.matches('(x{100}' + 'y{10}){10}'))",
        (
            "[object.text].map(a, a + a).map(b, b + b).map(c, c + c).map(d, d + d).map(e, e + e)"
            ".map(f, f + f).map(g, g + g).map(h, h + h)[0].size() > 0"
        ),
        "object.text.split('').size() > 0",
    ],
)
def test_what_would_take_too_long(source):
    """It is refused before it begins."""
    text = "CostError: operation cancelled: actual cost limit exceeded"
    assert evaluate(source, {"object": BIG}) == text


def test_a_budget_runs_out():
    """Many cheap evaluations together may be too many."""
    expression = ENVIRONMENT.compile("object.items.all(i, i.value >= 0)")
    wanted = ENVIRONMENT.reads([expression])
    budget = Budget()
    inputs = ENVIRONMENT.inputs({"object": BIG}, wanted, budget)
    cost = expression.cost(inputs.size)
    assert 10_000 < cost < EVALUATION_LIMIT
    for _ in range(int(budget.left / cost)):
        assert expression.evaluate(inputs, budget)
    with pytest.raises(CostError):
        expression.evaluate(inputs, budget)


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"])
def test_texts_that_the_runtime_cannot_take(bad):
    """Nothing is cut off, and nothing ends the server."""
    assert evaluate("object.size()", {"object": bad}) == 3
    assert evaluate("object['k'].endsWith('b')", {"object": {"k": bad}}) is True


@pytest.mark.parametrize("source", ["other", "[other, other]", "[other].indexOf(other)"])
def test_null_stays(source):
    """A null that Python gets from the runtime does not take one of Python's own away."""
    before = sys.getrefcount(None)
    for _ in range(3000):
        evaluate(source)
    after = sys.getrefcount(None)
    assert after > 1 << 30 or abs(after - before) < 1000


def test_speed():
    """A compiled rule is evaluated in microseconds, whatever else is in the object."""
    expression = ENVIRONMENT.compile("object.metadata.name == 'x' && object.spec.replicas <= 5")
    wanted = ENVIRONMENT.reads([expression])
    values = {"object": {**POD, "data": BIG}}

    def once() -> float:
        begin = time.perf_counter()
        for _ in range(100):
            budget = Budget()
            expression.evaluate(ENVIRONMENT.inputs(values, wanted, budget), budget)
        return (time.perf_counter() - begin) / 100

    assert min(once() for _ in range(5)) < 50e-6
