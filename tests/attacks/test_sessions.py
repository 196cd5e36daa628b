"""WEB: sessions of browsers, and the pages that they show."""

import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import pytest

from attacks.support import MG, NS, Actor, World, unique
from attacks.wire import Answer
from support.objects import config_map
from support.waiting import wait_until
from support.websocket import watch_path, websocket

pytestmark = pytest.mark.slow
COOKIE = "__Host-llmos-session"
ATTRIBUTES = {"path": "/", "secure": True, "httponly": True, "samesite": "Strict", "domain": ""}
HTML = [("Accept", "text/html,*/*;q=0.8")]
WHOAMI = "/auth/whoami"
MINE = f"{NS}/team-a/configmaps"


@dataclass
class Browser:
    """Somebody's browser: it sends the cookie, and says from where, whoever makes it ask."""

    actor: Actor
    origin: str = "https://127.0.0.1"
    cookie: str = ""
    word: str = ""
    said: Any = field(default=None)

    def send(self, method: str, path: str, body: Any = None, **odd: str | None) -> Answer:
        """A request of our own page, but for what is odd about it; None: without it."""
        ours = {
            "Cookie": self.cookie and f"{COOKIE}={self.cookie}",
            "Origin": self.origin,
            "X-CSRF-Token": self.word,
        }
        odd = {name.replace("_", "-"): value for name, value in odd.items()}
        pairs = [(name, each) for name, each in (ours | odd).items() if each]
        nobody = self.actor.world.anonymous
        answer = Actor(self.actor.name, nobody.world).call(method, path, body, headers=pairs)
        if "set-cookie" in answer.headers:
            self.cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE].value
        return answer

    def sign_in(self, password: str = "", **more: Any) -> Answer:
        """Sign in; from here on, nobody may ever be shown the key of the session."""
        login = {"username": self.actor.name, "password": password or self.actor.password}
        answer = self.send("POST", "/auth/login", login | {"cookie": True} | more)
        assert answer.status == 200, answer.text
        self.actor.world.guard(self.cookie.partition(":")[2])
        self.said = answer.json()
        self.word = self.said["csrfToken"]
        return answer

    @property
    def status(self) -> int:
        """Whether it is signed in: 200 or 401."""
        return self.send("GET", WHOAMI).status


def browser_of(actor: Actor) -> Browser:
    """A browser that somebody is signed in with."""
    made = Browser(actor)
    made.sign_in()
    return made


@pytest.fixture
def page(alice: Actor) -> Browser:
    """Alice's."""
    return browser_of(alice)


ODD = [
    {"X_CSRF_Token": None},
    {"X_CSRF_Token": "0" * 64},
    {"Origin": None},
    {"Origin": "null"},
    {"Origin": "https://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "https://localhost"},
    {"Origin": "https://evil.test"},
    {"Origin": None, "X_CSRF_Token": None},
    {"Origin": "null", "X_CSRF_Token": None},
    {"Origin": "https://127.0.0.1:1", "X_CSRF_Token": None},
]


@pytest.mark.parametrize("odd", ODD)
def test_web_02_no_other_page_changes_anything(
    page: Browser, bob: Actor, world: World, odd: dict[str, str | None]
):
    """By cookie every change needs both proofs; Δ0 without them, on every path that changes."""
    changes = [
        ("POST", MINE, config_map(unique("odd"))),
        ("PUT", f"{MINE}/a", config_map("a")),
        ("PATCH", f"{MINE}/a", {"data": {"x": "y"}}),
        ("DELETE", f"{MINE}/a", None),
        ("DELETE", MINE, None),
        ("POST", "/auth/tokens", {"ttlSeconds": 60}),
        ("POST", "/auth/kubeconfig", {"ttlSeconds": 60}),
        ("PUT", "/auth/password", {"currentPassword": page.actor.password, "newPassword": "p" * 9}),
        ("POST", "/auth/logout", None),
    ]
    others = {"X_CSRF_Token": browser_of(bob).word} if "X_CSRF_Token" in odd else {}
    with world.unchanged():
        for method, path, body in changes:
            for each in (odd, odd | others) if others and odd["X_CSRF_Token"] else (odd,):
                assert page.send(method, path, body, **each).status == 403, (method, path)
    assert page.status == 200


def test_web_02_our_own_page_changes_what_its_user_may(page: Browser, alice: Actor):
    """With both proofs; and a bearer token needs neither."""
    name = unique("mine")
    assert page.send("POST", MINE, config_map(name)).status == 201
    assert page.send("POST", f"{NS}/team-b/configmaps", config_map(name)).status == 403
    for origin in ([], [("Origin", "null")], [("Origin", "https://evil.test")]):
        made = unique("mine")
        assert alice.post(MINE, config_map(made), headers=origin).status == 201
        assert alice.delete(f"{MINE}/{made}", headers=origin).status == 200
    assert page.send("DELETE", f"{MINE}/{name}").status == 200


def test_web_02_nobody_is_signed_in_as_somebody_else(bob: Actor, world: World):
    """A foreign page that knows a password gets no cookie set for it."""
    login = {"username": bob.name, "password": bob.password, "cookie": True}
    with world.unchanged():
        for origin in ("null", "https://evil.test", "https://127.0.0.1:1"):
            answer = Browser(bob).send("POST", "/auth/login", login, Origin=origin)
            assert answer.status == 403
            assert "set-cookie" not in answer.headers


def test_web_07_the_cookie_is_guarded(alice: Actor):
    """Set and cleared alike: this host, TLS, no script, no other site, and an end."""
    page = Browser(alice)
    answers = [page.sign_in(), page.send("POST", "/auth/logout")]
    for answer, age in zip(answers, (7 * 86400, 0), strict=True):
        (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
        assert morsel.key == COOKIE
        assert {name: morsel[name] for name in ATTRIBUTES} == ATTRIBUTES
        assert abs(int(morsel["max-age"]) - age) <= 1
        assert answer.headers["cache-control"] == "no-store"
    assert page.cookie == ""


def test_web_09_a_session_ends_though_its_page_polls(alice: Actor, world: World):
    """At the end that was set for it, with its open socket."""
    page = Browser(alice)
    page.sign_in(ttlSeconds=3)
    started = time.monotonic()
    with open_socket(world, page) as socket:
        while page.status == 200:
            assert time.monotonic() - started < 5
            time.sleep(0.2)
        assert time.monotonic() - started > 2
        socket.close_code(5)


def test_web_09_an_administrator_sets_the_limits(alice: Actor, root: Actor):
    """Of sessions that are there and of those that come; what is no length of time is refused."""
    page = browser_of(alice)
    for name in ("session-lifetime", "session-idle-limit"):
        path = f"{MG}/settings/{name}"
        for bad in ("soon", "0m", "-1h", "1", "12s", "1h30m"):
            assert root.patch(path, {"value": bad}).status == 422
        assert alice.patch(path, {"value": "1m"}).status == 403
        assert root.patch(path, {"value": "1m"}).status == 200
    wait_until(lambda: "Max-Age=60;" in Browser(alice).sign_in().headers["set-cookie"], 2)
    assert page.status == 200
    for name in ("session-lifetime", "session-idle-limit"):
        assert root.patch(f"{MG}/settings/{name}", {"value": ""}).status == 200
    wait_until(lambda: "Max-Age=604800;" in Browser(alice).sign_in().headers["set-cookie"], 2)


def test_web_09_the_last_use_is_kept(page: Browser, root: Actor, world: World):
    """Replicas and restarts know of it; what the session has open goes on."""
    path = f"{MG}/settings/session-idle-limit"
    assert root.patch(path, {"value": "1m"}).status == 200

    def kept() -> str:
        secret = world.do("GET", f"{NS}/llmos-system/secrets/{page.said['name']}")
        return str(secret["data"]["usedAt"])

    before = kept()
    with open_socket(world, page) as socket:
        wait_until(lambda: page.status == 200 and kept() != before, 20, every=1)
        name = unique("after")
        assert page.send("POST", MINE, config_map(name)).status == 201
        assert socket.until("ADDED", name)
    assert page.send("DELETE", f"{MINE}/{name}").status == 200
    assert root.patch(path, {"value": ""}).status == 200


def open_socket(world: World, page: Browser, path: str = watch_path(MINE), **odd: str):
    """A WebSocket of our page's own."""
    headers = {"Origin": world.engine.url, "Cookie": f"{COOKIE}={page.cookie}"}
    return websocket(world.engine, path, **(headers | odd))


def test_web_16_no_page_is_framed(anonymous: Actor, page: Browser):
    """Every route, file and refusal below the page's path; and the way there."""
    (script,) = [
        each.partition('"')[0]
        for each in anonymous.get("/ui/").text.split('src="')[1:2]
    ] or [""]  # fmt: skip
    routes = ["/ui/", "/ui/signin", "/ui/advanced/namespaces", "/ui/none", "/ui/assets/none.js"]
    for path in (*routes, "/ui/%00", "/ui", "/", *([script] if script else [])):
        for answer in (
            anonymous.get(path, headers=HTML),
            page.send("GET", path, Accept="text/html"),
            anonymous.call("HEAD", path, headers=HTML),
        ):
            assert answer.status in (200, 302, 400, 404)
            assert answer.headers["x-frame-options"] == "DENY"
            policy = answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "set-cookie" not in answer.headers


def test_web_16_the_page_is_there(anonymous: Actor):
    """For everybody; who speaks to the API at the root gets the API's own answer."""
    answer = anonymous.get("/", headers=HTML)
    assert (answer.status, answer.headers["location"]) == (302, "/ui/")
    found = anonymous.get("/ui/", headers=HTML)
    assert found.status == 200
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["cache-control"] == "no-store"
    assert b"<html" in found.body


def test_web_16_the_root_lists_paths(root: Actor):
    """To clients of the API."""
    for accept in ([], [("Accept", "application/json")], [("Accept", "*/*")]):
        answer = root.get("/", headers=accept)
        assert answer.status == 200
        assert "/api/v1" in answer.json()["paths"]


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/x/..%2f..%2fapi/v1/namespaces", "/ui/x/..%2f..%2fapi/v1/namespaces",
        "/ui/../api/v1/namespaces", "/ui/%2e%2e/api/v1/namespaces", f"{NS}/team-a.css",
        f"{NS};.js", f"{NS}/team-a/secrets/s;.css", f"{NS}/team-a/secrets/s/.js",
        f"{NS}/team-a/secrets/s%2f..%2fx.css", "/ui/assets/..%2f..%2fauth%2fwhoami",
        "/auth/whoami/x.css", "/auth/whoami;.js", "/auth/whoami.css",
    ],
)  # fmt: skip
def test_web_20_no_cache_is_made_to_keep_what_is_alices(page: Browser, alice: Actor, path: str):
    """A path that looks like a file's is none; nothing of hers is answered for a cache to keep."""
    for answer in (
        page.send("GET", path, Accept="text/html"), alice.get(path), page.send("HEAD", path),
    ):  # fmt: skip
        assert answer.status in (400, 403, 404, 405, 406)
        control = answer.headers.get("cache-control", "no-store")
        assert "no-store" in control or "private" in control


def test_web_20_what_is_answered_is_private(page: Browser):
    """Reads by cookie are kept by nobody but the browser, and run as no page."""
    for path in (NS, f"{NS}/team-a/secrets/s", MINE, WHOAMI, "/auth/tokens", "/version", "/api"):
        answer = page.send("GET", path, Accept="text/html,*/*")
        assert answer.status == 200
        control = answer.headers["cache-control"]
        assert "private" in control or "no-store" in control or path in ("/version", "/api")
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert "nosniff" in answer.headers["x-content-type-options"]


def test_web_24_no_script_reads_the_session(page: Browser, alice: Actor, anonymous: Actor):
    """Neither the login's answer nor any other holds its key; the cookie is for no script."""
    key = page.cookie.partition(":")[2]
    assert len(key) == 54
    for path in (WHOAMI, "/auth/tokens"):
        answer = page.send("GET", path)
        assert answer.status == 200
        assert key.encode() not in answer.body
        assert "set-cookie" not in answer.headers
    assert "token" not in page.said
    assert page.cookie not in anonymous.get("/ui/", headers=HTML).text
    made = Browser(alice)
    text = made.sign_in().text
    assert made.cookie.partition(":")[2] not in text


def test_a_session_is_good_as_its_cookie_alone(page: Browser, alice: Actor, root: Actor):
    """Not as a bearer token, and no token as a cookie; two are none; a bad one is nobody's."""
    assert alice.with_token(page.cookie).get(WHOAMI).status == 401
    review = {"spec": {"token": page.cookie}}
    answer = root.post("/apis/authentication.k8s.io/v1/tokenreviews", review)
    assert not answer.json()["status"].get("authenticated")
    api = alice.new_token()["token"]
    name = page.cookie.partition(":")[0]
    for bad in (alice.token, api, name, f"{name}:", f"{name}:x", "x", "; a=b", page.cookie + "x"):
        for path in (WHOAMI, NS, "/auth/tokens"):
            assert page.send("GET", path, Cookie=f"{COOKIE}={bad}").status == 401
    twice = f"{COOKIE}={page.cookie}; {COOKIE}={page.cookie}"
    assert page.send("GET", WHOAMI, Cookie=twice).status == 401
    assert page.status == 200


def test_the_header_alone_counts(page: Browser, bob: Actor):
    """Whoever brings both is whom the header says, without the page's proofs, or nobody."""
    both = {"Authorization": f"Bearer {bob.token}", "X_CSRF_Token": None, "Origin": None}
    answer = page.send("GET", WHOAMI, **both)
    assert answer.json()["user"]["username"] == bob.name
    name = unique("both")
    path = f"{NS}/team-b/configmaps"
    assert page.send("POST", path, config_map(name), **both).status == 201
    assert page.send("POST", MINE, config_map(name), **both).status == 403
    for bad in ("Bearer garbage", "Bearer x:y", "Bearer"):
        assert page.send("GET", WHOAMI, Authorization=bad).status == 401
    for nobody in ("Basic YTpi",):
        assert page.send("GET", WHOAMI, Authorization=nobody).status == 401
        assert page.send("GET", f"{NS}/team-a/secrets/s", Authorization=nobody).status in (401, 403)


def test_a_session_ends_when_it_is_ended(alice: Actor, world: World):
    """By signing out: this one and not the other."""
    page, other = browser_of(alice), browser_of(alice)
    with open_socket(world, page) as socket, open_socket(world, other) as kept:
        assert (socket.status, kept.status) == (101, 101)
        old = page.cookie
        assert page.send("POST", "/auth/logout").status == 204
        page.cookie = old
        assert page.status == 401
        assert socket.close_code(5)
        assert other.status == 200
        name = unique("still")
        assert other.send("POST", MINE, config_map(name)).status == 201
        assert kept.until("ADDED", name)
        other.send("DELETE", f"{MINE}/{name}")


@pytest.mark.parametrize("end", ["deactivated", "deleted", "given a password", "revoked"])
def test_a_session_ends_with_its_user(world: World, root: Actor, end: str):
    """And its open socket within seconds, whatever ends it."""
    eve = world.throwaway("eve")
    world.bind(f"{eve.name}-x", "namespace-owner", eve.name, "team-x")
    page = browser_of(eve)
    path = f"{NS}/team-x/configmaps"
    wait_until(lambda: page.send("GET", path).status == 200, 5)
    with open_socket(world, page, watch_path(path)) as socket:
        assert socket.status == 101
        user = f"{MG}/users/{eve.name}"
        match end:
            case "deactivated":
                assert root.patch(user, {"spec": {"isActive": False}}).status == 200
            case "deleted":
                assert root.delete(user).status == 200
            case "given a password":
                assert root.put(f"/auth/users/{eve.name}/password", {}).status == 200
            case _:
                name = page.cookie.partition(":")[0]
                assert root.delete(f"/auth/tokens/{name}?user={eve.name}").status == 204
        wait_until(lambda: page.status == 401, 2)
        assert socket.close_code(5)


def test_a_changed_password_ends_all_sessions_but_a_new_one(world: World):
    """What somebody has got hold of before is worth nothing after."""
    eve = world.throwaway("eve")
    page, other = browser_of(eve), browser_of(eve)
    old, word = page.cookie, page.word
    with open_socket(world, page, watch_path(f"{NS}/llmos-public/configmaps")) as socket:
        assert socket.status == 101
        body = {"currentPassword": eve.password, "newPassword": f"{eve.password}-2"}
        answer = page.send("PUT", "/auth/password", body)
        assert answer.status == 200
        assert page.cookie != old
        assert answer.json()["csrfToken"] != word
        assert page.send("POST", "/auth/logout").status == 403
        page.word = answer.json()["csrfToken"]
        assert page.status == 200
        assert (other.status, eve.get(WHOAMI).status) == (401, 401)
        assert page.send("GET", WHOAMI, Cookie=f"{COOKIE}={old}").status == 401
        assert socket.close_code(5)
    assert page.send("POST", "/auth/logout").status == 204


def test_a_first_password_opens_nothing_but_its_own_change(world: World, root: Actor):
    """Neither by cookie nor by token; reads, changes, sockets and tokens are refused."""
    eve = world.throwaway("eve")
    world.bind(f"{eve.name}-x", "namespace-owner", eve.name, "team-x")
    given = root.put(f"/auth/users/{eve.name}/password", {}).json()["oneTimePassword"]
    page = Browser(eve)
    page.sign_in(given)
    assert page.said["mustChangePassword"] is True
    assert page.send("GET", WHOAMI).json()["mustChangePassword"] is True
    path = f"{NS}/team-x/configmaps"
    with world.unchanged():
        for method, target, body in (
            ("GET", NS, None), ("GET", path, None), ("POST", path, config_map("x")),
            ("GET", "/auth/tokens", None), ("POST", "/auth/tokens", {"ttlSeconds": 60}),
            ("POST", "/auth/kubeconfig", {"ttlSeconds": 60}), ("GET", "/version", None),
            ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}),
        ):  # fmt: skip
            answer = page.send(method, target, body)
            assert answer.status == 403
            assert "password must be changed first" in answer.text
        with open_socket(world, page, watch_path(path)) as socket:
            assert socket.status == 403
    body = {"currentPassword": given, "newPassword": f"{eve.password}-3"}
    answer = page.send("PUT", "/auth/password", body)
    page.word = answer.json()["csrfToken"]
    wait_until(lambda: page.send("GET", path).status == 200, 5)
    again = root.put(f"/auth/users/{eve.name}/password", {}).json()["oneTimePassword"]
    plain = eve.with_token(world.sign_in(eve.name, again))
    assert plain.get(WHOAMI).status == 200
    assert plain.get(NS).status == 403
    assert plain.post("/auth/logout", {}).status == 204


SOCKETS = [
    watch_path(MINE),
    f"{NS}/team-a/pods/p/exec?command=id&stdout=true",
    f"{NS}/team-a/pods/p/attach?stdout=true",
    f"{NS}/team-a/pods/p/portforward?ports=80",
    f"{NS}/team-a/services/s/proxy/",
]


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize(
    "origin", ["", "null", "https://evil.test", "https://127.0.0.1:1", "http://HOST", "HOST"]
)
def test_no_other_page_opens_a_socket(page: Browser, world: World, path: str, origin: str):
    """By cookie the handshake comes from our page, or 403; nothing is asked of the cluster."""
    upstream = world.engine.upstream
    mark = upstream.mark() if upstream else 0
    odd = {"Origin": origin.replace("HOST", world.engine.url.removeprefix("https://"))}
    with open_socket(world, page, path, **odd) as socket:
        assert socket.status == 403
    if upstream:
        assert path not in [each.target for each in upstream.since(mark)]


def test_our_page_opens_a_socket(page: Browser, world: World):
    """And sees what its user may."""
    with open_socket(world, page) as socket:
        assert socket.status == 101
        name = unique("seen")
        assert page.send("POST", MINE, config_map(name)).status == 201
        assert socket.until("ADDED", name)
    with open_socket(world, page, watch_path(f"{NS}/team-b/configmaps")) as socket:
        assert socket.status == 403
    page.send("DELETE", f"{MINE}/{name}")


@pytest.mark.parametrize(
    "path",
    [
        f"{NS}/team-a/services/s/proxy/x.html",
        f"{NS}/team-a/pods/p/proxy/",
        "/api/v1/nodes/n/proxy/",
    ],
)
def test_nobody_is_led_to_a_page_behind_a_proxy(page: Browser, world: World, path: str):
    """A link there does not run somebody's page as ours: only our page itself may ask for it."""
    upstream = world.engine.upstream
    mark = upstream.mark() if upstream else 0
    for method in ("GET", "HEAD"):
        for odd in ({"X_CSRF_Token": None}, {"X_CSRF_Token": None, "Origin": None}):
            assert page.send(method, path, **odd).status == 403
    if upstream:
        assert path not in [each.target for each in upstream.since(mark)]
    assert "X-CSRF-Token" not in page.send("GET", path, Origin=None).text


@pytest.mark.on("cluster")
def test_no_cookie_and_no_proof_goes_to_the_cluster(page: Browser, world: World):
    """The session is ours alone: what is asked by cookie arrives under the user's name."""
    upstream = world.engine.upstream
    assert upstream is not None
    mark = upstream.mark()
    name = unique("sent")
    assert page.send("POST", MINE, config_map(name)).status == 201
    assert page.send("GET", f"{MINE}/{name}").status == 200
    assert page.send("DELETE", f"{MINE}/{name}").status == 200
    with open_socket(world, page) as socket:
        assert socket.status == 101
    arrived = upstream.since(mark, "alice")
    assert {each.method for each in arrived} >= {"POST", "GET", "DELETE"}
    key = page.cookie.partition(":")[2]
    for each in upstream.sent[mark:]:
        names = {header for header, _ in each.headers}
        assert not names & {"cookie", "x-csrf-token"}
        if each.impersonates:
            assert key not in str(each.headers)
            assert page.word not in str(each.headers)
