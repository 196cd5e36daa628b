"""The queue hands out each key once at a time, and late keys when they are due."""

import asyncio

from llmos.reconcile.workqueue import Key, WorkQueue

A, B = Key("n", "a"), Key("", "b")


class Time:
    """A clock that stands still."""

    now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def run(scenario) -> None:
    async def main() -> None:
        time = Time()
        queue = WorkQueue(time)
        await scenario(queue, time)
        queue.close()

    asyncio.run(main())


def test_a_key_is_worked_on_once():
    """Added twice it comes once; added during the work, once more after it."""

    async def scenario(queue: WorkQueue, time: Time) -> None:
        queue.add(A)
        queue.add(A)
        queue.add(B)
        assert await queue.get() == A
        queue.add(A)
        queue.add(A)
        assert await queue.get() == B
        assert len(queue) == 0
        queue.done(A)
        assert await queue.get() == A
        queue.done(A)
        queue.done(B)
        assert len(queue) == 0

    run(scenario)


def test_get_waits():
    """A waiting worker is woken by the next key."""

    async def scenario(queue: WorkQueue, time: Time) -> None:
        task = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add(B)
        assert await asyncio.wait_for(task, 1) == B

    run(scenario)


def test_late_keys_come_when_due_and_the_earliest_time_counts():
    """A key asked for at two times comes at the first of them, once."""

    async def scenario(queue: WorkQueue, time: Time) -> None:
        queue.add_after(A, 10)
        queue.add_after(A, 5)
        queue.add_after(A, 7)
        queue.add_after(B, 20)
        time.now += 4.9
        queue.fire()
        assert len(queue) == 0
        time.now += 0.2
        queue.fire()
        assert await queue.get() == A
        queue.done(A)
        time.now += 10
        queue.fire()
        assert len(queue) == 0
        time.now += 5
        queue.fire()
        assert await queue.get() == B

    run(scenario)


def test_real_timers_fire():
    """Without anybody calling ``fire`` a late key comes by itself."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue = WorkQueue(loop.time)
        queue.add_after(B, 0.03)
        queue.add_after(A, 0.01)
        assert await asyncio.wait_for(queue.get(), 1) == A
        assert await asyncio.wait_for(queue.get(), 1) == B
        queue.close()

    asyncio.run(main())


def test_failures_back_off_to_a_maximum_and_are_forgotten():
    """Each failure doubles the delay; success starts over; other keys do not share it."""

    async def scenario(queue: WorkQueue, time: Time) -> None:
        delays = [queue.add_failed(A) for _ in range(12)]
        assert delays[:4] == [0.05, 0.1, 0.2, 0.4]
        assert delays[-1] == 60
        assert queue.add_failed(B) == 0.05
        queue.forget(A)
        assert queue.add_failed(A) == 0.05

    run(scenario)
