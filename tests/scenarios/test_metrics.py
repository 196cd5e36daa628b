"""What is told at /metrics, on either engine: by Kubernetes' names, and to whom RBAC says so."""

import re

from support.objects import config_map, secret, subject
from support.resources import at
from support.session import Session
from support.waiting import wait_until
from support.world import OWNER, World

METRICS = "/metrics"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
EVERYWHERE = {
    "apiserver_request_total",
    "apiserver_request_duration_seconds_bucket",
    "apiserver_current_inflight_requests",
    "workqueue_depth",
    "workqueue_adds_total",
    "workqueue_retries_total",
    "workqueue_queue_duration_seconds_bucket",
    "workqueue_work_duration_seconds_bucket",
    "workqueue_unfinished_work_seconds",
    "workqueue_longest_running_processor_seconds",
    "llmos_build_info",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "python_gc_collections_total",
    "python_info",
}
EMBEDDED = {
    "apiserver_resource_objects",
    "llmos_storage_rows",
    "llmos_storage_revision",
    "llmos_storage_compacted_revision",
    "llmos_storage_writable",
    "llmos_storage_file_bytes",
    "llmos_storage_commit_duration_seconds_bucket",
    "llmos_storage_write_failures_total",
    "llmos_storage_compactions_total",
}
CLUSTER = {
    "rest_client_requests_total",
    "rest_client_request_duration_seconds_bucket",
    "llmos_upstream_breaker_open",
    "llmos_informer_silence_seconds",
    "llmos_informer_synced",
    "leader_election_master_status",
}

Samples = list[tuple[str, dict[str, str], float]]


def told(session: Session) -> Samples:
    """Every sample."""
    answer = session.get(METRICS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return [
        (name, dict(LABEL.findall(labels)), float(value))
        for name, labels, value in SAMPLE.findall(answer.text)
    ]


def value(samples: Samples, wanted: str, **labels: str) -> float:
    """The sum of the samples with these labels."""
    return sum(
        found for name, has, found in samples if name == wanted and has.items() >= labels.items()
    )


def names(samples: Samples) -> set[str]:
    """Of what is told."""
    return {name for name, _, _ in samples}


def test_names(world: World) -> None:
    """Those of Kubernetes, and what there is only here."""
    where = world.namespace("told")
    world.admin.create(at("configmaps", where), config_map("a"))
    wait_until(lambda: names(told(world.admin)) >= EVERYWHERE, 30)
    found = names(told(world.admin))
    embedded = "llmos_storage_rows" in found
    assert (EMBEDDED if embedded else CLUSTER) <= found
    assert not (CLUSTER if embedded else EMBEDDED) & found


def test_requests_are_counted(world: World) -> None:
    """By verb, resource and code; a watch while it is open."""
    where = world.namespace("counted")
    path = at("secrets", where)
    before = told(world.admin)
    for number in range(3):
        assert world.admin.create(path, secret(f"a-{number}")).status_code == 201
    assert world.admin.create(path, secret("a-0")).status_code == 409
    usual = {"resource": "secrets", "version": "v1", "group": ""}
    with world.admin.watch(path) as watch:
        assert watch.status == 200
        during = told(world.admin)
    watches = {"verb": "WATCH", "scope": "namespace", **usual}
    for code, count in (("201", 3), ("409", 1)):
        labels = {"verb": "POST", "code": code, "scope": "resource", **usual}
        grown = value(during, "apiserver_request_total", **labels) - value(
            before, "apiserver_request_total", **labels
        )
        assert grown == count
    assert value(during, "apiserver_longrunning_requests", **watches) >= 1
    open_then = value(during, "apiserver_longrunning_requests", **watches)
    wait_until(
        lambda: value(told(world.admin), "apiserver_longrunning_requests", **watches) < open_then, 5
    )


def test_no_name_is_a_label(world: World) -> None:
    """No user's, object's or namespace's, nor what is not served; a flood adds next to nothing."""
    where, alice = world.namespace("secretive"), world.user("alice")
    world.member(OWNER, where, alice)
    alice.get(at("configmaps", where))
    size = len(told(world.admin))
    for number in range(100):
        alice.get(at("configmaps", where, f"hidden-{number}"))
        alice.get(f"/apis/made-up-{number}.example.org/v1/things")
        alice.get(f"/api/v1/namespaces/{where}/pods/p/subresource-{number}")
        alice.get(f"/made/up/{number}")
        alice.get(at("configmaps", f"{where}-{number}"))
    samples = told(world.admin)
    assert len(samples) - size < 500
    labels = {each for _, has, _ in samples for each in has.values()}
    assert not [
        each
        for each in labels
        if any(word in each for word in ("hidden", "made", where, alice.name, "subresource-"))
    ]


def test_who_may_read_them(world: World) -> None:
    """Administrators; nobody else, unless a ClusterRole says so."""
    alice = world.user("alice")
    nobody, liar = world.session("nobody", ""), world.session("liar", "no-such-token")
    assert world.admin.get(METRICS).status_code == 200
    for who, code in ((alice, 403), (nobody, 403), (liar, 401)):
        answer = who.get(METRICS)
        assert (answer.status_code, answer.json()["kind"]) == (code, "Status")
        assert "apiserver" not in answer.text
    said = alice.get(METRICS).json()["message"]
    assert said == f'forbidden: User "{alice.name}" cannot get path "/metrics"'

    role = world.named("reads-metrics")
    rules = [{"nonResourceURLs": [METRICS], "verbs": ["get"]}]
    world.make(ROLES, {"metadata": {"name": role}, "rules": rules})
    world.make(BINDINGS, binding(role, subject(alice.name)))
    wait_until(lambda: alice.get(METRICS).status_code == 200, 5)
    assert alice.get("/metrics/").status_code in (403, 404)
    world.remove(f"{BINDINGS}/{role}")
    wait_until(lambda: alice.get(METRICS).status_code == 403, 5)


def binding(role: str, *subjects: dict[str, str]) -> dict[str, object]:
    """A ClusterRoleBinding of the role's name."""
    group = "rbac.authorization.k8s.io"
    return {
        "metadata": {"name": role},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, **each} for each in subjects],
    }


def test_how_they_are_read(world: World) -> None:
    """GET and nothing else; OpenMetrics for who asks for it."""
    answer = world.admin.http.get(METRICS, headers={"Accept": "application/openmetrics-text"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    for method in ("POST", "PUT", "DELETE"):
        assert world.admin.http.request(method, METRICS).status_code in (403, 405)
