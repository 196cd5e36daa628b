"""Of all who want a username at one moment, one gets it, through however many replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llmos.apimachinery.errors import ConflictError, InvalidError, StatusError
from llmos.authentication.records import SYSTEM_NAMESPACE
from llmos.client import resources as known
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.proxy.platform import Platform
from llmos.proxy.usernames import IN_FLIGHT_SECONDS, TYPE, Claims, Taken, secret_name
from reconcile.fake_api import FakeAPI

pytestmark = pytest.mark.anyio


def user(name: str, username: str = "") -> dict:
    return {"metadata": {"name": name}, "spec": {"username": username or name}}


class Replicas:
    """Proxies before one API."""

    def __init__(self, number: int) -> None:
        self.api = FakeAPI()
        self.api.create(known.NAMESPACES, SYSTEM_NAMESPACE)
        self.platforms = [self._platform() for _ in range(number)]
        self.all = [Claims(each, lambda: self.api.now) for each in self.platforms]
        self.one = self.all[0]

    def _platform(self) -> Platform:
        platform = Platform(Client(Config("http://api"), transport=self.api))
        platform.follow(known.USERS)
        platform.follow(known.SECRETS, SYSTEM_NAMESPACE)
        return platform

    def make(self, made: dict) -> dict:
        """What the cluster does with a user."""
        return self.api.create(known.USERS, made["metadata"]["name"], spec=made["spec"])

    def claims(self) -> dict[str, dict]:
        """The claims that there are, by their Secrets' names."""
        return {
            key[3]: each
            for key, each in self.api.objects.items()
            if key[1] == "secrets" and each.get("type") == TYPE
        }


@asynccontextmanager
async def replicas(number: int = 1) -> AsyncIterator[Replicas]:
    made = Replicas(number)
    work = [asyncio.ensure_future(each.run()) for each in made.platforms]
    for each in made.platforms:
        await each.wait_synced()
    yield made
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


async def test_of_many_at_once_one_gets_the_name():
    """Forty claims of one name through two replicas: one is granted, the rest leave nothing."""
    async with replicas(2) as proxies:

        async def take(number: int) -> Taken | StatusError:
            try:
                return await proxies.all[number % 2].take(user(f"u{number}", "Same"), None)
            except (ConflictError, InvalidError) as error:
                return error

        results = await asyncio.gather(*(take(number) for number in range(40)))
        granted = [each for each in results if isinstance(each, Taken)]
        assert len(granted) == 1
        assert set(proxies.claims()) == {secret_name("same"), secret_name(granted[0].user)}


async def test_a_name_belongs_to_the_user_who_was_made():
    """His claims are his for the cluster to collect, and nobody else gets the name."""
    async with replicas() as proxies:
        taken = await proxies.one.take(user("ann", "Annie"), None)
        made = proxies.make(user("ann", "Annie"))
        await taken.settle(201)
        assert set(proxies.claims()) == {secret_name("ann"), secret_name("annie")}
        for each in proxies.claims().values():
            owner = each["metadata"]["ownerReferences"][0]
            assert (owner["kind"], owner["uid"]) == ("User", made["metadata"]["uid"])
        for other in (user("bob", "annie"), user("bob", "ANN"), user("annie")):
            with pytest.raises(InvalidError):
                await proxies.one.take(other, None)
        # He himself may be written again, also where memory does not know him yet.
        again = await proxies.one.take(user("ann", "annie"), None)
        assert not again.claims
        await again.settle(403)
        assert len(proxies.claims()) == 2


@pytest.mark.parametrize("status", [400, 403, 409, 422])
async def test_a_name_is_free_again_where_the_user_was_not_made(status: int):
    """What the cluster refused claims nothing."""
    async with replicas() as proxies:
        taken = await proxies.one.take(user("ann", "same"), None)
        assert len(proxies.claims()) == 2
        await taken.settle(status)
        assert proxies.claims() == {}
        assert (await proxies.one.take(user("bob", "same"), None)).claims


async def test_a_conflict_with_the_user_himself_keeps_his_names():
    """A user who was there before any claim has what was claimed for him."""
    async with replicas() as proxies:
        taken = await proxies.one.take(user("ann", "annie"), None)
        proxies.make(user("ann", "other"))
        await taken.settle(409)
        assert set(proxies.claims()) == {secret_name("ann")}


async def test_an_open_outcome_keeps_the_name_for_a_while():
    """As long as a request may still succeed nobody gets its names, not even the same user."""
    async with replicas() as proxies:
        taken = await proxies.one.take(user("ann", "same"), None)
        await taken.settle(504)
        for other in (user("bob", "same"), user("ann", "same")):
            with pytest.raises(ConflictError):
                await proxies.one.take(other, None)
        proxies.api.now += IN_FLIGHT_SECONDS + 1
        assert set((await proxies.one.take(user("bob", "same"), None)).claims) == {"bob", "same"}


async def test_an_open_outcome_that_was_one_keeps_the_name():
    """A user who was made although nobody heard of it has his names for good."""
    async with replicas() as proxies:
        await proxies.one.take(user("ann", "same"), None)
        proxies.make(user("ann", "same"))
        proxies.api.now += IN_FLIGHT_SECONDS + 1
        with pytest.raises(InvalidError):
            await proxies.one.take(user("bob", "same"), None)


async def test_the_names_of_a_user_who_is_gone_are_free_at_once():
    """Also before the collector was there, and where another user has his name by now."""
    async with replicas() as proxies:
        taken = await proxies.one.take(user("ann", "same"), None)
        proxies.make(user("ann", "same"))
        await taken.settle(201)
        proxies.api.delete(known.USERS, "ann")
        proxies.make(user("ann", "different"))
        assert set((await proxies.one.take(user("bob", "same"), None)).claims) == {"bob", "same"}


async def test_a_void_claim_is_replaced_by_one_alone():
    """Two who find the same void claim do not both get the name."""
    async with replicas(2) as proxies:
        await proxies.one.take(user("ann", "same"), None)
        proxies.api.now += IN_FLIGHT_SECONDS + 1
        both = await asyncio.gather(
            *(each.take(user(f"u{n}", "same"), None) for n, each in enumerate(proxies.all)),
            return_exceptions=True,
        )
        assert sorted(type(each) for each in both if isinstance(each, Taken)) == [Taken]
        assert [type(each) for each in both if not isinstance(each, Taken)] == [ConflictError]


async def test_only_new_names_are_claimed():
    """A change that leaves the names alone asks for nothing; one that sets a name, for that."""
    async with replicas() as proxies:
        assert not (await proxies.one.take(user("ann"), user("ann"))).claims
        unnamed = {"metadata": {"name": "ann"}, "spec": {}}
        assert set((await proxies.one.take(user("ann", "annie"), unnamed)).claims) == {"annie"}
