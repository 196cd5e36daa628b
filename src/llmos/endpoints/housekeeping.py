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
    sweep_at = 0.0
    while True:
        try:
            await _do_one(todo)
            if todo.empty():
                await accounts.limiter.save(store)
                await accounts.issuer.keep_uses()
                sweep_at = await _sweep(accounts, sweep_at)
        except StatusError as error:
            _LOG.warning("housekeeping: %s", error.message)


async def _do_one(todo: asyncio.Queue[Coroutine[Any, Any, None]]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LIMITER_SAVE_SECONDS):
            await (await todo.get())


async def _sweep(accounts: Accounts, due: float) -> float:
    """Delete tokens that are over, when it is time; when it is time again."""
    now = asyncio.get_running_loop().time()
    if now < due:
        return due
    await accounts.issuer.remove_expired()
    return now + _EXPIRED_SWEEP_SECONDS
