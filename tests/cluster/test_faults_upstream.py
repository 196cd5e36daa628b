"""The cluster on a bad day: away, slow, started again, broken off, refusing.

Whatever happens to it, people get an answer that says so, in time; nothing is sent twice that
changes something, and nothing in the proxy's own name.
"""

import asyncio
import itertools
import json
import os
import secrets
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median

import httpx
import pytest

from support.cluster import Cluster
from support.objects import config_map, user
from support.recorder import Trouble
from support.resources import at
from support.session import Session
from support.waiting import wait_until
from support.world import OWNER, PASSWORD, World

LONG = bool(os.environ.get("LLMOS_SOAK"))
pytestmark = pytest.mark.timeout(900 if LONG else 120)
OUTAGE_SECONDS = 30 if LONG else 1.5
RESTARTS = 20 if LONG else 2
STUCK = 200


@pytest.fixture
def alice(place: World) -> Session:
    """Somebody who owns a namespace, ``team`` of the world."""
    person = place.user("alice")
    place.member(OWNER, place.namespace("team"), person)
    return person


def maps(place: World, name: str = "") -> str:
    """Where the config maps of the namespace are."""
    return at("configmaps", place.named("team"), name)


def about(path: str, *methods: str):
    """Matches what is asked for somebody about a path."""
    return lambda sent: (
        sent.impersonates and sent.path == path and (not methods or sent.method in methods)
    )


def said(status: int, body: bytes, *headers: bytes) -> bytes:
    """An answer of the cluster's."""
    lines = [b"HTTP/1.1 %d Said" % status, b"Content-Type: application/json", *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def is_status(answer: httpx.Response, code: int) -> bool:
    """Whether an answer is an error in Kubernetes' words."""
    return answer.status_code == code and answer.json() | {"kind": "Status", "code": code} == (
        answer.json()
    )


# P1


def test_a_cluster_that_is_away_is_said_to_be_at_once(
    cluster: Cluster, place: World, alice: Session
) -> None:
    """503 and when to come again, each in 100 ms after the first; back 2 s after the cluster is."""
    path = maps(place)
    assert alice.get(path).status_code == 200
    mark = cluster.recorder.log.mark()
    with cluster.recorder.outage():
        assert is_status(alice.get(path), 503)
        ends, took = time.monotonic() + OUTAGE_SECONDS, []
        while time.monotonic() < ends:
            began = time.monotonic()
            answer = alice.create(path, config_map("away"))
            took.append(time.monotonic() - began)
            assert is_status(answer, 503)
            assert int(answer.headers["Retry-After"]) >= 1
            time.sleep(0.02)
        assert median(took) <= 0.1, f"{len(took)} answers, the slowest in {max(took):.3f} s"
        assert max(took) <= 1
        with place.engine.client() as nobody:
            assert nobody.get("/readyz").status_code == 503
            assert nobody.get("/livez").status_code == 200
        assert cluster.recorder.log.since(mark) == []
    wait_until(lambda: alice.get(path).status_code == 200, 2)
    wait_until(lambda: alice.get("/readyz").status_code == 200, 5)
    assert alice.get(maps(place, "away")).status_code == 404


# P2


def test_a_slow_cluster_holds_up_nobody_else(
    cluster: Cluster, place: World, alice: Session
) -> None:
    """200 calls are stuck until the deadline they named; others, and a watch, notice nothing."""
    bob, path = place.user("bob"), maps(place)
    place.member(OWNER, place.named("team"), bob)
    hung = Trouble(about(maps(place, "hung")), hang=True)

    async def stuck() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {alice.token}"}
        limits = httpx.Limits(max_connections=STUCK)
        async with httpx.AsyncClient(
            base_url=place.engine.url, headers=headers, verify=place.engine.trust, timeout=30,
            limits=limits,
        ) as client:  # fmt: skip
            asked = [
                client.get(maps(place, "hung"), params={"timeout": "5s"}) for _ in range(STUCK)
            ]
            return await asyncio.gather(*asked)

    with cluster.recorder.trouble(hung), ThreadPoolExecutor(1) as pool, bob.watch(path) as watch:
        mark, began = cluster.recorder.log.mark(), time.monotonic()
        answers = pool.submit(asyncio.run, stuck())
        wait_until(lambda: len(cluster.recorder.log.since(mark, alice.name)) >= STUCK, 5)
        took = []
        for number in range(20):
            at_ = time.monotonic()
            assert bob.create(path, config_map(f"quick-{number}")).status_code == 201
            took.append(time.monotonic() - at_)
        watch.wait_for("ADDED", "quick-19", 2)
        assert not answers.done(), "nothing was stuck any more"
        assert {each.status_code for each in answers.result(30)} == {504}
        assert time.monotonic() - began < 10
    assert sorted(took)[-2] <= 0.5, took
    assert alice.get(maps(place, "quick-0")).status_code == 200


def test_an_answer_that_comes_late_is_that_answer(
    cluster: Cluster, place: World, alice: Session
) -> None:
    """What was delayed is not asked for a second time."""
    with cluster.recorder.trouble(Trouble(about(maps(place)), delay=1.5)):
        mark = cluster.recorder.log.mark()
        assert alice.create(maps(place), config_map("late")).status_code == 201
        assert len(cluster.recorder.log.since(mark, alice.name)) == 1


# P3


def test_a_cluster_that_is_killed_and_started_again(
    cluster: Cluster, place: World, alice: Session
) -> None:
    """Nothing acknowledged is lost, nothing is written twice, and watches end or go on."""
    path, done, acknowledged = maps(place), threading.Event(), []

    def write() -> None:
        _write(alice, path, done, acknowledged)

    mark = cluster.recorder.log.mark()
    with ThreadPoolExecutor(1) as pool, alice.watch(at("namespaces")) as narrowed:
        writing = pool.submit(write)
        try:
            for _ in range(RESTARTS):
                with alice.watch(path) as watch:
                    _goes_on(acknowledged, writing)
                    _restart(cluster)
                    wait_until(watch.ended.is_set, 10)
                _goes_on(acknowledged, writing)
        finally:
            done.set()
        writing.result(30)
        _knows_its_kinds(place)
        # It comes from memory: it ended, or it still tells the truth.
        later = place.namespace("later")
        place.member(OWNER, later, alice)
        wait_until(lambda: narrowed.ended.is_set() or later in narrowed.shown(), 10)
    assert set(acknowledged) <= set(alice.names(path))
    sent = [
        json.loads(each.body)["metadata"]["name"]
        for each in cluster.recorder.log.since(mark, alice.name)
        if each.method == "POST" and each.path == path and each.body
    ]
    assert len(sent) == len(set(sent)), "a write was sent twice"


def _write(who: Session, path: str, done: threading.Event, acknowledged: list[str]) -> None:
    for number in itertools.count():
        if done.is_set():
            return
        answer = who.create(path, config_map(f"w-{number}"))
        # A cluster that is starting does not know everybody's rights at once.
        assert answer.status_code in (201, 403, 429, 500, 502, 503, 504), answer.text
        if answer.status_code == 201:
            acknowledged.append(f"w-{number}")
        time.sleep(0.02)


def _goes_on(acknowledged: list[str], writing: "Future[None]") -> None:
    before = len(acknowledged)
    wait_until(lambda: writing.done() or len(acknowledged) > before + 5, 20)
    if writing.done():
        writing.result()


def _restart(cluster: Cluster) -> None:
    server = cluster.plane.processes["kube-apiserver"]
    server.send_signal(signal.SIGKILL)
    server.wait(10)
    cluster.plane.start_again("kube-apiserver")
    cluster.plane.wait_for("/readyz", time.monotonic() + 30)


def _knows_its_kinds(place: World) -> None:
    """Wait until policies find the kinds of their parameters again.

    A kube-apiserver that starts looks for custom kinds every 30 s; until then it refuses.
    """
    path = f"{at('users')}?dryRun=All"
    tried = user(place.named("tried"), PASSWORD)
    wait_until(lambda: place.admin.create(path, tried).status_code == 201, 60, every=0.5)


# P4

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "a body that ends early": said(200, b'{"kind":"ConfigMap"}').replace(b"h: 20", b"h: 900"),
    "a chunk that ends early": CHUNKED + b'ff\r\n{"kind":',
    "a length that is no number": said(200, b"{}").replace(b"h: 2", b"h: two"),
    "two lengths": said(200, b"{}", b"Content-Length: 1"),
    "another protocol": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_answer_is_an_error_and_spoils_no_other(
    cluster: Cluster, place: World, alice: Session, what: str
) -> None:
    """Nobody takes a part for the whole, and the next 100 answers belong to their requests."""
    path = maps(place, "broken")
    with cluster.recorder.trouble(Trouble(about(path), BROKEN[what])):
        _gets_no_answer(alice, path)
    _answers_belong(place, alice)


def test_an_answer_that_is_cut_off_is_an_error(
    cluster: Cluster, place: World, alice: Session
) -> None:
    """Also where most of it has come, and is on its way to the client."""
    path = maps(place)
    for number in range(4):
        assert (
            alice.create(
                path, config_map(f"l-{number}", text=secrets.token_hex(100_000))
            ).status_code
            == 201
        )
    for bytes_ in (1, 300, 300_000):
        with cluster.recorder.trouble(Trouble(about(path), cut_after=bytes_)):
            _gets_no_answer(alice, path)
    assert len(alice.names(path)) >= 4
    _answers_belong(place, alice)


def _gets_no_answer(who: Session, path: str) -> None:
    try:
        answer = who.get(path)
    except httpx.TransportError:
        return
    assert is_status(answer, 502), answer.text


def _answers_belong(place: World, who: Session) -> None:
    path = maps(place)
    names = [f"own-{number}" for number in range(10)]
    for name in names:
        assert who.create(path, config_map(name, of=name)).status_code == 201

    def ask(name: str) -> str:
        return str(who.get(f"{path}/{name}").json()["data"]["of"])

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, names * 10)) == names * 10


# P5


@pytest.mark.parametrize("code", [403, 404, 409, 410, 422, 429, 500, 503])
def test_what_the_cluster_refuses_is_passed_on(
    cluster: Cluster, place: World, alice: Session, code: int
) -> None:
    """Its words, its ``Retry-After``, and asked once."""
    body = json.dumps({"kind": "Status", "apiVersion": "v1", "code": code, "message": "so"})
    answer = said(code, body.encode(), b"Retry-After: 7", b"Audit-Id: 1-2-3")
    with cluster.recorder.trouble(Trouble(about(maps(place)), answer, then_close=False)):
        for ask in (lambda: alice.get(maps(place)), lambda: alice.create(maps(place), {})):
            mark = cluster.recorder.log.mark()
            got = ask()
            assert (got.status_code, got.text) == (code, body)
            assert got.headers["Retry-After"] == "7"
            assert len(cluster.recorder.log.since(mark, alice.name)) == 1


def test_a_credential_that_the_cluster_refuses_is_not_the_users_fault(
    cluster: Cluster, place: World, alice: Session
) -> None:
    """503, never his 401; the credential is read again, and a write sent at most once more."""
    body = b'{"kind":"Status","apiVersion":"v1","code":401,"reason":"Unauthorized"}'
    refusing = Trouble(lambda sent: sent.impersonates, said(401, body), then_close=False)
    with cluster.recorder.trouble(refusing):
        mark = cluster.recorder.log.mark()
        answer = alice.create(maps(place), config_map("refused"))
        assert is_status(answer, 503), answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        posts = [each for each in cluster.recorder.log.since(mark) if each.method == "POST"]
        assert 1 <= len(posts) <= 2
    wait_until(lambda: alice.get(maps(place)).status_code == 200, 2)


# P6


@contextmanager
def asking(who: Session, path: str):
    """Asks again and again for the length of the block; the statuses so far."""
    done, statuses = threading.Event(), []

    def ask() -> None:
        while not done.is_set():
            statuses.append(who.get(path).status_code)
            time.sleep(0.01)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(ask)
        try:
            yield statuses
        finally:
            done.set()
            running.result(30)


def test_a_credential_is_replaced_while_people_work(cluster: Cluster, place: World) -> None:
    """The cluster takes the old one no more as soon as the new one is written: nobody notices."""
    name = place.user("rita").name
    time.sleep(1)  # since the last time that a credential was refused
    old, new = _token(cluster), cluster.proxy_token()
    refused = said(401, b'{"kind":"Status","code":401}')

    def is_old(sent) -> bool:
        return sent.impersonates and old in " ".join(sent.all("authorization"))

    path = at("configmaps", "llmos-public")
    with (
        place.engine.client(place.login(name).token) as client,
        asking(Session(name, "", place.engine, client), path) as statuses,
    ):
        wait_until(lambda: len(statuses) > 20, 5)
        mark = cluster.recorder.log.mark()
        _replace(cluster, old, new)
        with cluster.recorder.trouble(Trouble(is_old, refused, then_close=False)):
            before = len(statuses)
            wait_until(lambda: len(statuses) > before + 100, 10)
        carried = [
            new in " ".join(each.all("authorization")) for each in cluster.recorder.log.since(mark)
        ]
        assert carried[-1]
        if LONG:
            wait_until(lambda: _own_tokens(cluster) == {new}, 60, 1)
    assert set(statuses) == {200}


def _kubeconfig(cluster: Cluster):
    return cluster.proxies[0].data_dir.parent / "llmos-proxy-any.kubeconfig"


def _token(cluster: Cluster) -> str:
    return str(json.loads(_kubeconfig(cluster).read_text())["users"][0]["user"]["token"])


def _replace(cluster: Cluster, old: str, new: str) -> None:
    path = _kubeconfig(cluster)
    written = path.with_suffix(".new")
    written.write_text(path.read_text().replace(old, new))
    written.rename(path)


def _own_tokens(cluster: Cluster) -> set[str]:
    """What the proxy carries in the last seconds, in its own name too."""
    mark = cluster.recorder.log.mark()
    time.sleep(9)
    sent = cluster.recorder.log.sent[mark:]
    return {
        " ".join(each.all("authorization")).removeprefix("Bearer ")
        for each in sent
        if each.account.endswith(":llmos-proxy")
    }
