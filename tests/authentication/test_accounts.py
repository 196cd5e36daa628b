"""Signing in, passwords, tokens: what people do with their accounts."""

import asyncio

import pytest

from authentication.objects import World
from llmos.apimachinery.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    StatusError,
    TooManyRequestsError,
    UnauthorizedError,
)
from llmos.authentication.accounts import Login
from llmos.authentication.records import SECRETS, SYSTEM_NAMESPACE, USERS, password_name

PASSWORD = "correct horse battery"
HOUR = 3600


def run(scenario):
    """Run a scenario in a world of its own."""
    world = World()
    asyncio.run(scenario(world))
    return world


async def sign_in(world, username="alice", password=PASSWORD, address="10.0.0.1", **more):
    return await world.accounts.login(Login(username, password, **more), address)


async def identity_of(world, **more):
    return world.tokens.authenticate((await sign_in(world, **more)).token)


async def refusal(awaitable):
    """The error of an operation that must be refused."""
    with pytest.raises(StatusError) as caught:
        await awaitable
    return caught.value


def test_login_gives_a_session():
    """Username and password, in any case of the username, give a session of twelve hours."""

    async def scenario(world):
        await world.add_user("u-1", PASSWORD, username="Alice")
        session = await sign_in(world, "aLICE")
        assert session.user == "u-1"
        assert session.expires_at == world.clock.now + 12 * HOUR
        assert not session.must_change_password
        identity = world.tokens.authenticate(session.token)
        assert (identity.user.name, identity.method) == ("u-1", "session")
        assert PASSWORD not in world.dump()
        assert session.token.split(":")[1] not in world.dump()

    run(scenario)


def test_every_failed_login_looks_the_same():
    """Wrong password, unknown, inactive and passwordless user, pass-the-hash: one answer."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        await world.add_user("idle", PASSWORD, isActive=False)
        await world.add_user("bare")
        stored = world.accounts._passwords.read("alice", world.users.get("alice").uid).hash
        answers = {
            (type(error), error.message)
            for error in [
                await refusal(sign_in(world, "alice", "wrong password")),
                await refusal(sign_in(world, "alice", stored)),
                await refusal(sign_in(world, "alice", "")),
                await refusal(sign_in(world, "nobody")),
                await refusal(sign_in(world, "idle")),
                await refusal(sign_in(world, "bare", "")),
                await refusal(sign_in(world, "", "")),
            ]
        }
        assert answers == {(UnauthorizedError, "the username or the password is wrong")}

    run(scenario)


def test_guessing_is_limited_over_a_restart_and_for_unknown_names_alike():
    """After five failures even the right password waits, here and after a restart."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        for name in ("alice", "nobody"):
            for _ in range(5):
                await refusal(sign_in(world, name, "wrong password", address=""))
        await world.accounts.limiter.save(world.store, now=True)
        for place in (world, world.restart()):
            for name in ("alice", "nobody"):
                error = await refusal(sign_in(place, name, address=""))
                assert isinstance(error, TooManyRequestsError)
                assert error.retry_after == 1
        world.clock.now += 1
        assert (await sign_in(world)).user == "alice"

    run(scenario)


def test_parallel_guesses_gain_nothing():
    """Of many attempts at once only the free ones are looked at."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        guesses = [refusal(sign_in(world, "alice", f"wrong {each}", "")) for each in range(40)]
        errors = await asyncio.gather(*guesses)
        assert sum(isinstance(each, UnauthorizedError) for each in errors) == 5

    run(scenario)


def test_session_may_be_shorter_and_never_longer():
    """A life is taken up to the session's own; 0 and more than that are refused."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        assert (await sign_in(world, ttl=60)).expires_at == world.clock.now + 60
        for ttl in (0, -1, 12 * HOUR + 1):
            assert isinstance(await refusal(sign_in(world, ttl=ttl)), InvalidError)

    run(scenario)


def test_login_with_a_new_password_changes_it():
    """The new password holds, the old one and the old sessions end; a weak one changes nothing."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        old = await identity_of(world)
        for weak in ("", "short", "alice", PASSWORD):
            error = await refusal(sign_in(world, new_password=weak))
            assert isinstance(error, InvalidError)
            assert PASSWORD not in error.message
        session = await sign_in(world, new_password="another password")
        assert world.tokens.authenticate(session.token).valid()
        assert not old.valid()
        await refusal(sign_in(world))
        await sign_in(world, password="another password")

    run(scenario)


def test_logout_ends_this_session_only():
    """The session that logs out ends at once, the others go on."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        one, two = await identity_of(world), await identity_of(world)
        await world.accounts.logout(one)
        assert not one.valid()
        assert two.valid()
        await world.accounts.logout(one)
        assert world.store.get(SECRETS, SYSTEM_NAMESPACE, one.token_name) is None

    run(scenario)


def test_changing_the_password_needs_it_and_ends_other_sessions():
    """A wrong current password is 403 and limited; a right one keeps this session."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        mine, other = await identity_of(world), await identity_of(world)
        token = await world.accounts.create_token(mine, HOUR)
        change = world.accounts.change_password
        for _ in range(5):
            error = await refusal(change(mine, "wrong password", "new password", ""))
            assert isinstance(error, ForbiddenError)
        error = await refusal(change(mine, PASSWORD, "new password", ""))
        assert isinstance(error, TooManyRequestsError)
        world.clock.now += 60
        for weak in ("", "1", "alice", "x" * 1_000_000, PASSWORD):
            assert isinstance(await refusal(change(mine, PASSWORD, weak, "")), InvalidError)
        await change(mine, PASSWORD, "new password", "")
        assert mine.valid()
        assert not other.valid()
        assert world.tokens.authenticate(token.token).valid()
        await sign_in(world, password="new password")

    run(scenario)


def test_setting_a_password_for_somebody():
    """The user gets it, has to change it when asked, and his sessions end."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        old = await identity_of(world)
        assert await world.accounts.set_password("alice", "given password") is None
        assert not old.valid()
        for _ in range(2):
            session = await sign_in(world, password="given password")
            assert session.must_change_password
            assert session.expires_at == world.clock.now + HOUR
        assert isinstance(await refusal(world.accounts.set_password("no", "x")), NotFoundError)
        assert isinstance(await refusal(world.accounts.set_password("alice", "x")), InvalidError)
        assert isinstance(await refusal(world.accounts.set_password("alice", "")), InvalidError)

    run(scenario)


def test_one_time_password_signs_in_once():
    """Its session lasts an hour and may only change the password; then everything is as usual."""

    async def scenario(world):
        await world.add_user("alice")
        once = await world.accounts.set_password("alice", None)
        assert once not in world.dump()
        session = await sign_in(world, password=once)
        assert session.must_change_password
        assert session.expires_at == world.clock.now + HOUR
        assert isinstance(await refusal(sign_in(world, password=once)), UnauthorizedError)
        identity = world.tokens.authenticate(session.token)
        assert world.accounts.must_change_password(identity)
        error = await refusal(world.accounts.create_token(identity, HOUR))
        assert isinstance(error, ForbiddenError)
        await world.accounts.change_password(identity, once, PASSWORD, "")
        assert not world.accounts.must_change_password(identity)
        assert not (await sign_in(world)).must_change_password
        await world.accounts.create_token(identity, HOUR)

    run(scenario)


def test_one_time_password_is_used_once_by_many_at_once():
    """Of logins at the same time one gets in, with a new password as without."""

    async def scenario(world):
        for new in (None, "another password"):
            await world.store.create(USERS, {"metadata": {"name": f"u{new is None}".lower()}})
            name = f"u{new is None}".lower()
            once = await world.accounts.set_password(name, None)
            logins = [sign_in(world, name, once, "", new_password=new) for _ in range(4)]
            answers = await asyncio.gather(*logins, return_exceptions=True)
            assert sum(not isinstance(each, Exception) for each in answers) == 1

    run(scenario)


def test_own_tokens_are_made_listed_and_deleted():
    """A token is shown once, listed without its key, and ends when it is deleted."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        await world.add_user("bob", PASSWORD)
        alice, bob = await identity_of(world), await identity_of(world, username="bob")
        issued = await world.accounts.create_token(alice, HOUR, "ci", "kubeconfig")
        identity = world.tokens.authenticate(issued.token)
        assert (identity.user.name, identity.method) == ("alice", "kubeconfig")
        names = [each.name for each in world.accounts.list_tokens("alice")]
        assert sorted(names) == sorted([alice.token_name, issued.record.name])
        for name in (issued.record.name, password_name("bob"), "nope"):
            error = await refusal(world.accounts.delete_token("bob", name))
            assert isinstance(error, NotFoundError)
        assert identity.valid()
        assert bob.valid()
        await world.accounts.delete_token("alice", issued.record.name)
        assert not identity.valid()

    run(scenario)


@pytest.mark.parametrize("ttl", [0, -1, 90 * 86400 + 1])
def test_token_life_is_bounded(ttl):
    """There is no token without an end, and none beyond the maximum."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        alice = await identity_of(world)
        error = await refusal(world.accounts.create_token(alice, ttl))
        assert isinstance(error, InvalidError)
        assert error.details["causes"][0]["field"] == "ttlSeconds"
        assert len(world.accounts.list_tokens("alice")) == 1

    run(scenario)


def test_token_made_with_a_token_does_not_outlive_it():
    """A leaked short-lived token cannot make itself live longer."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        short = await world.accounts.create_token(await identity_of(world), 100)
        identity = world.tokens.authenticate(short.token)
        assert isinstance(await refusal(world.accounts.create_token(identity, 101)), InvalidError)
        await world.accounts.create_token(identity, 100)

    run(scenario)


@pytest.mark.parametrize("text", ["x" * 257, "two\nlines", "\x1b[31m"])
def test_descriptions_are_one_short_line(text):
    """A description that is long or holds control characters is refused."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        creating = world.accounts.create_token(await identity_of(world), 100, text)
        assert isinstance(await refusal(creating), InvalidError)

    run(scenario)


def test_tokens_are_counted():
    """A hundred tokens are enough; a hundredth and first session ends the oldest one."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        first = await identity_of(world)
        for _ in range(100):
            world.clock.now += 0.001
            last = await world.accounts.issuer.issue(world.users.get("alice"), "session", 100, "")
        assert not first.valid()
        identity = world.tokens.authenticate(last.token)
        for _ in range(100):
            await world.accounts.create_token(identity, 10)
        assert isinstance(await refusal(world.accounts.create_token(identity, 10)), ForbiddenError)
        assert len(world.accounts.list_tokens("alice")) == 200

    run(scenario)


def test_expired_tokens_are_swept():
    """What is over is deleted, what is good stays."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        short, alice = await sign_in(world, ttl=10), await identity_of(world)
        world.clock.now += 11
        assert await world.accounts.issuer.remove_expired() == 1
        assert world.store.get(SECRETS, SYSTEM_NAMESPACE, short.name) is None
        assert alice.valid()

    run(scenario)


def test_deleted_user_leaves_nothing_and_a_namesake_inherits_nothing():
    """Tokens and password go with a user; a new one of the same name starts without them."""

    async def scenario(world):
        await world.add_user("dave", PASSWORD)
        token = (await sign_in(world, "dave")).token
        await world.store.delete(USERS, "", "dave")
        await world.add_user("dave")
        assert isinstance(await refusal(sign_in(world, "dave")), UnauthorizedError)
        await world.accounts.set_password("dave", "password of the new one", must_change=False)
        new = await identity_of(world, username="dave", password="password of the new one")
        await world.accounts.end_user("dave")
        assert world.tokens.authenticate(token) is None
        assert new.valid()
        assert [each.name for each in world.accounts.list_tokens("dave")] == [new.token_name]
        await sign_in(world, "dave", "password of the new one")
        await world.store.delete(USERS, "", "dave")
        await world.accounts.end_user("dave")
        assert list(world.store.list(SECRETS)) == []

    run(scenario)


def test_manifest_password_counts_once():
    """A manifest sets the password; the same one again does not undo a change; another does."""

    async def scenario(world):
        user = await world.add_user("alice")
        await world.accounts.absorb_password(user, PASSWORD)
        assert PASSWORD not in world.dump()
        alice = await identity_of(world)
        await world.accounts.change_password(alice, PASSWORD, "my own password", "")
        await world.accounts.absorb_password(user, PASSWORD)
        assert alice.valid()
        await sign_in(world, password="my own password")
        await world.accounts.absorb_password(user, "another one of the manifest")
        assert not alice.valid()
        await sign_in(world, password="another one of the manifest")

    run(scenario)


def test_everything_survives_a_restart():
    """Sessions, passwords and used one-time passwords are the same after a restart."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        await world.add_user("bob")
        once = await world.accounts.set_password("bob", None)
        await sign_in(world, "bob", once)
        session = await sign_in(world)
        later = world.restart()
        assert later.tokens.authenticate(session.token).valid()
        await sign_in(later)
        await refusal(sign_in(later, "bob", once))

    run(scenario)


def test_deactivated_user_can_do_nothing_with_his_account():
    """An identity that has ended meanwhile changes no password and makes no token."""

    async def scenario(world):
        await world.add_user("alice", PASSWORD)
        alice = await identity_of(world)
        await world.change_user("alice", isActive=False)
        for operation in (
            world.accounts.change_password(alice, PASSWORD, "another password", ""),
            world.accounts.create_token(alice, 10),
        ):
            assert isinstance(await refusal(operation), UnauthorizedError)

    run(scenario)
