"""Indexes kept true by the commits themselves: an acknowledged write has already reached them."""

from collections.abc import Callable, Sequence

import orjson

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupResource
from llmos.storage.interface import Storage
from llmos.watchcache.interface import Event, Subscription

Take = Callable[[Object], None]


def feed(
    storage: Storage,
    resource: GroupResource,
    put: Take,
    remove: Take,
    namespace: str | None = None,
) -> Subscription:
    """Give an index every object of a resource, now and at every change.

    Args:
        storage: where the objects are.
        resource: whose objects.
        put: takes an object that is new or changed.
        remove: takes the last state of an object that is gone.
        namespace: only in this one; None: in all.
    """

    def deliver(events: Sequence[Event]) -> None:
        for event in events:
            take = remove if event.type == "DELETED" else put
            take(orjson.loads(event.value))

    snapshot = storage.list(str(resource), namespace)
    for _, record in snapshot.items:
        put(orjson.loads(record.value))
    return storage.watch(str(resource), namespace, snapshot.revision, deliver)
