"""Patches over HTTP, by their media types, and server-side apply."""

import pytest

from server.site import NOTEBOOK, config_map, refusal

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


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
    assert refusal(answer) == (422, "Invalid", [field])


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
    assert refusal(refused)[0] == 403
    assert "cannot create" in refused.json["message"]
    site.make(path, config_map())
    allowed = site.ask("PATCH", target, config_map(), content_type=APPLY, token="alice")
    assert allowed.status == 200
