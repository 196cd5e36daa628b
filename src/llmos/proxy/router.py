"""Which handler answers a request: accounts and health here, all else in the cluster."""

from dataclasses import dataclass

from llmos.apimachinery.errors import MethodNotAllowedError
from llmos.endpoints.account import AccountServices, handle_account, is_account_path
from llmos.endpoints.http import Request, Response
from llmos.endpoints.responses import text_response
from llmos.proxy.narrowed import Narrowed
from llmos.proxy.passwords import Answer, Forward, PasswordIntake, writes_users
from llmos.proxy.readiness import Readiness

_ALIVE = frozenset({"/livez", "/healthz"})


@dataclass(frozen=True, slots=True)
class Router:
    """Hands requests on, behind the filters."""

    account: AccountServices
    readiness: Readiness
    narrowed: Narrowed
    passwords: PasswordIntake
    forward: Forward

    async def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        info = request.info
        if is_account_path(info.path):
            return await handle_account(request, self.account)
        if request.visible is not None:
            return await self.narrowed(request)
        if not info.is_resource and (request.path in _ALIVE or request.path == "/readyz"):
            return self._health(request)
        if writes_users(info):
            return await self.passwords(request)
        return await self.forward(request)

    def _health(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowedError
        problem = "" if request.path in _ALIVE else self.readiness.problem()
        return text_response(problem, 503) if problem else text_response("ok")
