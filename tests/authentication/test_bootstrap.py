"""The first admin."""

import asyncio

import pytest

from authentication.objects import World
from llmos.apimachinery.errors import InvalidError, UnauthorizedError
from llmos.apimachinery.resource import GroupResource
from llmos.authentication.accounts import Login
from llmos.authentication.bootstrap import bootstrap_admin
from llmos.authentication.records import SECRETS, USERS

BINDINGS = GroupResource("management.llmos.ai", "roletemplatebindings")


async def start(world, password=None, deliver=None):
    files = []
    made = await bootstrap_admin(
        world.store, world.passwords, world.clock, password, deliver or files.append
    )
    assert files == ([] if made is None or deliver else [made])
    return made


def test_first_start_makes_an_admin_with_a_one_time_password():
    """The user, his binding to GlobalRole admin and a password that works once; no default one."""

    async def scenario():
        world = World()
        once = await start(world)
        user = world.store.get(USERS, "", "admin")
        assert user["spec"]["username"] == "admin"
        (binding,) = world.store.list(BINDINGS)
        assert binding["roleTemplateRef"]["kind"] == "GlobalRole"
        assert binding["roleTemplateRef"]["name"] == "admin"
        assert binding["subjects"] == [{"kind": "User", "name": "admin"}]
        assert once not in world.dump()
        for guess in ("admin", "llmos", "", "password"):
            with pytest.raises(UnauthorizedError):
                await world.accounts.login(Login("admin", guess), "")
        session = await world.accounts.login(Login("admin", once), "")
        assert session.must_change_password
        assert session.expires_at == world.clock.now + 3600
        with pytest.raises(UnauthorizedError):
            await world.accounts.login(Login("admin", once), "")

    asyncio.run(scenario())


def test_admin_is_never_made_again():
    """After the admin was deleted no start brings him back."""

    async def scenario():
        world = World()
        await start(world)
        await world.store.delete(USERS, "", "admin")
        for _ in range(2):
            world = world.restart()
            assert await start(world) is None
            assert await start(world, "an operator's password") is None
        assert world.store.get(USERS, "", "admin") is None

    asyncio.run(scenario())


def test_operators_password_stays_and_must_be_good():
    """A password the operator chose signs in as often as he likes; a weak one starts nothing."""

    async def scenario():
        world = World()
        for weak in ("admin", "short", ""):
            with pytest.raises(InvalidError):
                await start(world, weak)
        assert world.store.get(USERS, "", "admin") is None
        assert await start(world, "an operator's password") is None
        for _ in range(2):
            session = await world.accounts.login(Login("admin", "an operator's password"), "")
            assert not session.must_change_password

    asyncio.run(scenario())


def test_start_that_was_cut_off_begins_again():
    """Wherever the first start ends, the next one makes a password that somebody sees."""

    async def scenario():
        world = World()

        def fails(password):
            raise OSError("no room for the file")

        with pytest.raises(OSError, match="no room"):
            await start(world, deliver=fails)
        once = await start(world)
        assert (await world.accounts.login(Login("admin", once), "")).must_change_password
        assert len(list(world.store.list(BINDINGS))) == 1
        assert any(each["metadata"]["name"] == "bootstrap" for each in world.store.list(SECRETS))

    asyncio.run(scenario())
