"""A watch that goes on in a thread while a test does other things."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from support.engine import Engine
from support.waiting import wait_until


@dataclass
class Watching:
    """What a watch has said so far."""

    status: int
    events: list[dict[str, Any]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when it has ended."""
    why: str = ""
    """Why it did, where that was no proper end."""

    def seen(self) -> list[tuple[str, str]]:
        """Type and name of every event so far."""
        return [
            (each["type"], each["object"].get("metadata", {}).get("name", ""))
            for each in list(self.events)
        ]

    def shown(self) -> set[str]:
        """The names that are there after every event so far."""
        names: set[str] = set()
        for kind, name in self.seen():
            if kind in ("ADDED", "MODIFIED"):
                names.add(name)
            elif kind == "DELETED":
                names.discard(name)
        return names

    def wait_for(self, kind: str, name: str, seconds: float = 5) -> None:
        """Wait for an event."""
        wait_until(lambda: (kind, name) in self.seen() or self.ended.is_set(), seconds)
        assert (kind, name) in self.seen(), f"ended before: {self.why or 'properly'}"

    def ends_or_empties(self, seconds: float) -> None:
        """Wait until nothing is shown any more: told so, or cut off."""
        wait_until(lambda: self.ended.is_set() or not self.shown(), seconds)


@contextmanager
def watching(engine: Engine, token: str, path: str, query: Mapping[str, str]) -> Iterator[Watching]:
    """Watch for the length of a block; the status tells whether it was let in."""
    where = urlsplit(engine.url)
    connection = http.client.HTTPSConnection(
        where.hostname or "", where.port, context=engine.trust, timeout=30
    )
    target = f"{path}?{urlencode({'watch': 'true', **query})}"
    connection.request("GET", target, headers={"Authorization": f"Bearer {token}"})
    below = connection.sock
    response = connection.getresponse()
    below.settimeout(None)
    watch = Watching(response.status)
    reader = threading.Thread(target=_read, args=(response, watch), daemon=True)
    reader.start()
    try:
        yield watch
    finally:
        # Below TLS: the reader wakes up, and nobody closes under it what it reads from.
        with suppress(OSError):
            socket.socket.shutdown(below, socket.SHUT_RDWR)
        reader.join(10)
        response.close()
        connection.close()


def _read(response: http.client.HTTPResponse, watch: Watching) -> None:
    try:
        if response.status == 200:
            for line in response:
                watch.events.append(json.loads(line))
    except (http.client.HTTPException, OSError, ValueError) as error:
        watch.why = repr(error)
    watch.ended.set()
