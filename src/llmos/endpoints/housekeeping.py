"""Work on accounts that no request waits for."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.lister import ObjectStore
from llmos.apimachinery.object import Object, name_of
from llmos.authentication.accounts import Accounts
from llmos.authentication.records import USERS
from llmos.endpoints.judges import Feed

_LOG = logging.getLogger("llmos.server")
_LIMITER_SAVE_SECONDS = 5.0
_EXPIRED_SWEEP_SECONDS = 600.0


async def housekeeping(accounts: Accounts, store: ObjectStore, feed: Feed) -> None:
    """Keep what outlives requests: login limits, the accounts of users who ended, dead tokens."""
    todo: asyncio.Queue[Coroutine[Any, Any, None]] = asyncio.Queue()

    def changed(user: Object) -> None:
        """The tokens that a user has when he is deactivated are never good again."""
        if (user.get("spec") or {}).get("isActive") is False:
            for each in accounts.list_tokens(name_of(user)):
                todo.put_nowait(accounts.issuer.revoke(each.name))

    def removed(user: Object) -> None:
        todo.put_nowait(accounts.end_user(name_of(user)))

    feed(USERS, changed, removed, None)
    loop = asyncio.get_running_loop()
    sweep_at = loop.time()
    while True:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LIMITER_SAVE_SECONDS):
                    await (await todo.get())
            if not todo.empty():
                continue
            await accounts.limiter.save(store)
            if loop.time() >= sweep_at:
                sweep_at = loop.time() + _EXPIRED_SWEEP_SECONDS
                await accounts.issuer.remove_expired()
        except StatusError as error:
            _LOG.warning("housekeeping: %s", error.message)
