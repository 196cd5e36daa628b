"""ADM: dry runs, quotas and limits."""

import contextlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from attacks.support import Actor, World
from attacks.words import MG, NS, RB, unique
from support.objects import config_map, limit_range, namespace, resource_quota, user
from support.waiting import wait_until

pytestmark = pytest.mark.slow
MAPS = f"{NS}/team-a/configmaps"


@pytest.mark.parametrize(
    "query",
    ["dryRun=all", "dryRun=true", "dryRun=1", "dryRun=None", "dryRun=All,All", "dryRun=ALL"],
)
def test_adm_02_an_unknown_dry_run_is_not_a_real_one(
    root: Actor, alice: Actor, world: World, query: str
):
    """A value that is not ``All`` is refused and nothing is done."""
    with world.unchanged():
        refused = (400, 422)
        assert root.post(f"{NS}?{query}", namespace("adm-02")).status in refused
        assert alice.post(f"{MAPS}?{query}", config_map("adm-02")).status in refused
        assert alice.put(f"{MAPS}/a?{query}", config_map("a")).status in refused
        assert alice.patch(f"{MAPS}/a?{query}", {"data": {"x": "y"}}).status in refused
        assert alice.delete(f"{MAPS}/a?{query}").status in refused
        assert alice.delete(f"{MAPS}?{query}").status in refused
        body = {"kind": "DeleteOptions", "dryRun": [query.partition("=")[2]]}
        assert alice.delete(f"{MAPS}/a", body).status in refused
        assert alice.delete(MAPS, body).status in refused


@pytest.mark.parametrize("query", ["dryRun=", "dryRun=All&dryRun=All", "dryRun=All&dryRun="])
def test_adm_02_an_empty_or_repeated_dry_run_is_one_or_refused(
    root: Actor, alice: Actor, world: World, query: str
):
    """Whatever it is taken for, it is not passed over and the thing done."""
    with world.unchanged():
        expected = (200, 201, 400, 422)
        assert root.post(f"{NS}?{query}", namespace("adm-02")).status in expected
        assert alice.post(f"{MAPS}?{query}", config_map("adm-02")).status in expected
        assert alice.patch(f"{MAPS}/a?{query}", {"data": {"x": "y"}}).status in expected
        assert alice.delete(f"{MAPS}/a?{query}").status in expected
        assert alice.delete(f"{MAPS}?{query}").status in expected


@pytest.mark.parametrize(
    "body",
    [
        {"dryRun": ["All"]},
        {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]},
        {"dryRun": ["All", "All"]},
        {"dryRun": "All"},
        {"dryRun": [5]},
        {"dryRun": {"All": True}},
        {"dryRun": True},
    ],
    ids=json.dumps,
)
def test_adm_02_a_dry_run_in_the_body_counts(alice: Actor, world: World, body: dict):
    """DeleteOptions in the body of a deletion are honoured, or refused; never passed over."""
    with world.unchanged():
        for path in (f"{MAPS}/a", MAPS, f"{MAPS}/a?dryRun=All"):
            assert alice.delete(path, body).status in (200, 400, 422)


def test_adm_02_a_dry_run_leaves_nothing(root: Actor, world: World):
    """Neither an object, nor a password, nor a quota, nor a member is left by it."""
    with world.unchanged():
        dry = "dryRun=All"
        assert root.post(f"{NS}?{dry}", namespace("dry")).status == 201
        made = user("dry", "Not-kept-anywhere-1")
        assert root.post(f"{MG}/users?{dry}", made, within=3).status == 201
        change = {"spec": {"password": "Not-kept-anywhere-2"}}
        assert root.patch(f"{MG}/users/alice?{dry}", change, within=3).status == 200
        assert root.delete(f"{NS}/team-a?{dry}").status == 200
        assert root.delete(f"{MG}/users/alice?{dry}").status == 200
        role = {"metadata": {"name": "dry"}, "rules": []}
        assert root.post(f"{RB}/clusterroles?{dry}", role).status == 201


@pytest.fixture
def quota(world: World) -> "tuple[Actor, str]":
    """An owner of a namespace of his own, where ten ConfigMaps fit and seven are left."""
    name = unique("quota")
    world.add_namespace(name)
    eve = world.throwaway("eve")
    world.bind(f"{eve.name}-owner", "namespace-owner", eve.name, name)
    path = f"{NS}/{name}"
    maps = f"{path}/configmaps"
    wait_until(lambda: world.do("GET", maps)["items"], 5)
    while len(world.do("GET", maps)["items"]) < 3:
        world.do("POST", maps, config_map(unique("old")))
    made = resource_quota("limit")
    made["spec"]["hard"] = {"count/configmaps": "10", "configmaps": "10"}
    world.do("POST", f"{path}/resourcequotas", made)
    wait_until(lambda: eve.get(maps).status == 200, 3)
    return eve, path


@pytest.mark.parametrize("way", ["create", "generateName", "apply"])
def test_adm_03_a_quota_holds_however_many_write(
    quota: "tuple[Actor, str]", world: World, way: str
):
    """Of fifty at once just those succeed that fit, and the quota says so."""
    eve, path = quota
    maps = f"{path}/configmaps"

    def create(number: int) -> int:
        if way == "generateName":
            return eve.post(maps, {"metadata": {"generateName": "many-"}}, within=5).status
        if way == "apply":
            return eve.apply(f"{maps}/many-{number}", config_map(f"many-{number}")).status
        return eve.post(maps, config_map(f"many-{number}"), within=5).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(create, range(50)))
    assert statuses.count(201) == 7
    assert statuses.count(403) == 43
    assert len(world.do("GET", maps)["items"]) == 10
    limit = f"{path}/resourcequotas/limit"
    wait_until(lambda: world.do("GET", limit)["status"]["used"]["count/configmaps"] == "10", 3)
    answer = eve.post(maps, config_map("one-more"))
    assert answer.status == 403
    assert "exceeded quota: limit" in answer.text


def test_adm_04_an_owner_does_not_move_his_limits(quota: "tuple[Actor, str]", world: World):
    """He neither deletes nor raises nor replaces them, nor writes what they have counted."""
    eve, path = quota
    world.do("POST", f"{path}/limitranges", limit_range("bounds"))
    limit, bounds = f"{path}/resourcequotas/limit", f"{path}/limitranges/bounds"
    wait_until(lambda: "used" in world.do("GET", limit).get("status", {}), 3)
    more = {"spec": {"hard": {"count/configmaps": "999"}}}
    none = {"status": {"used": {"count/configmaps": "0"}}}
    with world.unchanged():
        assert eve.get(limit).status == 200
        for each in (limit, bounds):
            assert eve.delete(each).status == 403
            assert eve.delete(each.rpartition("/")[0]).status == 403
            assert eve.patch(each, {"metadata": {"labels": {"x": "y"}}}).status == 403
        assert eve.patch(limit, more).status == 403
        assert eve.patch(f"{limit}/status", none).status == 403
        whole = world.do("GET", limit)
        assert eve.put(limit, whole | more).status == 403
        assert eve.put(f"{limit}/status", whole | none).status == 403
        applied = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "limit"}}
        assert eve.apply(limit, applied | more).status == 403
        larger = resource_quota("larger")
        larger["spec"]["hard"] = {"count/configmaps": "999"}
        assert eve.post(f"{path}/resourcequotas", larger).status == 403
        assert eve.post(f"{path}/limitranges", limit_range("mine")).status == 403


def test_adm_04_a_second_quota_only_tightens(quota: "tuple[Actor, str]", world: World):
    """A larger quota beside a smaller one lets nothing more through."""
    eve, path = quota
    larger = resource_quota("a-larger")
    larger["spec"]["hard"] = {"count/configmaps": "999"}
    world.do("POST", f"{path}/resourcequotas", larger)
    maps = f"{path}/configmaps"
    statuses = [eve.post(maps, config_map(f"m-{number}")).status for number in range(10)]
    assert statuses == [201] * 7 + [403] * 3


def test_adm_04_a_forged_status_counts_for_nothing(quota: "tuple[Actor, str]", world: World):
    """What is used is counted, not read from what somebody wrote there."""
    eve, path = quota
    limit = f"{path}/resourcequotas/limit"
    forged = {"used": {"count/configmaps": "0"}, "hard": {"count/configmaps": "999"}}
    merge = {"Content-Type": "application/merge-patch+json"}
    world.do("PATCH", f"{limit}/status", {"status": forged}, headers=merge)
    maps = f"{path}/configmaps"
    statuses = [eve.post(maps, config_map(f"m-{number}")).status for number in range(10)]
    assert statuses == [201] * 7 + [403] * 3


def test_adm_06_nothing_grows_past_a_quota(quota: "tuple[Actor, str]", world: World):
    """Claims that grow by an update are counted; what was freed may be used again."""
    eve, path = quota
    storage = resource_quota("storage")
    storage["spec"]["hard"] = {"requests.storage": "10Gi", "persistentvolumeclaims": "2"}
    world.do("POST", f"{path}/resourcequotas", storage)
    claims = f"{path}/persistentvolumeclaims"

    def claim(name: str, size: str) -> dict:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        return {"metadata": {"name": name}, "spec": spec}

    # A cluster heeds a quota a moment after it is made, where the namespace has another already.
    tried = f"{claims}?dryRun=All"
    wait_until(lambda: eve.post(tried, claim("a", "11Gi")).status == 403, 10)
    assert eve.post(claims, claim("a", "4Gi")).status == 201
    assert eve.post(claims, claim("b", "7Gi")).status == 403
    assert eve.post(claims, claim("b", "4Gi")).status == 201
    grown = {"spec": {"resources": {"requests": {"storage": "9Gi"}}}}
    for answer in (
        eve.patch(f"{claims}/a", grown),
        eve.json_patch(
            f"{claims}/a",
            {"op": "replace", "path": "/spec/resources/requests/storage", "value": "9Gi"},
        ),
        eve.apply(
            f"{claims}/a",
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim("a", "9Gi")},
        ),
    ):
        assert answer.status in (403, 422), answer.text
    assert eve.post(claims, claim("c", "1Gi")).status == 403
    assert eve.delete(f"{claims}/b").status == 200
    wait_until(lambda: eve.get(f"{claims}/b").status == 404, 5)
    assert eve.post(claims, claim("c", "1Gi")).status == 201


def _notebook(name: str) -> dict:
    container = {"name": "n", "image": "x"}
    return {
        "apiVersion": "ml.llmos.ai/v1",
        "kind": "Notebook",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def _count(world: World, path: str, refused: Callable[[], int], *what: str) -> None:
    """A quota of one of each, once it is known what is used.

    A cluster hears of new kinds every 30 s, and of a quota that it could not count before then no
    sooner than 5 min later, or when it is made again; until then it lets nothing be made.
    """
    made = resource_quota("kinds")
    made["spec"]["hard"] = dict.fromkeys(what, "1")
    quotas = f"{path}/resourcequotas"

    def counts() -> bool:
        used = world.do("GET", f"{quotas}/kinds").get("status", {}).get("used", {})
        return set(what) <= set(used)

    deadline = time.monotonic() + 60
    while True:
        world.do("POST", quotas, made)
        with contextlib.suppress(AssertionError):
            wait_until(counts, 5)
            return
        assert time.monotonic() < deadline, "the quota is never counted"
        assert counts() or refused() == 403
        world.do("DELETE", f"{quotas}/kinds")


@pytest.mark.timeout(120)
def test_adm_06_another_way_to_a_kind_is_counted_too(quota: "tuple[Actor, str]", world: World):
    """Custom kinds and those that a PUT creates count like all others."""
    eve, path = quota
    name = path.rpartition("/")[2]
    notebooks = f"/apis/ml.llmos.ai/v1/namespaces/{name}/notebooks"
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{name}/leases"
    _count(
        world,
        path,
        lambda: eve.post(notebooks, _notebook("early"), within=15).status,
        "count/notebooks.ml.llmos.ai",
        "count/leases.coordination.k8s.io",
    )
    for each in range(3):
        made = _notebook(f"n{each}")
        assert eve.post(notebooks, made).status == (201 if each == 0 else 403)
        assert eve.apply(f"{notebooks}/n{each}", made).status == (200 if each == 0 else 403)
        lease = {"metadata": {"name": f"l{each}"}, "spec": {}}
        # Leases are created by PUT as well.
        assert eve.put(f"{leases}/l{each}", lease).status == (201 if each == 0 else 403)
