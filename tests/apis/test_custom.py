"""Custom resources: the strategy that a definition makes for its instances."""

import pytest

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.structural import RuleCheck
from llmos.apis.autoscaling_v1 import ScalePaths, scale_from, set_replicas, validate_scale
from llmos.apis.custom import custom_strategy, scale_paths

UNCHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was "
    "invalid; correct the existing errors to complete validation"
)
RULE = {"x-kubernetes-validations": [{"rule": "self == oldSelf"}]}


def crd(scope: str = "Namespaced", **version: object) -> dict:
    return {
        "metadata": {"name": "notebooks.ml.example.com"},
        "spec": {
            "group": "ml.example.com",
            "scope": scope,
            "names": {"plural": "notebooks", "kind": "Notebook"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {
                                        "replicas": {"type": "integer", "default": 1, "maximum": 5},
                                        "on": {"type": "boolean"},
                                        "imm": {"type": "string", **RULE},
                                    },
                                },
                                "status": {
                                    "type": "object",
                                    "properties": {
                                        "state": {"type": "string", "default": "New"},
                                        "replicas": {"type": "integer"},
                                    },
                                },
                            },
                        }
                    },
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                    "selectableFields": [{"jsonPath": ".spec.on"}, {"jsonPath": ".spec.replicas"}],
                    **version,
                }
            ],
        },
    }


def notebook(**spec: object) -> dict:
    return {"metadata": {"name": "a", "namespace": "team-a"}, "spec": spec}


def found(strategy_errors: object) -> list[str]:
    return sorted(str(each) for each in strategy_errors)


def test_flags_of_a_custom_kind() -> None:
    """What kube-apiserver does with every custom kind, and what depends on its subresources."""
    strategy = custom_strategy(crd(), "v1")
    assert strategy.has_status
    assert strategy.has_generation
    assert not strategy.unconditional_update
    assert not strategy.create_on_update
    assert not strategy.delete_returns_object
    assert not custom_strategy(crd(subresources={}), "v1").has_status
    assert custom_strategy(crd(subresources={}), "v1").fields is not None
    assert custom_strategy(crd(selectableFields=[]), "v1").fields is None


def test_defaults_are_applied_on_every_write() -> None:
    """The strategy's default is the schema's."""
    strategy = custom_strategy(crd(), "v1")
    obj = notebook(replicas=None)
    strategy.default(obj)
    assert obj["spec"] == {"replicas": 1}


def test_the_status_is_pruned_and_defaulted_alone() -> None:
    """A status loses unknown fields and gets its defaults; the rest is not touched."""
    strategy = custom_strategy(crd(), "v1")
    new = {**notebook(), "status": {"bogus": 1, "replicas": 2}}
    strategy.prepare_status(new, notebook())
    assert new["status"] == {"replicas": 2, "state": "New"}
    assert new["spec"] == {}


SCALE_ERRORS = (
    ({"replicas": -1}, [".spec.replicas: Invalid value: -1: should be a non-negative integer"]),
    (
        {"replicas": 1.5},
        [
            (
                ".spec.replicas: Invalid value: 0: .spec.replicas accessor error: 1.5 is of the "
                "type float64, expected int64"
            ),
            (
                '<nil>: Invalid value: "": Checked value must be of type integer (default format) '
                "in spec.replicas"
            ),
            UNCHECKED,
            (
                'spec.replicas: Invalid value: "number": spec.replicas in body must be of type '
                'integer: "number"'
            ),
        ],
    ),
    (
        {"replicas": "1"},
        [
            (
                ".spec.replicas: Invalid value: 0: .spec.replicas accessor error: 1 is of the type "
                "string, expected int64"
            ),
            UNCHECKED,
            (
                'spec.replicas: Invalid value: "string": spec.replicas in body must be of type '
                'integer: "string"'
            ),
        ],
    ),
)


@pytest.mark.parametrize(("spec", "expected"), SCALE_ERRORS)
def test_scale_paths_are_checked_too(spec: dict, expected: list) -> None:
    """Where replicas cannot be read as a Scale the object is invalid, in Kubernetes' words."""
    assert found(custom_strategy(crd(), "v1").validate(notebook(**spec))) == sorted(expected)


def test_a_missing_name_keeps_rules_from_being_checked() -> None:
    """The registry complains about the name; the strategy only adds what follows from it."""
    obj = {"metadata": {}, "spec": {}}
    assert found(custom_strategy(crd(), "v1").validate(obj)) == [UNCHECKED]


def test_rules_come_from_an_evaluator_that_is_handed_in() -> None:
    """Rules run on valid objects only, and are told what an object was before."""
    calls: list[tuple[dict, dict | None]] = []

    def compile_rules(node: dict) -> RuleCheck:
        assert node["properties"]["spec"]["properties"]["imm"] == {"type": "string", **RULE}

        def check(obj: dict, old: dict | None, warnings: list[str]) -> list[FieldError]:
            calls.append((obj, old))
            warnings.append("imm")
            return [FieldError("FieldValueInvalid", "spec.imm", "imm is immutable")]

        return check

    strategy = custom_strategy(crd(), "v1", compile_rules)
    new, old = notebook(imm="two"), notebook(imm="one")
    assert found(strategy.validate(new)) == ["spec.imm: imm is immutable"]
    assert strategy.revalidate is not None
    warnings: list[str] = []
    assert found(strategy.revalidate(new, old, warnings)) == ["spec.imm: imm is immutable"]
    assert (calls, warnings) == ([(new, None), (new, old)], ["imm"])
    strategy.validate(notebook(on="x"))
    strategy.revalidate(notebook(on="x"), old, warnings)
    assert len(calls) == 2


def test_rules_are_compiled_by_the_first_object_that_they_judge() -> None:
    """And never for a kind that has none."""
    compiled: list[dict] = []

    def compile_rules(node: dict) -> RuleCheck:
        compiled.append(node)
        return lambda obj, old, warnings: [FieldError("FieldValueInvalid", "spec", "no")]

    strategy = custom_strategy(crd(), "v1", compile_rules)
    assert not compiled
    for _ in range(2):
        assert found(strategy.validate(notebook(imm="one"))) == ["spec: no"]
    assert len(compiled) == 1
    plain = crd()
    spec = plain["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["imm"]
    assert not custom_strategy(plain, "v1", compile_rules).validate(notebook())
    assert len(compiled) == 1


def test_selectable_fields_have_values() -> None:
    """Field labels are those that the definition names; what is missing is empty."""
    strategy = custom_strategy(crd(), "v1")
    assert strategy.field_names == ("spec.on", "spec.replicas")
    assert strategy.fields is not None
    assert strategy.fields(notebook(on=True)) == {"spec.on": "true", "spec.replicas": ""}
    assert strategy.fields(notebook(replicas=3))["spec.replicas"] == "3"


def test_a_namespace_in_a_cluster_wide_instance_is_dropped() -> None:
    """What a client says about the namespace of a cluster-wide kind has no effect."""
    obj = notebook()
    custom_strategy(crd("Cluster"), "v1").prepare_create(obj)
    assert "namespace" not in obj["metadata"]


def test_a_scale_is_read_and_written() -> None:
    """The Scale of an object has its numbers and its selector, and puts replicas back."""
    paths = scale_paths(crd(), "v1")
    assert paths == ScalePaths(("spec", "replicas"), ("status", "replicas"), ("status", "selector"))
    obj = {**notebook(replicas=2), "status": {"replicas": 1, "selector": "a=b"}}
    scale = scale_from(obj, paths)
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["metadata"] == {"name": "a", "namespace": "team-a"}
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 1, "selector": "a=b"}
    scale["spec"]["replicas"] = 3
    scale["metadata"]["resourceVersion"] = "7"
    set_replicas(obj, paths, scale)
    assert obj["spec"]["replicas"] == 3
    assert obj["metadata"]["resourceVersion"] == "7"
    assert found(validate_scale({"spec": {"replicas": -1}})) == [
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    ]
    assert scale_paths(crd(subresources={}), "v1") is None


def test_an_object_without_replicas_has_an_empty_scale() -> None:
    """Nothing said is zero, and setting makes the maps on the way."""
    paths = ScalePaths(("spec", "deep", "replicas"), ("status", "replicas"))
    obj: dict = {"metadata": {"name": "a"}}
    assert scale_from(obj, paths)["spec"] == {}
    set_replicas(obj, paths, {"spec": {"replicas": 4}})
    assert obj["spec"] == {"deep": {"replicas": 4}}
