"""Which handler answers a request: accounts and health here, all else in the cluster."""

from contextlib import suppress
from dataclasses import dataclass

import orjson

from llmos.apimachinery.errors import MethodNotAllowedError
from llmos.endpoints.account import AccountServices, handle_account, is_account_path
from llmos.endpoints.http import Request, Response
from llmos.endpoints.metrics import PATH
from llmos.endpoints.pipeline import Handler
from llmos.endpoints.requestinfo import RequestInfo
from llmos.endpoints.responses import text_response
from llmos.proxy.caches import Caches
from llmos.proxy.narrowed import Narrowed
from llmos.proxy.passwords import Answer, Forward, PasswordIntake, writes_users
from llmos.proxy.platform import Platform
from llmos.proxy.readiness import Readiness
from llmos.proxy.rules import Rules, judges

_WRITES = frozenset({"create", "update", "patch", "delete"})
_ALIVE = frozenset({"/livez", "/healthz"})


@dataclass(frozen=True, slots=True)
class Router:
    """Hands requests on, behind the filters."""

    account: AccountServices
    readiness: Readiness
    narrowed: Narrowed
    passwords: PasswordIntake
    forward: Forward
    caches: Caches
    rules: Rules
    platform: Platform
    metrics: Handler

    async def __call__(self, request: Request) -> Answer:
        """Answer a request.

        Raises:
            ServiceUnavailableError: it is about accounts, and memory is too old to know them.
        """
        info = request.info
        if is_account_path(info.path):
            self.platform.check_fresh()  # whoever signs in is no stranger for that, nor is guessing
            return await handle_account(request, self.account)
        if request.visible is not None:
            return await self.narrowed(request)
        if not info.is_resource and (request.path in _ALIVE or request.path == "/readyz"):
            return self._health(request)
        if info.path == PATH:
            return await self.metrics(request)
        answer = await self._handler(info)(request)
        self._tell_memory(request, answer)
        return answer

    def _handler(self, info: RequestInfo) -> Forward:
        if writes_users(info):
            return self.passwords
        return self.rules if judges(info) else self.forward

    def _tell_memory(self, request: Request, answer: Answer) -> None:
        """Who writes here finds it here next: in narrowed reads, and in what is judged by."""
        info = request.info
        kept = self.platform.follows(info.group, info.resource)
        if info.verb not in _WRITES or info.subresource or not (kept or self.caches.wants(info)):
            return
        if not isinstance(answer, Response) or answer.status not in (200, 201):
            return
        if request.query.get("dryRun"):
            return
        with suppress(orjson.JSONDecodeError):
            said = orjson.loads(answer.body)
            if isinstance(said, dict):
                self.caches.wrote(info, said)
                self.platform.heard(info, said)

    def _health(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowedError
        problem = "" if request.path in _ALIVE else self.readiness.problem()
        return text_response(problem, 503) if problem else text_response("ok")
