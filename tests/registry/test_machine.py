"""Whatever is done through the store in whatever order, it agrees with a model.

What it checks are the promises of ``storage.interface``: acknowledged writes are there (C1),
revisions only grow (C2), reads see every acknowledged write (C3), a watch tells every change once
and in order (C4), what is remembered is answered as it was (C5), and a write on an old version is
refused (C6).
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from llmos.apimachinery.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    StatusError,
)
from llmos.apimachinery.object import Object
from llmos.watchcache.interface import Event, Subscription
from llmos.watchcache.watches import open_watch
from registry.world import World, changed, config_map

Place = tuple[str, str]
"""Namespace and name."""
places = st.tuples(st.sampled_from(["team-a", "team-b"]), st.sampled_from("abc"))
values = st.sampled_from(["1", "2", "3"])
namespaces = st.sampled_from([None, "team-a", "team-b"])


def at(place: Place, **data: str) -> Object:
    """A config map at a place."""
    return config_map(place[1], place[0], **data)


@dataclass
class Watching:
    """A watch, and what it has heard."""

    namespace: str | None
    since: int
    subscription: Subscription | None = None
    events: list[Event] = field(default_factory=list)


class StoreMachine(RuleBasedStateMachine):
    """Everything that clients do to config maps, and what they must then see."""

    watches = Bundle("watches")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.objects: dict[Place, Object] = {}
        self.history: list[tuple[str, Place, int]] = []
        """Type, place and revision of every change."""
        self.pasts: dict[int, dict[Place, Object]] = {self.world.revision: {}}
        self.open: list[Watching] = []

    def teardown(self) -> None:
        """End the store."""
        self.world.close()

    def stored(self, kind: str, place: Place, obj: Object) -> None:
        """A write was acknowledged."""
        revision = int(obj["metadata"]["resourceVersion"])
        if place in self.objects and self.objects[place] == obj:
            return
        self.history.append((kind, place, revision))
        if kind == "DELETED":
            del self.objects[place]
        else:
            self.objects[place] = obj
        self.pasts[revision] = dict(self.objects)

    def changes(self, place: Place, write: Callable[[], Object]) -> None:
        """Do something to an object that may be there or be going away."""
        old = self.objects.get(place)
        if old is None:
            with pytest.raises(NotFoundError):
                write()
            return
        new = write()
        gone = self.world.get(new) is None
        self.stored("DELETED" if gone else "MODIFIED", place, new)

    @rule(place=places, value=values, held=st.booleans())
    def create(self, place: Place, value: str, held: bool) -> None:
        """One that exists is refused."""
        obj = at(place, v=value)
        if held:
            obj["metadata"]["finalizers"] = ["example.com/x"]
        if place in self.objects:
            with pytest.raises(AlreadyExistsError):
                self.world.create(obj)
        else:
            self.stored("ADDED", place, self.world.create(obj))

    @rule(place=places, value=values)
    def update(self, place: Place, value: str) -> None:
        """Replace without a version: finalizers go, and with the last one what was deleted."""
        self.changes(place, lambda: self.world.update(at(place, v=value)))

    @rule(place=places, value=values, back=st.integers(0, 3))
    def update_version(self, place: Place, value: str, back: int) -> None:
        """Replace a version: one that is not the newest is a conflict."""
        old = self.objects.get(place)
        if old is None:
            return
        version = int(old["metadata"]["resourceVersion"]) - back
        sent = changed(old, data={"v": value}, metadata={"resourceVersion": str(version)})
        if back and version > 0:
            with pytest.raises(ConflictError):
                self.world.update(sent)
        elif not back:
            self.changes(place, lambda: self.world.update(sent))

    @rule(place=places, value=values)
    def patch(self, place: Place, value: str) -> None:
        """Merge into what is there."""

        def merge(current: Object) -> Object:
            current["data"] = {**current.get("data", {}), f"p{value}": value}
            return current

        self.changes(place, lambda: self.world.patch(at(place), merge))

    @rule(place=places, value=values, manager=st.sampled_from(["one", "two"]))
    def apply(self, place: Place, value: str, manager: str) -> None:
        """Create or change what the manager owns, by force."""
        exists = place in self.objects
        obj, created = self.world.apply(at(place, v=value), manager, force=True)
        assert created is not exists
        self.stored("ADDED" if created else "MODIFIED", place, obj)

    @rule(place=places, policy=st.sampled_from([None, "Orphan", "Background"]))
    def delete(self, place: Place, policy: str | None) -> None:
        """Gone at once, or held."""

        def deleted() -> Object:
            options = {"propagationPolicy": policy} if policy else {}
            return self.world.of(at(place)).load(self.world.delete(at(place), options).value)

        self.changes(place, deleted)

    @rule(place=places, value=values, how=st.sampled_from(["create", "update", "apply", "delete"]))
    def rehearse(self, place: Place, value: str, how: str) -> None:
        """A dry run is answered or refused, and changes nothing."""
        before = self.world.revision
        doing = partial(self.world.apply, force=True) if how == "apply" else None
        action = doing or getattr(self.world, how)
        refused = (place in self.objects) is (how == "create") and how != "apply"
        with pytest.raises(StatusError) if refused else nullcontext():
            action(at(place, d=value), dry_run=True)
        assert self.world.revision == before

    @rule(back=st.integers(0, 8), namespace=namespaces, limit=st.integers(1, 4))
    def walk(self, back: int, namespace: str | None, limit: int) -> None:
        """The pages of a list are what there was at its revision (C5)."""
        revisions = sorted(self.pasts)
        revision = revisions[max(0, len(revisions) - 1 - back)]
        page = self.world.page(
            namespace=namespace, limit=limit, resource_version=str(revision), match="Exact"
        )
        items = list(page.items)
        while page.continue_token:
            page = self.world.page(
                namespace=namespace, limit=limit, continue_token=page.continue_token
            )
            items += page.items
        served = self.world.kind("configmaps")
        found = {(key.namespace, key.name): served.load(record.value) for key, record in items}
        past = self.pasts[revision]
        assert len(found) == len(items)
        assert list(found) == sorted(place for place in past if namespace in (None, place[0]))
        assert all(found[place] == past[place] for place in found)

    @rule(target=watches, back=st.integers(0, 8), namespace=namespaces)
    def watch(self, back: int, namespace: str | None) -> Watching:
        """Begin to watch, from now or from before."""
        watching = Watching(namespace, max(1, self.world.revision - back))

        async def begin() -> None:
            watching.subscription = open_watch(
                self.world.store.storage,
                self.world.kind("configmaps"),
                namespace,
                watching.since,
                watching.events.extend,
            )

        self.world.run(begin())
        self.open.append(watching)
        return watching

    @rule(watching=consumes(watches))
    def close(self, watching: Watching) -> None:
        """Stop watching: nothing comes afterwards."""
        assert watching.subscription is not None
        watching.subscription.close()
        self.open.remove(watching)

    @invariant()
    def reads_see_every_write(self) -> None:
        """C1 and C3, for every place and for the list."""
        for namespace in ("team-a", "team-b"):
            for name in "abc":
                place = (namespace, name)
                assert self.world.get(at(place)) == self.objects.get(place)
        page = self.world.page()
        assert [(key.namespace, key.name) for key, _ in page.items] == sorted(self.objects)
        assert page.revision == self.world.revision

    @invariant()
    def revisions_only_grow(self) -> None:
        """C2: one counter, each number once."""
        revisions = [revision for _, _, revision in self.history]
        assert revisions == sorted(set(revisions))
        assert not revisions or revisions[-1] <= self.world.revision

    @invariant()
    def watches_tell_every_change_once(self) -> None:
        """C4: from where they began, in order, in their namespace."""
        for each in self.open:
            wanted = [
                change
                for change in self.history
                if change[2] > each.since and each.namespace in (None, change[1][0])
            ]
            told = [
                (event.type, (event.key.namespace, event.key.name), event.revision)
                for event in each.events
            ]
            assert told == wanted


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=40, stateful_step_count=30)
