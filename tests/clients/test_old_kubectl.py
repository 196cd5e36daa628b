"""Everyday work with kubectl 1.20, the oldest that people still have.

It knows no protobuf of ours but the OpenAPI document, no aggregated discovery and no WatchList.
"""

import json
import shutil
from collections.abc import Iterator

import pytest

from clients.binaries import OLD_KUBECTL
from support.kubectl import Done, Kubectl
from support.objects import config_map, notebook
from support.teams import Teams

pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.timeout(300)]


class Alice:
    """The owner of vision at an old terminal."""

    def __init__(self, kubectl: Kubectl, teams: Teams) -> None:
        self.kubectl, self.teams = kubectl, teams

    def __call__(self, *arguments: str, stdin: str = "") -> Done:
        return self.kubectl(self.teams.alice, *arguments, stdin=stdin, namespace=self.teams.vision)

    def admin(self, *arguments: str, stdin: str = "") -> Done:
        """The same with the administrator's rights."""
        return self.kubectl(self.teams.admin, *arguments, stdin=stdin)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """The old program; diff is what it compares with."""
    assert shutil.which("diff")
    return Kubectl(OLD_KUBECTL.find(), tmp_path_factory.mktemp("old"))


@pytest.fixture
def alice(old: Kubectl, teams: Teams) -> Iterator[Alice]:
    """Alice, in her namespace, which is empty again afterwards."""
    at_work = Alice(old, teams)
    yield at_work
    at_work("delete", "notebooks,deployments,configmaps", "--all", "--wait=false").ok()


def test_version(alice: Alice) -> None:
    """Both sides say who they are."""
    said = json.loads(alice("version", "-o", "json").ok())
    assert said["clientVersion"]["minor"] == "20"
    assert int(said["serverVersion"]["minor"]) > 20


def test_discovery(alice: Alice) -> None:
    """It finds every kind by name, short name and category, without aggregated discovery."""
    listed = alice("api-resources", "--no-headers").ok()
    assert "notebooks" in listed
    assert "ml.llmos.ai/v1" in alice("api-versions").ok()
    alice("get", "nb,cm,deploy,sa").ok()
    alice("get", "all").ok()


def test_create_and_get(alice: Alice) -> None:
    """What it makes is shown in each form."""
    alice("create", "configmap", "settings", "--from-literal=mode=fast").ok()
    alice("create", "deployment", "web", "--image=nginx").ok()
    alice("create", "-f", "-", stdin=json.dumps(notebook("lab"))).ok()
    assert "settings" in alice("get", "cm").column()
    assert alice("get", "cm", "settings", "-o", "jsonpath={.data.mode}").ok() == "fast"
    assert "name: lab" in alice("get", "nb", "lab", "-o", "yaml").ok()
    assert "lab" in alice("describe", "nb", "lab").ok()
    assert "mode:" in alice("describe", "cm", "settings").ok()
    assert "configmap/settings" in alice("get", "cm", "-o", "name").ok().split()


def test_apply(alice: Alice) -> None:
    """Client-side apply makes, changes, and sees when nothing changes; server-side apply works."""
    objects = [config_map("a", x="1", y="1"), notebook("lab")]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    assert alice("apply", "-f", "-", stdin=text).ok().count("created") == 2
    assert alice("apply", "-f", "-", stdin=text).ok().count("unchanged") == 2
    changed = json.dumps(config_map("a", x="2"))
    assert "configured" in alice("apply", "-f", "-", stdin=changed).ok()
    assert json.loads(alice("get", "cm", "a", "-o", "json").ok())["data"] == {"x": "2"}
    served = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    alice(*served, stdin=json.dumps(config_map("a", x="3"))).ok()
    assert alice("get", "cm", "a", "-o", "jsonpath={.data.x}").ok() == "3"


def test_validation(alice: Alice) -> None:
    """It validates against the OpenAPI document before it sends anything."""
    bad = config_map("bad") | {"bogus": 1}
    alice("apply", "-f", "-", stdin=json.dumps(bad)).refused('unknown field "bogus"')
    alice("apply", "-f", "-", "--dry-run=server", stdin=json.dumps(config_map("dry"))).ok()
    alice("get", "cm", "dry").refused("not found")


def test_patch_label_scale(alice: Alice) -> None:
    """Each way to change an object."""
    alice("create", "configmap", "c", "--from-literal=a=1").ok()
    alice("patch", "cm", "c", "-p", '{"data":{"a":"2"}}').ok()
    alice("patch", "cm", "c", "--type=merge", "-p", '{"data":{"b":"3"}}').ok()
    add = '[{"op":"add","path":"/data/c","value":"4"}]'
    alice("patch", "cm", "c", "--type=json", "-p", add).ok()
    data = json.loads(alice("get", "cm", "c", "-o", "json").ok())["data"]
    assert data == {"a": "2", "b": "3", "c": "4"}
    alice("label", "cm", "c", "tier=gold").ok()
    alice("annotate", "cm", "c", "note=x").ok()
    assert alice("get", "cm", "-l", "tier=gold").column() == ["c"]
    alice("create", "deployment", "web", "--image=nginx").ok()
    alice("scale", "deployment", "web", "--replicas=3").ok()
    assert alice("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}").ok() == "3"
    alice("set", "image", "deployment/web", "nginx=nginx:2").ok()


def test_edit_less_replace(alice: Alice) -> None:
    """A fetched object is put back changed; a stale one is a conflict."""
    alice("create", "configmap", "c", "--from-literal=a=1").ok()
    fetched = json.loads(alice("get", "cm", "c", "-o", "json").ok())
    fetched["data"] = {"a": "2"}
    alice("replace", "-f", "-", stdin=json.dumps(fetched)).ok()
    alice("replace", "-f", "-", stdin=json.dumps(fetched)).refused("Conflict")
    alice("replace", "--force", "-f", "-", stdin=json.dumps(config_map("c", a="3"))).ok()
    assert alice("get", "cm", "c", "-o", "jsonpath={.data.a}").ok() == "3"


def test_diff(alice: Alice) -> None:
    """A diff shows what an apply would change, and changes nothing."""
    alice("apply", "-f", "-", stdin=json.dumps(config_map("c", a="1"))).ok()
    shown = alice("diff", "-f", "-", stdin=json.dumps(config_map("c", a="2")))
    assert shown.code == 1, shown.err
    assert '-  a: "1"' in shown.out
    assert '+  a: "2"' in shown.out
    assert alice("get", "cm", "c", "-o", "jsonpath={.data.a}").ok() == "1"


def test_explain(alice: Alice) -> None:
    """It explains built-in kinds and our own from the OpenAPI document."""
    assert "KIND:     ConfigMap" in alice("explain", "configmap").ok()
    assert "spec" in alice("explain", "notebooks").ok()
    assert "replicas" in alice("explain", "deployment.spec").ok()


def test_wait_and_watch(alice: Alice) -> None:
    """Waiting ends when the condition holds, and when the object is gone."""
    crd = "crd/notebooks.ml.llmos.ai"
    alice.admin("wait", "--for=condition=Established", crd, "--timeout=10s").ok()
    alice("create", "configmap", "c").ok()
    with alice.kubectl.follow(
        alice.teams.alice, "get", "cm", "-w", namespace=alice.teams.vision
    ) as following:
        following.wait_for("c")
        alice("create", "configmap", "d").ok()
        following.wait_for("d")
    alice("delete", "cm", "c", "--wait=false").ok()
    alice("wait", "--for=delete", "cm/d", "--timeout=0s")
    alice("delete", "cm", "d").ok()
    alice("get", "cm", "d").refused("NotFound")


def test_rights(alice: Alice) -> None:
    """It says what one may, and what one may not."""
    assert alice("auth", "can-i", "create", "configmaps").ok().strip() == "yes"
    assert alice("auth", "can-i", "create", "namespaces").code == 1
    assert "configmaps" in alice("auth", "can-i", "--list").ok()
    alice("create", "namespace", "mine").refused("Forbidden")
    assert alice("get", "namespaces", "-o", "name").ok().split()


def test_namespace(alice: Alice) -> None:
    """An administrator makes a namespace, and deletes it and waits until it is gone."""
    name = alice.teams.world.named("old")
    alice.admin("create", "namespace", name).ok()
    alice.admin("create", "quota", "q", "--hard=pods=3", "-n", name).ok()
    alice.admin("create", "serviceaccount", "runner", "-n", name).ok()
    role = ("create", "role", "r", "--verb=get", "--resource=pods", "-n", name)
    alice.admin(*role).ok()
    bound = ("create", "rolebinding", "rb", "--role=r", f"--serviceaccount={name}:runner")
    alice.admin(*bound, "-n", name).ok()
    assert "Active" in alice.admin("describe", "namespace", name).ok()
    alice.admin("delete", "namespace", name, "--timeout=30s").ok()
    alice.admin("get", "namespace", name).refused("NotFound")
