"""Tokens of users, found in memory."""

import asyncio
import time

import pytest

from authentication.objects import World
from llmos.apimachinery.errors import UnauthorizedError
from llmos.apimachinery.object import copy_object
from llmos.authentication.issuer import TokenIssuer
from llmos.authentication.records import SECRETS, SYSTEM_NAMESPACE, USERS, TokenRecord
from llmos.authentication.tokens import KEY_LENGTH


def world_with_token(ttl=100.0):
    """A world, alice, and a token of hers."""
    world = World()

    async def scenario():
        user = await world.add_user("alice", groups=["dev"])
        account = world.users.get("alice")
        assert account.uid == user["metadata"]["uid"]
        return await world.accounts.issuer.issue(account, "api", ttl, "ci")

    return world, asyncio.run(scenario())


def refused(world, token):
    """Whether a token gives nobody, by whichever way of saying so."""
    try:
        return world.tokens.authenticate(token) is None
    except UnauthorizedError as error:
        return error.message == "Unauthorized"


def test_token_gives_its_user_with_name_and_end():
    """A token authenticates as its user; the identity knows the token's name, kind and end."""
    world, issued = world_with_token()
    identity = world.tokens.authenticate(issued.token)
    assert identity.user.name == "alice"
    assert identity.user.groups == ("dev", "llmos:users", "system:authenticated")
    assert identity.token_name == issued.record.name
    assert identity.method == "api"
    assert identity.expires_at == pytest.approx(world.clock.now + 100)
    assert identity.valid()
    name, key = issued.token.split(":")
    assert name.startswith("token-")
    assert len(key) == KEY_LENGTH


def test_variants_of_a_token_are_refused():
    """Knowing a token's name, or its stored hash, helps nobody."""
    world, issued = world_with_token()
    name, key = issued.token.split(":")
    stored_hash = issued.record.digest.hex()
    for token in (
        f"{name}:",
        name,
        f":{key}",
        f"{name}:{key}:x",
        f"{name}:{key}%00",
        f"{name}:{key}\x00",
        f"{name}:{key.upper()}",
        f"{name}:{key[:-1]}",
        f"{name}:{stored_hash}",
        f"{name}:\ud800",
        "",
        ":",
        f"password-alice:{key}",
    ):
        assert refused(world, token), token
    assert not refused(world, issued.token)


def test_only_a_hash_is_stored():
    """Neither the token nor its key is found in what is stored."""
    world, issued = world_with_token()
    key = issued.token.split(":")[1]
    assert issued.record.digest.hex() in world.dump()
    assert key not in world.dump()


def test_token_ends_at_its_time_and_stays_ended():
    """Expiry is looked at on every use, to the fraction; a clock set back revives nothing."""
    world, issued = world_with_token(ttl=1.0)
    identity = world.tokens.authenticate(issued.token)
    world.clock.now += 0.9
    assert identity.valid()
    world.clock.now += 0.2
    assert not identity.valid()
    assert refused(world, issued.token)
    world.clock.now -= 1000
    assert refused(world, issued.token)
    assert [each.name for each in world.tokens.expired()] == [issued.record.name]


def test_token_ends_with_its_user():
    """Deactivation ends it until he is active again; deletion and a namesake end it for good."""
    world, issued = world_with_token()
    identity = world.tokens.authenticate(issued.token)

    async def scenario():
        await world.change_user("alice", isActive=False)
        assert refused(world, issued.token)
        assert not identity.valid()
        await world.change_user("alice", isActive=True)
        assert world.tokens.authenticate(issued.token).user.name == "alice"
        await world.store.delete(USERS, "", "alice")
        assert refused(world, issued.token)
        await world.add_user("alice")
        assert refused(world, issued.token)
        assert not identity.valid()

    asyncio.run(scenario())


def test_change_of_groups_ends_what_was_open():
    """An identity is valid while its user has the same groups; other changes do not matter."""
    world, issued = world_with_token()
    identity = world.tokens.authenticate(issued.token)
    asyncio.run(world.change_user("alice", displayName="Alice"))
    assert identity.valid()
    world.admins.add("alice")
    assert not identity.valid()
    as_admin = world.tokens.authenticate(issued.token)
    assert as_admin.user.is_admin
    world.admins.clear()
    assert not as_admin.valid()
    assert not world.tokens.authenticate(issued.token).user.is_admin
    asyncio.run(world.change_user("alice", groups=[]))
    assert not identity.valid()


def test_deleted_secret_ends_the_token():
    """Deleting the Secret, or beginning to, revokes."""
    for terminate in (True, False):
        world, issued = world_with_token()
        identity = world.tokens.authenticate(issued.token)
        secret = world.store.get(SECRETS, SYSTEM_NAMESPACE, issued.record.name)
        if terminate:
            secret = copy_object(secret)
            secret["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
            world.tokens.set(secret)
        else:
            world.tokens.delete(secret)
        assert refused(world, issued.token)
        assert not identity.valid()
        assert world.tokens.of_user("alice") == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda secret: secret["data"].pop("expiresAt"),
        lambda secret: secret["data"].pop("userUID"),
        lambda secret: secret["data"].update(kind="cm9vdA=="),
        lambda secret: secret["data"].update(hash=""),
        lambda secret: secret["data"].update(hash="AAAA"),
        lambda secret: secret["data"].update(expiresAt="bmV2ZXI="),
        lambda secret: secret["data"].update(user="!!"),
        lambda secret: secret["data"].update(user=None),
        lambda secret: secret.update(data=None),
        lambda secret: secret.update(type="Opaque"),
        lambda secret: secret["metadata"].update(namespace="team-a"),
    ],
)
def test_damaged_secrets_are_no_tokens(damage):
    """A Secret with a part missing or odd, of another type or namespace, authenticates nobody."""
    world, issued = world_with_token()
    secret = copy_object(world.store.get(SECRETS, SYSTEM_NAMESPACE, issued.record.name))
    damage(secret)
    world.tokens.set(secret)
    assert refused(world, issued.token)


def test_record_survives_its_secret():
    """What is written is what is read."""
    world, issued = world_with_token()
    secret = world.store.get(SECRETS, SYSTEM_NAMESPACE, issued.record.name)
    read = TokenRecord.from_secret(secret)
    assert read.to_object() == issued.record.to_object()
    assert "hash" not in read.to_object()


def test_a_taken_name_is_never_overwritten():
    """When a drawn name is taken, another is drawn; the Secret that was there stays as it is."""
    world, issued = world_with_token()
    before = copy_object(world.store.get(SECRETS, SYSTEM_NAMESPACE, issued.record.name))
    names = iter([issued.record.name, "token-other"])

    class Draws(TokenIssuer):
        """Draws a taken name first."""

        def _make(self, *args):
            made = super()._make(*args)
            name = next(names)
            record = TokenRecord(
                name,
                made.record.digest,
                made.record.user,
                made.record.user_uid,
                made.record.kind,
                made.record.created_at,
                made.record.expires_at,
            )
            return type(made)(record, f"{name}:{made.token.split(':')[1]}")

    issuer = Draws(world.store, world.tokens, world.clock)
    other = asyncio.run(issuer.issue(world.users.get("alice"), "api", 10, ""))
    assert other.record.name == "token-other"
    assert world.store.get(SECRETS, SYSTEM_NAMESPACE, issued.record.name) == before
    assert not refused(world, issued.token)


def test_authenticating_is_fast():
    """A hit takes microseconds: it is on the way of every request."""
    world, issued = world_with_token()
    world.tokens.authenticate(issued.token)
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(1000):
            world.tokens.authenticate(issued.token)
        best = min(best, (time.perf_counter() - start) / 1000)
    assert best < 15e-6
