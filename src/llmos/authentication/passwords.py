"""Passwords: argon2id off the event loop, what makes a good one, and ones made by us."""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from llmos.apimachinery.errors import FieldError, TooManyRequestsError
from llmos.apis.usernames import normalize_username

P = ParamSpec("P")
T = TypeVar("T")

MIN_LENGTH = 8
MAX_LENGTH = 256
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Characters of what we generate: none looks like another, and no words come of them."""

_CONTROL = ("Cc", "Cs", "Zl", "Zp")


def check_password(password: str, names: Iterable[str], field: str) -> list[FieldError]:
    """Say what is wrong with a new password; ``names`` are those of its user.

    The texts never hold the password.
    """
    wrong = []
    if not password:
        return [FieldError("FieldValueRequired", field, "Required value: must be set")]
    if len(password) > MAX_LENGTH:
        why = f"Too long: may not be more than {MAX_LENGTH} characters"
        return [FieldError("FieldValueTooLong", field, why)]
    if len(unicodedata.normalize("NFC", password)) < MIN_LENGTH:
        wrong.append(f"must have at least {MIN_LENGTH} characters")
    if any(unicodedata.category(char) in _CONTROL for char in password):
        wrong.append("must not hold control characters")
    if normalize_username(password) in {normalize_username(each) for each in names}:
        wrong.append("must not be the username")
    return [FieldError("FieldValueInvalid", field, f"Invalid value: {each}") for each in wrong]


def random_text(length: int) -> str:
    """Random characters of ``ALPHABET``, 4.75 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def generate_password() -> str:
    """A password of 95 bits in groups that can be read out."""
    return "-".join(random_text(5) for _ in range(4))


def default_hasher() -> argon2.PasswordHasher:
    """argon2id with 19 MiB and 2 passes on one lane, OWASP's choice: 25 ms and bounded memory."""
    return argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def _dummy_hash(hasher: argon2.PasswordHasher) -> str:
    """A hash that costs as much to verify as a real one, and no password is known for."""
    salt, digest = (
        base64.b64encode(bytes(size)).rstrip(b"=").decode()
        for size in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


class Passwords:
    """Hashes and verifies in threads, a few at a time, and refuses when too many wait."""

    def __init__(
        self,
        hasher: argon2.PasswordHasher | None = None,
        concurrent: int = 2,
        waiting: int = 64,
    ) -> None:
        self._hasher = hasher or default_hasher()
        self._dummy = _dummy_hash(self._hasher)
        self._threads = ThreadPoolExecutor(concurrent, thread_name_prefix="passwords")
        self._room = concurrent + waiting

    async def hash(self, password: str) -> str:
        """An argon2id hash, with its salt and cost in it.

        Raises:
            TooManyRequestsError: too many wait already.
        """
        return await self._run(self._hasher.hash, _prepared(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password fits the hash; without a hash it takes as long and does not.

        Raises:
            TooManyRequestsError: too many wait already.
        """
        if len(password) > MAX_LENGTH:
            return False
        fits = await self._run(self._fits, stored or self._dummy, _prepared(password))
        return fits and bool(stored)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._room <= 0:
            raise TooManyRequestsError("too many logins at once, please try again later")
        self._room -= 1
        try:
            call = partial(function, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._room += 1

    def _fits(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _prepared(password: str) -> bytes:
    """The bytes that are hashed: however a keyboard composes its accents, the same."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")
