"""Field ownership and server-side apply."""

import copy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.errors import BadRequestError, ConflictError, StatusError
from llmos.apimachinery.fieldset import intersection, is_empty, union
from llmos.apimachinery.managedfields import WriteContext, apply, track_update
from llmos.apimachinery.patch import merge_patch
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apimachinery.schema_compile import compile_schema
from llmos.apis.builtin_schemas import schema_for

EARLY, LATE = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
CONFIG_MAP = schema_for(GroupVersionKind("", "v1", "ConfigMap"))
SERVICE_ACCOUNT = schema_for(GroupVersionKind("", "v1", "ServiceAccount"))
SERVICE = schema_for(GroupVersionKind("", "v1", "Service"))
NAMESPACE = schema_for(GroupVersionKind("", "v1", "Namespace"))
TEXT = {"type": "string"}
NOTEBOOK = compile_schema(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "type": TEXT,
                    "replicas": {"type": "integer"},
                    "flag": {"type": "boolean"},
                    "lst": {"type": "array", "items": TEXT},
                    "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
                    "m": {"type": "object", "additionalProperties": TEXT},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "vols": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {
                            "type": "object",
                            "properties": {"name": TEXT, "size": TEXT, "mode": TEXT},
                        },
                    },
                },
            },
            "status": {"type": "object", "properties": {"state": TEXT}},
        },
    }
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def context(manager, schema=CONFIG_MAP, now=EARLY, **fields):
    return WriteContext(
        **{"manager": manager, "api_version": "v1", "subresource": "", "now": now, **fields},
        schema=schema,
    )


def config_map(data=None, **meta):
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **meta}}
    return obj if data is None else {**obj, "data": data}


def notebook(**spec):
    return {"apiVersion": "v1", "kind": "Notebook", "metadata": {"name": "n"}, "spec": spec}


def created(obj, who):
    made = copy.deepcopy(obj)
    track_update(None, made, who)
    return made


def patched(old, patch, who):
    before = copy.deepcopy(old)
    new = merge_patch(old, patch)
    track_update(old, new, who)
    assert old == before
    return new


def applied(live, config, who, force=False):
    before = copy.deepcopy((live, config))
    new = apply(live, config, who, force)
    assert (live, config) == before
    return new


def owners(obj):
    """Manager and operation → fields."""
    return {
        (each["manager"], each["operation"]): each["fieldsV1"]
        for each in obj["metadata"].get("managedFields", [])
    }


def test_create():
    """A create owns all it brings, containers included, and nothing the server sets."""
    meta = {"uid": "u", "creationTimestamp": EARLY, "labels": {"l": "1"}, "generateName": "x-"}
    made = created(config_map({"k": "v"}, **meta), context("t"))
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "t",
            "operation": "Update",
            "apiVersion": "v1",
            "time": EARLY,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:data": {".": {}, "f:k": {}},
                "f:metadata": {"f:generateName": {}, "f:labels": {".": {}, "f:l": {}}},
            },
        }
    ]


def test_create_of_nothing_owns_nothing():
    """There is no empty entry; what the client sent along is dropped."""
    assert "managedFields" not in created(config_map(managedFields=[{}]), context("t"))["metadata"]


def test_create_of_a_custom_resource():
    """The schema of a custom resource says what its lists are; metadata is as everywhere."""
    obj = notebook(
        vols=[{"name": "v1", "mode": "rw"}], free={"x": 1}, m={"a": "b"}, replicas=1, set=["x"]
    )
    obj["metadata"]["finalizers"] = ["a.io/x"]
    obj["metadata"]["ownerReferences"] = [{"uid": "u", "name": "o"}]
    assert owners(created(obj, context("t", NOTEBOOK)))["t", "Update"] == {
        "f:metadata": {
            "f:finalizers": {".": {}, 'v:"a.io/x"': {}},
            "f:ownerReferences": {".": {}, 'k:{"uid":"u"}': {}},
        },
        "f:spec": {
            ".": {},
            "f:free": {".": {}, "f:x": {}},
            "f:m": {".": {}, "f:a": {}},
            "f:replicas": {},
            "f:set": {".": {}, 'v:"x"': {}},
            "f:vols": {".": {}, 'k:{"name":"v1"}': {".": {}, "f:mode": {}, "f:name": {}}},
        },
    }


def test_without_a_schema_all_is_deduced():
    """Maps are granular, lists are atomic."""
    obj = {"metadata": {"name": "a"}, "spec": {"m": {"a": 1}, "l": [{"b": 1}]}}
    assert owners(created(obj, context("t", None)))["t", "Update"] == {
        "f:spec": {".": {}, "f:l": {}, "f:m": {".": {}, "f:a": {}}}
    }


def test_updates_take_silently():
    """A changed value changes hands, a removed one leaves everybody, empty entries go."""
    live = created(config_map({"a": "1", "b": "1"}), context("one"))
    live = patched(live, {"data": {"a": "2"}}, context("two", now=LATE))
    assert owners(live) == {
        ("one", "Update"): {"f:data": {".": {}, "f:b": {}}},
        ("two", "Update"): {"f:data": {"f:a": {}}},
    }
    assert [each["time"] for each in live["metadata"]["managedFields"]] == [EARLY, LATE]
    live = patched(live, {"data": {"a": None}}, context("three"))
    assert owners(live) == {("one", "Update"): {"f:data": {".": {}, "f:b": {}}}}


def test_own_entry_grows_and_its_time_moves_with_what_it_takes():
    """Removing alone takes nothing and keeps the time; changing sets it."""
    live = created(config_map({"a": "1", "b": "1"}), context("one"))
    live = patched(live, {"data": {"a": None}}, context("one", now=LATE))
    assert live["metadata"]["managedFields"][0]["time"] == EARLY
    live = patched(live, {"data": {"c": "1"}}, context("one", now=LATE))
    assert live["metadata"]["managedFields"][0]["time"] == LATE
    assert owners(live) == {("one", "Update"): {"f:data": {".": {}, "f:b": {}, "f:c": {}}}}


def test_no_change_no_entry():
    """An update that changes nothing keeps the entries as they are."""
    live = created(config_map({"a": "1"}), context("one"))
    assert patched(live, {"data": {"a": "1"}}, context("two", now=LATE)) == live
    without = config_map({"a": "1"})
    track_update(live, without, context("two", now=LATE))
    assert without == live


def test_status_has_its_own_entry():
    """Writes through a subresource are told apart, and lists go by their keys."""
    live = created({"metadata": {"name": "n", "labels": {"a": "b"}}}, context("st", NAMESPACE))
    patch = {"status": {"conditions": [{"type": "A", "status": "True"}]}}
    who = context("st", NAMESPACE, subresource="status")
    entries = patched(live, patch, who)["metadata"]["managedFields"]
    assert [each.get("subresource") for each in entries] == [None, "status"]
    element = {".": {}, "f:status": {}, "f:type": {}}
    assert entries[1]["fieldsV1"] == {
        "f:status": {".": {}, "f:conditions": {".": {}, 'k:{"type":"A"}': element}}
    }


def test_cleared_fields_stay_cleared_until_the_next_apply():
    """A list of one empty entry clears; the next apply finds ``before-first-apply``."""
    live = created(config_map({"a": "1"}), context("one"))
    live = patched(live, {"metadata": {"managedFields": [{}]}}, context("two"))
    assert owners(live) == {}
    live = patched(live, {"data": {"b": "1"}}, context("two"))
    assert owners(live) == {}
    live = applied(live, config_map({"c": "1"}), context("m"))
    assert owners(live) == {
        ("m", "Apply"): {"f:data": {"f:c": {}}},
        ("before-first-apply", "Update"): {"f:data": {".": {}, "f:a": {}, "f:b": {}}},
    }


def test_an_empty_list_does_not_clear():
    """Clients that know nothing of managedFields cannot lose them by accident."""
    live = created(config_map({"a": "1"}), context("one"))
    assert patched(live, {"metadata": {"managedFields": []}}, context("two")) == live


MIGRATED = {
    "manager": "kubectl",
    "operation": "Apply",
    "apiVersion": "v1",
    "time": EARLY,
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:data": {"f:a": {}}},
}


def test_entries_of_the_client_are_honoured():
    """A client may replace them; that is how kubectl leaves client-side apply."""
    live = created(config_map({"a": "1"}), context("kubectl-client-side-apply"))
    live = patched(live, {"metadata": {"managedFields": [MIGRATED]}}, context("kubectl", now=LATE))
    assert live["metadata"]["managedFields"] == [MIGRATED]


@pytest.mark.parametrize(
    "given",
    [
        "x",
        ["x"],
        [{**MIGRATED, "operation": "Own"}],
        [{**MIGRATED, "fieldsType": "V2"}],
        [{**MIGRATED, "apiVersion": ""}],
        [{**MIGRATED, "manager": 5}],
        [{**MIGRATED, "fieldsV1": {"a": {}}}],
        [{**MIGRATED, "fieldsV1": [1]}],
        [{}, MIGRATED],
    ],
)
def test_malformed_entries_are_ignored(given):
    """Entries that are none leave the stored ones."""
    live = created(config_map({"a": "1"}), context("one"))
    assert patched(live, {"metadata": {"managedFields": given}}, context("one")) == live


def test_entries_cannot_be_sent_through_a_subresource():
    """Who may write the status does not rewrite the books."""
    live = created(config_map({"a": "1"}), context("one"))
    who = context("two", subresource="status")
    assert patched(live, {"metadata": {"managedFields": [{}]}}, who) == live


def test_many_updaters_are_merged():
    """However many managers write, at most ten entries of updates remain, and no field is lost."""
    live = created(config_map({"k": "0"}), context("m00"))
    for index in range(1, 40):
        who = context(f"m{index:02}", now=f"2024-01-01T00:00:{index:02}Z")
        live = patched(live, {"data": {f"k{index}": "1"}}, who)
    entries = live["metadata"]["managedFields"]
    assert len(entries) == 10
    assert entries[0]["manager"] == "ancient-changes"
    assert entries[-1]["manager"] == "m39"
    fields = {}
    for each in entries:
        fields = union(fields, each["fieldsV1"])
    assert len(fields["f:data"]) == 1 + 40


def test_apply_creates():
    """An apply owns what it sends, without containers; what the server sets is not taken."""
    config = config_map({"x": "1"}, labels={"l": "1"}, resourceVersion="1", uid="u")
    made = applied(None, config, context("m1"))
    assert made["metadata"] == {
        "name": "a",
        "labels": {"l": "1"},
        "managedFields": [
            {
                "manager": "m1",
                "operation": "Apply",
                "apiVersion": "v1",
                "time": EARLY,
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {"f:x": {}}, "f:metadata": {"f:labels": {"f:l": {}}}},
            }
        ],
    }


def test_apply_of_a_name_alone_owns_nothing():
    """Names are not owned."""
    assert owners(applied(None, config_map(), context("m1"))) == {}


def test_same_value_is_shared():
    """Two managers that agree own a field together, and each may leave."""
    live = applied(None, config_map({"x": "1", "y": "1"}), context("m1"))
    live = applied(live, config_map({"x": "1"}), context("m2", now=LATE))
    assert live["metadata"]["managedFields"][0] == {
        "manager": "m2",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:x": {}}},
    }
    live = applied(live, config_map({}), context("m1", now=LATE))
    assert live["data"] == {"x": "1"}
    assert owners(live) == {
        ("m1", "Apply"): {"f:data": {}},
        ("m2", "Apply"): {"f:data": {"f:x": {}}},
    }


def refused(live, config, who):
    with pytest.raises(ConflictError) as caught:
        apply(live, config, who, force=False)
    causes = caught.value.details["causes"]
    assert {each["reason"] for each in causes} == {"FieldManagerConflict"}
    return caught.value.message, [(each["message"], each["field"]) for each in causes]


def test_conflicts():
    """Another value of another's field is refused, named by owner and path."""
    live = applied(None, config_map({"x": "1", "y": "1"}), context("m1"))
    assert refused(live, config_map({"x": "2"}), context("m2")) == (
        'Apply failed with 1 conflict: conflict with "m1": .data.x',
        [('conflict with "m1"', ".data.x")],
    )
    assert refused(live, config_map({"y": "2", "x": "2"}), context("m2")) == (
        'Apply failed with 2 conflicts: conflicts with "m1":\n- .data.x\n- .data.y',
        [('conflict with "m1"', ".data.x"), ('conflict with "m1"', ".data.y")],
    )


def test_conflicts_with_several_managers():
    """Conflicts are grouped by owner; updates name their version, subresources are named."""
    live = applied(None, config_map({"x": "1"}), context("m1"))
    live = patched(live, {"data": {"u": "1"}}, context("up"))
    live = patched(live, {"data": {"s": "1"}}, context("sub", subresource="status"))
    assert refused(live, config_map({"x": "2", "u": "2", "s": "2"}), context("m2"))[0] == (
        'Apply failed with 3 conflicts: conflicts with "m1":\n- .data.x\n'
        'conflicts with "sub" with subresource "status" using v1:\n- .data.s\n'
        'conflicts with "up" using v1:\n- .data.u'
    )


def test_conflicts_in_lists():
    """Paths name elements by their keys; an atomic list is one path."""
    first = notebook(type="a", lst=["1"], vols=[{"name": "a", "size": "1"}])
    second = notebook(type="b", lst=["2"], vols=[{"name": "a", "size": "9"}])
    live = applied(None, first, context("m1", NOTEBOOK))
    _, causes = refused(live, second, context("m2", NOTEBOOK))
    assert [field for _, field in causes] == [
        ".spec.lst",
        ".spec.type",
        '.spec.vols[name="a"].size',
    ]


def test_force_moves_ownership():
    """Force takes the fields that differ from their owners."""
    live = applied(None, config_map({"x": "1", "y": "1"}), context("m1"))
    live = applied(live, config_map({"x": "2"}), context("m2"), force=True)
    assert live["data"] == {"x": "2", "y": "1"}
    assert owners(live) == {
        ("m1", "Apply"): {"f:data": {"f:y": {}}},
        ("m2", "Apply"): {"f:data": {"f:x": {}}},
    }


def test_update_and_apply_of_one_manager_are_two_owners():
    """The operation is part of who a manager is."""
    live = applied(None, config_map({"x": "1"}), context("m"))
    live = patched(live, {"data": {"x": "2"}}, context("m"))
    assert refused(live, config_map({"x": "1"}), context("m"))[0].endswith(
        'conflict with "m" using v1: .data.x'
    )


def test_dropped_fields_are_removed():
    """What the manager owned alone goes with it; what updates added beside stays."""
    live = applied(None, config_map({"x": "1"}, labels={"a": "1"}), context("m1"))
    live["metadata"] |= {"uid": "u", "resourceVersion": "7"}
    live = patched(live, {"data": {"u": "1"}}, context("up"))
    bare = {"apiVersion": "v1", "kind": "ConfigMap"}
    live = applied(live, bare, context("m1"))
    assert live["data"] == {"u": "1"}
    assert owners(live) == {("up", "Update"): {"f:data": {"f:u": {}}}}
    kept = {key: live["metadata"][key] for key in live["metadata"] if key != "managedFields"}
    assert kept == {"name": "a", "uid": "u", "resourceVersion": "7"}


def test_a_map_owned_alone_goes_as_a_whole():
    """No empty map is left behind."""
    live = applied(None, config_map({"x": "1"}), context("m1"))
    assert applied(live, config_map(), context("m1")) == config_map()


def test_lists_merge_by_key():
    """Each manager has its elements of sets and maps; dropping one removes it alone."""
    first = notebook(
        type="t", vols=[{"name": "a", "size": "1"}], set=["x"], lst=["1"], m={"k": "v"}
    )
    second = notebook(type="t", vols=[{"name": "b", "size": "2"}], set=["y"], m={"k2": "v"})
    live = applied(None, first, context("m1", NOTEBOOK))
    live["spec"]["vols"] = [{"name": "a", "size": "1", "mode": "rw"}]
    live = applied(live, second, context("m2", NOTEBOOK))
    assert live["spec"] == {
        "type": "t",
        "vols": [{"name": "a", "size": "1", "mode": "rw"}, {"name": "b", "size": "2"}],
        "set": ["x", "y"],
        "lst": ["1"],
        "m": {"k": "v", "k2": "v"},
    }
    live = applied(live, notebook(type="t"), context("m1", NOTEBOOK))
    assert live["spec"] == {
        "type": "t",
        "vols": [{"name": "b", "size": "2"}],
        "set": ["y"],
        "m": {"k2": "v"},
    }


def test_default_keys():
    """A key that the configuration leaves out has the schema's default."""
    schema = compile_schema(
        {
            "type": "object",
            "properties": {
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port", "protocol"],
                    "items": {
                        "type": "object",
                        "properties": {
                            "port": {"type": "integer"},
                            "protocol": {"type": "string", "default": "TCP"},
                        },
                    },
                }
            },
        }
    )
    config = {"apiVersion": "v1", "kind": "K", "metadata": {"name": "a"}, "ports": [{"port": 80}]}
    live = applied(None, config, context("m1", schema))
    live["ports"] = [{"port": 80, "protocol": "TCP"}]
    assert applied(live, config, context("m1", schema, now=LATE)) == live
    assert owners(live)["m1", "Apply"] == {
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}
    }


def test_reset_fields():
    """A status apply leaves the spec alone and owns none of it."""
    live = applied(None, notebook(type="a"), context("m1", NOTEBOOK))
    config = {**notebook(type="b"), "status": {"state": "R"}}
    config["metadata"] = {"name": "n", "labels": {"x": "y"}}
    reset = (("spec",), ("metadata", "labels"), ("none",), ("kind", "x"))
    who = context("st", NOTEBOOK, subresource="status", reset=reset)
    live = applied(live, config, who)
    assert live["spec"] == {"type": "a"}
    assert live["status"] == {"state": "R"}
    assert "labels" not in live["metadata"]
    entry = live["metadata"]["managedFields"][1]
    assert (entry["subresource"], entry["fieldsV1"]) == ("status", {"f:status": {"f:state": {}}})


def test_managed_fields_may_not_be_applied():
    """The books are the server's."""
    with pytest.raises(BadRequestError) as caught:
        apply(None, config_map(managedFields=[]), context("m1"), force=True)
    assert caught.value.message == "metadata.managedFields must be nil"


def typed_error(config, schema=CONFIG_MAP, **fields):
    with pytest.raises(StatusError) as caught:
        apply(None, config, context("m1", schema, **fields), force=True)
    status = caught.value.status()
    assert status.keys() == {"kind", "apiVersion", "metadata", "status", "message", "code"}
    assert status["code"] == 500
    return status["message"]


def test_configurations_must_fit_the_schema():
    """The error names the object and the first thing wrong, or all in a list."""
    assert typed_error(config_map({"x": 5})) == (
        "failed to create typed patch object (/a; /v1, Kind=ConfigMap): "
        ".data.x: expected string, got &value.valueUnstructured{Value:5}"
    )
    assert typed_error(config_map({"x": 5, "y": True}, namespace="n")) == (
        "failed to create typed patch object (n/a; /v1, Kind=ConfigMap): errors:\n"
        "  .data.x: expected string, got &value.valueUnstructured{Value:5}\n"
        "  .data.y: expected string, got &value.valueUnstructured{Value:true}"
    )
    assert typed_error(config_map(name=True)) == (
        "failed to create typed patch object (/; /v1, Kind=ConfigMap): "
        ".metadata.name: expected string, got &value.valueUnstructured{Value:true}"
    )
    assert typed_error({**notebook(), "metadata": 5}, NOTEBOOK, api_version="g.io/v2") == (
        "failed to create typed patch object (/; g.io/v2, Kind=Notebook): "
        ".metadata: expected map, got &{5}"
    )


KEYLESS = "associative list without keys has an element that's"
KEYED = "associative list with keys"
OMITTED = 'omits key field "name" (and doesn\'t have default value)'
GO_LIST = "[]interface {}{interface {}(nil), 1.5}"
GO_STRUCT = f'&value.valueUnstructured{{Value:map[string]interface {{}}{{"a":{GO_LIST}}}}}'


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"bogus": 1}, ".bogus: field not declared in schema"),
        (
            {"type": {"a": [None, 1.5]}},
            f".type: expected string, got {GO_STRUCT}",
        ),
        ({"m": ["x"]}, ".m: expected map, got &{[x]}"),
        ({"lst": {"a": None}}, ".lst: expected list, got &{map[a:<nil>]}"),
        ({"lst": [1]}, ".lst[0]: expected string, got &value.valueUnstructured{Value:1}"),
        ({"flag": "x"}, ".flag: expected boolean, got &{x}"),
        (
            {"replicas": "x"},
            ".replicas: expected numeric (int or float), got *value.valueUnstructured",
        ),
        ({"set": ["x", "x"]}, '.set: duplicate entries for key [="x"]'),
        ({"set": [{}]}, f".set: element 0: {KEYLESS} a map type"),
        ({"set": ["x", None]}, f".set: element 1: {KEYLESS} an explicit null"),
        (
            {"set": [[]]},
            ".set: element 0: not supported: associative list with lists as elements",
        ),
        ({"vols": [None]}, f".vols: element 0: {KEYED} may not have a null element"),
        ({"vols": ["x"]}, f".vols: element 0: {KEYED} may not have non-map elements"),
        (
            {"vols": [{"size": "x"}]},
            f".vols: element 0: {KEYED} has an element that {OMITTED}",
        ),
        ({"vols": [{"name": "a", "x": 1}]}, '.vols[name="a"].x: field not declared in schema'),
    ],
)
def test_type_errors(spec, error):
    """Each in structured-merge-diff's words."""
    assert typed_error(notebook(**spec), NOTEBOOK).partition("): ")[2] == ".spec" + error


def test_formats_with_codecs_take_several_types():
    """Ports are numbers or names; free maps take anything; null fits everywhere."""
    ports = [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 81}]
    config = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    assert applied(None, {**config, "spec": {"ports": ports}}, context("m", SERVICE))
    assert applied(None, notebook(free={"a": [{"b": None}]}, type=None), context("m", NOTEBOOK))
    bad = {**config, "spec": {"ports": [{"port": 80, "targetPort": {"a": "b"}}]}}
    assert typed_error(bad, SERVICE).endswith(
        '.spec.ports[port=80,protocol="TCP"].targetPort: expected any scalar, got &{map[a:b]}'
    )


def client_side_applied():
    last = orjson.dumps(config_map({"x": "1", "y": "1"})).decode()
    obj = config_map({"x": "1", "y": "1"}, annotations={LAST_APPLIED: last, "other": "o"})
    return created(obj, context("kubectl-client-side-apply"))


def test_kubectl_takes_what_it_applied_on_the_client_side():
    """No conflict on fields that are still as client-side apply left them."""
    live = client_side_applied()
    assert applied(live, config_map({"x": "2"}), context("kubectl"))["data"]["x"] == "2"
    assert refused(live, config_map({"x": "2"}), context("other"))
    live = patched(live, {"data": {"x": "3"}}, context("edit"))
    _, causes = refused(live, config_map({"x": "2", "y": "2"}), context("kubectl"))
    assert causes == [('conflict with "edit" using v1', ".data.x")]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"bogus": 1}'])
def test_a_broken_annotation_allows_nothing(text):
    """Only what client-side apply really wrote is taken without force."""
    live = created(config_map({"x": "1"}, annotations={LAST_APPLIED: text}), context("edit"))
    assert refused(live, config_map({"x": "2"}), context("kubectl"))


def test_kubectl_keeps_the_annotation_up_to_date():
    """The annotation is what was applied last, for clients that go back to client-side apply."""
    config = config_map({"x": "1", "y": "2"}, annotations={"mine": "m", LAST_APPLIED: "old"})
    live = applied(client_side_applied(), config, context("kubectl"), force=True)
    annotations = live["metadata"]["annotations"]
    assert annotations["other"] == "o"
    assert annotations[LAST_APPLIED] == (
        '{"apiVersion":"v1","data":{"x":"1","y":"2"},"kind":"ConfigMap",'
        '"metadata":{"annotations":{"mine":"m"},"name":"a"}}\n'
    )
    assert LAST_APPLIED not in applied(config_map(), config_map(), context("kubectl"))["metadata"]
    big = applied(client_side_applied(), config_map({"x": "1" * 300_000}), context("kubectl"))
    assert big["metadata"]["annotations"] == {"other": "o"}


SPECS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from("ab"),
        "replicas": st.integers(1, 2),
        "lst": st.lists(st.sampled_from("ab"), max_size=2),
        "set": st.lists(st.sampled_from("abc"), unique=True, min_size=1, max_size=3),
        "m": st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=2),
        "free": st.dictionaries(
            st.sampled_from("ab"), st.dictionaries(st.sampled_from("ab"), st.integers(1, 2))
        ),
        "vols": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from("abc")}, optional={"size": st.sampled_from("12")}
            ),
            unique_by=lambda each: each["name"],
            min_size=1,
            max_size=3,
        ),
    },
)
WRITES = st.lists(
    st.tuples(st.sampled_from(["m1", "m2"]), st.booleans(), SPECS), min_size=1, max_size=5
)


def write(live, manager, is_apply, spec):
    if is_apply:
        return applied(live, notebook(**spec), context(manager, NOTEBOOK), force=True)
    if live is None:
        return created(notebook(**spec), context(manager, NOTEBOOK))
    return patched(live, {"spec": spec}, context(manager, NOTEBOOK))


@given(WRITES)
def test_writes_keep_the_books(writes):
    """After any writes: what was applied is there, and applying it again is no change."""
    live = None
    for manager, is_apply, spec in writes:
        live = write(live, manager, is_apply, spec)
        assert "name" in live["metadata"]
        if is_apply:
            assert holds(spec, live.get("spec", {}))
            late = context(manager, NOTEBOOK, now=LATE)
            assert applied(live, notebook(**spec), late) == live
        assert all(fields for fields in owners(live).values())
        entries = live["metadata"].get("managedFields", [])
        assert entries == sorted(entries, key=lambda each: each["operation"])


def holds(wanted, found):
    """Whether all that was applied is there."""
    if isinstance(wanted, dict):
        return all(holds(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        by_name = {each["name"]: each for each in found}
        return all(holds(each, by_name[each["name"]]) for each in wanted)
    return wanted == found or (isinstance(wanted, list) and set(wanted) <= set(found))


@given(SPECS, SPECS)
def test_a_second_manager_without_force_changes_nothing_of_the_first(first, second):
    """Either it conflicts, or the first manager's values and fields are as before."""
    live = applied(None, notebook(**first), context("m1", NOTEBOOK))
    before = owners(live)
    try:
        after = applied(live, notebook(**second), context("m2", NOTEBOOK))
    except ConflictError:
        assert first
        return
    assert owners(after).get(("m1", "Apply")) == before.get(("m1", "Apply"))
    assert holds(first, after["spec"])
    gone = applied(after, {**notebook(), "spec": {}}, context("m2", NOTEBOOK))
    assert holds(first, gone.get("spec", {}))
    assert owners(gone).get(("m1", "Apply")) == before.get(("m1", "Apply"))


@given(SPECS, SPECS)
def test_a_forced_apply_leaves_no_field_to_both_with_different_values(first, second):
    """What the second manager changed is no longer the first one's."""
    live = applied(None, notebook(**first), context("m1", NOTEBOOK))
    after = applied(live, notebook(**second), context("m2", NOTEBOOK), force=True)
    books = owners(after)
    shared = intersection(
        books.get(("m1", "Apply"), {}).get("f:spec", {}),
        books.get(("m2", "Apply"), {}).get("f:spec", {}),
    )
    for key in ("type", "replicas", "lst"):
        both = f"f:{key}" in shared
        assert both is (key in first and first.get(key) == second.get(key))
    assert not is_empty(books.get(("m2", "Apply"), {"f:spec": {}}))
