"""BODY: what is sent as a body, in which format, and as which kind of patch."""

import gzip
import json
import zlib

import pytest

from attacks.support import Actor, World
from attacks.words import APPLY, JSON, JSON_PATCH, MERGE, MG, NS, RB, unique
from support.objects import config_map, member, subject
from support.waiting import wait_until

pytestmark = pytest.mark.slow
MAPS = f"{NS}/team-a/configmaps"
STRATEGIC = "application/strategic-merge-patch+json"
YAML = "application/yaml"


def test_body_01_of_two_values_one_counts_everywhere(alice: Actor, world: World):
    """What is decided by and what is stored come from the same value; Strict refuses both."""
    twice = (
        b'{"metadata":{"name":"ok","namespace":"team-a"},'
        b'"metadata":{"name":"evil","namespace":"team-b"}}'
    )
    with world.unchanged():
        assert alice.post(MAPS, twice).status == 400
        strict = alice.post(f"{MAPS}?fieldValidation=Strict", twice)
        assert strict.status == 400
        labels = b'{"metadata":{"name":"x","labels":{"a":"1","a":"2"}},"data":{"k":"1","k":"2"}}'
        strict = alice.post(f"{MAPS}?fieldValidation=Strict", labels)
        assert strict.status == 400
        assert "duplicate field" in strict.text
        dry = alice.post(f"{MAPS}?dryRun=All", labels)
        assert dry.status == 201
        assert "warning" in dry.headers
        assert dry.json()["metadata"]["labels"] == {"a": "2"}
        assert dry.json()["data"] == {"k": "2"}
    reverse = (
        b'{"metadata":{"name":"body-01","namespace":"team-b"},'
        b'"metadata":{"name":"body-01","namespace":"team-a"}}'
    )
    answer = alice.post(MAPS, reverse)
    assert answer.status in (201, 400)
    assert world.operator.get(f"{NS}/team-b/configmaps/body-01").status_code == 404


@pytest.mark.parametrize(
    "text",
    [
        '{"Metadata":{"name":"case"},"metadata":{"name":"body-02"}}',
        '{"metaData":{"namespace":"team-b"},"metadata":{"name":"body-02"}}',
        '{"KIND":"Secret","metadata":{"name":"body-02"}}',
        '{"metadata":{"name":"body-02","Labels":{"a":"b"}}}',
        '{"metadata":{"name":"body-02"},"Data":{"a":"b"}}',
        '{"metadata":{"name":"body-02"},"spec":{"replicAs":1}}',
        '{"metadata":{"name":"body-02"},"__proto__":{"x":1},"constructor":{"y":2}}',
    ],
)
def test_body_02_names_of_fields_have_one_case(alice: Actor, world: World, text: str):
    """A field in another case is unknown: it is dropped with a warning, or refused by Strict."""
    with world.unchanged():
        dry = alice.post(f"{MAPS}?dryRun=All", text.encode())
        if world.on_cluster and "KIND" in text:
            # Kubernetes reads the kind itself in any case, and refuses a Secret here.
            assert dry.status == 400
            return
        assert dry.status == 201
        assert "warning" in dry.headers
        made = dry.json()
        assert made["kind"] == "ConfigMap"
        assert made["metadata"]["name"] == "body-02"
        assert "labels" not in made["metadata"]
        assert not {"data", "Data", "spec", "__proto__"} & set(made)
        assert alice.post(f"{MAPS}?fieldValidation=Strict", text.encode()).status == 400


def _laughs(levels: int = 9) -> bytes:
    lines = ["a0: &a0 [lol]"]
    for level in range(1, levels + 1):
        names = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{names}]")
    return ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n" + "\n".join(lines)).encode()


def _nested() -> bytes:
    return b"x: " + b"&a [" * 1000 + b"]" * 1000


def _merges() -> bytes:
    lines = ["m0: &m0 {a: 1}"]
    lines += [f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}, *m{n - 1}]}}" for n in range(1, 40)]
    return "\n".join(lines).encode()


BOMBS = {
    "laughs": (_laughs(), 400),
    "laughs as text": (
        b"data:\n  a0: &a0 lol\n"
        + b"".join(
            b"  a%d: &a%d [%b]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9))
            for n in range(1, 10)
        ),
        400,
    ),
    "nested anchors": (_nested(), 400),
    "merges": (_merges(), 400),
    "itself": (b"a: &a\n  b: *a\n", 400),
    "deep": (b"- " * 20_000, 400),
    "deep flow": (b"[" * 20_000, 400),
    "anchors of ten megabytes": (b"&a [" * (10 * 1024 * 1024 // 4), 413),
    "a tag": (b"!!python/object/apply:os.system ['true']", 400),
    "two documents": (b"a: 1\n---\nb: 2\n", 400),
    "wide key": (b"? [" + b"a, " * 1000 + b"]\n: 1\n", 400),
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("way", ["create", "apply"])
def test_body_03_no_yaml_swells(alice: Actor, world: World, bomb: str, way: str):
    """A YAML bomb is refused in a second, and without memory."""
    data, expected = BOMBS[bomb]
    before = world.resident_bytes()
    with world.unchanged():
        if way == "create":
            answer = alice.post(MAPS, data, content=YAML)
        else:
            answer = alice.patch(f"{MAPS}/x?fieldManager=k", data, APPLY)
    assert answer.status in (expected, 422 if expected == 400 else 0)
    assert world.resident_bytes() - before < 50 * 1024 * 1024


@pytest.mark.parametrize("depth", [1_000, 10_000, 100_000, 1_000_000])
@pytest.mark.parametrize("content", [JSON, YAML, MERGE, JSON_PATCH, STRATEGIC, APPLY])
def test_body_03_no_depth_breaks_the_parser(alice: Actor, world: World, depth: int, content: str):
    """However deep a body is nested, it is refused, or has changed nothing."""
    for opened, closed in (("[", "]"), ('{"a":', "}"), ('{"a":[', "]}")):
        data = (opened * depth + "1" + closed * depth).encode()
        if len(data) > 3 * 1024 * 1024:
            continue
        if content in (JSON, YAML):
            answer = alice.post(MAPS, data, content=content)
        else:
            answer = alice.patch(f"{MAPS}/a?fieldManager=k", data, content)
        # Kubernetes drops what it does not know unread, so deep or not it changes nothing.
        dropped = world.on_cluster and content in (MERGE, STRATEGIC) and answer.status == 200
        assert dropped or answer.status in (400, 413, 422), (opened, depth)


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\udc00x"', '"\\u0000"', '"\\ufffe"', '"a\\u0000b"', '"\\ud83d\\ude00"']
)
def test_body_07_odd_characters_are_kept_or_refused(alice: Actor, text: str):
    """A surrogate, NUL or noncharacter comes back as it was, or is refused; never an error."""
    name = unique("odd")
    bodies = {
        f'{{"metadata":{{"name":"{name}","annotations":{{"note":{text}}}}}}}': "value",
        f'{{"metadata":{{"name":"{name}"}},"data":{{"k":{text}}}}}': "data",
        f'{{"metadata":{{"name":"{name}"}},"data":{{{text}:"v"}}}}': "key",
        f'{{"metadata":{{"name":{text}}}}}': "name",
        f'{{"metadata":{{"name":"{name}","labels":{{"l":{text}}}}}}}': "label",
    }
    for body, where in bodies.items():
        answer = alice.post(MAPS, body.encode())
        assert answer.status in (201, 400, 422), where
        if answer.status != 201:
            continue
        wanted = json.loads(text)
        made = alice.get(f"{MAPS}/{name}").json()
        found = made["metadata"].get("annotations", {}).get("note"), made.get("data", {}).get("k")
        assert wanted in found or "\ufffd" in str(found)
        assert alice.delete(f"{MAPS}/{name}").status == 200
    for patch in (
        f'{{"metadata":{{"annotations":{{"note":{text}}}}}}}',
        f'{{"data":{{{text}:"v"}}}}',
    ):
        answer = alice.patch(f"{MAPS}/a?dryRun=All", patch.encode())
        assert answer.status in (200, 400, 422)
    assert alice.get(f"{MAPS}?labelSelector=a%3D{text.strip(chr(34))}").status in (200, 400)


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-16-le", JSON), ("utf-16-be", JSON), ("utf-16", JSON), ("utf-32", JSON),
        ("utf-32-le", JSON), ("utf-8-sig", JSON), ("utf-7", "application/json; charset=utf-7"),
        ("utf-16", "application/json; charset=utf-16"), ("utf-16", YAML), ("utf-32", YAML),
        ("utf-16-le", YAML), ("latin-1", JSON), ("cp037", JSON),
    ],
)  # fmt: skip
def test_body_08_a_body_is_utf8(alice: Actor, world: World, encoding: str, content: str):
    """Other encodings are refused: no reader sees another object than the next.

    Where a cluster reads the body the proxy does not; Kubernetes takes some as UTF-8 with errors.
    """
    body = json.dumps(config_map("body-08", k="Grüße"), ensure_ascii=False).encode(
        encoding, "replace"
    )
    with world.unchanged():
        answer = alice.post(f"{MAPS}?dryRun=All", body, content=content)
        assert answer.status in ((201, 400, 415) if world.on_cluster else (400, 415))
        if content == JSON or not world.on_cluster:
            users = alice.post(f"{MG}/users", body, content=content)
            assert users.status in (400, 403, 415)


def test_body_10_nothing_is_unpacked(alice: Actor, world: World):
    """Packed bodies are refused, and a bomb takes no memory."""
    plain = json.dumps(config_map("body-10")).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1024 * 1024) for _ in range(200)) + packer.flush()
    packed = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "gzip, gzip": gzip.compress(gzip.compress(plain)),
        "x-gzip": gzip.compress(plain),
        "br": plain,
        "zstd": plain,
    }
    before = world.resident_bytes()
    with world.unchanged():
        for encoding, data in packed.items():
            path = f"{MAPS}?dryRun=All"
            answer = alice.post(path, data, headers=[("Content-Encoding", encoding)])
            # Kubernetes unpacks nothing, and looks at the body alone.
            read = world.on_cluster and data == plain and answer.status == 201
            assert read or answer.status in (400, 413, 415), encoding
        answer = alice.post(MAPS, bomb, headers=[("Content-Encoding", "gzip")])
        assert answer.status in (400, 413, 415)
        login = alice.post("/auth/login", bomb, headers=[("Content-Encoding", "gzip")])
        assert login.status in (400, 413, 415)
    assert world.resident_bytes() - before < 50 * 1024 * 1024


_LENIENT = (
    {"op": "add", "path": "data/x", "value": "x"},
    {"op": "add", "path": "/data/x"},
)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "", "value": {"kind": "Secret", "metadata": {"name": "a"}}},
        {"op": "replace", "path": "", "value": config_map("b")},
        {"op": "replace", "path": "", "value": []},
        {"op": "replace", "path": "", "value": None},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/metadata/namespace", "value": "team-b"},
        {"op": "add", "path": "/-", "value": "x"},
        {"op": "add", "path": "/metadata/ownerReferences/-1", "value": {}},
        {"op": "add", "path": "/metadata/ownerReferences/99", "value": {}},
        {"op": "add", "path": "/data/~2", "value": "x"},
        {"op": "add", "path": "/data/~", "value": "x"},
        {"op": "add", "path": "data/x", "value": "x"},
        {"op": "copy", "from": "/metadata/name", "path": "/metadata/namespace"},
        {"op": "move", "from": "/metadata", "path": "/metadata/labels"},
        {"op": "move", "from": "", "path": "/data"},
        {"op": "test", "path": "/data/of", "value": "something else"},
        {"op": "evil", "path": "/data"},
        {"op": "add", "path": "/data/x"},
        {"op": "add", "path": None, "value": 1},
        {"path": "/data/x", "value": "x"},
        {"op": "add", "path": "/metadata/labels", "value": "x"},
        {"op": "add", "path": "/data/x", "value": {"deep": 1}},
        {"op": "replace", "path": "/apiVersion", "value": "v2"},
        {"op": "replace", "path": "/metadata", "value": None},
        {"op": "add", "path": "/metadata/managedFields", "value": [{"manager": 5}]},
        5,
        None,
        [],
    ],
    ids=json.dumps,
)
def test_body_12_odd_patches_are_refused(alice: Actor, world: World, operation: object):
    """An operation that leads out of the object or makes no object of it changes nothing."""
    with world.unchanged():
        # Without a value or a slash Kubernetes takes both for nothing: it is only tried.
        lenient = world.on_cluster and operation in _LENIENT
        query = "?dryRun=All" if lenient else ""
        answer = alice.patch(f"{MAPS}/a{query}", [operation], JSON_PATCH)
        if answer.status == 200 and not lenient:
            # On an object "-" is a member like any other: it is unknown, and dropped.
            assert isinstance(operation, dict)
            assert operation["path"] == "/-"
            assert "unknown field" in answer.headers["warning"]
            strict = alice.patch(f"{MAPS}/a?fieldValidation=Strict", [operation], JSON_PATCH)
            assert strict.status in (400, 422)
        else:
            assert answer.status in (400, 409, 422, *([200] if lenient else []))


def test_body_12_the_name_label_is_not_patched_away(alice: Actor, world: World):
    """Whatever a JSON patch says, the label with the name of a namespace is its name."""
    pointer = "/metadata/labels/kubernetes.io~1metadata.name"
    for operation in (
        {"op": "replace", "path": pointer, "value": "team-b"},
        {"op": "remove", "path": pointer},
        {"op": "move", "from": pointer, "path": "/metadata/labels/x"},
    ):
        assert alice.json_patch(f"{NS}/team-a", operation).status in (200, 400, 403, 422)
        found = world.do("GET", f"{NS}/team-a")["metadata"]["labels"]
        assert found["kubernetes.io/metadata.name"] == "team-a"
    alice.patch(f"{NS}/team-a", {"metadata": {"labels": {"x": None}}})


def test_body_12_a_patch_does_not_swell(alice: Actor, world: World):
    """Copies of copies do not grow without bound."""
    operations = [{"op": "add", "path": "/data", "value": {"k": "x" * 1000}}]
    operations += [{"op": "copy", "from": "/data", "path": f"/data/k{n}"} for n in range(40)]
    before = world.resident_bytes()
    with world.unchanged():
        answer = alice.patch(f"{MAPS}/a", operations, JSON_PATCH)
        assert answer.status in (400, 413, 422)
        many = [{"op": "test", "path": "/data", "value": {}}] * 20_000
        assert alice.patch(f"{MAPS}/a", many, JSON_PATCH).status in (400, 413, 422)
    assert world.resident_bytes() - before < 50 * 1024 * 1024


@pytest.mark.parametrize("manager", ["", "x" * 200, "a%00b", "a%0ab", "%E2%80%AE"])
def test_body_15_a_manager_has_a_name(alice: Actor, world: World, manager: str):
    """An apply without a manager, or with one that cannot be shown, is refused."""
    with world.unchanged():
        body = config_map("a", k="v")
        path = f"{MAPS}/a?fieldManager={manager}"
        assert alice.patch(path, body, APPLY).status in (400, 422)
        if manager:
            assert alice.patch(path, {"data": {"k": "v"}}).status in (400, 422)
            assert alice.post(f"{MAPS}?fieldManager={manager}", config_map("m")).status in (
                400, 422,
            )  # fmt: skip


def test_body_15_managed_fields_give_no_rights(alice: Actor, world: World):
    """Forged managedFields and force do not move what is guarded, whoever they name."""
    forged = [
        {
            "manager": "llmos-controllers",
            "operation": "Apply",
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {"f:llmos.ai/owner": {}}}},
        }
    ]
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"labels": {"llmos.ai/owner": "alice"}},
    }
    with world.unchanged():
        assert alice.apply(f"{NS}/team-a", body, manager="llmos-controllers").status == 403
        body["metadata"]["managedFields"] = forged
        assert alice.apply(f"{NS}/team-a", body).status in (400, 403, 422)
        assert alice.patch(f"{NS}/team-a", {"metadata": body["metadata"]}).status in (400, 403, 422)


def test_body_15_managed_fields_are_bounded(alice: Actor, world: World):
    """Megabytes of managedFields, or odd ones, are refused or dropped."""
    for managed in (
        [{"manager": "x", "fieldsV1": {f"f:{n}": {} for n in range(300_000)}}],
        [{"manager": f"m{n}", "operation": "Update", "fieldsV1": {}} for n in range(5_000)],
        [{"fieldsV1": {"bad": 5}, "operation": "Evil"}],
        [{"fieldsV1": None, "time": "not a time"}],
    ):
        made = config_map(unique("managed"))
        made["metadata"]["managedFields"] = managed
        answer = alice.post(f"{MAPS}?dryRun=All", made, within=2)
        assert answer.status in (201, 400, 413, 422)
        answer = alice.patch(
            f"{MAPS}/a?dryRun=All", {"metadata": {"managedFields": managed}}, within=2
        )
        assert answer.status in (200, 400, 413, 422)


def test_body_16_what_the_server_sets_is_not_the_clients(alice: Actor, world: World):
    """A resourceVersion is refused at creation; uid, times and generation are the server's."""
    for version in ("5", "0", "abc", "\u0665", "1_0", "99999999999999999999"):
        made = config_map(unique("rv"))
        made["metadata"]["resourceVersion"] = version
        answer = alice.post(MAPS, made)
        # Kubernetes itself drops what is no number.
        refused = (201, 400, 500) if world.on_cluster else (400,)
        assert answer.status in ((201,) if version == "0" else refused), version
    made = config_map(unique("forged"))
    made["metadata"] |= {
        "uid": "00000000-0000-0000-0000-000000000000",
        "generation": 999,
        "selfLink": "/evil",
        "creationTimestamp": "1970-01-01T00:00:00Z",
        "deletionTimestamp": "2020-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 5,
    }
    answer = alice.post(MAPS, made)
    assert answer.status == 201
    meta = answer.json()["metadata"]
    assert meta["uid"] != "00000000-0000-0000-0000-000000000000"
    assert not meta["creationTimestamp"].startswith("1970")
    assert not {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"} & set(meta)
    assert alice.delete(f"{MAPS}/{made['metadata']['name']}").status == 200


@pytest.mark.parametrize("version", ["abc", "\u0665", "1_0", "-1", "99999999999999999999", " 5"])
def test_body_16_an_odd_version_is_no_server_error(alice: Actor, world: World, version: str):
    """A resourceVersion that is none is refused in updates, patches and deletions."""
    refused = (400, 409, 422, *([500] if world.on_cluster else []))
    with world.unchanged():
        made = config_map("a", of="x")
        made["metadata"]["resourceVersion"] = version
        assert alice.put(f"{MAPS}/a", made).status in refused
        assert alice.put(f"{MAPS}/a?dryRun=All", made).status in refused
        change = {"metadata": {"resourceVersion": version}, "data": {"of": "x"}}
        assert alice.patch(f"{MAPS}/a", change).status in refused
        change.pop("data")
        assert alice.patch(f"{MAPS}/a", change).status in (200, *refused)
        body = {"preconditions": {"resourceVersion": version}}
        assert alice.delete(f"{MAPS}/a", body).status in refused


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "body-18"}},
        {
            "kind": "List",
            "apiVersion": "v1",
            "items": [
                {**config_map("x"), "metadata": {"name": "x", "namespace": each}}
                for each in ("team-a", "team-b", "kube-system")
            ],
        },
        [config_map("x")],
        {"kind": "ConfigMapList", "apiVersion": "v1", "items": [config_map("x")]},
        {"kind": "ConfigMap", "apiVersion": "v2", "metadata": {"name": "x"}},
        {"kind": "ConfigMap", "apiVersion": "evil/v1", "metadata": {"name": "x"}},
        {"kind": "Status", "apiVersion": "v1"},
        {"kind": ["ConfigMap"], "apiVersion": "v1", "metadata": {"name": "x"}},
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": []},
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": ["x"]}},
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x", "labels": []}},
        "text",
        5,
        None,
        True,
    ],
    ids=lambda each: json.dumps(each)[:60],
)
def test_body_18_one_object_of_one_kind(alice: Actor, world: World, body: object):
    """Another kind, a list, or no object at all is refused, and nothing of it is applied."""
    with world.unchanged():
        assert alice.post(MAPS, json.dumps(body).encode()).status in (400, 422)


@pytest.mark.parametrize("block", [True, False])
def test_body_20_owners_elsewhere_are_inert(alice: Actor, bob: Actor, world: World, block: bool):
    """A reference to an owner in another namespace deletes and blocks nothing but one's own."""
    theirs = bob.post(f"{NS}/team-b/configmaps", config_map(unique("owner"))).json()["metadata"]
    owners = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": theirs["name"], "uid": theirs["uid"]},
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "no-such-uid"},
    ]
    for owner in owners:
        made = config_map(unique("owned"))
        reference = {**owner, "blockOwnerDeletion": block, "controller": True}
        made["metadata"]["ownerReferences"] = [reference]
        assert alice.post(MAPS, made).status in (201, 403, 422)
    path = f"{NS}/team-b/configmaps/{theirs['name']}"
    # Waits for the garbage collector to have seen what was made.
    wait_until(lambda: not [each for each in alice.get(MAPS).names if "owned-" in each], 10)
    assert bob.get(path).status == 200
    assert bob.get(f"{NS}/team-b/configmaps/c").status == 200
    assert bob.delete(f"{path}?propagationPolicy=Foreground").status == 200
    wait_until(lambda: bob.get(path).status == 404, 5)


def test_body_20_cluster_wide_owners_are_not_held_up(alice: Actor, world: World):
    """A namespace or user that is named as an owner goes when it is deleted."""
    eve = world.throwaway("eve")
    owner = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "name": eve.name,
        "uid": eve.uid,
        "blockOwnerDeletion": True,
    }
    made = config_map(unique("owned"))
    made["metadata"]["ownerReferences"] = [owner]
    assert alice.post(MAPS, made).status in (201, 403)
    world.do("DELETE", f"{MG}/users/{eve.name}?propagationPolicy=Foreground")
    wait_until(lambda: world.operator.get(f"{MG}/users/{eve.name}").status_code == 404, 10)
    path = f"{MAPS}/{made['metadata']['name']}"
    wait_until(lambda: alice.get(path).status == 404, 10)


def test_body_24_a_finalizer_does_not_keep_rights(alice: Actor, root: Actor, world: World):
    """A member's binding that a finalizer holds up gives nothing once it is deleted."""
    name = unique("held")
    made = member(name, "team-a", "namespace-readonly", subject("newbie"))
    made["metadata"]["finalizers"] = ["evil.example.com/x"]
    assert alice.post(f"{MG}/roletemplatebindings", made).status in (201, 403, 422)
    newbie = world.actors["newbie"]
    path = f"{MG}/roletemplatebindings/{name}"
    if world.operator.get(path).status_code == 404:
        return
    wait_until(lambda: newbie.get(MAPS).status == 200, 3)
    assert root.delete(path).status == 200
    wait_until(lambda: newbie.get(MAPS).status == 403, 2)
    assert root.patch(path, {"metadata": {"finalizers": None}}).status == 200
    wait_until(lambda: world.operator.get(path).status_code == 404, 5)
    bindings = world.do("GET", f"{RB}/namespaces/team-a/rolebindings")["items"]
    assert not [each for each in bindings if name in each["metadata"]["name"]]


def test_body_24_an_admin_removes_what_is_held(alice: Actor, root: Actor):
    """An object with a foreign finalizer goes when an admin takes it off, and stays away."""
    name = unique("held")
    made = config_map(name)
    made["metadata"]["finalizers"] = ["evil.example.com/x"]
    assert alice.post(MAPS, made).status == 201
    path = f"{MAPS}/{name}"
    assert root.delete(path).status == 200
    assert root.get(path).json()["metadata"]["deletionTimestamp"]
    more = {"metadata": {"finalizers": ["evil.example.com/x", "evil.example.com/y"]}}
    assert alice.patch(path, more).status in (403, 422)
    assert root.patch(path, {"metadata": {"finalizers": None}}).status == 200
    assert root.get(path).status == 404
