"""Which handler answers: paths that fit a kind and paths that do not, reviews, warnings."""

import pytest

from llmos.apis.authentication_v1 import UserInfo
from registry.world import CRD
from server.site import config_map

ACCESS = {"resourceAttributes": {"verb": "get", "resource": "nodes"}}
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"
NOTEBOOKS = "/apis/ml.llmos.ai/v1"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/configmaps", 200),
        ("POST", "/api/v1/configmaps", 405),
        ("DELETE", "/api/v1/configmaps", 405),
        ("GET", "/api/v1/configmaps/x", 404),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
        ("GET", "/api/v1/namespaces/default/configmaps", 200),
        ("DELETE", "/api/v1/namespaces", 405),
        ("PUT", "/api/v1/namespaces", 405),
        ("POST", "/api/v1/namespaces/default", 405),
        ("GET", f"{NOTEBOOKS}/notebooks", 200),
        ("GET", f"{NOTEBOOKS}/namespaces/default/notebooks", 200),
        ("GET", f"{NOTEBOOKS}/notebooks/x", 404),
        ("GET", "/apis/management.llmos.ai/v1/namespaces/default/users", 404),
        ("GET", "/api/v1/namespaces/default/serviceaccounts/default/token", 405),
        ("GET", "/api/v1/watch/namespaces?timeoutSeconds=x", 400),
    ],
)
def test_paths_fit_their_kinds(site, method, path, status):
    """A namespaced kind needs its namespace, a cluster-wide one has none."""
    body = config_map() if method in ("POST", "PUT") else None
    assert site.ask(method, path, body).status == status


def test_custom_resources_name_their_kind(site, place):
    """A body of a custom kind says what it is; one of a built-in kind need not."""
    path = place.replace("/api/v1", NOTEBOOKS) + "/notebooks"
    answer = site.ask("POST", path, {"metadata": {"name": "n"}})
    assert answer.status == 400
    assert "Object 'Kind' is missing" in answer.json["message"]
    assert site.ask("POST", f"{place}/configmaps", {"metadata": {"name": "n"}}).status == 201


@pytest.mark.parametrize(
    ("path", "spec", "status"),
    [
        (f"{AUTHORIZATION}/selfsubjectaccessreviews", ACCESS, {"allowed": True}),
        (f"{AUTHORIZATION}/subjectaccessreviews", {**ACCESS, "user": "x"}, {"allowed": False}),
        (
            f"{AUTHORIZATION}/namespaces/default/localsubjectaccessreviews",
            {"resourceAttributes": {"namespace": "default", "verb": "get"}, "user": "x"},
            {"allowed": False},
        ),
        (
            f"{AUTHORIZATION}/selfsubjectrulesreviews",
            {"namespace": "default"},
            {"incomplete": False},
        ),
        (f"{AUTHENTICATION}/tokenreviews", {"token": "alice"}, {"authenticated": True}),
    ],
)
def test_reviews_are_answered(site, path, spec, status):
    """Each from the indexes of this moment."""
    answer = site.ask("POST", path, {"spec": spec})
    assert answer.status == 201, answer.body
    found = answer.json["status"]
    assert {key: found.get(key) for key in status} == status


def test_who_asks_is_told_who_he_is(site):
    """SelfSubjectReview."""
    answer = site.ask("POST", f"{AUTHENTICATION}/selfsubjectreviews", {}, token="alice")
    info = answer.json["status"]["userInfo"]
    assert (info["username"], info["uid"]) == ("alice", "alice-uid")
    assert "devs" in info["groups"]


def test_a_deprecated_version_warns_whoever_uses_it(site):
    """With the text of its definition, on reads too."""
    crd = {**CRD, "metadata": {"name": "relics.example.org"}}
    version = {**CRD["spec"]["versions"][0], "deprecated": True, "deprecationWarning": "use v2"}
    names = {"plural": "relics", "singular": "relic", "kind": "Relic", "listKind": "RelicList"}
    crd["spec"] = {**CRD["spec"], "group": "example.org", "names": names, "versions": [version]}
    site.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
    site.run(site.core.custom.settled())
    answer = site.ask("GET", "/apis/example.org/v1/relics")
    assert (answer.status, answer.headers["warning"]) == (200, ['299 - "use v2"'])


def test_nobody_manages_whom_he_does_not_cover(site):
    """The account of an admin is an admin's; that of a user without rights anybody's who may."""
    group = "management.llmos.ai"
    for name in ("boss", "clerk"):
        user = {"apiVersion": f"{group}/v1", "kind": "User", "metadata": {"name": name}, "spec": {}}
        site.make(f"/apis/{group}/v1/users", user)
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleTemplateBinding",
        "metadata": {"name": "boss"},
        "roleTemplateRef": {"apiGroup": group, "kind": "GlobalRole", "name": "admin"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "boss"}],
    }
    site.make(f"/apis/{group}/v1/roletemplatebindings", binding)
    manager = UserInfo("manager", groups=("llmos:users", "system:authenticated"))
    assert site.core.judges.may_manage(manager, "clerk")
    assert site.core.judges.may_manage(manager, "unknown")
    assert not site.core.judges.may_manage(manager, "boss")
    assert site.core.judges.may_manage(UserInfo("root", groups=("system:masters",)), "boss")
