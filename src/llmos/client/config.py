"""Where a server is and who we are there; light, for whoever only passes it on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Token = str | Callable[[], str]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate with its key, both PEM."""

    certificate: str = field(repr=False)
    """May be the file that holds the key as well."""
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Where a server is and who we are there."""

    server: str
    token: Token = field(default="", repr=False)
    """A bearer token, or what gives the current one; ``""``: none."""
    ca_pem: str = ""
    """Certificates to trust; ``""``: those of the system."""
    verify: bool = True
    """False trusts any certificate (``insecure-skip-tls-verify``)."""
    certificate: ClientCertificate | None = None
    """What we show of our own."""
    server_name: str = ""
    """The name in the server's certificate (``tls-server-name``); ``""``: that of its URL."""
    user_agent: str = "llmos"
    on_warning: Callable[[str], None] | None = None
    """Hears what the answers warn of."""

    renew: Callable[[], Awaitable[bool]] | None = field(default=None, repr=False, compare=False)
    """Asked when the server has refused the token; says whether ``token`` now gives another one."""

    def bearer(self) -> str:
        """The token of this moment."""
        return self.token() if callable(self.token) else self.token
