"""The control plane that the other tests here stand on is a real one, whole and new enough."""

import ssl

import pytest

from contract.replay import Connection, Replay, Scenario, scenarios
from support.controlplane import ALICE_TOKEN, ControlPlane
from support.controlplane_binaries import kubernetes_version
from support.kubectl import Kubectl
from support.objects import config_map, namespace
from support.session import Session
from support.waiting import wait_until

RECORDED = [each for each in scenarios() if each["id"] in ("cm", "ssa", "crd", "cr")]
NAMED_BY_THE_BUILD = " in scheme "
"""Kubernetes names a line of its own source there, and every way to build it names another."""
WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer, maximum: 5}}}}
"""
WIDGET = """
apiVersion: example.com/v1
kind: Widget
metadata: {{name: one}}
spec: {{size: {size}}}
"""


@pytest.fixture
def root(operator: Session) -> Session:
    """The cluster's own administrator."""
    return operator


def test_says_its_version(root: Session) -> None:
    """The version is a release's, because clients read it as one."""
    assert root.get("/version").json()["gitVersion"] == kubernetes_version()


def test_stores_new_enough_to_stream_lists(root: Session) -> None:
    """A watch begins with what is there and says where that ends; an old etcd cannot do that."""
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    with root.watch("/api/v1/namespaces", **query) as watch:
        wait_until(lambda: ("BOOKMARK", "") in watch.seen(), 10)
    assert "default" in watch.shown()


def test_rbac_is_in_force(plane: ControlPlane) -> None:
    """A user without a role may read nothing, and nobody passes for a user without his token."""
    alice, nobody = plane.session("alice", ALICE_TOKEN), plane.session("nobody", "a-wrong-token")
    assert alice.get("/api/v1/namespaces/default/configmaps").status_code == 403
    assert nobody.get("/api/v1/namespaces/default/configmaps").status_code == 401
    alice.close()
    nobody.close()


def test_controllers_take_a_namespace_away(root: Session) -> None:
    """What a namespace needs is made in it, and a deleted one goes with all that is in it."""
    assert root.create("/api/v1/namespaces", namespace("short")).status_code == 201
    path = "/api/v1/namespaces/short"
    account, certificates = f"{path}/serviceaccounts/default", f"{path}/configmaps/kube-root-ca.crt"
    wait_until(lambda: root.may(account) and root.may(certificates), 10)
    assert root.create(f"{path}/configmaps", config_map("one")).status_code == 201
    assert root.delete(path).status_code == 200
    wait_until(lambda: root.get(path).status_code == 404, 20)


def test_kubectl_works_on_it(plane: ControlPlane, root: Session, kubectl: Kubectl) -> None:
    """A namespace, a ConfigMap, a custom kind and its objects, which the schema checks."""
    assert kubectl(root, "create", "namespace", "tools").ok()
    assert kubectl(root, "create", "configmap", "one", "--from-literal=a=b", namespace="tools").ok()
    assert kubectl(root, "apply", "-f", "-", stdin=WIDGETS).ok()
    crd = "crd/widgets.example.com"
    assert kubectl(root, "wait", "--for=condition=Established", "--timeout=20s", crd).ok()
    small, large = WIDGET.format(size=3), WIDGET.format(size=6)
    assert kubectl(root, "apply", "-f", "-", stdin=small, namespace="tools").ok()
    refused = kubectl(root, "apply", "-f", "-", stdin=large, namespace="tools")
    refused.refused("should be less than or equal to 5")
    listed = kubectl(root, "get", "widgets", "-o", "name", namespace="tools").ok()
    assert listed.split() == ["widget.example.com/one"]


@pytest.mark.parametrize("scenario", RECORDED, ids=lambda each: each["id"])
def test_answers_are_as_recorded(scenario: Scenario, plane: ControlPlane) -> None:
    """What the contract tests hold our own server to is what this one answers."""
    connection = Connection(plane.url, ssl.create_default_context(cafile=str(plane.ca_file)))
    replay = Replay(connection)
    steps = scenario["steps"]
    found = [f"{each['id']}{line}" for each in steps for line in replay.differences(each)]
    connection.close()
    assert not [each for each in found if NAMED_BY_THE_BUILD not in each]
