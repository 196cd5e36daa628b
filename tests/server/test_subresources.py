"""Parts of objects: status and scale; and paths that are none."""

import pytest

from registry.world import CRD, widget
from server.site import NOTEBOOK, config_map, refusal

MERGE = "application/merge-patch+json"


def test_status_is_a_path_of_its_own(site, notebooks):
    """GET, PUT and PATCH of it; the main path leaves it alone."""
    site.make(notebooks, NOTEBOOK)
    status = f"{notebooks}/n/status"
    patched = site.ask("PATCH", status, {"status": {"readyReplicas": 1}}, content_type=MERGE)
    assert patched.status == 200, patched.body
    assert site.get(status)["status"]["readyReplicas"] == 1
    new = {**site.get(status), "status": {}}
    assert site.ask("PUT", status, new).status == 200
    assert site.ask("DELETE", status).status == 405


@pytest.mark.parametrize(
    ("method", "end", "status"),
    [
        ("GET", "/a/status", 404),
        ("GET", "/a/none", 404),
        ("GET", "/a/status/x", 404),
        ("POST", "/a", 405),
        ("PUT", "", 405),
        ("PATCH", "", 405),
        ("FOO", "", 405),
    ],
)
def test_paths_and_methods_that_do_not_exist(site, path, method, end, status):
    """404 and 405, as a Status."""
    site.make(path, config_map())
    answer = site.ask(method, path + end, {} if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status == status
    assert answer.json["kind"] == "Status"


def scale_path(place):
    """The scale of a stored custom resource."""
    return place.replace("/api/v1", "/apis/example.com/v1") + "/widgets/w/scale"


@pytest.fixture
def scaled(site, place):
    """A custom resource with a scale."""
    if site.ask("GET", "/apis/example.com/v1").status != 200:
        site.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD)
        site.run(site.core.custom.settled())
    path = scale_path(place)
    obj = widget(replicas=2)
    del obj["metadata"]["namespace"]
    site.make(path.removesuffix("/w/scale"), obj)
    return path


def test_a_scale_is_read_and_put_back(site, scaled):
    """Its replicas are those of the object."""
    scale = site.get(scaled)
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["spec"] == {"replicas": 2}
    assert site.ask("PUT", scaled, {**scale, "spec": {"replicas": 5}}).json["spec"]["replicas"] == 5
    patched = site.ask("PATCH", scaled, {"spec": {"replicas": 7}}, content_type=MERGE)
    assert patched.json["spec"]["replicas"] == 7
    assert site.get(scaled.removesuffix("/scale"))["spec"]["replicas"] == 7
    assert site.ask("PUT", scaled, {**scale, "spec": {"replicas": 1}}).status == 409
    assert site.ask("DELETE", scaled).status == 405


def test_a_scale_below_nothing_is_refused(site, scaled):
    """With the field that is wrong."""
    answer = site.ask("PATCH", scaled, {"spec": {"replicas": -1}}, content_type=MERGE)
    assert refusal(answer) == (422, "Invalid", ["spec.replicas"])


def test_the_scale_of_nothing_is_not_found(site, scaled):
    """By name and by kind."""
    assert site.ask("GET", scaled.replace("/w/", "/none/")).status == 404


def test_a_review_is_answered_and_not_stored(site):
    """POST only, on the collection only."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {"spec": {"resourceAttributes": {"verb": "get", "resource": "nodes"}}}
    before = site.core.storage.revision
    answer = site.ask("POST", path, body, token="alice")
    assert (answer.status, answer.json["status"]["allowed"]) == (201, False)
    assert site.ask("POST", path, body).json["status"]["allowed"]
    assert site.ask("GET", path).status == 405
    assert site.ask("GET", f"{path}/x").status == 404
    assert site.core.storage.revision == before
