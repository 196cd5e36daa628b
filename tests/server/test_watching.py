"""A watch: what it begins with, what it tells, and what ends it."""

import asyncio

import orjson
import pytest

from llmos.endpoints import watching
from llmos.storage.config import StorageConfig
from reconcile.waiting import eventually
from server.site import config_map, opened

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Watches look up often, so that tests need not wait."""
    monkeypatch.setattr(watching, "RECHECK_SECONDS", 0.02)


def told(stream):
    """Type and name of every event so far."""
    return [
        (each["type"], each["object"].get("metadata", {}).get("name", "")) for each in stream.events
    ]


async def heard(site, path, *steps, query="", **more):
    """What a watch tells while some requests are made."""
    async with site.watching(f"{path}?watch=true{query}", **more) as stream:
        await eventually(lambda: site.core.streams)
        for method, target, *body in steps:
            answer = await site.asked(method, target, *body)
            assert answer.status in (200, 201), answer.body
        return stream


def labelled(name, **labels):
    """A config map with labels."""
    return {**config_map(name), "metadata": {"name": name, "labels": labels}}


def test_begins_with_what_is_there_and_goes_on(site, place):
    """Without a revision: the state as ADDED, then every change once, in order."""
    path = f"{place}/configmaps"
    site.make(path, config_map("a"))
    steps = [
        ("POST", path, config_map("b")),
        ("PUT", f"{path}/a", config_map("a", x="y")),
        ("PUT", f"{path}/a", config_map("a", x="y")),
        ("DELETE", f"{path}/a"),
    ]
    stream = site.run(heard(site, path, *steps))
    assert told(stream) == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "a")]
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in stream.events]
    assert versions == sorted(set(versions))
    assert all(each["object"]["kind"] == "ConfigMap" for each in stream.events)


def test_begins_after_a_revision(site, place):
    """What happened since is told, and nothing before it."""
    path = f"{place}/configmaps"
    version = site.make(path, config_map("a"))["metadata"]["resourceVersion"]
    site.make(path, config_map("b"))
    stream = site.run(heard(site, path, query=f"&resourceVersion={version}"))
    assert told(stream) == [("ADDED", "b")]


def test_hears_of_its_namespace_alone(site, place):
    """The same name elsewhere is another object."""
    other = site.namespace()
    steps = [
        ("POST", f"{other}/configmaps", config_map()),
        ("POST", f"{place}/configmaps", config_map()),
    ]
    stream = site.run(heard(site, f"{place}/configmaps", *steps))
    (event,) = stream.events
    assert place.endswith(event["object"]["metadata"]["namespace"])


def test_a_selector_lets_objects_in_and_out(site, place):
    """Entering is ADDED; leaving is DELETED with the state that matched, at the new revision."""
    path = f"{place}/configmaps"
    steps = [
        ("POST", path, labelled("a", k="no")),
        ("PUT", f"{path}/a", labelled("a", k="yes", n="1")),
        ("PUT", f"{path}/a", labelled("a", k="yes", n="2")),
        ("PUT", f"{path}/a", labelled("a", k="no")),
        ("PUT", f"{path}/a", labelled("a")),
        ("DELETE", f"{path}/a"),
        ("POST", path, labelled("b", k="yes")),
        ("DELETE", f"{path}/b"),
    ]
    stream = site.run(heard(site, path, *steps, query="&labelSelector=k%3Dyes"))
    assert told(stream) == [
        ("ADDED", "a"),
        ("MODIFIED", "a"),
        ("DELETED", "a"),
        ("ADDED", "b"),
        ("DELETED", "b"),
    ]
    left = stream.events[2]["object"]["metadata"]
    assert left["labels"] == {"k": "yes", "n": "2"}
    assert int(left["resourceVersion"]) > int(
        stream.events[1]["object"]["metadata"]["resourceVersion"]
    )


def test_a_field_selector_is_about_one_object(site, place):
    """Others are not told."""
    path = f"{place}/configmaps"
    steps = [("POST", path, config_map(name)) for name in ("a", "b")]
    stream = site.run(heard(site, path, *steps, query="&fieldSelector=metadata.name%3Db"))
    assert told(stream) == [("ADDED", "b")]


def test_a_streaming_list_marks_its_end(site, place):
    """The state, then one bookmark that says so; its revision covers all that came before."""
    path = f"{place}/configmaps"
    site.make(path, config_map("a"))
    query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    stream = site.run(heard(site, path, ("POST", path, config_map("b")), query=query))
    assert [kind for kind, _ in told(stream)] == ["ADDED", "BOOKMARK", "ADDED"]
    first, mark, second = (each["object"]["metadata"] for each in stream.events)
    assert mark["annotations"] == {"k8s.io/initial-events-end": "true"}
    revisions = [int(each["resourceVersion"]) for each in (first, mark, second)]
    assert revisions == sorted(revisions)


def test_bookmarks_come_now_and_then_and_at_the_end(site, place, monkeypatch):
    """Only to those who want them; each is at the newest revision."""
    monkeypatch.setattr(watching, "BOOKMARK_SECONDS", 0.1)
    path = f"{place}/configmaps"

    query = "watch=true&timeoutSeconds=1&allowWatchBookmarks=true"

    async def scenario():
        async with site.watching(f"{path}?{query}") as stream:
            monkeypatch.setattr(stream, "wait", lambda seconds: asyncio.sleep(min(seconds, 0.05)))
            await asyncio.wait_for(stream.ended, 3)
            return stream

    stream = site.run(scenario())
    assert {kind for kind, _ in told(stream)} == {"BOOKMARK"}
    assert len(stream.events) >= 3
    last = stream.events[-1]["object"]
    assert last["kind"] == "ConfigMap"
    assert last["metadata"]["resourceVersion"] == str(site.core.storage.revision)


def test_ends_when_its_time_is_up(site, place):
    """The server closes, without a bookmark that nobody asked for; nothing is left."""

    async def scenario():
        async with site.watching(f"{place}/configmaps?watch=true&timeoutSeconds=1") as stream:
            await asyncio.wait_for(stream.ended, 3)
            return stream

    assert site.run(scenario()).events == []
    assert not site.core.streams


def test_ends_when_the_client_leaves(site, place):
    """Nobody writes into a closed connection, and nothing of the watch is left."""

    async def scenario():
        async with site.watching(f"{place}/configmaps?watch=true") as stream:
            await eventually(lambda: site.core.streams)
            stream.leave()
            await asyncio.wait_for(stream.ended, 3)

    site.run(scenario())
    assert not site.core.streams


def test_a_client_that_does_not_read_is_cut(site, place, monkeypatch):
    """It comes back with its last revision; others are not held up."""
    monkeypatch.setattr(watching, "MAX_BUFFERED", 1000)
    path = f"{place}/configmaps"

    async def scenario():
        async with (
            site.watching(f"{path}?watch=true") as slow,
            site.watching(f"{path}?watch=true") as good,
        ):
            await eventually(lambda: len(site.core.streams) == 2)
            slow.buffered = 1001
            await site.asked("POST", path, config_map("a"))
            await asyncio.wait_for(slow.ended, 3)
            await site.asked("POST", path, config_map("b"))
            return slow, good

    slow, good = site.run(scenario())
    assert slow.aborted
    assert told(good) == [("ADDED", "a"), ("ADDED", "b")]
    assert told(slow) == [("ADDED", "a")]


def test_an_old_revision_is_one_line_and_the_end():
    """HTTP 200, then an ERROR event with the 410, and the stream ends."""
    with opened(StorageConfig(window_events=3, window_seconds=0)) as site:
        path = f"{site.namespace()}/configmaps"
        version = site.make(path, config_map())["metadata"]["resourceVersion"]
        for number in range(30):
            site.ask("PUT", f"{path}/a", config_map(n=str(number)))

        async def scenario():
            async with site.watching(f"{path}?watch=true&resourceVersion={version}") as stream:
                await asyncio.wait_for(stream.ended, 3)
                return stream

        (event,) = site.run(scenario()).events
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert f"too old resource version: {version} (" in event["object"]["message"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resourceVersion=abc", 400),
        ("resourceVersionMatch=Exact&resourceVersion=1", 422),
        ("sendInitialEvents=true", 422),
        ("sendInitialEvents=true&resourceVersionMatch=Exact", 422),
        ("continue=x", 422),
        ("timeoutSeconds=x", 400),
        ("labelSelector=%3D%3D", 400),
        ("fieldSelector=data%3Dx", 400),
    ],
)
def test_bad_options_are_refused_before_the_stream_begins(site, place, query, code):
    """As an answer with a status, not as an event."""
    answer = site.ask("GET", f"{place}/configmaps?watch=true&{query}")
    assert answer.status == code
    assert answer.json["kind"] == "Status"


def test_a_list_does_not_send_initial_events(site, place):
    """The option belongs to watches."""
    assert site.ask("GET", f"{place}/configmaps?sendInitialEvents=true").status == 422


def test_yaml_is_not_streamed(site, place):
    """It is a 406 before the stream begins."""
    answer = site.ask("GET", f"{place}/configmaps?watch=true", accept="application/yaml")
    assert answer.status == 406


def test_tables_are_streamed(site, place):
    """The columns come once; each event is a table of one row."""
    path = f"{place}/configmaps"
    site.make(path, config_map("a"))
    query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    steps = [("POST", path, config_map("b"))]
    stream = site.run(heard(site, path, *steps, query=query, accept=TABLE))
    first, mark, second = (each["object"] for each in stream.events)
    assert [each["name"] for each in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert mark["columnDefinitions"] is None
    assert second["columnDefinitions"] is None
    assert first["rows"][0]["cells"][:2] == ["a", 1]
    assert second["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert mark["rows"][0]["object"]["metadata"]["annotations"]


def test_metadata_is_streamed_alone(site, place):
    """Content stays where it is."""
    path = f"{place}/configmaps"
    steps = [("POST", path, config_map("a"))]
    stream = site.run(heard(site, path, *steps, accept=METADATA))
    assert stream.events[0]["object"]["kind"] == "PartialObjectMetadata"
    assert "data" not in stream.events[0]["object"]


def test_equal_watches_share_their_bytes_and_others_do_not(site, place):
    """One encoding for all that want the same; a table or metadata is another's."""
    path = f"{place}/configmaps"

    async def scenario():
        target = f"{path}?watch=true"
        async with (
            site.watching(target) as one,
            site.watching(target) as two,
            site.watching(target, accept=METADATA) as three,
            site.watching(f"{target}&labelSelector=k%3Dyes") as four,
        ):
            await eventually(lambda: len(site.core.streams) == 4)
            await site.asked("POST", path, labelled("a", k="yes"))
            return one, two, three, four

    one, two, three, four = site.run(scenario())
    assert one.chunks == two.chunks == four.chunks
    assert orjson.loads(three.chunks[0])["object"]["kind"] == "PartialObjectMetadata"


def binding(role, name="uma", kind="ClusterRole"):
    """A binding of the user uma to a role."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": kind, "name": role},
        "subjects": [{"kind": "User", "name": "uma", "apiGroup": group}],
    }


def bindings(place):
    """Where role bindings of a namespace are."""
    return place.replace("/api/v1", "/apis/rbac.authorization.k8s.io/v1") + "/rolebindings"


def test_what_comes_into_sight_is_added_and_what_leaves_it_is_deleted(site, place):
    """A watch over all namespaces follows the rights of its user, without an end."""
    site.make(f"{place}/configmaps", config_map("seen"))
    other = site.namespace()
    site.make(f"{other}/configmaps", config_map("hidden"))

    async def scenario():
        async with site.watching("/api/v1/configmaps?watch=true", token="uma") as stream:
            await eventually(lambda: site.core.streams)
            await site.asked("POST", bindings(place), binding("view"))
            await eventually(lambda: ("ADDED", "seen") in told(stream))
            await site.asked("PUT", f"{place}/configmaps/seen", config_map("seen", x="y"))
            await site.asked("PUT", f"{other}/configmaps/hidden", config_map("hidden", x="y"))
            await site.asked("DELETE", f"{bindings(place)}/uma")
            await eventually(lambda: ("DELETED", "seen") in told(stream))
            await site.asked("PUT", f"{place}/configmaps/seen", config_map("seen", x="z"))
            assert not stream.ended.done()
            return stream

    stream = site.run(scenario())
    mine = [each for each in told(stream) if each[1] in ("seen", "hidden")]
    assert mine == [("ADDED", "seen"), ("MODIFIED", "seen"), ("DELETED", "seen")]
    gone = stream.events[-1]["object"]
    assert gone["data"] == {"x": "y"}


def test_namespaces_come_and_go_with_the_rights(site, place):
    """The list of namespaces is narrowed the same way."""
    name = place.rpartition("/")[2]

    async def scenario():
        async with site.watching("/api/v1/namespaces?watch=true", token="uma") as stream:
            await eventually(lambda: site.core.streams)
            assert ("ADDED", name) not in told(stream)
            await site.asked("POST", bindings(place), binding("view"))
            await eventually(lambda: ("ADDED", name) in told(stream))
            await site.asked("DELETE", f"{bindings(place)}/uma")
            await eventually(lambda: ("DELETED", name) in told(stream))

    site.run(scenario())


def test_a_watch_ends_when_its_right_does(site, place):
    """Where nothing is narrowed, losing the right ends the stream."""
    site.make(bindings(place), binding("view"))

    async def scenario():
        async with site.watching(f"{place}/configmaps?watch=true", token="uma") as stream:
            await eventually(lambda: site.core.streams)
            await site.asked("DELETE", f"{bindings(place)}/uma")
            await asyncio.wait_for(stream.ended, 3)
            await site.asked("POST", f"{place}/configmaps", config_map("later"))
            return stream

    assert ("ADDED", "later") not in told(site.run(scenario()))


def test_a_stopping_server_ends_its_watches(site, place):
    """Clients come back to whoever takes over."""

    async def scenario():
        async with site.watching(f"{place}/configmaps?watch=true") as stream:
            await eventually(lambda: site.core.streams)
            site.lifecycle.stopping = True
            stream.wake()
            await asyncio.wait_for(stream.ended, 3)

    try:
        site.run(scenario())
    finally:
        site.lifecycle.stopping = False


@pytest.mark.parametrize("query", ["", "&labelSelector=k%3Dyes"])
def test_nothing_is_told_once_a_right_is_gone(site, place, query):
    """Not even what happens before the watch has asked again: all goes as it was last seen."""
    path = f"{place}/configmaps"
    for name in ("changed", "deleted", "relabelled"):
        site.make(path, labelled(name, k="yes"))
    hidden = {**labelled("changed", k="yes"), "data": {"x": "hidden"}}

    async def scenario():
        target = f"/api/v1/configmaps?watch=true{query}"
        async with site.watching(target, token="uma") as stream:
            await eventually(lambda: len(mine(stream)) == 3)
            await site.asked("DELETE", f"{bindings(place)}/uma")
            await asyncio.gather(
                site.asked("PUT", f"{path}/changed", hidden),
                site.asked("DELETE", f"{path}/deleted"),
                site.asked("PUT", f"{path}/relabelled", labelled("relabelled", k="no")),
                site.asked("POST", path, labelled("late", k="yes")),
            )
            await site.asked("PUT", f"{path}/late", hidden | labelled("late", k="no"))
            await site.asked("DELETE", f"{path}/late")
            await eventually(lambda: len(mine(stream)) == 6)
            await asyncio.sleep(0.2)
            return stream

    def mine(stream):
        names = ("changed", "deleted", "relabelled", "late")
        return sorted(each for each in told(stream) if each[1] in names)

    site.make(bindings(place), binding("view"))
    stream = site.run(scenario())
    assert mine(stream) == [
        (kind, name)
        for kind in ("ADDED", "DELETED")
        for name in ("changed", "deleted", "relabelled")
    ]
    assert b"hidden" not in b"".join(stream.chunks)
    assert all(each["object"]["metadata"]["labels"] == {"k": "yes"} for each in stream.events[-3:])


def test_what_happens_while_a_right_comes_is_told_once(site, place):
    """Whether the watch has asked again or not."""
    site.make(f"{place}/configmaps", config_map("early"))

    async def scenario():
        async with site.watching("/api/v1/configmaps?watch=true", token="uma") as stream:
            await eventually(lambda: site.core.streams)
            await site.asked("POST", bindings(place), binding("view"))
            await site.asked("PUT", f"{place}/configmaps/early", config_map("early", x="y"))
            await site.asked("POST", f"{place}/configmaps", config_map("late"))
            await eventually(lambda: ("ADDED", "late") in told(stream))
            await asyncio.sleep(0.2)
            return stream

    mine = [each for each in told(site.run(scenario())) if each[1] in ("early", "late")]
    assert sorted(mine) == [("ADDED", "early"), ("ADDED", "late")]
