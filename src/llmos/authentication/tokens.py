"""Tokens and sessions of llmos users: ``<name>:<key>``, found in memory.

Fed with every event of the Secrets in ``llmos-system``. A token is only as good as the user it was
made for: deleting, deactivating or replacing him ends it with the next request.
"""

import hashlib
import hmac
from functools import partial

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import UnauthorizedError
from llmos.apimachinery.object import Object, name_of
from llmos.apis.authentication_v1 import UserInfo
from llmos.authentication.authenticator import Identity, never_back
from llmos.authentication.passwords import random_text
from llmos.authentication.records import TOKEN_TYPE, TokenRecord
from llmos.authentication.users import Users

KEY_LENGTH = 54
"""Characters of a key: 256 bits, so a plain SHA-256 of it is as safe as the key."""


def generate_token() -> tuple[str, str]:
    """The name and the key of a new token."""
    return f"token-{random_text(5)}", random_text(KEY_LENGTH)


def key_digest(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


class Tokens:
    """Knows all tokens; authenticates from memory."""

    def __init__(self, users: Users, clock: Clock) -> None:
        self.users = users
        self._now = never_back(clock)
        self._records: dict[str, TokenRecord] = {}
        self._identities: dict[str, Identity] = {}
        self._by_user: dict[str, dict[str, TokenRecord]] = {}

    def set(self, secret: Object) -> None:
        """Take in a Secret that was added or changed; one that is no token of ours is none."""
        if secret.get("type") != TOKEN_TYPE and name_of(secret) not in self._records:
            return
        self.delete(secret)
        record = TokenRecord.from_secret(secret)
        if record is not None:
            self._records[record.name] = record
            self._by_user.setdefault(record.user, {})[record.name] = record

    def delete(self, secret: Object) -> None:
        """Forget a Secret that was deleted."""
        record = self._records.pop(name_of(secret), None)
        if record is None:
            return
        self._identities.pop(record.name, None)
        owned = self._by_user[record.user]
        del owned[record.name]
        if not owned:
            del self._by_user[record.user]

    def get(self, name: str) -> TokenRecord | None:
        """A token by its name."""
        return self._records.get(name)

    def of_user(self, user: str) -> list[TokenRecord]:
        """A user's tokens, oldest first."""
        owned = self._by_user.get(user, {})
        return sorted(owned.values(), key=lambda each: (each.created_at, each.name))

    def expired(self) -> list[TokenRecord]:
        """The tokens that are over and only take up room."""
        now = self._now()
        return [each for each in self._records.values() if each.expires_at <= now]

    def authenticate(self, bearer: str) -> Identity | None:
        """Say whose token it is; None: no token of that name.

        Raises:
            UnauthorizedError: the key is wrong, the token is over, or its user may not sign in.
        """
        name, _, key = bearer.partition(":")
        record = self._records.get(name)
        if record is None:
            return None
        if not hmac.compare_digest(key_digest(key), record.digest):
            raise UnauthorizedError
        info = self._info(record)
        if info is None:
            raise UnauthorizedError
        known = self._identities.get(name)
        if known is not None and known.user is info:
            return known
        identity = Identity(
            info, record.kind, name, record.expires_at, partial(self._still, record, info)
        )
        self._identities[name] = identity
        return identity

    def _info(self, record: TokenRecord) -> UserInfo | None:
        if record.expires_at <= self._now():
            return None
        return self.users.info(record.user, record.user_uid)

    def _still(self, record: TokenRecord, info: UserInfo) -> bool:
        """Whether a token gives the user it gave; a change of his groups ends what he opened."""
        return self._records.get(record.name) == record and self._info(record) == info
