"""The words of lists and watches: keys, records, events, and what they are read from.

The storage of the embedded server is a ``Source``, fed by its own log; the proxy has one for each
resource that it narrows, fed by a watch of the cluster.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import APIResource
from llmos.apis.strategy import Column


class CompactedError(Exception):
    """The revision is older than what is remembered."""


class FutureRevisionError(Exception):
    """The revision has not been reached."""


class Key(NamedTuple):
    """Where an object stands. ``resource`` is ``str(GroupResource)``."""

    resource: str
    namespace: str
    name: str


class Record(NamedTuple):
    """An object's bytes and the revision that wrote them."""

    revision: int
    value: bytes


class Change(NamedTuple):
    """One step of a log: what became of a key."""

    key: Key
    record: Record
    base: int
    """The revision of the key's step before this one, its deletion included; 0: there is none."""
    deleted: bool


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


class Snapshot(NamedTuple):
    """A list at one revision, ordered by namespace and name."""

    revision: int
    items: Sequence[tuple[Key, Record]]


Deliver = Callable[[Sequence[Event]], None]
"""Takes the events of one commit, in order, on the loop's thread; must not block or raise."""


class Subscription(Protocol):
    """A running watch."""

    @property
    def closed(self) -> bool:
        """Whether it has ended: whoever waits for events waits in vain."""

    def close(self) -> None:
        """End it; no event is delivered afterwards."""


class Source(Protocol):
    """Where lists and watches are read from; it belongs to the event loop's thread."""

    @property
    def revision(self) -> int:
        """The newest revision that every read sees."""

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


class Readable(Protocol):
    """A kind in one version, as far as reading it goes."""

    @property
    def resource(self) -> APIResource:
        """Its names."""

    @property
    def storage_name(self) -> str:
        """Under which its objects stand in the source."""

    @property
    def prefix(self) -> bytes:
        """What stored bytes lack: the beginning of an object, with its kind and apiVersion."""

    @property
    def since(self) -> int:
        """The revision from which on it is served; a watch from before that is too old."""

    @property
    def defined(self) -> int:
        """The revision that wrote how it is served, where it is a custom kind."""

    @property
    def converted(self) -> bool:
        """Whether the stored shape is another one than the served."""

    @property
    def columns(self) -> Sequence[Column]:
        """Of its Tables; none: Name and Age."""

    @property
    def fields(self) -> Callable[[Object], Mapping[str, str]] | None:
        """Values of the field labels that selectors may use besides name and namespace."""

    @property
    def field_names(self) -> Sequence[str]:
        """The names of those field labels."""

    def key(self, namespace: str, name: str) -> Key:
        """Where an object of this kind stands."""

    def load(self, value: bytes) -> Object:
        """The object of stored bytes, with its kind and apiVersion."""

    def wire(self, value: bytes) -> bytes:
        """Stored bytes as they are sent: with kind and apiVersion in front."""
