"""What we keep of accounts, as Secrets in ``llmos-system``: passwords, tokens and our own marks.

Nothing here is ever shown through an account operation; a Secret that cannot be read is no record.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmos.apimachinery.clock import parse_rfc3339, rfc3339, rfc3339_micro
from llmos.apimachinery.errors import NotFoundError
from llmos.apimachinery.lister import Lister, ObjectStore
from llmos.apimachinery.object import Object, copy_object, is_terminating, name_of, namespace_of
from llmos.apimachinery.resource import GroupResource, GroupVersionKind

SYSTEM_NAMESPACE = "llmos-system"
SECRETS = GroupResource("", "secrets")
USERS = GroupResource("management.llmos.ai", "users")
USER_KIND = GroupVersionKind("management.llmos.ai", "v1", "User")

PASSWORD_TYPE = "llmos.ai/password"  # noqa: S105 - the type of a Secret
TOKEN_TYPE = "llmos.ai/token"  # noqa: S105 - the type of a Secret
SIGNING_KEY_TYPE = "llmos.ai/signing-key"
STATE_TYPE = "llmos.ai/state"
"""Marks and counters of the server itself."""

TokenKind = Literal["session", "api", "kubeconfig"]
_KINDS: dict[str, TokenKind] = {"session": "session", "api": "api", "kubeconfig": "kubeconfig"}


def make_secret(name: str, kind: str, data: Mapping[str, str]) -> Object:
    """A Secret of ours."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": SYSTEM_NAMESPACE},
        "type": kind,
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def secret_data(secret: Object, kind: str) -> dict[str, str]:
    """The decoded data of a Secret of ours; empty when it is none of this type or unreadable."""
    data = secret.get("data")
    if (
        secret.get("type") != kind
        or namespace_of(secret) != SYSTEM_NAMESPACE
        or is_terminating(secret)
        or not isinstance(data, dict)
    ):
        return {}
    try:
        return {key: base64.b64decode(value, validate=True).decode() for key, value in data.items()}
    except (binascii.Error, ValueError, TypeError):
        return {}


async def put_secret(store: ObjectStore, secret: Object) -> Object:
    """Create a Secret, or replace the version of it that is there now.

    Raises:
        ConflictError: somebody else wrote it meanwhile.
        AlreadyExistsError: somebody else created it meanwhile.
    """
    current = store.get(SECRETS, SYSTEM_NAMESPACE, name_of(secret))
    if current is None:
        return await store.create(SECRETS, secret)
    if current.get("type") != secret["type"]:
        await store.delete(SECRETS, SYSTEM_NAMESPACE, name_of(secret))
        return await store.create(SECRETS, secret)
    replaced = copy_object(current)
    replaced["data"] = secret["data"]
    return await store.update(SECRETS, replaced)


async def drop_secret(store: ObjectStore, name: str) -> None:
    """Delete a Secret of ours that may be gone already."""
    try:
        await store.delete(SECRETS, SYSTEM_NAMESPACE, name)
    except NotFoundError:
        return


@dataclass(frozen=True, slots=True)
class PasswordRecord:
    """A user's password, tied to the uid so that a later user of the same name has none."""

    user: str
    user_uid: str
    hash: str
    must_change: bool = False
    one_time: bool = False
    """It signs in once; afterwards it only proves who changes it."""
    used: bool = False
    manifest_hash: str = ""
    """Hash of the last password a manifest brought: the same manifest again changes nothing."""

    def to_secret(self) -> Object:
        """The Secret that keeps it."""
        data = {"user": self.user, "userUID": self.user_uid, "hash": self.hash}
        flags = {"mustChange": self.must_change, "oneTime": self.one_time, "used": self.used}
        data |= {key: "true" for key, value in flags.items() if value}
        if self.manifest_hash:
            data["manifestHash"] = self.manifest_hash
        return make_secret(password_name(self.user), PASSWORD_TYPE, data)

    @classmethod
    def from_secret(cls, secret: Object) -> "PasswordRecord | None":
        """Read the Secret of a password."""
        data = secret_data(secret, PASSWORD_TYPE)
        if not (data.get("user") and data.get("hash")):
            return None
        return cls(
            user=data["user"],
            user_uid=data.get("userUID", ""),
            hash=data["hash"],
            must_change=data.get("mustChange") == "true",
            one_time=data.get("oneTime") == "true",
            used=data.get("used") == "true",
            manifest_hash=data.get("manifestHash", ""),
        )


def password_name(user: str) -> str:
    """The name of the Secret with a user's password."""
    return f"password-{user}"


def read_password(store: Lister, user: str, uid: str) -> PasswordRecord | None:
    """The password of this very user, if he has one."""
    secret = store.get(SECRETS, SYSTEM_NAMESPACE, password_name(user))
    record = PasswordRecord.from_secret(secret) if secret else None
    if record is None or record.user != user or record.user_uid != uid:
        return None
    return record


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token or session; of its key only the SHA-256 is known."""

    name: str
    digest: bytes
    user: str
    user_uid: str
    kind: TokenKind
    created_at: float
    expires_at: float
    description: str = ""
    browser: bool = False
    """It is the session of a browser: it comes as a cookie and not as a bearer token."""
    used_at: float = field(default=0.0, compare=False)
    """When a browser's session was used, as far as that was kept: memory may know a later time."""

    def to_secret(self) -> Object:
        """The Secret that keeps it."""
        data = {
            "hash": self.digest.hex(),
            "user": self.user,
            "userUID": self.user_uid,
            "kind": self.kind,
            "createdAt": rfc3339_micro(self.created_at),
            "expiresAt": rfc3339_micro(self.expires_at),
            "description": self.description,
        }
        if self.browser:
            data |= {"browser": "true", "usedAt": rfc3339_micro(self.used_at)}
        return make_secret(self.name, TOKEN_TYPE, data)

    @classmethod
    def from_secret(cls, secret: Object) -> "TokenRecord | None":
        """Read the Secret of a token; one without an end is none."""
        data = secret_data(secret, TOKEN_TYPE)
        kind = _KINDS.get(data.get("kind", ""))
        if kind is None:
            return None
        try:
            digest = bytes.fromhex(data["hash"])
            created, expires = parse_rfc3339(data["createdAt"]), parse_rfc3339(data["expiresAt"])
            user, uid = data["user"], data["userUID"]
            browser = data.get("browser") == "true"
            used = parse_rfc3339(data["usedAt"]) if browser else 0.0
        except (KeyError, ValueError):
            return None
        if len(digest) != 32 or not (user and uid):
            return None
        text = data.get("description", "")
        return cls(name_of(secret), digest, user, uid, kind, created, expires, text, browser, used)

    def to_object(self) -> dict[str, str]:
        """What its user is told of it."""
        return {
            "name": self.name,
            "user": self.user,
            "kind": self.kind,
            "description": self.description,
            "createdAt": rfc3339(self.created_at),
            "expiresAt": rfc3339(self.expires_at),
        }
