"""``/auth/…``: signing in and out, passwords and tokens over HTTP, on both engines.

Everything but the login, and a browser's question whether it has a session, needs a user who signed
in through llmos, acting as himself. Bodies are small JSON objects with known fields only; answers
are never kept by caches.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from llmos.apimachinery.clock import rfc3339
from llmos.apimachinery.errors import (
    FieldError,
    ForbiddenError,
    InvalidError,
    MethodNotAllowedError,
    NotFoundError,
    UnauthorizedError,
)
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes, Authorizer, forbidden_message
from llmos.authentication.accounts import Accounts, Login, Session
from llmos.authentication.authenticator import Identity
from llmos.endpoints.account_bodies import BODY_KIND, Field, read_body
from llmos.endpoints.browsers import (
    check_origin,
    clear_cookie,
    csrf_token,
    session_cookie,
    set_cookie,
)
from llmos.endpoints.http import Headers, Request, Response
from llmos.endpoints.kubeconfigs import kubeconfig_for

LOGIN_PATH = "/auth/login"
BEFORE_PASSWORD_CHANGE = frozenset(
    {"/auth/login", "/auth/logout", "/auth/password", "/auth/session", "/auth/whoami"}
)
"""What somebody may ask for who has to change his password first."""
_GROUP = "management.llmos.ai"
_NO_STORE: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]

MayManage = Callable[[UserInfo, str], bool]
"""``(actor, user name)``: whether the user holds no rights that the actor does not hold."""


@dataclass(frozen=True, slots=True)
class AccountServices:
    """What the handlers work with."""

    accounts: Accounts
    authorizer: Authorizer
    may_manage: MayManage
    ca_pem: str = ""
    """The authority that clients have to trust, as kubeconfigs say it."""


Handler = Callable[[Request, AccountServices, str], Awaitable[Response]]
"""``(request, services, name in the path)``."""


def account_routes() -> dict[str, dict[str, Handler]]:
    """Handlers by path and method; ``*`` stands for one segment, the name."""
    return {
        LOGIN_PATH: {"POST": _login},
        "/auth/logout": {"POST": _logout},
        "/auth/session": {"GET": _browser_session},
        "/auth/whoami": {"GET": _whoami},
        "/auth/password": {"PUT": _change_password},
        "/auth/kubeconfig": {"POST": _create_kubeconfig},
        "/auth/tokens": {"GET": _list_tokens, "POST": _create_token},
        "/auth/tokens/*": {"DELETE": _delete_token},
        "/auth/users/*/password": {"PUT": _set_password},
    }


def is_account_path(path: str) -> bool:
    """Whether ``handle_account`` answers a path; authorization by path is not asked there."""
    return path == "/auth" or path.startswith("/auth/")


async def handle_account(request: Request, services: AccountServices) -> Response:
    """Answer a request below ``/auth``, behind the filters that authenticate and impersonate.

    Raises:
        UnauthorizedError: nobody signed in.
        NotFoundError: there is no such path.
        MethodNotAllowedError: the path has no such method.
        StatusError: what the operation refuses.
    """
    segments = request.info.path.strip("/").split("/")
    name = segments[2] if len(segments) > 2 else ""
    if name:
        segments[2] = "*"
    methods = _ROUTES.get("/" + "/".join(segments))
    if methods is None or methods.get(request.method) not in _FOR_EVERYBODY:
        _signed_in(request)
    if methods is None:
        raise NotFoundError.resource()
    handler = methods.get(request.method)
    if handler is None:
        raise MethodNotAllowedError
    return await handler(request, services, name)


def _signed_in(request: Request) -> Identity:
    """Who asks; anybody but a user who signed in, as himself, is refused."""
    identity = request.identity
    if not isinstance(identity, Identity) or identity.method == "anonymous":
        raise UnauthorizedError
    if not identity.user.is_llmos_user:
        raise ForbiddenError("only for users who signed in through llmos")
    if request.user is not request.authenticated:
        raise ForbiddenError("not while impersonating somebody")
    return identity


def _answer(value: Any, status: int = 200) -> Response:
    return Response(status, orjson.dumps(value), headers=list(_NO_STORE))


def _done() -> Response:
    return Response(204, b"", "", list(_NO_STORE))


def _address(request: Request) -> str:
    client = request.scope.get("client")
    return str(client[0]) if client else ""


def _authorize(
    request: Request, services: AccountServices, verb: str, what: tuple[str, str]
) -> None:
    """Refuse whoever may not do this to another user's account.

    Raises:
        ForbiddenError: RBAC does not allow it, or a change is to a user with more rights.
    """
    subresource, name = what
    attributes = Attributes(
        user=request.user,
        verb=verb,
        group=_GROUP,
        version="v1",
        resource="users",
        subresource=subresource,
        name=name,
    )
    why = ""
    if not services.authorizer.authorize(attributes).allowed:
        why = forbidden_message(attributes)
    elif verb != "list" and not services.may_manage(request.user, name):
        why = "the user holds rights that you do not hold"
    if why:
        raise ForbiddenError.of(GroupResource(_GROUP, "users"), name, why)


def _session(session: Session) -> dict[str, Any]:
    return {
        "user": session.user,
        "token": session.token,
        "name": session.name,
        "expiresAt": rfc3339(session.expires_at),
        "mustChangePassword": session.must_change_password,
    }


async def _login(request: Request, services: AccountServices, _: str) -> Response:
    fields = {
        "username": Field(str, required=True),
        "password": Field(str, required=True),
        "newPassword": Field(str),
        "ttlSeconds": Field(int),
        "cookie": Field(bool),
    }
    body = await read_body(request, fields)
    login = Login(
        body["username"],
        body["password"],
        body.get("newPassword"),
        body.get("ttlSeconds"),
        body.get("cookie", False),
    )
    if login.browser:
        # Nobody is signed in by a page of others, under a name that is not his.
        check_origin(request, needed=False)
    session = await services.accounts.login(login, _address(request))
    if login.browser:
        return _begun(services, session.token)
    return _answer(_session(session))


def _begun(services: AccountServices, session: str) -> Response:
    """The answer that gives a browser its session: as ``whoami``, with the session as a cookie."""
    accounts = services.accounts
    identity = accounts.known(session)
    answer = _answer(_who(identity, services, session))
    assert identity.expires_at is not None
    answer.headers.append(set_cookie(session, identity.expires_at - accounts.now()))
    return answer


async def _logout(request: Request, services: AccountServices, _: str) -> Response:
    await services.accounts.logout(request.identity)
    answer = _done()
    if request.identity.browser:
        answer.headers.append(clear_cookie())
    return answer


async def _browser_session(request: Request, services: AccountServices, name: str) -> Response:
    """As ``whoami``; nothing where nobody signed in, for which a browser would note an error."""
    identity = request.identity
    if isinstance(identity, Identity) and identity.method == "anonymous":
        return _done()
    _signed_in(request)
    return await _whoami(request, services, name)


async def _whoami(request: Request, services: AccountServices, _: str) -> Response:
    identity: Identity = request.identity
    session = session_cookie(request) if identity.browser else None
    return _answer(_who(identity, services, session))


def _who(identity: Identity, services: AccountServices, session: str | None) -> dict[str, Any]:
    answer = {
        "user": identity.user.to_object(),
        "kind": identity.method,
        "name": identity.token_name,
        "mustChangePassword": services.accounts.must_change_password(identity),
    }
    if identity.expires_at is not None:
        answer["expiresAt"] = rfc3339(identity.expires_at)
    if session is not None:
        answer["csrfToken"] = csrf_token(session)
    return answer


async def _change_password(request: Request, services: AccountServices, _: str) -> Response:
    text = Field(str, required=True)
    body = await read_body(request, {"currentPassword": text, "newPassword": text})
    session = await services.accounts.change_password(
        request.identity, body["currentPassword"], body["newPassword"], _address(request)
    )
    return _done() if session is None else _begun(services, session.token)


def _whose(request: Request, services: AccountServices, verb: str) -> str:
    """The user whose tokens are meant: one's own, or (``?user=``) another's."""
    own = request.user.name
    user = request.query.get("user", own)
    if user != own:
        _authorize(request, services, verb, ("tokens", user))
    return user


async def _list_tokens(request: Request, services: AccountServices, _: str) -> Response:
    user = _whose(request, services, "list")
    tokens = [each.to_object() for each in services.accounts.list_tokens(user)]
    return _answer({"items": tokens})


async def _create_token(request: Request, services: AccountServices, _: str) -> Response:
    fields = {
        "ttlSeconds": Field(int, required=True),
        "description": Field(str),
        "kind": Field(str),
    }
    body = await read_body(request, fields)
    kind = body.get("kind", "api")
    if kind not in ("api", "kubeconfig"):
        error = FieldError("FieldValueNotSupported", "kind", "Unsupported value: api or kubeconfig")
        raise InvalidError.of(BODY_KIND, "", [error])
    issued = await services.accounts.create_token(
        request.identity, body["ttlSeconds"], body.get("description", ""), kind
    )
    return _answer({**issued.record.to_object(), "token": issued.token}, 201)


async def _create_kubeconfig(request: Request, services: AccountServices, _: str) -> Response:
    """An API token as a file that kubectl takes as it is; like the token it is shown once."""
    fields = {"ttlSeconds": Field(int, required=True), "description": Field(str)}
    body = await read_body(request, fields)
    user = request.user.name
    host = request.headers.get("host", "")
    document = kubeconfig_for(host, services.ca_pem)
    issued = await services.accounts.create_token(
        request.identity, body["ttlSeconds"], body.get("description", ""), "kubeconfig"
    )
    headers = [
        *_NO_STORE,
        (b"content-disposition", f'attachment; filename="llmos-{user}.kubeconfig"'.encode()),
    ]
    return Response(201, document(user, issued.token), "application/yaml", headers)


async def _delete_token(request: Request, services: AccountServices, name: str) -> Response:
    user = _whose(request, services, "delete")
    await services.accounts.delete_token(user, name)
    return _done()


async def _set_password(request: Request, services: AccountServices, name: str) -> Response:
    if name == request.user.name:
        raise ForbiddenError("use PUT /auth/password for your own password")
    _authorize(request, services, "update", ("password", name))
    body = await read_body(request, {"newPassword": Field(str), "mustChange": Field(bool)})
    generated = await services.accounts.set_password(
        name, body.get("newPassword"), must_change=body.get("mustChange", True)
    )
    return _done() if generated is None else _answer({"oneTimePassword": generated})


_ROUTES = account_routes()
_FOR_EVERYBODY = (_login, _browser_session)
