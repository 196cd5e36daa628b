"""The filters of a request, in the order in which they run. Each sets attributes or refuses.

A stream runs them again while it is open, so that rights end when their cause ends: nothing about
who may see what is remembered beside them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from llmos.apimachinery.errors import (
    BadRequestError,
    ForbiddenError,
    StatusError,
    UnauthorizedError,
)
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes, Authorizer, forbidden_message
from llmos.authentication.authenticator import (
    Authenticator,
    Credentials,
    Identity,
    authenticate,
    read_credentials,
)
from llmos.authentication.impersonation import impersonate, is_asked_for
from llmos.endpoints.account import BEFORE_PASSWORD_CHANGE, LOGIN_PATH, is_account_path
from llmos.endpoints.browsers import check_page, session_cookie
from llmos.endpoints.http import Request
from llmos.endpoints.narrowing import Narrowing
from llmos.endpoints.pipeline import Filter
from llmos.endpoints.requestinfo import RequestInfo, parse_request
from llmos.endpoints.websocket import read_handshake

MAX_TARGET = 32 * 1024
"""Bytes of path and query together; more is no honest request."""


def _unused(_: str) -> None:
    """Nobody counts uses."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides who a request comes from and whether it may pass.

    The account paths decide for themselves: signing in needs no rights, and the rest of them only
    serve who signed in.
    """

    authenticator: Authenticator
    authorizer: Authorizer
    narrowing: Narrowing
    ask: Callable[[str], Awaitable[Identity | None]] | None = None
    """Who may know a bearer token that the authenticator does not, and takes time to say so."""
    use: Callable[[str], None] = _unused
    """Told the name of a browser's session that is used."""

    @property
    def filters(self) -> Sequence[Filter]:
        """The list, in reading order."""
        return (self.read, self.authenticate, self.impersonate, self.authorize)

    async def read(self, request: Request) -> None:
        """Say what the request wants.

        Raises:
            BadRequestError: method, path or query cannot be read in one way only.
            ForbiddenError: a page of another site asks for a WebSocket.
            UnauthorizedError: the token of a WebSocket is none.
        """
        if request.head_is_read:
            return
        if len(request.raw_path) + len(request.query_string) > MAX_TARGET:
            raise BadRequestError("the request target is too long")
        request.info = parse_request(request.method, request.raw_path, request.query)
        request.recheck = partial(self.ask_again, request)
        request.handshake = read_handshake(request)

    async def authenticate(self, request: Request) -> None:
        """Say who sent it, and count it as a use of his session.

        Raises:
            UnauthorizedError: there is a credential, and it is not good.
            ForbiddenError: a page that is not ours asks, or the password has to be changed first.
        """
        await self.identify(request)
        identity: Identity = request.identity
        if identity.browser and request.info.verb != "watch":
            # Watches open themselves again, also where nobody sits before the page.
            self.use(identity.token_name)

    async def identify(self, request: Request) -> None:
        """Say who sent it.

        Raises:
            UnauthorizedError: there is a credential, and it is not good.
            ForbiddenError: a page that is not ours asks, or the password has to be changed first.
        """
        values = request.header_values("authorization")
        if request.handshake is not None:
            values += request.handshake.bearers
        credentials = read_credentials(values)
        # Where both come, the header alone counts; who signs in is nobody yet.
        signs_in = request.info.path == LOGIN_PATH
        cookie = None if values or signs_in else session_cookie(request)
        if cookie is not None:
            credentials = Credentials(cookie)
        if self.ask is None or credentials.bearer is None:
            identity = authenticate(credentials, self.authenticator)
        else:
            identity = await self._ask(credentials.bearer, self.ask)
        if identity.browser is not (cookie is not None):
            raise UnauthorizedError
        if cookie is not None:
            check_page(request, cookie)
        if identity.must_change_password and request.path not in BEFORE_PASSWORD_CHANGE:
            raise ForbiddenError("the password must be changed first", {})
        request.identity = identity
        request.authenticated = request.user = identity.user

    async def _ask(self, bearer: str, ask: Callable[[str], Awaitable[Identity | None]]) -> Identity:
        identity = self.authenticator.authenticate(bearer) or await ask(bearer)
        if identity is None:
            raise UnauthorizedError
        return identity

    async def impersonate(self, request: Request) -> None:
        """Act for somebody else, if the sender asks for it and may.

        Raises:
            BadRequestError: the headers contradict one another.
            ForbiddenError: the sender may not.
        """
        if not is_asked_for(request.raw_headers):
            return
        asked = attributes_of(request.authenticated, request.info)
        request.user = impersonate(request.raw_headers, asked, self.authorizer)

    async def authorize(self, request: Request) -> None:
        """Let it pass, whole or narrowed to what the user may see.

        Raises:
            ForbiddenError: he may not.
        """
        request.visible = None
        if is_account_path(request.info.path):
            return
        attributes = attributes_of(request.user, request.info)
        if self.authorizer.authorize(attributes).allowed:
            return
        view = self.narrowing.view(request.user, request.info)
        if view is None:
            raise forbidden(attributes)
        request.visible = view

    def creation_check(self, request: Request) -> Callable[[], None]:
        """What refuses an apply of somebody who may patch and may not create."""

        def check() -> None:
            attributes = replace(attributes_of(request.user, request.info), verb="create")
            if not self.authorizer.authorize(attributes).allowed:
                raise forbidden(attributes)

        return check

    async def still_allowed(self, request: Request) -> bool:
        """Run authentication and authorization again, for a request that is being answered."""
        try:
            await self.ask_again(request)
        except StatusError:
            return False
        return True

    async def ask_again(self, request: Request) -> None:
        """Refuse a request whose sender has lost what let it pass.

        Raises:
            UnauthorizedError: his credential.
            ForbiddenError: his rights, or some of his groups.
        """
        user = request.user
        await self.identify(request)
        await self.impersonate(request)
        await self.authorize(request)
        if request.user != user:
            raise ForbiddenError("who you are has changed since the request began")


def attributes_of(user: UserInfo, info: RequestInfo) -> Attributes:
    """What authorization is asked about a request."""
    if not info.is_resource:
        return Attributes(user=user, verb=info.verb, path=info.path)
    return Attributes(
        user=user,
        verb=info.verb,
        group=info.group,
        version=info.version,
        resource=info.resource,
        subresource=info.subresource,
        namespace=info.namespace,
        name=info.name,
    )


def forbidden(attributes: Attributes) -> ForbiddenError:
    """The 403 of a decision."""
    message = forbidden_message(attributes)
    if not attributes.is_resource:
        return ForbiddenError(f"forbidden: {message}", {})
    named = "" if attributes.verb in _UNNAMED else attributes.name
    resource = GroupResource(attributes.group, attributes.resource)
    return ForbiddenError.of(resource, named, message)


_UNNAMED = frozenset({"list", "watch", "deletecollection"})
"""The name in such a request comes from a selector, and the answer does not repeat it."""
