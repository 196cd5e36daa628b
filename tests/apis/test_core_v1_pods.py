"""Pods: defaults, quality of service, what is refused, what may change, and how they print."""

import pytest

from llmos.apis.core_v1_pods import qos_class
from support.builtin import columns, create, kind_of, texts, update


def pod(*containers: dict, **spec: object) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": list(containers) or [container()], **spec},
    }


def container(name: str = "c", image: str = "i", **more: object) -> dict:
    return {"name": name, "image": image, **more}


def created(obj: dict) -> dict:
    stored, errors = create(obj)
    assert texts(errors) == []
    return stored


def test_a_pod_gets_kubernetes_defaults() -> None:
    """What every pod has when nothing is said."""
    stored = created(pod(container(resources={"limits": {"cpu": "100m", "memory": "1Mi"}})))
    spec = stored["spec"]
    assert spec["restartPolicy"] == "Always"
    assert spec["dnsPolicy"] == "ClusterFirst"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["schedulerName"] == "default-scheduler"
    assert spec["securityContext"] == {}
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert [each["key"] for each in spec["tolerations"]] == [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]
    first = spec["containers"][0]
    assert first["imagePullPolicy"] == "Always"
    assert first["terminationMessagePath"] == "/dev/termination-log"
    assert first["resources"]["requests"] == {"cpu": "100m", "memory": "1Mi"}
    assert stored["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("registry:5000/nginx", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("registry:5000/nginx:1.2", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
    ],
)
def test_images_without_a_fixed_tag_are_always_pulled(image: str, policy: str) -> None:
    """A port of the registry is not a tag."""
    stored = created(pod(container(image=image)))
    assert stored["spec"]["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}, "Burstable"),
        (
            {
                "limits": {"cpu": "1", "memory": "1Gi"},
                "requests": {"cpu": "1", "memory": "1Gi"},
            },
            "Guaranteed",
        ),
    ],
)
def test_quality_of_service(resources: dict, expected: str) -> None:
    """Guaranteed asks for exactly its limits of both cpu and memory."""
    assert qos_class({"containers": [{"resources": resources}]}) == expected


ERRORS = {
    "no containers": (
        {**pod(), "spec": {"containers": []}},
        ["spec.containers: Required value"],
    ),
    "no image": (pod(container(image="")), ["spec.containers[0].image: Required value"]),
    "name twice": (
        pod(container(), initContainers=[container()]),
        ['spec.containers[0].name: Duplicate value: "c"'],
    ),
    "restart policy": (
        pod(restartPolicy="Sometimes"),
        [
            (
                'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", '
                '"OnFailure", "Never"'
            )
        ],
    ),
    "request over limit": (
        pod(container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": "2"}})),
        [
            (
                'spec.containers[0].resources.requests: Invalid value: "2": must be less than or '
                "equal to cpu limit of 1"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    """What no kubelet could run is refused."""
    obj, expected = ERRORS[case]
    assert texts(create(obj)[1]) == expected


def test_only_images_and_a_few_fields_change() -> None:
    """The spec of a pod is fixed, except its images and what Kubernetes lists."""
    old = created(pod())
    spec = {**old["spec"], "containers": [{**old["spec"]["containers"][0], "image": "j"}]}
    assert update({**old, "spec": {**spec, "activeDeadlineSeconds": 5}}, old)[1] == []
    _, errors = update({**old, "spec": {**spec, "hostNetwork": True}}, old)
    assert errors[0].field == "spec"
    assert errors[0].message.startswith("Forbidden: pod updates may not change fields other than")


def test_fields_of_a_pod() -> None:
    """Selectors find pods by node and phase."""
    stored = created(pod(nodeName="n1", hostNetwork=True))
    values = kind_of(stored).strategy.fields(stored)
    assert values["spec.nodeName"] == "n1"
    assert values["status.phase"] == "Pending"
    assert values["spec.hostNetwork"] == "true"
    assert set(values) == set(kind_of(stored).strategy.field_names)


STATUSES = (
    ({"phase": "Pending"}, {"Ready": "0/1", "Status": "Pending", "Restarts": "0"}),
    (
        {
            "phase": "Running",
            "podIP": "10.0.0.9",
            "containerStatuses": [{"ready": True, "restartCount": 2, "state": {"running": {}}}],
        },
        {"Ready": "1/1", "Status": "Running", "Restarts": "2", "IP": "10.0.0.9"},
    ),
    (
        {
            "phase": "Running",
            "containerStatuses": [
                {
                    "restartCount": 3,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"finishedAt": "2026-01-01T00:00:00Z"}},
                }
            ],
        },
        {"Ready": "0/1", "Status": "CrashLoopBackOff", "Restarts": "3 (5s ago)"},
    ),
    (
        {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]},
        {"Status": "ExitCode:3"},
    ),
    (
        {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"signal": 9}}}]},
        {"Status": "Signal:9"},
    ),
    ({"phase": "Failed", "reason": "Evicted"}, {"Status": "Evicted"}),
)


@pytest.mark.parametrize(("status", "expected"), STATUSES)
def test_columns(status: dict, expected: dict) -> None:
    """The status column says what is the matter."""
    shown = columns({**created(pod()), "status": status})
    assert {key: shown[key] for key in expected} == expected


def test_a_deleted_pod_is_terminating() -> None:
    """Deletion shows, unless the pod has ended anyway."""
    stored = created(pod())
    stored["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert columns(stored)["Status"] == "Terminating"
    assert columns({**stored, "status": {"phase": "Succeeded"}})["Status"] == "Succeeded"
    assert columns({**stored, "status": {"reason": "NodeLost"}})["Status"] == "Unknown"
