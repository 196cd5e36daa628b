"""WEB, SUB: what the server must not become for browsers, and paths beside the API."""

import pytest

from attacks.support import Actor, World
from attacks.wire import Answer, read_answer, request_bytes
from attacks.words import MG, NS
from support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "path",
    [
        "/apis/<script>alert(1)</script>",
        f"{NS}/%3Cimg%20src=x%3E",
        "/api/v1/<script>/x",
        f"{NS}/x?fieldSelector=<script>alert(1)</script>",
        "/auth/%3Cscript%3E",
        "/%3Cscript%3Ealert(1)%3C/script%3E",
        "/openapi/v3/<script>",
    ],
)
def test_web_14_no_answer_is_a_page(anonymous: Actor, alice: Actor, path: str):
    """Errors are JSON or plain text that no browser takes for a page."""
    for actor in (anonymous, alice):
        answer = actor.get(path, headers=[("Accept", "text/html")])
        assert answer.status in (400, 401, 403, 404, 406)
        if not answer.body:
            continue
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in ("application/json", "text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/v1-public/ui", f"{MG}/settings/ui-pl", f"{MG}/settings"])
def test_web_15_settings_are_not_for_everybody_to_write(
    anonymous: Actor, alice: Actor, world: World, method: str, path: str
):
    """Neither nobody nor a user changes what everybody sees."""
    body = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "Setting",
        "metadata": {"name": "ui-pl"},
        "value": "<script>",
    }
    with world.unchanged():
        for actor in (anonymous, alice):
            answer = actor.call(method, path, body, content="application/json")
            assert answer.status in (401, 403, 404, 405, 415)


@pytest.mark.parametrize(
    "path",
    [
        "/proxy/apps/", "/proxy/vectorDB/v1/objects", "/proxy/models?url=http://127.0.0.1/",
        "/v1-cluster/cluster-info", "/v1", "/v1/", "/v3", "/dashboard", "/metrics", "/logs/",
        "/api", "/apis", "/openapi/v2", "/openapi/v3", "/auth/whoami", "/auth/tokens", "/auth",
        "/auth/users/root/password", "/auth/nothing", "/.well-known/openid-configuration",
        "/openid/v1/jwks", "/api/v1", "/api/v1/nodes", "/api/v1/proxy/x", "/api/v1/nodes/x/proxy/",
        f"{NS}/team-b/services/s/proxy/", f"{NS}/team-b/pods/p/exec", f"{NS}/team-b/pods/p/log",
    ],
)  # fmt: skip
def test_sub_06_every_path_but_health_wants_to_know_who_asks(anonymous: Actor, path: str):
    """What is not health, version or signing in is refused to nobody in particular."""
    for method in ("GET", "POST"):
        answer = anonymous.call(method, path, {} if method == "POST" else None)
        assert answer.status in (401, 403), f"{method} {path}"


@pytest.mark.parametrize(
    "value",
    [
        "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "http://127.0.0.1:8443/",
        "http://localhost/", "http://[::1]/", "http://0x7f000001/", "http://2130706433/",
        "http://127.1/", "gopher://x/", "http://user:pw@example.com/", "javascript:alert(1)",
        "http://[::ffff:169.254.169.254]/", "http://metadata.google.internal/", "//example.com",
        "http://LOCALHOST./", "https://example.com\\@127.0.0.1/",
    ],
)  # fmt: skip
def test_sub_08_a_setting_leads_to_no_machine_of_the_platform(
    root: Actor, alice: Actor, world: World, value: str
):
    """A URL that the server may fetch points neither to files nor to this machine."""
    for name in ("server-url", "proxy-apps-server-url"):
        body = {
            "apiVersion": "management.llmos.ai/v1",
            "kind": "Setting",
            "metadata": {"name": name},
            "value": value,
        }
        path = f"{MG}/settings"
        with world.unchanged():
            assert alice.post(path, body).status == 403
            assert alice.put(f"{path}/{name}", body).status == 403
            assert root.post(path, body).status in (409, 422)
            assert root.apply(f"{path}/{name}", body).status == 422


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1"])
def test_web_no_other_site_may_read(alice: Actor, anonymous: Actor, origin: str):
    """No answer allows a foreign page to read it, and a preflight is not granted."""
    pairs = [("Origin", origin), ("Access-Control-Request-Method", "DELETE")]
    for answer in (
        alice.get(NS, headers=pairs),
        anonymous.call("OPTIONS", NS, headers=pairs),
        anonymous.post("/auth/login", {}, headers=pairs),
    ):
        assert not [each for each in answer.headers if each.startswith("access-control-")]


def test_web_answers_with_content_are_not_kept(alice: Actor, anonymous: Actor):
    """Neither lists nor account answers nor refusals are kept by caches."""
    for answer in (
        alice.get(NS),
        alice.get(f"{NS}/team-a/secrets/s"),
        alice.get("/auth/tokens"),
        alice.get(f"{NS}/team-b"),
        anonymous.get(NS),
    ):
        control = answer.headers["cache-control"]
        assert "private" in control or "no-store" in control


def test_web_remembered_requests_are_asked_about_again(world: World):
    """The same bytes on one connection get what their sender may now, not what he might before."""
    eve = world.throwaway("eve")
    api = eve.new_token()
    name = f"{eve.name}-x"
    world.bind(name, "namespace-owner", eve.name, "team-x")
    path = f"{NS}/team-x/configmaps"
    wait_until(lambda: eve.get(path).status == 200, 2)
    pairs = [("Authorization", f"Bearer {api['token']}"), ("Content-Type", "application/json")]
    read = request_bytes("GET", path, pairs, close=False)
    write = request_bytes("POST", f"{path}?dryRun=All", pairs, b'{"metadata":{"name":"x"}}', False)
    other = request_bytes("POST", f"{path}?dryRun=All", pairs, b'{"metadata":{"name":"y"}}', False)
    with world.wire.connect() as tls:

        def ask(data: bytes) -> Answer:
            tls.sendall(data)
            return read_answer(tls, data.partition(b" ")[0].decode())

        for _ in range(3):
            assert ask(read).status == 200
            assert ask(write).json()["metadata"]["name"] == "x"
            assert ask(other).json()["metadata"]["name"] == "y"
        world.do("DELETE", f"{MG}/roletemplatebindings/{name}")
        wait_until(lambda: ask(read).status == 403, 2)
        assert ask(write).status == 403
        assert eve.delete(f"/auth/tokens/{api['name']}").status == 204
        assert ask(read).status == 401
        assert ask(write).status == 401


def test_web_two_senders_on_one_connection_are_two(world: World, alice: Actor, bob: Actor):
    """Who asks is read from each request, also where connections are shared."""
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    with world.wire.connect() as tls:
        for number in range(200):
            actor = (alice, bob)[number % 2]
            pairs = [("Authorization", f"Bearer {actor.token}")]
            tls.sendall(request_bytes("POST", path, pairs, b"{}", close=False))
            answer = read_answer(tls, "POST")
            assert answer.json()["status"]["userInfo"]["username"] == actor.name
