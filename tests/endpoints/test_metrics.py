"""What is counted of requests, by which labels, and what is never a label."""

import asyncio
import re

import pytest

from endpoints.exchange import FakeStream, answer_of, request_of, scope_of
from llmos.apimachinery.measures import Histogram
from llmos.endpoints import metrics as module
from llmos.endpoints.exposition import written
from llmos.endpoints.http import Response, StreamResponse
from llmos.endpoints.metrics import Metrics, RequestMetrics
from llmos.endpoints.pipeline import Pipeline

CM = "/api/v1/namespaces/a/configmaps"
BOUNDS = [
    "0.001", "0.005", "0.025", "0.05", "0.1", "0.2", "0.4", "0.6", "0.8", "1", "1.25", "1.5", "2",
    "3", "4", "5", "6", "8", "10", "15", "20", "30", "45", "60",
]  # fmt: skip
"""Those of kube-apiserver 1.36, and one below them."""
SERVED = {"configmaps", "pods", "namespaces", "users"}


class Clock:
    """Seconds, as a test lets them pass."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def counted(clock):
    return RequestMetrics(lambda info: info.resource in SERVED, clock=clock)


def text_of(counted, accept=""):
    """What is told, in Prometheus' words."""
    return asyncio.run(written(list(counted.families()), accept))[0].decode()


def totals(counted):
    """Labels (as a dict without empty ones) and counts of every series."""
    (family,) = [each for each in counted.families() if each.name == "apiserver_request_total"]
    return [
        ({k: v for k, v in zip(family.labels, labels, strict=True) if v}, count)
        for labels, count in family.samples
    ]


def asked(counted, method="GET", target=CM, status=200, **headers):
    """A request that is answered at once."""
    request = request_of(method, target, **headers)
    counted.answered(request, Response(status, b""), counted.begin(request))
    return request


@pytest.mark.parametrize(
    ("method", "target", "labels"),
    [
        ("GET", CM, {"verb": "LIST", "scope": "namespace"}),
        ("GET", "/api/v1/configmaps", {"verb": "LIST", "scope": "cluster"}),
        ("GET", CM + "/x", {"verb": "GET", "scope": "resource"}),
        ("GET", CM + "?watch=1", {"verb": "WATCH", "scope": "namespace"}),
        ("POST", CM, {"verb": "POST", "scope": "resource"}),
        ("POST", CM + "?dryRun=All", {"verb": "POST", "scope": "resource", "dry_run": "All"}),
        ("POST", CM + "?dryRun=x1", {"verb": "POST", "scope": "resource"}),
        ("PUT", CM + "/x", {"verb": "PUT", "scope": "resource"}),
        ("PATCH", CM + "/x", {"verb": "PATCH", "scope": "resource"}),
        ("DELETE", CM + "/x", {"verb": "DELETE", "scope": "resource"}),
        ("DELETE", CM, {"verb": "DELETECOLLECTION", "scope": "namespace"}),
        ("BREW", CM, {"verb": "OTHER", "scope": "namespace"}),
    ],
)
def test_labels_are_those_of_kube_apiserver(counted, method, target, labels):
    """Verb, scope and dry run, as its cleanVerb, CleanScope and cleanDryRun say them."""
    asked(counted, method, target)
    usual = {"version": "v1", "resource": "configmaps", "component": "apiserver", "code": "200"}
    assert totals(counted) == [(usual | labels, 1)]


def test_an_apply_is_one(counted):
    """By its media type."""
    asked(counted, "PATCH", CM + "/x", content_type="application/apply-patch+yaml")
    assert totals(counted)[0][0]["verb"] == "APPLY"


def test_subresources(counted):
    """Those of Kubernetes are told apart; what a client made up is one of all others."""
    pod = "/api/v1/namespaces/a/pods/x/"
    for each in ("log", "exec", "evil1", "evil2"):
        asked(counted, "GET", pod + each)
    seen = [(found["verb"], found["subresource"], count) for found, count in totals(counted)]
    assert seen == [("GET", "log", 1), ("CONNECT", "exec", 1), ("GET", "other", 2)]


@pytest.mark.parametrize("target", ["/", "/readyz", "/metrics", "/version"])
def test_paths_that_are_known(counted, target):
    """Are told apart, as kube-apiserver does."""
    asked(counted, target=target)
    assert totals(counted)[0][0] == {"verb": "GET", "subresource": target, "code": "200"}


def test_no_label_is_a_client_s_to_choose(counted):
    """Names, namespaces, paths, unserved groups and resources: a flood makes a few series."""
    for number in range(200):
        for target in (
            f"{CM}/object-{number}",
            f"/api/v1/namespaces/team-{number}/configmaps",
            f"/api/v1/resource{number}",
            f"/apis/group{number}/v1/things/{number}",
            f"/path-{number}",
            f"{CM}?labelSelector=a%3D{number}",
        ):
            asked(counted, target=target)
    series = totals(counted)
    assert len(series) == 5
    assert sum(count for _, count in series) == 1200
    said = text_of(counted)
    assert not any(each in said for each in ("object-7", "team-7", "group7", "path-7", "resource7"))


def test_methods_that_are_none(counted):
    """Are one."""
    for number in range(20):
        asked(counted, f"M{number}", "/x")
    assert totals(counted) == [({"verb": "OTHER", "code": "200"}, 20)]


def test_there_is_an_end_to_it(counted, monkeypatch):
    """Also where there are many kinds: the rest is counted together."""
    monkeypatch.setattr(module, "MAX_SERIES", 3)
    for status in range(200, 240):
        asked(counted, status=status)
    assert len({tuple(sorted(found.items())) for found, _ in totals(counted)}) == 40
    monkeypatch.setattr(module, "MAX_SERIES", 0)
    for number in range(3):
        asked(counted, target=f"/api/v1/namespaces/a/pods/{number}")
    assert ({"verb": "OTHER", "code": "200"}, 3) in totals(counted)


def test_a_request_that_could_not_be_read(counted):
    """There is only its method."""
    request = request_of("GET", "/x")
    del request.info
    counted.answered(request, Response(400, b""), counted.begin(request))
    assert totals(counted) == [({"verb": "GET", "code": "400"}, 1)]


def test_the_next_request_with_the_same_head_finds_its_series(counted):
    """And one whose kind was not served finds the right one when it is."""
    request = asked(counted)
    again = request.again(b"")
    counted.answered(again, Response(200, b""), counted.begin(again))
    assert [count for _, count in totals(counted)] == [2]
    assert list(again.cells) == [200]

    late = asked(counted, target="/api/v1/namespaces/a/secrets")
    SERVED.add("secrets")
    try:
        counted.answered(late, Response(200, b""), counted.begin(late))
    finally:
        SERVED.remove("secrets")
    assert [found.get("resource", "") for found, _ in totals(counted)] == [
        "configmaps",
        "",
        "secrets",
    ]


def test_latencies(counted, clock):
    """In Kubernetes' buckets, without the code; bounds belong to their buckets."""
    for seconds, status in ((0.0004, 200), (0.005, 200), (0.3, 404), (90, 200)):
        request = request_of("GET", CM + "/x")
        began = counted.begin(request)
        clock.now = began + seconds
        counted.answered(request, Response(status, b""), began)
    said = text_of(counted)
    name = "apiserver_request_duration_seconds"
    found = re.findall(rf'^{name}_bucket{{.*,le="([^"]+)",.*}} (.+)$', said, re.MULTILINE)
    assert [bound for bound, _ in found] == [*BOUNDS, "+Inf"]
    counts = {bound: float(count) for bound, count in found}
    wanted = {"0.001": 1, "0.005": 2, "0.2": 2, "0.4": 3, "60": 3, "+Inf": 4}
    assert {each: counts[each] for each in wanted} == wanted
    (count,), (total,) = (
        re.findall(rf"^{name}_{each}{{[^}}]*}} (.+)$", said, re.MULTILINE)
        for each in ("count", "sum")
    )
    assert (float(count), float(total)) == (4, pytest.approx(90.3054))
    assert f"{name}_count{{code=" not in said


def value(counted, name, *labels):
    """One gauge."""
    (family,) = [each for each in counted.families() if each.name == name]
    return dict(family.samples).get(labels, 0)


def in_flight(counted):
    name = "apiserver_current_inflight_requests"
    return value(counted, name, "readOnly"), value(counted, name, "mutating")


def test_requests_in_flight(counted):
    """Until they are answered, or nobody waits for them; reads and writes apart."""
    read, write, dropped = request_of("GET", CM), request_of("POST", CM), request_of("PUT", CM)
    began = [counted.begin(each) for each in (read, write, dropped)]
    assert in_flight(counted) == (1, 2)
    counted.answered(read, Response(200, b""), began[0])
    counted.answered(write, Response(201, b""), began[1])
    counted.dropped(dropped)
    assert in_flight(counted) == (0, 0)


def test_long_requests_are_counted_while_they_go_on(counted, clock):
    """And timed to their end, however they end."""
    request = request_of("GET", CM + "?watch=1")
    labels = ("WATCH", "", "v1", "configmaps", "", "namespace", "apiserver")

    def open_now():
        return value(counted, "apiserver_longrunning_requests", *labels)

    async def run(stream):
        assert open_now() == 1
        assert in_flight(counted) == (0, 0)
        clock.now += 42
        raise RuntimeError

    answer = StreamResponse(200, run)
    counted.answered(request, answer, counted.begin(request))
    assert open_now() == 0
    with pytest.raises(RuntimeError):
        asyncio.run(answer.run(FakeStream()))
    assert open_now() == 0
    assert totals(counted)[0][1] == 1
    assert "_sum" in text_of(counted)
    (family,) = [
        each for each in counted.families() if each.name == "apiserver_request_duration_seconds"
    ]
    assert [each.sum for _, each in family.samples] == [42]


def test_a_long_answer_is_no_long_request(counted):
    """A list that is passed on as it comes ends by itself."""
    request = request_of("GET", CM)

    async def run(stream):
        (family,) = [
            each for each in counted.families() if each.name == "apiserver_longrunning_requests"
        ]
        assert family.samples == []

    answer = StreamResponse(200, run)
    counted.answered(request, answer, counted.begin(request))
    asyncio.run(answer.run(FakeStream()))
    assert totals(counted)[0][1] == 1


def test_the_pipeline_counts_whatever_happens(counted):
    """Refusals and failures, too; and who goes away is not in flight for ever."""

    async def read(request):
        request.info = request_of("GET", CM).info

    async def fail(request):
        raise ValueError

    assert (
        answer_of(Pipeline((read,), fail, lambda: 0.0, counted), scope_of("GET", CM)).status == 500
    )
    assert totals(counted)[0][0]["code"] == "500"

    async def leave(request):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        answer_of(Pipeline((read,), leave, lambda: 0.0, counted), scope_of("GET", CM))
    assert in_flight(counted) == (0, 0)


def test_others_tell_theirs(counted):
    """For as long as they have something to tell; of one name the latest."""
    metrics = Metrics(counted, "1.2.3")
    before = {each.name for each in metrics.families()}
    assert "llmos_build_info" in before
    metrics.tell("x", lambda: [module.Family("old", "gauge", "")])
    metrics.tell("x", lambda: [module.Family("new", "gauge", "")])
    assert {each.name for each in metrics.families()} - before == {"new"}
    metrics.be_silent("x")
    metrics.be_silent("x")
    assert {each.name for each in metrics.families()} == before


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain; version=0.0.4"),
        ("text/html", "text/plain; version=0.0.4"),
        (
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text; version=1.0.0",
        ),
    ],
)
def test_formats(counted, accept, kind):
    """Prometheus' own, and OpenMetrics for who asks for it; with what the process itself tells."""
    asked(counted)
    body, found = asyncio.run(written(list(counted.families()), accept))
    assert found.startswith(kind)
    said = body.decode()
    for each in ("process_resident_memory_bytes ", "python_info{", "python_gc_collections_total{"):
        assert f"\n{each}" in said
    assert said.endswith("# EOF\n") is (accept.startswith("application/openmetrics"))


def test_histograms():
    """Sums and copies do not change what they are made from."""
    one, other = Histogram((1.0, 2.0)), Histogram((1.0, 2.0))
    for seconds in (1.0, 1.5, 7.0):
        one.observe(seconds)
    other.observe(0.5)
    both, same = one.plus(other), one.copy()
    one.observe(0.1)
    assert (both.counts, both.sum, both.count) == ([2, 1, 1], 10.0, 4)
    assert same.counts == [1, 1, 1]
