"""NS: namespaces, reserved names, and what steers the platform on them."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from attacks.support import Actor, World
from attacks.words import MG, NS, RB, RESERVED, rule, unique
from support.objects import config_map, member, namespace, role_binding, subject
from support.waiting import wait_until

pytestmark = pytest.mark.slow
BINDINGS = f"{MG}/roletemplatebindings"
MARKS = [
    "llmos.ai/skip-webhook",
    "llmos.ai/system",
    "llmos.ai/reserved",
    "llmos.ai/owner",
    "management.llmos.ai/skip",
    "kubernetes.io/metadata.name",
    *(
        f"pod-security.kubernetes.io/{mode}{version}"
        for mode in ("enforce", "audit", "warn")
        for version in ("", "-version")
    ),
    "resource.kubernetes.io/admin-access",
]


@pytest.mark.parametrize("who", ["alice", "vera", "newbie", "carol", "runner", "anonymous"])
@pytest.mark.parametrize("query", ["", "?dryRun=All", "?fieldManager=x"])
def test_ns_01_only_admins_create_namespaces(world: World, who: str, query: str):
    """Neither with a name nor with a generated one, nor as a dry run, nor by apply or replace."""
    actor = world.anonymous if who == "anonymous" else world.actors[who]
    mine = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}}
    with world.unchanged():
        assert actor.post(f"{NS}{query}", mine).status == 403
        assert actor.post(f"{NS}{query}", {"metadata": {"generateName": "mine-"}}).status == 403
        assert actor.put(f"{NS}/mine{query}", mine).status == 403
        assert actor.apply(f"{NS}/mine", mine).status == 403


@pytest.mark.parametrize("name", RESERVED)
def test_ns_04_no_label_switches_the_guard_off(root: Actor, world: World, name: str):
    """A reserved namespace is deleted by nobody from inside, whatever is written on it."""
    eve = world.throwaway("eve")
    every = rule("", "namespaces namespaces/status namespaces/finalize", "get patch update delete")
    world.odd_rule(eve, name, every)
    for actor in (eve, root):
        for field in ("labels", "annotations"):
            change = {"metadata": {field: dict.fromkeys(MARKS[:5], "true")}}
            for part in ("", "/status", "/finalize"):
                answer = actor.patch(f"{NS}/{name}{part}", change)
                assert answer.status in (403, 404, 405), (part, answer.text)
    with world.unchanged():
        for actor in (eve, root):
            for query in ("", "?propagationPolicy=Orphan", "?gracePeriodSeconds=0", "?dryRun=All"):
                assert actor.delete(f"{NS}/{name}{query}").status == 403
            for body in ({"finalizers": []}, {"phase": "Terminating"}):
                whole = world.do("GET", f"{NS}/{name}")
                whole["spec"] = body
                assert actor.put(f"{NS}/{name}/finalize", whole).status == 403


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?labelSelector=kubernetes.io/metadata.name%3Dkube-system",
        "?fieldSelector=metadata.name%3Dkube-system",
        "?fieldSelector=metadata.name%3Dteam-a",
        "?dryRun=All",
    ],
)
def test_ns_05_namespaces_are_not_deleted_as_a_collection(
    root: Actor, alice: Actor, world: World, query: str
):
    """Kubernetes has no deletecollection on namespaces: 405 for an admin, 403 for others."""
    with world.unchanged():
        assert root.delete(f"{NS}{query}").status == 405
        assert alice.delete(f"{NS}{query}").status in (403, 405)


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
        {"metadata": {"labels": {"llmos.ai/owner": "alice"}}},
        {"metadata": {"labels": {"free": "yes"}}},
        {"metadata": {"annotations": {"llmos.ai/system": "true"}}},
        {
            "metadata": {
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Namespace", "name": "team-b", "uid": "x"}
                ]
            }
        },
        {"metadata": {"finalizers": ["evil/x"]}},
        {"status": {"phase": "Terminating"}},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("part", ["status", "finalize"])
def test_ns_07_a_subresource_is_no_way_around(world: World, change: dict, part: str):
    """Whoever may write a namespace's status changes neither metadata nor phase through it."""
    eve = world.throwaway("eve")
    world.odd_rule(eve, "team-a", rule("", "namespaces/status namespaces/finalize", "patch update"))
    path = f"{NS}/team-a/{part}"
    before = world.do("GET", f"{NS}/team-a")
    whole = json.loads(json.dumps(before))
    for key, value in change.items():
        whole[key] |= value
    applied = {"apiVersion": "v1", "kind": "Namespace", **change}
    statuses = [
        eve.patch(path, change).status,
        eve.apply(path, applied).status,
        eve.put(path, whole).status,
    ]
    assert set(statuses) <= {200, 403, 405, 422}
    after = world.do("GET", f"{NS}/team-a")
    for each in (before, after):
        each["metadata"].pop("managedFields", None)
        each["metadata"].pop("resourceVersion", None)
    assert after == before


@pytest.mark.parametrize(
    ("field", "key"),
    # The label with the name is put back, whoever changes it: that is NS-10.
    [("annotations", key) for key in MARKS]
    + [("labels", key) for key in MARKS if key != "kubernetes.io/metadata.name"],
)
def test_ns_09_an_owner_does_not_move_the_guards(alice: Actor, world: World, key: str, field: str):
    """Protected keys are neither added nor changed nor removed, on any path."""
    path = f"{NS}/team-a"
    pointer = f"/metadata/{field}/{key.replace('/', '~1')}"
    whole = world.do("GET", path)
    whole["metadata"].setdefault(field, {})[key] = "privileged"
    applied = {
        "apiVersion": "v1", "kind": "Namespace", "metadata": {field: {key: "privileged"}},
    }  # fmt: skip
    with world.unchanged():
        assert alice.patch(path, {"metadata": {field: {key: "privileged"}}}).status in (403, 422)
        strategic = "application/strategic-merge-patch+json"
        body = {"metadata": {field: {key: "privileged"}}}
        assert alice.patch(path, body, strategic).status in (403, 422)
        assert alice.apply(path, applied).status in (403, 422)
        assert alice.put(path, whole).status in (403, 422)
        there = field in world.do("GET", path)["metadata"]
        operations = [] if there else [{"op": "add", "path": f"/metadata/{field}", "value": {}}]
        operations.append({"op": "add", "path": pointer, "value": "privileged"})
        assert alice.json_patch(path, *operations).status in (403, 422)


@pytest.mark.parametrize(
    "owners",
    [
        [{"apiVersion": "v1", "kind": "Namespace", "name": "team-b", "uid": "x"}],
        [
            {
                "apiVersion": "management.llmos.ai/v1",
                "kind": "User",
                "name": "alice",
                "uid": "x",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    ],
)
def test_ns_09_an_owner_does_not_change_who_owns_the_namespace(
    alice: Actor, world: World, owners: list
):
    """OwnerReferences and finalizers of a namespace stay."""
    path = f"{NS}/team-a"
    with world.unchanged():
        assert alice.patch(path, {"metadata": {"ownerReferences": owners}}).status in (403, 422)
        assert alice.patch(path, {"metadata": {"finalizers": ["evil/x"]}}).status in (403, 422)
        applied = {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"ownerReferences": owners},
        }  # fmt: skip
        assert alice.apply(path, applied).status in (403, 422)


def test_ns_09_nothing_removes_what_an_admin_has_set(alice: Actor, root: Actor, world: World):
    """Null, replacement without it and apply without it leave a protected label where it is."""
    key = "pod-security.kubernetes.io/enforce"
    path = f"{NS}/team-a"
    assert root.patch(path, {"metadata": {"labels": {key: "restricted"}}}).status == 200
    whole = world.do("GET", path)
    del whole["metadata"]["labels"][key]
    with world.unchanged():
        assert alice.patch(path, {"metadata": {"labels": {key: None}}}).status in (403, 422)
        assert alice.patch(path, {"metadata": {"labels": None}}).status in (403, 422)
        assert alice.patch(path, {"metadata": {"labels": {key: ""}}}).status in (403, 422)
        assert alice.put(path, whole).status in (403, 422)
        pointer = f"/metadata/labels/{key.replace('/', '~1')}"
        assert alice.json_patch(path, {"op": "remove", "path": pointer}).status in (403, 422)
        assert alice.json_patch(path, {"op": "remove", "path": "/metadata/labels"}).status in (
            403,
            422,
        )
    assert root.patch(path, {"metadata": {"labels": {key: None}}}).status == 200


@pytest.mark.parametrize("value", ["team-b", "", None])
def test_ns_10_the_name_label_is_the_name(
    alice: Actor, root: Actor, bob: Actor, world: World, value: str | None
):
    """The label kubernetes.io/metadata.name always equals the name, whoever writes it."""
    key = "kubernetes.io/metadata.name"
    change = {"metadata": {"labels": {key: value}}}
    assert alice.patch(f"{NS}/team-a", change).status in (200, 403, 422)
    assert root.patch(f"{NS}/team-a", change).status in (200, 403, 422)
    assert world.do("GET", f"{NS}/team-a")["metadata"]["labels"][key] == "team-a"
    selector = "labelSelector=kubernetes.io%2Fmetadata.name%20in%20%28team-b%29"
    assert bob.get(f"{NS}?{selector}").names == ["team-b"]
    assert alice.get(f"{NS}?{selector}").names == []


def test_ns_10_a_new_namespace_has_its_own_name_as_label(root: Actor):
    """A forged label is replaced when a namespace is created."""
    name = unique("forged")
    made = namespace(name)
    made["metadata"]["labels"] = {"kubernetes.io/metadata.name": "team-b"}
    answer = root.post(NS, made)
    assert answer.status in (201, 422)
    if answer.status == 201:
        assert answer.json()["metadata"]["labels"]["kubernetes.io/metadata.name"] == name


def test_ns_12_there_is_no_gap_in_ownership(alice: Actor, root: Actor, world: World):
    """A mark is not taken off beside an allowed change, nor off and on in one patch."""
    key = "llmos.ai/tenant"
    path = f"{NS}/team-a"
    pointer = "/metadata/labels/llmos.ai~1tenant"
    assert root.patch(path, {"metadata": {"labels": {key: "a"}}}).status == 200
    since = str(world.stored.revision())
    with world.unchanged():
        both = {"metadata": {"labels": {key: None, "free": "yes"}}}
        assert alice.patch(path, both).status == 403
        assert alice.patch(path, {"metadata": {"labels": {key: "mine"}}}).status == 403
        operations = (
            {"op": "remove", "path": pointer},
            {"op": "add", "path": pointer, "value": "mine"},
        )
        assert alice.json_patch(path, *operations).status == 403
    # What ends as it was has changed nothing.
    operations = (
        {"op": "remove", "path": pointer},
        {"op": "add", "path": pointer, "value": "a"},
        {"op": "add", "path": "/metadata/labels/free", "value": "yes"},
    )
    assert alice.json_patch(path, *operations).status in (200, 403)
    events = world.operator.get(
        f"{NS}?watch=1&timeoutSeconds=1&resourceVersion={since}"
        "&fieldSelector=metadata.name%3Dteam-a"
    ).text.splitlines()
    for each in map(json.loads, events):
        assert each["object"]["metadata"]["labels"][key] == "a"
    assert root.patch(path, {"metadata": {"labels": {key: None, "free": None}}}).status == 200


@pytest.mark.parametrize("prefix", ["kube-sys", "llmos-", "kube-", "llmos-x"])
def test_ns_14_a_generated_name_is_reserved_too(root: Actor, world: World, prefix: str):
    """The reserved prefixes hold for generated names, for an admin as well."""
    with world.unchanged():
        assert root.post(NS, {"metadata": {"generateName": prefix}}).status == 403
        assert root.post(NS, {"metadata": {"name": f"{prefix}x"}}).status == 403


def test_ns_14_a_generated_name_is_valid(root: Actor, alice: Actor):
    """It is cut to 63 characters; an empty prefix beside a name counts for nothing."""
    made = root.post(NS, {"metadata": {"generateName": "g" * 250}})
    assert made.status in (201, 422)
    if made.status == 201:
        assert len(made.json()["metadata"]["name"]) <= 63
    name = unique("both")
    made = root.post(NS, {"metadata": {"generateName": "", "name": name}})
    assert made.status == 201
    assert made.json()["metadata"]["name"] == name
    assert root.post(NS, {"metadata": {"generateName": ""}}).status == 422
    assert alice.post(NS, {"metadata": {"generateName": "kube-"}}).status == 403


def test_ns_14_many_generated_names_at_once(alice: Actor):
    """Two hundred creations with one generateName make as many objects as they say they do."""
    path = f"{NS}/team-a/configmaps"

    def create(_: int) -> str:
        answer = alice.post(path, {"metadata": {"generateName": "many-"}}, within=5)
        assert answer.status in (201, 409)
        return answer.json()["metadata"]["name"] if answer.status == 201 else ""

    with ThreadPoolExecutor(16) as pool:
        names = [each for each in pool.map(create, range(200)) if each]
    assert len(set(names)) == len(names)
    assert set(names) <= set(alice.get(path).names)
    assert all(len(each) <= 63 for each in names)
    for each in names:
        assert alice.delete(f"{path}/{each}").status == 200


def test_ns_16_nothing_is_made_in_an_ending_namespace(world: World, root: Actor):
    """A namespace that ends takes nothing new, and nothing of it remains."""
    name = unique("ending")
    world.add_namespace(name)
    eve = world.throwaway("eve")
    world.bind(f"{eve.name}-owner", "namespace-owner", eve.name, name)
    path = f"{NS}/{name}"
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    world.do("POST", f"{path}/configmaps", held)
    assert root.delete(path).status == 200
    wait_until(lambda: world.do("GET", path)["status"]["phase"] == "Terminating", 5)
    tried = {
        f"{path}/configmaps": config_map("late"),
        f"{path}/serviceaccounts": {"metadata": {"name": "late"}},
        f"{RB}/namespaces/{name}/rolebindings": role_binding("late", "view", subject(eve.name)),
    }
    for target, body in tried.items():
        for actor in (eve, root):
            answer = actor.post(target, body)
            assert answer.status == 403, answer.text
        answer = root.post(target, body)
        causes = answer.json()["details"]["causes"]
        assert [each["reason"] for each in causes] == ["NamespaceTerminating"]
    late = member(unique("late"), name, "namespace-readonly", subject("newbie"))
    assert root.post(BINDINGS, late).status == 403
    answer = eve.post(f"{path}/serviceaccounts/default/token", {"spec": {}})
    assert answer.status in (403, 404)
    world.operator.patch(
        f"{path}/configmaps/held",
        content=b'{"metadata":{"finalizers":null}}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    wait_until(lambda: world.operator.get(path).status_code == 404, 15)

    def orphans() -> list:
        found = world.stored.dump().objects
        return [key for key, text in found.items() if key[2] == name or f'"{name}"' in text]

    wait_until(lambda: not orphans(), 10)


@pytest.mark.parametrize("mark", ["management.cattle.io/system-namespace", "llmos.ai/system"])
def test_ns_19_no_annotation_makes_a_namespace_the_platforms(
    alice: Actor, root: Actor, world: World, mark: str
):
    """Which namespaces are the platform's is a list in the server, not written on them."""
    rights = [("delete", "configmaps", True), ("delete", "namespaces", False)]
    answer = alice.patch(f"{NS}/team-a", {"metadata": {"annotations": {mark: "true"}}})
    assert answer.status in (200, 403)
    assert all(alice.may(verb, kind, "team-a") is may for verb, kind, may in rights)
    alice.patch(f"{NS}/team-a", {"metadata": {"annotations": {mark: None}}})
    name = unique("evil") + "-system"
    made = namespace(name)
    made["metadata"]["annotations"] = {mark: "true"}
    assert root.post(NS, made).status == 201
    world.bind(f"{name}-owner", "namespace-owner", "alice", name)
    wait_until(lambda: name in alice.get(NS).names, 2)
    assert root.delete(f"{NS}/{name}").status == 200
    gone = (f"{NS}/{name}", f"{BINDINGS}/{name}-owner")
    wait_until(lambda: all(world.operator.get(each).status_code == 404 for each in gone), 15)


@pytest.mark.parametrize("target", ["kube-system", "llmos-system", "storage-system"])
def test_ns_22_nobody_becomes_a_member_of_a_reserved_namespace(
    alice: Actor, carol: Actor, root: Actor, world: World, target: str
):
    """Neither by an owner nor by a delegated manager nor by an admin."""
    with world.unchanged():
        for actor in (alice, carol, root):
            for role in ("namespace-owner", "namespace-readonly"):
                made = member(unique("grab"), target, role, subject("alice"))
                assert actor.post(BINDINGS, made).status == 403
                assert actor.apply(f"{BINDINGS}/{made['metadata']['name']}", made).status == 403
            bound = role_binding("grab", "view", subject("alice"))
            path = f"{RB}/namespaces/{target}/rolebindings"
            assert actor.post(path, bound).status == 403


@pytest.mark.parametrize(
    "preconditions", [{"uid": "wrong"}, {"resourceVersion": "1"}, {"uid": "wrong", "x": 1}]
)
def test_ns_25_preconditions_of_a_deletion_hold(alice: Actor, world: World, preconditions: dict):
    """A deletion for another uid or version is a conflict and deletes nothing."""
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
    with world.unchanged():
        answer = alice.delete(f"{NS}/team-a/configmaps/a", body)
        assert answer.status in (409, 400 if "x" in preconditions else 409)


def _put(world: World, actor: Actor, path: str, **meta: object) -> int:
    """Write an object back with this metadata; the server may be writing its status too."""
    while True:
        whole = world.do("GET", path)
        whole["metadata"] |= meta
        if (status := actor.put(path, whole).status) != 409:
            return status


def test_ns_26_no_namespace_is_resurrected(world: World, root: Actor):
    """Its deletionTimestamp is neither set nor taken off by writing it, nor are finalizers."""
    name = unique("end")
    world.add_namespace(name)
    eve = world.throwaway("eve")
    world.bind(f"{eve.name}-owner", "namespace-owner", eve.name, name)
    path = f"{NS}/{name}"

    def write(actor: Actor, **meta: object) -> int:
        return _put(world, actor, path, **meta)

    for actor in (eve, root):
        assert write(actor, deletionTimestamp="2020-01-01T00:00:00Z") in (200, 403, 422)
        found = world.do("GET", path)
        assert "deletionTimestamp" not in found["metadata"]
        assert found["status"]["phase"] == "Active"
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    world.do("POST", f"{path}/configmaps", held)
    assert root.delete(path).status == 200
    wait_until(lambda: "deletionTimestamp" in world.do("GET", path)["metadata"], 5)
    ends = world.do("GET", path)["metadata"]["deletionTimestamp"]
    for actor in (eve, root):
        for meta in ({"deletionTimestamp": None}, {"finalizers": []}):
            assert write(actor, **meta) in (200, 403, 422)
        assert actor.patch(path, {"metadata": {"deletionTimestamp": None}}).status in (
            200, 403, 422,
        )  # fmt: skip
        whole = world.do("GET", path)
        whole["spec"] = {"finalizers": []}
        assert actor.put(path, whole).status in (200, 403, 409, 422)
        found = world.do("GET", path)
        assert found["metadata"]["deletionTimestamp"] == ends
        assert found["status"]["phase"] == "Terminating"
        assert found["spec"]["finalizers"] == ["kubernetes"]
    world.operator.patch(
        f"{path}/configmaps/held",
        content=b'{"metadata":{"finalizers":null}}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    wait_until(lambda: world.operator.get(path).status_code == 404, 15)
