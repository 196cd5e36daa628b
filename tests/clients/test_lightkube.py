"""Everyday work with lightkube, as the owner of a namespace."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clients.modules import needed
from support.objects import notebook
from support.session import Session
from support.teams import Teams
from support.waiting import wait_until

if TYPE_CHECKING:
    from lightkube import Client

pytestmark = [pytest.mark.clients, pytest.mark.slow]


@contextmanager
def connected(session: Session, directory: Path, namespace: str) -> Iterator["Client"]:
    """The client, set up from a kubeconfig."""
    needed("lightkube")
    from lightkube import Client, KubeConfig

    config = KubeConfig.from_file(session.kubeconfig(directory, namespace))
    client = Client(config=config.get(), field_manager="lk", trust_env=False)
    yield client
    client.close()


@pytest.fixture
def alice(teams: Teams, tmp_path: Path) -> Iterator["Client"]:
    """Alice's client, in her namespace, which is empty again afterwards."""
    with connected(teams.alice, tmp_path, teams.vision) as client:
        yield client
        from lightkube.resources.core_v1 import ConfigMap

        client.deletecollection(ConfigMap)


def config_map(name: str, **data: str) -> Any:
    """A typed ConfigMap."""
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.core_v1 import ConfigMap

    return ConfigMap(metadata=ObjectMeta(name=name, labels={"of": "lk"}), data=data)


def test_create_read_replace_delete(alice: "Client") -> None:
    """A typed object from its creation to its end, and what a miss looks like."""
    from lightkube import ApiError
    from lightkube.resources.core_v1 import ConfigMap
    from lightkube.types import CascadeType

    made = alice.create(config_map("a", x="1"))
    assert alice.get(ConfigMap, "a").metadata.uid == made.metadata.uid
    made.data = {"x": "2"}
    assert alice.replace(made).data == {"x": "2"}
    with pytest.raises(ApiError) as caught:
        alice.replace(made)
    assert (caught.value.status.code, caught.value.status.reason) == (409, "Conflict")
    alice.delete(ConfigMap, "a", cascade=CascadeType.BACKGROUND)
    with pytest.raises(ApiError) as caught:
        alice.get(ConfigMap, "a")
    assert caught.value.status.reason == "NotFound"


def test_delete_in_the_foreground(alice: "Client") -> None:
    """An object that waits for its dependents is gone once there are none."""
    from lightkube import ApiError
    from lightkube.resources.core_v1 import ConfigMap
    from lightkube.types import CascadeType

    alice.create(config_map("a"))
    alice.delete(ConfigMap, "a", cascade=CascadeType.FOREGROUND)

    def gone() -> bool:
        try:
            alice.get(ConfigMap, "a")
        except ApiError as error:
            return error.status.reason == "NotFound"
        return False

    wait_until(gone, 10)


def test_patch(alice: "Client") -> None:
    """Strategic, merge and JSON patches."""
    from lightkube.resources.core_v1 import ConfigMap
    from lightkube.types import PatchType

    alice.create(config_map("a", x="1"))
    alice.patch(ConfigMap, "a", {"data": {"y": "2"}})
    alice.patch(ConfigMap, "a", {"data": {"x": None}}, patch_type=PatchType.MERGE)
    add = [{"op": "add", "path": "/data/z", "value": "3"}]
    assert alice.patch(ConfigMap, "a", add, patch_type=PatchType.JSON).data == {"y": "2", "z": "3"}


def test_apply(alice: "Client") -> None:
    """Server-side apply: made, changed, and a conflict that force settles."""
    from lightkube import ApiError

    assert alice.apply(config_map("a", x="1", y="1")).data == {"x": "1", "y": "1"}
    assert alice.apply(config_map("a", x="2")).data == {"x": "2"}
    with pytest.raises(ApiError) as caught:
        alice.apply(config_map("a", x="3"), field_manager="other")
    assert caught.value.status.code == 409
    applied = alice.apply(config_map("a", x="3"), field_manager="other", force=True)
    assert applied.data == {"x": "3"}
    managers = {each.manager for each in applied.metadata.managedFields}
    assert managers == {"lk", "other"}


def test_list(alice: "Client") -> None:
    """Pages and selectors."""
    from lightkube.operators import in_
    from lightkube.resources.core_v1 import ConfigMap

    for number in range(5):
        alice.create(config_map(f"a{number}"))
    paged = list(alice.list(ConfigMap, chunk_size=2, labels={"of": "lk"}))
    assert [each.metadata.name for each in paged] == [f"a{number}" for number in range(5)]
    some = alice.list(ConfigMap, labels={"of": in_(["lk", "x"])}, fields={"metadata.name": "a3"})
    assert [each.metadata.name for each in some] == ["a3"]


def test_watch(alice: "Client") -> None:
    """A watch tells of everything in order until its time is over."""
    from lightkube.resources.core_v1 import ConfigMap

    seen: list[tuple[str, str]] = []

    def follow() -> None:
        for kind, each in alice.watch(ConfigMap, labels={"of": "lk"}, server_timeout=2):
            seen.append((kind, each.metadata.name))
            if kind == "DELETED":
                return

    alice.create(config_map("w"))
    watcher = threading.Thread(target=follow, daemon=True)
    watcher.start()
    wait_until(lambda: seen, 5)
    alice.patch(ConfigMap, "w", {"data": {"x": "1"}})
    alice.delete(ConfigMap, "w")
    watcher.join(10)
    assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]


def test_generic_resources(alice: "Client") -> None:
    """It finds our kinds in the cluster by itself and works with them as with any other."""
    from lightkube.generic_resource import get_generic_resource, load_in_cluster_generic_resources

    load_in_cluster_generic_resources(alice)
    kind = get_generic_resource("ml.llmos.ai/v1", "Notebook")
    assert kind is not None
    made = alice.create(kind(notebook("lab")))
    assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "jupyter/base-notebook"
    alice.patch(kind, "lab", {"metadata": {"labels": {"a": "b"}}}, patch_type=_merge())
    assert [each.metadata.name for each in alice.list(kind, labels={"a": "b"})] == ["lab"]
    alice.delete(kind, "lab")


def _merge() -> Any:
    from lightkube.types import PatchType

    return PatchType.MERGE


def test_wait(teams: Teams, tmp_path: Path) -> None:
    """The administrator waits for a condition of a kind without namespaces."""
    from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

    with connected(teams.admin, tmp_path, "default") as client:
        name = "notebooks.ml.llmos.ai"
        found = client.wait(CustomResourceDefinition, name, for_conditions=["Established"])
        assert found.metadata.name == name


def test_refused(alice: "Client", teams: Teams) -> None:
    """What she may not do is refused with a Status that says why."""
    from lightkube import ApiError
    from lightkube.resources.core_v1 import ConfigMap

    with pytest.raises(ApiError) as caught:
        list(alice.list(ConfigMap, namespace=teams.speech))
    assert caught.value.status.code == 403
    assert "cannot list resource" in caught.value.status.message
    everywhere = {each.metadata.namespace for each in alice.list(ConfigMap, namespace="*")}
    assert teams.vision in everywhere
    assert teams.speech not in everywhere
