"""What any storage promises: a log of changes with one global revision.

The contract (`docs/storage.md`), tested by ``tests/storage/contract.py`` on every implementation:

* C1 a write that was acknowledged survives a crash; one that was not is wholly there or absent.
* C2 revisions are one counter over all keys; they never repeat and never fall, also over restarts.
* C3 a read sees every write acknowledged before it began.
* C4 a watch delivers every change after its revision once, in order, without a gap.
* C5 a revision older than what is remembered raises ``CompactedError``.
* C6 a write names the revision it builds on; another one raises ``ConflictError``.

Everything but ``Commit`` is synchronous and belongs to the event loop's thread: between ``latest``
and ``submit`` nothing else runs, which is what makes read-modify-write safe.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol


class StorageError(Exception):
    """The tree of what a storage raises."""


class ExistsError(StorageError):
    """A create met an object."""


class ConflictError(StorageError):
    """The object is not at the revision the write builds on."""


class CompactedError(StorageError):
    """The revision is older than what is remembered."""


class FutureRevisionError(StorageError):
    """The revision has not been reached."""


class UnavailableError(StorageError):
    """The disk failed or is full: reads go on, nothing is written."""


class OpenError(StorageError):
    """The data cannot be served: in use, damaged, not ours, or of an unknown format."""


class Key(NamedTuple):
    """Where an object stands. ``resource`` is ``str(GroupResource)``."""

    resource: str
    namespace: str
    name: str


class Record(NamedTuple):
    """An object's bytes and the revision that wrote them."""

    revision: int
    value: bytes


EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(slots=True, eq=False)
class Event:
    """One change, shared by every watcher: encode it once and keep the bytes in ``encoded``."""

    type: EventType
    key: Key
    revision: int
    value: bytes
    """The object after the change; for DELETED its last state, with the deletion's revision."""
    previous: bytes | None
    """The object before the change; None for ADDED."""
    previous_revision: int = 0
    """The revision of ``previous``; 0 for ADDED."""
    encoded: dict[object, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """One change to make."""

    key: Key
    previous: int
    """The revision it builds on; 0: the key must not exist."""
    encode: Callable[[int], bytes]
    """Gives the object's bytes for the revision it gets (for a delete: its last state)."""
    delete: bool = False


class Snapshot(NamedTuple):
    """A list at one revision, ordered by namespace and name."""

    revision: int
    items: Sequence[tuple[Key, Record]]


Deliver = Callable[[Sequence[Event]], None]
"""Takes the events of one commit, in order, on the loop's thread; must not block or raise."""


class Subscription(Protocol):
    """A running watch."""

    def close(self) -> None:
        """End it; no event is delivered afterwards."""


class Storage(Protocol):
    """A log of changes and the memory of what is current."""

    @property
    def revision(self) -> int:
        """The newest committed revision."""

    @property
    def healthy(self) -> bool:
        """Whether the last attempt to write succeeded."""

    @property
    def reason(self) -> str:
        """Why nothing can be written, for ``/readyz``; empty while healthy."""

    def latest(self, key: Key) -> Record | None:
        """The newest record, writes in flight included: what a write builds on."""

    def list_latest(self, resource: str, namespace: str | None) -> Sequence[tuple[Key, Record]]:
        """The newest records of a resource, writes in flight included (for quota), in no order."""

    def get(self, key: Key) -> Record | None:
        """The newest committed record."""

    def list(self, resource: str, namespace: str | None = None, at: int | None = None) -> Snapshot:
        """What is committed, now or ``at`` a revision that is remembered.

        Raises:
            CompactedError: ``at`` is too old.
            FutureRevisionError: ``at`` is not reached.
        """

    def changed(self, resource: str, namespace: str | None = None) -> int:
        """A revision that grows with every change of the collection: a key for caches.

        Not older than the newest change. Cache the items under it, never the list's own revision:
        a quiet collection keeps its key while the revisions before the newest are forgotten.
        """

    def submit(self, writes: Sequence[Write]) -> Awaitable[Sequence[Record]]:
        """Begin to write, all or nothing; the records come when they are durable.

        The order of calls is the order of revisions. From the return of this call ``latest`` sees
        the writes; ``get`` and watchers see them once they are committed.

        Raises:
            ExistsError: ``previous`` is 0 and the key exists.
            ConflictError: the key is not at ``previous``, is written twice, or a delete names no
                revision.
            UnavailableError: nothing can be written (also from the awaitable).
        """

    def settled(self) -> Awaitable[None]:
        """Wait until every write submitted so far is committed.

        What was decided by looking at ``latest`` (a change that changes nothing) is answered after
        this.

        Raises:
            UnavailableError: one of them failed (from the awaitable).
        """

    def watch(
        self, resource: str, namespace: str | None, since: int, deliver: Deliver
    ) -> Subscription:
        """Deliver every change after ``since``: those remembered before this returns, then live.

        ``deliver`` is called once a commit, after ``get`` sees it and before the writers hear of
        it: watches of all namespaces come first, then those of one, the oldest first. One that
        raises is closed. While ``since`` is not reached nothing is delivered.

        Raises:
            CompactedError: ``since`` is too old.
        """
