"""Everyday work with kubectl, as the owner of a namespace."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.kubectl import Done, Kubectl
from support.objects import config_map, notebook, secret
from support.teams import Teams

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: nginx:1.27
"""


@dataclass(frozen=True)
class Alice:
    """The owner of vision at her terminal."""

    kubectl: Kubectl
    teams: Teams

    def __call__(self, *arguments: str, stdin: str = "") -> Done:
        return self.kubectl(self.teams.alice, *arguments, stdin=stdin, namespace=self.teams.vision)


@pytest.fixture
def alice(kubectl: Kubectl, teams: Teams) -> Iterator[Alice]:
    """Kubectl as Alice, in her namespace, which is empty again afterwards."""
    at_work = Alice(kubectl, teams)
    yield at_work
    at_work("delete", "notebooks,deployments,configmaps,events", "--all", "--wait=false").ok()


def manifest(*objects: dict) -> str:
    return "\n---\n".join(json.dumps(each) for each in objects)


def test_create_get_and_delete(alice: Alice) -> None:
    """A ConfigMap from literals is made, shown in each form, and deleted."""
    alice("create", "configmap", "settings", "--from-literal=mode=fast").ok()
    assert "settings" in alice("get", "cm").column()
    assert alice("get", "cm", "settings", "-o", "jsonpath={.data.mode}").ok() == "fast"
    assert "mode: fast" in alice("get", "cm", "settings", "-o", "yaml").ok()
    assert alice("get", "cm", "settings", "-o", "name").ok() == "configmap/settings\n"
    shown = json.loads(alice("get", "cm", "settings", "-o", "json").ok())
    assert shown["data"] == {"mode": "fast"}
    assert "deleted" in alice("delete", "cm", "settings").ok()
    alice("get", "cm", "settings").refused("NotFound")
    assert alice("get", "cm", "settings", "--ignore-not-found").ok() == ""


def test_apply_twice_and_change(alice: Alice) -> None:
    """``apply`` creates, then says unchanged, then configured, and takes away what went."""
    first = manifest(config_map("settings", mode="fast", extra="yes"), notebook("exp-1"))
    created = alice("apply", "-f", "-", stdin=first).ok()
    assert created.count(" created") == 2
    assert alice("apply", "-f", "-", stdin=first).ok().count(" unchanged") == 2
    second = manifest(config_map("settings", mode="slow"), notebook("exp-1", "jupyter/scipy"))
    assert alice("apply", "-f", "-", stdin=second).ok().count(" configured") == 2
    shown = json.loads(alice("get", "cm", "settings", "-o", "json").ok())
    assert shown["data"] == {"mode": "slow"}


def test_get_wide_and_custom_columns(alice: Alice) -> None:
    """``-o wide`` shows more columns, and custom columns any field."""
    alice("apply", "-f", "-", stdin=manifest(notebook("exp-1"))).ok()
    narrow = alice("get", "notebooks").ok().splitlines()[0].split()
    wide = alice("get", "notebooks", "-o", "wide").ok().splitlines()[0].split()
    assert narrow[0] == "NAME"
    assert set(narrow) < set(wide)
    assert "IMAGE" in wide
    columns = "custom-columns=N:.metadata.name,I:.spec.template.spec.containers[0].image"
    assert "jupyter/base-notebook" in alice("get", "nb", "-o", columns).column(1)
    sorted_out = alice("get", "nb", "--sort-by=.metadata.name", "--no-headers").ok()
    assert sorted_out.split()[0] == "exp-1"


def test_a_deployment_is_shown_as_ever(alice: Alice) -> None:
    """Server-side printing gives the columns that people know; ``scale`` changes replicas."""
    alice("apply", "-f", "-", stdin=DEPLOYMENT).ok()
    head = alice("get", "deployments").ok().splitlines()[0].split()
    assert head == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert alice("get", "deploy").column(1) == ["0/2"]
    alice("scale", "deployment", "web", "--replicas=3").ok()
    assert alice("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}").ok() == "3"
    alice("set", "image", "deployment/web", "web=nginx:1.28").ok()
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert alice("get", "deploy", "web", "-o", image).ok() == "nginx:1.28"


def test_describe(alice: Alice) -> None:
    """``describe`` works for built-in and custom kinds, events included."""
    alice("apply", "-f", "-", stdin=manifest(notebook("exp-1"))).ok()
    alice("apply", "-f", "-", stdin=DEPLOYMENT).ok()
    assert "Image:" in alice("describe", "notebook", "exp-1").ok()
    told = alice("describe", "deployment", "web").ok()
    assert "StrategyType:" in told
    assert "Events:" in told
    assert "Labels:" in alice("describe", "namespace", alice.teams.vision).ok()


def test_label_annotate_and_select(alice: Alice) -> None:
    """Labels are set, changed and removed, and select."""
    objects = manifest(config_map("a"), config_map("b"))
    alice("apply", "-f", "-", stdin=objects).ok()
    assert "labeled" in alice("label", "cm", "a", "stage=test").ok()
    alice("label", "cm", "a", "stage=done").refused("already has a value")
    alice("label", "cm", "a", "stage=done", "--overwrite").ok()
    assert alice("get", "cm", "-l", "stage=done").column() == ["a"]
    assert alice("get", "cm", "-l", "stage in (done,test),!gone").column() == ["a"]
    assert alice("get", "cm", "--field-selector", "metadata.name=b").column() == ["b"]
    assert "unlabeled" in alice("label", "cm", "a", "stage-").ok()
    alice("annotate", "cm", "a", "why=because").ok()
    assert "because" in alice("get", "cm", "a", "-o", "jsonpath={.metadata.annotations.why}").ok()


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"data":{"mode":"slow"}}'),
        ("json", '[{"op":"replace","path":"/data/mode","value":"slow"}]'),
        ("strategic", '{"data":{"mode":"slow"}}'),
    ],
)
def test_patch(alice: Alice, kind: str, patch: str) -> None:
    """All three kinds of patch change a ConfigMap, and a patch without effect says so."""
    alice("create", "configmap", "settings", "--from-literal=mode=fast").ok()
    arguments = ("patch", "cm", "settings", "--type", kind, "-p", patch)
    assert alice(*arguments).ok() == "configmap/settings patched\n"
    assert alice("get", "cm", "settings", "-o", "jsonpath={.data.mode}").ok() == "slow"
    assert "no change" in alice(*arguments).ok()


def test_diff(alice: Alice) -> None:
    """``diff`` shows what an apply would change, changes nothing, and is silent without one."""
    alice("apply", "-f", "-", stdin=manifest(notebook("exp-1"))).ok()
    same = alice("diff", "-f", "-", stdin=manifest(notebook("exp-1")))
    assert (same.code, same.out) == (0, "")
    other = alice("diff", "-f", "-", stdin=manifest(notebook("exp-1", "jupyter/scipy")))
    assert other.code == 1
    assert "jupyter/scipy" in other.out
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert alice("get", "nb", "exp-1", "-o", image).ok() == "jupyter/base-notebook"


def test_dry_run(alice: Alice) -> None:
    """A server-side dry run answers as the real thing would, and stores nothing."""
    made = alice("apply", "--dry-run=server", "-f", "-", stdin=manifest(notebook("exp-1"))).ok()
    assert "created (server dry run)" in made
    alice("get", "nb", "exp-1").refused("NotFound")


def test_server_side_apply_and_its_conflict(alice: Alice) -> None:
    """Two managers of one field conflict, by name; with force the second one takes it over."""
    apply = ("apply", "--server-side", "-f", "-", "--field-manager")
    assert (
        "serverside-applied" in alice(*apply, "one", stdin=manifest(config_map("s", mode="a"))).ok()
    )
    conflict = alice(*apply, "two", stdin=manifest(config_map("s", mode="b")))
    conflict.refused("conflict", '"one"', ".data.mode")
    alice(*apply, "two", "--force-conflicts", stdin=manifest(config_map("s", mode="b"))).ok()
    shown = json.loads(alice("get", "cm", "s", "-o", "json", "--show-managed-fields").ok())
    assert shown["data"] == {"mode": "b"}
    managers = {each["manager"]: each for each in shown["metadata"]["managedFields"]}
    assert "f:mode" in str(managers["two"]["fieldsV1"])
    assert "f:mode" not in str(managers.get("one", {}))
    assert "serverside-applied" in alice(*apply, "three", stdin=manifest(notebook("exp-1"))).ok()


def test_replace_and_edit_conflicts(alice: Alice) -> None:
    """``replace`` puts a whole object; an old resourceVersion is refused."""
    alice("create", "configmap", "settings", "--from-literal=mode=fast").ok()
    old = json.loads(alice("get", "cm", "settings", "-o", "json").ok())
    old["data"]["mode"] = "slow"
    alice("replace", "-f", "-", stdin=manifest(old)).ok()
    alice("replace", "-f", "-", stdin=manifest(old)).refused("Conflict", "has been modified")


def test_explain(alice: Alice) -> None:
    """Fields of built-in and custom kinds are explained from OpenAPI."""
    assert "KIND:       Notebook" in alice("explain", "notebook").ok()
    assert "replicas" in alice("explain", "notebooks.spec").ok()
    told = alice("explain", "deployment.spec.replicas").ok()
    assert "GROUP:      apps" in told
    assert "FIELD: replicas <integer>" in told
    assert "DESCRIPTION:" in told


def test_wait(alice: Alice) -> None:
    """``wait`` sees a field, gives up in time, and sees a deletion."""
    alice("apply", "-f", "-", stdin=manifest(config_map("settings", mode="fast"))).ok()
    alice("wait", "cm/settings", "--for=jsonpath={.data.mode}=fast", "--timeout=10s").ok()
    late = alice("wait", "cm/settings", "--for=jsonpath={.data.mode}=slow", "--timeout=1s")
    late.refused("timed out")
    alice("delete", "cm", "settings", "--wait=false").ok()
    alice("wait", "cm/settings", "--for=delete", "--timeout=10s").ok()


def test_auth_can_i_and_whoami(alice: Alice) -> None:
    """What one may, and who one is, is told by the server."""
    teams, kubectl = alice.teams, alice.kubectl
    assert alice("auth", "can-i", "create", "notebooks").ok() == "yes\n"
    assert alice("auth", "can-i", "create", "namespaces").out.strip() == "no"
    denied = kubectl(teams.bob, "auth", "can-i", "delete", "pods", namespace=teams.vision)
    assert (denied.code, denied.out) == (1, "no\n")
    listed = alice("auth", "can-i", "--list").ok()
    assert "notebooks.ml.llmos.ai" in listed
    who = json.loads(alice("auth", "whoami", "-o", "json").ok())["status"]["userInfo"]
    assert who["username"] == teams.alice.name
    assert "llmos:users" in who["groups"]


def test_api_resources_and_versions(alice: Alice) -> None:
    """Discovery tells kinds, short names and scope."""
    names = alice("api-resources", "--namespaced=true", "-o", "name").ok().split()
    assert {"configmaps", "notebooks.ml.llmos.ai", "deployments.apps"} <= set(names)
    wide = alice("api-resources", "--namespaced=false").ok()
    assert "gpudevices" in wide
    assert "roletemplatebindings" in wide
    versions = alice("api-versions").ok().split()
    assert {"v1", "apps/v1", "ml.llmos.ai/v1", "management.llmos.ai/v1"} <= set(versions)
    assert "Server Version" in alice("version").ok()


def test_get_all(alice: Alice) -> None:
    """``get all`` shows workloads, and the kinds that declare themselves to belong there."""
    alice("apply", "-f", "-", stdin=DEPLOYMENT).ok()
    alice("apply", "-f", "-", stdin=manifest(notebook("exp-1"))).ok()
    names = alice("get", "all", "-o", "name").ok().split()
    assert {"deployment.apps/web", "notebook.ml.llmos.ai/exp-1"} <= set(names)


def test_events(alice: Alice) -> None:
    """``kubectl events`` and ``get events`` show what was recorded about an object."""
    alice("apply", "-f", "-", stdin=manifest(notebook("exp-1"))).ok()
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "exp-1.started"},
        "involvedObject": {
            "apiVersion": "ml.llmos.ai/v1",
            "kind": "Notebook",
            "name": "exp-1",
            "namespace": alice.teams.vision,
        },
        "reason": "Started",
        "message": "it runs",
        "type": "Normal",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    alice("create", "-f", "-", stdin=manifest(event)).ok()
    assert "it runs" in alice("events").ok()
    assert "it runs" in alice("events", "--for", "notebook/exp-1").ok()
    assert "Started" in alice("get", "events").ok()


def test_watch(alice: Alice) -> None:
    """``get -w`` prints what others do meanwhile."""
    teams = alice.teams
    with alice.kubectl.follow(
        teams.alice, "get", "cm", "-w", "--output-watch-events", namespace=teams.vision
    ) as following:
        alice("create", "configmap", "seen", "--from-literal=a=b").ok()
        following.wait_for("ADDED", "seen")
        alice("delete", "cm", "seen").ok()
        following.wait_for("DELETED", "seen")


def test_delete_many(alice: Alice) -> None:
    """By selector, all, and from a file."""
    objects = [config_map(name) for name in ("a", "b", "c")]
    objects[0]["metadata"]["labels"] = {"stage": "test"}
    alice("apply", "-f", "-", stdin=manifest(*objects)).ok()
    alice("delete", "cm", "-l", "stage=test").ok()
    assert {"b", "c"} <= set(alice("get", "cm").column())
    assert "a" not in alice("get", "cm").column()
    alice("delete", "-f", "-", stdin=manifest(objects[1])).ok()
    alice("get", "cm", "b").refused("NotFound")


def test_secrets_and_service_accounts(alice: Alice) -> None:
    """A Secret is kept encoded, and an account of the namespace gives a token."""
    alice("create", "-f", "-", stdin=manifest(secret("hush"))).ok()
    assert alice("get", "secret", "hush", "-o", "jsonpath={.data.key}").ok() == "aHVzaA=="
    alice("create", "serviceaccount", "robot").ok()
    assert alice("create", "token", "robot").ok().count(".") == 2
    alice("delete", "secret/hush", "sa/robot").ok()


def test_unknown_fields_are_told(alice: Alice) -> None:
    """A manifest with a mistyped field is refused by name, not stored without it."""
    wrong = config_map("wrong")
    wrong["dta"] = wrong.pop("data")
    alice("create", "-f", "-", stdin=manifest(wrong)).refused('unknown field "dta"')
    alice("get", "cm", "wrong").refused("NotFound")
    bad = notebook("wrong")
    bad["spec"]["replicas"] = "many"
    alice("apply", "-f", "-", stdin=manifest(bad)).refused("spec.replicas")


def test_kustomize_and_prune(alice: Alice, tmp_path) -> None:
    """``apply -k`` and ``--prune`` with labels work on a directory."""
    (tmp_path / "cm.yaml").write_text(json.dumps(config_map("settings")))
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [cm.yaml]\nlabels:\n- pairs: {stack: demo}\n"
    )
    alice("apply", "-k", str(tmp_path)).ok()
    assert alice("get", "cm", "-l", "stack=demo").column() == ["settings"]
    other = config_map("other")
    other["metadata"]["labels"] = {"stack": "demo"}
    pruned = alice(
        "apply", "-f", "-", "--prune", "-l", "stack=demo", "--prune-allowlist=core/v1/ConfigMap",
        stdin=manifest(other),
    )  # fmt: skip
    assert "pruned" in pruned.ok()
    assert alice("get", "cm", "-l", "stack=demo").column() == ["other"]
