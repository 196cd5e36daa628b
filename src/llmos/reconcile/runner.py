"""Starts informers and controllers, starts again what crashed, stops them all together."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from llmos.client.watch import Backoff
from llmos.reconcile.controller import Controller, describe
from llmos.reconcile.informer import Informer, Informers

log = logging.getLogger(__name__)

_STABLE = 60.0
"""Seconds after which a crash counts as the first one."""


async def supervise(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run until it returns or is cancelled; after a crash, again, each time a little later."""
    loop = asyncio.get_running_loop()
    backoff = Backoff(first=0.1, most=30)
    while True:
        started = loop.time()
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - a crash must not stop the others
            if loop.time() - started > _STABLE:
                backoff.reset()
            delay = backoff.next()
            log.error(  # noqa: TRY400 - a traceback could show an object
                "%s crashed: %s; again in %.1f s", name, describe(error), delay
            )
            await asyncio.sleep(delay)
        else:
            return


class Runner:
    """Runs controllers over shared informers; cancel ``run`` to stop them all."""

    def __init__(self, informers: Informers, controllers: Sequence[Controller]) -> None:
        self.informers = informers
        self.controllers = tuple(controllers)
        self.ready = asyncio.Event()
        """Set when every informer was synced and the controllers work."""

    async def run(self) -> None:
        """Follow, wait until all is known, then work."""
        try:
            async with asyncio.TaskGroup() as tasks:

                def start(informer: Informer) -> asyncio.Task[None]:
                    work = supervise(f"informer {informer.resource.group_resource}", informer.run)
                    try:
                        return tasks.create_task(work)
                    except RuntimeError:
                        # All is being stopped, and so is whoever asks for one more informer.
                        work.close()
                        raise asyncio.CancelledError from None

                self.informers.start(start)
                await self.informers.wait_synced()
                for each in self.controllers:
                    tasks.create_task(supervise(f"controller {each.name}", each.run))
                self.ready.set()
        finally:
            self.informers.stop()
            self.ready.clear()
