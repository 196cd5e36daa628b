"""Writes over HTTP: options, bodies, patches, and what is answered."""

import orjson
import pytest

from server.site import config_map, refusal

MERGE = "application/merge-patch+json"


def test_creates_replaces_and_deletes(site, path):
    """201, 200, 200: the object, the object, what became of it."""
    made = site.ask("POST", path, config_map())
    assert (made.status, made.json["kind"]) == (201, "ConfigMap")
    new = site.ask("PUT", f"{path}/a", config_map(x="y"))
    assert (new.status, new.json["data"]) == (200, {"x": "y"})
    gone = site.ask("DELETE", f"{path}/a")
    assert gone.status == 200
    assert gone.json["status"] == "Success"
    uid = made.json["metadata"]["uid"]
    assert gone.json["details"] == {"name": "a", "kind": "configmaps", "uid": uid}


def test_a_put_that_creates_says_so(site, place):
    """201 for kinds that have it."""
    leases = place.replace("/api/v1", "/apis/coordination.k8s.io/v1") + "/leases"
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}}
    assert site.ask("PUT", f"{leases}/l", {**lease, "spec": {}}).status == 201


def test_a_deletion_that_begins_answers_with_the_object(site, path):
    """It is still there."""
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/x"]
    site.make(path, held)
    answer = site.ask("DELETE", f"{path}/a")
    assert (answer.status, answer.json["kind"]) == (200, "ConfigMap")
    assert answer.json["metadata"]["deletionTimestamp"]


def test_answers_come_in_the_form_that_is_wanted(site, path):
    """As for reads."""
    table = site.ask(
        "POST", path, config_map(), accept="application/json;as=Table;v=v1;g=meta.k8s.io"
    )
    assert table.json["kind"] == "Table"
    assert site.ask("PUT", f"{path}/a", config_map(), accept="application/yaml").body.startswith(
        b"kind"
    )


def test_a_collection_is_deleted_by_what_a_list_would_show(site, path):
    """Selectors count; the list of what went comes back, at the revision of the last."""
    for name in "abc":
        labelled = config_map(name)
        labelled["metadata"]["labels"] = {"k": "x" if name == "b" else "y"}
        site.make(path, labelled)
    answer = site.ask("DELETE", f"{path}?labelSelector=k%3Dy")
    assert answer.status == 200
    assert answer.json["kind"] == "ConfigMapList"
    assert [each["metadata"]["name"] for each in answer.json["items"]] == ["a", "c"]
    assert answer.json["metadata"]["resourceVersion"] == str(site.core.storage.revision)
    left = [each["metadata"]["name"] for each in site.get(path)["items"]]
    assert "b" in left
    assert not {"a", "c"} & set(left)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("dryRun=x", ["dryRun"]),
        ("dryRun=", ["dryRun"]),
        ("fieldValidation=x", ["fieldValidation"]),
        ("fieldManager=" + "x" * 129, ["fieldManager"]),
        ("fieldManager=%00", ["fieldManager"]),
        ("dryRun=x&fieldValidation=y", ["dryRun", "fieldValidation"]),
    ],
)
def test_bad_options_are_refused(site, path, query, fields):
    """Each with its field; nothing is stored."""
    before = site.core.storage.revision
    answer = site.ask("POST", f"{path}?{query}", config_map())
    assert refusal(answer) == (422, "Invalid", fields)
    assert site.core.storage.revision == before


def test_the_manager_is_the_client_where_none_is_named(site, path):
    """The product of its User-Agent."""

    def manager(query="", **headers):
        answer = site.ask("POST", f"{path}?dryRun=All{query}", config_map(), **headers)
        return answer.json["metadata"]["managedFields"][0]["manager"]

    assert manager(user_agent="kubectl/v1.36 (linux)") == "kubectl"
    assert manager("&fieldManager=me", user_agent="kubectl/v1.36") == "me"
    assert manager() == "unknown"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_dry_run_stores_nothing(site, path, method):
    """It is answered as the run would be."""
    if method != "POST":
        site.make(path, config_map())
    before = site.core.storage.revision
    target = path if method == "POST" else f"{path}/a"
    body = None if method == "DELETE" else config_map(x="y")
    more = {"content_type": MERGE} if method == "PATCH" else {}
    answer = site.ask(method, f"{target}?dryRun=All", body, **more)
    assert answer.status == (201 if method == "POST" else 200)
    assert site.core.storage.revision == before


@pytest.mark.parametrize(
    ("query", "status", "warnings"),
    [
        ("", 201, 1),
        ("?fieldValidation=Warn", 201, 1),
        ("?fieldValidation=Ignore", 201, 0),
        ("?fieldValidation=Strict", 400, 0),
    ],
)
def test_unknown_fields_are_treated_as_asked(site, path, query, status, warnings):
    """Named in a warning, ignored, or refused."""
    answer = site.ask("POST", path + query, {**config_map(), "bogus": 1})
    assert answer.status == status
    assert answer.headers.get("warning", []) == ['299 - "unknown field \\"bogus\\""'] * warnings


def test_duplicate_fields_are_told(site, path):
    """The last one counts."""
    body = b'{"metadata":{"name":"a"},"data":{"k":"1","k":"2"}}'
    answer = site.ask("POST", path, body)
    assert answer.json["data"] == {"k": "2"}
    assert answer.headers["warning"] == ['299 - "duplicate field \\"data.k\\""']
    assert site.ask("POST", f"{path}?fieldValidation=Strict", body).status == 400


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 422),
        (b'{"kind":"Secret","apiVersion":"v1"}', "application/json", 400),
        (b'{"metadata":{"name":"a"}}', "text/plain", 415),
        (b'{"metadata":{"name":"a"}}', "image/png", 415),
        (b"metadata: {name: b}", "application/yaml", 201),
        (b"metadata: [", "application/yaml", 400),
        (b'{"metadata":{"name":"\xff"}}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[" * 100_000, "application/yaml", 400),
        (b"k8s\x00junk", "application/vnd.kubernetes.protobuf", 400),
    ],
)
def test_bodies_are_read_or_refused(site, path, body, content_type, status):
    """Whatever is sent, the answer is the client's fault or a success."""
    assert site.ask("POST", path, body, content_type=content_type).status == status


def test_a_body_over_the_limit_is_too_large(site, path):
    """413."""
    answer = site.ask("POST", path, b" " * (3 * 1024 * 1024 + 1), content_type="application/json")
    assert refusal(answer)[:2] == (413, "RequestEntityTooLarge")


# Deletion options


@pytest.mark.parametrize(
    ("query", "body", "wanted"),
    [
        ("", None, 200),
        ("", {}, 200),
        ("", {"kind": "DeleteOptions", "apiVersion": "v1"}, 200),
        ("", {"kind": "ConfigMap", "apiVersion": "v1"}, 400),
        ("", b"[]", 400),
        ("", b"x", 400),
        ("gracePeriodSeconds=5", None, 200),
        ("gracePeriodSeconds=x", None, 400),
        ("propagationPolicy=Background", None, 200),
        ("propagationPolicy=x", None, 422),
        ("propagationPolicy=Orphan&orphanDependents=true", None, 422),
        ("", {"propagationPolicy": "x"}, 422),
        ("", {"propagationPolicy": "Orphan", "orphanDependents": False}, 422),
        ("", {"dryRun": ["All"]}, 200),
        ("", {"dryRun": ["x"]}, 422),
        ("dryRun=x", None, 422),
        ("", {"preconditions": {"uid": "x"}}, 409),
    ],
)
def test_delete_options_come_in_a_body_or_the_query(site, path, query, body, wanted):
    """Contradictions and unknown values are refused, and then nothing is deleted."""
    site.make(path, config_map())
    answer = site.ask("DELETE", f"{path}/a?{query}", body)
    assert answer.status == wanted
    dry = body == {"dryRun": ["All"]}
    assert site.ask("GET", f"{path}/a").status == (404 if wanted == 200 and not dry else 200)


@pytest.mark.parametrize(
    "body",
    [
        {"preconditions": [7]},
        {"preconditions": "x"},
        {"preconditions": {"uid": 7}},
        {"dryRun": "All"},
        {"dryRun": [7]},
        {"dryRun": {"All": 1}},
        {"propagationPolicy": ["Orphan"]},
        {"propagationPolicy": 7},
        {"orphanDependents": "yes"},
        {"gracePeriodSeconds": "soon"},
        {"kind": ["DeleteOptions"]},
    ],
)
def test_delete_options_of_another_shape_are_refused(site, path, body):
    """A field of another type is the client's mistake, and nothing is deleted."""
    site.make(path, config_map())
    assert site.ask("DELETE", f"{path}/a", body).status in (400, 409, 422)
    assert site.ask("GET", f"{path}/a").status == 200


def test_answers_are_json_bytes_that_read_back(site, path):
    """What a write answers is what a read answers."""
    made = site.ask("POST", path, config_map(ä="ü") if False else config_map(a="ü\n"))
    assert orjson.loads(made.body) == site.get(f"{path}/a")
