"""Sessions of browsers: how long they live, what counts as use, and what ends them."""

import asyncio

import pytest

from authentication.objects import World
from llmos.apimachinery.errors import UnauthorizedError
from llmos.authentication.accounts import Login
from llmos.authentication.records import SECRETS, SYSTEM_NAMESPACE
from llmos.authentication.reviews import review_token

PASSWORD = "correct horse battery"
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.fixture
def world():
    """Alice, who has a password."""
    made = World()
    asyncio.run(made.add_user("alice", PASSWORD))
    return made


def sign_in(world, password=PASSWORD, **more):
    """A browser's session."""
    login = Login("alice", password, browser=True, **more)
    return asyncio.run(world.accounts.login(login, "10.0.0.1"))


def identity_of(world, session):
    """Whose session it is now."""
    return world.tokens.authenticate(session.token)


def ended(world, session):
    """Whether a session is over."""
    try:
        return identity_of(world, session) is None
    except UnauthorizedError:
        return True


def use(world, session):
    """A request comes with it."""
    world.tokens.use(session.name)


def test_it_says_what_it_is_and_when_it_ends(world):
    """Seven days at most; nothing of its key is stored."""
    session = sign_in(world)
    identity = identity_of(world, session)
    assert (identity.method, identity.browser) == ("session", True)
    assert identity.expires_at == world.clock.now + 7 * DAY
    assert session.token.split(":")[1] not in world.dump()


def test_other_tokens_are_no_browsers(world):
    """Neither a session of the command nor an API token."""
    plain = asyncio.run(world.accounts.login(Login("alice", PASSWORD), ""))
    identity = identity_of(world, plain)
    assert identity.browser is False
    issued = asyncio.run(world.accounts.create_token(identity, 60))
    assert world.tokens.authenticate(issued.token).browser is False
    world.clock.now += 12 * HOUR - 1
    assert not ended(world, plain), "an idle session of the command lives on"


def test_it_ends_when_it_is_idle(world):
    """Twelve hours after the last request, not after the first."""
    session = sign_in(world)
    identity = identity_of(world, session)
    world.clock.now += 12 * HOUR - 1
    assert not ended(world, session)
    use(world, session)
    world.clock.now += 12 * HOUR - 1
    assert not ended(world, session)
    assert identity.valid()
    world.clock.now += 1
    assert ended(world, session)
    assert not identity.valid(), "what it opened ends with it"


def test_being_looked_at_is_no_use(world):
    """An open watch that asks whether it may go on does not keep its session alive."""
    session = sign_in(world)
    identity = identity_of(world, session)
    for _ in range(12 * 60):
        world.clock.now += MINUTE
        identity.valid()
        world.tokens.get(session.name)
    assert ended(world, session)


def test_it_ends_however_much_it_is_used(world):
    """A page that polls cannot pass the absolute limit."""
    session = sign_in(world)
    for _ in range(7 * 24):
        assert not ended(world, session)
        world.clock.now += HOUR
        use(world, session)
    assert ended(world, session)
    use(world, session)
    assert ended(world, session)


def test_settings_hold_for_sessions_that_are_there(world):
    """A shorter limit ends what is over by it, at once."""
    session = sign_in(world)
    world.clock.now += HOUR
    use(world, session)
    world.clock.now += 20 * MINUTE
    world.tokens.limits.set({"metadata": {"name": "session-idle-limit"}, "value": "20m"})
    assert ended(world, session)
    world.tokens.limits.set({"metadata": {"name": "session-idle-limit"}, "value": "21m"})
    assert not ended(world, session)
    world.tokens.limits.set({"metadata": {"name": "session-lifetime"}, "value": "80m"})
    assert ended(world, session)
    assert [each.name for each in world.tokens.expired()] == [session.name]
    world.tokens.limits.set({"metadata": {"name": "session-lifetime"}, "value": "81m"})
    assert not ended(world, session)
    assert identity_of(world, sign_in(world)).expires_at == world.clock.now + 81 * MINUTE


def test_a_use_is_kept_over_a_restart(world):
    """It is written now and then, and not with every request."""
    session = sign_in(world)
    issuer = world.accounts.issuer
    secret = world.store.get(SECRETS, SYSTEM_NAMESPACE, session.name)
    world.clock.now += 30 * MINUTE
    use(world, session)
    asyncio.run(issuer.keep_uses())
    assert world.store.get(SECRETS, SYSTEM_NAMESPACE, session.name) is secret
    world.clock.now += 10 * HOUR
    use(world, session)
    identity = identity_of(world, session)
    asyncio.run(issuer.keep_uses())
    assert world.store.get(SECRETS, SYSTEM_NAMESPACE, session.name) is not secret
    assert identity.valid(), "writing it down ends nothing"
    fresh = world.restart()
    world.clock.now += 12 * HOUR - 1
    assert not ended(fresh, session)
    assert not ended(world, session)
    world.clock.now += 1
    assert ended(fresh, session)


def test_an_older_use_that_was_kept_takes_back_nothing(world):
    """Another replica may write what it knows, which is less."""
    session = sign_in(world)
    secret = world.store.get(SECRETS, SYSTEM_NAMESPACE, session.name)
    world.clock.now += 11 * HOUR
    use(world, session)
    world.tokens.set(secret)
    world.clock.now += 11 * HOUR
    assert not ended(world, session)


def test_keeping_uses_brings_nothing_back(world):
    """A session that ended while its use was to be written stays ended."""
    session = sign_in(world)
    world.clock.now += 2 * HOUR
    use(world, session)
    secret = world.store.get(SECRETS, SYSTEM_NAMESPACE, session.name)
    asyncio.run(world.accounts.issuer.revoke(session.name))
    world.tokens.set(secret)
    world.tokens.use(session.name)
    asyncio.run(world.accounts.issuer.keep_uses())
    assert world.store.get(SECRETS, SYSTEM_NAMESPACE, session.name) is None


def test_a_changed_password_gives_a_new_session_in_place_of_all(world):
    """Whoever has got hold of the old one has nothing; the new one lives its own seven days."""
    session, other = sign_in(world), sign_in(world)
    plain = asyncio.run(world.accounts.login(Login("alice", PASSWORD), ""))
    world.clock.now += DAY / 4
    identity = identity_of(world, session)
    change = world.accounts.change_password(identity, PASSWORD, "another password", "")
    issued = asyncio.run(change)
    assert all(ended(world, each) for each in (session, other, plain))
    assert not identity.valid()
    fresh = world.tokens.authenticate(issued.token)
    assert fresh.browser
    assert fresh.expires_at == world.clock.now + 7 * DAY


def test_a_given_password_lets_its_session_do_nothing_else(world):
    """Until it is changed, for an hour, on whatever way the session came."""
    asyncio.run(world.accounts.set_password("alice", "given password"))
    plain = asyncio.run(world.accounts.login(Login("alice", "given password"), ""))
    session = sign_in(world, "given password")
    for each in (plain, session):
        identity = identity_of(world, each)
        assert identity.must_change_password
        assert identity.expires_at == world.clock.now + HOUR
        assert world.restart().tokens.authenticate(each.token).must_change_password
    change = world.accounts.change_password(
        identity_of(world, plain), "given password", "another password", ""
    )
    assert asyncio.run(change) is None
    assert not identity_of(world, plain).must_change_password


def test_a_password_that_is_given_later_holds_sessions_too(world):
    """Whatever an administrator leaves of them."""
    identity = identity_of(world, sign_in(world))
    api = asyncio.run(world.accounts.create_token(identity, 60))
    session = sign_in(world)
    kept = world.store.get(SECRETS, SYSTEM_NAMESPACE, session.name)
    asyncio.run(world.accounts.set_password("alice", None))
    assert ended(world, session)
    world.tokens.set(kept)
    assert identity_of(world, session).must_change_password
    assert not world.tokens.authenticate(api.token).must_change_password


def test_the_password_of_an_earlier_user_holds_nobody(world):
    """Who has the name by now has his own."""
    asyncio.run(world.accounts.set_password("alice", "given password"))
    given = world.store.get(SECRETS, SYSTEM_NAMESPACE, "password-alice")
    asyncio.run(world.store.delete(SECRETS, SYSTEM_NAMESPACE, "password-alice"))
    assert not world.tokens.passwords_given.has("alice", world.users.get("alice").uid)
    world.tokens.set(given)
    assert world.tokens.passwords_given.has("alice", world.users.get("alice").uid)
    assert not world.tokens.passwords_given.has("alice", "another uid")


def test_a_review_knows_no_session_of_a_browser(world):
    """It is good as its cookie alone; other tokens are reviewed."""

    class Nobody:
        issuer = "https://kubernetes.default.svc"

        def verify(self, token, wanted):
            return None

    def authenticated(token):
        body = {"spec": {"token": token}}
        return "authenticated" in review_token(body, world.tokens, Nobody())["status"]

    plain = asyncio.run(world.accounts.login(Login("alice", PASSWORD), ""))
    assert authenticated(plain.token)
    assert not authenticated(sign_in(world).token)
