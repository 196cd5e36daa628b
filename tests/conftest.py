"""Fixtures of the tests that speak to a running server.

A test that uses ``engine`` is marked ``slow``, one that uses a foreign client ``clients``, one
that uses a real control plane both ``slow`` and ``cluster``, and one that uses a web browser both
``slow`` and ``browser``.
"""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from support.cluster import Cluster, running_cluster
from support.engine import Engine
from support.kubectl import Kubectl, find_kubectl
from support.required import missing
from support.running import RunningEngine
from support.server import ADMIN_PASSWORD, running_server
from support.session import Session
from support.teams import Teams, make_teams
from support.world import World

_MARKS = {
    "engine": ("slow",),
    "plane": ("slow", "cluster"),
    "cluster": ("slow", "cluster"),
    "kubectl": ("clients",),
    "foreign": ("clients",),
}


# Tests share the machine with one another: how long an example takes says nothing.
settings.register_profile("llmos", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("llmos")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in this hook, too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they use, and keep those of one file on one engine in one process."""
    for item in items:
        used = getattr(item, "fixturenames", ())
        marks = {mark for each in used for mark in _MARKS.get(each, ())}
        if item.path.parent.name == "browser":
            marks |= {"slow", "browser"}
        for mark in sorted(marks):
            item.add_marker(mark)
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{_engine(item)}"))


def _engine(item: pytest.Item) -> str:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return params.get("engine") or params.get("world") or "any"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real control plane with llmos in it, and a proxy before it: one for all tests."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(
    scope="session",
    params=["embedded", pytest.param("cluster", marks=pytest.mark.cluster)],
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """The API under test: each engine for all scenarios, one after the other."""
    if request.param == "cluster":
        cluster: Cluster = request.getfixturevalue("cluster")
        yield cluster.engine(cluster.proxies[0])
        return
    with running_server(tmp_path_factory.mktemp("server"), static=False) as server:
        yield Engine(server.url, server.ca_file, ADMIN_PASSWORD)


@pytest.fixture(autouse=True)
def _upstream(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test is about: nothing went to a cluster that must not."""
    yield
    engine = request.node.funcargs.get("engine")
    if isinstance(engine, RunningEngine) and engine.upstream is not None:
        engine.upstream.check()


@pytest.fixture(scope="session")
def admin(engine: Engine) -> Iterator[Session]:
    """The administrator whom every installation begins with."""
    session = Session("admin", engine.login("admin", engine.admin_password), engine)
    yield session
    session.close()


@pytest.fixture
def world(engine: Engine, admin: Session) -> Iterator[World]:
    """An empty world for one scenario."""
    made = World(engine, admin)
    yield made
    made.close()


@pytest.fixture(scope="module")
def teams(engine: Engine, admin: Session) -> Iterator[Teams]:
    """Two teams and their people, for scenarios that leave members as they are."""
    made = World(engine, admin)
    yield make_teams(made)
    made.close()


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """The real kubectl."""
    binary = find_kubectl()
    if binary is None:
        missing("kubectl", "there is no kubectl")
    return Kubectl(binary, tmp_path_factory.mktemp("kubectl"))


@pytest.fixture(scope="session")
def foreign() -> None:
    """The foreign Python clients."""
    for each in ("kubernetes", "kr8s"):
        if find_spec(each) is None:
            missing("clients", f"the Python client {each} is not installed")
