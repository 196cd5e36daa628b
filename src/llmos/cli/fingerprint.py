"""How people compare certificates."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes


def fingerprint(pem: str) -> str:
    """The SHA-256 of the first certificate, as OpenSSL writes it.

    Raises:
        ValueError: there is no certificate.
    """
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
