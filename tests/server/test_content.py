"""The platform's own content at every start, credentials at the start, and indexes that follow."""

import asyncio
import stat

import pytest

from llmos.apimachinery.object import copy_object, name_of
from llmos.apimachinery.resource import GroupResource, parse_api_version
from llmos.client import kubeconfig
from llmos.manifests import load
from llmos.registry.writing import errors_of
from llmos.server.content import Content
from llmos.server.credentials import ADMIN, CONTROLLERS, ControllerToken, write_admin_kubeconfig
from llmos.server.feeds import feed
from llmos.storage.interface import Write
from server.site import config_map, opened

RBAC = "/apis/rbac.authorization.k8s.io/v1"
MANAGEMENT = "/apis/management.llmos.ai/v1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = "application/merge-patch+json"


@pytest.fixture
def site():
    """A server of its own, which may be spoilt."""
    with opened() as made:
        yield made


def restart(site):
    """What a start does with the content."""

    async def start():
        content = Content(site.core.platform, site.core.catalog)
        await content.before_kinds()
        await site.core.custom.settled()
        await content.with_kinds()
        await content.policies()

    site.run(start())


def without_bookkeeping(obj):
    """An object without what a write changes."""
    new = copy_object(obj)
    for field in ("resourceVersion", "managedFields", "generation"):
        new["metadata"].pop(field, None)
    return new


def test_a_start_brings_everything(site):
    """Namespaces, roles, definitions and objects of them."""
    names = {each["metadata"]["name"] for each in site.get("/api/v1/namespaces")["items"]}
    assert {"kube-system", "llmos-system", "llmos-public", "default"} <= names
    assert site.get(f"{RBAC}/clusterroles/cluster-admin")["rules"]
    assert site.get(f"{MANAGEMENT}/globalroles/admin")["spec"]["builtin"]


@pytest.mark.parametrize("folder", ["namespaces", "kubernetes", "crds", "roles", "policies"])
def test_what_is_shipped_is_valid(site, folder):
    """A start does not ask again: it is put in place as it is."""
    for shipped in load(folder):
        group, version = parse_api_version(shipped["apiVersion"])
        served = site.core.catalog.of_kind(group, version, shipped["kind"])
        obj, unknown = served.decode(shipped)
        served.strategy.default(obj)
        served.strategy.prepare_create(obj)
        assert not unknown
        assert [str(each) for each in errors_of(served, obj)] == [], name_of(obj)


def test_a_second_start_writes_nothing(site):
    """Where nothing is amiss, nothing is touched."""
    before = site.core.storage.revision
    restart(site)
    assert site.core.storage.revision == before


@pytest.mark.parametrize(
    "path",
    [
        f"{RBAC}/clusterroles/cluster-admin",
        f"{RBAC}/clusterrolebindings/cluster-admin",
        f"{MANAGEMENT}/globalroles/admin",
        f"{MANAGEMENT}/roletemplates/namespace-owner",
        "/api/v1/namespaces/llmos-public",
    ],
)
def test_what_is_missing_comes_back(site, path):
    """As it was shipped, under a new uid."""
    shipped = site.get(path)
    resource = path.split("/")[-2]
    group = path.split("/")[2] if path.startswith("/apis/") else ""
    key = site.core.catalog.of(GroupResource(group, resource)).key("", path.split("/")[-1])
    forget(site, key)
    assert site.ask("GET", path).status == 404
    restart(site)
    again = site.get(path)
    assert again["metadata"]["uid"] != shipped["metadata"]["uid"]
    for field in ("spec", "rules", "roleRef", "subjects"):
        assert again.get(field) == shipped.get(field)


def forget(site, key):
    """Take an object away past admission, as a damaged database would."""
    record = site.core.storage.latest(key)

    async def remove():
        await site.core.storage.submit(
            [Write(key, record.revision, lambda revision: record.value, delete=True)]
        )

    site.run(remove())


def test_what_was_changed_is_restored(site):
    """Rules that were taken from a role of Kubernetes."""
    shipped = site.get(f"{RBAC}/clusterroles/system:node-proxier")
    role = f"{RBAC}/clusterroles/system:node-proxier"
    site.ask("PATCH", role, {"rules": []}, content_type=MERGE)
    restart(site)
    assert site.get(role)["rules"] == shipped["rules"]


def test_what_an_operator_added_stays(site):
    """Rules and labels of his own; and his wish that a role be left alone."""
    role = f"{RBAC}/clusterroles/system:node-proxier"
    extra = {"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["get"]}
    patch = {"rules": [*site.get(role)["rules"], extra], "metadata": {"labels": {"own": "yes"}}}
    site.ask("PATCH", role, patch, content_type=MERGE)
    restart(site)
    kept = site.get(role)
    assert extra in kept["rules"]
    assert kept["metadata"]["labels"]["own"] == "yes"
    off = {"metadata": {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}}
    site.ask("PATCH", role, {**off, "rules": [extra]}, content_type=MERGE)
    restart(site)
    assert site.get(role)["rules"] == [extra]


def test_definitions_are_put_back(site):
    """The spec as shipped; what is stored of their kinds stays."""
    path = f"{CRDS}/notebooks.ml.llmos.ai"
    shipped = site.get(path)
    bent = copy_object(shipped)
    bent["spec"]["names"]["shortNames"] = ["bent"]
    assert site.ask("PUT", path, bent).status == 200
    restart(site)
    again = site.get(path)
    assert again["spec"] == shipped["spec"]
    assert again["metadata"]["uid"] == shipped["metadata"]["uid"]


def test_namespaces_are_left_as_people_adorn_them(site):
    """Labels on a namespace are theirs."""
    path = "/api/v1/namespaces/llmos-public"
    site.ask("PATCH", path, {"metadata": {"labels": {"own": "yes"}}}, content_type=MERGE)
    restart(site)
    assert site.get(path)["metadata"]["labels"]["own"] == "yes"


# Credentials


def user(site, name=ADMIN, active=True):
    """The administrator's account."""
    made = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "metadata": {"name": name},
        "spec": {"isActive": active},
    }
    site.make(f"{MANAGEMENT}/users", made)


def written(site, path):
    """Whether a start has written the kubeconfig."""
    address = ("https://127.0.0.1:1", "CA")
    return site.run(write_admin_kubeconfig(site.core, path, address, site.clock))


def test_the_admin_gets_a_kubeconfig(site, tmp_path):
    """For himself alone, with a token that is good."""
    path = tmp_path / "admin.kubeconfig"
    user(site)
    assert written(site, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    login = kubeconfig.get_login(kubeconfig.read(path))
    assert (login.server, login.user) == ("https://127.0.0.1:1", ADMIN)
    assert site.core.tokens.authenticate(login.token).user.name == ADMIN


def test_a_token_is_kept_while_it_is_good(site, tmp_path):
    """A restart makes a new one only where the old ends soon."""
    path = tmp_path / "admin.kubeconfig"
    user(site)

    def token():
        written(site, path)
        return kubeconfig.get_login(kubeconfig.read(path)).token

    first = token()
    assert token() == first
    site.clock.now += 61 * 24 * 3600
    second = token()
    assert second != first
    path.write_text("broken: [")
    assert token() not in (first, second)


@pytest.mark.parametrize("exists", [True, False])
def test_no_admin_no_kubeconfig(site, tmp_path, exists):
    """A file for somebody who is gone or switched off is taken away."""
    path = tmp_path / "admin.kubeconfig"
    path.write_text("old")
    if exists:
        user(site, active=False)
    assert not written(site, path)
    assert not path.exists()


def test_the_controllers_have_a_token_that_is_good_for_a_while(site):
    """It is renewed at half of its life, and names their service account."""

    async def tokens():
        _, service_accounts = await site.core.authenticators(None)
        give = ControllerToken(service_accounts, site.core.committed, site.clock)
        first = give()
        assert give() == first
        site.clock.now += 13 * 3600
        second = give()
        return (
            first,
            second,
            [service_accounts.authenticate(each) for each in (first, second)],
            give,
        )

    first, second, (one, two), give = site.run(tokens())
    assert first != second
    assert one.user == two.user
    assert one.user.name == "system:serviceaccount:{}:{}".format(*CONTROLLERS)
    assert first not in repr(give)


# Feeds


def test_an_index_is_fed_before_the_writer_hears(site):
    """What is there comes at once, changes come with their commit."""
    path = f"{site.namespace()}/configmaps"
    site.make(path, config_map("old"))
    index = {}

    async def scenario():
        subscription = feed(
            site.core.storage,
            GroupResource("", "configmaps"),
            lambda obj: index.update({obj["metadata"]["name"]: obj}),
            lambda obj: index.pop(obj["metadata"]["name"]),
            path.split("/")[-2],
        )
        assert set(index) == {"old"}
        await site.asked("POST", path, config_map("new"))
        assert set(index) == {"old", "new"}
        await site.asked("PUT", f"{path}/new", config_map("new", x="y"))
        assert index["new"]["data"] == {"x": "y"}
        await site.asked("DELETE", f"{path}/old")
        assert set(index) == {"new"}
        other = "/api/v1/namespaces/default/configmaps"
        await site.asked("POST", other, config_map("elsewhere"))
        assert "elsewhere" not in index
        subscription.close()
        await site.asked("DELETE", f"{path}/new")
        assert set(index) == {"new"}
        await asyncio.sleep(0)

    site.run(scenario())


def test_rights_are_in_force_when_the_binding_is_acknowledged(site):
    """And gone when its deletion is."""
    place = site.namespace()
    bindings = place.replace("/api/v1", RBAC) + "/rolebindings"
    group = "rbac.authorization.k8s.io"
    assert site.ask("GET", f"{place}/configmaps", token="alice").status == 403
    site.make(
        bindings,
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "b"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "Group", "name": "devs", "apiGroup": group}],
        },
    )
    assert site.ask("GET", f"{place}/configmaps", token="alice").status == 200
    site.ask("DELETE", f"{bindings}/b")
    assert site.ask("GET", f"{place}/configmaps", token="alice").status == 403


def test_a_password_in_a_manifest_is_never_stored(site):
    """It works, and it is nowhere in what anybody can read."""
    made = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "metadata": {"name": "petra"},
        "spec": {"password": "staple-horse-battery"},
    }
    answer = site.ask("POST", f"{MANAGEMENT}/users", made)
    assert answer.status == 201, answer.body
    assert b"staple" not in answer.body
    assert b"staple" not in site.ask("GET", f"{MANAGEMENT}/users/petra").body
    login = {"username": "petra", "password": "staple-horse-battery"}
    assert site.ask("POST", "/auth/login", login, token="").status == 200
    dry = {**made, "metadata": {"name": "dora"}}
    assert site.ask("POST", f"{MANAGEMENT}/users?dryRun=All", dry).status == 201
    refused = site.ask("POST", "/auth/login", {**login, "username": "dora"}, token="")
    assert refused.status == 401


def test_tokens_of_the_platforms_accounts_are_the_platforms(site):
    """Nobody but it speaks for an account in a reserved namespace."""
    path = "/api/v1/namespaces/{}/serviceaccounts/{}/token".format(*CONTROLLERS)
    assert site.ask("POST", path, {"spec": {}}).status == 201
    place = site.namespace()
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}
    site.make(f"{place}/serviceaccounts", account)
    answer = site.ask("POST", f"{place}/serviceaccounts/robot/token", {"spec": {}})
    assert answer.status == 201
    token = answer.json["status"]["token"]
    body = {"spec": {"token": token}}
    review = site.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)
    assert review.json["status"]["user"]["username"].endswith(":robot")
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    group = "rbac.authorization.k8s.io"
    site.make(
        bindings,
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "alice"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": "alice", "apiGroup": group}],
        },
    )
    assert site.ask("POST", path, {"spec": {}}, token="alice").status == 403
