"""One server with everybody on it for all attacks; after each, it must be alive and unshaken."""

from collections.abc import Iterator

import psutil
import pytest

from attacks.support import Actor, World
from attacks.words import MG, NS, canary, global_role, rule
from support.cluster import running_cluster
from support.objects import config_map
from support.running import RunningEngine, running_embedded
from support.server import running_server
from support.waiting import wait_until

_DELEGATED = [
    rule(
        "management.llmos.ai",
        "users roletemplates roletemplatebindings users/password users/tokens",
        "get list watch create update patch delete",
    ),
    rule("", "namespaces/members", "get list create update patch delete"),
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is a case of the other engine."""
    out = [each for each in items if _is_of_the_other(each)]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [each for each in items if each not in set(out)]


def _is_of_the_other(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("on")
    params = getattr(getattr(item, "callspec", None), "params", {})
    return mark is not None and params.get("world", mark.args[0]) != mark.args[0]


@pytest.fixture(
    scope="session",
    params=["embedded", pytest.param("cluster", marks=pytest.mark.cluster)],
)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The server, the people and the namespaces: each engine for all cases, one after the other.

    A case of one engine alone says so itself: ``@pytest.mark.on("embedded")``.
    """
    if request.param == "cluster":
        # One of its own: there are more administrators here than other tests expect.
        with running_cluster(tmp_path_factory.mktemp("attacked")) as cluster:
            yield from _world(cluster.engine(cluster.proxies[0]))
        return
    folder = tmp_path_factory.mktemp("attacks")
    with running_server(folder, "--verbose") as server, server.client("admintoken") as operator:
        yield from _world(running_embedded(server, operator))


def _world(engine: RunningEngine) -> Iterator[World]:
    made = World(engine)
    _populate(made)
    yield made
    made.close()
    log = made.log()
    leaked = [text for text, _ in made.canaries if text in log]
    assert not leaked, "secrets of people are in the log"


def _populate(world: World) -> None:
    for each in ("team-a", "team-b", "team-x"):
        world.add_namespace(each)
    for each in ("root", "alice", "bob", "vera", "newbie", "nina", "carol", "mallory"):
        world.add_user(each)
        world.know_groups(each, *(["llmos:admins"] if each == "root" else []))
    world.do("POST", f"{MG}/globalroles", global_role("delegated", *_DELEGATED))
    world.bind("root-admin", "admin", "root")
    world.bind("carol-delegated", "delegated", "carol")
    world.bind("alice-a", "namespace-owner", "alice", "team-a")
    world.bind("vera-a", "namespace-readonly", "vera", "team-a")
    world.bind("bob-b", "namespace-owner", "bob", "team-b")
    for namespace, owners in (("team-a", ("alice",)), ("team-b", ("bob",))):
        secret = {"metadata": {"name": "s"}, "stringData": {"key": world.guard(
            canary(), "root", *owners)}}  # fmt: skip
        world.do("POST", f"{NS}/{namespace}/secrets", secret)
    world.do("POST", f"{NS}/team-a/configmaps", config_map("a", of="team-a"))
    for name in ("c", "d"):
        text = world.guard(canary(), "root", "bob")
        made = config_map(name, of=text)
        made["metadata"]["annotations"] = {"note": text}
        world.do("POST", f"{NS}/team-b/configmaps", made)
    world.do("POST", f"{NS}/team-a/serviceaccounts", {"metadata": {"name": "runner"}})
    answer = world.do("POST", f"{NS}/team-a/serviceaccounts/runner/token", {"spec": {}})
    world.actors["runner"] = Actor("runner", world, answer["status"]["token"])
    wait_until(lambda: world.actors["alice"].may("create", "configmaps", "team-a"), 10)


@pytest.fixture(autouse=True)
def alive(world: World) -> Iterator[None]:
    """After every attack the server runs, has logged no crash and answers a fresh connection."""
    log = world.engine.log
    size = log.stat().st_size
    yield
    assert world.engine.process.is_running(), "the server has died"
    assert world.engine.process.status() != psutil.STATUS_ZOMBIE, "the server has died"
    answer = world.actors["alice"].get(f"{NS}/team-a/configmaps/a")
    assert answer.status == 200, answer.text
    with log.open("rb") as file:
        file.seek(size)
        said = file.read()
    if world.engine.upstream is not None:
        world.engine.upstream.check()
    assert b"Traceback" not in said, said[said.index(b"Traceback") - 300 :][:3000].decode()


@pytest.fixture
def anonymous(world: World) -> Actor:
    """Nobody."""
    return world.anonymous


@pytest.fixture
def root(world: World) -> Actor:
    """An administrator."""
    return world.actors["root"]


@pytest.fixture
def alice(world: World) -> Actor:
    """Owner of team-a."""
    return world.actors["alice"]


@pytest.fixture
def bob(world: World) -> Actor:
    """Owner of team-b."""
    return world.actors["bob"]


@pytest.fixture
def vera(world: World) -> Actor:
    """Reader of team-a."""
    return world.actors["vera"]


@pytest.fixture
def newbie(world: World) -> Actor:
    """A user without any binding."""
    return world.actors["newbie"]


@pytest.fixture
def nina(world: World) -> Actor:
    """A user who has just the rule that the case gives."""
    return world.actors["nina"]


@pytest.fixture
def carol(world: World) -> Actor:
    """Manages users, role templates and bindings, and is no administrator."""
    return world.actors["carol"]


@pytest.fixture
def mallory(world: World) -> Actor:
    """A user who has just the right that the case names."""
    return world.actors["mallory"]


@pytest.fixture
def runner(world: World) -> Actor:
    """A service account of team-a."""
    return world.actors["runner"]
