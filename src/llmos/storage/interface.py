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

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmos.apimachinery.measures import Family
from llmos.watchcache.interface import Key, Record, Source


class StorageError(Exception):
    """The tree of what a storage raises."""


class ExistsError(StorageError):
    """A create met an object."""


class ConflictError(StorageError):
    """The object is not at the revision the write builds on."""


class UnavailableError(StorageError):
    """The disk failed or is full: reads go on, nothing is written."""


class OpenError(StorageError):
    """The data cannot be served: in use, damaged, not ours, or of an unknown format."""


@dataclass(frozen=True, slots=True)
class Write:
    """One change to make."""

    key: Key
    previous: int
    """The revision it builds on; 0: the key must not exist."""
    encode: Callable[[int], bytes]
    """Gives the object's bytes for the revision it gets (for a delete: its last state)."""
    delete: bool = False


class Storage(Source, Protocol):
    """A log of changes and the memory of what is current."""

    @property
    def healthy(self) -> bool:
        """Whether the last attempt to write succeeded."""

    @property
    def reason(self) -> str:
        """Why nothing can be written, for ``/readyz``; empty while healthy."""

    def families(self) -> Iterable[Family]:
        """What there is to tell of it at ``/metrics``."""

    def count(self, resource: str) -> int:
        """How many objects of a resource are committed."""

    def latest(self, key: Key) -> Record | None:
        """The newest record, writes in flight included: what a write builds on."""

    def list_latest(self, resource: str, namespace: str | None) -> Sequence[tuple[Key, Record]]:
        """The newest records of a resource, writes in flight included (for quota), in no order."""

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
