"""The load generators, in C and in Python: what they send, what they count, what they refuse."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.client import Client
from bench.engines import Endpoint
from bench.generator import Generator, Job, make_generator
from bench.measures import BenchError

from support.loadsite import Site, site

NO_COMPILER = "no-such-compiler"
BODY = '{"name":"n-{i}","data":{"ts":"{t}","config":"{x}"}}'


@pytest.fixture(scope="module", params=["C", "Python"])
def generator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Each of the two."""
    compiler = "cc" if request.param == "C" else NO_COMPILER
    made = make_generator(tmp_path_factory.mktemp("generator"), compiler)
    if not made.name.startswith(request.param):
        pytest.skip("no C compiler with the headers of OpenSSL")
    return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Site, Endpoint]]:
    """A server to load."""
    with site(tmp_path / "tls") as both:
        yield both


@pytest.fixture
def body(tmp_path: Path) -> str:
    """A request body with everything that is replaced."""
    path = tmp_path / "body.json"
    path.write_text(BODY)
    return str(path)


def test_counts_every_answer(generator: Generator, served: tuple[Site, Endpoint]) -> None:
    """As many requests are sent and measured as were asked for, over several connections."""
    server, endpoint = served
    measured = generator.run(endpoint, Job("/o/{o}", connections=3, count=40, modulo=7))
    assert measured.count == 40
    assert measured.rate > 0
    assert 0 < measured.p50_ms <= measured.p99_ms
    assert sorted(server.paths) == sorted(f"/o/{number % 7}" for number in range(40))


def test_runs_for_its_time(generator: Generator, served: tuple[Site, Endpoint]) -> None:
    """Without a count it ends after its seconds; answers longer than one read are taken whole."""
    _, endpoint = served
    measured = generator.run(endpoint, Job("/large", seconds=0.2, connections=2))
    assert measured.count > 0


def test_speaks_plain_http(generator: Generator, tmp_path: Path) -> None:
    """Where there is no authority there is no TLS: ``kubectl proxy`` has none."""
    with site(tmp_path, tls=False) as (server, endpoint):
        measured = generator.run(endpoint, Job("/large", connections=3, count=40))
        assert measured.count == len(server.paths) == 40


def test_fills_in_bodies(generator: Generator, served: tuple[Site, Endpoint], body: str) -> None:
    """Number, time and noise stand in each body, which stays JSON."""
    server, endpoint = served
    generator.run(endpoint, Job("/", method="POST", body=body, expect=201, count=3, start=50))
    found = [json.loads(each) for each in server.bodies]
    assert [each["name"] for each in found] == ["n-50", "n-51", "n-52"]
    assert all(len(each["data"]["ts"]) == 19 for each in found)
    assert {len(each["data"]["config"]) for each in found} == {512}
    assert len({each["data"]["config"] for each in found}) == 3


@pytest.mark.parametrize(
    "job",
    [
        Job("/", user="mallory", count=5),
        Job("/", expect=403, count=5),
        Job("/", user="mallory", method="POST", expect=201, count=5),
    ],
)
def test_wrong_answers_are_no_figures(
    generator: Generator, served: tuple[Site, Endpoint], job: Job, body: str
) -> None:
    """A wrong token, or any other answer than the expected one, fails the run."""
    _, endpoint = served
    job = Job(**{**_fields(job), "body": body if job.method == "POST" else ""})
    with pytest.raises(BenchError, match=r"answered (401|200), not"):
        generator.run(endpoint, job)


def _fields(job: Job) -> dict[str, object]:
    return {name: getattr(job, name) for name in Job.__slots__}


def test_a_stranger_is_not_measured(
    generator: Generator, served: tuple[Site, Endpoint], tmp_path: Path
) -> None:
    """A server whose certificate the given authority did not sign fails the run."""
    _, endpoint = served
    with site(tmp_path / "other") as (_, other):
        stranger = Endpoint("x", endpoint.host, endpoint.port, other.ca_file, endpoint.tokens)
        with pytest.raises(BenchError, match=r"(?i)certificate|tls"):
            generator.run(stranger, Job("/", count=1))


def _watch_job(body: str, user: str = "alice") -> Job:
    return Job(
        "/", user=user, method="POST", body=body, expect=201, connections=2, count=10,
        watchers=4, watch_path="/watch",
    )  # fmt: skip


def test_counts_every_event(generator: Generator, served: tuple[Site, Endpoint], body: str) -> None:
    """Each watcher gets each event once, also where its time stands over two chunks."""
    _, endpoint = served
    measured = generator.run(endpoint, _watch_job(body))
    assert measured.count == 40
    assert measured.rate > 0
    assert 0 < measured.p50_ms < 10_000


def test_watches_are_checked(
    generator: Generator, served: tuple[Site, Endpoint], body: str
) -> None:
    """A watch that is refused fails the run."""
    _, endpoint = served
    with pytest.raises(BenchError, match="answered 401, not 200"):
        generator.run(endpoint, _watch_job(body, "mallory"))


def test_client_reads_both_kinds_of_body(served: tuple[Site, Endpoint]) -> None:
    """The blocking client takes one answer after the other, and says when one is wrong."""
    _, endpoint = served
    with Client(endpoint, "alice") as client:
        assert len(client.send("GET", "/large")[1]) == 80_000
        assert client.ask("POST", "/", {"a": 1}, (201,)) == {"a": 1}
        with pytest.raises(BenchError, match="answered 200"):
            client.ask("GET", "/", expect=(404,))
