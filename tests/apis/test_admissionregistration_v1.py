"""Validating admission policies and their bindings, as Kubernetes takes them."""

import pytest

from support.builtin import columns, create, texts

ADMISSION = "admissionregistration.k8s.io/v1"


def obj(kind: str, **fields: object) -> dict:
    return {"apiVersion": ADMISSION, "kind": kind, "metadata": {"name": "x"}, **fields}


def created(thing: dict) -> dict:
    stored, errors = create(thing)
    assert texts(errors) == []
    return stored


MATCH = {
    "resourceRules": [
        {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["pods"],
        }
    ]
}


def policy(**spec: object) -> dict:
    whole = {"matchConstraints": MATCH, "validations": [{"expression": "true"}], **spec}
    return obj("ValidatingAdmissionPolicy", spec=whole)


def policy_binding(**spec: object) -> dict:
    whole = {"policyName": "p", "validationActions": ["Deny"], **spec}
    return obj("ValidatingAdmissionPolicyBinding", spec=whole)


def test_policies_are_defaulted_and_printed() -> None:
    """A policy fails closed and matches equivalents, unless it says otherwise."""
    stored = created(policy(paramKind={"apiVersion": "v1", "kind": "ConfigMap"}))
    spec = stored["spec"]
    assert spec["failurePolicy"] == "Fail"
    assert spec["matchConstraints"]["matchPolicy"] == "Equivalent"
    assert spec["matchConstraints"]["namespaceSelector"] == {}
    assert spec["matchConstraints"]["resourceRules"][0]["scope"] == "*"
    assert columns(stored) == {
        "Name": "x",
        "Validations": 1,
        "ParamKind": "v1/ConfigMap",
        "Age": "5s",
    }
    shown = columns(created(policy_binding()))
    assert shown == {"Name": "x", "PolicyName": "p", "ParamRef": "<unset>", "Age": "5s"}


POLICY_ERRORS = {
    "no match": (
        policy(matchConstraints=None),
        ["spec.matchConstraints: Required value"],
    ),
    "no rules": (
        policy(matchConstraints={}),
        ["spec.matchConstraints.resourceRules: Required value"],
    ),
    "nothing to say": (
        policy(validations=[]),
        [
            (
                "spec.validations: Required value: validations or auditAnnotations must contain at "
                "least one item"
            )
        ],
    ),
    "no expression": (
        policy(validations=[{"expression": " "}]),
        ["spec.validations[0].expression: Required value: expression is not specified"],
    ),
    "name twice": (
        policy(
            variables=[
                {"name": "a", "expression": "1"},
                {"name": "a", "expression": "2"},
            ]
        ),
        ['spec.variables[1].name: Duplicate value: "a"'],
    ),
    "no identifier": (
        policy(
            variables=[
                {"name": "namespace", "expression": "1"},
                {"name": "a-b", "expression": "2"},
            ]
        ),
        [
            f'spec.variables[{index}].name: Invalid value: "{name}": must be a valid CEL identifier'
            for index, name in enumerate(("namespace", "a-b"))
        ],
    ),
    "failure policy": (
        policy(failurePolicy="Maybe"),
        ['spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"'],
    ),
    "no policy": (policy_binding(policyName=""), ["spec.policyName: Required value"]),
    "no action": (
        policy_binding(validationActions=[]),
        ["spec.validationActions: Required value: at least one validation action is required"],
    ),
    "action twice": (
        policy_binding(validationActions=["Deny", "Deny"]),
        ['spec.validationActions[1]: Duplicate value: "Deny"'],
    ),
    "parameter": (
        policy_binding(paramRef={"parameterNotFoundAction": "Deny"}),
        ["spec.paramRef: Required value: one of name or selector must be specified"],
    ),
}


@pytest.mark.parametrize("case", POLICY_ERRORS)
def test_policy_errors(case: str) -> None:
    """What a policy or its binding needs is there."""
    thing, expected = POLICY_ERRORS[case]
    assert texts(create(thing)[1]) == expected
