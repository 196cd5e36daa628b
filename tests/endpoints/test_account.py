"""``/auth/…`` over HTTP, with real accounts behind it."""

import asyncio

import orjson
import pytest

from authentication.objects import World
from llmos.apimachinery.errors import (
    BadRequestError,
    ForbiddenError,
    InvalidError,
    MethodNotAllowedError,
    NotFoundError,
    RequestEntityTooLargeError,
    StatusError,
    TooManyRequestsError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
)
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Decision
from llmos.authentication.authenticator import Union, authenticate, read_credentials
from llmos.authentication.static_tokens import StaticTokens
from llmos.endpoints.account import (
    AccountServices,
    account_routes,
    handle_account,
    is_account_path,
)
from llmos.endpoints.http import Request
from llmos.endpoints.requestinfo import parse_request

PASSWORD = "correct horse battery"
LOGIN_PATH = "/auth/login"
LOGIN = {"username": "alice", "password": PASSWORD}


class Rules:
    """Allows what stands in a set of (user, verb, subresource, name)."""

    def __init__(self):
        self.allowed = set()

    def authorize(self, attributes):
        """Decide."""
        assert (attributes.group, attributes.resource) == ("management.llmos.ai", "users")
        asked = (attributes.user.name, attributes.verb, attributes.subresource, attributes.name)
        return Decision(asked in self.allowed)


class Site:
    """A server with the users alice, bob and root, as clients see it."""

    def __init__(self):
        self.world = World(admins={"root"})
        self.rules = Rules()
        self.services = AccountServices(
            self.world.accounts,
            self.rules,
            lambda actor, name: actor.is_admin or name not in self.world.admins,
        )
        robots = StaticTokens.parse("robot,robot,1")
        self.authenticator = Union([robots, self.world.tokens])
        for name in ("alice", "bob", "root"):
            asyncio.run(self.world.add_user(name, PASSWORD))
        self.read = 0

    async def answer(self, method, target, body=None, token=None, **more):
        """The response to a request; refusals come up as errors."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        path, _, query = target.partition("?")
        headers = [(b"content-type", more.get("media_type", "application/json").encode())]
        if token:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        chunks = [raw[each : each + 16384] for each in range(0, len(raw), 16384)] or [b""]

        async def receive():
            self.read += len(chunks[0])
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "client": ("10.0.0.1", 1),
        }
        request = Request(scope, receive)
        request.info = parse_request(method, path.encode(), request.query)
        credentials = read_credentials(request.header_values("authorization"))
        request.identity = authenticate(credentials, self.authenticator)
        request.authenticated = request.user = request.identity.user
        if "as_user" in more:
            request.user = UserInfo(more["as_user"])
        return await handle_account(request, self.services)

    def call(self, *args, **more):
        """The JSON of an answer that is no refusal."""
        response = asyncio.run(self.answer(*args, **more))
        assert (b"cache-control", b"no-store") in response.headers
        return orjson.loads(response.body) if response.body else None

    def refusal(self, *args, **more):
        """The error of a request that must be refused; it repeats no secret."""
        with pytest.raises(StatusError) as caught:
            asyncio.run(self.answer(*args, **more))
        assert PASSWORD not in str(caught.value.status())
        return caught.value

    def login(self, name="alice"):
        """A session's token."""
        return self.call("POST", LOGIN_PATH, {**LOGIN, "username": name})["token"]


@pytest.fixture
def site():
    """A site of its own."""
    return Site()


def test_login_answers_a_session(site):
    """The answer holds the token and when it ends."""
    answer = site.call("POST", LOGIN_PATH, LOGIN)
    assert answer["user"] == "alice"
    assert answer["token"].startswith(answer["name"] + ":")
    assert answer["mustChangePassword"] is False
    assert answer["expiresAt"] == "2023-11-15T10:13:20Z"
    short = site.call("POST", LOGIN_PATH, {**LOGIN, "ttlSeconds": 60})
    assert short["expiresAt"] == "2023-11-14T22:14:20Z"


def test_whoami_says_who_and_never_the_token(site):
    """User, kind and end of the session."""
    token = site.login()
    answer = site.call("GET", "/auth/whoami", token=token)
    assert answer["user"]["username"] == "alice"
    assert answer["user"]["groups"] == ["llmos:users", "system:authenticated"]
    assert answer["kind"] == "session"
    assert answer["name"] == token.split(":")[0]
    assert token.split(":")[1] not in str(answer)


EVERY_OTHER = [
    (method, path.replace("*", "x"))
    for path, methods in account_routes().items()
    for method in methods
    if path not in (LOGIN_PATH, "/auth/session")
]


@pytest.mark.parametrize(("method", "path"), [*EVERY_OTHER, ("GET", "/auth"), ("GET", "/auth/x")])
def test_everything_else_needs_a_user_of_llmos(site, method, path):
    """Anonymous gets 401, a robot and an impersonator 403, before a body is looked at."""
    site.read = 0
    body = b"x" * 100_000
    assert isinstance(site.refusal(method, path, body), UnauthorizedError)
    assert isinstance(site.refusal(method, path, body, "robot"), ForbiddenError)
    assert site.read == 0
    token = site.login("root")
    assert isinstance(site.refusal(method, path, body, token, as_user="bob"), ForbiddenError)


def test_the_question_for_a_session_is_refused_to_whoever_is_no_user_of_llmos(site):
    """To all but nobody, who has none."""
    assert isinstance(site.refusal("GET", "/auth/session", b"", "robot"), ForbiddenError)
    token = site.login("root")
    assert isinstance(
        site.refusal("GET", "/auth/session", b"", token, as_user="bob"), ForbiddenError
    )


def test_bad_token_is_401_also_at_the_login(site):
    """A credential that is not good is refused before anything else."""
    error = site.refusal("POST", LOGIN_PATH, LOGIN, "token-x:wrong")
    assert isinstance(error, UnauthorizedError)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", BadRequestError),
        (b"{", BadRequestError),
        (b"[]", BadRequestError),
        (b'"x"', BadRequestError),
        (b"[" * 50_000, BadRequestError),
        (b'{"a":' * 10_000, BadRequestError),
        ({}, InvalidError),
        ({"username": "alice"}, InvalidError),
        ({**LOGIN, "isAdmin": True}, InvalidError),
        ({**LOGIN, "password": 7}, InvalidError),
        ({**LOGIN, "username": None}, InvalidError),
        ({**LOGIN, "ttlSeconds": "60"}, InvalidError),
        ({**LOGIN, "ttlSeconds": True}, InvalidError),
        ({**LOGIN, "ttlSeconds": 0}, InvalidError),
        ({**LOGIN, "newPassword": "short"}, InvalidError),
        ({**LOGIN, "password": "wrong"}, UnauthorizedError),
    ],
)
def test_login_bodies_are_strict(site, body, error):
    """Only an object with the known fields of their types is a login."""
    refused = site.refusal("POST", LOGIN_PATH, body)
    assert type(refused) is error
    if error is InvalidError:
        assert refused.details["causes"][0]["field"]


def test_login_body_is_limited(site):
    """What is over 64 KiB is refused after 64 KiB, and no other media type is read."""
    site.read = 0
    error = site.refusal("POST", LOGIN_PATH, b"x" * 10_000_000)
    assert isinstance(error, RequestEntityTooLargeError)
    assert site.read <= 65536 + 16384
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        error = site.refusal("POST", LOGIN_PATH, LOGIN, media_type=media_type)
        assert isinstance(error, UnsupportedMediaTypeError)
    asyncio.run(
        site.answer("POST", LOGIN_PATH, LOGIN, media_type="application/json; charset=utf-8")
    )


def test_guessing_is_429_with_a_time(site):
    """The answer says when to come back."""
    for _ in range(5):
        site.refusal("POST", LOGIN_PATH, {**LOGIN, "password": "wrong"})
    error = site.refusal("POST", LOGIN_PATH, LOGIN)
    assert isinstance(error, TooManyRequestsError)
    assert error.retry_after == 1


def test_logout_needs_the_key_and_ends_the_session(site):
    """Knowing a session's name ends nothing; its holder ends it."""
    token = site.login()
    name = token.split(":")[0]
    error = site.refusal("POST", "/auth/logout", token=f"{name}:wrong")
    assert isinstance(error, UnauthorizedError)
    assert site.call("GET", "/auth/whoami", token=token)
    assert site.call("POST", "/auth/logout", token=token) is None
    assert isinstance(site.refusal("GET", "/auth/whoami", token=token), UnauthorizedError)


def test_own_password_is_changed(site):
    """Wrong current 403, weak new 422, none 422; then the new one holds, and only for oneself."""
    token = site.login()

    def change(**body):
        return ("PUT", "/auth/password?name=bob", body, token)

    new = "another password"
    wrong = site.refusal(*change(currentPassword="wrong", newPassword=new))
    assert isinstance(wrong, ForbiddenError)
    for body in (
        {"newPassword": new},
        {"currentPassword": PASSWORD, "newPassword": "alice"},
        {"currentPassword": PASSWORD, "newPassword": ""},
        {"currentPassword": PASSWORD, "newPassword": new, "name": "bob"},
    ):
        assert isinstance(site.refusal(*change(**body)), InvalidError)
    assert site.call(*change(currentPassword=PASSWORD, newPassword=new)) is None
    assert site.call("POST", LOGIN_PATH, {"username": "alice", "password": new})
    assert site.login("bob")


def test_tokens_are_made_listed_and_deleted(site):
    """A token is shown once; the list names it; deleting it ends it."""
    session = site.login()
    body = {"ttlSeconds": 60, "description": "ci"}
    made = site.call("POST", "/auth/tokens", body, session)
    assert (made["kind"], made["description"], made["user"]) == ("api", "ci", "alice")
    assert site.call("GET", "/auth/whoami", token=made["token"])["kind"] == "api"
    listed = site.call("GET", "/auth/tokens", token=session)["items"]
    assert {each["name"] for each in listed} == {made["name"], session.split(":")[0]}
    assert all(
        set(each) == {"name", "user", "kind", "description", "createdAt", "expiresAt"}
        for each in listed
    )
    assert site.call("DELETE", f"/auth/tokens/{made['name']}", token=session) is None
    error = site.refusal("GET", "/auth/whoami", token=made["token"])
    assert isinstance(error, UnauthorizedError)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ttlSeconds": 0},
        {"ttlSeconds": -5},
        {"ttlSeconds": 10**12},
        {"ttlSeconds": 60.5},
        {"ttlSeconds": None},
        {"ttlSeconds": 60, "kind": "session"},
        {"ttlSeconds": 60, "user": "root"},
        {"ttlSeconds": 60, "userId": "root", "token": "known"},
        {"ttlSeconds": 60, "name": "token-x"},
    ],
)
def test_tokens_have_an_end_and_no_chosen_user_or_key(site, body):
    """Life is required and bounded; user, name and key are the server's."""
    error = site.refusal("POST", "/auth/tokens", body, site.login())
    assert isinstance(error, InvalidError)


def test_tokens_of_others_need_rights(site):
    """Without rights 403; with them listed and deleted, but never those of one with more rights."""
    bobs, roots = site.login("bob"), site.login("root")
    name = bobs.split(":")[0]
    alice = site.login()
    for method, path in (
        ("GET", "/auth/tokens?user=bob"),
        ("GET", "/auth/tokens?user=nobody"),
        ("DELETE", f"/auth/tokens/{name}?user=bob"),
    ):
        assert isinstance(site.refusal(method, path, token=alice), ForbiddenError)
    assert isinstance(site.refusal("DELETE", f"/auth/tokens/{name}", token=alice), NotFoundError)
    site.rules.allowed |= {
        ("alice", verb, "tokens", user) for verb in ("list", "delete") for user in ("bob", "root")
    }
    (item,) = site.call("GET", "/auth/tokens?user=bob", token=alice)["items"]
    assert item["name"] == name
    root_name = roots.split(":")[0]
    error = site.refusal("DELETE", f"/auth/tokens/{root_name}?user=root", token=alice)
    assert isinstance(error, ForbiddenError)
    error = site.refusal("DELETE", f"/auth/tokens/{root_name}?user=bob", token=alice)
    assert isinstance(error, NotFoundError)
    assert site.call("GET", "/auth/whoami", token=roots)
    assert site.call("DELETE", f"/auth/tokens/{name}?user=bob", token=alice) is None
    assert isinstance(site.refusal("GET", "/auth/whoami", token=bobs), UnauthorizedError)


def test_passwords_of_others_need_rights(site):
    """RBAC and the rank decide; who may not learns nothing; one's own goes elsewhere."""
    alice = site.login()
    path = "/auth/users/bob/password"
    body = {"newPassword": "given password"}
    assert isinstance(site.refusal("PUT", path, body, alice), ForbiddenError)
    site.rules.allowed |= {
        ("alice", "update", "password", name) for name in ("bob", "root", "nobody", "alice")
    }
    for name, error in (
        ("root", ForbiddenError),
        ("alice", ForbiddenError),
        ("nobody", NotFoundError),
    ):
        refused = site.refusal("PUT", f"/auth/users/{name}/password", body, alice)
        assert isinstance(refused, error)
    weak = site.refusal("PUT", path, {"newPassword": "bob"}, alice)
    assert isinstance(weak, InvalidError)
    assert site.call("PUT", path, body, alice) is None
    login = {"username": "bob", "password": "given password"}
    assert site.call("POST", LOGIN_PATH, login)["mustChangePassword"] is True
    site.call("PUT", path, {**body, "mustChange": False}, alice)
    assert site.call("POST", LOGIN_PATH, login)["mustChangePassword"] is False
    once = site.call("PUT", path, {}, alice)["oneTimePassword"]
    answer = site.call(
        "POST",
        LOGIN_PATH,
        {"username": "bob", "password": once, "newPassword": "bob's own password"},
    )
    assert answer["mustChangePassword"] is False


def test_unknown_paths_and_methods(site):
    """A path that is none is 404, another method 405."""
    token = site.login()
    for path in ("/auth", "/auth/nope", "/auth/tokens/a/b", "/auth/users/bob", "/auth/login/x"):
        assert isinstance(site.refusal("GET", path, token=token), NotFoundError)
    for method, path in (
        ("GET", "/auth/logout"),
        ("PATCH", "/auth/tokens"),
        ("PUT", LOGIN_PATH),
    ):
        assert isinstance(site.refusal(method, path, token=token), MethodNotAllowedError)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        (LOGIN_PATH, True),
        ("/auth", True),
        ("/authx", False),
        ("/v1-public/auth", False),
        ("/api/v1/namespaces", False),
    ],
)
def test_paths_below_auth_are_ours(path, ours):
    """The legacy paths of LLMOS are nobody's."""
    assert is_account_path(path) is ours


def test_no_error_repeats_a_secret(site):
    """Whatever is wrong, neither password nor token comes back."""
    token = site.login()
    secret = "CANARY-sekret"
    for args in (
        ("POST", LOGIN_PATH, {"username": "alice", "password": secret}),
        (
            "POST",
            LOGIN_PATH,
            {"username": "alice", "password": PASSWORD, "newPassword": "CANARY"},
        ),
        ("POST", LOGIN_PATH, {"username": secret, "password": [secret]}),
        ("POST", LOGIN_PATH, (secret * 3).encode()),
        ("PUT", "/auth/password", {"currentPassword": secret, "newPassword": secret}, token),
        ("GET", "/auth/whoami", None, f"{token.split(':')[0]}:{secret}"),
    ):
        assert "CANARY" not in str(site.refusal(*args).status())
