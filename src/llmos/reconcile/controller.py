"""The loop that every controller runs in: a key, a reconciler, a result.

Level-based, as controller-runtime: a reconciler gets a name, never an event, observes, and makes
true what should be. A key that fails comes again later and keeps no other waiting.
"""

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.errors import ConflictError, StatusError
from llmos.apimachinery.object import Object
from llmos.client.errors import ConnectionFailedError
from llmos.reconcile.informer import Change, Informer, key_of
from llmos.reconcile.workqueue import Key, WorkQueue

log = logging.getLogger(__name__)

_DEADLINE = 60.0
"""Seconds for one key; a reconciler that hangs is a failure like any other."""


class TerminalError(Exception):
    """Trying again will not help until something changes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a reconcile that went well asks for."""

    requeue_after: float | None = None
    """Seconds until the key is worked on again though nothing changed."""


DONE = Result()


class Reconciler(Protocol):
    """Makes the world what one object wants."""

    async def reconcile(self, key: Key) -> Result:
        """Observe, and make true what should be.

        Raises:
            TerminalError: only a change helps.
        """


Map = Callable[[Object], Iterable[Key]]
"""Which keys an object concerns."""


def own_key(obj: Object) -> Iterable[Key]:
    """An object concerns itself."""
    return (key_of(obj),)


def describe(error: BaseException) -> str:
    """An error in a few words, without what a request or an object contains."""
    if isinstance(error, StatusError):
        return f"{error.code} {error.reason}"
    if isinstance(error, ConnectionFailedError | TerminalError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


class Controller:
    """A named reconciler with its queue and its workers."""

    def __init__(
        self, name: str, reconciler: Reconciler, clock: Clock, *, workers: int = 2
    ) -> None:
        self.name = name
        self.reconciler = reconciler
        self.queue = WorkQueue(clock)
        self._workers = workers

    def watch(self, informer: Informer, keys: Map = own_key) -> "Controller":
        """Work on the keys that each change of a resource concerns, before and after it."""

        def handle(change: Change) -> None:
            for key in keys(change.object):
                self.queue.add(key)
            if change.old is not None:
                for key in keys(change.old):
                    self.queue.add(key)

        informer.add_handler(handle)
        return self

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._workers):
                    tasks.create_task(self._work())
        finally:
            self.queue.close()

    async def _work(self) -> None:
        while True:
            key = await self.queue.get()
            try:
                await self.process(key)
            finally:
                self.queue.done(key)

    async def process(self, key: Key) -> None:
        """Work on one key once, and see to it that it comes again if it must."""
        try:
            async with asyncio.timeout(_DEADLINE):
                result = await self.reconciler.reconcile(key)
        except TerminalError as error:
            log.warning("%s: %s: %s", self.name, key.path, describe(error))
            self.queue.forget(key)
        except Exception as error:  # noqa: BLE001 - one bad key must not stop the others
            delay = self.queue.add_failed(key)
            level = logging.DEBUG if isinstance(error, ConflictError) else logging.WARNING
            log.log(
                level, "%s: %s: %s; again in %.2f s", self.name, key.path, describe(error), delay
            )
        else:
            self.queue.forget(key)
            if result.requeue_after is not None:
                self.queue.add_after(key, result.requeue_after)
