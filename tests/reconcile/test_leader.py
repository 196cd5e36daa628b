"""One replica leads at a time, and one whose term is over writes nothing."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from llmos.apimachinery.errors import ServiceUnavailableError
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import CONFIG_MAPS
from llmos.reconcile.leader import LEASES, Elector, FencedTransport, Term, Times
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually
from support.server import RunningServer, running_server

pytestmark = pytest.mark.anyio
QUICK = Times(lease=0.9, renew=0.6, retry=0.1)


class Link(httpx.AsyncBaseTransport):
    """The way to the API, which may be cut."""

    def __init__(self, api: FakeAPI) -> None:
        self.api = api
        self.cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("the link is cut")
        return await self.api.handle_async_request(request)


class Replica:
    """A candidate, and what it did."""

    def __init__(self, api: FakeAPI, identity: str, **options) -> None:
        self.link = Link(api)
        self.client = Client(Config("http://api"), transport=self.link)
        self.elector = Elector(self.client, "n", "work", identity, QUICK, **options)
        self.leading = 0
        self.task = asyncio.ensure_future(self.elector.run(self.lead))

    async def lead(self, term: Term) -> None:
        self.leading += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.leading -= 1

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


def leases() -> FakeAPI:
    api = FakeAPI()
    api.serve(LEASES)
    return api


def holder(api: FakeAPI) -> str:
    lease = api.get(LEASES, "n", "work")
    return lease["spec"]["holderIdentity"] if lease else ""


async def test_one_leads_and_its_stop_hands_over_at_once():
    """Whoever stops gives the Lease back; the next one need not wait for its end."""
    api = leases()
    first = Replica(api, "first")
    await eventually(lambda: first.leading)
    second = Replica(api, "second")
    await asyncio.sleep(QUICK.lease * 1.5)
    assert (first.leading, second.leading) == (1, 0)
    assert holder(api) == "first"
    stopped = time.monotonic()
    await first.stop()
    await eventually(lambda: second.leading)
    assert time.monotonic() - stopped < QUICK.lease / 2
    assert api.get(LEASES, "n", "work")["spec"]["leaseTransitions"] >= 1
    await second.stop()


async def test_whoever_cannot_renew_stops_before_another_begins():
    """A store that does not answer ends the work before the lease is over, and not for ever."""
    api = leases()
    replica = Replica(api, "first")
    await eventually(lambda: replica.leading)
    lost = time.monotonic()
    api.failures += [ServiceUnavailableError("the store is away")] * 1000
    await eventually(lambda: not replica.leading)
    assert time.monotonic() - lost < QUICK.lease
    api.failures.clear()
    await eventually(lambda: replica.leading)
    await replica.stop()


async def test_times_in_the_lease_decide_nothing():
    """Replicas whose clocks differ by an hour, either way, do not take from one another."""
    api = leases()
    first = Replica(api, "first", wall=lambda: time.time() - 3600)
    await eventually(lambda: first.leading)
    late = Replica(api, "second", wall=lambda: time.time() + 3600)
    await asyncio.sleep(QUICK.lease * 2)
    assert (first.leading, late.leading) == (1, 0)
    await late.stop()
    await first.stop()


async def test_the_dead_are_followed_by_the_living():
    """A holder who says nothing more loses the Lease when its length has passed."""
    api = leases()
    first = Replica(api, "first")
    await eventually(lambda: first.leading)
    second = Replica(api, "second")
    first.link.cut = True
    await first.stop()
    assert holder(api) == "first"
    await eventually(lambda: second.leading)
    assert holder(api) == "second"
    await second.stop()


async def test_a_term_that_is_over_lets_reads_pass_alone():
    """A write is refused before it is sent."""
    now = 0.0
    api = FakeAPI()
    term = Term(lambda: now, 1.0)
    client = Client(Config("http://api"), transport=FencedTransport(api, term))
    await client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, namespace="n")
    now = 1.0
    with pytest.raises(ConnectionFailedError, match="no longer the leader"):
        await client.create(CONFIG_MAPS, {"metadata": {"name": "b"}}, namespace="n")
    await client.list(CONFIG_MAPS)
    assert [each["metadata"]["name"] for each in api.list(CONFIG_MAPS)] == ["a"]


async def test_a_term_that_ends_while_connecting_writes_nothing():
    """The last question is asked when the connection is there, just before the bytes leave."""
    now = 0.0
    received: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now
        received.append(await reader.read(65536))
        writer.close()

    class Connecting(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            nonlocal now
            now = 2.0
            return await super().handle_async_request(request)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = FencedTransport(Connecting(), Term(lambda: now, 1.0))
    async with Client(Config(f"http://127.0.0.1:{port}"), transport=transport) as client:
        with pytest.raises(ConnectionFailedError, match="no longer the leader"):
            await client.create(CONFIG_MAPS, {"metadata": {"name": "b"}}, namespace="n")
    await asyncio.sleep(0.1)
    server.close()
    assert received in ([], [b""])


REPLICA = """
import asyncio, sys
from pathlib import Path
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import CONFIG_MAPS
from llmos.client.tls import make_context
from llmos.reconcile.leader import Elector, FencedTransport
import httpx
url, ca, identity = sys.argv[1:]
config = Config(url, token="admintoken", ca_pem=Path(ca).read_text())

async def lead(term):
    inner = httpx.AsyncHTTPTransport(verify=make_context(config))
    async with Client(config, FencedTransport(inner, term)) as client:
        while True:
            try:
                await client.patch(CONFIG_MAPS, "default", "written", {"data": {"by": identity}})
                print("wrote", flush=True)
            except ConnectionFailedError as error:
                print(error, flush=True)
            await asyncio.sleep(0.02)

async def main():
    async with Client(config) as client:
        await Elector(client, "default", "work", identity).run(lead)

asyncio.run(main())
"""


class Processes:
    """Replicas in processes of their own, which write their names as long as they lead."""

    path = "/api/v1/namespaces/default/configmaps/written"

    def __init__(self, server: RunningServer, api: httpx.Client) -> None:
        self.server, self.api = server, api
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, identity: str) -> "subprocess.Popen[bytes]":
        arguments = [self.server.url, str(self.server.ca_file), identity]
        process = subprocess.Popen([sys.executable, "-c", REPLICA, *arguments])
        self.running.append(process)
        return process

    def writer(self) -> str:
        return (self.api.get(self.path).json().get("data") or {}).get("by", "")

    def until(self, wanted: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.writer() != wanted:
            assert time.monotonic() < deadline, f"{wanted} does not lead"
            time.sleep(0.1)

    def stay(self, wanted: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.writer() == wanted
            time.sleep(0.02)

    def end(self) -> None:
        for each in self.running:
            each.kill()
            each.wait()


@pytest.fixture
def processes(tmp_path: Path):
    with running_server(tmp_path) as server, server.client("admintoken") as api:
        body = {"metadata": {"name": "written"}}
        made = api.post("/api/v1/namespaces/default/configmaps", json=body)
        assert made.status_code == 201, made.text
        processes = Processes(server, api)
        try:
            yield processes
        finally:
            processes.end()


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_takeover_within_twenty_seconds(processes: Processes, end: signal.Signals):
    """Another process leads 20 s after its leader was killed or stood still, whose pen is dry."""
    first = processes.start("first")
    processes.until("first", 10)
    processes.start("second")
    processes.stay("first", 3)
    os.kill(first.pid, end)
    processes.until("second", 20)
    if end is signal.SIGSTOP:
        os.kill(first.pid, signal.SIGCONT)
        processes.stay("second", 3)
