"""Which kinds are served: the built-in ones, and those that definitions bring."""

import pytest

from llmos.apimachinery.errors import BadRequestError, StatusError
from llmos.apimachinery.object import copy_object
from llmos.apimachinery.resource import GroupResource
from llmos.registry.builtin import builtin_served
from llmos.registry.catalog import Catalog
from llmos.registry.customserved import served_of
from registry.world import CRD, config_map, widget


def definition(group="example.com", plural="widgets", versions=("v1",)):
    """A CustomResourceDefinition."""
    crd = copy_object(CRD)
    crd["metadata"]["name"] = f"{plural}.{group}"
    crd["spec"]["group"] = group
    crd["spec"]["names"]["plural"] = plural
    crd["spec"]["names"]["kind"] = plural[:-1].capitalize()
    first = crd["spec"]["versions"][0]
    crd["spec"]["versions"] = [
        {**copy_object(first), "name": each, "storage": each == versions[0]} for each in versions
    ]
    return crd


@pytest.fixture
def catalog():
    """The built-in kinds alone."""
    return Catalog(builtin_served())


def test_finds_kinds_by_path_and_by_resource(catalog):
    """Version and plural are exact."""
    found = catalog.find("", "v1", "configmaps")
    assert found.resource.kind == "ConfigMap"
    assert catalog.of(GroupResource("", "configmaps")) is found
    assert catalog.find("", "v2", "configmaps") is None
    assert catalog.find("apps", "v1", "configmaps") is None
    assert catalog.find("", "v1", "ConfigMaps") is None
    assert catalog.of(GroupResource("", "unicorns")) is None


def test_lists_groups_versions_and_kinds(catalog):
    """The core group first; nothing for what is unknown."""
    assert catalog.groups()[0] == ""
    assert catalog.versions("apps") == ["v1"]
    assert catalog.versions("example.com") == []
    assert "Deployment" in {each.resource.kind for each in catalog.resources("apps", "v1")}
    assert catalog.resources("apps", "v2") == []
    assert len(list(catalog.all())) == len(builtin_served())


def test_a_definition_brings_kinds_and_takes_them_away(catalog):
    """Every change moves the revision by which documents are kept."""
    before = catalog.revision
    catalog.set_custom("widgets.example.com", served_of(definition(versions=("v1", "v1beta1"))))
    assert catalog.revision > before
    assert catalog.versions("example.com") == ["v1", "v1beta1"]
    assert catalog.find("example.com", "v1beta1", "widgets") is not None
    assert catalog.of(GroupResource("example.com", "widgets")).resource.version == "v1"
    assert len(catalog.custom("widgets.example.com")) == 2
    catalog.set_custom("widgets.example.com", served_of(definition(versions=("v1",))))
    assert catalog.versions("example.com") == ["v1"]
    revision = catalog.revision
    catalog.set_custom("widgets.example.com", ())
    assert catalog.revision > revision
    assert catalog.versions("example.com") == []
    assert catalog.find("example.com", "v1", "widgets") is None
    assert catalog.custom("widgets.example.com") == ()
    catalog.set_custom("unknown.example.com", ())


def test_kinds_of_one_group_may_come_from_several_definitions(catalog):
    """Whichever of them goes, the others stay."""
    for plural in ("widgets", "gadgets"):
        catalog.set_custom(f"{plural}.example.com", served_of(definition(plural=plural)))
    plurals = {each.resource.plural for each in catalog.resources("example.com", "v1")}
    assert plurals == {"widgets", "gadgets"}
    catalog.set_custom("widgets.example.com", ())
    assert catalog.find("example.com", "v1", "gadgets") is not None


def test_knows_groups_of_custom_kinds(catalog):
    """Unknown paths answer otherwise there."""
    catalog.set_custom("widgets.example.com", served_of(definition()))
    assert catalog.is_custom("example.com")
    assert not catalog.is_custom("apps")
    assert not catalog.is_custom("")


def test_both_kinds_of_event_stand_in_one_place(world):
    """What is written as one is read as the other."""
    core, newer = world.kind("events"), world.kind("events", "events.k8s.io")
    assert core.storage_name == newer.storage_name
    assert core.key("a", "e") == newer.key("a", "e")
    assert newer.converted
    assert not core.converted
    world.create(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "team-a"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "team-a"},
            "message": "started",
            "type": "Normal",
        }
    )
    value = world.storage.get(core.key("team-a", "e")).value
    assert newer.load(value)["note"] == "started"
    assert newer.load(value)["apiVersion"] == "events.k8s.io/v1"
    assert b'"note":"started"' in newer.wire(value)


def test_stored_bytes_are_sent_with_their_type_in_front(world):
    """``wire`` of what is stored is the object as JSON."""
    made = world.create(config_map())
    served = world.kind("configmaps")
    value = world.storage.get(served.key("team-a", "a")).value
    assert b"apiVersion" not in value.partition(b"managedFields")[0]
    assert served.wire(value).startswith(b'{"kind":"ConfigMap","apiVersion":"v1",')
    assert served.load(value) == made


def test_a_cluster_wide_kind_has_no_namespace_in_its_key(world):
    """Whatever the request says."""
    assert world.kind("nodes").key("team-a", "n").namespace == ""


BUILTIN = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


@pytest.mark.parametrize("value", [None, [], "x", 7, [BUILTIN]])
@pytest.mark.parametrize(("plural", "group"), [("configmaps", ""), ("widgets", "example.com")])
def test_what_is_no_object_is_refused(world, plural, group, value):
    """A JSON value that is no object is a 400."""
    with pytest.raises(BadRequestError):
        world.kind(plural, group).decode(value)


@pytest.mark.parametrize(
    ("plural", "group", "value"),
    [
        ("configmaps", "", {**BUILTIN, "kind": "Secret"}),
        ("configmaps", "", {**BUILTIN, "apiVersion": "v2"}),
        ("configmaps", "", {**BUILTIN, "metadata": []}),
        ("configmaps", "", {**BUILTIN, "data": {"a": 1}}),
        ("widgets", "example.com", {**widget(), "kind": "Gadget"}),
        ("widgets", "example.com", {**widget(), "kind": "x" * 999}),
        ("widgets", "example.com", {**widget(), "apiVersion": "example.com/v2"}),
        ("widgets", "example.com", {**widget(), "apiVersion": 7}),
        ("widgets", "example.com", {**widget(), "metadata": []}),
        ("widgets", "example.com", {**widget(), "metadata": {"labels": {"a": 1}}}),
    ],
)
def test_what_is_of_another_type_is_refused(world, plural, group, value):
    """Also where only the metadata is not metadata."""
    with pytest.raises(StatusError) as caught:
        world.kind(plural, group).decode(value)
    assert caught.value.code in (400, 422)


def test_unknown_fields_are_dropped_and_named(world):
    """Of the kind and of its metadata; the object has its type in any case."""
    sent = {"metadata": {"name": "w", "bogus": 1}, "spec": {"size": 1, "colour": "red"}, "x": 1}
    obj, unknown = world.kind("widgets", "example.com").decode(sent)
    assert obj == {
        "kind": "Widget",
        "apiVersion": "example.com/v1",
        "metadata": {"name": "w"},
        "spec": {"size": 1},
    }
    assert sorted(unknown) == ["metadata.bogus", "spec.colour", "x"]
    obj, unknown = world.kind("configmaps").decode({"metadata": {}, "data": None, "bogus": 1})
    assert (obj["kind"], obj["apiVersion"], unknown) == ("ConfigMap", "v1", ["bogus"])


def test_a_definition_that_goes_away_says_so(catalog):
    """Its kinds take no new objects."""
    crd = definition()
    assert not served_of(crd)[0].terminating
    crd["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert served_of(crd)[0].terminating


def test_a_deprecated_version_warns(catalog):
    """Its text comes from the definition."""
    crd = definition(versions=("v1", "v1beta1"))
    crd["spec"]["versions"][1] |= {"deprecated": True, "deprecationWarning": "use v1"}
    assert [each.warning for each in served_of(crd)] == ["", "use v1"]


def test_a_version_that_is_not_served_is_not_there(catalog):
    """It may still be the one that is stored."""
    crd = definition(versions=("v1", "v1beta1"))
    crd["spec"]["versions"][1]["served"] = False
    assert [each.resource.version for each in served_of(crd)] == ["v1"]
