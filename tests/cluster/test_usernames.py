"""One user gets a name, however many are made at once and through whichever replica."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from support.cluster import Cluster
from support.objects import user
from support.resources import at
from support.session import Session
from support.waiting import wait_until
from support.world import PASSWORD, World

CLAIMS = {"fieldSelector": "type=llmos.ai/username"}


@pytest.fixture(scope="module")
def other(cluster: Cluster, boss: Session) -> Iterator[Session]:
    """The administrator, through a replica of its own."""
    proxy = cluster.add_proxy("--no-controllers")
    session = Session(boss.name, boss.token, cluster.engine(proxy))
    wait_until(lambda: session.get(at("users")).status_code == 200, 10)
    yield session
    session.close()
    cluster.end_proxy(proxy)


def claims(cluster: Cluster) -> set[str]:
    """The claims of names that there are."""
    return set(cluster.operator.names(at("secrets", "llmos-system"), **CLAIMS))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("generated", [False, True])
def test_of_many_through_two_replicas_one_gets_the_name(
    cluster: Cluster, boss: Session, other: Session, place: World, generated: bool
):
    """Forty at once: one succeeds, the rest are refused and leave no claim."""
    wanted, before = place.named("same"), claims(cluster)

    def create(number: int) -> int:
        made = user(f"{wanted}-{number}", "", username=wanted if number % 3 else wanted.upper())
        del made["spec"]["password"]
        if generated:
            made["metadata"] = {"generateName": f"{wanted}-"}
        return (boss, other)[number % 2].create(at("users"), made).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(create, range(40)))
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 422}
    users = cluster.operator.get(at("users")).json()["items"]
    names = [
        each["metadata"]["name"] for each in users if each["spec"]["username"].lower() == wanted
    ]
    assert len(names) == 1
    assert len(claims(cluster) - before) == 2
    assert boss.delete(at("users", name=names[0])).status_code == 200
    # The collector of a new cluster looks at new kinds every 30 s.
    wait_until(lambda: claims(cluster) == before, 60)


def test_a_name_is_free_again_with_its_user(
    cluster: Cluster, boss: Session, other: Session, place: World
):
    """The next user of it is made at once, signs in, and keeps it when claims are collected."""
    name = place.named("heir")

    def gone(of: str) -> bool:
        path = at("users", name=of)
        return all(each.get(path).status_code == 404 for each in (boss, other))

    for each in range(4):
        maker = (boss, other)[each % 2]
        made = user(f"{name}-{each}", PASSWORD, username=name)
        answer = maker.create(at("users"), made)
        assert answer.status_code == 201, answer.text
        assert place.engine.login(name, PASSWORD)
        taken = user(place.named("late"), PASSWORD, username=name)
        assert maker.create(at("users"), taken).status_code == 422
        assert maker.delete(at("users", name=f"{name}-{each}")).status_code == 200
        wait_until(partial(gone, f"{name}-{each}"), 5)


def test_what_is_refused_claims_nothing(cluster: Cluster, boss: Session, place: World):
    """A dry run, and a user who exists or may not be made, take no name from others."""
    name, before = place.named("dry"), claims(cluster)
    made = user(place.named("tried"), PASSWORD, username=name)
    assert boss.create(at("users"), made, dryRun="All").status_code == 201
    wrong = user(place.named("wrong"), PASSWORD, username=name, groups=["llmos:admins", "-"])
    assert boss.create(at("users"), wrong).status_code in (403, 422)
    assert boss.create(at("users"), user("admin", PASSWORD, username=name)).status_code == 409
    assert claims(cluster) == before
