"""The limit on guessing passwords."""

import asyncio

import pytest

from authentication.objects import Objects, SetClock
from llmos.apimachinery.errors import ServiceUnavailableError, TooManyRequestsError
from llmos.authentication.limiter import AttemptTable, LoginLimiter, address_key, username_key


def wait_of(limiter, username, address=""):
    """Seconds of the refusal, or 0."""
    try:
        limiter.attempt(username, address)
    except TooManyRequestsError as error:
        return error.retry_after
    return 0


def exhaust(limiter, clock, username):
    """Fail until the wait is the longest."""
    while (wait := wait_of(limiter, username)) < 60:
        clock.now += wait


def test_username_is_limited_with_waits_that_double():
    """Five attempts are free; then each next one waits 1, 2, 4 … 60 seconds."""
    clock = SetClock()
    limiter = LoginLimiter(clock)
    assert [wait_of(limiter, "root") for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(9):
        wait = wait_of(limiter, "Root ")
        waits.append(wait)
        clock.now += wait
        assert wait_of(limiter, "root") == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert wait_of(limiter, "other") == 0


def test_hammering_does_not_lengthen_the_wait():
    """A refused attempt is not counted."""
    clock = SetClock()
    limiter = LoginLimiter(clock)
    for _ in range(100):
        wait_of(limiter, "root")
    assert wait_of(limiter, "root") == 1


def test_success_and_time_forget_a_username():
    """A login that succeeds, or fifteen quiet minutes, give the free attempts back."""
    clock = SetClock()
    limiter = LoginLimiter(clock)
    for _ in range(4):
        wait_of(limiter, "root", "10.0.0.1")
    limiter.attempt("root", "10.0.0.1")
    limiter.succeeded("root", "10.0.0.1")
    assert [wait_of(limiter, "root") for _ in range(6)] == [0] * 5 + [1]
    clock.now += 16 * 60
    assert [wait_of(limiter, "root") for _ in range(6)] == [0] * 5 + [1]


def test_address_is_limited_over_all_names():
    """Twenty attempts from an address are free; an IPv6 client is its /64; successes are free."""
    limiter = LoginLimiter(SetClock())
    for count in range(50):
        limiter.attempt(f"friend{count}", "2001:db8::1")
        limiter.succeeded(f"friend{count}", "2001:db8::1")
    waits = [wait_of(limiter, f"u{count}", f"2001:db8::{count:x}") for count in range(21)]
    assert waits == [0] * 20 + [1]
    assert wait_of(limiter, "u", "2001:db8:0:1::1") == 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8::ff", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", ""),
    ],
)
def test_addresses_are_grouped(address, key):
    """Mapped IPv4 is IPv4, IPv6 counts by network, what is no address is not counted."""
    assert address_key(address) == key


def test_clock_set_back_does_not_lock_out():
    """After the clock was set back by a day, nobody waits longer than the longest wait."""
    clock = SetClock()
    limiter = LoginLimiter(clock)
    exhaust(limiter, clock, "root")
    clock.now -= 86400
    assert 0 < wait_of(limiter, "root") <= 60
    clock.now += 61
    assert wait_of(limiter, "root") == 0


def test_table_is_bounded_and_keeps_the_latest():
    """The oldest key makes room for a new one."""
    table = AttemptTable(free=1, capacity=3)
    for key in ("a", "b", "c", "a", "d"):
        table.count(key, 0.0)
    assert table.wait("b", 0.0) == 0
    assert all(table.wait(key, 0.0) > 0 for key in ("a", "c", "d"))


def test_limit_survives_a_restart():
    """Usernames that have to wait still do after a restart; no name can be read in the store."""

    async def scenario():
        clock, store = SetClock(), Objects()
        limiter = LoginLimiter(clock)
        exhaust(limiter, clock, "s3cret-typed-into-username")
        await limiter.save(store)
        assert "s3cret" not in str(store._objects)
        later = LoginLimiter(clock)
        later.load(store)
        assert wait_of(later, "s3cret-typed-into-username") == 60
        assert wait_of(later, "other") == 0
        clock.now += 60
        later.attempt("s3cret-typed-into-username", "")
        later.succeeded("s3cret-typed-into-username", "")
        await later.save(store)
        third = LoginLimiter(clock)
        third.load(store)
        assert [wait_of(third, "s3cret-typed-into-username") for _ in range(5)] == [0] * 5

    asyncio.run(scenario())


def test_saving_is_rare_and_never_an_error():
    """At most one write a second, none without a change; a store that fails is asked again."""

    async def scenario():
        clock, writes = SetClock(), []

        class Store(Objects):
            async def create(self, resource, obj):
                writes.append(obj)
                if len(writes) == 1:
                    raise ServiceUnavailableError("the disk is full")
                return await super().create(resource, obj)

            async def update(self, resource, obj):
                writes.append(obj)
                return await super().update(resource, obj)

        store = Store()
        limiter = LoginLimiter(clock)
        await limiter.save(store)
        assert writes == []
        for count in range(50):
            for _ in range(5):
                wait_of(limiter, f"user{count}")
            await limiter.save(store)
        assert len(writes) == 1
        await limiter.save(store, now=True)
        assert len(writes) == 2
        await limiter.save(store, now=True)
        assert len(writes) == 2
        clock.now += 2
        wait_of(limiter, "user1")
        await limiter.save(store)
        assert len(writes) == 3
        later = LoginLimiter(clock)
        later.load(store)
        assert wait_of(later, "user1") > 0

    asyncio.run(scenario())


def test_garbage_in_the_store_is_no_limit():
    """A Secret that somebody wrote by hand does not keep the server from starting."""
    store = Objects()
    for text in ("e30=", "W1tdXQ==", "!!", "bm8="):
        secret = {
            "kind": "Secret",
            "metadata": {"name": "login-failures", "namespace": "llmos-system"},
            "type": "llmos.ai/state",
            "data": {"usernames": text},
        }
        store._objects.clear()
        asyncio.run(store.create(("", "secrets"), secret))
        limiter = LoginLimiter(SetClock())
        limiter.load(store)
        assert wait_of(limiter, "root") == 0


def test_username_key_has_one_size():
    """However long a name is, what is kept of it is not."""
    assert len(username_key("x" * 100_000)) == len(username_key("x")) == 32
