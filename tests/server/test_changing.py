"""Writes over HTTP: options, bodies, patches, and what is answered."""

import orjson
import pytest

from registry.world import CRD, widget
from server.site import config_map

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
NOTEBOOK = {
    "apiVersion": "ml.llmos.ai/v1",
    "kind": "Notebook",
    "metadata": {"name": "n"},
    "spec": {"template": {"spec": {"containers": [{"name": "notebook", "image": "x"}]}}},
}


@pytest.fixture
def path(place):
    """A collection of config maps."""
    return f"{place}/configmaps"


@pytest.fixture
def notebooks(place):
    """A collection of custom resources."""
    return place.replace("/api/v1", "/apis/ml.llmos.ai/v1") + "/notebooks"


def error(answer):
    """Code, reason and fields of a refusal."""
    document = answer.json
    causes = (document.get("details") or {}).get("causes") or []
    assert document["code"] == answer.status
    return answer.status, document["reason"], [each["field"] for each in causes]


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
    assert error(answer) == (422, "Invalid", fields)
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
    assert error(answer)[:2] == (413, "RequestEntityTooLarge")


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


# Patches


@pytest.mark.parametrize(
    ("kind", "patch", "data"),
    [
        (JSON_PATCH, [{"op": "add", "path": "/data/x", "value": "y"}], {"k": "v", "x": "y"}),
        (MERGE, {"data": {"k": None, "x": "y"}}, {"x": "y"}),
        (STRATEGIC, {"data": {"x": "y"}}, {"k": "v", "x": "y"}),
        (f"{MERGE}; charset=utf-8", {"data": {"x": "y"}}, {"k": "v", "x": "y"}),
        (MERGE.upper(), {"data": {"x": "y"}}, {"k": "v", "x": "y"}),
    ],
)
def test_patches_change_an_object(site, path, kind, patch, data):
    """By their media type."""
    site.make(path, config_map())
    answer = site.ask("PATCH", f"{path}/a", patch, content_type=kind)
    assert (answer.status, answer.json["data"]) == (200, data)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", {}, 415),
        ("", {}, 415),
        ("text/plain", {}, 415),
        (MERGE, b"{", 400),
        (MERGE, b"", 400),
        (MERGE, [], 400),
        (MERGE, {"data": []}, 422),
        (MERGE, {"data": {"k": 7}}, 422),
        (MERGE, {"metadata": {"name": "b"}}, 400),
        (MERGE, {"metadata": None}, 400),
        (JSON_PATCH, {}, 400),
        (JSON_PATCH, [{"op": "test", "path": "/data/k", "value": "other"}], 422),
        (JSON_PATCH, [{"op": "remove", "path": "/none"}], 422),
        (JSON_PATCH, [{"op": "replace", "path": "", "value": []}], 422),
        (JSON_PATCH, [{"op": "add", "path": "/metadata/name", "value": "b"}], 400),
        (STRATEGIC, {"data": {"$patch": "x"}}, 400),
        (STRATEGIC, b"7", 400),
    ],
)
def test_bad_patches_are_refused(site, path, kind, body, status):
    """With the code that tells whose fault it is, and without a change."""
    made = site.make(path, config_map())
    answer = site.ask("PATCH", f"{path}/a", body, content_type=kind)
    assert answer.status == status, answer.body
    assert site.get(f"{path}/a") == made


def test_custom_resources_take_no_strategic_patch(site, notebooks):
    """Nobody knows their merge keys; the answer says what they take."""
    site.make(notebooks, NOTEBOOK)
    answer = site.ask("PATCH", f"{notebooks}/n", {}, content_type=STRATEGIC)
    assert answer.status == 415
    assert MERGE in answer.json["message"]


def test_a_refused_patch_of_a_secret_shows_nothing_of_it(site, place):
    """Neither what was there nor what was sent."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    site.make(f"{place}/secrets", {**secret, "stringData": {"k": "aHVzaA-old"}})
    patch = {"data": {"n": {"deep": "aHVzaA-new"}}}
    answer = site.ask("PATCH", f"{place}/secrets/s", patch, content_type=MERGE)
    assert answer.status == 422
    assert b"aHVzaA" not in answer.body
    assert b"YUhWemFB" not in answer.body


def test_unknown_fields_of_a_patch_are_treated_as_asked(site, path):
    """As those of an object."""
    site.make(path, config_map())
    warned = site.ask("PATCH", f"{path}/a", {"bogus": 1}, content_type=MERGE)
    assert warned.headers["warning"] == ['299 - "unknown field \\"bogus\\""']
    strict = f"{path}/a?fieldValidation=Strict"
    assert site.ask("PATCH", strict, {"bogus": 1}, content_type=MERGE).status == 422


@pytest.mark.parametrize(
    ("query", "kind", "field"),
    [("", APPLY, "fieldManager"), ("?force=true", MERGE, "force")],
)
def test_apply_needs_a_manager_and_only_apply_forces(site, path, query, kind, field):
    """Options that do not belong are refused."""
    answer = site.ask("PATCH", f"{path}/a{query}", config_map(), content_type=kind)
    assert error(answer) == (422, "Invalid", [field])


def test_apply_creates_and_then_changes(site, path):
    """201 and 200; a conflict is 409 until it is forced."""
    target = f"{path}/a?fieldManager=one"
    assert site.ask("PATCH", target, config_map(), content_type=APPLY).status == 201
    yaml = b"apiVersion: v1\nkind: ConfigMap\ndata: {x: 'y'}\n"
    assert site.ask("PATCH", target, yaml, content_type=APPLY).json["data"] == {"x": "y"}
    other = f"{path}/a?fieldManager=two"
    assert site.ask("PATCH", other, config_map(x="z"), content_type=APPLY).status == 409
    forced = site.ask("PATCH", f"{other}&force=true", config_map(x="z"), content_type=APPLY)
    assert forced.json["data"] == {"x": "z"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"a: [",
        b"a: b\n---\nc: d",
        b"kind: ConfigMap",
        b"apiVersion: v1\nkind: Secret",
        b"apiVersion: v2\nkind: ConfigMap",
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: []",
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}",
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: other}",
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {managedFields: [{manager: x}]}",
        b"apiVersion: [v1]\nkind: {a: b}",
        b"a: &a [*a]",
    ],
)
def test_what_cannot_be_applied_is_refused(site, path, body):
    """A 400, and nothing is created."""
    answer = site.ask("PATCH", f"{path}/a?fieldManager=m", body, content_type=APPLY)
    assert answer.status == 400, answer.body
    assert site.ask("GET", f"{path}/a").status == 404


def test_who_may_patch_and_not_create_does_not_create_by_apply(site, place, path):
    """The right to create is asked where nothing is there."""
    group = "rbac.authorization.k8s.io"
    roles = place.replace("/api/v1", f"/apis/{group}/v1")
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}]
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "p"}, "rules": rules}
    site.make(f"{roles}/roles", role)
    subject = {"kind": "User", "name": "alice", "apiGroup": group}
    binding = {**role, "kind": "RoleBinding", "subjects": [subject]}
    binding["roleRef"] = {"apiGroup": group, "kind": "Role", "name": "p"}
    del binding["rules"]
    site.make(f"{roles}/rolebindings", binding)
    target = f"{path}/a?fieldManager=m"
    refused = site.ask("PATCH", target, config_map(), content_type=APPLY, token="alice")
    assert error(refused)[0] == 403
    assert "cannot create" in refused.json["message"]
    site.make(path, config_map())
    allowed = site.ask("PATCH", target, config_map(), content_type=APPLY, token="alice")
    assert allowed.status == 200


# Subresources


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
    assert error(answer) == (422, "Invalid", ["spec.replicas"])


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


def test_answers_are_json_bytes_that_read_back(site, path):
    """What a write answers is what a read answers."""
    made = site.ask("POST", path, config_map(ä="ü") if False else config_map(a="ü\n"))
    assert orjson.loads(made.body) == site.get(f"{path}/a")
