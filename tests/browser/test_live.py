"""A page that is open while things change: by others, by the server, by whoever gives rights."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from support.browser import Visitors
from support.cluster import Cluster
from support.engine import Engine
from support.objects import config_map
from support.resources import at
from support.server import ADMIN_PASSWORD, start_server
from support.session import Session
from support.steps import add_member, pick, row
from support.waiting import wait_until
from support.world import OWNER, PASSWORD, READER, World

SECOND_MS = 1_000
RIGHTS_MS = 5_000


def test_two_people_see_each_others_changes_within_a_second(visitors: Visitors, world: World):
    """What one creates and deletes on his page is on the other's, who touches nothing."""
    place = world.namespace("team-vision")
    alice, erin = world.user("alice"), world.user("erin")
    world.member(OWNER, place, alice, erin)
    one, other = visitors.of(alice, PASSWORD), visitors.of(erin, PASSWORD)
    for each in (one, other):
        each.open(f"/resources/configmaps?ns={place}")
    for watcher, actor in ((other, alice), (one, erin)):
        name = f"by-{actor.name}"
        made = actor.create(at("configmaps", place), config_map(name))
        assert made.status_code == 201
        expect(row(watcher.page, name)).to_be_visible(timeout=SECOND_MS)
        assert actor.delete(at("configmaps", place, name)).status_code == 200
        expect(row(watcher.page, name)).to_have_count(0, timeout=SECOND_MS)


def test_a_right_that_is_withdrawn_is_gone_from_an_open_page(visitors: Visitors, world: World):
    """The namespace leaves the list, and what was in it the page that shows it."""
    place, other = world.namespace("team-vision"), world.namespace("team-speech")
    alice = world.user("alice")
    world.member(READER, other, alice)
    binding = world.member(OWNER, place, alice)
    visitor = visitors.of(alice, PASSWORD)
    listing = visitor.open("/namespaces")
    inside = visitor.open(f"/resources/configmaps?ns={place}", visitor.window())
    row(listing, place).wait_for()
    row(inside, "kube-root-ca.crt").wait_for()
    world.remove(binding)
    expect(row(listing, place)).to_have_count(0, timeout=RIGHTS_MS)
    expect(row(inside, "kube-root-ca.crt")).to_have_count(0, timeout=RIGHTS_MS)
    row(listing, other).wait_for()
    # The page hears of it from the list itself, or from the binding that has gone.
    visitor.pardon_all(403, at("configmaps", place))


def test_a_right_that_is_given_is_there_on_an_open_page(visitors: Visitors, world: World):
    """A list that was refused is shown, with what may be done there; nobody touches the page."""
    place = world.namespace("team-vision")
    alice = world.user("alice")
    visitor = visitors.of(alice, PASSWORD)
    window = visitor.open(f"/resources/configmaps?ns={place}")
    window.get_by_text("You may not see this: ConfigMaps").wait_for()
    world.member(READER, place, alice)
    row(window, "kube-root-ca.crt").wait_for(timeout=RIGHTS_MS)
    expect(window.get_by_role("button", name="Create ConfigMap")).to_be_disabled()
    world.member(OWNER, place, alice)
    create = window.get_by_role("link", name="Create ConfigMap")
    create.wait_for(timeout=RIGHTS_MS)


def test_a_lower_role_takes_the_buttons_away(visitors: Visitors, world: World):
    """What he may not do any more is disabled on the page that is open, and refused anyhow."""
    place = world.namespace("team-vision")
    alice = world.user("alice")
    binding = world.member(OWNER, place, alice)
    visitor = visitors.of(alice, PASSWORD)
    window = visitor.open(f"/resources/configmaps?ns={place}")
    create = window.get_by_role("button", name="Create ConfigMap").or_(
        window.get_by_role("link", name="Create ConfigMap")
    )
    expect(create).to_be_enabled()
    world.member(READER, place, alice)
    world.remove(binding)
    late = config_map("late")
    wait_until(lambda: alice.create(at("configmaps", place), late).status_code == 403, 2)
    expect(create).to_be_disabled(timeout=RIGHTS_MS)


def test_the_page_says_who_granted_a_role(visitors: Visitors, world: World, admin: Session):
    """Who adds a member, and then who gives another role; what the platform gave nobody granted."""
    place = world.namespace("team-vision")
    alice, erin = world.user("alice"), world.user("erin")
    world.member(OWNER, place, alice)
    visitor = visitors.of(alice, PASSWORD)
    page = visitor.open(f"/namespaces/{place}?tab=members")
    granter = row(page, erin.name).locator(".granter bdi")
    add_member(page, erin.name, "Read-Only")
    expect(granter).to_have_text(alice.name)
    expect(row(page, erin.name).locator(".granter time")).to_be_visible()
    boss = visitors.of(admin, ADMIN_PASSWORD).open(f"/namespaces/{place}?tab=members")
    expect(row(boss, erin.name).locator(".granter bdi")).to_have_text(alice.name)
    pick(boss, row(boss, erin.name).get_by_role("button", name="Role of"), "Editor")
    expect(granter).to_have_text(admin.name, timeout=RIGHTS_MS)
    visitor.open(f"/namespaces/{place}?tab=access")
    holder = page.get_by_role("listitem").filter(has=page.get_by_text(erin.name, exact=True))
    expect(holder.locator(".granter bdi")).to_have_text(admin.name)


def test_a_deactivated_user_is_out(visitors: Visitors, world: World, admin: Session):
    """His open page leaves for the sign-in page by itself."""
    alice = world.user("alice")
    world.member(OWNER, world.namespace("team-vision"), alice)
    visitor = visitors.of(alice, PASSWORD)
    visitor.open("/namespaces")
    path = at("users", name=alice.name)
    assert admin.patch(path, {"spec": {"isActive": False}}).status_code == 200
    visitor.page.get_by_role("heading", name="Sign in").wait_for(timeout=2 * RIGHTS_MS)
    visitor.pardon_on_its_way()


def test_signing_out_ends_every_window(visitors: Visitors, world: World):
    """Also those that nobody looks at."""
    alice = world.user("alice")
    world.member(OWNER, world.namespace("team-vision"), alice)
    visitor = visitors.of(alice, PASSWORD)
    window = visitor.open("/namespaces")
    other = visitor.open("/namespaces", visitor.window())
    window.get_by_role("button", name="User menu").click()
    window.get_by_role("menuitem", name="Sign out").click()
    for each in (window, other):
        each.get_by_role("heading", name="Sign in").wait_for(timeout=RIGHTS_MS)
    visitor.pardon_on_its_way()


Restart = Callable[[], None]


@pytest.fixture
def restartable(
    request: pytest.FixtureRequest, engine: Engine, tmp_path: Path
) -> Iterator[tuple[Engine, Restart]]:
    """What serves the page, and how to start it again at the same address."""
    if "cluster" in request.node.callspec.id:
        cluster: Cluster = request.getfixturevalue("cluster")
        proxy = cluster.add_proxy()
        port = str(urlsplit(proxy.url).port)
        running = [proxy]

        def again() -> None:
            cluster.end_proxy(running.pop())
            running.append(cluster.add_proxy("--port", port))

        yield cluster.engine(proxy), again
        cluster.end_proxy(running.pop())
        return
    server = start_server(tmp_path, static=False)
    port = str(urlsplit(server.url).port)
    servers = [server]

    def restart() -> None:
        servers.pop().stop()
        servers.append(start_server(tmp_path, port=int(port), static=False))

    yield Engine(server.url, server.ca_file, ADMIN_PASSWORD), restart
    servers.pop().stop()


@pytest.mark.timeout(120)
def test_a_restart_is_survived(
    visitors: Visitors, restartable: tuple[Engine, Restart], world: World
):
    """The page connects again by itself, with its session, and shows what it missed."""
    engine, restart = restartable
    visitor = visitors.new(engine=engine)
    visitor.come_in("admin", engine.admin_password)
    visitor.open("/namespaces")
    restart()
    with engine.client(engine.login("admin", engine.admin_password)) as client:
        name = world.named("after-the-restart")
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        assert client.post(at("namespaces"), json=body).status_code == 201
        began = time.monotonic()
        row(visitor.page, name).wait_for(timeout=15_000)
        assert time.monotonic() - began < 15
        client.delete(at("namespaces", name=name))
    visitor.close()
    # The browser tells of every attempt to connect while nobody listens, and of the proxy's 503.
    visitor.pardon_all(503)
    lost = re.compile(
        r"net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)"
        r"|Connection closed before receiving a handshake response"
    )
    visitor.complaints[:] = [each for each in visitor.complaints if not lost.search(each)]
