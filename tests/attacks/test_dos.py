"""DOS: abuse of resources, bounded, against this machine alone."""

import asyncio
import json
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from attacks.support import Actor, World
from attacks.wire import request_bytes
from attacks.words import MG, NS, RB
from support.objects import config_map
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
MEBIBYTE = 1024 * 1024
OTHERS_WAIT = 1.0
"""Seconds that honest clients may wait longer; figures are measured on a quiet machine."""
T = TypeVar("T")


async def _open(world: World) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context(cafile=world.wire.ca_file)
    return await asyncio.open_connection(*world.wire.address, ssl=context)


async def _open_all(
    world: World, number: int
) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Many connections, some at a time."""
    gate = asyncio.Semaphore(20)

    async def one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with gate:
            return await _open(world)

    return await asyncio.gather(*(one() for _ in range(number)))


PROBE = """
import http.client, ssl, sys, time
host, port, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=10)
while True:
    started = time.monotonic()
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    answer.read()
    print(answer.status, time.monotonic() - started, flush=True)
    time.sleep(0.02)
"""
"""An honest client, in a process of its own so that it waits for nobody but the server."""


def _under(world: World, attack: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Do something; what came of it, and how much longer honest clients waited than before.

    Of what they waited the 99th percentile counts, less twice what they do on a machine as busy as
    this one.
    """
    host, port = world.wire.address
    arguments = [sys.executable, "-c", PROBE, host, str(port), world.wire.ca_file]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as probe:
        try:
            assert probe.stdout is not None
            before = [probe.stdout.readline() for _ in range(50)]
            result = asyncio.run(_and_close(attack))
            time.sleep(0.5)
        finally:
            probe.kill()
        during = probe.stdout.read().splitlines()
    usual, taken = _taken(before), _taken(during)
    return result, max(0.0, statistics.quantiles(taken, n=100)[98] - 2 * max(usual[1:]))


def _taken(lines: Sequence[str]) -> list[float]:
    """How long each of the probe's requests took; each was answered well."""
    whole = [words for words in map(str.split, lines) if len(words) == 2]
    assert {status for status, _ in whole} == {"200"}
    return [float(seconds) for _, seconds in whole]


async def _and_close(attack: Coroutine[Any, Any, T]) -> T:
    """Wait until all that was aborted is closed, too."""
    result = await attack
    await asyncio.sleep(0.2)
    return result


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/auth/login", NS])
def test_dos_01_large_bodies_are_not_read(world: World, path: str, chunked: bool):
    """Of a hundred megabytes, fifty at a time, the server reads what it takes to refuse them."""
    statuses, grown, waited = _upload(world, path, 50, chunked)
    # Connections that were reset before the answer was read count as refused.
    assert set(statuses) <= {0, 401, 403, 413}
    assert {401, 403, 413} & set(statuses)
    assert grown < 50 * MEBIBYTE
    assert waited < OTHERS_WAIT


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", [f"{NS}/team-a/configmaps", f"{MG}/users", "/auth/tokens"])
def test_dos_01_large_bodies_of_users_are_cut_off(
    world: World, root: Actor, path: str, chunked: bool
):
    """Who may write sends no more than an object may have, and others go on meanwhile."""
    with world.unchanged():
        statuses, grown, waited = _upload(world, path, 20, chunked, root)
    assert set(statuses) <= {0, 413}
    assert 413 in statuses
    # As much as an object may have is his to send: 3 MiB at a time.
    assert grown < 100 * MEBIBYTE
    assert waited < OTHERS_WAIT


@pytest.mark.parametrize("path", [NS, f"{MG}/users", f"{MG}/globalroles", f"{RB}/clusterroles"])
def test_dos_01_who_may_not_is_refused_before_he_sends(
    anonymous: Actor, newbie: Actor, world: World, path: str
):
    """Of what is refused in any case nothing is read."""
    for actor in (anonymous, newbie):
        if actor is newbie and path.startswith(RB) and world.on_cluster:
            continue  # that is the cluster's to read, and goes there as it comes
        pairs = [("Content-Length", str(2 * MEBIBYTE)), ("Content-Type", "application/json")]
        pairs += [("Authorization", f"Bearer {actor.token}")] if actor.token else []
        with world.unchanged():
            assert actor.send(request_bytes("POST", path, pairs)).status == 403


def _upload(
    world: World, path: str, times: int, chunked: bool, actor: Actor | None = None
) -> tuple[list[int], int, float]:
    """Post a hundred megabytes, many times at once.

    What was answered (0: nothing), how much the server has grown in bytes, and the 99th percentile
    of what others waited in seconds.
    """
    size = 100 * MEBIBYTE
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n"
    head += f"Authorization: Bearer {actor.token}\r\n\r\n" if actor else "\r\n"
    piece = b"x" * 65536
    piece = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece

    async def one() -> int:
        reader, writer = await _open(world)
        try:
            writer.write(head.encode())
            for _ in range(size // 65536):
                writer.write(piece)
                async with asyncio.timeout(10):
                    await writer.drain()
                if reader._buffer or reader.at_eof():
                    break
        except (ConnectionError, TimeoutError):
            pass
        try:
            async with asyncio.timeout(10):
                answer = await reader.read(65536)
        except (ConnectionError, TimeoutError):
            answer = b""
        writer.transport.abort()
        return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0

    before = world.resident_bytes()

    async def attack() -> list[int]:
        return await asyncio.gather(*(one() for _ in range(times)))

    statuses, waited = _under(world, attack())
    return statuses, world.resident_bytes() - before, waited


async def _until_closed(
    world: World, pair: tuple[asyncio.StreamReader, asyncio.StreamWriter], kind: str
) -> float:
    """Send slowly until the server has enough; how long that takes."""
    reader, writer = pair
    started = time.monotonic()
    if kind == "body":
        head = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        writer.write(head.encode())
    text = iter(b"GET /api/v1/namespaces HTTP/1.1\r\nX: " + b"y" * 1000)
    closed = asyncio.ensure_future(reader.read(4096))
    while not closed.done() and time.monotonic() - started < 25:
        if kind != "idle":
            writer.write(bytes([next(text)]))
        await asyncio.wait([closed], timeout=5 if kind == "head" else 1)
    closed.cancel()
    writer.transport.abort()
    return time.monotonic() - started


def test_dos_02_slow_clients_are_cut_off(world: World):
    """Heads and bodies that trickle, and idle connections, are closed within 15 s; others go on."""
    kinds = {"head": 500, "body": 200, "idle": 500}

    async def attack() -> list[float]:
        work = []
        for kind, number in kinds.items():
            pairs = await _open_all(world, number)
            work += [asyncio.ensure_future(_until_closed(world, each, kind)) for each in pairs]
        return await asyncio.gather(*work)

    before = world.resident_bytes()
    lasted, waited = _under(world, attack())
    assert max(lasted) <= 16
    assert waited < OTHERS_WAIT
    assert world.resident_bytes() - before < 150 * MEBIBYTE


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Cookie", "; ".join(f"k{n}=" for n in range(5000)))], (0, 200, 400, 403, 431)),
        ([("Cookie", "=;=;;==; " * 5000)], (0, 400, 403, 431)),
        ([("Cookie", "x" * 65536)], (0, 400, 431)),
        ([("X", "\x10" * 1000)], (0, 400, 403)),
        ([("X", "\x7f" * 1000)], (0, 400, 403)),
        ([("Authorization", "Bearer " + "x" * 60_000)], (0, 401, 431)),
        ([("Authorization", "Bearer " + "a:" * 20_000)], (0, 401, 431)),
        ([("Authorization", "Bearer " + "a." * 20_000)], (0, 401, 431)),
        ([("Authorization", "Bearer " + "a.b.c" + "=" * 30_000)], (0, 401, 431)),
        ([("Accept", "application/json;q=0." + "1" * 30_000)], (0, 200, 403, 406, 431)),
        ([("Accept", ",".join(f"a/b;q={n}" for n in range(5000)))], (0, 403, 406, 431)),
        ([("Impersonate-Group", f"g{n}") for n in range(1500)], (0, 400, 403, 431)),
    ],
    ids=lambda each: str(each)[:50],
)
def test_dos_09_odd_headers_cost_little(
    anonymous: Actor, alice: Actor, world: World, headers: list, expected: tuple
):
    """They are refused or passed over, quickly, and without a flood of log lines."""
    log = world.engine.log
    size = len(log.read_bytes())
    busy = world.cpu_seconds()
    answer = anonymous.get(f"{NS}/team-b/configmaps", headers=headers)
    assert answer.status in expected
    assert world.cpu_seconds() - busy < 0.2
    assert len(log.read_bytes()[size:].splitlines()) <= 5


@pytest.mark.parametrize("path", ["/auth/login", f"{NS}/team-a/configmaps", "/auth/tokens"])
def test_dos_09_forms_are_not_read(alice: Actor, world: World, path: str):
    """Form fields and multipart parts are refused by their type, however many."""
    fields = "&".join(f"f{n}=v" for n in range(10_000)).encode()
    part = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n'
    bodies = {
        "application/x-www-form-urlencoded": fields,
        "multipart/form-data; boundary=x": part * 10_000 + b"--x--\r\n",
        "text/plain": fields,
    }
    with world.unchanged():
        busy = world.cpu_seconds()
        for content, body in bodies.items():
            answer = alice.post(path, body, content=content)
            assert answer.status in (400, 413, 415)
        assert world.cpu_seconds() - busy < 0.2


def _large(alice: Actor) -> str:
    """A ConfigMap of 800 KiB; its path."""
    path = f"{NS}/team-a/configmaps"
    made = config_map("large", text="x" * 800 * 1024)
    assert alice.post(path, made).status in (201, 409)
    return f"{path}/large"


def _deaf(world: World, request: bytes, together: int) -> float:
    """Send two thousand requests and read nothing; seconds until the server hangs up."""
    started = time.monotonic()
    sent = 0
    with world.wire.connect(timeout=1) as tls:
        while time.monotonic() - started < 40:
            try:
                tls.sendall(request * together if sent < 2000 else b"\r\n")
                sent += together
                time.sleep(0.005 if sent < 2000 else 0.2)
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - started


def test_dos_10_who_does_not_read_is_cut_off(alice: Actor, world: World):
    """Two thousand requests and no reader: few answers wait, and the server hangs up in 30 s."""
    path = f"{NS}/team-a/configmaps/large"
    made = config_map("large", text="x" * 800 * 1024)
    assert alice.post(f"{NS}/team-a/configmaps", made).status == 201
    pairs = [("Authorization", f"Bearer {alice.token}")]
    request = request_bytes("GET", path, pairs, close=False)
    before = highest = world.resident_bytes()
    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(_deaf, world, request, together) for together in (1, 100)]
        while not all(each.done() for each in work):
            highest = max(highest, world.resident_bytes())
            time.sleep(0.1)
    assert highest - before < 40 * MEBIBYTE
    assert max(each.result() for each in work) < 30
    assert alice.delete(path).status == 200


@pytest.mark.parametrize("depth", [100, 1_000, 10_000])
@pytest.mark.parametrize(
    "path", ["/auth/login", "/auth/logout", "/auth/tokens", "/auth/password", NS, "/version", "/"]
)
def test_dos_11_nothing_breaks_before_one_is_known(
    anonymous: Actor, world: World, path: str, depth: int
):
    """Nested bodies on every path that needs no credential are refused."""
    bodies = [
        "[" * depth + "]" * depth,
        '{"a":' * depth + "1" + "}" * depth,
        '{"username":' + "[" * depth + "]" * depth + ',"password":"x"}',
        '{"username":"root","password":{"a":[' + "1," * depth + "1]}}",
        '{"username":"' + "\\u0000" * depth + '","password":"x"}',
    ]
    with world.unchanged():
        for body in bodies:
            for method in ("POST", "PUT", "PATCH", "DELETE", "GET"):
                answer = anonymous.call(method, path, body.encode())
                assert answer.status in (200, 400, 401, 403, 404, 405, 413, 415, 422), body[:40]


def test_dos_many_failures_to_sign_in_do_not_hold_others_up(world: World, alice: Actor):
    """Passwords are hashed beside the rest: reads stay quick while many try to sign in."""
    body = json.dumps({"username": "nobody", "password": "wrong-password"}).encode()
    data = request_bytes("POST", "/auth/login", [("Content-Type", "application/json")], body)

    async def one(number: int) -> bytes:
        context = ssl.create_default_context(cafile=world.wire.ca_file)
        reader, writer = await asyncio.open_connection(
            *world.wire.address, ssl=context, local_addr=(f"127.2.0.{number + 1}", 0)
        )
        writer.write(data)
        answer = await reader.read()
        writer.transport.abort()
        return answer[9:12]

    async def attack() -> list[bytes]:
        return await asyncio.gather(*(one(number) for number in range(100)))

    statuses, waited = _under(world, attack())
    assert set(statuses) <= {b"401", b"429"}
    assert statuses.count(b"429") >= 90
    assert waited < OTHERS_WAIT
    assert alice.get(f"{MG}/users").status == 200


async def _watch(
    world: World, actor: Actor, path: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A watch that has begun."""
    reader, writer = await _open(world)
    pairs = [("Authorization", f"Bearer {actor.token}")]
    writer.write(request_bytes("GET", f"{path}?watch=1", pairs, close=False))
    async with asyncio.timeout(20):
        assert (await reader.readuntil(b"\r\n")).split()[1] == b"200"
    return reader, writer


async def _flood(
    world: World, actor: Actor, paths: Sequence[str], each: int
) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Many watches of each path, some begun at a time."""
    gate = asyncio.Semaphore(20)

    async def one(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with gate:
            return await _watch(world, actor, path)

    return await asyncio.gather(*(one(path) for path in paths for _ in range(each)))


MAPS = f"{NS}/team-a/configmaps"


def test_dos_many_watches_of_one_user_do_not_hold_others_up(world: World, alice: Actor):
    """Three hundred watches, whole and narrowed: each hears of a change, and all end with him."""
    paths = (MAPS, "/api/v1/configmaps", NS)
    files, before = world.engine.process.num_fds(), world.resident_bytes()

    async def attack() -> None:
        pairs = await _flood(world, alice, paths, 100)
        made = config_map("flood")
        async with asyncio.timeout(20):
            assert (await asyncio.to_thread(alice.post, MAPS, made)).status == 201
            for reader, _ in pairs[:200]:
                await reader.readuntil(b'"name":"flood"')
        assert world.resident_bytes() - before < 100 * MEBIBYTE
        for _, writer in pairs:
            writer.transport.abort()

    _, waited = _under(world, attack())
    assert alice.delete(f"{MAPS}/flood").status == 200
    assert waited < OTHERS_WAIT
    wait_until(lambda: world.engine.process.num_fds() < files + 30, 10)


def test_dos_watches_that_nobody_reads_pile_nothing_up(world: World, alice: Actor):
    """Of fifty megabytes of events for each of twenty deaf clients the server keeps a few."""
    path = _large(alice)
    paths = (MAPS, "/api/v1/configmaps")
    before = world.resident_bytes()

    async def attack() -> int:
        highest = 0
        pairs = await _flood(world, alice, paths, 10)
        for _, writer in pairs:
            writer.transport.pause_reading()
        for number in range(60):
            change = {"metadata": {"labels": {"number": str(number)}}}
            answer = await asyncio.to_thread(alice.patch, path, change, within=3)
            assert answer.status == 200
            highest = max(highest, world.resident_bytes())
        for _, writer in pairs:
            writer.transport.abort()
        return highest

    highest, waited = _under(world, attack())
    assert alice.delete(path).status == 200
    # It would be a gigabyte; the newest events are kept for whoever asks, and 4 MiB for each.
    assert highest - before < 400 * MEBIBYTE
    assert waited < OTHERS_WAIT


def test_dos_garbage_for_tokens_does_not_hold_others_up(world: World, alice: Actor):
    """A thousand tokens that nobody knows are refused, while those that are known work."""
    wrong = [
        *(f"token-{number:05d}:{'k' * 54}" for number in range(400)),
        *(f"ey{number}.ey{'x' * 200}.{'y' * 80}" for number in range(400)),
        *(f"garbage-{number}" for number in range(200)),
    ]
    gate = asyncio.Semaphore(100)

    async def one(token: str) -> bytes:
        async with gate:
            reader, writer = await _open(world)
            pairs = [("Authorization", f"Bearer {token}")]
            writer.write(request_bytes("GET", f"{NS}/team-a/configmaps", pairs))
            answer = await reader.read()
            writer.transport.abort()
            return answer[9:12]

    async def attack() -> list[bytes]:
        work = asyncio.gather(*(one(each) for each in wrong))
        while not work.done():
            answer = await asyncio.to_thread(alice.get, f"{MAPS}/a", within=3)
            assert answer.status == 200
        return await work

    statuses, waited = _under(world, attack())
    # A cluster that is not quick enough to say whose they are lets nobody in for that.
    late = {b"503"} if world.on_cluster else set()
    assert set(statuses) <= {b"401", b"429", *late}
    assert waited < OTHERS_WAIT
