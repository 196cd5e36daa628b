"""Which headers go to the cluster: nothing that a client may not say, and who he is, exactly."""

import pytest

from llmos.apimachinery.errors import BadRequestError, ForbiddenError, UnauthorizedError
from llmos.apis.authentication_v1 import UserInfo
from llmos.proxy.headers import (
    impersonation,
    returned_headers,
    upstream_headers,
    without_bearer,
)

ALICE = UserInfo("alice", groups=("devs",))
NAMED = [("Impersonate-User", "alice"), ("Impersonate-Group", "devs")]


def sent(*headers):
    """What goes on of some headers, besides the name of the sender, which comes last."""
    found = upstream_headers([(name.encode(), value.encode()) for name, value in headers], ALICE)
    assert found[-2:] == NAMED
    return found[:-2]


@pytest.mark.parametrize(
    "name",
    [
        "authorization", "cookie", "x-csrf-token", "host", "content-length", "expect",
        "te", "trailer", "upgrade",
        "transfer-encoding", "keep-alive", "proxy-connection", "proxy-authorization",
        "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-x",
        "impersonate-new", "Impersonate-User", "impersonate_user", "IMPERSONATE_GROUP",
        "x-remote-user", "x-remote-group", "x-remote-uid", "x-remote-extra-a", "x_remote_user",
        "forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "http2-settings",
    ],
)  # fmt: skip
def test_what_a_client_may_not_say(name):
    """Credentials, identities, and what is meant for one connection."""
    assert sent((name, "x"), ("accept", "y")) == [("accept", "y")]


@pytest.mark.parametrize(
    "connection",
    [
        ["Impersonate-User, Impersonate-Group"],
        ["impersonate-user"],
        ["close", "Impersonate-Group"],
        ["close, Impersonate-Group"],
        ["Authorization, accept"],
    ],
)
def test_connection_names_nothing_of_ours(connection):
    """What a client says is for this connection only is taken out before ours is put in."""
    left = sent(*[("connection", each) for each in connection], ("accept", "a"), ("x-a", "b"))
    assert ("x-a", "b") in left
    assert (("accept", "a") in left) == ("accept" not in connection[0])
    assert {name for name, _ in left} <= {"accept", "x-a"}


@pytest.mark.parametrize("header", ["proxy-connection", "keep-alive", "te"])
def test_other_headers_name_nothing(header):
    """Only ``Connection`` says what belongs to the connection."""
    assert sent((header, "accept"), ("accept", "a")) == [("accept", "a")]


def test_everything_else_goes_as_it_came():
    """Repeated ones too, in their order, in UTF-8."""
    headers = [("accept", "a"), ("x-y", "1"), ("x-y", "2"), ("user-agent", "kubectl ü")]
    assert sent(*headers) == headers


def test_bytes_that_are_no_text_do_not_go():
    """They would arrive as something else."""
    with pytest.raises(BadRequestError):
        upstream_headers([(b"x", b"\xff")], ALICE)


@pytest.mark.parametrize(
    ("offered", "left"),
    [
        (b"base64url.bearer.authorization.k8s.io.dG9rZW4, v4.channel.k8s.io", b"v4.channel.k8s.io"),
        (b"a, b", b"a, b"),
        (b"base64url.bearer.authorization.k8s.io.dG9rZW4", b""),
        (b" a ,base64url.bearer.authorization.k8s.io.x,, b", b"a, b"),
    ],
)
def test_a_token_in_a_subprotocol_does_not_go(offered, left):
    """It is a credential like any other."""
    assert without_bearer(offered) == left
    expected = [("sec-websocket-protocol", left.decode())] if left else []
    assert sent(("sec-websocket-protocol", offered.decode())) == expected


def test_a_whole_identity():
    """Uid and extra values; keys survive that HTTP knows no capitals."""
    extra = {"authentication.kubernetes.io/pod-name": ("a", "b"), "Scopes%/é": ("c",), "none": ()}
    user = UserInfo("system:serviceaccount:a:b", "u-1", ("g,system:masters", "a b"), extra)
    assert impersonation(user) == [
        ("Impersonate-User", "system:serviceaccount:a:b"),
        ("Impersonate-Group", "g,system:masters"),
        ("Impersonate-Group", "a b"),
        ("Impersonate-Uid", "u-1"),
        ("Impersonate-Extra-authentication.kubernetes.io%2fpod-name", "a"),
        ("Impersonate-Extra-authentication.kubernetes.io%2fpod-name", "b"),
        ("Impersonate-Extra-%53copes%25%2f%c3%a9", "c"),
    ]


@pytest.mark.parametrize("user", [None, UserInfo("")])
def test_nobody_is_nobody(user):
    """Without a name nothing goes: it would go under the proxy's own."""
    with pytest.raises(UnauthorizedError):
        impersonation(user)


@pytest.mark.parametrize("groups", [("system:masters",), ("a", "system:masters", "b")])
def test_masters_are_never_taken_on(groups):
    """Whoever is one goes to the cluster himself."""
    with pytest.raises(ForbiddenError):
        impersonation(UserInfo("root", groups=groups))


BAD = [
    "a\r\nImpersonate-Group: system:masters",
    "a\x00",
    "ålice",
    " alice",
    "alice ",
    "a\tb",
    "a\x7f",
]


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("part", ["name", "uid", "groups", "extra"])
def test_who_cannot_be_said_exactly_is_not_said(text, part):
    """Header injection, and what servers trim or read as they like."""
    values = {"name": text, "uid": text, "groups": (text,), "extra": {"k": (text,)}}
    user = UserInfo(**{"name": "alice", part: values[part]})
    with pytest.raises(ForbiddenError):
        impersonation(user)


@pytest.mark.parametrize("user", [UserInfo("a", groups=("",)), UserInfo("a", extra={"": ("x",)})])
def test_empty_parts_are_not_said(user):
    """An empty header says nothing, or something else."""
    with pytest.raises(ForbiddenError):
        impersonation(user)


def test_what_comes_back():
    """All but what belongs to the connection, and cookies, which would be this server's own."""
    headers = [
        (b"Content-Type", b"a"), (b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"),
        (b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"3"), (b"Set-Cookie", b"a=b"),
        (b"Warning", b"1"), (b"Warning", b"2"), (b"Trailer", b"x"), (b"Keep-Alive", b"x"),
        (b"X", b"\xff"),
    ]  # fmt: skip
    assert returned_headers(headers) == [
        (b"Content-Type", b"a"),
        (b"Warning", b"1"),
        (b"Warning", b"2"),
        (b"X", b"\xff"),
    ]


@pytest.mark.parametrize("header", [(b"a b", b"c"), (b"", b"c"), (b"a", b"b\rc"), (b"a", b"\x00")])
def test_a_header_that_is_none_does_not_come_back(header):
    """A client might read two in it."""
    with pytest.raises(ValueError, match="header"):
        returned_headers([header])
