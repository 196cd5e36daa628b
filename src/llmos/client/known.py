"""The resources of a server, asked for once and again when something is missing."""

import asyncio
from dataclasses import dataclass, field

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.client.client import Client
from llmos.client.discovery import Discovery, discover, preferred

_AGAIN = 2.0
"""Seconds before what was not found is looked for again."""


@dataclass(slots=True)
class KnownResources:
    """Discovery with a memory; each resource in the version that the server prefers."""

    client: Client
    clock: Clock
    _resources: dict[GroupResource, APIResource] = field(default_factory=dict)
    _kinds: dict[tuple[str, str], APIResource] = field(default_factory=dict)
    _asked: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> Discovery:
        """Ask the server now.

        Raises:
            StatusError: it refused.
            ConnectionFailedError: it was not reached.
        """
        async with self._lock:
            found = await discover(self.client)
            self._asked = self.clock()
            chosen = preferred(found.resources)
            self._resources = {each.group_resource: each for each in chosen}
            readable = (each for each in reversed(chosen) if "get" in each.verbs)
            self._kinds = {(each.group, each.kind): each for each in readable}
            return found

    async def resource(self, wanted: GroupResource) -> APIResource | None:
        """A resource by group and plural, or None."""
        if wanted not in self._resources:
            await self._refresh_if_old()
        return self._resources.get(wanted)

    async def kind(self, group: str, kind: str) -> APIResource | None:
        """The resource of a kind whose objects can be read, or None."""
        if (group, kind) not in self._kinds:
            await self._refresh_if_old()
        return self._kinds.get((group, kind))

    async def _refresh_if_old(self) -> None:
        if self.clock() - self._asked >= _AGAIN:
            await self.refresh()
