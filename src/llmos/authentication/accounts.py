"""What people do with their accounts, without HTTP: sign in and out, passwords, tokens.

Everything is kept in Secrets of ``llmos-system`` (see ``records``). Whoever calls an operation on
another user's account has authorized it already.
"""

from dataclasses import dataclass

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import (
    FieldError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
)
from llmos.apimachinery.lister import ObjectStore
from llmos.apimachinery.object import Object, name_of, uid_of
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apis.usernames import normalize_username
from llmos.authentication.authenticator import Identity
from llmos.authentication.issuer import TOKENS, Issued, TokenIssuer
from llmos.authentication.limiter import LoginLimiter
from llmos.authentication.password_store import WRONG, PasswordStore, check_new_password
from llmos.authentication.passwords import Passwords, generate_password
from llmos.authentication.records import USERS, PasswordRecord, TokenKind, TokenRecord
from llmos.authentication.tokens import Tokens
from llmos.authentication.users import Account

TOKEN_KIND = GroupVersionKind("management.llmos.ai", "v1", "Token")
MAX_DESCRIPTION = 256
_ALL_KINDS: tuple[TokenKind, ...] = ("session", "api", "kubeconfig")


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How long tokens live, in seconds."""

    session: float = 12 * 3600.0
    """A session that is no browser's."""
    must_change_session: float = 3600.0
    """The session of one who has to change his password."""
    longest: float = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class Session:
    """The answer to a login; ``token`` is said once."""

    user: str
    token: str
    name: str
    expires_at: float
    must_change_password: bool


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody brings who signs in."""

    username: str
    password: str
    new_password: str | None = None
    ttl: int | None = None
    browser: bool = False
    """The session is to be a browser's, which comes as a cookie."""


def _check_ttl(ttl: float, longest: float) -> list[FieldError]:
    if 1 <= ttl <= longest:
        return []
    why = f"must be between 1 and {int(longest)} seconds"
    return [FieldError("FieldValueInvalid", "ttlSeconds", f"Invalid value: {ttl}: {why}")]


def _check_description(text: str) -> list[FieldError]:
    if len(text) > MAX_DESCRIPTION:
        why = f"Too long: may not be more than {MAX_DESCRIPTION} characters"
        return [FieldError("FieldValueTooLong", "description", why)]
    if not (text.isprintable() or not text):
        why = "Invalid value: must not hold control characters"
        return [FieldError("FieldValueInvalid", "description", why)]
    return []


class Accounts:
    """The operations on accounts."""

    def __init__(
        self,
        store: ObjectStore,
        tokens: Tokens,
        passwords: Passwords,
        clock: Clock,
        limits: TokenLimits | None = None,
    ) -> None:
        self.limits = limits or TokenLimits()
        self.limiter = LoginLimiter(clock)
        self.issuer = TokenIssuer(store, tokens, clock)
        self._store = store
        self._tokens = tokens
        self._users = tokens.users
        self._passwords = PasswordStore(store, passwords)
        self._clock = clock

    async def login(self, login: Login, address: str) -> Session:
        """Sign in, changing the password on the way where a new one is given.

        Raises:
            UnauthorizedError: whatever is wrong with username, password or user: always the same.
            TooManyRequestsError: too many attempts.
            InvalidError: the new password or the life of the session is not allowed.
        """
        longest = self._longest_session(login.browser)
        errors = [] if login.ttl is None else _check_ttl(login.ttl, longest)
        if errors:
            raise InvalidError.of(TOKEN_KIND, "", errors)
        self.limiter.attempt(login.username, address)
        account, record = await self._verify(login)
        self.limiter.succeeded(login.username, address)
        record = await self._accept(account, record, login)
        ttl = min(longest, self.limits.must_change_session) if record.must_change else longest
        ttl = ttl if login.ttl is None else min(ttl, login.ttl)
        issued = await self.issuer.issue(account, "session", ttl, "", login.browser)
        made = issued.record
        return Session(account.name, issued.token, made.name, made.expires_at, record.must_change)

    def _longest_session(self, browser: bool) -> float:
        return self._tokens.limits.lifetime if browser else self.limits.session

    async def _verify(self, login: Login) -> tuple[Account, PasswordRecord]:
        """Find who signs in; takes as long for one who does not exist."""
        account = self._users.by_username(normalize_username(login.username))
        record = self._passwords.read(account.name, account.uid) if account else None
        if record is not None and record.used:
            record = None
        fits = await self._passwords.verify(record, login.password)
        if not (fits and account and account.active and record):
            await self.limiter.save(self._store)
            raise UnauthorizedError(WRONG)
        return account, record

    async def _accept(
        self, account: Account, record: PasswordRecord, login: Login
    ) -> PasswordRecord:
        """Set the new password, or use up one that signs in once."""
        if login.new_password is not None:
            check_new_password(account, login.new_password, login.password)
            changed = await self._passwords.change(record, login.new_password)
            await self.issuer.revoke_all(account.name, ("session",))
            return changed
        return await self._passwords.use_up(record) if record.one_time else record

    async def logout(self, identity: Identity) -> None:
        """End the token that the request came with."""
        if identity.token_name:
            await self.issuer.revoke(identity.token_name)

    def must_change_password(self, identity: Identity) -> bool:
        """Whether the user still has a password that somebody else gave him."""
        record = self._passwords.read(identity.user.name, identity.user.uid)
        return record is not None and record.must_change

    async def change_password(
        self, identity: Identity, current: str, new: str, address: str
    ) -> Issued | None:
        """Set one's own password; every other session of his ends.

        A browser's own session ends too, and the one in its place comes back.

        Raises:
            ForbiddenError: the current password is wrong.
            TooManyRequestsError: too many attempts.
            InvalidError: the new password is not allowed.
            ConflictError: somebody else changed it at the same time.
        """
        account = self._own(identity)
        self.limiter.attempt(account.username, address)
        record = self._passwords.read(account.name, account.uid)
        fits = await self._passwords.verify(record, current)
        if not (fits and record):
            await self.limiter.save(self._store)
            raise ForbiddenError("the current password is wrong")
        self.limiter.succeeded(account.username, address)
        check_new_password(account, new, current)
        await self._passwords.change(record, new)
        kept = "" if identity.browser else identity.token_name
        await self.issuer.revoke_all(account.name, ("session",), keep=kept)
        if not identity.browser:
            return None
        return await self.issuer.issue(account, "session", self._longest_session(True), "", True)

    def now(self) -> float:
        """The time by which sessions end."""
        return self._clock()

    def known(self, session: str) -> Identity:
        """Whose session it is that was made a moment ago.

        Raises:
            UnauthorizedError: it has ended again meanwhile.
        """
        identity = self._tokens.authenticate(session)
        if identity is None:
            raise UnauthorizedError
        return identity

    async def set_password(
        self, name: str, new: str | None, *, must_change: bool = True
    ) -> str | None:
        """Set a user's password for him; his sessions end.

        Without a new one a one-time password is made, which comes back.

        Raises:
            NotFoundError: there is no such user.
            InvalidError: the new password is not allowed.
            ConflictError: somebody else changed it at the same time.
        """
        account = self._users.get(name)
        if account is None:
            raise NotFoundError.of(USERS, name)
        if new is not None:
            check_new_password(account, new)
        generated = generate_password() if new is None else None
        await self._passwords.give(
            name,
            account.uid,
            new or generated or "",
            once=new is None,
            change=must_change or new is None,
        )
        await self.issuer.revoke_all(name, ("session",))
        return generated

    async def absorb_password(self, user: Object, password: str) -> None:
        """Keep the password that a User's manifest brought (``user_manifests.take_password``).

        The same manifest applied again changes nothing, not even after its user has changed his
        password; another password in it counts, and ends his sessions.
        """
        if await self._passwords.absorb(user, password):
            await self.issuer.revoke_all(name_of(user), ("session",))

    async def create_token(
        self, identity: Identity, ttl: int, description: str = "", kind: TokenKind = "api"
    ) -> Issued:
        """Make a token for oneself.

        Raises:
            InvalidError: it lives too long, or longer than the token it is made with.
            ForbiddenError: the password has to be changed first, or there are too many tokens.
        """
        account = self._own(identity)
        longest = self.limits.longest
        if identity.method != "session" and identity.expires_at is not None:
            longest = min(longest, max(1.0, identity.expires_at - self._clock()))
        errors = _check_ttl(ttl, longest) + _check_description(description)
        if errors:
            raise InvalidError.of(TOKEN_KIND, "", errors)
        if self.must_change_password(identity):
            raise ForbiddenError.of(TOKENS, "", "the password must be changed first")
        return await self.issuer.issue(account, kind, ttl, description)

    def list_tokens(self, user: str) -> list[TokenRecord]:
        """A user's tokens and sessions, oldest first."""
        return self._tokens.of_user(user)

    async def delete_token(self, user: str, name: str) -> None:
        """End a token of a user.

        Raises:
            NotFoundError: he has none of this name.
        """
        record = self._tokens.get(name)
        if record is None or record.user != user:
            raise NotFoundError.of(TOKENS, name)
        await self.issuer.revoke(name)

    async def end_user(self, name: str) -> None:
        """Delete what a deleted user leaves: tokens, sessions, password.

        A user who has the name by now keeps what is his.
        """
        live = self._store.get(USERS, "", name)
        uid = uid_of(live) if live else ""
        await self.issuer.revoke_all(name, _ALL_KINDS, keep_uid=uid)
        await self._passwords.remove(name, uid)

    def _own(self, identity: Identity) -> Account:
        """The account of who asks."""
        account = self._users.get(identity.user.name)
        if account is None or account.uid != identity.user.uid or not account.active:
            raise UnauthorizedError
        return account
