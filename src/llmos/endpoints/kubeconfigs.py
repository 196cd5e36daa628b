"""A kubeconfig for whoever asks: the server as he reached it, and a token of his."""

import re
from collections.abc import Callable

import yaml

from llmos.apimachinery.errors import BadRequestError
from llmos.client import kubeconfig

_NAME = "llmos"
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)


def kubeconfig_for(host: str, ca_pem: str) -> Callable[[str, str], bytes]:
    """What makes a kubeconfig of a user's name and token.

    Args:
        host: the ``Host`` of a request: where the server is for the one who asks.
        ca_pem: the authority of its certificate.

    Raises:
        BadRequestError: the host is none.
    """
    if not _HOST.fullmatch(host):
        raise BadRequestError("the Host of the request is none")

    def make(user: str, token: str) -> bytes:
        document = kubeconfig.empty()
        entry = f"{user}@{_NAME}"
        login = kubeconfig.Login(_NAME, f"https://{host}", token, ca_pem, user=entry)
        kubeconfig.set_login(document, login)
        return yaml.safe_dump(document, sort_keys=False).encode()

    return make
