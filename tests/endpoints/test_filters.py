"""The filters one by one, their order, and what an open stream asks again."""

import asyncio

import pytest

from endpoints.exchange import receiver, scope_of
from llmos.apimachinery.errors import (
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    StatusError,
    UnauthorizedError,
)
from llmos.apis.authentication_v1 import MASTERS_GROUP, USERS_GROUP, UserInfo
from llmos.apis.authorization_v1 import DENIED, Decision
from llmos.authentication.authenticator import Identity
from llmos.endpoints.browsers import COOKIE, csrf_token
from llmos.endpoints.filters import MAX_TARGET, Gate, attributes_of
from llmos.endpoints.http import Request
from llmos.endpoints.narrowing import Narrowing, View
from llmos.endpoints.requestinfo import parse_request

CM = "/api/v1/namespaces/a/configmaps"
SETTABLE = ("info", "identity", "authenticated", "user", "visible")


class Site:
    """Tokens, rights and visible namespaces, as a test wants them."""

    def __init__(self):
        self.users = {
            "root": UserInfo("root", groups=(MASTERS_GROUP,)),
            "alice": UserInfo("alice", groups=(USERS_GROUP,)),
            "robot": UserInfo("robot"),
        }
        self.allowed = set()
        self.visible = frozenset({"a"})
        self.gate = Gate(self, self, Narrowing(self, lambda info: info.resource == "configmaps"))

    def authenticate(self, bearer):
        """Whose token it is."""
        user = self.users.get(bearer)
        return user and Identity(user, "token-file")

    def authorize(self, attributes):
        """Masters may everything, others what stands in the set."""
        asked = (attributes.user.name, attributes.verb, attributes.resource or attributes.path)
        allowed = MASTERS_GROUP in attributes.user.groups or asked in self.allowed
        return Decision(allowed=True) if allowed else DENIED

    def visible_namespaces(self, user, verb, group, resource):
        """Where a user may do something."""
        return self.visible

    def request(self, method="GET", target=CM, token="root", **headers):
        """A request on its way in."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(scope_of(method, target, named), receiver())

    def passed(self, *args, **more):
        """A request that passed every filter."""
        request = self.request(*args, **more)
        asyncio.run(self.run(request))
        return request

    async def run(self, request):
        """Run the filters."""
        for each in self.gate.filters:
            await each(request)


@pytest.fixture
def site():
    """A new site."""
    return Site()


def state(request):
    """What has been set, by attribute."""
    return {name: getattr(request, name, "unset") for name in SETTABLE}


def test_filters_run_in_reading_order_and_each_sets_its_own(site):
    """Read, authenticate, impersonate, authorize: nobody writes what is another's."""
    request = site.request(Impersonate_User="alice")
    before = state(request)
    changes = []
    for each in site.gate.filters:
        site.allowed = {("alice", "list", "configmaps")}
        asyncio.run(each(request))
        after = state(request)
        changes.append((each.__name__, {name for name in SETTABLE if after[name] != before[name]}))
        before = after
    assert changes == [
        ("read", {"info"}),
        ("authenticate", {"identity", "authenticated", "user"}),
        ("impersonate", {"user"}),
        ("authorize", set()),
    ]
    assert (request.user.name, request.authenticated.name) == ("alice", "root")


def refusals(site):
    """Each filter with a request that it refuses."""
    return [
        (site.request(target="/api/v1/../x"), 0, BadRequestError),
        (site.request(target="/api/v1//x"), 0, NotFoundError),
        (site.request(token="nobody"), 1, UnauthorizedError),
        (site.request(token="robot", Impersonate_User="root"), 2, ForbiddenError),
        (site.request(Impersonate_Group="x"), 2, BadRequestError),
        (site.request(token="robot"), 3, ForbiddenError),
    ]


@pytest.mark.parametrize("case", range(6))
def test_a_filter_refuses_and_sets_nothing(site, case):
    """The request is as the filters before left it."""
    request, index, error = refusals(site)[case]
    for each in site.gate.filters[:index]:
        asyncio.run(each(request))
    before = state(request)
    with pytest.raises(error):
        asyncio.run(site.gate.filters[index](request))
    after = state(request)
    assert {**after, "visible": None} == {**before, "visible": None}
    assert after["visible"] is None


@pytest.mark.parametrize(
    ("target", "refused"),
    [
        ("/" + "a" * (MAX_TARGET - 1), False),
        ("/" + "a" * MAX_TARGET, True),
        (f"/a?{'b' * MAX_TARGET}", True),
        (f"/a?{'&' * (MAX_TARGET - 10)}", True),
        ("/a?" + "&".join("k=" for _ in range(5000)), True),
    ],
)
def test_long_targets_are_refused_before_anything_else(site, target, refused):
    """A request line that no client sends honestly is a 400 (URL-21)."""
    request = site.request(target=target, token="")
    if not refused:
        asyncio.run(site.gate.read(request))
        return
    with pytest.raises(BadRequestError):
        asyncio.run(site.run(request))


def test_no_credential_is_anonymous(site):
    """Who brings no credential is the anonymous user, and may what everybody may."""
    site.allowed = {("system:anonymous", "get", "/version")}
    assert site.passed(target="/version", token="").user.name == "system:anonymous"


def test_account_paths_ask_no_authorization(site):
    """Signing in needs no rights; the handlers there decide for themselves."""
    assert site.passed("POST", "/auth/login", token="").visible is None
    with pytest.raises(ForbiddenError):
        site.passed("POST", "/authx", token="")


def test_a_refused_list_is_narrowed_for_users_of_llmos(site):
    """A user sees his part; a robot is refused; who may see all is not narrowed."""
    target = "/api/v1/configmaps"
    assert site.passed(target=target, token="alice").visible == View(frozenset({"a"}))
    with pytest.raises(ForbiddenError):
        site.passed(target=target, token="robot")
    site.allowed = {("alice", "list", "configmaps")}
    assert site.passed(target=target, token="alice").visible is None


@pytest.mark.parametrize(
    ("method", "target", "text"),
    [
        (
            "GET",
            CM,
            'configmaps is forbidden: User "robot" cannot list resource "configmaps"',
        ),
        ("DELETE", f"{CM}/x", 'configmaps "x" is forbidden: User "robot" cannot delete resource'),
        ("GET", f"{CM}?fieldSelector=metadata.name=x", "configmaps is forbidden: "),
        ("GET", "/metrics", 'forbidden: User "robot" cannot get path "/metrics"'),
        ("GET", f"{CM}/x/status", 'cannot get resource "configmaps/status" in API group ""'),
    ],
)
def test_a_refusal_reads_as_kubernetes_words_it(site, method, target, text):
    """Named requests name the object, those that take a name from a selector do not."""
    with pytest.raises(ForbiddenError) as caught:
        site.passed(method, target, token="robot")
    assert text in caught.value.message


def test_attributes_are_the_requests(site):
    """Authorization is asked about exactly what the request line says."""
    info = parse_request("PUT", b"/apis/apps/v1/namespaces/a/deployments/d/scale", {})
    asked = attributes_of(UserInfo("u"), info)
    assert (asked.verb, asked.group, asked.version, asked.path) == ("update", "apps", "v1", "")
    assert (asked.resource, asked.subresource) == ("deployments", "scale")
    assert (asked.namespace, asked.name) == ("a", "d")


def test_an_apply_that_creates_needs_the_right_to_create(site):
    """Who may patch and not create is refused where nothing is there yet."""
    site.allowed = {("robot", "patch", "configmaps")}
    request = site.passed("PATCH", f"{CM}/x", token="robot")
    with pytest.raises(ForbiddenError, match="cannot create"):
        site.gate.creation_check(request)()
    site.allowed.add(("robot", "create", "configmaps"))
    site.gate.creation_check(request)()


def still(site, request):
    """Whether an open stream may go on."""
    return asyncio.run(site.gate.still_allowed(request))


def test_an_open_stream_goes_on_while_nothing_changes(site):
    """What was allowed is allowed."""
    request = site.passed(target="/api/v1/configmaps", token="alice")
    assert still(site, request)
    assert request.visible == View(frozenset({"a"}))


def test_a_slow_body_is_asked_about_again(site, monkeypatch):
    """Rights that ended while a body came in count no more; a quick one is not asked about."""

    async def read(request):
        site.allowed.clear()
        return await request.body()

    for slow, outcome in ((3600.0, b""), (-1.0, None)):
        monkeypatch.setattr("llmos.endpoints.http.SLOW_BODY_SECONDS", slow)
        site.allowed = {("robot", "create", "configmaps")}
        request = site.passed("POST", token="robot")
        if outcome is None:
            with pytest.raises(ForbiddenError, match="cannot create"):
                asyncio.run(read(request))
        else:
            assert asyncio.run(read(request)) == outcome


def test_who_has_other_groups_after_a_slow_body_is_refused(site, monkeypatch):
    """What the change is decided by must still be true."""
    monkeypatch.setattr("llmos.endpoints.http.SLOW_BODY_SECONDS", -1.0)
    request = site.passed("POST")
    site.users["root"] = UserInfo("root", groups=(MASTERS_GROUP, "more"))
    with pytest.raises(ForbiddenError, match="has changed"):
        asyncio.run(request.body())


def test_a_stream_ends_with_its_credential(site):
    """A token that is revoked ends what it opened."""
    request = site.passed()
    site.users.clear()
    assert not still(site, request)


def test_a_stream_ends_with_its_right(site):
    """A right that is taken away ends what it allowed."""
    site.allowed = {("robot", "watch", "configmaps")}
    request = site.passed(target=f"{CM}?watch=true", token="robot")
    site.allowed.clear()
    assert not still(site, request)


def test_a_stream_ends_with_the_right_to_impersonate(site):
    """Whoever may not be somebody else any more does not go on as him."""
    site.allowed = {("robot", "impersonate", "users"), ("x", "watch", "configmaps")}
    request = site.passed(target=f"{CM}?watch=true", token="robot", Impersonate_User="x")
    assert still(site, request)
    site.allowed.discard(("robot", "impersonate", "users"))
    assert not still(site, request)


def test_a_stream_ends_when_its_sender_is_somebody_else(site):
    """Another identity of the same token, with other groups, opens a new stream."""
    request = site.passed(token="root")
    site.users["root"] = UserInfo("root", groups=(MASTERS_GROUP, "more"))
    assert not still(site, request)


def test_a_stream_narrows_and_widens_with_the_rights(site):
    """The view of an open stream is always the one of this moment."""
    request = site.passed(target="/api/v1/configmaps?watch=true", token="alice")
    site.visible = frozenset({"a", "b"})
    assert still(site, request)
    assert request.visible == View(frozenset({"a", "b"}))
    site.allowed = {("alice", "watch", "configmaps")}
    assert still(site, request)
    assert request.visible is None


def test_refusals_are_status_errors(site):
    """No filter fails in any other way, whatever the header bytes are."""
    request = site.request(token="")
    request.raw_headers = [(b"authorization", b"\xff\xfe"), (b"impersonate-user", b"\xff")]
    with pytest.raises(StatusError):
        asyncio.run(site.run(request))


class Browser(Site):
    """Alice has a browser's session, besides a token."""

    SESSION = "token-abcde:key"
    API_TOKEN = "token-fghij:key"
    OWN = "https://llmos.example"

    def __init__(self):
        super().__init__()
        self.used = []
        self.must_change = False
        self.gate = Gate(self, self, Narrowing(self, lambda info: False), use=self.used.append)
        self.allowed = {("alice", verb, "configmaps") for verb in ("list", "create", "watch")}

    def authenticate(self, bearer):
        """The session, or what a token gives."""
        if bearer == self.SESSION:
            alice = self.users.get("alice")
            return alice and Identity(
                alice, "session", "token-abcde", browser=True, must_change_password=self.must_change
            )
        identity = super().authenticate("alice" if bearer == self.API_TOKEN else bearer)
        if identity is not None and self.must_change:
            return Identity(identity.user, "session", must_change_password=True)
        return identity

    def passed_by_cookie(self, method="GET", target=CM, session=SESSION, **headers):
        """A request of our own page that passed every filter."""
        ours = {
            "Host": "llmos.example",
            "Origin": self.OWN,
            "X_CSRF_Token": csrf_token(self.SESSION),
            "Cookie": f"{COOKIE}={session}",
        }
        sent = {name: each for name, each in (ours | headers).items() if each is not None}
        return self.passed(method, target, **({"token": ""} | sent))


@pytest.fixture
def browser():
    """A new site with a browser."""
    return Browser()


def test_a_cookie_says_who_asks(browser):
    """As a token does, to our own page."""
    for method in ("GET", "POST"):
        request = browser.passed_by_cookie(method)
        assert request.user.name == "alice"
        assert request.identity.browser


def test_a_cookie_is_no_proof_of_who_wants_a_change(browser):
    """Another page is refused, whatever the user may."""
    for odd in ({"X_CSRF_Token": None}, {"Origin": None}, {"Origin": "null"}):
        with pytest.raises(ForbiddenError):
            browser.passed_by_cookie("POST", **odd)
    assert not browser.used, "what is refused is no use"


@pytest.mark.parametrize(
    "session", ["", "token-abcde", "token-abcde:", "token-abcde:x", "garbage", Browser.API_TOKEN]
)
def test_a_bad_cookie_is_401(browser, session):
    """It is never nobody; nor is a token that is no browser's good as a cookie."""
    assert browser.passed(token=Browser.API_TOKEN).user.name == "alice"
    with pytest.raises(UnauthorizedError):
        browser.passed_by_cookie(session=session)


def test_a_session_of_a_browser_is_no_bearer_token(browser):
    """What was stolen from a browser's cookies needs the browser's proofs."""
    with pytest.raises(UnauthorizedError):
        browser.passed(token=browser.SESSION)


def test_the_header_alone_counts_where_both_come(browser):
    """Whether it is good, bad, of another scheme or empty: the cookie is not looked at."""
    request = browser.passed_by_cookie("POST", token="root", Origin=None, X_CSRF_Token=None)
    assert request.user.name == "root"
    with pytest.raises(UnauthorizedError):
        browser.passed_by_cookie(token="garbage")
    with pytest.raises(UnauthorizedError):
        browser.passed_by_cookie(Authorization="Bearer")
    for nobody in ("Basic YTpi", "Bearer "):
        with pytest.raises(ForbiddenError, match="system:anonymous"):
            browser.passed_by_cookie(Authorization=nobody)


def test_who_signs_in_is_nobody_yet(browser):
    """A cookie of a session that is over keeps nobody from signing in again."""
    request = browser.passed_by_cookie("POST", "/auth/login", session="over", Origin=None)
    assert request.user.name == "system:anonymous"


def test_a_request_is_a_use_and_a_watch_is_none(browser):
    """Neither is an open stream that asks whether it may go on; nor what comes with a token."""
    browser.passed_by_cookie()
    assert browser.used == ["token-abcde"]
    request = browser.passed_by_cookie(target=f"{CM}?watch=1")
    assert still(browser, request)
    browser.passed()
    assert browser.used == ["token-abcde"]
    request = browser.passed_by_cookie("POST")
    assert still(browser, request)
    assert browser.used == ["token-abcde"] * 2


def test_a_stream_by_cookie_ends_with_its_session(browser):
    """As one by a token."""
    request = browser.passed_by_cookie(target=f"{CM}?watch=1")
    assert still(browser, request)
    browser.must_change = True
    assert not still(browser, request)
    browser.must_change = False
    browser.users.clear()
    assert not still(browser, request)


def test_a_given_password_opens_nothing_but_its_own_change(browser):
    """By cookie and by token: everything but the account's own few paths is 403."""
    browser.must_change = True
    for method, path in (
        ("GET", "/auth/whoami"), ("PUT", "/auth/password"), ("POST", "/auth/logout"),
    ):  # fmt: skip
        assert browser.passed_by_cookie(method, path).user.name == "alice"
        assert browser.passed(method, path, token="alice").user.name == "alice"
    for method, path in (
        ("GET", CM), ("POST", CM), ("GET", "/auth/tokens"), ("POST", "/auth/tokens"),
        ("GET", "/version"), ("GET", "/"), ("POST", "/auth/kubeconfig"), ("GET", "/auth/whoami/x"),
        ("PUT", "/auth/users/bob/password"),
    ):  # fmt: skip
        for passed in (browser.passed_by_cookie, browser.passed):
            with pytest.raises(ForbiddenError, match="password must be changed first"):
                passed(method, path)
