"""Streams both ways: as they come, no faster than they are taken, and no longer than is allowed."""

import asyncio
import json
import time

import pytest

from llmos.endpoints import protocol, streams
from llmos.endpoints.protocol import BoundedProtocol
from llmos.proxy import lifetimes
from proxy.front import connected, fronted, plain
from proxy.scripted import answer, saying, scripted
from reconcile.waiting import eventually

CM = "/api/v1/namespaces/a/configmaps"
WATCH = f"{CM}?watch=1"
LOG = "/api/v1/namespaces/a/pods/p/log?follow=true"
WEB = "/api/v1/namespaces/a/services/web/proxy/upload"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    """A chunk of an answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """No head is known from another test."""
    monkeypatch.setattr(BoundedProtocol, "heads", type(BoundedProtocol.heads)())


@pytest.mark.parametrize("path", [WATCH, LOG, WEB, "/api/v1/nodes/n/proxy/logs"])
def test_a_stream_comes_as_it_is_said(path):
    """Each line at once, and the end when it ends."""

    async def script(asked, wire):
        await wire.say(CHUNKED)
        for number in range(3):
            await wire.say(chunk(b"line %d\n" % number))
            await heard.wait()
            heard.clear()
        await wire.say(b"0\r\n\r\n")

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                client.send("GET", path)
                status, _ = await client.head()
                lines = []
                while line := await client.chunk():
                    lines.append(line)
                    heard.set()
                cluster.script = saying(answer())
                again = await client.ask("GET", CM)
            return status, lines, again[0]

    heard = asyncio.Event()
    assert asyncio.run(scenario()) == (200, [b"line 0\n", b"line 1\n", b"line 2\n"], 200)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("framed", [b"Content-Length: 5000000\r\n\r\n", None])
def test_a_long_answer_is_passed_on(times, framed):
    """Whole, with its length where it has one; on a connection that is used again."""
    data = bytes(range(250)) * 20_000
    said = (
        b"HTTP/1.1 200 OK\r\n" + framed + data
        if framed
        else CHUNKED + b"".join(chunk(data[at : at + 50_000]) for at in range(0, len(data), 50_000))
        + b"0\r\n\r\n"
    )  # fmt: skip

    async def scenario():
        async with (
            scripted(saying(said)) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            return [await client.ask("GET", CM) for _ in range(times)], cluster.connections

    answers, connections = asyncio.run(scenario())
    assert connections == 1
    for status, headers, body in answers:
        assert (status, body) == (200, data)
        assert ("content-length" in headers) == bool(framed)


@pytest.mark.parametrize("path", [CM, LOG])
def test_a_client_that_takes_nothing_stops_the_cluster(path):
    """Nothing piles up: the cluster cannot say more than a few buffers."""
    said = [0]

    async def script(asked, wire):
        await wire.say(CHUNKED)
        for _ in range(400):
            await wire.say(chunk(b"x" * 100_000))
            said[0] += 100_000
        await wire.say(b"0\r\n\r\n")

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                client.send("GET", path)
                await asyncio.sleep(0.7)
                stopped_at = said[0]
                status, headers = await client.head()
                body = await client.body(headers)
            return stopped_at, status, len(body)

    stopped_at, status, size = asyncio.run(scenario())
    assert stopped_at < 20_000_000
    assert (status, size) == (200, 40_000_000)


def test_a_client_that_takes_nothing_of_a_list_is_dropped(monkeypatch):
    """After a while; the follower of a log may take his time."""
    monkeypatch.setattr(protocol, "STALL_SECONDS", 0.3)
    said = CHUNKED + chunk(b"x" * 30_000_000) + b"0\r\n\r\n"

    async def scenario():
        async with (
            scripted(saying(said)) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as lister,
            connected(front.port) as follower,
        ):
            lister.send("GET", CM)
            follower.send("GET", LOG)
            await eventually(lambda: len(front.state.connections) == 1)
            await asyncio.sleep(0.5)
            status, headers = await follower.head()
            return status, len(await follower.body(headers))

    assert asyncio.run(scenario()) == (200, 30_000_000)


@pytest.mark.parametrize("path", [CM, WATCH, LOG])
@pytest.mark.parametrize("said", [b"", CHUNKED + chunk(b"line\n")])
def test_when_the_client_leaves_the_cluster_is_told(path, said):
    """Nothing goes on for nobody; also where nothing was said yet."""
    left = asyncio.Event()

    async def script(asked, wire):
        await wire.say(said)
        assert await wire.reader.read(1) == b""
        left.set()

    async def scenario():
        async with scripted(script) as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                client.send("GET", path)
                await eventually(lambda: cluster.asked)
                await asyncio.sleep(0.05)
            async with asyncio.timeout(1):
                await left.wait()

    asyncio.run(scenario())


@pytest.mark.parametrize("path", [WATCH, LOG, WEB])
@pytest.mark.parametrize("said", [b"", CHUNKED + chunk(b"line\n")])
@pytest.mark.parametrize("told", [True, False])
def test_a_stream_ends_with_the_rights(monkeypatch, path, said, told):
    """At once when they change, and soon when they run out; a short request is not asked again."""
    monkeypatch.setattr(lifetimes, "RECHECK_SECONDS", 5.0 if told else 0.1)
    left = asyncio.Event()

    async def script(asked, wire):
        await wire.say(said)
        assert await wire.reader.read(1) == b""
        left.set()

    async def scenario():
        async with (
            scripted(script) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
            connected(front.port) as other,
        ):
            client.send("GET", path)
            other.send("GET", path, user="bob")
            await eventually(lambda: len(cluster.asked) == 2)
            if said:
                await client.head()
                await client.chunk()
            front.refused.add("alice")
            if told:
                front.streams.rights_changed()
            began = time.monotonic()
            try:
                got = (await client.answer())[0] if not said else await client.chunk()
            except (asyncio.IncompleteReadError, ConnectionError):
                got = "broken off"
            took = time.monotonic() - began
            async with asyncio.timeout(1):
                await left.wait()
            return got, took, len(cluster.open), len(front.streams)

    got, took, still_open, watched = asyncio.run(scenario())
    assert got == ("broken off" if said else 403)
    assert took < 1
    assert (still_open, watched) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "said", "clean"),
    [
        ("application/json", b'{"type":"ADDED"}\n', True),
        ("application/json", b'{"type":"ADDED"', False),
        ("application/vnd.kubernetes.protobuf;stream=watch", b"\x00\x00\x00\x01\n", False),
    ],
)
def test_a_watch_may_end_between_two_events(kind, said, clean):
    """As a watch does whose time is over; nowhere else, for half an event is none."""
    head = CHUNKED.replace(b"\r\n", b"\r\nContent-Type: " + kind.encode() + b"\r\n", 1)

    async def script(asked, wire):
        await wire.say(head + chunk(said))
        await wire.reader.read(1)

    async def scenario():
        async with (
            scripted(script) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            client.send("GET", WATCH)
            await client.head()
            assert await client.chunk() == said
            front.refused.add("alice")
            front.streams.rights_changed()
            try:
                return await client.chunk() == b""
            except (asyncio.IncompleteReadError, ConnectionError):
                return False

    assert asyncio.run(scenario()) == clean


@pytest.mark.parametrize("path", [WATCH, LOG, WEB])
def test_nothing_comes_between_a_change_of_rights_and_its_end(monkeypatch, path):
    """What the cluster says after rights changed is shown to those alone who still have them."""
    monkeypatch.setattr(streams, "GATHER_SECONDS", 5.0)
    monkeypatch.setattr(lifetimes, "RECHECK_SECONDS", 5.0)
    go_on = asyncio.Event()

    async def script(asked, wire):
        await wire.say(CHUNKED + chunk(b"before\n"))
        await go_on.wait()
        await wire.say(chunk(b"after\n"))
        await wire.reader.read(1)

    async def scenario():
        async with (
            scripted(script) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
            connected(front.port) as other,
        ):
            for each, user in ((client, "alice"), (other, "bob")):
                each.send("GET", path, user=user)
                await each.head()
                assert await each.chunk() == b"before\n"
            front.refused.add("alice")
            front.streams.rights_changed()
            go_on.set()
            async with asyncio.timeout(2):
                assert await other.chunk() == b"after\n"
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await client.chunk()

    asyncio.run(scenario())


def test_a_refusal_comes_whole_whatever_changes(monkeypatch):
    """Whoever loses his rights while he asks is told so by the cluster."""
    monkeypatch.setattr(streams, "GATHER_SECONDS", 5.0)
    go_on = asyncio.Event()

    async def script(asked, wire):
        await go_on.wait()
        await wire.say(answer(403, b'{"kind":"Status"}'))

    async def scenario():
        async with (
            scripted(script) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            client.send("GET", WATCH)
            await eventually(lambda: cluster.asked)
            front.refused.add("alice")
            front.streams.rights_changed()
            go_on.set()
            status, _, body = await client.answer()
            return status, body

    assert asyncio.run(scenario()) == (403, b'{"kind":"Status"}')


# Uploads


async def sink(asked, wire):
    """Take a body whole."""
    await wire.say(answer(200, b"%d" % len(asked.body)))


@pytest.mark.parametrize("coded", [True, False])
@pytest.mark.parametrize("size", [0, 1, 300_000, 8_000_000])
def test_a_body_of_any_size_is_passed_on(coded, size):
    """With its length, or in chunks, as it came."""
    data = b"a" * size

    async def scenario():
        async with scripted(sink) as cluster, fronted(plain(cluster.port)) as front:
            async with connected(front.port) as client:
                if coded:
                    client.send("POST", WEB, "Transfer-Encoding: chunked")
                    for at in range(0, size, 65_536):
                        client.writer.write(chunk(data[at : at + 65_536]))
                        await client.writer.drain()
                    client.writer.write(b"0\r\n\r\n")
                else:
                    client.send("POST", WEB, body=data)
                got = await client.answer()
                again = await client.ask("POST", WEB, body=b"abc")
            return got, again[2], cluster.asked[0]

    (status, _, body), again, asked = asyncio.run(scenario())
    assert (status, int(body), again) == (200, size, b"3")
    assert asked.body == data


@pytest.mark.parametrize("coded", [True, False])
@pytest.mark.parametrize("changed", [b"", b"x", b"longer than before"])
def test_a_body_that_was_changed_goes_as_it_is_now(coded, changed):
    """With its own length."""

    async def scenario():
        async with (
            scripted(sink) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            front.body = changed
            for _ in range(3):
                if coded:
                    client.send("POST", CM, "Transfer-Encoding: chunked")
                    client.writer.write(b"3\r\nabc\r\n0\r\n\r\n")
                else:
                    client.send("POST", CM, body=b"abc")
                assert (await client.answer())[0] == 200
            return [each.body for each in cluster.asked]

    assert asyncio.run(scenario()) == [changed] * 3


@pytest.mark.parametrize("read_before", [True, False])
def test_trailers_do_not_go(read_before):
    """What follows a body is no header; neither of the request nor of the next one."""

    async def scenario():
        async with (
            scripted(sink) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            front.body = b"abc" if read_before else None
            for path in (CM, WEB):
                client.send("POST", path, "Transfer-Encoding: chunked", "Trailer: X-Late")
                await asyncio.sleep(0.02)
                client.writer.write(
                    b"3\r\nabc\r\n0\r\nX-Late: 1\r\nImpersonate-User: root\r\n"
                    b"Authorization: Bearer bob\r\nContent-Type: x/y\r\n\r\n"
                )
                await client.answer()
            return cluster.asked

    for asked in asyncio.run(scenario()):
        assert asked.body == b"abc"
        assert asked.values("impersonate-user") == ["alice"]
        assert asked.names & {"x-late", "content-type", "trailer"} == set()


def test_a_cluster_that_takes_nothing_stops_the_client():
    """The body does not pile up in between."""

    async def scenario():
        taken = asyncio.Event()

        async def lazy(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            await taken.wait()
            writer.transport.abort()

        server = await asyncio.start_server(lazy, "127.0.0.1", 0, limit=1024)
        async with (
            server,
            fronted(plain(server.sockets[0].getsockname()[1])) as front,
            connected(front.port) as client,
        ):
            client.send("POST", WEB, "Transfer-Encoding: chunked")
            sent = 0
            try:
                async with asyncio.timeout(0.7):
                    while True:
                        client.writer.write(chunk(b"x" * 65_536))
                        await client.writer.drain()
                        sent += 65_536
            except TimeoutError:
                taken.set()
            await asyncio.sleep(0.05)
            return sent

    assert asyncio.run(scenario()) < 20_000_000


def test_an_early_refusal_reaches_the_client():
    """The cluster need not take all of a body before it says no."""

    async def scenario():
        async def refuse(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(413, b"too much", "Connection: close"))
            await writer.drain()
            await asyncio.sleep(0.2)
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server, fronted(plain(server.sockets[0].getsockname()[1])) as front:
            async with connected(front.port) as client:
                client.send("POST", WEB, "Content-Length: 100000000")
                client.writer.write(b"x" * 100_000)
                status, _, body = await client.answer()
            await asyncio.sleep(0.3)
            return status, body

    assert asyncio.run(scenario()) == (413, b"too much")


@pytest.mark.parametrize(
    ("path", "mebibytes", "expected"), [(CM, 4, 413), (CM, 2, 502), (WEB, 4, 502)]
)
def test_a_refusal_that_is_lost_with_a_large_body_is_said_again(path, mebibytes, expected):
    """Where the cluster hangs up on more than an object may have, the client is at fault."""

    async def scenario():
        async def hang_up(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(mebibytes << 20)
            writer.transport.abort()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with server, fronted(plain(server.sockets[0].getsockname()[1])) as front:
            async with connected(front.port) as client:
                client.send("POST", path, "Content-Length: 100000000")
                client.writer.write(b"x" * ((mebibytes << 20) + 1))
                status, _, body = await client.answer()
            await asyncio.sleep(0.1)
            return status, json.loads(body)["code"]

    assert asyncio.run(scenario()) == (expected, expected)


@pytest.fixture
def hasty(monkeypatch):
    """Deadlines that a test can wait for."""
    monkeypatch.setattr(protocol, "REQUEST_DEADLINE", 0.3)


def uploaded_slowly(path, user, pieces=8, every=0.1):
    """What somebody is answered who sends so slowly, and what the cluster had of it."""

    async def scenario():
        async with (
            scripted(sink) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            client.send("POST", path, "Transfer-Encoding: chunked", user=user)
            for _ in range(pieces):
                client.writer.write(chunk(b"x" * 10))
                await asyncio.sleep(every)
            client.writer.write(b"0\r\n\r\n")
            try:
                return (await client.answer())[0], [len(each.body) for each in cluster.asked]
            except (asyncio.IncompleteReadError, ConnectionError):
                return None, [len(each.body) for each in cluster.asked]

    return asyncio.run(scenario())


def test_who_may_upload_may_take_his_time(hasty):
    """As long as something comes."""
    assert uploaded_slowly(WEB, "alice") == (200, [80])
    assert uploaded_slowly(WEB, "alice", pieces=2, every=0.8)[1] == []


@pytest.mark.parametrize(("path", "user"), [(CM, "alice"), (WEB, "stranger")])
def test_everybody_else_may_not(hasty, path, user):
    """Neither for an object, nor before it is known who he is."""
    status, seen = uploaded_slowly(path, user)
    assert status in ((408, None) if user == "alice" else (401, 408, None))
    assert seen == []


def test_a_late_body_says_nothing_amid_an_answer(hasty):
    """A second request that does not end cannot put a refusal into the first one's answer."""

    async def script(asked, wire):
        await wire.say(CHUNKED)
        for _ in range(10):
            await wire.say(chunk(b"line\n"))
            await asyncio.sleep(0.1)
        await wire.say(b"0\r\n\r\n")

    async def scenario():
        async with (
            scripted(script) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            client.send("GET", WATCH)
            await client.head()
            client.send("POST", CM, "Content-Length: 100")
            said = b""
            try:
                while data := await client.reader.read(1000):
                    said += data
            except ConnectionError:
                pass
            return said

    assert b"408" not in asyncio.run(scenario())
