"""What an object uses of a quota is what Kubernetes says it uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.quantity import Quantity
from llmos.apimachinery.quota import (
    evaluate,
    has_scopes,
    is_plain_count,
    matches_scopes,
    resource_of,
    total,
)
from llmos.apimachinery.resource import GroupResource

PODS = GroupResource("", "pods")
CLAIMS = GroupResource("", "persistentvolumeclaims")
SERVICES = GroupResource("", "services")


def container(requests: dict | None = None, limits: dict | None = None, **more) -> dict:
    return {"name": "c", "resources": {"requests": requests, "limits": limits}, **more}


def pod(*containers: dict, init: tuple = (), phase: str = "", **spec) -> dict:
    spec |= {"containers": list(containers), "initContainers": list(init)}
    return {"spec": spec, "status": {"phase": phase}}


def text(usage: dict) -> dict[str, str]:
    return {name: amount.canonical() for name, amount in sorted(usage.items()) if amount}


@pytest.mark.parametrize(
    ("resource", "obj", "usage"),
    [
        (GroupResource("apps", "deployments"), {}, {"count/deployments.apps": "1"}),
        (GroupResource("", "secrets"), {}, {"count/secrets": "1", "secrets": "1"}),
        (GroupResource("", "serviceaccounts"), {}, {"count/serviceaccounts": "1"}),
        (GroupResource("x.io", "secrets"), {}, {"count/secrets.x.io": "1"}),
        (PODS, pod(container()), {"count/pods": "1", "pods": "1"}),
        (PODS, pod(container({"cpu": "1"}), phase="Succeeded"), {"count/pods": "1"}),
        (PODS, pod(container({"cpu": "1"}), phase="Failed"), {"count/pods": "1"}),
        (
            PODS,
            pod(
                container({"cpu": "500m", "nvidia.com/gpu": "1"}, {"cpu": "1"}),
                container({"cpu": "0.7", "memory": "1Gi"}, {"memory": "2Gi"}),
            ),
            {
                "count/pods": "1",
                "cpu": "1200m",
                "limits.cpu": "1",
                "limits.memory": "2Gi",
                "memory": "1Gi",
                "pods": "1",
                "requests.cpu": "1200m",
                "requests.memory": "1Gi",
                "requests.nvidia.com/gpu": "1",
            },
        ),
        (
            PODS,
            pod(
                container({"cpu": "1"}),
                init=(
                    container({"cpu": "3"}),
                    container({"cpu": "1"}, restartPolicy="Always"),
                    container({"cpu": "1500m"}),
                ),
                overhead={"cpu": "250m"},
            ),
            {"count/pods": "1", "cpu": "3250m", "pods": "1", "requests.cpu": "3250m"},
        ),
        (
            PODS,
            pod(container({"cpu": "1"}), resources={"requests": {"cpu": "4"}}),
            {"count/pods": "1", "cpu": "4", "pods": "1", "requests.cpu": "4"},
        ),
        (
            CLAIMS,
            {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "4Gi"}}}},
            {
                "count/persistentvolumeclaims": "1",
                "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
                "fast.storageclass.storage.k8s.io/requests.storage": "4Gi",
                "persistentvolumeclaims": "1",
                "requests.storage": "4Gi",
            },
        ),
        (
            SERVICES,
            {"spec": {"type": "LoadBalancer", "ports": [{}, {}]}},
            {
                "count/services": "1",
                "services": "1",
                "services.loadbalancers": "1",
                "services.nodeports": "2",
            },
        ),
        (
            SERVICES,
            {"spec": {"type": "ClusterIP", "ports": [{}]}},
            {"count/services": "1", "services": "1"},
        ),
        (PODS, {"spec": None}, {"count/pods": "1", "pods": "1"}),
    ],
)
def test_evaluate(resource, obj, usage):
    """Objects count by resource; pods, claims and services also by what they ask for."""
    assert text(evaluate(resource, obj)) == usage


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("count/deployments.apps", GroupResource("apps", "deployments")),
        ("count/configmaps", GroupResource("", "configmaps")),
        ("secrets", GroupResource("", "secrets")),
        ("pods", PODS),
        ("cpu", PODS),
        ("limits.memory", PODS),
        ("requests.nvidia.com/gpu", PODS),
        ("hugepages-2Mi", PODS),
        ("requests.storage", CLAIMS),
        ("fast.storageclass.storage.k8s.io/requests.storage", CLAIMS),
        ("services.nodeports", SERVICES),
        ("bogus", None),
    ],
)
def test_resource_of(name, resource):
    """Every name of a quota says whose objects it counts."""
    assert resource_of(name) == resource


GREEDY = pod(container({"cpu": "1"}))
FREE = pod(container())


@pytest.mark.parametrize(
    ("spec", "resource", "obj", "matches"),
    [
        ({}, PODS, FREE, True),
        ({"scopes": ["BestEffort"]}, PODS, FREE, True),
        ({"scopes": ["BestEffort"]}, PODS, GREEDY, False),
        ({"scopes": ["NotBestEffort"]}, PODS, GREEDY, True),
        ({"scopes": ["BestEffort"]}, SERVICES, {}, False),
        ({"scopes": ["Terminating"]}, PODS, pod(activeDeadlineSeconds=0), True),
        ({"scopes": ["Terminating"]}, PODS, FREE, False),
        ({"scopes": ["NotTerminating", "BestEffort"]}, PODS, FREE, True),
        ({"scopes": ["NotTerminating", "BestEffort"]}, PODS, GREEDY, False),
        ({"scopes": ["Odd"]}, PODS, FREE, False),
    ],
)
def test_scopes(spec, resource, obj, matches):
    """A quota speaks only of objects that are in all its scopes."""
    quota = {"spec": spec}
    assert matches_scopes(quota, resource, obj) is matches
    assert has_scopes(quota) is bool(spec)


@pytest.mark.parametrize(
    ("operator", "values", "given_class", "matches"),
    [
        ("In", ["high"], "high", True),
        ("In", ["high"], "low", False),
        ("In", ["high"], "", False),
        ("NotIn", ["high"], "low", True),
        ("NotIn", ["high"], "high", False),
        ("Exists", [], "low", True),
        ("Exists", [], "", False),
        ("DoesNotExist", [], "", True),
        ("Odd", [], "low", False),
    ],
)
def test_priority_classes(operator, values, given_class, matches):
    """The selector compares the pod's priority class."""
    requirement = {"scopeName": "PriorityClass", "operator": operator, "values": values}
    quota = {"spec": {"scopeSelector": {"matchExpressions": [requirement]}}}
    obj = pod(priorityClassName=given_class)
    assert matches_scopes(quota, PODS, obj) is matches


def test_affinity_to_other_namespaces():
    """A hard or a soft term that names namespaces counts, one that does not, does not."""
    quota = {"spec": {"scopes": ["CrossNamespacePodAffinity"]}}
    hard = {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["x"]}]}
    soft = {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"podAffinityTerm": {"namespaceSelector": {}}}
        ]
    }
    own = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "x"}]}
    assert matches_scopes(quota, PODS, pod(affinity={"podAffinity": hard}))
    assert matches_scopes(quota, PODS, pod(affinity={"podAntiAffinity": soft}))
    assert not matches_scopes(quota, PODS, pod(affinity={"podAffinity": own}))


@given(st.lists(st.integers(0, 10**6), max_size=8))
def test_a_total_is_the_sum(millis):
    """Many pods use together what each of them uses."""
    pods = [pod(container({"cpu": f"{each}m"})) for each in millis]
    usage = total({}, PODS, pods)
    assert usage.get("requests.cpu", Quantity(0)).milli_value() == sum(millis)
    assert usage.get("pods", Quantity(0)).value() == len(millis)


def test_plain_counts():
    """Where the number of objects is the answer, and where it is not."""
    assert is_plain_count("count/pods")
    assert is_plain_count("secrets")
    assert not is_plain_count("pods")
    assert not is_plain_count("requests.storage")
