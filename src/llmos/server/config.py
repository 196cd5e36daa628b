"""How a server is started."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8443


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The options of ``llmos serve``."""

    data_dir: Path
    """Holds ``llmos.db``, the certificate authority and ``admin.kubeconfig``."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0: a free one."""
    tls_cert: Path | None = None
    """A certificate of the operator's own, with its key; None: one by our own authority."""
    tls_key: Path | None = None
    token_auth_file: Path | None = None
    """kube-apiserver's static token file, for tests and robots."""
    admin_password: str | None = None
    """Set on the first start; None: a one-time password is made."""
