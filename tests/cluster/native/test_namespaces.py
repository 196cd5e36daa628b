"""Rule 3 and the guard of labels, without the proxy: the cluster itself refuses."""

import pytest

from llmos.apis.namespaces import RESERVED_NAMESPACES
from support.native import Native
from support.objects import namespace
from support.resources import at

pytestmark = pytest.mark.slow
EVERYONE = ("root", "alice", "vera", "newbie", "outsider", "system:serviceaccount:team-a:runner")
PROTECTED = (
    "pod-security.kubernetes.io/enforce",
    "resource.kubernetes.io/admin-access",
    "llmos.ai/system",
    "quota.llmos.ai/class",
)
CONDITIONS = [{"type": "x", "status": "True"}]
BYPASS = {"llmos.ai/skip-webhook": "true", "llmos.ai/system": "false"}


@pytest.mark.parametrize("name", sorted(RESERVED_NAMESPACES))
@pytest.mark.parametrize("who", EVERYONE)
def test_a_reserved_namespace_is_nobodys_to_change(native: Native, who: str, name: str) -> None:
    """Delete, label, status and finalize are refused on every path, to an administrator too."""
    person, path = native.people[who], at("namespaces", name=name)
    before = native.root.get(path).json()
    applied = {**namespace(name), "metadata": {"name": name, "labels": BYPASS}}
    updated = {**before, "metadata": {**before["metadata"], "labels": BYPASS}}
    tries = {
        "delete": person.delete(path),
        "dry run": person.delete(path, dryRun="All"),
        "label": person.patch(path, {"metadata": {"labels": BYPASS}}),
        "annotation": person.patch(path, {"metadata": {"annotations": BYPASS}}),
        "own label": person.patch(path, {"metadata": {"labels": {"x": "y"}}}),
        "finalizer": person.patch(path, {"metadata": {"finalizers": ["a.b/c"]}}),
        "apply": person.apply(path, applied, force="true"),
        "status": person.patch(f"{path}/status", {"status": {"conditions": CONDITIONS}}),
        "status label": person.patch(f"{path}/status", {"metadata": {"labels": BYPASS}}),
        "finalize": person.update(f"{path}/finalize", {**before, "spec": {"finalizers": []}}),
        "update": person.update(path, updated),
    }
    codes = {way: answer.status_code for way, answer in tries.items() if answer.status_code != 403}
    assert codes == {}, [tries[each].text for each in codes]
    after = native.root.get(path).json()
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


@pytest.mark.parametrize("name", ["kube-mine", "llmos-mine"])
@pytest.mark.parametrize("form", ["name", "generateName", "apply"])
def test_reserved_prefixes_stay_the_platforms(native: Native, name: str, form: str) -> None:
    """Not even an administrator makes a namespace of such a name, however it is asked for."""
    root = native.people["root"]
    if form == "apply":
        answer = root.apply(at("namespaces", name=name), namespace(name))
    else:
        made = {**namespace(name), "metadata": {form: name}}
        answer = root.create(at("namespaces"), made)
    assert answer.status_code == 403, answer.text


def test_administrators_make_and_end_ordinary_namespaces(native: Native) -> None:
    """What the rules withhold is all that they withhold; Kubernetes' controllers finalize it."""
    root = native.people["root"]
    assert root.create(at("namespaces"), namespace("short-lived")).status_code == 201
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    path = at("namespaces", name="short-lived")
    assert root.patch(path, {"metadata": {"labels": labels}}).status_code == 200
    assert root.delete(path).status_code == 200
    native.gone(path)


@pytest.mark.parametrize("who", ["alice", "vera", "newbie", "outsider"])
def test_nobody_else_makes_or_ends_one(native: Native, who: str) -> None:
    """Only administrators create and delete namespaces."""
    person = native.people[who]
    assert person.create(at("namespaces"), namespace("mine")).status_code == 403
    assert person.create(at("namespaces"), namespace("mine"), dryRun="All").status_code == 403
    assert person.delete(at("namespaces", name="team-a")).status_code == 403


@pytest.mark.parametrize("part", ["labels", "annotations"])
@pytest.mark.parametrize("key", PROTECTED)
@pytest.mark.parametrize("who", ["alice", "outsider", "system:serviceaccount:team-a:runner"])
def test_an_owner_changes_no_protected_key(native: Native, who: str, key: str, part: str) -> None:
    """On the namespace, its status and by apply; what is free he changes."""
    person, path = native.people[who], at("namespaces", name="team-a")
    change = {"metadata": {part: {key: "privileged"}}}
    assert person.patch(path, change).status_code == 403
    assert person.patch(f"{path}/status", change).status_code == 403
    applied = {**namespace("team-a"), "metadata": {"name": "team-a", part: {key: "privileged"}}}
    assert person.apply(path, applied, force="true").status_code == 403
    assert person.patch(path, {"metadata": {part: {"example.com/stage": who[:5]}}}).is_success


def test_an_owner_hands_his_namespace_to_nobody(native: Native) -> None:
    """Owners and finalizers of a namespace are an administrator's to write."""
    path = at("namespaces", name="team-a")
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1-2-3"}
    for meta in ({"ownerReferences": [owner]}, {"finalizers": ["example.com/held"]}):
        assert native.people["alice"].patch(path, {"metadata": meta}).status_code == 403


def test_the_cluster_looks_after_its_own(native: Native) -> None:
    """Kubernetes' components and operators outside llmos are not bound."""
    path = at("namespaces", name="storage-system")
    described = {"metadata": {"annotations": {"example.com/disks": "fast"}}}
    manager = native.person("system:kube-controller-manager", "system:masters-of-none")
    native.grant_cluster("operators", "cluster-admin", "Group", "kubeadm:cluster-admins")
    native.grant_cluster("provisioners", "cluster-admin", "User", "provisioner")
    operator = native.person("kubernetes-admin", "kubeadm:cluster-admins")
    provisioner = native.person("provisioner")
    for person in (operator, provisioner):
        assert person.patch(path, described).status_code == 200
        assert person.patch(f"{path}/status", {"metadata": {"labels": {"a": "b"}}}).is_success
        assert person.patch(path, {"metadata": {"labels": {"a": None}}}).is_success
        made = namespace("kube-add-on")
        assert person.create(at("namespaces"), made).status_code == 201
        assert person.delete(at("namespaces", name="kube-add-on")).status_code == 200
        native.gone(at("namespaces", name="kube-add-on"))
    assert manager.get(path).status_code in (200, 403)
