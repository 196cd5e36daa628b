"""Everyday work with the official Python client: typed, dynamic, watch."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.objects import model_service, notebook
from support.session import Session
from support.teams import Teams
from support.waiting import wait_until

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

NOTEBOOKS = ("ml.llmos.ai", "v1")


@contextmanager
def connected(session: Session, directory: Path) -> Iterator["ApiClient"]:
    """The client, set up from a kubeconfig as its documentation says."""
    from kubernetes import config

    with config.new_client_from_config(str(session.kubeconfig(directory))) as client:
        yield client


@pytest.fixture
def alice(foreign: None, teams: Teams, tmp_path: Path) -> Iterator["ApiClient"]:
    """Alice's client."""
    with connected(teams.alice, tmp_path) as client:
        yield client


def refused(call: Callable[[], object]) -> tuple[int, str]:
    """The status and reason of a call that fails."""
    from kubernetes.client import ApiException

    with pytest.raises(ApiException) as caught:
        call()
    return caught.value.status, caught.value.reason


def test_typed_core(alice: "ApiClient", teams: Teams) -> None:
    """ConfigMaps: create, read, replace, patch, list with a selector, delete."""
    from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta

    api, where = CoreV1Api(alice), teams.vision
    meta = V1ObjectMeta(name="typed", labels={"stage": "test"})
    api.create_namespaced_config_map(where, V1ConfigMap(metadata=meta, data={"mode": "fast"}))
    read = api.read_namespaced_config_map("typed", where)
    assert read.data == {"mode": "fast"}
    assert read.metadata.creation_timestamp.tzinfo is not None
    read.data["mode"] = "slow"
    replaced = api.replace_namespaced_config_map("typed", where, read)
    assert replaced.metadata.resource_version != read.metadata.resource_version
    patched = api.patch_namespaced_config_map("typed", where, {"data": {"more": "yes"}})
    assert patched.data == {"mode": "slow", "more": "yes"}
    listed = api.list_namespaced_config_map(where, label_selector="stage=test")
    assert [each.metadata.name for each in listed.items] == ["typed"]
    assert api.delete_namespaced_config_map("typed", where)["status"] == "Success"
    gone = refused(lambda: api.read_namespaced_config_map("typed", where))
    assert gone == (404, "Not Found")


def test_typed_namespaces_are_narrowed(alice: "ApiClient", teams: Teams) -> None:
    """Namespaces are listed as far as one may see them, and not created."""
    from kubernetes.client import CoreV1Api, V1Namespace, V1ObjectMeta

    api = CoreV1Api(alice)
    names = [each.metadata.name for each in api.list_namespace().items]
    assert sorted(names) == sorted([teams.vision, "llmos-public"])
    mine = V1Namespace(metadata=V1ObjectMeta(name="mine"))
    assert refused(lambda: api.create_namespace(mine))[0] == 403
    assert refused(lambda: api.list_namespaced_secret(teams.speech))[0] == 403


def test_typed_apps(alice: "ApiClient", teams: Teams) -> None:
    """A Deployment keeps what the model classes say, defaults included."""
    from kubernetes import client

    api = client.AppsV1Api(alice)
    labels = {"app": "web"}
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name="web", image="nginx:1.27")]),
    )
    selector = client.V1LabelSelector(match_labels=labels)
    spec = client.V1DeploymentSpec(replicas=2, selector=selector, template=template)
    body = client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec)
    made = api.create_namespaced_deployment(teams.vision, body)
    assert made.spec.strategy.type == "RollingUpdate"
    assert made.metadata.generation == 1
    changed = api.patch_namespaced_deployment(
        "web", teams.vision, {"spec": {"template": {"spec": {"containers": [
            {"name": "web", "image": "nginx:1.28"}]}}}},
    )  # fmt: skip
    assert [each.image for each in changed.spec.template.spec.containers] == ["nginx:1.28"]
    assert changed.metadata.generation == 2
    api.delete_namespaced_deployment("web", teams.vision)


def test_typed_custom_objects(alice: "ApiClient", teams: Teams) -> None:
    """Notebooks through the API for custom objects."""
    from kubernetes.client import CustomObjectsApi

    api, where = CustomObjectsApi(alice), (*NOTEBOOKS, teams.vision, "notebooks")
    api.create_namespaced_custom_object(*where, notebook("custom"))
    names = {
        each["metadata"]["name"] for each in api.list_namespaced_custom_object(*where)["items"]
    }
    assert "custom" in names
    label = {"metadata": {"labels": {"stage": "test"}}}
    patched = api.patch_namespaced_custom_object(*where, "custom", label)
    assert patched["metadata"]["labels"] == {"stage": "test"}
    everywhere = api.list_cluster_custom_object(*NOTEBOOKS, "notebooks")
    assert {each["metadata"]["namespace"] for each in everywhere["items"]} <= {
        teams.vision,
        "llmos-public",
    }
    api.delete_namespaced_custom_object(*where, "custom")


def test_reviews(alice: "ApiClient", teams: Teams) -> None:
    """What one may do is asked with typed reviews."""
    from kubernetes import client

    api = client.AuthorizationV1Api(alice)

    def may(verb: str, where: str) -> bool:
        asked = client.V1ResourceAttributes(
            namespace=where, verb=verb, group="ml.llmos.ai", resource="notebooks"
        )
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked)
        review = client.V1SelfSubjectAccessReview(spec=spec)
        return bool(api.create_self_subject_access_review(review).status.allowed)

    assert may("create", teams.vision)
    assert not may("create", teams.speech)


def test_dynamic(alice: "ApiClient", teams: Teams, tmp_path: Path) -> None:
    """The dynamic client discovers kinds, and creates, applies, gets, lists and deletes."""
    from kubernetes.dynamic import DynamicClient
    from kubernetes.dynamic.exceptions import ForbiddenError

    client = DynamicClient(alice, cache_file=str(tmp_path / "discovery.json"))
    api = client.resources.get(api_version="ml.llmos.ai/v1", kind="ModelService")
    assert api.namespaced
    made = api.create(body=model_service("dynamic"), namespace=teams.vision)
    assert made.spec.replicas == 1
    applied = api.server_side_apply(
        body=model_service("dynamic", "Qwen/Qwen3-0.6B"),
        namespace=teams.vision,
        field_manager="dynamic",
        force_conflicts=True,
    )
    assert applied.spec.model == "Qwen/Qwen3-0.6B"
    assert "dynamic" in [each.metadata.name for each in api.get(namespace=teams.vision).items]
    api.delete(name="dynamic", namespace=teams.vision)
    with pytest.raises(ForbiddenError):
        api.get(namespace=teams.speech)


def test_watch(alice: "ApiClient", teams: Teams, tmp_path: Path) -> None:
    """A watch gives typed objects: ADDED, MODIFIED, DELETED, and ends when it is told to."""
    from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta
    from kubernetes.watch import Watch

    seen: list[tuple[str, str]] = []

    def follow() -> None:
        with connected(teams.alice, tmp_path) as client:
            api = CoreV1Api(client)
            for event in Watch().stream(
                api.list_namespaced_config_map, teams.vision, timeout_seconds=20
            ):
                seen.append((event["type"], event["object"].metadata.name))
                if seen[-1] == ("DELETED", "watched"):
                    return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    api = CoreV1Api(alice)
    wait_until(lambda: ("ADDED", "kube-root-ca.crt") in seen, 10)
    body = V1ConfigMap(metadata=V1ObjectMeta(name="watched"), data={"a": "b"})
    api.create_namespaced_config_map(teams.vision, body)
    api.patch_namespaced_config_map("watched", teams.vision, {"data": {"a": "c"}})
    api.delete_namespaced_config_map("watched", teams.vision)
    follower.join(20)
    told = [kind for kind, name in seen if name == "watched"]
    assert told == ["ADDED", "MODIFIED", "DELETED"]


def test_pages(alice: "ApiClient", teams: Teams) -> None:
    """A long list comes in pages, each object once."""
    from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta

    api = CoreV1Api(alice)
    for number in range(7):
        meta = V1ObjectMeta(name=f"page-{number}", labels={"paged": "yes"})
        api.create_namespaced_config_map(teams.vision, V1ConfigMap(metadata=meta))
    names, token = [], None
    while True:
        page = api.list_namespaced_config_map(
            teams.vision, label_selector="paged=yes", limit=3, _continue=token
        )
        names += [each.metadata.name for each in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert names == [f"page-{number}" for number in range(7)]
    api.delete_collection_namespaced_config_map(teams.vision, label_selector="paged=yes")
    left = api.list_namespaced_config_map(teams.vision, label_selector="paged=yes")
    assert left.items == []
