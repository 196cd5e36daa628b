"""CustomResourceDefinitions: defaults, names in conflict, and what they serve."""

import pytest

from llmos.apimachinery.object import copy_object, find_condition
from llmos.apimachinery.resource import APIResource
from llmos.apis import apiextensions_v1 as apiextensions
from llmos.apis.scheme import builtin_resources
from llmos.apis.tables import table
from support.builtin import create, texts, update

AT = "spec.validation.openAPIV3Schema"
"""How Kubernetes names the schema that all versions share."""
COLUMN = "spec.additionalPrinterColumns[0]"
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "replicas": {"type": "integer", "default": 1},
                "type": {"type": "string"},
            },
        }
    },
}


def version(name: str = "v1", **more: object) -> dict:
    return {
        "name": name,
        "served": True,
        "storage": name == "v1",
        "schema": {"openAPIV3Schema": SCHEMA},
        **more,
    }


def crd(*versions: dict, plural: str = "notebooks", kind: str = "Notebook", **spec: object) -> dict:
    group = spec.get("group", "ml.example.com")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def established(definition: dict, *others: dict) -> dict:
    stored, errors = create(definition)
    assert not errors
    stored["status"] = apiextensions.accepted_status(stored, others, "2026-01-01T00:00:00Z")
    return stored


def test_a_new_definition_gets_its_defaults() -> None:
    """Names, conversion and status are filled in as kube-apiserver does."""
    stored, errors = create(crd())
    assert errors == []
    assert stored["spec"]["names"] == {
        "plural": "notebooks",
        "singular": "notebook",
        "kind": "Notebook",
        "listKind": "NotebookList",
    }
    assert stored["spec"]["conversion"] == {"strategy": "None"}
    assert stored["status"] == {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": ["v1"],
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("group",), "zzz.io"),
        (("scope",), "Cluster"),
        (("names", "plural"), "others"),
        (("names", "kind"), "Other"),
    ],
)
def test_what_instances_depend_on_never_changes(path: tuple, value: str) -> None:
    """Group, scope, plural and kind of an established definition are immutable."""
    old = established(crd())
    new = copy_object(old)
    at = new["spec"]
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    _, errors = update(new, old)
    field = ".".join(("spec", *path))
    assert f'{field}: Invalid value: "{value}": field is immutable' in texts(errors)


def test_a_new_storage_version_is_remembered_and_an_old_one_kept() -> None:
    """Stored versions only grow, and none of them may leave the spec."""
    old = established(crd(version(), version("v2")))
    moved = copy_object(old)
    moved["spec"]["versions"][0]["storage"] = False
    moved["spec"]["versions"][1]["storage"] = True
    new, errors = update(moved, old)
    assert errors == []
    assert new["status"]["storedVersions"] == ["v1", "v2"]
    assert old["status"]["storedVersions"] == ["v1"]
    without = copy_object(new)
    del without["spec"]["versions"][0]
    _, errors = update(without, new)
    assert texts(errors)[0].startswith(
        'status.storedVersions[0]: Invalid value: "v1": missing from'
    )


def test_the_first_to_have_a_name_keeps_it() -> None:
    """A second definition with a taken short name is not accepted, and says which name it is."""
    first = established(
        crd(names={"plural": "notebooks", "kind": "Notebook", "shortNames": ["nb"]})
    )
    second, _ = create(
        crd(
            plural="nb2s",
            names={"plural": "nb2s", "kind": "Nb2", "shortNames": ["nb"]},
        )
    )
    status = apiextensions.accepted_status(second, [first], "2026-01-01T00:00:00Z")
    assert status["acceptedNames"] == {
        "plural": "nb2s",
        "singular": "nb2",
        "kind": "Nb2",
        "listKind": "Nb2List",
    }
    accepted = find_condition({"status": status}, "NamesAccepted")
    assert accepted is not None
    assert accepted["status"] == "False"
    assert (accepted["reason"], accepted["message"]) == (
        "ShortNamesConflict",
        '"nb" is already in use',
    )
    assert not apiextensions.is_established({"status": status})
    assert apiextensions.names_conflict(second, [first])[0]["reason"] == "ShortNamesConflict"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"plural": "b", "kind": "Notebook", "listKind": "BList"}, "KindConflict"),
        ({"plural": "b", "kind": "B", "listKind": "NotebookList"}, "ListKindConflict"),
        ({"plural": "b", "kind": "B", "singular": "notebook"}, "SingularConflict"),
        ({"plural": "b", "kind": "B", "shortNames": ["x", "notebooks"]}, "ShortNamesConflict"),
    ],
)
def test_every_name_can_be_in_conflict(names: dict, reason: str) -> None:
    """Kinds collide with kinds, resources with resources; other groups do not matter."""
    first = established(crd())
    second, _ = create(crd(plural="b", names=names))
    assert apiextensions.names_conflict(second, [first])[0]["reason"] == reason
    elsewhere, _ = create(crd(plural="b", names=names, group="other.example.com"))
    assert apiextensions.names_conflict(elsewhere, [first]) == []


def test_built_in_names_are_taken() -> None:
    """A definition in a built-in group cannot take over a built-in kind."""
    definition = crd(
        plural="roles", names={"plural": "roles", "kind": "Role"}, group="rbac.authorization.k8s.io"
    )
    definition["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved"}
    stored, errors = create(definition)
    assert errors == []
    assert apiextensions.names_conflict(stored, [], builtin_resources())[0]["status"] == "False"


def test_resources_of_a_definition() -> None:
    """Served versions become resources, the most stable first, with their subresources."""
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    stored = established(
        crd(
            version("v1beta1", storage=False),
            version(subresources={"status": {}, "scale": scale}),
            version("v1alpha1", served=False),
            names={
                "plural": "notebooks",
                "kind": "Notebook",
                "shortNames": ["nb"],
                "categories": ["all"],
            },
        )
    )
    resources: list[APIResource] = apiextensions.resources_of(stored)
    assert [each.version for each in resources] == ["v1", "v1beta1"]
    first, second = resources
    assert (first.singular, first.list_kind, first.namespaced) == ("notebook", "NotebookList", True)
    assert (first.short_names, first.categories, first.custom) == (("nb",), ("all",), True)
    assert [each.name for each in first.subresources] == ["status", "scale"]
    assert second.subresources == ()
    assert apiextensions.scale_of(stored, "v1") == scale
    assert apiextensions.storage_version_of(stored) == "v1"


def test_versions_rank_as_kubernetes_ranks_them() -> None:
    """Stable before beta before alpha before anything else; high numbers first."""
    names = ["foo10", "v1", "v12alpha1", "v2beta1", "foo1", "v10", "v2", "v3beta1", "v11alpha2"]
    ranked = sorted(names, key=apiextensions.version_priority, reverse=True)
    assert ranked == [
        "v10",
        "v2",
        "v1",
        "v3beta1",
        "v2beta1",
        "v12alpha1",
        "v11alpha2",
        "foo1",
        "foo10",
    ]


def test_a_deprecated_version_warns() -> None:
    """The warning names the newest version that is not deprecated, or is the author's own."""
    stored, _ = create(
        crd(
            version(),
            version("v1beta1", deprecated=True),
            version("v1alpha1", deprecated=True, deprecationWarning="gone soon"),
        )
    )
    assert apiextensions.deprecation_of(stored, "v1") == ""
    assert apiextensions.deprecation_of(stored, "v1beta1") == (
        "ml.example.com/v1beta1 Notebook is deprecated; use ml.example.com/v1 Notebook"
    )
    assert apiextensions.deprecation_of(stored, "v1alpha1") == "gone soon"


def test_columns_of_a_definition() -> None:
    """Cells are of their declared type or null; dates become ages; no columns mean an age."""
    declared = [
        {"name": "Type", "type": "string", "jsonPath": ".spec.type"},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
        {"name": "Made", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Vols", "type": "string", "jsonPath": ".spec.vols[*].name"},
        {"name": "B", "type": "boolean", "jsonPath": ".spec.b"},
        {"name": "F", "type": "number", "jsonPath": ".spec.f", "format": "double"},
        {"name": "Map", "type": "string", "jsonPath": ".spec.map"},
        {"name": "Wrong", "type": "integer", "jsonPath": ".spec.type"},
    ]
    stored, errors = create(crd(version(additionalPrinterColumns=declared)))
    assert errors == []
    obj = {
        "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "type": "jupyter",
            "replicas": 2,
            "vols": [{"name": "x"}, {"name": "y"}],
            "f": 1.5,
            "map": {"a": 1},
        },
    }
    printed = table([obj], apiextensions.columns_of(stored, "v1"), 1767225605)
    assert printed["rows"][0]["cells"] == ["a", "jupyter", 2, "5s", "x", None, 1.5, '{"a":1}', None]
    assert printed["columnDefinitions"][2]["priority"] == 1
    assert printed["columnDefinitions"][0]["format"] == "name"
    plain, _ = create(crd())
    assert [each.name for each in apiextensions.columns_of(plain, "v1")] == ["Name", "Age"]


def test_deletion_waits_for_the_instances() -> None:
    """A definition is held until its deletion began, then by its finalizer; it says so."""
    strategy = apiextensions.strategy()
    stored = established(crd())
    assert strategy.held(stored)
    stored["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    strategy.begin_delete(stored)
    assert stored["metadata"]["finalizers"] == [apiextensions.CLEANUP_FINALIZER]
    condition = find_condition(stored, "Terminating")
    assert condition is not None
    assert condition["reason"] == "InstanceDeletionPending"
    assert not strategy.held(stored)
