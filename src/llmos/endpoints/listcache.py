"""Joined lists, kept until something in them changes: a LIST is mostly joining bytes."""

from collections import OrderedDict

from llmos.endpoints.rendering import join_items, list_head
from llmos.watchcache.interface import Readable, Source

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of joined lists that are kept; the one used longest ago goes first."""


class ListCache:
    """Whole lists of a collection, by kind and namespace."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, str | None], tuple[int, bytes]] = OrderedDict()
        self._size = 0

    def body(self, source: Source, served: Readable, namespace: str | None) -> bytes:
        """The JSON of a whole list, as of now."""
        head = list_head(served, {"resourceVersion": str(source.revision)})
        return b"%b%b]}" % (head, self._items(source, served, namespace))

    def _items(self, source: Source, served: Readable, namespace: str | None) -> bytes:
        key = (served.prefix, namespace)
        changed = source.changed(served.storage_name, namespace)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == changed:
            self._kept.move_to_end(key)
            return kept[1]
        snapshot = source.list(served.storage_name, namespace)
        items = join_items(served, [record.value for _, record in snapshot.items])
        self._keep(key, changed, items)
        return items

    def _keep(self, key: tuple[bytes, str | None], changed: int, items: bytes) -> None:
        old = self._kept.pop(key, None)
        self._size += len(items) - (len(old[1]) if old else 0)
        self._kept[key] = (changed, items)
        while self._size > MAX_BYTES and self._kept:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._size -= len(dropped)
