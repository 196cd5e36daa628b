"""Hands the events of each commit to the watches of their collection."""

import logging
from collections.abc import Sequence

from llmos.watchcache.interface import Deliver, Event

logger = logging.getLogger(__name__)


class Subscriber:
    """One watch: where its events go, and the revision it begins after."""

    __slots__ = ("_broadcaster", "_deliver", "_since", "namespace", "resource")

    def __init__(
        self,
        broadcaster: "Broadcaster",
        resource: str,
        namespace: str | None,
        since: int,
        deliver: Deliver,
    ) -> None:
        self.resource = resource
        self.namespace = namespace
        self._broadcaster = broadcaster
        self._since = since
        self._deliver: Deliver | None = deliver

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._deliver is None

    def close(self) -> None:
        """End it; no event is delivered afterwards."""
        if self._deliver is not None:
            self._deliver = None
            self._broadcaster.remove(self)

    def offer(self, events: Sequence[Event]) -> None:
        """Deliver those that come after its beginning."""
        if events[0].revision <= self._since:
            events = [event for event in events if event.revision > self._since]
        if events:
            self.deliver(events)

    def deliver(self, events: Sequence[Event]) -> None:
        """Hand events to the receiver; one that fails gets nothing more."""
        if self._deliver is None:
            return
        try:
            self._deliver(events)
        except Exception:
            logger.exception("a watch of %s was closed: its receiver failed", self.resource)
            self.close()


Group = dict[Subscriber, None]  # a set that keeps the order


class Broadcaster:
    """The watches by resource and namespace; None stands for all namespaces."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str | None, Group]] = {}

    def add(self, subscriber: Subscriber) -> None:
        """Begin to offer events to a watch."""
        groups = self._groups.setdefault(subscriber.resource, {})
        groups.setdefault(subscriber.namespace, {})[subscriber] = None

    def remove(self, subscriber: Subscriber) -> None:
        """Forget a watch, and its group with the last one."""
        groups = self._groups.get(subscriber.resource, {})
        group = groups.get(subscriber.namespace, {})
        group.pop(subscriber, None)
        if not group:
            groups.pop(subscriber.namespace, None)
        if not groups:
            self._groups.pop(subscriber.resource, None)

    @property
    def empty(self) -> bool:
        """Whether there is no watch."""
        return not self._groups

    def publish(self, events: Sequence[Event]) -> None:
        """Offer the events of one commit to every watch they concern."""
        by_resource: dict[str, list[Event]] = {}
        for event in events:
            if event.key.resource in self._groups:
                by_resource.setdefault(event.key.resource, []).append(event)
        for resource, group in by_resource.items():
            self._publish(self._groups.get(resource, {}), group)

    def _publish(self, groups: dict[str | None, Group], events: Sequence[Event]) -> None:
        for subscriber in tuple(groups.get(None, ())):
            subscriber.offer(events)
        by_namespace: dict[str, list[Event]] = {}
        for event in events:
            if event.key.namespace in groups:
                by_namespace.setdefault(event.key.namespace, []).append(event)
        for namespace, group in by_namespace.items():
            for subscriber in tuple(groups.get(namespace, ())):
                subscriber.offer(group)

    def close(self) -> None:
        """End every watch."""
        groups = [group for each in self._groups.values() for group in each.values()]
        for subscriber in [subscriber for group in groups for subscriber in group]:
            subscriber.close()
