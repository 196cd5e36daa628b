"""The key that signs service account tokens: ECDSA P-256, kept in a Secret of ``llmos-system``."""

import hashlib
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from llmos.apimachinery.errors import AlreadyExistsError, InternalError
from llmos.apimachinery.lister import ObjectStore
from llmos.apimachinery.object import Object
from llmos.authentication.records import (
    SECRETS,
    SIGNING_KEY_TYPE,
    SYSTEM_NAMESPACE,
    make_secret,
    secret_data,
)

NAME = "service-account-signing-key"
ALGORITHM = "ES256"
_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nbf")


class SigningKey:
    """Signs claims and verifies its own signatures; nothing else's, whatever a header says."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        encoded = self._public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._id = hashlib.sha256(encoded).hexdigest()[:32]

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: str) -> "SigningKey":
        """Read a PKCS 8 PEM.

        Raises:
            ValueError: it is no P-256 key.
        """
        try:
            key = serialization.load_pem_private_key(pem.encode(), None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("the key cannot be read") from error
        curve = getattr(key, "curve", None)
        if curve is None or curve.name != ec.SECP256R1.name:
            raise ValueError("the key is not ECDSA P-256")
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return cls(key)

    def to_pem(self) -> str:
        """The key as PKCS 8 PEM."""
        return self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self._id})

    def verify(self, token: str) -> dict[str, Any] | None:
        """The claims of a JWT that this key signed, or None. Times are not looked at here."""
        try:
            if jwt.get_unverified_header(token).get("kid") != self._id:
                return None
            return jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                options={
                    "require": list(_REQUIRED),
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None


def _read(secret: Object | None) -> SigningKey | None:
    """The key in a Secret; None when there is none.

    Raises:
        InternalError: there is one, and it cannot be used: making another would end every token.
    """
    if secret is None:
        return None
    try:
        return SigningKey.from_pem(secret_data(secret, SIGNING_KEY_TYPE).get("key", ""))
    except ValueError:
        raise InternalError(
            f"the Secret {SYSTEM_NAMESPACE}/{NAME} holds no usable key; delete it to make a new one"
        ) from None


async def load_signing_key(store: ObjectStore) -> SigningKey:
    """The server's key; made at the first start.

    Raises:
        InternalError: the Secret is there and holds no usable key.
    """
    known = _read(store.get(SECRETS, SYSTEM_NAMESPACE, NAME))
    if known is not None:
        return known
    made = SigningKey.generate()
    try:
        await store.create(SECRETS, make_secret(NAME, SIGNING_KEY_TYPE, {"key": made.to_pem()}))
    except AlreadyExistsError:
        return _read(store.get(SECRETS, SYSTEM_NAMESPACE, NAME)) or made
    return made
