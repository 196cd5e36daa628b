"""Connections that become another protocol: bytes both ways, and an end that both sides see."""

import asyncio
import base64
import time
from contextlib import suppress

import pytest

from llmos.endpoints import streams
from llmos.endpoints.protocol import BoundedProtocol
from llmos.proxy import tunnel
from proxy.front import connected, fronted, plain
from proxy.scripted import answer, saying, scripted
from reconcile.waiting import eventually

EXEC = "/api/v1/namespaces/a/pods/p/exec?command=ls&stdin=true"
FORWARD = "/api/v1/namespaces/a/pods/p/portforward"
WATCH = "/api/v1/namespaces/a/configmaps?watch=1"
SPDY = ("Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v4.channel.k8s.io")
CLOSED = {"connection": "close"}
KEY = base64.b64encode(b"0123456789abcdef").decode()
SOCKET = (
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {KEY}",
)


def switching(protocol="SPDY/3.1", *more):
    """A 101."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {protocol}"]
    return "\r\n".join([*lines, *more, "", ""]).encode()


async def echoing(asked, wire):
    """Greet, then say everything again."""
    (protocol,) = asked.values("upgrade")
    await wire.say(switching(protocol, "X-A: b") + b"hello")
    while data := await wire.reader.read(1 << 16):
        await wire.say(data)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """No head is known from another test."""
    monkeypatch.setattr(BoundedProtocol, "heads", type(BoundedProtocol.heads)())


def run(scenario, script=echoing):
    """Play a scenario before a cluster."""

    async def play():
        async with (
            scripted(script) as cluster,
            fronted(plain(cluster.port)) as front,
            connected(front.port) as client,
        ):
            return await scenario(cluster, front, client)

    return asyncio.run(play())


async def rest(client):
    """All that still comes, and how it ends."""
    said = []
    end = "closed"
    try:
        async with asyncio.timeout(10):
            while data := await client.reader.read(1 << 16):
                said.append(data)
    except ConnectionError:
        end = "reset"
    return b"".join(said), end


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("POST", EXEC, SPDY), ("GET", EXEC, SPDY), ("GET", EXEC, SOCKET), ("POST", FORWARD, SPDY),
        ("GET", WATCH, SOCKET), ("GET", "/api/v1/namespaces/a/services/w/proxy/ws", SOCKET),
        ("POST", "/api/v1/namespaces/a/pods/p/attach", SPDY),
    ],
)  # fmt: skip
def test_bytes_go_both_ways(method, target, headers):
    """After the cluster's 101; every byte, whatever it is."""
    data = bytes(range(256)) * 4000

    async def scenario(cluster, front, client):
        client.send(method, target, *headers)
        status, said = await client.head()
        client.writer.write(data)
        return status, dict(said), await client.reader.readexactly(5 + len(data)), cluster.asked

    status, said, got, (asked,) = run(scenario)
    assert status == 101
    assert said["upgrade"] in ("SPDY/3.1", "websocket")
    assert (said["connection"], said["X-A"]) == ("Upgrade", "b")
    assert got == b"hello" + data
    assert asked.target == target
    assert asked.values("impersonate-user") == ["alice"]
    assert asked.values("connection") == ["Upgrade"]
    assert len(asked.values("upgrade")) == 1


def test_the_token_of_a_browser_does_not_go():
    """It comes as a subprotocol, and is a credential for us."""
    token = base64.urlsafe_b64encode(b"alice").decode().rstrip("=")
    offered = f"base64url.bearer.authorization.k8s.io.{token}, v5.channel.k8s.io"

    async def scenario(cluster, front, client):
        lines = [
            f"GET {EXEC} HTTP/1.1",
            "Host: front",
            *SOCKET,
            f"Sec-WebSocket-Protocol: {offered}",
        ]
        client.writer.write("\r\n".join([*lines, "", ""]).encode())
        return (await client.head())[0], cluster.asked

    status, (asked,) = run(scenario)
    assert status == 101
    assert asked.values("sec-websocket-protocol") == ["v5.channel.k8s.io"]
    assert token not in str(asked)


def test_what_comes_early_is_not_lost():
    """Clients should wait for the 101; some do not."""

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        client.writer.write(b"early")
        await client.head()
        client.writer.write(b" late")
        return await client.reader.readexactly(15)

    assert run(scenario) == b"helloearly late"


def test_what_comes_behind_a_refused_request_is_no_request():
    """The connection ends with the answer."""

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        client.send("GET", "/api/v1/secrets")
        first = await client.answer()
        return first[0], await rest(client), len(cluster.asked)

    assert run(scenario, saying(answer(403))) == (403, (b"", "closed"), 1)


@pytest.mark.parametrize("code", [400, 403, 404, 500, 503])
def test_a_refusal_is_passed_on(code):
    """With its headers and its body."""
    said = answer(code, b'{"kind":"Status"}', "Warning: 299", "Retry-After: 3")

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        return await client.answer()

    status, headers, body = run(scenario, saying(said))
    assert (status, headers["warning"], headers["retry-after"]) == (code, "299", "3")
    assert body == b'{"kind":"Status"}'


@pytest.mark.parametrize("body", [b"", b"no"])
def test_a_refusal_may_end_with_the_connection(body):
    """As kube-apiserver's own of a WebSocket that names no origin."""

    async def scenario(cluster, front, client):
        client.send("GET", EXEC, *SOCKET)
        return await client.answer()

    script = saying(b"HTTP/1.1 403 Forbidden\r\n\r\n" + body, then="close")
    assert run(scenario, script) == (403, {"content-length": str(len(body)), **CLOSED}, body)


@pytest.mark.parametrize(
    "script",
    [
        saying(then="close"),
        saying(then="reset"),
        saying(b"hello\r\n\r\n"),
        saying(b"HTTP/1.1 403 F\r\nContent-Length: 100\r\n\r\nhalf", then="close"),
        saying(b"HTTP/1.1 403 F\r\n\r\nhalf", then="reset"),
        saying(b"HTTP/1.1 200 O\r\n\r\nhalf", then="close"),
        saying(b"HTTP/1.1 403 F\r\nA: b\r\n", then="close"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 2_000_000),
        saying(switching("other")),
        saying(b"HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n"),
        saying(
            b"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n", then="close"
        ),
        saying(switching("SPDY/3.1", "X: a\x01b")),
    ],
)
def test_a_broken_answer_is_an_error(script):
    """502, with a Status."""

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        return (await client.answer())[0]

    assert run(scenario, script) == 502


def test_a_cluster_that_is_away():
    """503, for a tunnel as for everything else."""

    async def scenario(cluster, front, client):
        await cluster.stop()
        client.send("POST", EXEC, *SPDY)
        first = await client.answer()
        await cluster.start()
        return first[0], first[1]["retry-after"]

    assert run(scenario) == (503, "1")


def test_the_proxy_s_own_401(monkeypatch):
    """It is nobody else's here either."""

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        return (await client.answer())[0]

    assert run(scenario, saying(answer(401))) == 503


@pytest.mark.parametrize(
    "headers",
    [
        ("Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: x"),
        ("Connection: Upgrade", "Upgrade: foo"),
        ("Connection: Upgrade", "Upgrade: SPDY/3.1", "Upgrade: websocket"),
        ("Upgrade: SPDY/3.1",),
        ("Connection: Upgrade",),
    ],
)
@pytest.mark.parametrize("target", [EXEC, "/api/v1/pods"])
def test_other_protocols_are_not_spoken(headers, target):
    """The request goes as a plain one (RFC 9110, 7.8)."""

    async def scenario(cluster, front, client):
        client.send("GET", target, *headers)
        return (await client.answer())[0], cluster.asked[0].names

    status, names = run(scenario, saying(answer()))
    assert status == 200
    assert names & {"connection", "upgrade", "http2-settings"} == set()


@pytest.mark.parametrize("size", [2, 600_000])
def test_no_tunnel_where_there_is_nothing_to_carry(size):
    """Of a list there is one answer; so does kube-apiserver."""

    async def scenario(cluster, front, client):
        client.send("GET", "/api/v1/namespaces/a/configmaps", *SOCKET)
        return await client.answer(), cluster.asked[0].names

    (status, _, body), names = run(scenario, saying(answer(200, b"x" * size)))
    assert (status, body) == (200, b"x" * size)
    assert "upgrade" not in names


def test_when_the_cluster_closes_the_client_has_all():
    """Everything that was said before it, and then the end."""

    async def script(asked, wire):
        await wire.say(switching() + b"x" * 3_000_000)
        wire.writer.close()

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        await asyncio.sleep(0.1)
        said, end = await rest(client)
        return len(said), end

    assert run(scenario, script) == (3_000_000, "closed")


def test_when_the_client_closes_the_cluster_has_all():
    """And is told; what it still says gets there where the client only said that he is done."""
    seen = []

    async def script(asked, wire):
        await wire.say(switching())
        size = 0
        while data := await wire.reader.read(1 << 16):
            size += len(data)
        seen.append(size)
        await wire.say(b"done")
        wire.writer.close()

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        client.writer.write(b"x" * 3_000_000)
        client.writer.write_eof()
        return await rest(client)

    assert run(scenario, script) == (b"done", "closed")
    assert seen == [3_000_000]


def test_when_the_client_is_gone_the_cluster_is_told():
    """Nothing goes on for nobody."""

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        client.writer.transport.abort()
        await eventually(lambda: not cluster.open)
        return len(front.streams)

    assert run(scenario) == 0


def test_also_before_the_cluster_has_answered():
    """Nothing goes on for nobody."""

    async def script(asked, wire):
        await wire.reader.read(1)

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await eventually(lambda: cluster.asked)
        client.writer.transport.abort()
        await eventually(lambda: not cluster.open)

    run(scenario, script)


@pytest.mark.parametrize("told", [True, False])
def test_a_tunnel_ends_with_the_rights(monkeypatch, told):
    """At once when they change, and soon when they run out; it ends for both, visibly."""
    monkeypatch.setattr(tunnel, "RECHECK_SECONDS", 5.0 if told else 0.1)

    async def scenario(cluster, front, client):
        async with connected(front.port) as other:
            client.send("POST", EXEC, *SPDY)
            other.send("POST", EXEC, *SPDY, user="bob")
            await client.head()
            await other.head()
            front.refused.add("alice")
            if told:
                front.streams.rights_changed()
            began = time.monotonic()
            end = await rest(client)
            took = time.monotonic() - began
            await eventually(lambda: len(cluster.open) == 1)
            other.writer.write(b"x")
            return end, took, await other.reader.readexactly(6)

    (said, end), took, other = run(scenario)
    assert said in (b"", b"hello")
    assert (end, other) == ("reset", b"hellox")
    assert took < 1


@pytest.fixture
def unhurried(monkeypatch):
    """Nobody is woken by a change of rights, nor looks by himself."""
    monkeypatch.setattr(streams, "GATHER_SECONDS", 5.0)
    monkeypatch.setattr(tunnel, "RECHECK_SECONDS", 5.0)


@pytest.mark.parametrize("upwards", [True, False])
def test_nothing_goes_on_between_a_change_of_rights_and_its_end(unhurried, upwards):
    """What either side says after rights changed is carried for those alone who still have them."""
    go_on = asyncio.Event()
    heard = []

    async def script(asked, wire):
        await wire.say(switching(*asked.values("upgrade")) + b"hello")
        if upwards:
            heard.append((asked.values("impersonate-user"), await wire.reader.read(1 << 16)))
            await wire.say(b"after")
        else:
            await go_on.wait()
            await wire.say(b"after")
            await wire.reader.read(1)

    async def scenario(cluster, front, client):
        async with connected(front.port) as other:
            for each, user in ((client, "alice"), (other, "bob")):
                each.send("POST", EXEC, *SPDY, user=user)
                await each.head()
                assert await each.reader.readexactly(5) == b"hello"
            front.refused.add("alice")
            front.streams.rights_changed()
            go_on.set()
            if upwards:
                client.writer.write(b"command")
                other.writer.write(b"command")
            async with asyncio.timeout(2):
                assert await other.reader.readexactly(5) == b"after"
                return await rest(client)

    assert run(scenario, script) == (b"", "reset")
    if upwards:
        assert [each for each in heard if each[1]] == [(["bob"], b"command")]


def test_what_waits_comes_whole_and_before_the_end(unhurried):
    """Of a cluster that says much and hangs up while rights are asked, nothing is lost."""
    much = bytes(range(256)) * 8000
    go_on = asyncio.Event()

    async def script(asked, wire):
        await wire.say(switching(*asked.values("upgrade")) + b"hello")
        await go_on.wait()
        await wire.say(much)
        wire.writer.close()

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        await client.reader.readexactly(5)
        front.slow = 0.3
        front.streams.rights_changed()
        go_on.set()
        return await rest(client)

    assert run(scenario, script) == (much, "closed")


def test_rights_that_change_while_they_are_asked_are_asked_again(unhurried):
    """What came before the answer waits for the next one."""
    go_on = asyncio.Event()

    async def script(asked, wire):
        await wire.say(switching(*asked.values("upgrade")) + b"hello")
        await go_on.wait()
        await wire.say(b"after")
        await wire.reader.read(1)

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        await client.reader.readexactly(5)
        front.slow = 0.3
        front.streams.rights_changed()
        go_on.set()
        await eventually(lambda: front.asking)
        front.refused_next.add("alice")
        front.streams.rights_changed()
        return await rest(client)

    assert run(scenario, script) == (b"", "reset")


def test_a_silent_tunnel_ends(monkeypatch):
    """After hours."""
    monkeypatch.setattr(tunnel, "IDLE_SECONDS", 0.4)
    monkeypatch.setattr(tunnel, "RECHECK_SECONDS", 0.1)

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        for _ in range(4):
            await asyncio.sleep(0.2)
            client.writer.write(b"x")
        return await rest(client)

    said, end = run(scenario)
    assert said == b"helloxxxx"
    assert end == "reset"


def test_the_cluster_is_no_faster_than_the_client():
    """What he does not take, it cannot say."""
    said = [0]

    async def script(asked, wire):
        await wire.say(switching())
        for _ in range(400):
            await wire.say(b"x" * 100_000)
            said[0] += 100_000
        wire.writer.close()

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        await asyncio.sleep(0.5)
        return said[0], len((await rest(client))[0])

    stopped_at, carried = run(scenario, script)
    assert stopped_at < 20_000_000
    assert carried == 40_000_000


def test_the_client_is_no_faster_than_the_cluster():
    """What it does not take, he cannot say."""
    taken = [0]
    taking = asyncio.Event()

    async def script(asked, wire):
        await wire.say(switching())
        await taking.wait()
        while data := await wire.reader.read(1 << 16):
            taken[0] += len(data)

    async def scenario(cluster, front, client):
        client.send("POST", EXEC, *SPDY)
        await client.head()
        sent = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    client.writer.write(b"x" * 100_000)
                    await client.writer.drain()
                    sent += 100_000
        taking.set()
        client.writer.write_eof()
        await eventually(lambda: not cluster.open)
        return sent

    sent = run(scenario, script)
    assert sent < 20_000_000
    assert taken[0] >= sent
