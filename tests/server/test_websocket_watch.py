"""A watch over a WebSocket: the same events, filters, rights and end as over plain HTTP."""

import socket
from pathlib import Path

import pytest
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from support.engine import Engine
from support.objects import config_map
from support.resources import at
from support.server import ADMIN_PASSWORD, running_server
from support.session import Session
from support.waiting import wait_until
from support.websocket import PROTOCOL, Socket, token_protocol, watch_path, websocket
from support.world import OWNER, World


def opened(engine: Engine, user: Session, path: str, **query: str):
    """A watch as browsers open it: the token is a subprotocol, the page says where it is from."""
    protocols = (PROTOCOL, token_protocol(user.token))
    return websocket(engine, watch_path(path, **query), protocols, Origin=engine.url)


def test_events(engine: Engine, world: World) -> None:
    """Each event is one text message; of the subprotocols the plain one comes back."""
    where = world.namespace("ws")
    world.make(at("configmaps", where), config_map("first", a="1"))
    with opened(engine, world.admin, at("configmaps", where)) as watch:
        assert watch.status == 101
        assert watch.headers["sec-websocket-protocol"] == PROTOCOL
        assert watch.until("ADDED", "first")["data"] == {"a": "1"}
        world.make(at("configmaps", where), config_map("second"))
        assert watch.until("ADDED", "second")["kind"] == "ConfigMap"
        world.admin.delete(at("configmaps", where, "second"))
        watch.until("DELETED", "second")


def test_filters_and_end(engine: Engine, world: World) -> None:
    """Selectors, revisions, bookmarks and the time limit are those of any watch."""
    where = world.namespace("ws")
    query = {"fieldSelector": "metadata.name=b", "sendInitialEvents": "true", "timeoutSeconds": "1"}
    query |= {"resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    for name in "ab":
        world.make(at("configmaps", where), config_map(name))
    with opened(engine, world.admin, at("configmaps", where), **query) as watch:
        assert watch.message()["object"]["metadata"]["name"] == "b"
        assert watch.message()["type"] == "BOOKMARK"
        assert watch.close_code() == 1000


def test_authorization_header(engine: Engine, world: World) -> None:
    """Who can set headers needs no subprotocol; both at once are refused."""
    path = watch_path(at("namespaces"))
    header = f"Bearer {world.admin.token}"
    with websocket(engine, path, Authorization=header, Origin=engine.url) as watch:
        assert watch.status == 101
        assert "sec-websocket-protocol" not in watch.headers
        assert watch.message()["type"] == "ADDED"
    both = (PROTOCOL, token_protocol(world.admin.token))
    with websocket(engine, path, both, Authorization=header) as refused:
        assert refused.status == 400


def test_refusals_are_plain_http(engine: Engine, world: World) -> None:
    """Whoever is refused hears it as over HTTP, before anything is upgraded."""
    dave = world.user("dave")
    where = world.namespace("ws")
    refused = {
        401: opened(engine, Session("x", "nobody", engine), at("configmaps", where)),
        403: opened(engine, dave, at("configmaps", where)),
        404: opened(engine, world.admin, "/api/v1/bogus"),
        422: opened(engine, world.admin, at("configmaps"), sendInitialEvents="true"),
    }
    for status, each in refused.items():
        with each as answer:
            assert answer.status == status
            assert answer.headers["connection"] == "close"


def test_upgrade_of_no_watch(engine: Engine, world: World) -> None:
    """What is no watch is answered as if nobody had asked for a WebSocket."""
    for path in ("/version", at("namespaces", name="default"), at("namespaces")):
        with websocket(engine, path, Authorization=f"Bearer {world.admin.token}") as answer:
            assert answer.status == 200


def test_other_origin(engine: Engine, world: World) -> None:
    """A page of another site may not listen, whatever token it has."""
    path = watch_path(at("namespaces"))
    protocols = (PROTOCOL, token_protocol(world.admin.token))
    with websocket(engine, path, protocols, Origin="https://evil.example") as refused:
        assert refused.status == 403
    with websocket(engine, path, protocols, Origin=engine.url) as watch:
        assert watch.status == 101


def test_narrowed_to_what_is_visible(engine: Engine, world: World) -> None:
    """A user sees his own namespaces; what leaves his sight is told as DELETED."""
    mine, other = world.namespace("mine"), world.namespace("other")
    alice = world.user("alice")
    binding = world.member(OWNER, mine, alice)
    for where in (mine, other):
        world.make(at("configmaps", where), config_map("c"))
    with opened(engine, alice, at("configmaps")) as watch:
        assert watch.until("ADDED", "c")["metadata"]["namespace"] == mine
        world.make(at("configmaps", other), config_map("hidden"))
        world.make(at("configmaps", mine), config_map("shown"))
        watch.until("ADDED", "shown")
        world.remove(binding)
        watch.until("DELETED", "c")


def test_ends_with_the_rights(engine: Engine, world: World) -> None:
    """A watch ends within five seconds when its user is deactivated."""
    mine = world.namespace("mine")
    alice = world.user("alice")
    world.member(OWNER, mine, alice)
    with opened(engine, alice, at("configmaps", mine)) as watch:
        assert watch.status == 101
        world.admin.patch(at("users", name=alice.name), {"spec": {"isActive": False}})
        # Before a cluster the proxy is not who speaks, and can only hang up.
        assert watch.close_code(seconds=5) in (1000, 1006)


@pytest.fixture
def quiet(engine: Engine, world: World):
    """A watch in which nothing happens."""
    path = at("configmaps", world.namespace("quiet"))
    with opened(engine, world.admin, path, resourceVersion=revision(world)) as watch:
        assert watch.status == 101
        yield watch


def revision(world: World) -> str:
    """Where the log stands."""
    return str(world.admin.get(at("configmaps")).json()["metadata"]["resourceVersion"])


def test_ping_and_close(quiet: Socket) -> None:
    """The server answers a ping and a close, and then hangs up."""
    quiet.send(Ping(b"there?"))
    while not isinstance(event := quiet.next(), Pong):
        assert isinstance(event, TextMessage)
    assert event.payload == b"there?"
    quiet.send(CloseConnection(1000))
    assert quiet.close_code() == 1000
    assert quiet.tls.recv(1) == b""


@pytest.mark.parametrize(
    ("data", "codes"),
    # Kubernetes says 1002 to either.
    [(b"\x81\x02hi", {1002}), (b"\x82\xfe\xff\xff" + bytes(70_000), {1002, 1009})],
    ids=["unmasked", "too much"],
)
def test_breach(quiet: Socket, data: bytes, codes: set[int]) -> None:
    """A client that does not mask, or talks too much, is told so and cut off."""
    quiet.tls.sendall(data)
    assert quiet.close_code() in codes


def test_slow_client_is_cut(engine: Engine, world: World) -> None:
    """Who does not read is cut off, and nobody else notices."""
    where = world.namespace("slow")
    path = at("configmaps", where)
    protocols = (PROTOCOL, token_protocol(world.admin.token))
    with (
        websocket(engine, watch_path(path), protocols, buffer=1 << 14) as slow,
        opened(engine, world.admin, path) as other,
    ):
        made = world.admin.create(path, config_map("big", text="x" * 900_000))
        assert made.status_code == 201
        for number in range(14):
            patch = {"data": {"text": chr(97 + number) * 900_000}}
            assert world.admin.patch(f"{path}/big", patch).status_code == 200
            other.until("MODIFIED" if number else "ADDED", "big")
        # Behind what was on its way when it was cut comes the end, and no close.
        assert slow.close_code() == 1006


def test_server_stops(tmp_path: Path) -> None:
    """A server that stops closes its sockets properly, and does not wait for who says nothing."""
    with running_server(tmp_path, static=False) as server:
        engine = Engine(server.url, server.ca_file, ADMIN_PASSWORD)
        admin = Session("admin", engine.login("admin", ADMIN_PASSWORD), engine)
        with opened(engine, admin, at("namespaces")) as left:
            left.message()
            left.tls.shutdown(socket.SHUT_RDWR)
        assert admin.may(at("namespaces"))
        with opened(engine, admin, at("namespaces")) as watch:
            watch.message()
            server.process.terminate()
            assert watch.close_code() == 1000
            # Neither this client nor the idle connection of the other one answers any more.
            wait_until(lambda: server.process.poll() is not None, 7)
        admin.close()
        assert "Traceback" not in server.log.read_text()
        assert "ASGI" not in server.log.read_text()
