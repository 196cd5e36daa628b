"""The life of a release with either generation of helm, as an administrator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.binaries import HELM_3, HELM_4, Binary
from clients.helm import Helm, write_chart
from support.objects import get_in
from support.resources import at
from support.waiting import wait_until
from support.world import OWNER, World

pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.timeout(300)]
REL = "rel"


@pytest.fixture(scope="module", params=[HELM_3, HELM_4], ids=["helm 3", "helm 4"])
def binary(request: pytest.FixtureRequest) -> Path:
    """One helm."""
    wanted: Binary = request.param
    return wanted.find()


@pytest.fixture
def helm(binary: Path, world: World, tmp_path: Path) -> Iterator[Helm]:
    """Helm as the admin, in a namespace that is not there yet."""
    made = Helm(binary, tmp_path, world.admin, world.named("helm"))
    yield made
    world.admin.delete(at("namespaces", name=made.namespace))


@pytest.fixture
def group(world: World) -> Iterator[str]:
    """The API group of the chart's own kind."""
    name = f"{world.named('chart')}.example.com"
    yield name
    world.admin.delete(at("customresourcedefinitions", name=f"widgets.{name}"))


class Release:
    """What the administrator sees of a release in its namespace."""

    def __init__(self, helm: Helm, group: str, chart: Path) -> None:
        self.helm, self.admin, self.chart = helm, helm.user, str(chart)
        self.widget = f"/apis/{group}/v1/namespaces/{helm.namespace}/widgets/{REL}"
        self.secret = at("secrets", helm.namespace, REL)
        self.settings_path = at("configmaps", helm.namespace, REL)

    def do(self, verb: str, *arguments: str) -> str:
        """Change the release and wait for it."""
        return self.helm(verb, REL, *arguments, "--wait", "--timeout", "30s").ok()

    @property
    def settings(self) -> dict[str, str]:
        """What the ConfigMap says."""
        return self.admin.get(self.settings_path).json()["data"]

    @property
    def size(self) -> int:
        """What the custom resource says."""
        return get_in(self.admin.get(self.widget).json(), "spec", "size")

    @property
    def revisions(self) -> list[tuple[int, str]]:
        """Number and status of every revision."""
        return [(each["revision"], each["status"]) for each in self.helm.json("history", REL)]

    def has(self, path: str) -> bool:
        """Whether something is there."""
        return self.admin.get(path).status_code == 200


@pytest.fixture
def release(helm: Helm, group: str, tmp_path: Path) -> Release:
    """A release that is not installed yet, of a chart with a kind of its own and RBAC."""
    return Release(helm, group, write_chart(tmp_path, group))


def test_install(release: Release) -> None:
    """An installed release is all there, and helm can tell of it."""
    helm = release.helm
    assert "rel says hello." in release.do("install", release.chart, "--create-namespace")
    assert release.settings["greeting"] == "hello"
    assert release.settings["notebooks"] == "true"
    assert release.settings["kube"].startswith("v1.")
    assert release.size == 2
    for kind in ("secrets", "serviceaccounts", "roles", "rolebindings"):
        assert release.has(at(kind, helm.namespace, REL)), kind
    assert helm.json("status", REL)["info"]["status"] == "deployed"
    assert [each["name"] for each in helm.json("list")] == [REL]
    assert helm.json("get", "values", REL) in (None, {})
    assert "kind: Widget" in helm("get", "manifest", REL).ok()


def test_upgrade_rollback_uninstall(release: Release, group: str) -> None:
    """What a new revision leaves out goes, a rollback brings it back, nothing outlives the end."""
    release.do("install", release.chart, "--create-namespace")
    release.do("upgrade", release.chart, "--set", "greeting=bye,size=3,secret=")
    assert release.settings["greeting"] == "bye"
    assert release.settings["looked"] == release.helm.namespace
    assert (release.size, release.has(release.secret)) == (3, False)
    assert release.revisions == [(1, "superseded"), (2, "deployed")]

    release.do("rollback", "1")
    assert release.settings["greeting"] == "hello"
    assert (release.size, release.has(release.secret)) == (2, True)
    assert release.revisions[-1] == (3, "deployed")

    release.do("uninstall")
    for path in (release.widget, release.secret, release.settings_path):
        assert not release.has(path), path
    assert release.helm.json("list") == []
    assert release.admin.names(at("secrets", release.helm.namespace)) == []
    assert release.has(at("customresourcedefinitions", name=f"widgets.{group}"))


def test_refused_upgrade(release: Release) -> None:
    """An upgrade that the schema refuses says so, leaves the object alone, and can be undone."""
    helm, chart = release.helm, release.chart
    release.do("install", chart, "--create-namespace", "--set", "size=4")
    refused = helm("upgrade", REL, chart, "--set", "size=9")
    refused.refused("spec.size", "less than or equal to 5")
    assert [status for _, status in release.revisions] == ["deployed", "failed"]
    assert release.size == 4
    release.do("rollback", "1")
    assert helm.json("status", REL)["info"]["status"] == "deployed"


def test_dry_run(helm: Helm, group: str, world: World, tmp_path: Path) -> None:
    """Dry runs show what would be, and make nothing."""
    chart = write_chart(tmp_path, group)
    (chart / "crds" / "widgets.yaml").rename(tmp_path / "crd.yaml")
    text = (chart / "templates" / "all.yaml").read_text()
    (chart / "templates" / "all.yaml").write_text(text.rpartition("---")[0])
    world.namespace("helm")
    shown = helm("install", REL, str(chart), "--dry-run=server").ok()
    assert f'looked: "{helm.namespace}"' in shown
    assert world.admin.names(at("secrets", helm.namespace)) == []
    assert helm.json("list") == []


def test_owner_in_his_namespace(binary: Path, world: World, tmp_path: Path) -> None:
    """The owner of a namespace installs there and nowhere else."""
    mine, other = world.namespace("mine"), world.namespace("other")
    alice = world.user("alice")
    world.member(OWNER, mine, alice)
    chart = write_chart(tmp_path, "unused.example.com")
    (chart / "crds" / "widgets.yaml").unlink()
    text = (chart / "templates" / "all.yaml").read_text()
    (chart / "templates" / "all.yaml").write_text(text.split("---")[0])
    Helm(binary, tmp_path, alice, mine)("install", REL, str(chart), "--wait").ok()
    wait_until(lambda: REL in alice.names(at("configmaps", mine)), 5)
    Helm(binary, tmp_path, alice, other)("install", REL, str(chart)).refused("forbidden")
    Helm(binary, tmp_path, alice, mine)("uninstall", REL).ok()
