"""Whatever is done to a storage in whatever order, it agrees with the model."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from llmos.storage.interface import ConflictError, ExistsError, Write
from llmos.storage.sqlite import SQLiteStorage, open_storage
from llmos.watchcache.interface import CompactedError, Event, FutureRevisionError, Key
from storage.model import Model
from storage.tools import SMALL

KEYS = [Key("configmaps", namespace, name) for namespace in ("team-a", "team-b") for name in "abc"]
keys = st.sampled_from(KEYS)
namespaces = st.sampled_from([None, "team-a", "team-b"])
back = st.integers(min_value=-2, max_value=15)
"""How many revisions to look back; below 0 is the future."""


class Watch:
    """A running watch and what it should have got."""

    def __init__(self, since: int, namespace: str | None) -> None:
        self.since = since
        self.namespace = namespace
        self.events: list[Event] = []

    def __call__(self, events: Sequence[Event]) -> None:
        """Take what is delivered."""
        self.events.extend(events)


class StorageMachine(RuleBasedStateMachine):
    """Writes, reads, watches and restarts of a storage that remembers ten events."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory(prefix="storage-")
        self.watches: list[Watch] = []

    @initialize()
    def begin(self) -> None:
        """Open a new storage."""
        self.open()
        self.model = Model(self.storage.revision)

    def open(self) -> None:
        """Open the storage in the file."""
        self.opened = open_storage(Path(self.directory.name) / "llmos.db", SMALL)
        self.storage: SQLiteStorage = self.runner.run(self.opened.__aenter__())

    def close(self) -> None:
        """Close the storage."""
        self.runner.run(self.opened.__aexit__(None, None, None))

    def teardown(self) -> None:
        """End everything."""
        self.close()
        self.runner.close()
        self.directory.cleanup()

    def submit(self, writes: Sequence[Write]) -> None:
        """Submit, in the loop, without waiting."""

        async def run() -> None:
            self.storage.submit(writes)

        self.runner.run(run())

    def write(self, key: Key, *, delete: bool) -> Write:
        """A write that should succeed."""
        latest = self.model.get(key)
        previous = latest.revision if latest else 0
        return Write(key, previous, lambda revision: f"{key.name}@{revision}".encode(), delete)

    @rule(
        chosen=st.lists(st.tuples(keys, st.booleans()), max_size=4, unique_by=lambda each: each[0])
    )
    def change(self, chosen: list[tuple[Key, bool]]) -> None:
        """Create, update and delete some keys at once; whether it is committed stays open."""
        writes = [
            self.write(key, delete=delete and self.model.get(key) is not None)
            for key, delete in chosen
        ]
        self.submit(writes)
        for each in writes:
            revision = self.model.revision + 1
            self.model.write(each.key, each.encode(revision), delete=each.delete)

    @rule(key=keys, off=st.integers(min_value=-3, max_value=3), delete=st.booleans())
    def change_wrongly(self, key: Key, off: int, delete: bool) -> None:
        """A write that builds on another revision is refused."""
        latest = self.model.get(key)
        previous = max((latest.revision if latest else 0) + off, 0)
        if previous == (latest.revision if latest else 0) and not (delete and latest is None):
            return
        expected = ExistsError if previous == 0 and not delete else ConflictError
        with pytest.raises(expected):
            self.submit([Write(key, previous, lambda _: b"", delete)])

    @rule()
    def settle(self) -> None:
        """Wait for all that was submitted."""
        self.runner.run(self.storage.settled())
        assert self.storage.revision == self.model.revision

    @rule(namespace=namespaces, behind=back)
    def list_the_past(self, namespace: str | None, behind: int) -> None:
        """A list of a remembered revision is what there was."""
        at = self.storage.revision - behind
        try:
            snapshot = self.storage.list("configmaps", namespace, at)
        except FutureRevisionError:
            assert behind < 0
        except CompactedError:
            assert behind > 10 or behind > self.storage.revision
        else:
            assert behind >= 0
            assert list(snapshot.items) == self.model.at(at, namespace)

    @rule(namespace=namespaces, behind=back)
    def watch(self, namespace: str | None, behind: int) -> None:
        """Begin a watch, in the past or in the future."""
        watch = Watch(self.storage.revision - behind, namespace)
        try:
            self.storage.watch("configmaps", namespace, watch.since, watch)
        except CompactedError:
            assert behind > 10 or behind > self.storage.revision
        else:
            self.watches.append(watch)

    @rule()
    def restart(self) -> None:
        """Close the storage and open it again; it stands where it stood."""
        self.close()
        self.agree()
        self.watches.clear()
        self.open()
        assert self.storage.revision == self.model.revision

    @invariant()
    def agree(self) -> None:
        """Reads show one revision of the model, the overlay its newest, watches all up to it."""
        revision = self.storage.revision
        for namespace in (None, "team-a"):
            now = self.model.at(revision, namespace)
            assert list(self.storage.list("configmaps", namespace).items) == now
            newest = sorted(self.storage.list_latest("configmaps", namespace))
            assert newest == self.model.at(self.model.revision, namespace)
        for key in KEYS:
            assert self.storage.latest(key) == self.model.get(key)
            assert self.storage.get(key) == dict(self.model.at(revision)).get(key)
        for watch in self.watches:
            got = [(each.type, each.key, each.revision, each.value) for each in watch.events]
            expected = self.model.after(watch.since, watch.namespace)
            assert got == [change for change in expected if change[2] <= revision]


StorageMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestStorage = StorageMachine.TestCase
TestStorage.__doc__ = "The storage agrees with the model after every step."
