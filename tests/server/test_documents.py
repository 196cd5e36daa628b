"""Paths that are no resources: discovery, health, version, OpenAPI."""

import re

import orjson
import pytest

from server.site import opened

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.fixture
def fresh():
    """A server of its own."""
    with opened() as made:
        yield made


def test_the_core_group(site):
    """``/api`` and ``/api/v1``."""
    versions = site.get("/api")
    assert (versions["kind"], versions["versions"]) == ("APIVersions", ["v1"])
    resources = site.get("/api/v1")
    assert (resources["kind"], resources["groupVersion"]) == ("APIResourceList", "v1")
    assert "apiVersion" not in resources
    rows = {each["name"]: each for each in resources["resources"]}
    assert list(rows) == sorted(rows, key=lambda each: each.split("/"))
    assert rows["configmaps"]["shortNames"] == ["cm"]
    assert rows["namespaces/finalize"]["verbs"] == ["update"]
    token = rows["serviceaccounts/token"]
    assert (token["group"], token["version"], token["kind"]) == (
        "authentication.k8s.io",
        "v1",
        "TokenRequest",
    )


def test_other_groups(site):
    """``/apis`` and what is below."""
    groups = {each["name"]: each for each in site.get("/apis")["groups"]}
    assert "" not in groups
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert site.get("/apis/apps")["kind"] == "APIGroup"
    resources = site.get("/apis/apps/v1")
    assert (resources["apiVersion"], resources["groupVersion"]) == ("v1", "apps/v1")
    assert "ml.llmos.ai" in groups
    assert site.get("/apis/apps/") == site.get("/apis/apps")


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/v2", 404, "Status"),
        ("/apis/apps/v2", 404, "Status"),
        ("/apis/none", 404, "404 page not found"),
        ("/apis/none/v1", 404, "404 page not found"),
        ("/apis/none/v1/things", 404, "404 page not found"),
        ("/none", 404, "404 page not found"),
        ("/api/v1/unicorns", 404, "Status"),
        ("/apis/ml.llmos.ai/v9/notebooks", 404, "404 page not found"),
        ("/apis/ml.llmos.ai/v1/unicorns", 404, "Status"),
        ("/livez/none", 404, "404 page not found"),
        ("/openapi/v3/none", 404, ""),
    ],
)
def test_unknown_paths(site, path, status, body):
    """Unknown groups answer as Go's file server does, unknown kinds with a Status."""
    answer = site.ask("GET", path)
    assert answer.status == status
    assert body in answer.body.decode()


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_both_forms_of_discovery_say_the_same(site, path):
    """The aggregated document names the same resources, verbs and scopes as the lists."""
    answer = site.ask("GET", path, accept=f"{AGGREGATED},application/json")
    assert answer.headers["content-type"] == [AGGREGATED]
    for group in answer.json["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            base = f"/apis/{name}" if name else "/api"
            rows = site.get(f"{base}/{version['version']}")["resources"]
            wanted = {each["name"]: (each["namespaced"], each["verbs"]) for each in rows}
            found = {}
            for each in version["resources"]:
                namespaced = each["scope"] == "Namespaced"
                found[each["resource"]] = (namespaced, each["verbs"])
                for part in each.get("subresources", []):
                    full = f"{each['resource']}/{part['subresource']}"
                    found[full] = (namespaced, part["verbs"])
            assert found == wanted


def test_discovery_is_kept_by_its_etag(fresh):
    """Unchanged it is a 304; a new kind changes it."""
    first = fresh.ask("GET", "/apis", accept=AGGREGATED)
    (etag,) = first.headers["etag"]
    assert re.fullmatch(r'"[0-9A-F]{128}"', etag)
    assert first.headers["vary"] == ["Accept"]
    again = fresh.ask("GET", "/apis", accept=AGGREGATED, if_none_match=etag)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == [etag]
    fresh.core.catalog.set_custom("notebooks.ml.llmos.ai", ())
    changed = fresh.ask("GET", "/apis", accept=AGGREGATED, if_none_match=etag)
    assert changed.status == 200
    assert changed.headers["etag"] != [etag]


def test_discovery_in_yaml_and_in_nothing_we_have(site):
    """Legacy documents are objects like others."""
    assert site.ask("GET", "/api/v1", accept="application/yaml").body.startswith(b"kind:")
    assert site.ask("GET", "/api/v1", accept="image/png").status == 406
    assert site.ask("GET", "/apis", accept="image/png").status == 406


@pytest.mark.parametrize(
    ("path", "token"),
    [(path, token) for path in ("/healthz", "/livez", "/readyz") for token in ("", "root")]
    + [("/readyz/ping", "root"), ("/livez/ping", "root")],
)
def test_health_is_open_to_everybody(site, path, token):
    """Probes bring no credentials."""
    answer = site.ask("GET", path, token=token)
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize("state", ["starting", "stopping"])
def test_readiness_follows_the_life_of_the_server(fresh, state):
    """Alive is not ready."""
    setattr(fresh.lifecycle, state, True)
    for path in ("/readyz", "/healthz"):
        answer = fresh.ask("GET", path)
        assert answer.status == 503
        assert state.encode() in answer.body
    assert fresh.ask("GET", "/livez").status == 200


def test_readiness_follows_the_storage(fresh, monkeypatch):
    """A disk that is full is said; reads go on."""
    monkeypatch.setattr(type(fresh.core.storage), "reason", property(lambda _: "the disk is full"))
    assert fresh.ask("GET", "/readyz").body == b"the disk is full"
    assert fresh.ask("GET", "/readyz").status == 503
    assert fresh.get("/api/v1/namespaces")["items"]


def test_the_version_is_one_of_kubernetes(site):
    """A semantic version that clients can parse, ours in its build part."""
    version = site.get("/version", token="")
    assert re.fullmatch(r"v1\.\d+\.\d+\+llmos-[\w.-]+", version["gitVersion"])
    assert version["gitVersion"].startswith(f"v{version['major']}.{version['minor']}.")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_documents_are_only_read(site, method):
    """405 for every other method."""
    assert site.ask(method, "/version", {} if method != "HEAD" else None).status == 405


def test_the_root_lists_paths_that_answer(site):
    """Each of them."""
    for path in site.get("/")["paths"]:
        assert site.ask("GET", path).status == 200, path


def test_openapi_is_kept_by_its_hash(site):
    """The index names each document with its hash; such an address may be kept for a year."""
    index = site.ask("GET", "/openapi/v3")
    assert index.headers["content-type"] == ["text/plain; charset=utf-8"]
    (etag,) = index.headers["etag"]
    assert site.ask("GET", "/openapi/v3", if_none_match=etag).status == 304
    address = index.json["paths"]["apis/apps/v1"]["serverRelativeURL"]
    document = site.ask("GET", address)
    assert document.headers["cache-control"] == ["public, immutable"]
    assert document.headers["expires"] == ["Fri, 01 Jan 2027 00:00:00 GMT"]
    assert document.headers["content-type"] == ["application/json"]
    (own,) = document.headers["etag"]
    assert site.ask("GET", address, if_none_match=own).status == 304
    bare = address.partition("?")[0]
    plain = site.ask("GET", bare)
    assert plain.headers["cache-control"] == ["no-cache, private"]
    moved = site.ask("GET", f"{bare}?hash=old")
    assert (moved.status, moved.headers["location"]) == (301, [address])


def test_openapi_v2_comes_in_both_forms(site):
    """JSON, and protobuf for older kubectl."""
    answer = site.ask("GET", "/openapi/v2")
    assert orjson.loads(answer.body)["swagger"] == "2.0"
    assert site.ask("GET", "/openapi/v2", if_none_match=answer.headers["etag"][0]).status == 304
    protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    other = site.ask("GET", "/openapi/v2", accept=protobuf)
    assert "protobuf" in other.headers["content-type"][0]
    assert other.headers["etag"] != answer.headers["etag"]
