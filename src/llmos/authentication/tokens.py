"""Tokens and sessions of llmos users: ``<name>:<key>``, found in memory.

Fed with every event of the Secrets in ``llmos-system``. A token is only as good as the user it was
made for: deleting, deactivating or replacing him ends it with the next request.
"""

import hashlib
import hmac
from dataclasses import replace
from functools import partial

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import UnauthorizedError
from llmos.apimachinery.object import Object, name_of
from llmos.apis.authentication_v1 import UserInfo
from llmos.authentication.authenticator import Identity, never_back
from llmos.authentication.passwords import random_text
from llmos.authentication.records import (
    PASSWORD_TYPE,
    TOKEN_TYPE,
    PasswordRecord,
    TokenRecord,
    password_name,
)
from llmos.authentication.session_limits import SessionLimits
from llmos.authentication.users import Users

KEY_LENGTH = 54
"""Characters of a key: 256 bits, so a plain SHA-256 of it is as safe as the key."""
_WORTH_KEEPING = 0.05
"""The part of the idle limit by which what is kept of a session's last use may lag."""


def generate_token() -> tuple[str, str]:
    """The name and the key of a new token."""
    return f"token-{random_text(5)}", random_text(KEY_LENGTH)


def key_digest(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


class GivenPasswords:
    """The users who have a password that somebody else gave them and that they have to change."""

    def __init__(self) -> None:
        self._uids: dict[str, str] = {}
        """By the name of the Secret."""

    def has(self, user: str, uid: str) -> bool:
        """Whether this very user is one of them."""
        return self._uids.get(password_name(user)) == uid

    def set(self, secret: Object) -> None:
        """Take in a Secret that was added or changed."""
        self.delete(secret)
        if secret.get("type") != PASSWORD_TYPE:
            return
        record = PasswordRecord.from_secret(secret)
        if record is not None and record.must_change:
            self._uids[name_of(secret)] = record.user_uid

    def delete(self, secret: Object) -> None:
        """Forget a Secret that was deleted."""
        self._uids.pop(name_of(secret), None)


class Tokens:
    """Knows all tokens; authenticates from memory."""

    def __init__(self, users: Users, clock: Clock, limits: SessionLimits | None = None) -> None:
        self.users = users
        self.limits = limits or SessionLimits()
        self._now = never_back(clock)
        self._records: dict[str, TokenRecord] = {}
        self._identities: dict[str, Identity] = {}
        self._by_user: dict[str, dict[str, TokenRecord]] = {}
        self._used: dict[str, float] = {}
        """When the sessions of browsers were last used, by name."""
        self.passwords_given = GivenPasswords()

    def set(self, secret: Object) -> None:
        """Take in a Secret that was added or changed; one that is no token of ours is none."""
        self.passwords_given.set(secret)
        if secret.get("type") != TOKEN_TYPE and name_of(secret) not in self._records:
            return
        used = self._used.get(name_of(secret), 0.0)
        self.delete(secret)
        record = TokenRecord.from_secret(secret)
        if record is not None:
            if record.browser:
                self._used[record.name] = max(used, record.used_at)
            self._records[record.name] = record
            self._by_user.setdefault(record.user, {})[record.name] = record

    def delete(self, secret: Object) -> None:
        """Forget a Secret that was deleted."""
        self.passwords_given.delete(secret)
        record = self._records.pop(name_of(secret), None)
        if record is None:
            return
        self._identities.pop(record.name, None)
        self._used.pop(record.name, None)
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
        return [each for each in self._records.values() if self._end(each) <= now]

    def use(self, name: str) -> None:
        """Note that a session of a browser is used now: it is idle from now on."""
        if name in self._used:
            self._used[name] = self._now()

    def uses_to_keep(self) -> list[TokenRecord]:
        """The sessions whose last use is much later than was kept of it, with the later one."""
        worth = self.limits.idle * _WORTH_KEEPING
        return [
            replace(self._records[name], used_at=used)
            for name, used in self._used.items()
            if used - self._records[name].used_at >= worth
        ]

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
        given = record.kind == "session" and self.passwords_given.has(record.user, record.user_uid)
        known = self._identities.get(name)
        if known is not None and known.user is info and known.must_change_password is given:
            return known
        identity = Identity(
            info,
            record.kind,
            name,
            record.expires_at,
            record.browser,
            given,
            partial(self._still, record, info),
        )
        self._identities[name] = identity
        return identity

    def _info(self, record: TokenRecord) -> UserInfo | None:
        if self._end(record) <= self._now():
            return None
        return self.users.info(record.user, record.user_uid)

    def _end(self, record: TokenRecord) -> float:
        """When a token is over, as things stand: an idle session of a browser is."""
        if not record.browser:
            return record.expires_at
        used = self._used.get(record.name, record.used_at)
        whole = record.created_at + self.limits.lifetime
        return min(record.expires_at, whole, used + self.limits.idle)

    def _still(self, record: TokenRecord, info: UserInfo) -> bool:
        """Whether a token gives the user it gave; a change of his groups ends what he opened."""
        return self._records.get(record.name) == record and self._info(record) == info
