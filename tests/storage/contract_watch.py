"""The storage's contract: a watch gets everything once and in order (C3, C4)."""

from collections.abc import Sequence

from llmos.watchcache.interface import Event, Record
from storage.tools import Opener, Received, holds, names, put, write


@holds
async def a_watch_from_the_beginning_gets_everything(opened: Opener) -> None:
    async with opened() as storage:
        start = storage.revision
        first = await put(storage, "a")
        await put(storage, "a", first)
        for since in (0, start):
            received = Received()
            storage.watch("configmaps", None, since, received).close()
            assert received.brief() == [("ADDED", "a", start + 1), ("MODIFIED", "a", start + 2)]
            assert len(received.calls) == 1


@holds
async def a_watch_gets_what_comes_after_its_revision(opened: Opener) -> None:
    async with opened() as storage:
        revisions = [await put(storage, name) for name in "abc"]
        received = Received()
        storage.watch("configmaps", None, revisions[1], received)
        last = await put(storage, "d")
        assert received.brief() == [("ADDED", "c", revisions[2]), ("ADDED", "d", last)]


@holds
async def a_watch_with_nothing_missed_is_not_called_at_once(opened: Opener) -> None:
    async with opened() as storage:
        received = Received()
        storage.watch("configmaps", None, await put(storage, "a"), received)
        assert received.calls == []


@holds
async def a_watch_from_the_future_never_gets_the_past(opened: Opener) -> None:
    async with opened() as storage:
        revision = await put(storage, "a")
        received = Received()
        storage.watch("configmaps", None, revision + 2, received)
        await put(storage, "b")
        await put(storage, "c")
        assert received == []
        await storage.submit([write("d"), write("e")])
        assert [event.key.name for event in received] == ["d", "e"]
        late = Received()
        storage.watch("configmaps", None, storage.revision + 1, late)
        await storage.submit([write("f"), write("g")])
        assert [event.key.name for event in late] == ["g"]


@holds
async def a_watch_misses_nothing_of_what_is_in_flight(opened: Opener) -> None:
    async with opened() as storage:
        start = storage.revision
        pending = [storage.submit([write(f"a-{number}")]) for number in range(10)]
        early, late = Received(), Received()
        storage.watch("configmaps", None, start, early)
        await pending[4]
        storage.watch("configmaps", None, start, late)
        for each in pending:
            await each
        expected = list(range(start + 1, start + 11))
        assert [event.revision for event in early] == expected
        assert [event.revision for event in late] == expected


@holds
async def a_watch_gets_its_own_collection(opened: Opener) -> None:
    async with opened() as storage:
        everywhere, team, other = Received(), Received(), Received()
        storage.watch("configmaps", None, 0, everywhere)
        storage.watch("configmaps", "team-a", 0, team)
        storage.watch("secrets", None, 0, other)
        await storage.submit([write("a"), write("b", namespace="team-b"), write("s", resource="x")])
        await put(storage, "c")
        again = Received()
        storage.watch("configmaps", "team-a", 0, again)
        assert [event.key.name for event in everywhere] == ["a", "b", "c"]
        assert [event.key.name for event in team] == ["a", "c"]
        assert again.brief() == team.brief()
        assert other == []


@holds
async def a_delete_event_carries_the_last_object_and_the_deletion(opened: Opener) -> None:
    async with opened() as storage:
        received = Received()
        storage.watch("configmaps", None, storage.revision, received)
        first = await put(storage, "a")
        second = await put(storage, "a", first)
        third = await put(storage, "a", second, delete=True)
        assert [(e.value, e.previous, e.previous_revision) for e in received] == [
            (f"a@{first}".encode(), None, 0),
            (f"a@{second}".encode(), f"a@{first}".encode(), first),
            (f"a@{third}".encode(), f"a@{second}".encode(), second),
        ]
        assert received[2].type == "DELETED"
        assert received[2].revision == third


@holds
async def an_event_is_one_object_for_all_watches(opened: Opener) -> None:
    async with opened() as storage:
        one, two, late = Received(), Received(), Received()
        storage.watch("configmaps", None, storage.revision, one)
        storage.watch("configmaps", "team-a", storage.revision, two)
        await put(storage, "a")
        storage.watch("configmaps", None, 0, late)
        assert one[0] is two[0] is late[0]


@holds
async def readers_see_a_write_before_watches_and_watches_before_the_writer(opened: Opener) -> None:
    async with opened() as storage:
        steps: list[str] = []

        def deliver(events: Sequence[Event]) -> None:
            assert storage.get(events[-1].key) == Record(events[-1].revision, events[-1].value)
            assert storage.revision >= events[-1].revision
            assert names(storage) == [events[-1].key.name]
            steps.append("delivered")

        storage.watch("configmaps", None, storage.revision, deliver)
        pending = storage.submit([write("a")])
        pending.add_done_callback(lambda _: steps.append("acknowledged"))
        await pending
        assert steps[0] == "delivered"


@holds
async def a_closed_watch_gets_nothing_more(opened: Opener) -> None:
    async with opened() as storage:
        received, second = Received(), Received()
        watch = storage.watch("configmaps", None, storage.revision, received)

        def close_it(_: Sequence[Event]) -> None:
            later.close()

        storage.watch("configmaps", None, storage.revision, close_it)
        later = storage.watch("configmaps", None, storage.revision, second)
        await put(storage, "a")
        watch.close()
        watch.close()
        await put(storage, "b")
        assert [event.key.name for event in received] == ["a"]
        assert second == []


@holds
async def a_failing_receiver_harms_no_other(opened: Opener) -> None:
    async with opened() as storage:
        calls = 0

        def fail(_: Sequence[Event]) -> None:
            nonlocal calls
            calls += 1
            raise ZeroDivisionError

        storage.watch("configmaps", None, storage.revision, fail)
        received = Received()
        storage.watch("configmaps", None, storage.revision, received)
        await put(storage, "a")
        await put(storage, "b")
        storage.watch("configmaps", None, 0, fail)
        await put(storage, "c")
        assert calls == 2
        assert [event.key.name for event in received] == ["a", "b", "c"]


@holds
async def a_watch_begun_in_a_delivery_gets_each_event_once(opened: Opener) -> None:
    async with opened() as storage:
        received = Received()
        storage.watch("secrets", None, storage.revision, Received())

        def begin(events: Sequence[Event]) -> None:
            if events[0].key.name == "a":
                storage.watch("secrets", None, 0, received)

        storage.watch("configmaps", None, storage.revision, begin)
        await storage.submit([write("a"), write("s", resource="secrets")])
        await put(storage, "t", resource="secrets")
        assert [event.key.name for event in received] == ["s", "t"]
