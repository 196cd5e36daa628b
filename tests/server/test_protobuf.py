"""Answers in protobuf, for clients that take nothing else: what is JSON otherwise, byte for byte.

``tests/cluster/test_protobuf.py`` compares the encoding with a real kube-apiserver's.
"""

import asyncio

import pytest

from llmos.apimachinery.protobuf import decode
from llmos.apimachinery.protobuf_encoding import encode, encode_event
from llmos.endpoints import rendering, watching
from llmos.storage.config import StorageConfig
from reconcile.waiting import eventually
from server.site import NOTEBOOK, config_map, opened

PROTOBUF = "application/vnd.kubernetes.protobuf"
META = f"{PROTOBUF};as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
META_LIST = f"{PROTOBUF};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
TABLE = f"{PROTOBUF};as=Table;v=v1;g=meta.k8s.io"
INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "x"}]},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Watches look up often, so that tests need not wait."""
    monkeypatch.setattr(watching, "RECHECK_SECONDS", 0.02)


def ask(site, method, target, body=None, accept=PROTOBUF, **headers):
    """An answer that must be protobuf."""
    answer = site.ask(method, target, body, accept=accept, **headers)
    assert answer.headers["content-type"] == [PROTOBUF], answer.body
    return answer


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/yaml;q=0.1"])
@pytest.mark.parametrize("template", [f"{PROTOBUF},%s", f"%s,{PROTOBUF}"])
def test_is_for_those_who_take_nothing_else(site, path, template, accept):
    """Objects are JSON already; whoever takes it gets it, in whatever order he asks."""
    site.make(path, config_map())
    for target in (f"{path}/a", path, f"{path}?watch=true&timeoutSeconds=1"):
        if "watch" in target and "yaml" in accept:
            continue
        answer = site.ask("GET", target, accept=template % accept)
        assert answer.status == 200
        assert not answer.headers["content-type"][0].startswith(PROTOBUF)


def test_reads(site, path):
    """An object, a list, a page of one, and metadata alone."""
    for name in "abc":
        site.make(path, config_map(name))
    for target in (f"{path}/a", path, f"{path}?labelSelector=none"):
        assert ask(site, "GET", target).body == encode(site.get(target))
    page = site.get(f"{path}?limit=1")
    assert page["metadata"]["remainingItemCount"] == 2
    assert ask(site, "GET", f"{path}?limit=1").body == encode(page)
    rest = f"{path}?continue={page['metadata']['continue']}"
    assert ask(site, "GET", rest).body == encode(site.get(rest))
    for target, accept in ((f"{path}/a", META), (path, META_LIST)):
        json = site.get(target, accept=accept.replace(PROTOBUF, "application/json"))
        assert ask(site, "GET", target, accept=accept).body == encode(json)
    assert site.ask("GET", path, accept=TABLE).status == 406
    assert ask(site, "GET", path, accept=f"{TABLE},{PROTOBUF}").body == encode(site.get(path))


def test_writes(site, place, path):
    """What is stored, and the Status of what is gone."""
    made = ask(site, "POST", path, config_map())
    assert made.status == 201
    assert made.body == encode(site.get(f"{path}/a"))
    changed = ask(site, "PUT", f"{path}/a", config_map(x="y"))
    assert changed.body == encode(site.get(f"{path}/a"))
    merge = "application/merge-patch+json"
    patched = ask(site, "PATCH", f"{path}/a", {"data": {"z": "1"}}, content_type=merge)
    assert decode(patched.body)["data"] == {"x": "y", "z": "1"}
    applied = ask(
        site,
        "PATCH",
        f"{path}/b?fieldManager=m",
        config_map("b"),
        content_type="application/apply-patch+yaml",
    )
    assert (applied.status, applied.body) == (201, encode(site.get(f"{path}/b")))
    gone = decode(ask(site, "DELETE", f"{path}/a").body)
    assert (gone["kind"], gone["status"], gone["details"]["name"]) == ("Status", "Success", "a")
    left = site.get(path)
    deleted = ask(site, "DELETE", path).body
    assert b"ConfigMapList" in deleted[:30]
    assert left["items"][0]["metadata"]["uid"].encode() in deleted
    account = f"{place}/serviceaccounts"
    site.make(account, {"metadata": {"name": "robot"}})
    token = ask(site, "POST", f"{account}/robot/token", {"spec": {}})
    assert decode(token.body)["status"]["token"]
    assert decode(ask(site, "DELETE", f"{account}/robot").body)["kind"] == "ServiceAccount"


def test_reviews_and_scales(site, place):
    """Kinds that are never stored."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    assert decode(ask(site, "POST", path, review).body)["status"]["allowed"] is True
    deployments = place.replace("/api/v1", "/apis/apps/v1") + "/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    site.make(deployments, {"metadata": {"name": "d"}, "spec": spec})
    scale = decode(ask(site, "GET", f"{deployments}/d/scale").body)
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 1)
    new = ask(
        site,
        "PATCH",
        f"{deployments}/d/scale",
        {"spec": {"replicas": 2}},
        content_type="application/merge-patch+json",
    )
    scale = decode(new.body)
    assert scale["spec"]["replicas"] == 2
    scale["spec"]["replicas"] = 3
    put = decode(ask(site, "PUT", f"{deployments}/d/scale", scale).body)
    assert put["spec"]["replicas"] == 3


@pytest.mark.parametrize("accept", [PROTOBUF, TABLE, "application/xml"])
def test_who_cannot_be_answered_writes_nothing(site, notebooks, accept):
    """A custom kind has no protobuf: that is said before anything is stored or deleted."""
    merge = {"content_type": "application/merge-patch+json"}
    assert site.ask("POST", notebooks, NOTEBOOK, accept=accept).status == 406
    assert site.get(notebooks)["items"] == []
    site.make(notebooks, NOTEBOOK)
    before = site.get(f"{notebooks}/n")
    labelled = {**before, "metadata": {**before["metadata"], "labels": {"a": "b"}}}
    patch = {"metadata": {"labels": {"a": "b"}}}
    for method, target, body, headers in (
        ("PUT", f"{notebooks}/n", labelled, {}),
        ("PATCH", f"{notebooks}/n", patch, merge),
        ("DELETE", f"{notebooks}/n", None, {}),
        ("DELETE", notebooks, None, {}),
        ("GET", f"{notebooks}/n", None, {}),
        ("GET", notebooks, None, {}),
        ("GET", f"{notebooks}?watch=true", None, {}),
    ):
        answer = site.ask(method, target, body, accept=accept, **headers)
        assert answer.status == 406, (method, target)
    assert site.get(f"{notebooks}/n") == before
    if accept == PROTOBUF:
        assert decode(answer.body)["message"].startswith("only the following media types")


def test_custom_kinds_have_metadata(site, notebooks):
    """Which is of the same kind everywhere; so garbage collectors read it."""
    site.make(notebooks, NOTEBOOK)
    for target, accept in ((f"{notebooks}/n", META), (notebooks, META_LIST)):
        json = site.get(target, accept=accept.replace(PROTOBUF, "application/json"))
        assert ask(site, "GET", target, accept=accept).body == encode(json)


def frames(stream):
    """The events of a stream: type, object, and the bytes of each."""
    data, found = b"".join(stream.chunks), []
    while data:
        size = 4 + int.from_bytes(data[:4], "big")
        found.append(data[:size])
        data = data[size:]
    return found


@pytest.mark.parametrize("accept", [PROTOBUF, META, f"{PROTOBUF};stream=watch"])
def test_watches(site, path, accept):
    """The frames are the lines of a watch in JSON, the marks among them."""
    site.make(path, config_map("early"))

    async def scenario():
        target = f"{path}?watch=true&{INITIAL}"
        json = accept.replace(PROTOBUF, "application/json")
        async with (
            site.watching(target, accept=accept) as stream,
            site.watching(target, accept=accept) as other,
            site.watching(target, accept=json) as lines,
        ):
            await eventually(lambda: len(site.core.streams) == 3)
            await site.asked("POST", path, config_map("late"))
            await site.asked("DELETE", f"{path}/early")
            return stream, other, lines

    stream, other, lines = site.run(scenario())
    assert other.chunks == stream.chunks
    events = lines.events
    for each in events:
        each["object"].pop("spec", None)
    assert [each["type"] for each in events] == ["ADDED", "BOOKMARK", "ADDED", "DELETED"]
    assert frames(stream) == [encode_event(each["type"], encode(each["object"])) for each in events]


def test_the_type_of_a_stream(site, path):
    """It says how it is framed."""
    answer = site.ask("GET", f"{path}?watch=true&timeoutSeconds=1", accept=PROTOBUF)
    assert answer.headers["content-type"] == [f"{PROTOBUF};stream=watch"]


def test_an_old_revision_is_one_frame():
    """The 410 of an expired watch, in an ERROR event."""
    with opened(StorageConfig(window_events=3, window_seconds=0)) as site:
        path = f"{site.namespace()}/configmaps"
        version = site.make(path, config_map())["metadata"]["resourceVersion"]
        for number in range(30):
            site.ask("PUT", f"{path}/a", config_map(n=str(number)))

        async def scenario():
            target = f"{path}?watch=true&resourceVersion={version}"
            async with site.watching(target, accept=PROTOBUF) as stream:
                await asyncio.wait_for(stream.ended, 3)
                return stream

        (frame,) = frames(site.run(scenario()))
    assert b"ERROR" in frame
    assert b"too old resource version" in frame


def test_no_field_is_lost(site, place):
    """A client is told of a field that protobuf does not have here, and gets no object without."""
    pods = f"{place}/pods"
    volume = {"name": "v", "emptyDir": {"mode": 448}}
    odd = {**POD, "spec": {**POD["spec"], "volumes": [volume]}}
    site.make(pods, odd)
    for target in (pods, f"{pods}/p"):
        answer = site.ask("GET", target, accept=PROTOBUF)
        assert answer.status == 406
        assert "has no field mode in protobuf" in decode(answer.body)["message"]

    async def scenario():
        async with site.watching(f"{pods}?watch=true", accept=PROTOBUF) as stream:
            await eventually(lambda: stream.chunks)
            return stream

    (frame,) = frames(site.run(scenario()))
    assert b"ERROR" in frame
    assert b"has no field mode in protobuf" in frame


@pytest.mark.parametrize("query", ["", "?watch=true"])
def test_a_long_list_lets_others_have_their_turn(site, path, monkeypatch, query):
    """Nobody waits for it to be encoded."""
    monkeypatch.setattr(rendering, "SLICE_SECONDS", -1)
    monkeypatch.setattr(watching, "SLICE_SECONDS", -1)
    for number in range(20):
        site.make(path, config_map(f"c{number}"))
    turns = []

    async def others():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def scenario():
        beside = asyncio.ensure_future(others())
        if query:
            async with site.watching(path + query, accept=PROTOBUF) as stream:
                await eventually(lambda: stream.chunks)
                assert len(frames(stream)) == 20
        else:
            await site.asked("GET", path, accept=PROTOBUF)
        beside.cancel()

    site.run(scenario())
    assert len(turns) >= 20


class Paused:
    """In place of ``asyncio`` where a watch begins: it waits with what it has encoded."""

    get_running_loop = staticmethod(asyncio.get_running_loop)

    def __init__(self):
        self.waits = False
        self.go = asyncio.Event()

    async def sleep(self, seconds):
        """Wait until the test goes on."""
        del seconds
        self.waits = True
        await self.go.wait()


@pytest.fixture
def paused(monkeypatch):
    """Watches wait after the first object that they encode."""
    monkeypatch.setattr(watching, "SLICE_SECONDS", -1)
    made = Paused()
    monkeypatch.setattr(watching, "asyncio", made)
    return made


def binding(place):
    """Where bindings of the namespace are, and one that lets uma read it."""
    group = "rbac.authorization.k8s.io"
    path = place.replace("/api/v1", f"/apis/{group}/v1") + "/rolebindings"
    role = {"apiGroup": group, "kind": "ClusterRole", "name": "view"}
    subject = {"apiGroup": group, "kind": "User", "name": "uma"}
    return path, {"metadata": {"name": "uma"}, "roleRef": role, "subjects": [subject]}


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_right_that_goes_while_a_watch_begins(site, place, path, paused, everywhere):
    """Nothing of what may not be seen any more is told, though it is encoded already."""
    site.make(path, config_map())
    bindings, given = binding(place)
    site.make(bindings, given)
    target = "/api/v1/configmaps?watch=true" if everywhere else f"{path}?watch=true"
    here = place.rpartition("/")[2].encode()

    async def scenario():
        async with site.watching(target, token="uma") as stream:
            await eventually(lambda: paused.waits)
            await site.asked("DELETE", f"{bindings}/uma")
            paused.go.set()
            await eventually(lambda: site.core.streams or stream.ended.done())
            await asyncio.sleep(0.1)
            assert stream.ended.done() != everywhere
            return stream

    assert here not in b"".join(site.run(scenario()).chunks)


def test_what_happens_while_a_watch_begins_is_told_after(site, path, paused):
    """The mark is of the revision of what was told before it."""
    site.make(path, config_map())

    async def scenario():
        async with site.watching(f"{path}?watch=true&{INITIAL}") as stream:
            await eventually(lambda: paused.waits)
            made = await site.asked("POST", path, config_map("late"))
            paused.go.set()
            await eventually(lambda: len(stream.events) == 3)
            return made.json, stream.events

    made, (early, mark, late) = site.run(scenario())
    assert (early["type"], early["object"]["metadata"]["name"]) == ("ADDED", "a")
    assert mark["type"] == "BOOKMARK"
    version = int(mark["object"]["metadata"]["resourceVersion"])
    assert version < int(made["metadata"]["resourceVersion"])
    assert late["object"] == made
