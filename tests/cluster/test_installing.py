"""``llmos install`` and ``llmos uninstall`` on a real control plane."""

import json
from collections.abc import Iterator

import pytest

from llmos.apis.platform_content import shipped
from llmos.client.discovery import parse_resource_list
from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.installing import install, llmos
from support.native import running_controllers
from support.objects import (
    RBAC,
    config_map,
    member,
    namespace,
    notebook,
    role_template,
    rule,
    subject,
)
from support.resources import at
from support.session import Session
from support.waiting import wait_until

pytestmark = pytest.mark.slow
NOISE = frozenset({"events", "leases", "endpoints", "endpointslices", "apiservices"})
"""What the cluster writes by itself."""
COUNTERS = ("resourceVersion", "managedFields", "generation", "uid", "creationTimestamp")
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
POLICY_BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
Snapshot = dict[tuple[str, str, str], str]


@pytest.fixture
def plane(tmp_path) -> Iterator[ControlPlane]:
    """A cluster that nobody has used."""
    with control_plane(tmp_path / "plane", controllers=True) as running:
        yield running


@pytest.fixture
def root(plane: ControlPlane) -> Iterator[Session]:
    """The cluster's administrator."""
    session = plane.session("admin", ADMIN_TOKEN)
    yield session
    session.close()


def paths(root: Session) -> Iterator[tuple[str, str]]:
    """The paths of all that can be listed, by group and plural."""
    groups = root.get("/apis").json()["groups"]
    for root_path in (
        "/api/v1",
        *(f"/apis/{g['preferredVersion']['groupVersion']}" for g in groups),
    ):
        for each in parse_resource_list(root.get(root_path).json()):
            if "list" in each.verbs and each.plural not in NOISE:
                yield f"{each.group}/{each.plural}", f"{root_path}/{each.plural}"


def snapshot(root: Session) -> Snapshot:
    """Every object of the cluster, without what every write changes."""
    found: Snapshot = {}
    for kind, path in paths(root):
        for each in root.get(path).json().get("items") or ():
            meta = each["metadata"]
            key = (kind, meta.get("namespace", ""), meta["name"])
            each["metadata"] = {k: v for k, v in meta.items() if k not in COUNTERS}
            each.pop("status", None)
            found[key] = json.dumps(each, sort_keys=True)
    return found


def rest(root: Session) -> Snapshot:
    """A snapshot of a cluster that has come to rest."""
    found = snapshot(root)
    while True:
        again = snapshot(root)
        if again == found:
            return found
        found = again


def changes(before: Snapshot, after: Snapshot) -> set[tuple[str, str, str]]:
    """What is not the same."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def done(plane: ControlPlane, *arguments: str, code: int = 0) -> str:
    """What the command says on stdout."""
    answer = llmos(plane, *arguments)
    assert answer.returncode == code, f"{answer.stdout}{answer.stderr}"
    return answer.stdout


def test_the_cluster_is_afterwards_as_it_was(plane: ControlPlane, root: Session) -> None:
    """Installed, used by controllers and uninstalled with its data: nothing is left of llmos."""
    wait_until(lambda: root.get(at("configmaps", "kube-public")).json()["items"], 10)
    before = rest(root)
    install(plane)
    root.create(at("namespaces"), namespace("team"))
    with running_controllers(plane, root):
        where = at("roletemplatebindings")
        root.create(where, member("m", "team", "namespace-owner", subject("alice")))
        wait_until(lambda: len(root.get(at("rolebindings", "team")).json()["items"]) == 1, 10)
        root.create(at("notebooks", "team"), notebook("mine"))
        root.create(at("configmaps", "team"), config_map("mine"))
        # The controllers are at work while it goes: nothing comes back.
        done(plane, "uninstall", "--yes", "--delete-data")
        left = changes(before, rest(root))
    assert left == {
        ("/namespaces", "", "team"),
        ("/configmaps", "team", "mine"),
        ("/configmaps", "team", "kube-root-ca.crt"),
        ("/serviceaccounts", "team", "default"),
    }
    assert "was not installed" in llmos(plane, "uninstall", "--yes").stderr


def test_data_stays_unless_it_is_asked_for(plane: ControlPlane, root: Session) -> None:
    """Without --delete-data nobody has a right by llmos, and all that people made is there."""
    install(plane)
    root.create(at("namespaces"), namespace("team"))
    root.create(at("configmaps", "llmos-public"), config_map("shared"))
    binding = member("m", "team", "namespace-owner", subject("alice"))
    with running_controllers(plane, root):
        root.create(at("roletemplatebindings"), binding)
        root.create(at("notebooks", "team"), notebook("mine"))
        wait_until(lambda: len(root.get(at("rolebindings", "team")).json()["items"]) == 1, 10)
    said = done(plane, "uninstall", "--yes")
    assert "it is not empty: configmaps/shared" in said
    assert root.names(at("rolebindings", "team")) == []
    assert not [each for each in root.names(at("clusterroles")) if each.startswith("llmos")]
    assert root.names(POLICIES) == []
    for path in (
        at("notebooks", "team", "mine"),
        at("roletemplatebindings", name="m"),
        at("users", name="admin"),
        at("configmaps", "llmos-public", "shared"),
    ):
        assert root.get(path).status_code == 200, path
    assert root.get(at("namespaces", name="llmos-dashboards")).status_code == 404
    install(plane)
    with running_controllers(plane, root):
        wait_until(lambda: len(root.get(at("rolebindings", "team")).json()["items"]) == 1, 10)


def versions(root: Session, resource: str) -> dict[str, str]:
    """The revision of each object's last change, by its uid."""
    found = (each["metadata"] for each in root.get(at(resource)).json()["items"])
    return {each["uid"]: each["resourceVersion"] for each in found}


def test_nothing_is_changed_twice(plane: ControlPlane, root: Session) -> None:
    """A dry run and a diff change nothing, nor does a second run; each says so."""
    before = rest(root)
    said = done(plane, "install", "--dry-run")
    assert "llmos-members" in said
    assert "+++ MERGED/namespaces/llmos-system" in done(plane, "install", "--diff", code=1)
    assert changes(before, rest(root)) == set()
    once = llmos(plane, "install", LLMOS_ADMIN_PASSWORD="").stdout
    assert "one-time password of the user admin: " in once
    after = snapshot(root)
    written = versions(root, "configmaps")
    again = llmos(plane, "install")
    assert again.stdout == ""
    assert "0 created, 0 changed" in again.stderr
    assert versions(root, "configmaps") == written
    assert changes(after, snapshot(root)) == set()
    assert done(plane, "install", "--diff") == ""


def test_what_administrators_may_set_survives(plane: ControlPlane, root: Session) -> None:
    """Flags and names of built-in roles, and descriptions; what they may not is put back."""
    install(plane)
    template = at("roletemplates", name="namespace-owner")
    flags = {"spec": {"locked": True, "displayName": "Boss", "newNamespaceDefault": True}}
    root.patch(template, flags)
    public = at("namespaces", name="llmos-public")
    root.patch(public, {"metadata": {"annotations": {"kubernetes.io/description": "Ours"}}})
    root.patch(at("namespaces", name="kube-system"),
               {"metadata": {"annotations": {"kubernetes.io/description": None}}})  # fmt: skip
    root.patch(public, {"metadata": {"labels": {"llmos.ai/public": "false"}}})
    root.patch(template, {"rules": []})
    root.patch(f"{POLICIES}/llmos-members", {"spec": {"matchConstraints": {"objectSelector": {
        "matchLabels": {"never": "there"}}}}})  # fmt: skip
    condition = {"name": "never", "expression": "false"}
    root.patch(f"{POLICIES}/llmos-users", {"spec": {"matchConditions": [condition]}})
    root.delete(f"{POLICY_BINDINGS}/llmos-namespaces")
    role = at("clusterrolebindings", name="llmos:users")
    root.patch(role, {"subjects": [subject("system:anonymous")]})
    assert "never" in done(plane, "install", "--diff", code=1)
    said = done(plane, "install")
    for each in ("roletemplates", "llmos-members", "llmos-users", "llmos:users", "llmos-public"):
        assert each in said
    after = root.get(template).json()
    assert after["spec"] == {"builtin": True, **flags["spec"]}
    assert after["rules"]
    meta = root.get(public).json()["metadata"]
    assert meta["annotations"]["kubernetes.io/description"] == "Ours"
    assert meta["labels"]["llmos.ai/public"] == "true"
    assert "annotations" not in root.get(at("namespaces", name="kube-system")).json()["metadata"]
    assert root.get(role).json()["subjects"][0]["name"] == "llmos:users"
    assert "never" not in root.get(POLICIES).text
    assert done(plane, "install", "--diff") == ""


def test_what_a_newer_version_lacks_goes(plane: ControlPlane, root: Session) -> None:
    """By the record of what was installed, of which nobody's own objects are believed."""
    install(plane)
    record = at("configmaps", "llmos-system", "llmos-installation")
    old = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "rules": []}
    for name in ("llmos:old", "mine"):
        root.create(at("clusterroles"), {**old, "metadata": {"name": name}})
    root.create(at("namespaces"), namespace("team"))
    data = root.get(record).json()["data"]
    forged = (f"{RBAC} clusterroles  llmos:old", f"{RBAC} clusterroles  mine", " namespaces  team")
    data["objects"] += "\n" + "\n".join(forged)
    root.patch(record, {"data": data})
    said = done(plane, "install")
    assert "llmos:old" in said
    assert "mine" not in said
    assert root.get(at("clusterroles", name="llmos:old")).status_code == 404
    assert root.get(at("clusterroles", name="mine")).status_code == 200
    assert root.get(at("namespaces", name="team")).json()["status"]["phase"] == "Active"
    assert "llmos:old" not in root.get(record).text


def test_nothing_of_others_is_taken_over(plane: ControlPlane, root: Session) -> None:
    """Others' objects under the platform's names stop it before anything is written."""
    foreign = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "rules": [rule("pods", "get")]}
    root.create(at("clusterroles"), {**foreign, "metadata": {"name": "llmos:proxy"}})
    before = rest(root)
    answer = llmos(plane, "install")
    assert answer.returncode == 1
    assert "clusterroles.rbac.authorization.k8s.io/llmos:proxy" in answer.stderr
    assert "--force-conflicts" in answer.stderr
    assert changes(before, rest(root)) == set()
    done(plane, "install", "--force-conflicts")
    rules = root.get(at("clusterroles", name="llmos:proxy")).json()["rules"]
    assert rule("pods", "get") not in rules


def test_policies_act_before_anybody_has_rights(plane: ControlPlane, root: Session) -> None:
    """When the command ends, the last of the policies refuses; nothing of the wait is left."""
    install(plane)
    session = plane.session("x", ADMIN_TOKEN)
    session.http.headers["Impersonate-User"] = "eve"
    session.http.headers["Impersonate-Group"] = "llmos:users"
    asked = {**role_template("x"), "kind": "User", "spec": {"username": "x", "isAdmin": True}}
    assert session.create(at("users"), asked).status_code == 403
    session.close()
    names = root.names(POLICIES)
    assert "llmos-installing" not in names
    assert sorted(names) == sorted(
        each.place.name
        for each in shipped()
        if each.resource.plural == "validatingadmissionpolicies"
    )
