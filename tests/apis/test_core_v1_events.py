"""Events in both of their shapes."""

import pytest

from llmos.apis.core_v1_events import from_core, to_core
from support.builtin import KINDS, columns, create, texts

TIME = "2026-01-01T00:00:00Z"
NEW = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "n"},
    "eventTime": "2026-01-01T00:00:00.123456Z",
    "reportingController": "x.io/y",
    "reportingInstance": "i",
    "action": "Do",
    "reason": "R",
    "regarding": {"kind": "ConfigMap", "name": "c", "namespace": "team-a"},
    "note": "n",
    "type": "Normal",
}


def event(**fields: object) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "ConfigMap", "name": "c", "namespace": "team-a"},
        "reason": "Made",
        "message": "m\n",
        "type": "Normal",
        "source": {"component": "comp", "host": "h"},
        "count": 3,
        "firstTimestamp": TIME,
        "lastTimestamp": TIME,
        **fields,
    }


def test_an_event_is_stored_with_gos_zero_values() -> None:
    """Fields that Go always writes are there."""
    stored, errors = create(event())
    assert errors == []
    assert stored["eventTime"] is None
    assert (stored["reportingComponent"], stored["reportingInstance"]) == ("", "")
    bare, _ = create({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}})
    assert bare["involvedObject"] == {}
    assert bare["source"] == {}
    assert bare["firstTimestamp"] is None


@pytest.mark.parametrize(
    ("involved", "namespace", "fine"),
    [
        ("team-a", "team-a", True),
        ("other", "team-a", False),
        ("", "team-a", False),
        ("", "default", True),
    ],
)
def test_an_event_is_where_its_object_is(involved: str, namespace: str, fine: bool) -> None:
    """Events of cluster-wide objects are in ``default``."""
    _, errors = create(event(involvedObject={"kind": "X", "namespace": involved}), namespace)
    expected = (
        f'involvedObject.namespace: Invalid value: "{involved}": does not match event.namespace'
    )
    assert texts(errors) == ([] if fine else [expected])


def test_an_event_with_a_time_says_everything() -> None:
    """An event of the new kind names its controller, instance, action and reason."""
    obj = event(eventTime="2026-01-01T00:00:00.000000Z", reason="", action="x" * 129)
    assert texts(create(obj)[1]) == [
        'action: Invalid value: "": can have at most 128 characters',
        "reason: Required value",
        "reportingController: Required value",
        "reportingInstance: Required value",
    ]


def test_the_newer_shape_needs_a_time_and_a_type() -> None:
    """An event of events.k8s.io without them is refused as kube-apiserver does."""
    assert create(NEW)[1] == []
    bad = {key: NEW[key] for key in ("apiVersion", "kind", "metadata", "reason", "regarding")}
    assert texts(create(bad)[1]) == [
        "eventTime: Required value",
        'type: Invalid value: "": has invalid value: ',
    ]


def test_both_shapes_are_one_object() -> None:
    """Renaming there and back loses nothing, and each shape has its own names."""
    stored, _ = create(event())
    new = from_core(stored)
    assert new["apiVersion"] == "events.k8s.io/v1"
    assert new["regarding"] == stored["involvedObject"]
    assert (new["note"], new["deprecatedCount"]) == ("m\n", 3)
    assert new["deprecatedSource"] == {"component": "comp", "host": "h"}
    assert to_core(new) == stored


def test_fields_of_events() -> None:
    """Selectors by object, reason and source work in both shapes."""
    stored, _ = create(event())
    core, new = KINDS["", "Event"].strategy, KINDS["events.k8s.io", "Event"].strategy
    values = core.fields(stored)
    assert set(values) == set(core.field_names)
    assert values["involvedObject.name"] == "c"
    assert (values["source"], values["reportingComponent"]) == ("comp", "")
    others = new.fields(from_core(stored))
    assert set(others) == set(new.field_names)
    assert others["regarding.namespace"] == "team-a"


def test_columns_of_events() -> None:
    """Both shapes print alike."""
    stored, _ = create(event())
    expected = {
        "Last Seen": "5s",
        "Type": "Normal",
        "Reason": "Made",
        "Object": "configmap/c",
        "Subobject": "",
        "Source": "comp, h",
        "Message": "m",
        "First Seen": "5s",
        "Count": 3,
        "Name": "e",
    }
    assert columns(stored) == expected
    assert columns(from_core(stored)) == expected
