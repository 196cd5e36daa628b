"""One certificate authority for all replicas: a Secret, made by whichever comes first."""

from pathlib import Path

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import AlreadyExistsError, NotFoundError
from llmos.authentication.certificates import Certificates, ensure_certificates
from llmos.authentication.records import SYSTEM_NAMESPACE, make_secret, secret_data
from llmos.client.client import Client
from llmos.client.resources import SECRETS

NAME = "proxy-authority"
TYPE = "llmos.ai/certificate-authority"
_FILES = ("ca.crt", "ca.key")


async def certificates(
    client: Client, directory: Path, names: tuple[str, ...], clock: Clock
) -> Certificates:
    """A certificate of one's own, signed by the authority that all replicas share.

    Args:
        client: Reaches the cluster.
        directory: Only ours; takes the files that a TLS server needs.
        names: Of the server, besides those of this machine.
        clock: The time.

    Raises:
        StatusError: the cluster refuses.
        ConnectionFailedError: it does not answer.
        CertificateError: the Secret holds no authority.
    """
    found = await _read(client)
    if found is None:
        ensure_certificates(directory, names, clock)
        mine = {each: (directory / each).read_text(encoding="utf-8") for each in _FILES}
        try:
            await client.create(SECRETS, make_secret(NAME, TYPE, mine))
        except AlreadyExistsError:
            found = await _read(client)
    for each, text in (found or {}).items():
        path = directory / each
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    return ensure_certificates(directory, names, clock)


async def _read(client: Client) -> dict[str, str] | None:
    try:
        secret = await client.get(SECRETS, SYSTEM_NAMESPACE, NAME)
    except NotFoundError:
        return None
    data = secret_data(secret, TYPE)
    return {each: data.get(each, "") for each in _FILES}
