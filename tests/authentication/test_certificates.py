"""The server's own certificates."""

import ipaddress
import ssl
import stat
import time

import pytest
from cryptography import x509

from authentication.objects import SetClock
from llmos.authentication.certificates import (
    CertificateError,
    ensure_certificates,
    given_certificates,
)

DAY = 86400


@pytest.fixture
def clock():
    """A clock at the real time, since TLS looks at it."""
    return SetClock(time.time())


def handshake(certificates, name):
    """A TLS handshake in memory, with the authority trusted; the errors of the client come up."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates.cert_path, certificates.key_path)
    client = ssl.create_default_context(cadata=certificates.ca_pem)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(3):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return sides[0].version()


@pytest.mark.parametrize("name", ["llmos.example.org", "10.1.2.3", "127.0.0.1", "::1", "localhost"])
def test_clients_that_trust_the_authority_connect(tmp_path, clock, name):
    """The given hosts and the machine's own names are served; the strictest checks pass."""
    certificates = ensure_certificates(tmp_path, ["LLMOS.example.org", "10.1.2.3"], clock)
    assert handshake(certificates, name) == "TLSv1.3"


def test_other_names_are_not_served(tmp_path, clock):
    """A name that nobody asked for is not in the certificate."""
    certificates = ensure_certificates(tmp_path, [], clock)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificates, "elsewhere.example.org")


def test_files_are_ours_alone(tmp_path, clock):
    """The directory is 0700 and every file 0600, also when they were open before."""
    directory = tmp_path / "pki"
    directory.mkdir(mode=0o755)
    ensure_certificates(directory, [], clock)
    (directory / "tls.key").chmod(0o644)
    ensure_certificates(directory, [], clock)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == dict.fromkeys(("ca.crt", "ca.key", "tls.crt", "tls.key"), 0o600)


def test_nothing_changes_without_need(tmp_path, clock):
    """A second start, in the same place with the same hosts, writes nothing and makes no keys."""
    first = ensure_certificates(tmp_path, ["a.example"], clock)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    started = time.perf_counter()
    assert ensure_certificates(tmp_path, ["a.example"], clock) == first
    assert time.perf_counter() - started < 1
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    assert after == before


@pytest.mark.parametrize(
    ("hosts", "days"), [(["b.example"], 0), (["a.example", "b.example"], 0), (["a.example"], 340)]
)
def test_server_certificate_is_renewed_and_the_authority_stays(tmp_path, clock, hosts, days):
    """Other hosts or a near end make a new certificate, by the same authority."""
    first = ensure_certificates(tmp_path, ["a.example"], clock)
    old = first.cert_path.read_bytes()
    clock.now += days * DAY
    second = ensure_certificates(tmp_path, hosts, clock)
    assert second.ca_pem == first.ca_pem
    assert second.cert_path.read_bytes() != old


def test_authority_near_its_end_is_renewed_with_its_certificates(tmp_path, clock):
    """After ten years, less a month, everything is new and fits together."""
    first = ensure_certificates(tmp_path, [], clock)
    clock.now += (3650 - 29) * DAY
    second = ensure_certificates(tmp_path, [], clock)
    assert second.ca_pem != first.ca_pem
    server = x509.load_pem_x509_certificate(second.cert_path.read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(second.ca_pem.encode()))


@pytest.mark.parametrize("name", ["tls.crt", "tls.key"])
@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_broken_server_certificate_is_made_anew(tmp_path, clock, name, content):
    """A missing or unreadable file of the server heals with the next start."""
    ensure_certificates(tmp_path, [], clock)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    certificates = ensure_certificates(tmp_path, [], clock)
    assert handshake(certificates, "localhost")


@pytest.mark.parametrize("name", ["ca.crt", "ca.key"])
def test_broken_authority_is_never_replaced_in_silence(tmp_path, clock, name):
    """Clients trust it: whoever runs the server has to say that it may go."""
    ensure_certificates(tmp_path, [], clock)
    (tmp_path / name).write_bytes(b"garbage")
    with pytest.raises(CertificateError, match=r"ca\.crt"):
        ensure_certificates(tmp_path, [], clock)


def test_hosts_are_names_or_addresses(tmp_path, clock):
    """Wildcard addresses are no names; brackets and zones go; nonsense is refused."""
    certificates = ensure_certificates(
        tmp_path, ["0.0.0.0", "::", "[fd00::1]", "fe80::1%e0"], clock
    )
    found = x509.load_pem_x509_certificate(certificates.cert_path.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    assert ipaddress.ip_address("fd00::1") in addresses
    assert ipaddress.ip_address("fe80::1") in addresses
    assert not any(each.is_unspecified for each in addresses)
    with pytest.raises(CertificateError, match="no host name"):
        ensure_certificates(tmp_path, ["a" * 300], clock)


def test_a_certificate_of_the_operators_own_is_taken_with_its_key(tmp_path, clock):
    """What clients are told to trust is what stands in its file."""
    made = ensure_certificates(tmp_path, [], clock)
    given = given_certificates(made.cert_path, made.key_path)
    assert given.ca_pem == made.cert_path.read_text()
    assert (given.cert_path, given.key_path) == (made.cert_path, made.key_path)


def test_a_certificate_and_the_key_of_another_are_refused(tmp_path, clock):
    """They are named, whichever way they do not fit."""
    made = ensure_certificates(tmp_path / "one", [], clock)
    other = ensure_certificates(tmp_path / "other", [], clock)
    bytes_only = tmp_path / "bytes"
    bytes_only.write_bytes(b"\xff\xfe")
    for cert, key in ((made.cert_path, other.key_path), (bytes_only, bytes_only)):
        with pytest.raises(CertificateError, match="belong together") as caught:
            given_certificates(cert, key)
        assert str(cert) in str(caught.value)
