"""What is moved of an object, and when two of them agree."""

from typing import Any

import pytest

from llmos.portability.agreement import differences
from llmos.portability.portable import ORIGIN, origin_of, portable
from llmos.portability.selection import is_made_again, is_over, living_subjects
from llmos.portability.strangers import People
from portability.test_stream import obj
from support.objects import Object


def test_what_a_server_wrote_stays_behind() -> None:
    """Versions, times, owners' uids, status, finalizers."""
    found = obj("ConfigMap", "a", "team", data={"k": "v"}, status={"x": 1})
    owner = {"apiVersion": "v1", "kind": "Secret", "name": "s"}
    found["metadata"] |= {
        "uid": "1", "resourceVersion": "2", "creationTimestamp": "2026-01-01T00:00:00Z",
        "generation": 3, "managedFields": [{}], "finalizers": ["f"],
        "labels": {"a": "b"}, "ownerReferences": [{**owner, "uid": "9"}],
    }  # fmt: skip
    meta = {"name": "a", "namespace": "team", "labels": {"a": "b"}, "ownerReferences": [owner]}
    assert portable(found) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta,
        "data": {"k": "v"},
    }
    assert found["metadata"]["uid"] == "1"


def test_a_kind_of_another_group_keeps_what_it_has() -> None:
    """It is only called as one of Kubernetes."""
    spec = {"clusterIP": "10.0.0.1", "volumeName": "v", "nodeName": "n"}
    for kind in ("Service", "PersistentVolumeClaim", "Pod"):
        assert portable(obj(kind, "x", "team", api="example.com/v1", spec=spec))["spec"] == spec
        assert portable(obj(kind, "x", "team", spec=dict(spec)))["spec"] != spec


def test_the_origin_is_the_first_uid() -> None:
    """However often somebody moves; those whom every server has have none."""
    user = obj("User", "alice", api="management.llmos.ai/v1")
    user["metadata"]["uid"] = "1"
    first = portable(user)
    assert origin_of(first) == "1" == first["metadata"]["annotations"][ORIGIN]
    there = {**first, "metadata": {**first["metadata"], "uid": "2"}}
    assert portable(there) == first
    admin = obj("User", "admin", api="management.llmos.ai/v1")
    admin["metadata"]["uid"] = "1"
    assert portable(admin)["metadata"] == {"name": "admin"}


def test_who_granted_a_role_stays_behind() -> None:
    """Where it arrives, the name may be somebody else's; other annotations come along."""
    binding = obj("RoleTemplateBinding", "b", api="management.llmos.ai/v1")
    binding["metadata"]["annotations"] = {"llmos.ai/granted-by": "alice", "a": "b"}
    assert portable(binding)["metadata"]["annotations"] == {"a": "b"}


def test_an_account_is_free_of_its_user_s_uid() -> None:
    """It is tied again where it arrives; a Secret of a user is as it is."""
    data = {"userUID": "MQ==", "user": "eA=="}
    assert portable(obj("Secret", "p", "llmos-system", data=data))["data"] == {"user": "eA=="}
    assert portable(obj("Secret", "p", "team", data=data))["data"] == data


def test_pods_are_free_of_their_node() -> None:
    """And of what admission put in."""
    spec: Any = {
        "nodeName": "n", "priority": 0,
        "containers": [
            {"name": "c", "volumeMounts": [{"name": "kube-api-access-x"}, {"name": "v"}]}
        ],
        "volumes": [{"name": "kube-api-access-x"}, {"name": "v"}],
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists",
                         "effect": "NoExecute", "tolerationSeconds": 300}],
    }  # fmt: skip
    assert portable(obj("Pod", "p", "team", spec=spec))["spec"] == {
        "containers": [{"name": "c", "volumeMounts": [{"name": "v"}]}],
        "volumes": [{"name": "v"}],
    }


def condition(kind: str) -> Object:
    return {"conditions": [{"type": kind, "status": "True"}]}


@pytest.mark.parametrize(
    ("found", "again"),
    [
        (obj("ConfigMap", "kube-root-ca.crt", "t"), True),
        (obj("ConfigMap", "other", "t"), False),
        (obj("ServiceAccount", "default", "t"), True),
        (obj("ServiceAccount", "default", "t", imagePullSecrets=[{"name": "x"}]), False),
        (obj("ServiceAccount", "robot", "t"), False),
        (obj("Secret", "x", "t", type="kubernetes.io/service-account-token"), True),
        (obj("Service", "kubernetes", "default"), True),
        (obj("Service", "kubernetes", "t"), False),
        (obj("Pod", "p", "t", status={"phase": "Succeeded"}), True),
        (obj("Pod", "p", "t", status={"phase": "Running"}), False),
        (obj("Job", "j", "t", api="batch/v1", status=condition("Failed")), True),
        (obj("Job", "j", "t", api="batch/v1", status=condition("Suspended")), False),
        (obj("Endpoints", "svc", "t"), True),
        (obj("Endpoints", "by-hand", "t"), False),
        (obj("Pod", "p", "t", api="example.com/v1", status={"phase": "Failed"}), False),
    ],
)
def test_what_is_made_again(found: Object, *, again: bool) -> None:
    """Or would run once more."""
    assert is_made_again(found, {("t", "svc")}) is again


def binding(**more: Any) -> Object:
    subjects = [{"kind": "User", "name": "alice"}, {"kind": "User", "name": "gone"}]
    return obj("RoleTemplateBinding", "b", api="management.llmos.ai/v1", subjects=subjects, **more)


RECORDED = {"subjects": [{"kind": "User", "name": each, "uid": "1"} for each in ("alice", "gone")]}


def test_who_is_gone_is_no_member_any_more() -> None:
    """Nor is who came later under the name."""
    moved = living_subjects(binding(status=RECORDED), {"alice": "1", "gone": "2"})
    assert [each["name"] for each in moved] == ["alice"]


@pytest.mark.parametrize(
    ("more", "over"),
    [
        ({"namespaceId": "team"}, False),
        ({"namespaceId": "team", "status": {"namespaceUID": "7"}}, False),
        ({"namespaceId": "team", "status": {"namespaceUID": "6"}}, True),
        ({"namespaceId": "unknown"}, True),
        ({"expiresAt": "1970-01-01T00:01:40Z"}, True),
        ({"expiresAt": "1970-01-01T00:01:41Z"}, False),
        ({"expiresAt": "soon"}, True),
        ({}, False),
        ({"subjects": []}, True),
    ],
)
def test_what_is_over_is_not_moved(more: Object, *, over: bool) -> None:
    """It would come into force over there."""
    assert is_over({**binding(), **more}, {"alice": "1"}, {"team": "7"}, 100.0) is over


def test_strangers_get_nothing() -> None:
    """By their names or by their groups; what everybody has is not theirs alone."""
    people = People()
    spec = {"groups": ["vision"]}
    for name in ("alice", "dan"):
        people.meet([obj("User", name, api="management.llmos.ai/v1", spec=spec)])
    people.recognize("alice", "1")
    for kind, name, refused in (
        ("User", "alice", False),
        ("User", "dan", True),
        ("User", "unknown", False),
        ("Group", "vision", True),
        ("Group", "others", False),
        ("Group", "llmos:users", False),
        ("ServiceAccount", "dan", False),
    ):
        found = people.why_not_bound({"subjects": [{"kind": kind, "name": name}]})
        assert bool(found) is refused, (kind, name)
    people.miss("unknown")
    assert people.why_not_bound({"subjects": [{"kind": "User", "name": "unknown"}]})


def test_differences_say_where_and_never_what() -> None:
    """Values may be secret."""
    wanted = {"data": {"a": "secret-1", "b": "x"}, "spec": {"list": [1, 2], "same": [{"k": 1}]}}
    found = {
        "data": {"a": "secret-2", "c": "y"},
        "spec": {"list": [1], "same": [{"k": 1}], "more": 1},
    }
    assert [tuple(each) for each in differences(wanted, found)] == [
        ("data.a", False),
        ("data.b", False),
        ("data.c", True),
        ("spec.list", False),
        ("spec.more", True),
    ]
