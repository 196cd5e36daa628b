"""A server for the command: Kubernetes' part from the fake of the controllers, accounts added."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import orjson
from click.testing import CliRunner, Result

from llmos.apimachinery.errors import (
    ForbiddenError,
    NotFoundError,
    StatusError,
    UnauthorizedError,
)
from llmos.cli import main
from llmos.cli.session import World
from llmos.client.resources import ROLE_TEMPLATE_BINDINGS, USERS
from reconcile.fake_api import FakeAPI

SERVER = "https://llmos.test:8443"
EXPIRES = "2030-01-01T00:00:00Z"
Refusal = tuple[str, str, Exception]


@dataclass
class Account:
    """A user's password, and whether somebody else gave it."""

    password: str
    must_change: bool = False


@dataclass
class API(httpx.AsyncBaseTransport):
    """The server."""

    kubernetes: FakeAPI = field(default_factory=FakeAPI)
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=lambda: {"admin-token": "admin"})
    refusals: list[Refusal] = field(default_factory=list)
    """Method, a pattern of path and body, and what happens instead; for one request each."""
    warnings: list[str] = field(default_factory=list)
    in_force: bool = True
    """Whether controllers put bindings into force."""
    trusted: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        path = request.url.path
        self.requests.append((request.method, path))
        try:
            self._refuse(request)
            response = await self._answer(request)
        except StatusError as error:
            response = httpx.Response(error.code, content=orjson.dumps(error.status()))
        for text in self.warnings:
            response.headers["Warning"] = f'299 - "{text}"'
        return response

    def _refuse(self, request: httpx.Request) -> None:
        said = f"{request.url.path} {request.content.decode()}"
        for each in self.refusals:
            if each[0] == request.method and re.search(each[1], said):
                self.refusals.remove(each)
                raise each[2]

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/readyz":
            if not self.trusted:
                raise httpx.ConnectError("certificate") from ssl.SSLCertVerificationError("no")
            return httpx.Response(200, text="ok")
        if path == "/auth/login":
            return self._login(orjson.loads(request.content))
        user = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if user is None and not path.endswith("/kube-root-ca.crt"):
            raise UnauthorizedError
        if path.startswith("/auth/"):
            body = orjson.loads(request.content) if request.content else {}
            return self._account(str(user), f"{request.method} {path[6:]}", body)
        response = await self.kubernetes.handle_async_request(request)
        made = request.method == "POST" and path.endswith("/roletemplatebindings")
        if made and response.is_success and self.in_force:
            self._put_into_force(orjson.loads(request.content)["metadata"]["name"])
        return response

    def _put_into_force(self, name: str) -> None:
        binding = self.kubernetes.get(ROLE_TEMPLATE_BINDINGS, "", name)
        if binding is None:
            return
        known = [
            {**each, "uid": "1"}
            for each in binding["subjects"]
            if self.kubernetes.get(USERS, "", each["name"])
        ]
        status = {"conditions": [{"type": "InForce", "status": "True"}], "subjects": known}
        self.kubernetes.objects["management.llmos.ai", "roletemplatebindings", "", name] = {
            **binding,
            "status": status,
        }

    def _login(self, body: dict) -> httpx.Response:
        account = self.accounts.get(body["username"])
        if account is None or account.password != body["password"]:
            raise UnauthorizedError("the username or the password is wrong")
        token = f"session-{len(self.tokens)}"
        self.tokens[token] = body["username"]
        return _json(
            {
                "user": body["username"],
                "token": token,
                "name": token,
                "expiresAt": EXPIRES,
                "mustChangePassword": account.must_change,
            }
        )

    def _account(self, user: str, what: str, body: dict) -> httpx.Response:
        if what == "GET whoami":
            who = {"username": user, "groups": ["llmos:users"]}
            return _json({"user": who, "kind": "session", "name": "t", "expiresAt": EXPIRES})
        if what == "PUT password":
            if self.accounts[user].password != body["currentPassword"]:
                raise ForbiddenError("the current password is wrong")
            self.accounts[user] = Account(body["newPassword"])
            return httpx.Response(204)
        if what.startswith("PUT users/"):
            name = what.split("/")[1]
            new = body.get("newPassword")
            self.accounts[name] = Account(new or "one-time", must_change=True)
            return httpx.Response(204) if new else _json({"oneTimePassword": "one-time"})
        return self._token(user, what, body)

    def _token(self, user: str, what: str, body: dict) -> httpx.Response:
        if what == "POST logout":
            return httpx.Response(204)
        if what == "POST tokens":
            return _json({"name": "token-1", "token": "token-1:key", "expiresAt": EXPIRES, **body})
        if what == "GET tokens":
            return _json({"items": [{"name": "token-1", "kind": "api", "expiresAt": EXPIRES}]})
        if what == "DELETE tokens/token-1":
            return httpx.Response(204)
        raise NotFoundError("users/tokens not found")


def _json(value: dict) -> httpx.Response:
    return httpx.Response(200, content=orjson.dumps(value))


def invoke(
    transport: httpx.AsyncBaseTransport | None,
    *arguments: str,
    text: str = "",
    clock: Callable[[], float] = lambda: 1_700_000_060.0,
) -> Result:
    """Run the command; with ``text``, somebody sits there and types it."""
    world = World(transport, clock, lambda: bool(text))
    program = SimpleNamespace(
        name="llmos", main=lambda args, prog_name, **extra: main(args, obj=world, **extra)
    )
    return CliRunner().invoke(program, list(arguments), input=text)
