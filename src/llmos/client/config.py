"""Where a server is and who we are there; light, for whoever only passes it on."""

from collections.abc import Callable
from dataclasses import dataclass, field

Token = str | Callable[[], str]


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
    user_agent: str = "llmos"
    on_warning: Callable[[str], None] | None = None
    """Hears what the answers warn of."""

    def bearer(self) -> str:
        """The token of this moment."""
        return self.token() if callable(self.token) else self.token
