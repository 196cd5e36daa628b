"""The platform's own content: complete, in order, and compared to the last part."""

import pytest

from llmos.apimachinery.object import copy_object
from llmos.apis.platform_content import (
    BY_KIND,
    IN_ORDER,
    POLICIES,
    amiss,
    digest,
    repaired,
    shipped,
    to_apply,
)
from llmos.authentication.session_limits import DEFAULTS, read_length
from llmos.manifests import load

ADORNED = ("namespaces", "serviceaccounts", "settings")
CONTENT = {each.place: each for each in shipped()}
BUILTIN = [each for each in shipped() if each.object.get("spec", {}).get("builtin")]


def test_everything_shipped_is_content():
    """Each object of each folder is there once, and nothing of the embedded server's."""
    objects = [
        obj
        for each in ("namespaces", "crds", "policies", "roles", "settings", "cluster")
        for obj in load(each)
    ]
    assert len(objects) == len(CONTENT) == len(shipped())
    names = {each.name for each in CONTENT}
    assert "cluster-admin" not in names
    assert "llmos:embedded-controllers" not in names


def test_rules_come_before_rights():
    """Policies before roles, roles before bindings, kinds before all."""
    kinds = [each.resource.kind for each in shipped()]
    firsts = [kinds.index(each.kind) for each in IN_ORDER if each.kind in kinds]
    assert firsts == sorted(firsts)
    assert kinds.index("ValidatingAdmissionPolicyBinding") < kinds.index("ClusterRole")
    assert kinds[-1] == "RoleBinding"
    assert set(kinds) <= set(BY_KIND)


def test_what_is_as_shipped_is_right():
    """Also beside what people and servers add to metadata and status."""
    for each in shipped():
        assert repaired(each.object, each.object) is None
        adorned = copy_object(each.object)
        adorned["metadata"] |= {"uid": "1", "annotations": {"a": "b"}}
        adorned["status"] = {"x": "y"}
        assert repaired(adorned, each.object) is None


@pytest.mark.parametrize(
    "place",
    [each for each in CONTENT if each.resource.resource not in ADORNED],
    ids=str,
)
def test_every_part_is_restored(place):
    """What is missing, changed or added comes out as it was shipped."""
    wanted = CONTENT[place].object
    parts = [key for key in wanted if key not in ("apiVersion", "kind", "metadata")]
    assert parts
    for key in parts:
        for altered in (
            {**wanted, key: {"odd": True}},
            {k: v for k, v in wanted.items() if k != key},
        ):
            again = repaired(altered, wanted)
            assert again is not None
            expected = wanted[key]
            if wanted.get("spec", {}).get("builtin") and key == "spec":
                assert expected.items() <= again["spec"].items()
            else:
                assert again[key] == expected
    added = {**wanted, "aggregationRule": {"x": 1}}
    assert repaired(added, wanted) == wanted


@pytest.mark.parametrize("each", BUILTIN, ids=lambda each: str(each.place))
def test_what_an_administrator_set_stays(each):
    """He renames and locks built-in roles; that they are built in is not his to say."""
    set_by_him = {"displayName": "Mine", "locked": True}
    current = {**each.object, "spec": {**each.object["spec"], **set_by_him}}
    assert repaired(current, each.object) is None
    assert set_by_him.keys().isdisjoint(to_apply(each.object, current)["spec"])
    unset = {**current, "spec": {**set_by_him, "builtin": False}}
    again = repaired(unset, each.object)
    assert again is not None
    assert again["spec"] == {**set_by_him, "builtin": True}


def test_labels_of_namespaces_are_the_platforms():
    """What people write beside them stays."""
    wanted = next(each.object for each in shipped() if each.place.name == "llmos-public")
    assert wanted["metadata"]["labels"]
    current = {**wanted, "metadata": {"name": "llmos-public", "labels": {"mine": "x"}}}
    again = repaired(current, wanted)
    assert again is not None
    assert again["metadata"]["labels"] == {"mine": "x", **wanted["metadata"]["labels"]}
    assert "annotations" not in again["metadata"]


def test_a_version_is_known_by_its_content():
    """The digest is the same for the same content, and short enough to keep."""
    assert digest() == digest()
    assert len(digest()) == 64


def test_readiness_names_what_is_missing_or_altered() -> None:
    """Each policy and each binding is looked at, and altering any part of one is seen."""

    class Memory:
        def __init__(self) -> None:
            self.objects = {each.place: each.object for each in shipped()}

        def get(self, resource, namespace, name):
            return self.objects.get((resource, namespace, name))

    memory = Memory()
    assert amiss(memory) == []
    for each in shipped():
        if each.resource.group != POLICIES.group:
            continue
        whole = memory.objects.pop(each.place)
        assert amiss(memory) == [f"{each.place} is missing"]
        memory.objects[each.place] = {
            **whole,
            "metadata": {**whole["metadata"], "deletionTimestamp": "x"},
        }
        assert amiss(memory) == [f"{each.place} is missing"]
        for key in whole["spec"]:
            spec = {name: value for name, value in whole["spec"].items() if name != key}
            memory.objects[each.place] = {**whole, "spec": spec}
            assert amiss(memory) == [f"{each.place} is altered"]
        memory.objects[each.place] = {**whole, "spec": {**whole["spec"], "more": 1}}
        assert amiss(memory) == [f"{each.place} is altered"]
        memory.objects[each.place] = whole


def test_what_an_administrator_sets_stays():
    """A setting is there to be set; nobody who puts the platform in place takes that back."""
    settings = [each.object for each in shipped() if each.resource.kind == "Setting"]
    assert settings
    for each in settings:
        assert read_length(each["default"]) == DEFAULTS[each["metadata"]["name"]]
        assert repaired({**each, "value": "30m", "customized": True}, each) is None
        assert "value" not in to_apply(each, {**each, "value": "30m"})
