"""Which certificate authority vouches for a server, before a password is sent to it."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

import click
from cryptography import x509

from llmos.apimachinery.errors import NotFoundError, StatusError
from llmos.apimachinery.object import get_path
from llmos.cli.failures import ExitCode, Failure
from llmos.cli.fingerprint import fingerprint
from llmos.cli.kubeconfigs import known_authority
from llmos.cli.session import Session, note
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.errors import ConnectionFailedError
from llmos.client.resources import CONFIG_MAPS

_ROOT_CA = ("kube-public", "kube-root-ca.crt")
"""Where a server publishes its authority, also for those who have not signed in."""
_PUBLISHED_WITHIN = (0.2, 0.4, 0.8, 1.6, 0.0)
"""Seconds between asking for it: a server that has just started publishes it after a moment."""
_FLAGS = "--certificate-authority FILE or --insecure-skip-tls-verify"


@dataclass(frozen=True, slots=True)
class Trust:
    """What the options say about the server's certificate."""

    authority: Path | None = None
    insecure: bool = False
    ask: bool = True
    """Whether an unknown authority may be shown to the user, who decides."""


def find_authority(session: Session, server: str, trust: Trust) -> Config:
    """How to connect to a server so that nobody else hears what we say.

    Raises:
        Failure: the server is not reached, or its certificate is not to be trusted.
    """
    if trust.insecure:
        return Config(server, verify=False)
    if trust.authority:
        return Config(server, ca_pem=_read(trust.authority))
    known = Config(server, ca_pem=known_authority(session.files, server))
    if not session.run_as(known, _is_untrusted):
        return known
    if known.ca_pem:
        why = "its certificate is not signed by the authority that is known for it"
        raise Failure(f"{server}: {why}; give {_FLAGS}", ExitCode.UNREACHABLE)
    if not (trust.ask and session.world.interactive()):
        why = "its certificate is signed by an authority that this machine does not know"
        raise Failure(f"{server}: {why}; give {_FLAGS}", ExitCode.UNREACHABLE)
    found = session.run_as(Config(server, verify=False), _published_authority)
    return Config(server, ca_pem=_confirmed(server, found))


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        certificates = x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        raise Failure(f"{path} holds no certificates") from error
    if not certificates:
        raise Failure(f"{path} holds no certificates")
    return text


async def _is_untrusted(client: Client) -> bool:
    """Whether the server shows a certificate that does not convince us.

    Raises:
        ConnectionFailedError: there is no such server.
    """
    try:
        await client.request("GET", "/readyz")
    except ConnectionFailedError as error:
        if _is_certificate_error(error):
            return True
        raise
    return False


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


async def _published_authority(client: Client) -> str:
    """The authority as the server itself says it, which proves nothing yet."""
    for wait in _PUBLISHED_WITHIN:
        try:
            found = await client.get(CONFIG_MAPS, *_ROOT_CA)
        except NotFoundError:
            await asyncio.sleep(wait)
        except StatusError:
            return ""
        else:
            return str(get_path(found, "data", "ca.crt", default=""))
    return ""


def _confirmed(server: str, pem: str) -> str:
    """The authority, once the user has compared its fingerprint."""
    try:
        shown = fingerprint(pem)
    except ValueError as error:
        why = "its certificate is not trusted, and it does not say which authority signed it"
        raise Failure(f"{server}: {why}; give {_FLAGS}", ExitCode.UNREACHABLE) from error
    note(f"This machine does not know the authority that signed the certificate of {server}.")
    note(f"  SHA-256 {shown}")
    note("Compare it with what the server printed when it started, before you type a password.")
    if not click.confirm("Trust it from now on?", err=True):
        raise Failure("the server is not trusted", ExitCode.UNREACHABLE)
    return pem
