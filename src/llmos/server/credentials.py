"""The server's own credentials: the controllers' token, and the admin's kubeconfig."""

from dataclasses import dataclass, field
from pathlib import Path

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import UnauthorizedError
from llmos.apimachinery.lister import Lister
from llmos.authentication.service_accounts import ServiceAccountTokens
from llmos.authentication.token_requests import request_token
from llmos.client import kubeconfig
from llmos.server.assembly import Core

CONTROLLERS = ("llmos-system", "llmos-controllers")
"""Namespace and name of the controllers' ServiceAccount."""
ADMIN = "admin"
_CONTEXT = "llmos"
_CONTROLLER_TOKEN_SECONDS = 24 * 3600
_ADMIN_KUBECONFIG_SECONDS = 90 * 24 * 3600.0
_RENEW_BEFORE = 30 * 24 * 3600.0
"""An admin.kubeconfig that ends sooner than this is written anew at the start."""


@dataclass(slots=True)
class ControllerToken:
    """Gives a token of the controllers' service account that is still good for a while."""

    tokens: ServiceAccountTokens
    lister: Lister
    clock: Clock
    _token: str = field(default="", repr=False)
    _renew_at: float = 0.0

    def __call__(self) -> str:
        """The token of this moment."""
        now = self.clock()
        if now >= self._renew_at:
            body = {"spec": {"expirationSeconds": _CONTROLLER_TOKEN_SECONDS}}
            answer = request_token(self.tokens, self.lister, self.clock, CONTROLLERS, body)
            self._token = answer["status"]["token"]
            self._renew_at = now + _CONTROLLER_TOKEN_SECONDS / 2
        return self._token


async def write_admin_kubeconfig(
    core: Core, path: Path, address: tuple[str, str], clock: Clock
) -> bool:
    """Write the admin's kubeconfig, unless the one that is there will do.

    Args:
        core: whose user ``admin`` it is for.
        path: the file; its mode is 0600.
        address: URL and certificate authority (PEM) of the server.
        clock: the time.

    Returns:
        False where there is no active user ``admin`` any more: then there is no file either.
    """
    server, ca_pem = address
    account = core.judges.users.get(ADMIN)
    if account is None or not account.active:
        _remove(path)
        return False
    token = _usable_token(core, path, clock)
    if not token:
        issued = await core.accounts.issuer.issue(
            account, "kubeconfig", _ADMIN_KUBECONFIG_SECONDS, "admin.kubeconfig"
        )
        token = issued.token
    document = _existing(path) or kubeconfig.empty()
    login = kubeconfig.Login(name=_CONTEXT, server=server, ca_pem=ca_pem, user=ADMIN, token=token)
    kubeconfig.set_login(document, login)
    kubeconfig.write(path, document)
    return True


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _existing(path: Path) -> kubeconfig.Document | None:
    """The file that is there: who signed in with it may have put other contexts into it."""
    try:
        return kubeconfig.read(path)
    except kubeconfig.KubeconfigError:
        return None


def _usable_token(core: Core, path: Path, clock: Clock) -> str:
    """The token of the file that is there, if it is good for a while longer."""
    document = _existing(path)
    if document is None:
        return ""
    try:
        token = kubeconfig.get_login(document, _CONTEXT).token
        identity = core.tokens.authenticate(token)
    except (kubeconfig.KubeconfigError, UnauthorizedError):
        return ""
    if identity is None or identity.user.name != ADMIN or identity.expires_at is None:
        return ""
    return token if identity.expires_at - clock() > _RENEW_BEFORE else ""
