"""The web page over HTTP: what is answered without signing in, and what never is."""

import asyncio
import gzip

import pytest

from endpoints.exchange import Answer, answer_of, receiver, request_of, scope_of
from llmos.apimachinery.errors import UnauthorizedError
from llmos.endpoints.pages import Pages
from llmos.endpoints.pipeline import Pipeline
from llmos.web import File

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
SCRIPT = b"let a = 1;" * 200
SITE = {
    "index.html": File(b"<p>", "text/html; charset=utf-8"),
    "assets/a-1.js": File(SCRIPT, "text/javascript; charset=utf-8", gzip.compress(SCRIPT)),
    "assets/b-1.css": File(b"p {}", "text/css; charset=utf-8"),
    "favicon.svg": File(b"<svg>", "image/svg+xml"),
}


def answer(path="/ui/", method="GET", site=SITE, **headers) -> Answer:
    """What a server with the page answers; behind it everybody has to sign in."""

    async def refuse(request):
        raise UnauthorizedError

    async def never(request):
        raise AssertionError

    app = Pipeline([refuse], never, lambda: 0.0, pages=Pages(lambda: site))
    named = {name.replace("_", "-"): each for name, each in headers.items()}
    return answer_of(app, scope_of(method, path, named))


def policy(found: Answer) -> dict[str, str]:
    """The directives of the content security policy."""
    (text,) = found.headers["content-security-policy"]
    return dict(each.strip().partition(" ")[::2] for each in text.split(";"))


@pytest.mark.parametrize(
    "path",
    ["/ui/", "/ui/signin", "/ui/advanced/namespaces", "/ui/namespaces/team.a", "/ui/x/?a=b",
     "/ui/index.html", "/ui/api/v1/secrets", "/ui/x.css", "/ui/%3Cscript%3E", "/ui/a%20b"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_route_is_the_document(path, method):
    """Which route it is, the page sees for itself; no cache keeps it."""
    found = answer(path, method)
    assert found.status == 200
    assert found.headers["content-type"] == ["text/html; charset=utf-8"]
    assert found.headers["cache-control"] == ["no-store"]
    assert found.body.endswith(b"<p>")


def test_hashed_files_are_kept_for_ever():
    """Their name says their content; others are asked for again."""
    found = answer("/ui/assets/b-1.css")
    assert (found.status, found.body) == (200, b"p {}")
    assert found.headers["content-type"] == ["text/css; charset=utf-8"]
    assert found.headers["cache-control"] == ["public, max-age=31536000, immutable"]
    other = answer("/ui/favicon.svg")
    assert other.headers["cache-control"] == ["public, max-age=3600"]


def test_who_takes_gzip_gets_it():
    """Compressed once, when the page was built; caches keep both apart."""
    path = "/ui/assets/a-1.js"
    packed = answer(path, accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == ["gzip"]
    assert gzip.decompress(packed.body) == SCRIPT
    plain = answer(path)
    assert plain.body == SCRIPT
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == ["Accept-Encoding"]
    for each in (packed, plain):
        assert each.headers["content-length"] == [str(len(each.body))]


@pytest.mark.parametrize("path", ["/ui/assets/a-2.js", "/ui/assets/a-1.js.gz"])
def test_a_file_that_is_not_there_is_no_document(path):
    """A script that is missing is a 404, and no cache keeps that for it."""
    found = answer(path)
    assert found.status == 404
    assert found.json["kind"] == "Status"
    assert found.headers["cache-control"] == ["no-store"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ui/..%2f..%2fapi/v1/namespaces", 400),
        ("/ui/../api/v1/namespaces", 400),
        ("/ui/%2e%2e/api/v1/namespaces", 400),
        ("/ui/x/..%2f..%2fapi/v1/namespaces", 400),
        ("/ui/assets/..%5c..%5capi", 400),
        ("/ui/assets/%2e/a-1.js", 400),
        ("/ui/%00", 400),
        ("/ui/%zz", 400),
        ("/ui/%ff", 400),
        ("/ui//x", 404),
        ("/ui//evil.test", 404),
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_refused(path, status):
    """Nobody walks out of the page's own paths, nor makes a cache keep what is not the page's."""
    found = answer(path)
    assert found.status == status
    assert found.json["kind"] == "Status"
    assert found.headers["cache-control"] == ["no-store"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_the_page_is_only_read(method):
    """Anything else is 405."""
    assert answer("/ui/", method).status == 405
    assert answer("/ui/assets/a-1.js", method).status == 405


@pytest.mark.parametrize(
    "path",
    ["/uix", "/ui2/", "/UI/", "/u", "/api/v1/namespaces", "/api/ui/", "/apis/ui/v1", "//ui/",
     "/%75i/", "/ui%2f", "/index.html", "/assets/a-1.js", "/favicon.svg", "/auth/login", "/version",
     "/dashboard/x/..%2f..%2fapi/v1/namespaces"],
)  # fmt: skip
def test_nothing_else_is_the_page(path):
    """Also for a browser: the API's own filters and refusals."""
    for accept in (HTML, "*/*"):
        found = answer(path, accept=accept)
        assert found.status == 401
        assert found.headers["content-type"] == ["application/json"]


def test_a_browser_at_the_root_is_led_to_the_page():
    """Clients of the API get the API's answer there, as every method that changes does."""
    for path in ("/", "/ui"):
        found = answer(path, accept=HTML)
        assert (found.status, found.headers["location"]) == (302, ["/ui/"])
        assert found.headers["cache-control"] == ["no-store"]
    assert answer("/", "HEAD", accept=HTML).status == 302
    assert answer("/?next=//evil.test", accept=HTML).headers["location"] == ["/ui/"]
    for accept in ("application/json", "*/*", ""):
        assert answer("/", accept=accept).status == 401
    assert answer("/").status == 401
    assert answer("/", "POST", accept=HTML).status == 401
    assert answer("/", accept=HTML).headers["vary"] == ["Accept"]


ANSWERS = [
    ("/ui/", "GET"), ("/ui/assets/a-1.js", "GET"), ("/ui/favicon.svg", "GET"), ("/ui", "GET"),
    ("/", "GET"), ("/ui/assets/none.js", "GET"), ("/ui/%00", "GET"), ("/ui/", "POST"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "method"), ANSWERS)
def test_no_other_page_may_use_ours(path, method):
    """Nobody frames it, guesses its types, shares its window or hears where one came from."""
    headers = answer(path, method, accept=HTML).headers
    assert {name: headers[name] for name in headers if name in EXPECTED} == EXPECTED
    directives = policy(answer(path, method, accept=HTML))
    assert directives["frame-ancestors"] == "'none'"
    assert directives["default-src"] == "'none'"


EXPECTED = {
    "cross-origin-opener-policy": ["same-origin"],
    "cross-origin-resource-policy": ["same-origin"],
    "permissions-policy": ["camera=(), geolocation=(), microphone=(), payment=(), usb=()"],
    "referrer-policy": ["no-referrer"],
    "x-content-type-options": ["nosniff"],
    "x-frame-options": ["DENY"],
}


@pytest.mark.parametrize("path", ["/ui/", "/ui/assets/a-1.js", "/ui/assets/none.js", "/ui"])
def test_the_policy_allows_our_own_files_and_nothing_else(path):
    """No inline script or style, no eval, nothing from elsewhere, no form and no base."""
    directives = policy(answer(path))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_a_server_without_the_page_says_so():
    """The rest of it works."""
    found = answer("/ui/", site={})
    assert found.status == 404
    assert "built without its web page" in found.json["message"]
    assert answer("/", site={}).status == 401


def test_the_files_are_read_once_and_not_before_they_are_needed():
    """A server that nobody looks at with a browser keeps none of them in memory."""
    reads = []

    def load():
        reads.append(1)
        return SITE

    pages = Pages(load)
    assert not pages.concerns(request_of(target="/api"))
    assert not reads
    for _ in range(2):
        asyncio.run(pages.answer(request_of(target="/ui/")))
    assert len(reads) == 1


def test_a_server_may_have_no_pages_at_all():
    """Then their paths are the API's."""

    async def refuse(request):
        raise UnauthorizedError

    answered = Answer()
    app = Pipeline([refuse], refuse, lambda: 0.0)
    asyncio.run(app(scope_of("GET", "/ui/"), receiver(), answered.send))
    assert answered.status == 401
