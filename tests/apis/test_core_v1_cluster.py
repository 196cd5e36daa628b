"""Nodes, volumes, services and accounts, as Kubernetes takes them."""

import pytest

from support.builtin import columns, create, kind_of, texts, update, update_status


def core(kind: str, **fields: object) -> dict:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, **fields}


def created(obj: dict) -> dict:
    stored, errors = create(obj)
    assert texts(errors) == []
    return stored


def claim(**spec: object) -> dict:
    whole = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        **spec,
    }
    return core("PersistentVolumeClaim", spec=whole)


def service(**spec: object) -> dict:
    return core("Service", spec=spec)


def test_a_new_node_takes_no_pods_yet() -> None:
    """The taint is there, other taints stay, and the status is empty in Go's way."""
    stored = created(core("Node"))
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    assert stored["spec"]["taints"] == [taint]
    assert stored["status"]["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 0}}
    assert stored["status"]["nodeInfo"]["kubeletVersion"] == ""
    again = created(core("Node", spec={"taints": [taint]}))
    assert again["spec"]["taints"] == [taint]


def test_a_node_is_printed() -> None:
    """Readiness, cordon, roles and addresses show."""
    stored = created(core("Node", spec={"unschedulable": True}))
    stored["metadata"]["labels"] = {
        "node-role.kubernetes.io/worker": "",
        "kubernetes.io/role": "gpu",
    }
    assert columns(stored)["Status"] == "Unknown,SchedulingDisabled"
    ready, _ = update_status(
        {
            "capacity": {"cpu": "4"},
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "nodeInfo": {"kubeletVersion": "v1"},
        },
        stored,
    )
    assert ready["status"]["allocatable"] == {"cpu": "4"}
    assert columns(ready) == {
        "Name": "x",
        "Status": "Ready,SchedulingDisabled",
        "Roles": "gpu,worker",
        "Age": "5s",
        "Version": "v1",
        "Internal-IP": "10.0.0.1",
        "External-IP": "<none>",
        "OS-Image": "<unknown>",
        "Kernel-Version": "<unknown>",
        "Container-Runtime": "<unknown>",
    }
    assert kind_of(ready).strategy.fields(ready) == {"spec.unschedulable": "true"}


def test_taints_of_a_node_are_checked() -> None:
    """A taint has a key and an effect that exists, and is there once."""
    taints = [{"key": "a", "effect": "Nope"}, {"key": "b"}, {"key": "a", "effect": "Nope"}]
    found = texts(create(core("Node", spec={"taints": taints}))[1])
    assert sorted(each.split(": ")[0] for each in found) == [
        "metadata.taints[0].effect",
        "metadata.taints[1].effect",
        "metadata.taints[2]",
        "metadata.taints[2].effect",
    ]


CLAIM_ERRORS = {
    "no modes": (
        {"accessModes": []},
        "spec.accessModes: Required value: at least 1 access mode is required",
    ),
    "unknown mode": (
        {"accessModes": ["Foo"]},
        (
            'spec.accessModes: Unsupported value: "Foo": supported values: "ReadOnlyMany", '
            '"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
        ),
    ),
    "no request": ({"resources": {}}, "spec.resources[storage]: Required value"),
    "zero": (
        {"resources": {"requests": {"storage": "0"}}},
        'spec.resources[storage]: Invalid value: "0": must be greater than zero',
    ),
}


@pytest.mark.parametrize("case", CLAIM_ERRORS)
def test_claim_errors(case: str) -> None:
    """A claim says how it is used and how much it wants."""
    spec, expected = CLAIM_ERRORS[case]
    assert texts(create(claim(**spec))[1]) == [expected]


def test_a_claim_is_protected_pending_and_printed() -> None:
    """Defaults of a new claim, and its columns before it is bound and after."""
    stored = created(claim(storageClassName="std"))
    assert stored["spec"]["volumeMode"] == "Filesystem"
    assert stored["status"] == {"phase": "Pending"}
    assert stored["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert columns(stored) == {
        "Name": "x",
        "Status": "Pending",
        "Volume": "",
        "Capacity": "",
        "Access Modes": "",
        "StorageClass": "std",
        "VolumeAttributesClass": "<unset>",
        "Age": "5s",
        "VolumeMode": "Filesystem",
    }
    bound = {
        **stored,
        "spec": {**stored["spec"], "volumeName": "pv1"},
        "status": {
            "phase": "Bound",
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
        },
    }
    shown = columns(bound)
    assert (shown["Status"], shown["Capacity"], shown["Access Modes"]) == (
        "Bound",
        "1Gi",
        "RWO,RWX",
    )


def test_an_unbound_claim_does_not_change() -> None:
    """The refusal shows the difference as Kubernetes' internal type prints it."""
    old = created(claim())
    resources = {"requests": {"storage": "2Gi"}}
    _, errors = update(claim(resources=resources), old)
    assert [each.message for each in errors] == [
        (
            "Forbidden: spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName for bound claims\n"
            '@@ -6,7 +6,7 @@\n  "Resources": {\n   "Limits": null,\n   "Requests": {\n'
            '-   "storage": "1Gi"\n+   "storage": "2Gi"\n   }\n  },\n  "VolumeName": "",\n'
        )
    ]
    assert update(claim(volumeName="pv1"), old)[1] == []
    bound = {**old, "status": {"phase": "Bound"}}
    assert update(claim(resources=resources), bound)[1] == []
    bound["spec"]["resources"] = resources
    assert [each.field for each in update(claim(), bound)[1]] == ["spec.resources.requests.storage"]


def test_a_volume_has_a_capacity_and_defaults() -> None:
    """A volume is retained and a file system unless it says otherwise."""
    stored = created(
        core(
            "PersistentVolume",
            spec={
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/x"},
            },
        )
    )
    assert stored["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert columns(stored)["Access Modes"] == "RWO"
    assert columns(stored)["Status"] == "Pending"
    found = texts(create(core("PersistentVolume", spec={}))[1])
    assert found == ["spec.accessModes: Required value", "spec.capacity: Required value"]


def test_a_service_is_defaulted_and_printed() -> None:
    """Type, ports, families and policies come in; a headless one stays headless."""
    stored = created(service(clusterIP="None", ports=[{"port": 80}], selector={"a": "b"}))
    assert stored["spec"] == {
        "ports": [{"protocol": "TCP", "port": 80, "targetPort": 80}],
        "selector": {"a": "b"},
        "clusterIP": "None",
        "clusterIPs": ["None"],
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
    }
    assert stored["status"] == {"loadBalancer": {}}
    assert columns(stored) == {
        "Name": "x",
        "Type": "ClusterIP",
        "Cluster-IP": "None",
        "External-IP": "<none>",
        "Port(s)": "80/TCP",
        "Age": "5s",
        "Selector": "a=b",
    }
    new, errors = update(service(ports=[{"port": 81}]), stored)
    assert errors == []
    assert new["spec"]["clusterIP"] == "None"


SERVICE_ERRORS = {
    "no ports": ({}, ["spec.ports: Required value"]),
    "unnamed ports": (
        {"ports": [{"port": 80}, {"port": 81}]},
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    "port zero": (
        {"ports": [{"port": 0}]},
        ["spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    ),
    "port twice": (
        {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
        ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
    ),
    "no external name": ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
}


@pytest.mark.parametrize("case", SERVICE_ERRORS)
def test_service_errors(case: str) -> None:
    """Ports are named, numbered and there once."""
    spec, expected = SERVICE_ERRORS[case]
    assert texts(create(service(**spec))[1]) == expected


def test_endpoints_show_the_first_few() -> None:
    """More than three addresses are counted."""
    addresses = [{"ip": f"10.0.0.{each}"} for each in range(5)]
    stored = created(core("Endpoints", subsets=[{"addresses": addresses, "ports": [{"port": 80}]}]))
    shown = columns(stored)["Endpoints"]
    assert shown == "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."


def test_a_service_account_is_plain() -> None:
    """Nothing is added, and its columns are name and age."""
    stored = created(core("ServiceAccount"))
    assert set(stored) == {"apiVersion", "kind", "metadata"}
    assert columns(stored) == {"Name": "x", "Age": "5s"}
