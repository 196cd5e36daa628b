"""Makes and ends the tokens of users: one Secret each, known in memory at once."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ServiceUnavailableError,
)
from llmos.apimachinery.lister import ObjectStore
from llmos.apimachinery.object import copy_object
from llmos.apimachinery.resource import GroupResource
from llmos.authentication.records import (
    SECRETS,
    SYSTEM_NAMESPACE,
    TOKEN_TYPE,
    TokenKind,
    TokenRecord,
    drop_secret,
    make_secret,
)
from llmos.authentication.tokens import Tokens, generate_token, key_digest

TOKENS = GroupResource("management.llmos.ai", "users/tokens")
MAX_TOKENS = 100
"""Tokens of one kind that one user may have."""
_NAME_ATTEMPTS = 8


class Owner(Protocol):
    """Whose token it is."""

    @property
    def name(self) -> str:
        """The user's name."""

    @property
    def uid(self) -> str:
        """The user's uid."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, and the only time its text is known."""

    record: TokenRecord
    token: str


class TokenIssuer:
    """Writes the Secrets of tokens."""

    def __init__(self, store: ObjectStore, tokens: Tokens, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._clock = clock

    async def issue(
        self, owner: Owner, kind: TokenKind, ttl: float, description: str, browser: bool = False
    ) -> Issued:
        """Make a token for a user; ``browser``: one that comes as a cookie.

        A user with too many sessions loses his oldest one.

        Raises:
            ForbiddenError: he has as many tokens as one may have.
            ServiceUnavailableError: every name that was drawn is taken.
        """
        same = [each for each in self._tokens.of_user(owner.name) if each.kind == kind]
        if len(same) >= MAX_TOKENS:
            if kind != "session":
                raise ForbiddenError.of(TOKENS, "", f"a user has at most {MAX_TOKENS} tokens")
            await self.revoke(same[0].name)
        for _ in range(_NAME_ATTEMPTS):
            issued = self._make(owner, kind, ttl, description, browser)
            try:
                stored = await self._store.create(SECRETS, issued.record.to_secret())
            except AlreadyExistsError:
                continue
            self._tokens.set(stored)
            return issued
        raise ServiceUnavailableError("no free name was found for a token")

    def _make(
        self, owner: Owner, kind: TokenKind, ttl: float, description: str, browser: bool
    ) -> Issued:
        name, key = generate_token()
        now = self._clock()
        record = TokenRecord(
            name=name,
            digest=key_digest(key),
            user=owner.name,
            user_uid=owner.uid,
            kind=kind,
            created_at=now,
            expires_at=now + ttl,
            description=description,
            browser=browser,
            used_at=now if browser else 0.0,
        )
        return Issued(record, f"{name}:{key}")

    async def revoke(self, name: str) -> None:
        """End a token, at once and whatever its Secret still waits for."""
        self._tokens.delete(make_secret(name, TOKEN_TYPE, {}))
        await drop_secret(self._store, name)

    async def revoke_all(
        self, user: str, kinds: tuple[TokenKind, ...], *, keep: str = "", keep_uid: str = ""
    ) -> None:
        """End a user's tokens of some kinds, but the one named and those of a uid."""
        for record in self._tokens.of_user(user):
            kept = record.name == keep or (keep_uid and record.user_uid == keep_uid)
            if record.kind in kinds and not kept:
                await self.revoke(record.name)

    async def remove_expired(self) -> int:
        """Delete the Secrets of tokens that are over; how many."""
        expired = self._tokens.expired()
        for record in expired:
            await self.revoke(record.name)
        return len(expired)

    async def keep_uses(self) -> None:
        """Write down when the sessions of browsers were used, for a restart and for other replicas.

        What ended meanwhile stays ended: nothing is created here.
        """
        for record in self._tokens.uses_to_keep():
            current = self._store.get(SECRETS, SYSTEM_NAMESPACE, record.name)
            if current is None or TokenRecord.from_secret(current) != record:
                continue
            changed = copy_object(current)
            changed["data"] = record.to_secret()["data"]
            with suppress(NotFoundError, ConflictError):
                await self._store.update(SECRETS, changed)
