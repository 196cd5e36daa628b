"""Which resource of a server serves a document of a file."""

import asyncio
from dataclasses import dataclass, field

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import APIResource
from llmos.client.client import Client
from llmos.client.discovery import discover

_TRIES = 60
_POLL_SECONDS = 0.25


@dataclass(slots=True)
class ServedKinds:
    """What a server serves, looked up again once definitions were made."""

    client: Client
    _by_kind: dict[tuple[str, str], APIResource] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Ask the server."""
        found = await discover(self.client)
        self._by_kind = {(each.api_version, each.kind): each for each in reversed(found.resources)}

    def get(self, document: Object) -> APIResource | None:
        """The resource, or None: the server does not know the kind in this version."""
        return self._by_kind.get((str(document["apiVersion"]), str(document["kind"])))

    async def wait(self, definition: Object) -> None:
        """Wait until the kind of a new definition is served; give up after a while."""
        spec = definition["spec"]
        versions = [each["name"] for each in spec["versions"] if each.get("served")]
        wanted = {(f"{spec['group']}/{each}", spec["names"]["kind"]) for each in versions}
        for _ in range(_TRIES):
            if wanted <= self._by_kind.keys():
                return
            await asyncio.sleep(_POLL_SECONDS)
            await self.refresh()
