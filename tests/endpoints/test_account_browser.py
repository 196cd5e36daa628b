"""``/auth/…`` for browsers, through the filters, with real accounts behind them."""

import asyncio
from http.cookies import SimpleCookie

import orjson
import pytest
import yaml

from authentication.objects import World
from endpoints.exchange import answer_of, scope_of
from llmos.apis.authorization_v1 import Decision
from llmos.endpoints.account import AccountServices, handle_account
from llmos.endpoints.browsers import COOKIE
from llmos.endpoints.filters import Gate
from llmos.endpoints.narrowing import Narrowing
from llmos.endpoints.pipeline import Pipeline
from llmos.endpoints.responses import json_response

PASSWORD = "correct horse battery"
HOST = "llmos.example:8443"
OWN = f"https://{HOST}"
LOGIN = {"username": "alice", "password": PASSWORD, "cookie": True}
DAY = 86400


class Everything:
    """Allows everything."""

    def authorize(self, attributes):
        """Allow."""
        return Decision(allowed=True)


class Browser:
    """A browser before a server that has accounts and nothing else."""

    def __init__(self):
        self.world = World()
        asyncio.run(self.world.add_user("alice", PASSWORD))
        services = AccountServices(self.world.accounts, Everything(), lambda *_: True, "CA")
        tokens = self.world.tokens
        gate = Gate(tokens, Everything(), Narrowing(None, lambda _: False), use=tokens.use)

        async def handle(request):
            if request.path.startswith("/auth"):
                return await handle_account(request, services)
            return json_response({"user": request.user.name})

        self.app = Pipeline(gate.filters, handle, self.world.clock)
        self.cookie = ""
        self.word = ""

    def send(self, method, path, body=None, **headers):
        """An answer, with what a browser and our page send by themselves; they keep its cookie."""
        ours = {"Host": HOST, "Content-Type": "application/json", "Origin": OWN}
        ours |= {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        ours |= {"X-CSRF-Token": self.word} if self.word else {}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: each for name, each in (ours | headers).items() if each is not None}
        raw = b"" if body is None else orjson.dumps(body)
        answer = answer_of(self.app, scope_of(method, path, sent), raw)
        for text in answer.headers.get("set-cookie", ()):
            self.cookie = SimpleCookie(text)[COOKIE].value
        return answer

    def sign_in(self, **more):
        """What the login says; our page keeps the word."""
        answer = self.send("POST", "/auth/login", LOGIN | more)
        assert answer.status == 200, answer.body
        self.word = answer.json["csrfToken"]
        return answer.json


@pytest.fixture
def browser():
    """A new server and a new browser."""
    return Browser()


def test_signing_in_gives_the_cookie_and_no_token(browser):
    """What scripts read holds neither the session nor its key; it is whoami's own answer."""
    answer = browser.send("POST", "/auth/login", LOGIN)
    name, _, key = browser.cookie.partition(":")
    assert len(key) == 54
    assert key.encode() not in answer.body
    said = answer.json
    assert (said["name"], said["kind"], said["user"]["username"]) == (name, "session", "alice")
    assert said["mustChangePassword"] is False
    (cookie,) = answer.headers["set-cookie"]
    assert f"Max-Age={7 * DAY};" in cookie
    browser.word = said["csrfToken"]
    whoami = browser.send("GET", "/auth/whoami")
    assert whoami.json == said
    assert key.encode() not in whoami.body
    assert "set-cookie" not in whoami.headers


def test_a_page_asks_without_an_error_whether_anybody_is_signed_in(browser):
    """Nobody is no error; a session that has ended is one, and what is no session at all."""
    nobody = browser.send("GET", "/auth/session")
    assert (nobody.status, nobody.body) == (204, b"")
    assert nobody.headers["cache-control"] == ["no-store"]
    assert browser.send("GET", "/auth/whoami").status == 401
    said = browser.sign_in()
    assert browser.send("GET", "/auth/session").json == said
    ended = browser.cookie
    assert browser.send("POST", "/auth/logout").status == 204
    for cookie in (ended, "token-x:y", "odd"):
        browser.cookie = cookie
        assert browser.send("GET", "/auth/session").status == 401
    browser.cookie = ""
    assert browser.send("POST", "/auth/session").status == 401
    bearer = {"Authorization": "Bearer token-x:y"}
    assert browser.send("GET", "/auth/session", **bearer).status == 401


def test_the_word_is_kept_nowhere(browser):
    """Who reads what is stored can make neither the cookie nor the word."""
    said = browser.sign_in()
    dump = browser.world.dump()
    assert said["csrfToken"] not in dump
    assert browser.cookie.partition(":")[2] not in dump


def test_without_asking_there_is_no_cookie(browser):
    """The command gets a token, as ever."""
    for login in (LOGIN | {"cookie": False}, {"username": "alice", "password": PASSWORD}):
        answer = browser.send("POST", "/auth/login", login)
        assert answer.json["token"]
        assert "csrfToken" not in answer.json
        assert "set-cookie" not in answer.headers
    token = {"Authorization": f"Bearer {answer.json['token']}", "Origin": None}
    whoami = browser.send("GET", "/auth/whoami", **token)
    assert "csrfToken" not in whoami.json
    made = browser.send("POST", "/auth/tokens", {"ttlSeconds": 60}, **token)
    assert made.status == 201, "a bearer token needs no proofs"


@pytest.mark.parametrize("origin", ["null", "https://evil.test", f"http://{HOST}"])
def test_no_foreign_page_signs_anybody_in(browser, origin):
    """Nobody finds himself signed in as somebody else."""
    answer = browser.send("POST", "/auth/login", LOGIN, Origin=origin)
    assert answer.status == 403
    assert not browser.cookie
    assert not browser.world.tokens.of_user("alice")


def test_a_cookie_is_asked_for_by_a_boolean(browser):
    """Anything else is refused and signs nobody in."""
    answer = browser.send("POST", "/auth/login", LOGIN | {"cookie": "yes"})
    assert answer.status == 422
    assert answer.json["details"]["causes"][0]["field"] == "cookie"


def test_the_life_of_the_cookie_is_the_life_of_the_session(browser):
    """Shorter where that is asked for, an hour while the password has to be changed."""
    browser.sign_in(ttlSeconds=60)
    browser.world.clock.now += 60
    assert browser.send("GET", "/auth/whoami").status == 401
    assert browser.send("POST", "/auth/login", LOGIN | {"ttlSeconds": 7 * DAY + 1}).status == 422
    asyncio.run(browser.world.accounts.set_password("alice", PASSWORD))
    answer = browser.send("POST", "/auth/login", LOGIN)
    assert "Max-Age=3600;" in answer.headers["set-cookie"][0]


def test_whoever_signs_out_is_out(browser):
    """The session ends and the browser forgets it, by a cookie with the same attributes."""
    browser.sign_in()
    old = browser.cookie
    answer = browser.send("POST", "/auth/logout")
    assert answer.status == 204
    (cleared,) = answer.headers["set-cookie"]
    assert cleared == f"{COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert not browser.cookie
    browser.cookie = old
    assert browser.send("GET", "/auth/whoami").status == 401
    assert not browser.world.tokens.of_user("alice")


def test_no_foreign_page_signs_anybody_out(browser):
    """Without the proofs the session stays."""
    browser.sign_in()
    for odd in ({"Origin": None}, {"Origin": "null"}, {"X_CSRF_Token": None}):
        assert browser.send("POST", "/auth/logout", **odd).status == 403
    assert browser.send("GET", "/auth/whoami").status == 200


def test_a_name_of_a_session_ends_nothing(browser):
    """Its key does."""
    browser.sign_in()
    name = browser.cookie.partition(":")[0]
    answer = browser.send("POST", "/auth/logout", Cookie=f"{COOKIE}={name}:wrong")
    assert answer.status == 401
    assert browser.send("GET", "/auth/whoami").status == 200


def test_a_first_password(browser):
    """It opens nothing but its own change; then everything, with another session and word."""
    given = asyncio.run(browser.world.accounts.set_password("alice", None))
    said = browser.sign_in(password=given)
    assert said["mustChangePassword"]
    assert browser.send("GET", "/auth/whoami").json["mustChangePassword"]
    assert browser.send("GET", "/api/v1/namespaces").status == 403
    old = browser.cookie
    body = {"currentPassword": given, "newPassword": "another password"}
    answer = browser.send("PUT", "/auth/password", body)
    assert answer.status == 200
    assert answer.json["mustChangePassword"] is False
    assert answer.json["csrfToken"] != said["csrfToken"]
    assert browser.cookie.partition(":")[2].encode() not in answer.body
    assert f"Max-Age={7 * DAY};" in answer.headers["set-cookie"][0]
    assert browser.send("POST", "/auth/logout").status == 403, "the old word is no word"
    browser.word = answer.json["csrfToken"]
    assert browser.send("GET", "/api/v1/namespaces").json == {"user": "alice"}
    assert browser.send("GET", "/auth/whoami", Cookie=f"{COOKIE}={old}").status == 401


def test_a_wrong_password_changes_nothing(browser):
    """The session goes on, without another cookie."""
    browser.sign_in()
    body = {"currentPassword": "wrong", "newPassword": "another password"}
    answer = browser.send("PUT", "/auth/password", body)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert browser.send("GET", "/auth/whoami").status == 200


def test_polling_keeps_a_session_for_seven_days_and_no_longer(browser):
    """WEB-09: idle and absolute limit."""
    browser.sign_in()
    for _ in range(14):
        assert browser.send("GET", "/api/v1/namespaces").status == 200
        browser.world.clock.now += DAY / 2 - 1
    browser.world.clock.now += 14
    assert browser.send("GET", "/api/v1/namespaces").status == 401
    browser.word = ""
    browser.sign_in()
    browser.world.clock.now += DAY / 2
    assert browser.send("GET", "/api/v1/namespaces").status == 401


def test_watching_keeps_no_session(browser):
    """A page that nobody sits before opens its watches again and again."""
    browser.sign_in()
    watch = "/api/v1/namespaces?watch=1"
    for _ in range(11):
        assert browser.send("GET", watch).status == 200
        browser.world.clock.now += 3600
    assert browser.send("GET", watch).status == 200
    browser.world.clock.now += 3600
    assert browser.send("GET", watch).status == 401


def test_every_answer_to_a_browser_is_in_a_sandbox(browser):
    """Whatever it holds, it never runs with our page's rights; others get Kubernetes' answer."""
    browser.sign_in()
    for path in ("/api/v1/namespaces", "/auth/whoami"):
        headers = browser.send("GET", path).headers
        assert headers["content-security-policy"] == [
            "sandbox; default-src 'none'; frame-ancestors 'none'"
        ]
        assert "nosniff" in headers["x-content-type-options"]
        assert headers["cross-origin-resource-policy"] == ["same-origin"]
    token = browser.send("POST", "/auth/login", LOGIN | {"cookie": False}).json["token"]
    plain = browser.send("GET", "/api/v1/namespaces", Authorization=f"Bearer {token}")
    assert "content-security-policy" not in plain.headers


def test_a_kubeconfig_is_shown_once_and_works(browser):
    """The server as the browser reached it, its authority, and a token of the user's own."""
    browser.sign_in()
    body = {"description": "laptop", "ttlSeconds": 3600}
    answer = browser.send("POST", "/auth/kubeconfig", body)
    assert answer.status == 201
    assert answer.headers["content-type"] == ["application/yaml"]
    assert answer.headers["cache-control"] == ["no-store"]
    assert answer.headers["content-disposition"] == [
        'attachment; filename="llmos-alice.kubeconfig"'
    ]
    document = yaml.safe_load(answer.body)
    (cluster,), (user,), (context,) = (document[each] for each in ("clusters", "users", "contexts"))
    assert cluster["cluster"] == {"server": OWN, "certificate-authority-data": "Q0E="}
    assert document["current-context"] == context["name"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    whoami = browser.send(
        "GET", "/auth/whoami", Authorization=f"Bearer {user['user']['token']}", Cookie=None
    )
    assert whoami.json["user"]["username"] == "alice"
    (listed,) = [
        each for each in browser.send("GET", "/auth/tokens").json["items"]
        if each["kind"] == "kubeconfig"
    ]  # fmt: skip
    assert listed["description"] == "laptop"
    assert listed["name"] == whoami.json["name"]
    assert user["user"]["token"].encode() not in browser.send("GET", "/auth/tokens").body


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"ttlSeconds": 0}, 422), ({"ttlSeconds": 10**9}, 422), (
        {"ttlSeconds": 60, "kind": "api"}, 422)],
)  # fmt: skip
def test_a_kubeconfig_has_an_end(browser, body, status):
    """As every token has."""
    browser.sign_in()
    assert browser.send("POST", "/auth/kubeconfig", body).status == status


@pytest.mark.parametrize("host", ["", "a b", "a/b", "x:y", "a\u00e9", "x@y", "evil.test#"])
def test_a_kubeconfig_names_a_real_host(browser, host):
    """What no URL can hold makes no token either."""
    token = browser.send("POST", "/auth/login", LOGIN | {"cookie": False}).json["token"]
    answer = browser.send(
        "POST", "/auth/kubeconfig", {"ttlSeconds": 60}, Host=host, Authorization=f"Bearer {token}"
    )
    assert answer.status == 400
    assert len(browser.world.tokens.of_user("alice")) == 1
