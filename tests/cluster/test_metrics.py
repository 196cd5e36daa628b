"""What a proxy tells of the way to its cluster, and Prometheus, who reads it with a token."""

import base64
from collections.abc import Iterator

import pytest

from scenarios.test_metrics import METRICS, told, value
from support.cluster import Cluster
from support.resources import at
from support.running import RunningEngine
from support.session import Session
from support.waiting import stays, wait_until
from support.world import World

RBAC = "/apis/rbac.authorization.k8s.io/v1"
SYSTEM = "llmos-system"
LEADS = "leader_election_master_status"
LEASE = {"name": "llmos-controllers"}


def test_the_way_to_the_cluster(place: World) -> None:
    """It is there, and what comes from it is fresh."""
    place.admin.get(at("nodes"))
    samples = told(place.admin)
    assert value(samples, "llmos_upstream_breaker_open") == 0
    assert value(samples, "rest_client_requests_total", method="GET", code="200") > 0
    assert value(samples, "rest_client_request_duration_seconds_count", verb="GET") > 0
    ages = [found for name, _, found in samples if name == "llmos_informer_silence_seconds"]
    assert len(ages) > 10
    assert all(0 <= each < 20 for each in ages)
    assert all(found for name, _, found in samples if name == "llmos_informer_synced")


def test_one_replica_leads(cluster: Cluster, place: World) -> None:
    """And that one tells of the controllers."""
    other = cluster.add_proxy()
    second = cluster.engine(other)
    admin = Session("admin", place.admin.token, second)

    def leaders() -> list[float]:
        return sorted(value(told(each), LEADS, **LEASE) for each in (place.admin, admin))

    try:
        wait_until(lambda: leaders() == [0, 1], 30)
        for each in (place.admin, admin):
            samples = told(each)
            queues = [name for name, _, _ in samples if name == "workqueue_depth"]
            assert bool(queues) is (value(samples, LEADS, **LEASE) == 1)
    finally:
        admin.close()
        cluster.end_proxy(other)


def test_a_cluster_that_is_away(cluster: Cluster, place: World) -> None:
    """The breaker is open and the silence grows; who may read it still may."""
    with cluster.recorder.outage():
        assert place.admin.get(at("nodes")).status_code == 503
        samples = told(place.admin)
        assert value(samples, "llmos_upstream_breaker_open") == 1
        assert value(samples, "rest_client_requests_total", code="<error>") > 0
        assert stays(lambda: place.admin.get(METRICS).status_code == 200, 1)
    wait_until(lambda: value(told(place.admin), "llmos_upstream_breaker_open") == 0, 5)


@pytest.fixture
def prometheus(cluster: Cluster, front: RunningEngine) -> Iterator[Session]:
    """The account that the chart makes for it, with the token in its Secret."""
    operator, made = cluster.operator, []

    def make(path: str, obj: dict[str, object]) -> None:
        assert operator.create(path, {"metadata": {"name": "scraper"}, **obj}).status_code == 201
        made.append(f"{path}/scraper")

    make(at("serviceaccounts", SYSTEM), {})
    annotations = {"kubernetes.io/service-account.name": "scraper"}
    secret = {
        "metadata": {"name": "scraper", "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
    }
    make(at("secrets", SYSTEM), secret)
    make(f"{RBAC}/clusterroles", {"rules": [{"nonResourceURLs": [METRICS], "verbs": ["get"]}]})
    subjects = [{"kind": "ServiceAccount", "name": "scraper", "namespace": SYSTEM}]
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "scraper"}
    make(f"{RBAC}/clusterrolebindings", {"roleRef": ref, "subjects": subjects})
    path = at("secrets", SYSTEM, "scraper")
    token = wait_until(lambda: operator.get(path).json().get("data", {}).get("token"), 10)
    session = Session("scraper", base64.b64decode(token).decode(), front)
    yield session
    session.close()
    for each in reversed(made):
        operator.delete(each)


def test_prometheus_reads_them_and_nothing_else(
    cluster: Cluster, place: World, prometheus: Session
) -> None:
    """With the token of an account that may that alone, until it may not any more."""
    wait_until(lambda: prometheus.get(METRICS).status_code == 200, 5)
    assert value(told(prometheus), "apiserver_request_total") > 0
    for path in (at("namespaces"), at("secrets", SYSTEM), "/metrics/slis"):
        assert prometheus.get(path).status_code == 403
    assert cluster.operator.delete(f"{RBAC}/clusterrolebindings/scraper").status_code == 200
    wait_until(lambda: prometheus.get(METRICS).status_code == 403, 5)


def test_they_are_the_proxy_s_own(cluster: Cluster, place: World) -> None:
    """Nothing is asked of the cluster for them: not by the user, and its own are elsewhere."""
    mark = cluster.recorder.log.mark()
    assert value(told(place.admin), "apiserver_request_total", component="apiserver") == 0
    assert [str(each) for each in cluster.recorder.log.since(mark) if METRICS in each.path] == []


def test_nobody_is_not_asked_about_at_every_request(cluster: Cluster, front: RunningEngine) -> None:
    """Whoever has no credential costs the cluster nothing."""
    with front.client() as nobody:
        assert nobody.get(METRICS).status_code == 403
        mark = cluster.recorder.log.mark()
        for _ in range(20):
            assert nobody.get(METRICS).status_code == 403
    reviews = [e for e in cluster.recorder.log.sent[mark:] if "subjectaccessreviews" in e.path]
    assert len(reviews) <= 2
