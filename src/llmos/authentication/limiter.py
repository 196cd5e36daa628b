"""Limits the guessing of passwords: for a username and for a client address, waits that double.

A username has 5 free attempts, an address 20; then each further one waits 1, 2, 4 … 60 seconds.
Fifteen minutes without an attempt, or a login that succeeds, forget a username. Names that exist
and names that do not are counted alike. An attempt counts from its beginning, so many at once gain
nothing. Names are kept as hashes (people type passwords into the wrong field), in tables of bounded
size, and those that must wait survive a restart in the Secret ``login-failures``.
"""

import hashlib
import ipaddress
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import orjson

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import StatusError, TooManyRequestsError
from llmos.apimachinery.lister import ObjectStore
from llmos.apis.usernames import normalize_username
from llmos.authentication.records import (
    SECRETS,
    STATE_TYPE,
    SYSTEM_NAMESPACE,
    make_secret,
    put_secret,
    secret_data,
)

STATE_NAME = "login-failures"
FORGET_AFTER = 15 * 60.0
LONGEST_WAIT = 60.0
_SAVED_NAMES = 1000
_SAVE_EVERY = 1.0


@dataclass(slots=True)
class _Attempts:
    count: int
    last: float
    until: float


class AttemptTable:
    """Attempts by key, of the latest ``capacity`` keys."""

    def __init__(self, free: int, capacity: int = 10_000) -> None:
        self.free = free
        self._capacity = capacity
        self._entries: dict[str, _Attempts] = {}

    def wait(self, key: str, now: float) -> float:
        """Seconds until the key may be tried again."""
        entry = self._entries.get(key)
        if entry is None:
            return 0.0
        if now < entry.last:
            entry.last, entry.until = now, min(entry.until, now + LONGEST_WAIT)
        if now - entry.last > FORGET_AFTER:
            del self._entries[key]
            return 0.0
        return max(0.0, entry.until - now)

    def count(self, key: str, now: float) -> bool:
        """Count an attempt; whether the next one has to wait."""
        entry = self._entries.pop(key, None) or _Attempts(0, now, now)
        entry.count += 1
        over = entry.count - self.free
        entry.last = now
        entry.until = now + min(LONGEST_WAIT, 2.0 ** min(over, 10)) if over >= 0 else now
        self._put(key, entry)
        return over >= 0

    def forget(self, key: str) -> bool:
        """Begin anew; whether the key had used up its free attempts."""
        entry = self._entries.pop(key, None)
        return entry is not None and entry.count >= self.free

    def take_back(self, key: str) -> None:
        """Uncount the last attempt."""
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.count -= 1
        entry.until = entry.last
        if entry.count <= 0:
            del self._entries[key]

    def limited(self) -> Iterator[tuple[str, int, float, float]]:
        """The keys that have used up their free attempts, latest first."""
        for key, entry in reversed(self._entries.items()):
            if entry.count >= self.free:
                yield key, entry.count, entry.last, entry.until

    def restore(self, key: str, count: int, last: float, until: float) -> None:
        """Put back what ``limited`` gave."""
        self._put(key, _Attempts(count, last, until))

    def _put(self, key: str, entry: _Attempts) -> None:
        if len(self._entries) >= self._capacity:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = entry


def username_key(username: str) -> str:
    """The key of a username: of one size, and not to be read."""
    return hashlib.sha256(normalize_username(username).encode("utf-8", "replace")).hexdigest()[:32]


def address_key(address: str) -> str:
    """The key of a client address; an IPv6 client may use its whole /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


class LoginLimiter:
    """Says when a login may be tried."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._usernames = AttemptTable(free=5)
        self._addresses = AttemptTable(free=20)
        self._changed = False
        self._saved_at = -math.inf

    def attempt(self, username: str, address: str) -> None:
        """Begin an attempt.

        Raises:
            TooManyRequestsError: the username or the address has to wait.
        """
        now = self._clock()
        name, place = username_key(username), address_key(address)
        wait = self._usernames.wait(name, now)
        if place:
            wait = max(wait, self._addresses.wait(place, now))
        if wait > 0:
            message = "too many attempts to sign in, please try again later"
            raise TooManyRequestsError(message, math.ceil(wait))
        if self._usernames.count(name, now):
            self._changed = True
        if place:
            self._addresses.count(place, now)

    def succeeded(self, username: str, address: str) -> None:
        """End an attempt whose password was right."""
        if self._usernames.forget(username_key(username)):
            self._changed = True
        self._addresses.take_back(address_key(address))

    async def save(self, store: ObjectStore, *, now: bool = False) -> None:
        """Keep the usernames that have to wait, once a second at most (or ``now``)."""
        time = self._clock()
        if not self._changed or (not now and 0 <= time - self._saved_at < _SAVE_EVERY):
            return
        self._changed, self._saved_at = False, time
        names = list(islice(self._usernames.limited(), _SAVED_NAMES))
        text = orjson.dumps(names).decode()
        try:
            await put_secret(store, make_secret(STATE_NAME, STATE_TYPE, {"usernames": text}))
        except StatusError:
            self._changed = True

    def load(self, store: ObjectStore) -> None:
        """Go on where the last run of the server stopped."""
        secret = store.get(SECRETS, SYSTEM_NAMESPACE, STATE_NAME)
        text = secret_data(secret, STATE_TYPE).get("usernames", "[]") if secret else "[]"
        try:
            entries = [(str(k), int(n), float(a), float(b)) for k, n, a, b in orjson.loads(text)]
        except (ValueError, TypeError):
            return
        for entry in reversed(entries):
            self._usernames.restore(*entry)
