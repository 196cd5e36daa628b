"""TLS towards an API server: whom to trust, and a certificate of one's own."""

import os
import ssl
import tempfile
from pathlib import Path

from llmos.client.config import ClientCertificate, Config
from llmos.client.credentials import CredentialError


def make_context(config: Config) -> ssl.SSLContext:
    """The TLS settings for a server.

    Raises:
        CredentialError: the client's certificate and key do not belong together.
    """
    context = ssl.create_default_context(cadata=config.ca_pem or None)
    if not config.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.certificate is not None:
        _present(context, config.certificate)
    return context


def _present(context: ssl.SSLContext, own: ClientCertificate) -> None:
    """Have the context show a certificate; OpenSSL's module reads it from a file only."""
    handle, name = tempfile.mkstemp(prefix="llmos-")  # for its owner alone
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{own.certificate}\n{own.key}\n")
        context.load_cert_chain(name)
    except ssl.SSLError as error:
        raise CredentialError("the client certificate and its key cannot be used") from error
    finally:
        Path(name).unlink()
