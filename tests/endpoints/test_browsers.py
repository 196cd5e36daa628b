"""The session cookie, and what proves that our own page asks."""

import pytest

from endpoints.exchange import request_of
from llmos.apimachinery.errors import ForbiddenError, UnauthorizedError
from llmos.endpoints.browsers import (
    COOKIE,
    check_page,
    clear_cookie,
    csrf_token,
    session_cookie,
    set_cookie,
)

SESSION = "token-abcde:kkkkkkkk"
WORD = csrf_token(SESSION)
OWN = "https://llmos.example:8443"
CM = "/api/v1/namespaces/a/configmaps"
PROXIED = "/api/v1/namespaces/a/services/s/proxy/page.html"


def cookies(*values):
    """A request with these Cookie headers."""
    request = request_of()
    request.raw_headers = [(b"cookie", each.encode()) for each in values]
    return request


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((), None),
        (("a=b",), None),
        ((f"{COOKIE}={SESSION}",), SESSION),
        ((f"a=b; {COOKIE}={SESSION};c=d",), SESSION),
        (("a=b", f"{COOKIE}={SESSION}"), SESSION),
        (("=;=;;==;",), None),
        ((f"x{COOKIE}={SESSION}",), None),
        ((f"{COOKIE.lower()}={SESSION}",), None),
        ((f"llmos-session={SESSION}",), None),
    ],
)
def test_the_cookie_is_found_by_its_whole_name(values, found):
    """Among others, in any header; a name that browsers do not guard is not ours."""
    assert session_cookie(cookies(*values)) == found


@pytest.mark.parametrize(
    "values",
    [
        (f"{COOKIE}={SESSION}; {COOKIE}={SESSION}x",),
        (f"{COOKIE}={SESSION}", f"{COOKIE}={SESSION}"),
        (f"{COOKIE}=",),
        (COOKIE,),
        (f"{COOKIE}=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.x",),
        (f"{COOKIE}=token-abcde",),
        (f"{COOKIE}=token-abcde:",),
        (f"{COOKIE}=token-abcde:k%00",),
        (f'{COOKIE}="{SESSION}"',),
        (f"{COOKIE}={SESSION}:x",),
        (f"{COOKIE}={'x' * 60000}",),
    ],
)
def test_two_sessions_are_none(values):
    """Nobody chooses between two; nor is anybody asked about what no session looks like."""
    with pytest.raises(UnauthorizedError):
        session_cookie(cookies(*values))


def test_the_cookie_is_for_this_host_and_for_no_script():
    """Set and cleared with the same attributes, and never for a domain."""
    name, value = set_cookie(SESSION, 59.6)
    assert name == b"set-cookie"
    assert value.decode() == (
        f"{COOKIE}={SESSION}; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict"
    )
    assert clear_cookie()[1].decode() == (
        f"{COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict"
    )
    assert COOKIE.startswith("__Host-")


def test_the_word_depends_on_the_key_and_tells_nothing_of_it():
    """Each session has its own."""
    word = csrf_token(SESSION)
    assert len(word) == 64
    assert "kkkkkkkk" not in word
    assert word != csrf_token("token-abcde:kkkkkkkl")
    assert csrf_token("\udcff:\udcff")


def checked(method="GET", target=CM, *, origin=OWN, word=WORD, **more):
    """What a request by cookie with these headers is answered: the error, or None."""
    host = more.pop("host", "llmos.example:8443")
    request = request_of(method, target, host=host, **more)
    request.raw_headers += [
        (name, each.encode("utf-8", "surrogateescape"))
        for name, values in ((b"origin", origin), (b"x-csrf-token", word))
        for each in ([] if values is None else [values] if isinstance(values, str) else values)
    ]
    try:
        check_page(request, SESSION)
    except ForbiddenError as error:
        return error.message
    return None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_a_change_needs_both(method):
    """The word and the origin; either alone is refused."""
    assert checked(method) is None
    assert "X-CSRF-Token" in checked(method, word=None)
    assert "pages of this server" in checked(method, origin=None)


@pytest.mark.parametrize(
    "word",
    ["", "x", csrf_token("token-abcde:other"), csrf_token(SESSION)[:-1], f"{csrf_token(SESSION)}0",
     csrf_token(SESSION).upper() + "A", [csrf_token(SESSION)] * 2, "\u00e9", SESSION],
)  # fmt: skip
def test_no_other_word_will_do(word):
    """Neither a part of it, nor another session's, nor two."""
    assert "X-CSRF-Token" in checked("POST", word=word)


FOREIGN = [
    "null", "", "https://evil.test", "http://llmos.example:8443", "https://llmos.example",
    "https://llmos.example:9443", "https://sub.llmos.example:8443", "llmos.example:8443",
    "https://llmos.example:8443.evil.test", "https://llmos.example:8443/", [OWN, OWN],
    "https://llmos.example:8443@evil.test",
    [OWN, "https://evil.test"], "https://llmos.example:84430",
]  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_other_origin_will_do(origin):
    """Scheme, host and port are ours, or it is a foreign page; whatever it asks for."""
    assert "pages of this server" in checked("POST", origin=origin)
    assert "pages of this server" in checked("GET", origin=origin)
    assert "pages of this server" in checked("GET", origin=origin, upgrade="websocket")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("llmos.example", "https://llmos.example"),
        ("llmos.example:443", "https://llmos.example"),
        ("LLMOS.example:8443", OWN),
        ("127.0.0.1:1", "https://127.0.0.1:1"),
        ("[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_our_origin_is_what_the_client_asked(host, origin):
    """However the port of https is written."""
    assert checked("POST", host=host, origin=origin) is None


def test_without_a_host_nothing_is_ours():
    """An origin that is nothing does not fit a host that is nothing."""
    assert "pages of this server" in checked("POST", host="", origin="https://")


def test_a_read_needs_neither():
    """Browsers say no origin there, and nobody else can read the answer."""
    for method in ("GET", "HEAD"):
        assert checked(method, origin=None, word=None) is None


def test_a_socket_needs_the_origin():
    """The same-origin rule does not hold for WebSockets, and pages cannot set their headers."""
    for protocol in ("websocket", "SPDY/3.1", "x"):
        assert checked(origin=None, word=None, upgrade=protocol) is not None
        assert checked(word=None, upgrade=protocol) is None


@pytest.mark.parametrize("target", [PROXIED, "/api/v1/nodes/n/proxy/", f"{PROXIED}?x=y"])
def test_nobody_is_led_to_what_is_behind_a_proxy(target):
    """What a service answers is reached by our page alone, which shows it as it likes."""
    assert "X-CSRF-Token" in checked(target=target, origin=None, word=None)
    assert "X-CSRF-Token" in checked(target=target, word=None, upgrade="websocket")
    assert checked(target=target, origin=None) is None
