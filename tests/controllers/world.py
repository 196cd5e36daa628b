"""A fake API with all controllers running beside it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llmos.apimachinery.object import find_condition
from llmos.cli.controllers import runner
from llmos.client.client import Client
from llmos.client.config import Config
from reconcile.fake_api import FakeAPI

CA = "-----BEGIN CERTIFICATE-----\nexample\n-----END CERTIFICATE-----\n"


@asynccontextmanager
async def running(api: FakeAPI) -> AsyncIterator[Client]:
    """Run every controller against the API."""
    async with Client(Config("http://api"), transport=api) as client:
        started = time.monotonic()
        controllers = runner(client, lambda: api.now + time.monotonic() - started, CA)
        task = asyncio.create_task(controllers.run())
        try:
            await asyncio.wait_for(controllers.ready.wait(), 5)
            yield client
        finally:
            task.cancel()
            await asyncio.wait([task])


async def quiet(api: FakeAPI, seconds: float = 0.3) -> None:
    """Wait until nothing has been written for a while."""
    revision = -1
    while revision != api.revision:
        revision = api.revision
        await asyncio.sleep(seconds)


def condition(obj: dict | None, kind: str = "InForce") -> tuple[str, str]:
    """Status and reason of a condition."""
    found = find_condition(obj or {}, kind) or {}
    return found.get("status", ""), found.get("reason", "")
