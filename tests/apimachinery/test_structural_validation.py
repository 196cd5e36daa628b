"""What is wrong with a custom resource is said in kube-apiserver's words."""

import pytest

from support.notebook import judged, notebook

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
