"""One connection as bytes: bounds, deadlines, pipelining, and nothing that reads in two ways."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from llmos.endpoints import protocol
from llmos.endpoints.protocol import MAX_HEAD, BoundedProtocol
from reconcile.waiting import eventually
from server.site import config_map

ROOT = b"Authorization: Bearer root\r\n"
VERSION = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
CM = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Deadlines that a test can wait for."""
    monkeypatch.setattr(protocol, "REQUEST_DEADLINE", 0.3)
    monkeypatch.setattr(BoundedProtocol, "heads", type(BoundedProtocol.heads)())


@asynccontextmanager
async def listening(site):
    """The port of a listener without TLS, and what the server knows of its connections."""
    config = uvicorn.Config(
        site.app, http=BoundedProtocol, ws="none", lifespan="off", interface="asgi3",
        access_log=False, log_config=None, proxy_headers=False, server_header=False,
        date_header=False,
    )  # fmt: skip
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1], state
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        await server.wait_closed()


class Wire:
    """A client that sends bytes as they are."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def answer(self):
        """One answer: status, headers, body; None when the server has closed."""
        try:
            async with asyncio.timeout(5):
                head = await self.reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                headers = dict(each.lower().split(": ", 1) for each in lines[1:] if each)
                body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return int(lines[0].split()[1]), headers, body

    async def closed(self, seconds=5):
        """Wait until the server has closed; what it said before."""
        said = b""
        try:
            async with asyncio.timeout(seconds):
                while chunk := await self.reader.read(65536):
                    said += chunk
        except ConnectionError:
            pass
        return said


@asynccontextmanager
async def connected(port):
    """A new connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


def conversation(site, data, answers=1):
    """The answers to some bytes, and whether the connection is still good afterwards."""

    async def scenario():
        async with listening(site) as (port, _):
            async with connected(port) as wire:
                wire.writer.write(data)
                got = [await wire.answer() for _ in range(answers)]
                alive = got[-1] is not None and got[-1][1].get("connection") != "close"
                if alive:
                    wire.writer.write(VERSION)
                    alive = (await wire.answer() or (0,))[0] == 200
            async with connected(port) as fresh:
                fresh.writer.write(VERSION)
                assert (await fresh.answer())[0] == 200
            return got, alive

    return site.run(scenario())


def status(answer):
    """Code and reason of an answer that is a Status."""
    code, headers, body = answer
    document = json.loads(body)
    assert headers["content-type"] == "application/json"
    assert (document["kind"], document["code"]) == ("Status", code)
    return code, document["reason"]


def request(method="GET", path="/version", body=b"", *headers):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Authorization: Bearer root", *headers]
    if body or method in ("POST", "PUT"):
        lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_answers_and_keeps_the_connection(site):
    """One request after the other, on one connection."""
    (answer,), alive = conversation(site, request("GET", CM))
    assert answer[0] == 200
    assert alive


@pytest.mark.parametrize("times", [1, 2, 3])
def test_old_clients_get_their_connection_closed(site, times):
    """HTTP/1.0 without keep-alive ends with the answer, however often it was asked before."""

    async def scenario():
        async with listening(site) as (port, _):
            for _ in range(times):
                async with connected(port) as wire:
                    wire.writer.write(f"GET {CM} HTTP/1.0\r\n".encode() + ROOT + b"\r\n")
                    said = await wire.closed(2)
            return said

    assert site.run(scenario()).startswith(b"HTTP/1.1 200")


def test_connection_close_is_heeded(site):
    """However often it was asked before."""
    data = request("GET", CM, b"", "Connection: close")
    for _ in range(3):
        (answer,), alive = conversation(site, data)
        assert (answer[0], alive) == (200, False)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /version HTTP/9.9\r\n\r\n",
        b"FOO /version HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /version#x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /version?x=1#y HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://x/version#x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /version HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /version HTTP/1.1\r\nHost: x\r\n folded: y\r\nBad Header: z\r\n\r\n",
        b"GET /version HTTP/1.1\r\nHost: x\x00y\r\n\r\n",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\na",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\n"
        ),
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_reads_in_two_ways_is_refused(site, data):
    """A 400 with a Status, the connection closed, and nothing behind it is read."""
    (answer, after), alive = conversation(site, data + VERSION, 2)
    assert status(answer) == (400, "BadRequest")
    assert after is None
    assert not alive


@pytest.mark.parametrize("size", [MAX_HEAD + 1, 4 * MAX_HEAD])
@pytest.mark.parametrize("ended", [True, False])
def test_a_huge_head_is_refused(site, size, ended):
    """In one header, in many, or in the target; with an end or without one."""
    end = b"\r\n\r\n" if ended else b""
    many = b"".join(b"h%d: x\r\n" % number for number in range(size // 6))
    for data in (
        b"GET /version HTTP/1.1\r\nHost: x\r\nBig: " + b"x" * size + end,
        b"GET /version HTTP/1.1\r\nHost: x\r\n" + many + end[2:],
        b"GET /" + b"x" * size + (b" HTTP/1.1\r\nHost: x" + end if ended else b""),
    ):
        (answer,), alive = conversation(site, data)
        # Who is still sending when the connection is closed may miss the answer.
        assert answer is None or status(answer)[0] in (400, 431)
        assert not alive


def test_a_large_head_passes(site):
    """Up to the limit."""
    (answer,), alive = conversation(site, request("GET", CM, b"", "Big: " + "x" * (MAX_HEAD - 300)))
    assert answer[0] == 200
    assert alive


def test_a_long_target_is_a_bad_request(site):
    """Below the limit of a head, above that of a target (URL-21)."""
    (answer,), _ = conversation(site, request("GET", "/api?" + "a" * 40_000))
    assert status(answer) == (400, "BadRequest")


@pytest.mark.parametrize("pieces", [1, 7, 64])
def test_a_request_may_come_in_pieces(site, pieces):
    """However it is cut."""
    data = request("POST", f"{CM}?dryRun=All", json.dumps(config_map()).encode())
    step = -(-len(data) // pieces)

    async def scenario():
        async with listening(site) as (port, _), connected(port) as wire:
            for at in range(0, len(data), step):
                wire.writer.write(data[at : at + step])
                await wire.writer.drain()
                await asyncio.sleep(0.001)
            return await wire.answer()

    assert site.run(scenario())[0] == 201


def test_bodies_may_be_chunked(site):
    """And are read to their end."""
    body = json.dumps(config_map()).encode()
    data = (
        f"POST {CM}?dryRun=All HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
        + ROOT
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%b\r\n" % (len(body) - 5, body[:-5])
        + b"5\r\n%b\r\n0\r\n\r\n" % body[-5:]
    )
    (answer,), alive = conversation(site, data)
    assert answer[0] == 201
    assert alive


def test_two_thousand_requests_in_a_row_are_answered_in_order(site):
    """Pipelining: each answer belongs to its request."""
    count = 2000
    data = b"".join(request("GET", f"/none/{number}") for number in range(count - 1)) + VERSION

    async def scenario():
        async with listening(site) as (port, _), connected(port) as wire:
            sending = asyncio.ensure_future(send(wire, data))
            got = [(await wire.answer())[0] for _ in range(count)]
            await sending
            return got

    async def send(wire, data):
        wire.writer.write(data)
        await wire.writer.drain()

    assert site.run(scenario()) == [404] * (count - 1) + [200]


def test_pipelined_writes_happen_in_order_and_once(site):
    """A repeated request is not answered from what was remembered of another."""
    place = site.namespace()
    bodies = [json.dumps(config_map(f"c{n}")).encode() for n in range(50)]
    data = b"".join(request("POST", f"{place}/configmaps", each) for each in bodies)
    data += b"".join(request("GET", f"{place}/configmaps/c{n}") for n in range(50))
    answers, alive = conversation(site, data, 100)
    names = [json.loads(body)["metadata"]["name"] for _, _, body in answers]
    assert names == [f"c{n}" for n in range(50)] * 2
    assert [code for code, _, _ in answers] == [201] * 50 + [200] * 50
    assert alive


def test_a_request_that_is_repeated_is_asked_anew(site):
    """What is remembered of its bytes is neither its answer nor its rights."""
    place = site.namespace()
    read = request("GET", f"{place}/configmaps/a")
    make = request("POST", f"{place}/configmaps", json.dumps(config_map()).encode())
    gone = request("DELETE", f"{place}/configmaps/a")

    async def scenario():
        async with listening(site) as (port, _), connected(port) as wire:
            codes = []
            for data in (read, read, make, make, read, read, gone, read, make, read):
                wire.writer.write(data)
                codes.append((await wire.answer())[0])
            return codes

    assert site.run(scenario()) == [404, 404, 201, 409, 200, 200, 200, 404, 201, 200]


def slow(site, *pieces, every=0.05):
    """What a client gets that sends so slowly, and how long it took."""

    async def scenario():
        async with listening(site) as (port, state):
            async with connected(port) as wire:
                loop = asyncio.get_running_loop()
                began = loop.time()
                closed = asyncio.ensure_future(wire.closed())
                for piece in pieces:
                    wire.writer.write(piece)
                    await asyncio.sleep(every)
                said = await closed
                took = loop.time() - began
            await eventually(lambda: not state.connections)
            return said, took

    return site.run(scenario())


def test_a_client_that_says_nothing_is_closed(site):
    """Without a word: nobody asked."""
    said, took = slow(site)
    assert said == b""
    assert 0.2 < took < 1


def test_a_slow_head_is_cut(site):
    """A byte now and then does not buy time."""
    said, took = slow(site, *(VERSION[n : n + 1] for n in range(12)))
    assert said.startswith(b"HTTP/1.1 408")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["reason"] == "Timeout"
    assert took < 1


def test_a_slow_body_is_cut(site):
    """The deadline is for the whole request."""
    head = request("POST", CM, b"x" * 100).removesuffix(b"x" * 100)
    said, took = slow(site, head, *(b"x" for _ in range(11)))
    assert said.startswith(b"HTTP/1.1 408")
    assert took < 1


def test_a_deadline_is_for_each_request(site):
    """A kept connection may be older than the deadline."""

    async def scenario():
        async with listening(site) as (port, _), connected(port) as wire:
            for _ in range(4):
                wire.writer.write(VERSION)
                assert (await wire.answer())[0] == 200
                await asyncio.sleep(0.12)

    site.run(scenario())


@pytest.mark.slow
def test_a_watch_is_older_than_any_deadline(site):
    """Nothing cuts a stream whose request is whole; it ends as chunked bodies end."""

    async def scenario():
        async with listening(site) as (port, _), connected(port) as wire:
            target = f"{site.namespace_name}/configmaps?watch=true&timeoutSeconds=1"
            wire.writer.write(request("GET", target))
            head = await wire.reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head
            await asyncio.sleep(0.4)
            await site.asked("POST", f"{site.namespace_name}/configmaps", config_map())
            size = int(await wire.reader.readline(), 16)
            line = await wire.reader.readexactly(size + 2)
            assert json.loads(line)["object"]["metadata"]["name"] == "a"
            assert await wire.reader.readexactly(5) == b"0\r\n\r\n"
            wire.writer.write(VERSION)
            assert (await wire.answer())[0] == 200

    site.namespace_name = site.namespace()
    site.run(scenario())


def test_a_client_that_leaves_ends_its_watch(site):
    """At once, not at the next event."""

    async def scenario():
        async with listening(site) as (port, _):
            async with connected(port) as wire:
                wire.writer.write(request("GET", f"{CM}?watch=true"))
                await eventually(lambda: site.core.streams)
            await eventually(lambda: not site.core.streams, seconds=2)

    site.run(scenario())


def test_a_client_that_does_not_read_its_watch_is_cut(site, monkeypatch):
    """What it has not taken is bounded."""
    monkeypatch.setattr("llmos.endpoints.watching.MAX_BUFFERED", 100_000)
    path = site.namespace()

    async def scenario():
        async with listening(site) as (port, _), connected(port) as wire:
            wire.writer.write(request("GET", f"{path}/configmaps?watch=true"))
            wire.writer.transport.pause_reading()
            await eventually(lambda: site.core.streams)
            big = "x" * 500_000
            for number in range(60):
                await site.asked("POST", f"{path}/configmaps", config_map(f"c{number}", x=big))
                if not site.core.streams:
                    return number
            raise AssertionError("it was never cut")

    assert site.run(scenario()) < 60


TEMPLATES = [
    VERSION,
    request("GET", CM),
    request("POST", f"{CM}?dryRun=All", json.dumps(config_map()).encode()),
    request("GET", CM, b"", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(TEMPLATES),
    st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=3)), max_size=3),
)
def test_mutated_bytes_are_answered_or_refused(site, template, changes):
    """Never a 5xx, never silence, and the next connection is served."""
    protocol.REQUEST_DEADLINE = 0.05
    data = bytearray(template)
    for at, new in changes:
        data[at % len(data) : at % len(data) + len(new)] = new

    async def scenario():
        async with listening(site) as (port, _):
            async with connected(port) as wire:
                wire.writer.write(bytes(data))
                said = await asyncio.wait_for(wire.reader.read(65536), 2)
            async with connected(port) as fresh:
                fresh.writer.write(VERSION)
                assert (await fresh.answer())[0] == 200
            return said

    said = site.run(scenario())
    assert said.startswith(b"HTTP/1.1 ")
    assert said[9:10] in (b"1", b"2", b"4")
