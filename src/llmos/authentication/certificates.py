"""The server's own certificate authority and certificate, in a directory that only we can read.

Made at the first start, renewed when their end is near or the names of the server change. Clients
trust ``ca.crt``; it stays the same while it lasts, so kubeconfigs keep working.
"""

import ipaddress
import os
import socket
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from llmos.apimachinery.clock import Clock

_AUTHORITY_LIFE = timedelta(days=3650)
_SERVER_LIFE = timedelta(days=365)
_NEAR = timedelta(days=30)
_SKEW = timedelta(hours=1)


class CertificateError(Exception):
    """The directory holds something that cannot be used, or a host is no name."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a TLS server needs, and what its clients need."""

    ca_pem: str
    cert_path: Path
    key_path: Path


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def server_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """The names of a server's certificate: the hosts and those of this machine.

    Raises:
        CertificateError: a host is neither an address nor a DNS name.
    """
    names: dict[x509.GeneralName, None] = {}
    for host in (*hosts, "localhost", "127.0.0.1", "::1", socket.gethostname()):
        name = _general_name(host.strip("[]"))
        if name is not None:
            names[name] = None
    return list(names)


def _general_name(host: str) -> x509.GeneralName | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            return x509.DNSName(host.lower().rstrip(".").encode("idna").decode()) if host else None
        except (UnicodeError, ValueError) as error:
            raise CertificateError(f"{host!r} is no host name") from error
    return None if address.is_unspecified else x509.IPAddress(address)


def ensure_certificates(directory: Path, hosts: Iterable[str], clock: Clock) -> Certificates:
    """Give the certificates of a directory, making and renewing what is needed.

    Raises:
        CertificateError: the authority in the directory is broken, or a host is no name.
    """
    names = server_names(hosts)
    now = datetime.fromtimestamp(clock(), UTC)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    authority_paths = directory / "ca.crt", directory / "ca.key"
    server_paths = directory / "tls.crt", directory / "tls.key"
    authority = _load_authority(*authority_paths)
    if authority is None or not _lasts(authority.certificate, now):
        authority = _make_authority(now)
        _save(authority, *authority_paths)
    server = _load(*server_paths)
    if server is None or not _serves(server, authority, names, now):
        _save(_make_server(authority, names, now), *server_paths)
    return Certificates(_pem(authority.certificate).decode(), *server_paths)


def given_certificates(cert_path: Path, key_path: Path) -> Certificates:
    """Take a certificate of the operator's own, whose clients know already whom to trust.

    Raises:
        CertificateError: they are no certificate and key that belong together.
        OSError: a file cannot be read.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert_path, key_path)
        return Certificates(cert_path.read_text(encoding="utf-8"), cert_path, key_path)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        why = "no certificate and key (PEM) that belong together"
        raise CertificateError(f"{cert_path}, {key_path}: {why}") from error


def _load(cert_path: Path, key_path: Path) -> _Pair | None:
    """Read a pair; None when it is not there or not usable."""
    try:
        certificate = x509.load_pem_x509_certificate(cert_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    if certificate.public_key() != key.public_key():
        return None
    key_path.chmod(0o600)
    return _Pair(certificate, key)


def _load_authority(cert_path: Path, key_path: Path) -> _Pair | None:
    """Read the authority; a broken one is never replaced in silence: clients trust it."""
    pair = _load(cert_path, key_path)
    if pair is None and cert_path.exists() and key_path.exists():
        raise CertificateError(
            f"{cert_path} and {key_path} do not belong together or cannot be read; "
            "remove both to make a new authority, which clients have to trust anew"
        )
    return pair


def _lasts(certificate: x509.Certificate, now: datetime) -> bool:
    return now < certificate.not_valid_after_utc - _NEAR


def _serves(server: _Pair, authority: _Pair, names: list[x509.GeneralName], now: datetime) -> bool:
    """Whether a certificate can go on serving."""
    certificate = server.certificate
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    started = certificate.not_valid_before_utc <= now
    return started and _lasts(certificate, now) and set(found.value) == set(names)


def _builder(
    common_name: str, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    """What both certificates have."""
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _make_authority(now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(f"llmos-ca-{int(now.timestamp())}", key, now, _AUTHORITY_LIFE)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"llmos-ca-{int(now.timestamp())}")])
    certificate = (
        builder.issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _make_server(authority: _Pair, names: list[x509.GeneralName], now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = (
        _builder("llmos", key, now, _SERVER_LIFE)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _save(pair: _Pair, cert_path: Path, key_path: Path) -> None:
    """Write a pair, the key first: a crash between leaves a pair that does not fit."""
    key = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key_path, key)
    _write(cert_path, _pem(pair.certificate))


def _write(path: Path, content: bytes) -> None:
    """Replace a file at once; it is readable by its owner alone from its beginning."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
