"""Reading the Authorization header, and asking authenticators."""

import pytest

from llmos.apimachinery.errors import BadRequestError, UnauthorizedError
from llmos.apis.authentication_v1 import UserInfo
from llmos.authentication.authenticator import (
    Credentials,
    Identity,
    Union,
    anonymous,
    authenticate,
    never_back,
    read_credentials,
)

ALICE = Identity(UserInfo("alice"), "test")


class Knows:
    """Knows one token, and hates another."""

    def __init__(self, token: str, bad: str = "") -> None:
        self.token, self.bad = token, bad

    def authenticate(self, bearer: str) -> Identity | None:
        """Answer from the two."""
        if bearer == self.bad:
            raise UnauthorizedError
        return ALICE if bearer == self.token else None


@pytest.mark.parametrize(
    ("headers", "bearer"),
    [
        ([], None),
        (["Basic YTpi"], None),
        (["Negotiate abc"], None),
        (["Bearer "], None),
        (["Bearer abc"], "abc"),
        (["bearer abc"], "abc"),
        (["BEARER  abc "], "abc"),
    ],
)
def test_header_is_read_as_kubernetes_reads_it(headers, bearer):
    """The scheme has no case; other schemes and an empty token are no credentials."""
    assert read_credentials(headers) == Credentials(bearer)


@pytest.mark.parametrize("header", ["", " ", "Bearer", "bearer", "Bearer a b", "Bearer a\tb"])
def test_odd_headers_are_refused(header):
    """A header that no honest client sends is 401 and not anonymous."""
    with pytest.raises(UnauthorizedError):
        read_credentials([header])


def test_two_headers_are_refused():
    """Neither of two Authorization headers counts."""
    with pytest.raises(BadRequestError):
        read_credentials(["Bearer a", "Bearer b"])


def test_without_credentials_anonymous():
    """No credentials give system:anonymous in system:unauthenticated, in no other group."""
    identity = authenticate(Credentials(), Knows("a"))
    assert identity == anonymous()
    assert identity.user.name == "system:anonymous"
    assert identity.user.groups == ("system:unauthenticated",)
    assert identity.valid()


def test_union_asks_in_order_and_unknown_is_401():
    """The first who knows the token answers; a refusal ends the search; nobody knows: 401."""
    union = Union([Knows("a"), Knows("b", bad="c"), Knows("c")])
    assert authenticate(Credentials("b"), union) is ALICE
    for unknown in ("c", "d"):
        with pytest.raises(UnauthorizedError) as caught:
            authenticate(Credentials(unknown), union)
        assert caught.value.message == "Unauthorized"


def test_clock_never_goes_back():
    """A clock that is set back stands still."""
    times = iter([10.0, 12.0, 5.0, 13.0])
    now = never_back(lambda: next(times))
    assert [now(), now(), now()] == [12.0, 12.0, 13.0]
