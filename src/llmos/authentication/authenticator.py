"""Who sent a request: credentials in, an ``Identity`` out, or 401.

The filter that authenticates calls ``read_credentials`` and ``authenticate``. The rules of the
header are kube-apiserver's (k8s.io/apiserver/pkg/authentication/request/bearertoken), but where an
odd header cannot be an honest client's the answer is a refusal and not "anonymous".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import BadRequestError, UnauthorizedError
from llmos.apis.authentication_v1 import ANONYMOUS, UNAUTHENTICATED_GROUP, UserInfo


def _always() -> bool:
    """Say that a credential without an end is still good."""
    return True


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought to prove who sent it; all None is anonymous."""

    bearer: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated sender, and whether he still is one."""

    user: UserInfo
    method: str
    """``anonymous``, ``token-file``, ``serviceaccount``, or the kind of an llmos token:
    ``session``, ``api``, ``kubeconfig``."""
    token_name: str = ""
    """The name of the llmos token it came with."""
    expires_at: float | None = None
    """Seconds since the epoch; None: no end is set."""
    browser: bool = False
    """It is the session of a browser, which may come as a cookie alone."""
    must_change_password: bool = False
    """It may do nothing before its user has chosen a password of his own."""
    valid: Callable[[], bool] = field(default=_always, compare=False)
    """Asks whether the credential still gives this very user: open watches end when it does not."""


class Authenticator(Protocol):
    """Knows one kind of bearer token."""

    def authenticate(self, bearer: str) -> Identity | None:
        """Say whose token it is; None: not one of this kind.

        Raises:
            UnauthorizedError: it is one of this kind, and it is not good.
        """


@dataclass(frozen=True, slots=True)
class Union:
    """Asks one authenticator after the other; the first that knows the token answers."""

    authenticators: Sequence[Authenticator]

    def authenticate(self, bearer: str) -> Identity | None:
        """Say whose token it is, or None when nobody knows it.

        Raises:
            UnauthorizedError: one knows it, and it is not good.
        """
        for each in self.authenticators:
            identity = each.authenticate(bearer)
            if identity is not None:
                return identity
        return None


_ANONYMOUS = Identity(UserInfo(ANONYMOUS, groups=(UNAUTHENTICATED_GROUP,)), "anonymous")


def anonymous() -> Identity:
    """The identity of a request without credentials."""
    return _ANONYMOUS


def read_credentials(authorization: Sequence[str]) -> Credentials:
    """Read the values of all ``Authorization`` headers of a request.

    Another scheme than Bearer, and ``Bearer`` with an empty token behind its space, are no
    credentials, as on a real server.

    Raises:
        BadRequestError: there are two headers.
        UnauthorizedError: the header is empty or a scheme alone, or the token holds a space.
    """
    if not authorization:
        return Credentials()
    if len(authorization) > 1:
        raise BadRequestError("the request has more than one Authorization header")
    scheme, space, token = authorization[0].partition(" ")
    if scheme.lower() not in ("", "bearer"):
        return Credentials()
    if not (scheme and space):
        raise UnauthorizedError
    token = token.strip()
    if len(token.split()) > 1:
        raise UnauthorizedError
    return Credentials(token or None)


def authenticate(credentials: Credentials, authenticator: Authenticator) -> Identity:
    """Say who sent a request.

    Raises:
        UnauthorizedError: there is a credential, and it is not good.
    """
    if credentials.bearer is None:
        return _ANONYMOUS
    identity = authenticator.authenticate(credentials.bearer)
    if identity is None:
        raise UnauthorizedError
    return identity


def never_back(clock: Clock) -> Clock:
    """A clock that stands still while the given one is set back: what expired stays expired."""
    latest = clock()

    def now() -> float:
        nonlocal latest
        latest = max(latest, clock())
        return latest

    return now
