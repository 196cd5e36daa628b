"""Waiting for what happens by itself."""

import asyncio
from collections.abc import Callable
from typing import Any


async def eventually(check: Callable[[], Any], what: str = "", seconds: float = 5.0) -> Any:
    """Wait until the check gives something true, and give that."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := check()):
        assert asyncio.get_running_loop().time() < deadline, what or "it did not happen"
        await asyncio.sleep(0.002)
    return found
