"""The proxy's own token: read again beside the work, and at once where it is refused."""

import asyncio
import threading

import pytest

from llmos.client.config import Config
from llmos.client.credentials import CredentialError
from llmos.client.kubeconfig import KubeconfigError
from llmos.proxy.credential import RENEW_PAUSE, REREAD_SECONDS, FreshToken, own_config


class Kept:
    """Where the token is kept, and who read it."""

    def __init__(self) -> None:
        self.now, self.token = 0.0, "first"
        self.error: Exception | None = None
        self.reads: list[tuple[bool, bool]] = []
        """Whether anew, and whether on the thread of the loop."""

    def __call__(self, anew: bool) -> Config:
        self.reads.append((anew, threading.current_thread() is threading.main_thread()))
        if self.error is not None:
            raise self.error
        return Config("http://api", token=self.token)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def fresh(kept):
    return FreshToken(kept, lambda: kept.now)


async def settled(fresh):
    """Once what is being read was read."""
    if fresh._reading is not None:
        await fresh._reading


def test_it_is_read_again_beside_the_work(kept, fresh):
    """Nobody waits for it; the one before is good enough until then."""

    async def scenario():
        assert [fresh(), fresh()] == ["first", "first"]
        assert len(kept.reads) == 1
        kept.token = "second"
        kept.now = REREAD_SECONDS - 0.1
        assert fresh() == "first"
        await settled(fresh)
        assert fresh() == "first"
        kept.now = REREAD_SECONDS
        assert fresh() == "first"
        await settled(fresh)
        assert fresh() == "second"
        assert kept.reads == [(False, True), (False, False)]

    asyncio.run(scenario())


def test_a_refusal_has_it_read_at_once(kept, fresh):
    """Anew; by one for all who were refused."""

    async def scenario():
        fresh()
        kept.token, kept.now = "second", 1.0
        assert await asyncio.gather(*(fresh.renew() for _ in range(5))) == [True] * 5
        assert fresh() == "second"
        assert kept.reads[1:] == [(True, False)]

    asyncio.run(scenario())


def test_a_refusal_that_stays_does_not_have_it_read_all_the_time(kept, fresh):
    """Once a second, until there is another."""

    async def scenario():
        fresh()
        assert [await fresh.renew() for _ in range(3)] == [False] * 3
        assert len(kept.reads) == 2
        kept.token, kept.now = "second", RENEW_PAUSE
        assert await fresh.renew()
        assert len(kept.reads) == 3

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [OSError(), KubeconfigError("x"), CredentialError("x")])
def test_what_cannot_be_read_stays_as_it_was(kept, fresh, error):
    """It may be in the middle of being replaced; and it is tried again soon."""

    async def scenario():
        fresh()
        kept.error, kept.now = error, REREAD_SECONDS
        assert fresh() == "first"
        await settled(fresh)
        assert not await fresh.renew()
        assert fresh() == "first"
        await settled(fresh)
        kept.error, kept.token = None, "second"
        assert fresh() == "first"
        await settled(fresh)
        assert fresh() == "second"

    asyncio.run(scenario())


def test_none_at_all(kept, fresh):
    """Is said, and without what it was."""
    kept.error = OSError("s3cret")
    with pytest.raises(CredentialError) as caught:
        fresh()
    assert "s3cret" not in str(caught.value)


def test_the_configuration_has_both(kept):
    """What gives the token, and what is asked when it is refused."""

    async def scenario():
        config = own_config(kept)
        assert config.bearer() == "first"
        assert config.renew is not None
        kept.token = "second"
        assert await config.renew()
        assert config.bearer() == "second"

    asyncio.run(scenario())
