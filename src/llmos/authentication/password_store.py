"""The passwords that are kept: one Secret a user, changed only by who saw its latest state."""

from dataclasses import replace

from llmos.apimachinery.errors import ConflictError, FieldError, InvalidError, UnauthorizedError
from llmos.apimachinery.lister import ObjectStore
from llmos.apimachinery.object import Object, name_of, uid_of
from llmos.authentication.passwords import Passwords, check_password
from llmos.authentication.records import (
    SECRETS,
    SYSTEM_NAMESPACE,
    USER_KIND,
    USERS,
    PasswordRecord,
    drop_secret,
    password_name,
    put_secret,
    read_password,
)
from llmos.authentication.users import Account

WRONG = "the username or the password is wrong"


def check_new_password(account: Account, new: str, current: str = "") -> None:
    """Refuse a new password that is not good enough.

    Raises:
        InvalidError: with one cause for each reason, and never the password.
    """
    errors = check_password(new, account.names, "newPassword")
    if not errors and new == current:
        why = "Invalid value: must not be the current password"
        errors = [FieldError("FieldValueInvalid", "newPassword", why)]
    if errors:
        raise InvalidError.of(USER_KIND, account.name, errors)


class PasswordStore:
    """Reads, verifies and replaces passwords."""

    def __init__(self, store: ObjectStore, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords

    def read(self, name: str, uid: str) -> PasswordRecord | None:
        """The password of this very user, if he has one."""
        return read_password(self._store, name, uid)

    async def verify(self, record: PasswordRecord | None, password: str) -> bool:
        """Whether it is the password; takes as long where there is none."""
        return await self._passwords.verify(password, record.hash if record else None)

    async def use_up(self, record: PasswordRecord) -> PasswordRecord:
        """Mark a one-time password as used.

        Raises:
            UnauthorizedError: somebody else was faster.
        """
        used = replace(record, used=True)
        try:
            await self._replace(record, used)
        except ConflictError:
            raise UnauthorizedError(WRONG) from None
        return used

    async def change(self, record: PasswordRecord, password: str) -> PasswordRecord:
        """Replace a password by one that its user chose.

        Raises:
            ConflictError: it is not the current one any more.
        """
        digest = await self._passwords.hash(password)
        changed = replace(record, hash=digest, must_change=False, one_time=False, used=False)
        await self._replace(record, changed)
        return changed

    async def give(self, name: str, uid: str, password: str, *, once: bool, change: bool) -> None:
        """Give a user a password, whatever he had.

        Args:
            name: The user's name.
            uid: The user's uid.
            password: The new password.
            once: It signs in only once.
            change: The user has to change it.

        Raises:
            ConflictError: somebody else wrote it at the same time.
        """
        digest = await self._passwords.hash(password)
        old = self.read(name, uid)
        kept = old.manifest_hash if old else ""
        new = PasswordRecord(name, uid, digest, change, once, manifest_hash=kept)
        await put_secret(self._store, new.to_secret())

    async def absorb(self, user: Object, password: str) -> bool:
        """Keep the password of a User's manifest; whether it is another than the last one there."""
        name, uid = name_of(user), uid_of(user)
        old = self.read(name, uid)
        known = old.manifest_hash if old else ""
        if known and await self._passwords.verify(password, known):
            return False
        digest = await self._passwords.hash(password)
        new = PasswordRecord(user=name, user_uid=uid, hash=digest, manifest_hash=digest)
        await put_secret(self._store, new.to_secret())
        return True

    async def remove(self, name: str, live_uid: str) -> None:
        """Delete the password of a name, but not that of the user who has the name now."""
        kept = live_uid and self.read(name, live_uid) is not None
        there = self._store.get(SECRETS, SYSTEM_NAMESPACE, password_name(name)) is not None
        if there and not kept:
            await drop_secret(self._store, password_name(name))

    async def _replace(self, old: PasswordRecord, new: PasswordRecord) -> None:
        if self.read(old.user, old.user_uid) != old:
            raise ConflictError.of(USERS, old.user, "the password was changed meanwhile")
        await put_secret(self._store, new.to_secret())
