"""Controllers that are killed between two writes, and leaders that fail or fall asleep.

The next one ends what the last began; whoever wakes up as a leader of yesterday writes nothing.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from support.cluster import Cluster, running_cluster
from support.objects import config_map, member, subject
from support.recorder import Trouble
from support.resources import at
from support.server import RunningServer
from support.upstreamlog import CONTROLLERS, Sent
from support.waiting import stays, wait_until
from support.world import READER, World

LONG = bool(os.environ.get("LLMOS_SOAK"))
pytestmark = pytest.mark.timeout(900 if LONG else 60)
ROUNDS = 8 if LONG else 1
ASLEEP_SECONDS = 60 if LONG else 0
TAKEOVER_SECONDS = 20
LEASE = "/apis/coordination.k8s.io/v1/namespaces/llmos-system/leases/llmos-controllers"
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One whose replicas are killed: the first runs no controllers, and people go through it."""
    with running_cluster(tmp_path_factory.mktemp("leaders"), "--no-controllers") as running:
        yield running


def runs_controllers(proxy: RunningServer) -> bool:
    """Whether a replica says so."""
    said = proxy.log.read_text()
    return said.rfind("this replica runs the") > said.rfind("this replica does not run the")


def holder(cluster: Cluster) -> str:
    """Whose the Lease is."""
    answer = cluster.operator.get(LEASE)
    return str(answer.json()["spec"]["holderIdentity"]) if answer.status_code == 200 else ""


def leader(cluster: Cluster, seconds: float, after: str = "") -> RunningServer:
    """The replica that leads, once one does that did not before."""
    wait_until(lambda: holder(cluster) not in ("", after), seconds)
    living = cluster.proxies[1:]
    return wait_until(lambda: next((p for p in living if runs_controllers(p)), None), 5)


def give_up_lease(cluster: Cluster) -> None:
    """Spare the test the length of a lease whose holder is dead."""
    cluster.operator.delete(LEASE)


def is_write(sent: Sent, resource: str, subresource: str = "") -> bool:
    """Whether it is one of the controllers', of a kind of object or a part of it."""
    parts = sent.path.split("/")
    return (
        sent.account == CONTROLLERS
        and sent.method in _WRITES
        and resource in parts
        and (parts[-1] == "status") is (subresource == "status")
    )


# P9

_POINTS: dict[str, Callable[[Sent], bool]] = {
    "the role binding": lambda sent: is_write(sent, "rolebindings"),
    "the status": lambda sent: is_write(sent, "roletemplatebindings", "status"),
}


_KILLED = [("the role binding", False), ("the status", True)]
if LONG:
    _KILLED += [("the role binding", True), ("the status", False)]


@pytest.mark.parametrize(("point", "written"), _KILLED)
def test_controllers_that_are_killed_between_two_writes(
    cluster: Cluster, place: World, point: str, written: bool
) -> None:
    """Granting and taking away: whoever comes next makes exactly what is wanted, in 5 s."""
    for round_ in range(ROUNDS):
        where = place.namespace(f"team-{round_}")
        person, stranger = place.user(f"alice-{round_}"), place.user(f"eve-{round_}")
        path = at("configmaps", where)
        cut = Trouble(_POINTS[point], **({"cut_after": 0} if written else {"hang": True}))

        binding = place.named(f"rtb-{round_}")
        with _killed_at(cluster, cut):
            place.make(
                at("roletemplatebindings"), member(binding, where, READER, subject(person.name))
            )
        wait_until(lambda p=path, who=person: who.may(p), 5)
        wait_until(lambda b=binding: place.in_force(at("roletemplatebindings", name=b)), 5)
        assert _bound(cluster, where) == [person.name]
        assert not stranger.may(path)

        with _killed_at(cluster, cut):
            changed = {"subjects": [subject(stranger.name)]}
            place.admin.patch(at("roletemplatebindings", name=binding), changed)
        wait_until(lambda p=path, who=stranger: who.may(p), 5)
        wait_until(lambda p=path, who=person: not who.may(p), 5)
        assert _bound(cluster, where) == [stranger.name]
        place.remove(at("roletemplatebindings", name=binding))
        wait_until(lambda p=path, who=stranger: not who.may(p), 5)
        wait_until(lambda w=where: _bound(cluster, w) == [], 5)


class _killed_at:  # noqa: N801 - reads as a verb
    """What is done in the block makes the leader write; it dies there, and another one comes."""

    def __init__(self, cluster: Cluster, cut: Trouble) -> None:
        self._cluster, self._cut = cluster, cut

    def __enter__(self) -> None:
        if len(self._cluster.proxies) < 2:
            self._cluster.add_proxy()
        self._leader = leader(self._cluster, TAKEOVER_SECONDS)
        self._mark = self._cluster.recorder.log.mark()
        self._cluster.recorder.troubles.insert(0, self._cut)

    def __exit__(self, *raised: object) -> None:
        log = self._cluster.recorder.log
        try:
            wait_until(lambda: any(map(self._cut.matches, log.sent[self._mark :])), 5)
            self._cluster.end_proxy(self._leader)
        finally:
            self._cluster.recorder.troubles.remove(self._cut)
        give_up_lease(self._cluster)
        self._cluster.add_proxy()
        leader(self._cluster, TAKEOVER_SECONDS)


def _bound(cluster: Cluster, where: str) -> list[str]:
    """Everybody whom some RoleBinding of the namespace names."""
    bindings = cluster.operator.get(at("rolebindings", where)).json()["items"]
    return sorted(each["name"] for obj in bindings for each in obj.get("subjects", []))


# P11


@pytest.fixture
def replicas(cluster: Cluster) -> list[RunningServer]:
    """Two that stand for election, the leader first."""
    while len(cluster.proxies) < 3:
        cluster.add_proxy()
    first = leader(cluster, TAKEOVER_SECONDS)
    return sorted(cluster.proxies[1:], key=lambda each: each is not first)


def test_a_leader_that_is_killed_is_followed_by_another(
    cluster: Cluster, place: World, replicas: list[RunningServer]
) -> None:
    """In 20 s; meanwhile people work, and what waits for controllers waits."""
    where, person = place.namespace("team"), place.user("alice")
    before = holder(cluster)
    cluster.end_proxy(replicas[0])
    asked = member(place.named("late"), where, READER, subject(person.name))
    place.make(at("roletemplatebindings"), asked)
    assert place.admin.create(at("configmaps", where), config_map("a")).status_code == 201
    assert leader(cluster, TAKEOVER_SECONDS, before) is replicas[1]
    wait_until(lambda: person.may(at("configmaps", where)), 5)


def test_a_leader_that_fell_asleep_writes_nothing_when_it_wakes(
    cluster: Cluster, place: World, replicas: list[RunningServer]
) -> None:
    """Not even what it was about to write; and there is one leader afterwards, who stays."""
    asleep, awake = replicas
    where, person, other = place.namespace("team"), place.user("alice"), place.user("bob")
    before = holder(cluster)
    held = Trouble(lambda sent: is_write(sent, "rolebindings"), delay=1)
    with cluster.recorder.trouble(held):
        asked = member(place.named("first"), where, READER, subject(person.name))
        place.make(at("roletemplatebindings"), asked)
        asleep.process.send_signal(signal.SIGSTOP)
    try:
        assert leader_but(cluster, asleep, before) is awake
        wait_until(lambda: person.may(at("configmaps", where)), 5)
        assert not ASLEEP_SECONDS or stays(lambda: holder(cluster) != before, ASLEEP_SECONDS, 1)
        mark = cluster.recorder.log.mark()
    finally:
        asleep.process.send_signal(signal.SIGCONT)
    after = holder(cluster)
    asked = member(place.named("second"), where, READER, subject(other.name))
    place.make(at("roletemplatebindings"), asked)
    wait_until(lambda: other.may(at("configmaps", where)), 5)
    wait_until(lambda: not runs_controllers(asleep), 10)
    assert stays(lambda: holder(cluster) == after, 3)
    stale = _tokens_of(cluster, before)
    assert stale
    written = [
        str(sent)
        for sent in cluster.recorder.log.sent[mark:]
        if sent.account == CONTROLLERS
        and sent.method in _WRITES
        and sent.all("authorization")[0] in stale
    ]
    assert written == []
    assert _tokens_of(cluster, after) - stale


def leader_but(cluster: Cluster, asleep: RunningServer, before: str) -> RunningServer:
    """The leader that is not the one asleep, whose log says that it still leads."""
    wait_until(lambda: holder(cluster) not in ("", before), TAKEOVER_SECONDS)
    others = [each for each in cluster.proxies[1:] if each is not asleep]
    return wait_until(lambda: next((p for p in others if runs_controllers(p)), None), 5)


def _tokens_of(cluster: Cluster, identity: str) -> set[str]:
    """The credentials with which a candidate took or renewed the Lease."""
    return {
        sent.all("authorization")[0]
        for sent in list(cluster.recorder.log.sent)
        if "/leases" in sent.path
        and sent.method in _WRITES
        and sent.body
        and json.loads(sent.body)["spec"]["holderIdentity"] == identity
    }
