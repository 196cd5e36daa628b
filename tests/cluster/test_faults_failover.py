"""Replicas whose clocks differ, a Lease that cannot be had, rights that end as a replica dies."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from cluster.test_faults_leader import LEASE, TAKEOVER_SECONDS, leader, runs_controllers
from cluster.test_faults_rights import (
    REQUEST_SECONDS,
    STREAM_SECONDS,
    Granted,
    by_binding,
    by_group,
    by_token,
    by_user,
)
from support.cluster import Cluster, running_cluster
from support.objects import config_map, member, subject
from support.recorder import Trouble
from support.resources import at
from support.server import RunningServer
from support.session import Session
from support.upstreamlog import CONTROLLERS, Sent
from support.waiting import stays, wait_until
from support.world import READER, World

LONG = bool(os.environ.get("LLMOS_SOAK"))
pytestmark = pytest.mark.timeout(1200 if LONG else 120)
STEADY_SECONDS = 300 if LONG else 6
FAILOVERS = 10 if LONG else 1
SKEW_SECONDS = 30.0
RENEW_SECONDS = 10
"""So long a leader tries to renew before it gives up."""
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One whose replicas are killed: the first runs no controllers, and people go through it."""
    with running_cluster(tmp_path_factory.mktemp("failover"), "--no-controllers") as running:
        yield running


def lease(cluster: Cluster) -> dict[str, Any]:
    """What the Lease says."""
    found: dict[str, Any] = cluster.operator.get(LEASE).json()["spec"]
    return found


def ahead_of(cluster: Cluster) -> float:
    """How far the leader's clock is ahead of ours, by what it wrote."""
    wait_until(lambda: lease(cluster).get("renewTime"), 5)
    before = lease(cluster)["renewTime"]
    renewed = wait_until(lambda: (now := lease(cluster)["renewTime"]) != before and now, 10)
    return datetime.fromisoformat(renewed).timestamp() - time.time()


@pytest.fixture
def skewed(cluster: Cluster) -> Iterator[dict[str, RunningServer]]:
    """Two replicas that stand for election, whose clocks are a minute apart."""
    for each in cluster.proxies[1:]:
        cluster.end_proxy(each, 15)
    yield {
        "ahead": cluster.add_proxy(ahead=SKEW_SECONDS),
        "behind": cluster.add_proxy(ahead=-SKEW_SECONDS),
    }
    for each in cluster.proxies[1:]:
        cluster.end_proxy(each, 15)


# P11


def test_clocks_that_differ(cluster: Cluster, skewed: dict[str, RunningServer]) -> None:
    """One leads and goes on leading; when it dies the other one does, in 20 s, whoever is ahead."""
    cluster.add_proxy()  # with the right time
    leads = leader(cluster, TAKEOVER_SECONDS)
    skews = {id(skewed["ahead"]): SKEW_SECONDS, id(skewed["behind"]): -SKEW_SECONDS}
    seen = []
    for _ in range(2):
        seen.append(skews.get(id(leads), 0.0))
        assert ahead_of(cluster) == pytest.approx(seen[-1], abs=5)
        before = lease(cluster)
        same = stays(lambda b=before: is_same(b, lease(cluster)), STEADY_SECONDS, 0.25)
        assert same, f"{before} became {lease(cluster)}"
        assert [each for each in cluster.proxies[1:] if runs_controllers(each)] == [leads]
        cluster.end_proxy(leads)
        leads = leader(cluster, TAKEOVER_SECONDS, before["holderIdentity"])
        assert lease(cluster)["leaseTransitions"] == before["leaseTransitions"] + 1
    assert any(seen)


def is_same(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether the term that was is still going on."""
    return all(before[each] == now[each] for each in ("holderIdentity", "leaseTransitions"))


def test_sessions_where_clocks_differ(
    cluster: Cluster, place: World, skewed: dict[str, RunningServer]
) -> None:
    """Who signs in at one replica is known at the other at once, whichever is ahead."""
    where, person = place.namespace("team"), place.user("alice")
    place.member(READER, where, person)
    engines = [cluster.engine(each) for each in skewed.values()]
    for one, other in (engines, engines[::-1]):
        token = place.login(person.name).token
        fresh = Session(person.name, one.login("admin", one.admin_password), other)
        assert fresh.get(at("namespaces")).status_code == 200
        fresh.close()
        moved = Session(person.name, token, other)
        assert moved.get(at("configmaps", where)).status_code == 200
        moved.close()


def about_lease(sent: Sent) -> bool:
    """Whether it is about the Lease of the controllers."""
    return sent.path.startswith(LEASE.rpartition("/")[0])


def writes_since(cluster: Cluster, mark: int) -> list[str]:
    """What the controllers wrote, but for the Lease."""
    return [
        str(sent)
        for sent in cluster.recorder.log.sent[mark:]
        if sent.account == CONTROLLERS and sent.method in _WRITES and not about_lease(sent)
    ]


@pytest.mark.parametrize(
    "how",
    [{"hang": True}, {"answer": b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"}],
    ids=["silence", "refusal"],
)
def test_a_lease_that_cannot_be_had(cluster: Cluster, place: World, how: dict[str, Any]) -> None:
    """Nobody leads after 10 s, and nobody writes; people work on; afterwards one leads, in 20 s."""
    while len(cluster.proxies) < 3:
        cluster.add_proxy()
    leader(cluster, TAKEOVER_SECONDS)
    where, person = place.namespace("team"), place.user("alice")
    transitions = lease(cluster)["leaseTransitions"]
    with cluster.recorder.trouble(Trouble(about_lease, **how)):
        wait_until(lambda: not any(map(runs_controllers, cluster.proxies[1:])), RENEW_SECONDS + 7)
        mark = cluster.recorder.log.mark()
        asked = member(place.named("late"), where, READER, subject(person.name))
        place.make(at("roletemplatebindings"), asked)
        assert place.admin.create(at("configmaps", where), config_map("a")).status_code == 201
        assert stays(lambda: not person.may(at("configmaps", where)), 4)
        assert writes_since(cluster, mark) == []
        assert not any(map(runs_controllers, cluster.proxies[1:]))
    wait_until(lambda: any(map(runs_controllers, cluster.proxies[1:])), TAKEOVER_SECONDS)
    wait_until(lambda: person.may(at("configmaps", where)), 5)
    assert stays(lambda: sum(map(runs_controllers, cluster.proxies[1:])) == 1, 3)
    assert lease(cluster)["leaseTransitions"] <= transitions + 1


def test_a_lease_that_cannot_be_had_for_a_moment(cluster: Cluster) -> None:
    """Changes nothing: the leader has time to try again."""
    while len(cluster.proxies) < 3:
        cluster.add_proxy()
    leader(cluster, TAKEOVER_SECONDS)
    before = lease(cluster)
    refusal = Trouble(about_lease, answer=b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    for _ in range(2):
        with cluster.recorder.trouble(refusal):
            assert stays(lambda: sum(map(runs_controllers, cluster.proxies[1:])) == 1, 5)
        wait_until(lambda: lease(cluster)["renewTime"] != before["renewTime"], 5)
        assert is_same(before, lease(cluster))


# P17


CAUSES: list[Callable[[World, int], Granted]] = [by_binding, by_token, by_user, by_group]


@pytest.mark.parametrize("cause", CAUSES, ids=[each.__name__ for each in CAUSES])
def test_rights_end_though_the_replica_dies(
    cluster: Cluster, place: World, cause: Callable[[World, int], Granted]
) -> None:
    """The leader, through which a right was taken away, dies at that moment: the others know."""
    for number in range(FAILOVERS):
        while len(cluster.proxies) < 3:
            cluster.add_proxy()
        dying = leader(cluster, TAKEOVER_SECONDS)
        engine = cluster.engine(dying)
        through = Session("admin", place.admin.token, engine)
        there = World(engine, through)
        granted = cause(there, number)
        who = Session(granted.who.name, granted.who.token, place.engine)
        wait_until(lambda w=who, g=granted: w.get(g.path).status_code == 200, 5)
        with who.watch(granted.path) as watch:
            assert watch.status == 200
            granted.revoke()
            cluster.end_proxy(dying)
            began = time.monotonic()
            wait_until(
                lambda w=who, g=granted: w.get(g.path).status_code == g.status, REQUEST_SECONDS
            )
            wait_until(watch.ended.is_set, STREAM_SECONDS)
            assert time.monotonic() - began < STREAM_SECONDS
        assert stays(lambda w=who, g=granted: w.get(g.path).status_code == g.status, 2)
        there.admin = place.admin
        there.close()
        who.close()
        through.close()
        cluster.operator.delete(LEASE)  # spare the next the length of a lease
