"""The committed objects by resource, namespace and name: what every read is answered from."""

from collections.abc import Sequence

from llmos.watchcache.interface import Change, Event, Key, Record

Pair = tuple[Key, Record]


class _Bucket:
    """The objects of a resource in one namespace; there is none where there is no object."""

    __slots__ = ("changed", "names", "namespace", "objects", "ordered")

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.objects: dict[str, Pair] = {}
        self.changed = 0
        self.names: list[str] | None = None
        """The names in order, until one comes or goes."""
        self.ordered: list[Pair] | None = None
        """The objects in order, until one changes."""

    def items(self) -> list[Pair]:
        if self.ordered is None:
            if self.names is None:
                self.names = sorted(self.objects)
            objects = self.objects
            self.ordered = [objects[name] for name in self.names]
        return self.ordered


class _Collection:
    """The objects of a resource in all namespaces."""

    __slots__ = ("buckets", "changed", "ordered", "resource")

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.buckets: dict[str, _Bucket] = {}
        self.changed = 0
        self.ordered: list[Pair] | None = None

    def items(self) -> list[Pair]:
        if len(self.buckets) == 1:
            return next(iter(self.buckets.values())).items()
        if self.ordered is None:
            self.ordered = [
                pair
                for namespace in sorted(self.buckets)
                for pair in self.buckets[namespace].items()
            ]
        return self.ordered


class Memory:
    """What is committed, and which deletions the log still holds.

    Lists are kept until a write touches them, and shared: nobody may change one.
    """

    def __init__(self) -> None:
        self._collections: dict[str, _Collection] = {}
        self._tombstones: dict[Key, int] = {}

    def get(self, key: Key) -> Record | None:
        """The object's record."""
        pair = self._pair(key)
        return pair[1] if pair else None

    def _pair(self, key: Key) -> Pair | None:
        collection = self._collections.get(key.resource)
        if collection is None:
            return None
        bucket = collection.buckets.get(key.namespace)
        return None if bucket is None else bucket.objects.get(key.name)

    def items(self, resource: str, namespace: str | None) -> Sequence[Pair]:
        """The objects of a collection, ordered by namespace and name."""
        collection = self._collections.get(resource)
        if collection is None:
            return ()
        if namespace is None:
            return collection.items()
        bucket = collection.buckets.get(namespace)
        return () if bucket is None else bucket.items()

    def count(self, resource: str) -> int:
        """How many objects of a resource there are."""
        collection = self._collections.get(resource)
        if collection is None:
            return 0
        return sum(len(each.objects) for each in collection.buckets.values())

    def unordered(self, resource: str, namespace: str | None) -> list[Pair]:
        """The same objects, without the work of putting them in order."""
        collection = self._collections.get(resource)
        if collection is None:
            return []
        if namespace is None:
            return [pair for each in collection.buckets.values() for pair in each.objects.values()]
        bucket = collection.buckets.get(namespace)
        return [] if bucket is None else list(bucket.objects.values())

    def changed(self, resource: str, namespace: str | None) -> int:
        """A revision not before the newest change of the collection.

        An empty namespace is not kept, so it answers with the resource's.
        """
        collection = self._collections.get(resource)
        if collection is None:
            return 0
        bucket = None if namespace is None else collection.buckets.get(namespace)
        return collection.changed if bucket is None else bucket.changed

    def head(self, key: Key) -> int:
        """The revision of the key's newest row in the log, its deletion included; 0: none."""
        pair = self._pair(key)
        return pair[1].revision if pair else self._tombstones.get(key, 0)

    def forget(self, to: int) -> None:
        """Deletions up to this revision are no longer in the log."""
        while self._tombstones:
            key = next(iter(self._tombstones))  # the oldest: they come in order
            if self._tombstones[key] > to:
                break
            del self._tombstones[key]

    def apply(self, change: Change) -> Event:
        """Take a committed change in; the event tells of it."""
        collection = self._collections.get(change.key.resource)
        if collection is None:
            resource = change.key.resource
            collection = self._collections[resource] = _Collection(resource)
        collection.changed = change.record.revision
        collection.ordered = None
        if change.deleted:
            return self._remove(collection, change)
        return self._put(collection, change)

    def _put(self, collection: _Collection, change: Change) -> Event:
        key, record, _, _ = change
        bucket = collection.buckets.get(key.namespace)
        if bucket is None:
            bucket = collection.buckets[key.namespace] = _Bucket(key.namespace)
        bucket.changed = record.revision
        bucket.ordered = None
        old = bucket.objects.get(key.name)
        if old is None:
            # Its own key, so that many objects share the text of resource and namespace.
            key = Key(collection.resource, bucket.namespace, key.name)
            bucket.names = None
            bucket.objects[key.name] = (key, record)
            self._tombstones.pop(key, None)
            return Event("ADDED", key, record.revision, record.value, None)
        bucket.objects[key.name] = (old[0], record)
        previous = old[1]
        return Event(
            "MODIFIED", old[0], record.revision, record.value, previous.value, previous.revision
        )

    def _remove(self, collection: _Collection, change: Change) -> Event:
        key, record, _, _ = change
        self._tombstones[key] = record.revision
        bucket = collection.buckets.get(key.namespace)
        old = bucket.objects.pop(key.name, None) if bucket else None
        if bucket is None or old is None:  # its rows are compacted, the deletion not yet
            return Event("DELETED", key, record.revision, record.value, None)
        bucket.changed = record.revision
        bucket.names = bucket.ordered = None
        if not bucket.objects:
            del collection.buckets[key.namespace]
        previous = old[1]
        return Event(
            "DELETED", old[0], record.revision, record.value, previous.value, previous.revision
        )
