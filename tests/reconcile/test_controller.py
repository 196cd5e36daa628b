"""A controller works on every key; trouble with one is nobody else's."""

import asyncio
import logging

import pytest

from llmos.apimachinery.errors import InvalidError
from llmos.apimachinery.resource import GroupVersionKind
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.client.resources import NAMESPACES
from llmos.reconcile.controller import DONE, Controller, Result, TerminalError, describe
from llmos.reconcile.informer import Informers
from llmos.reconcile.runner import Runner, supervise
from llmos.reconcile.workqueue import Key
from reconcile.fake_api import FakeAPI
from reconcile.waiting import eventually

GOOD, BAD = Key("", "good"), Key("", "bad")


class Script:
    """A reconciler that does for each key what it is told, step by step."""

    def __init__(self, **steps: list) -> None:
        self.steps = steps
        self.calls: list[str] = []

    async def reconcile(self, key: Key) -> Result:
        """Do the next step."""
        self.calls.append(key.name)
        steps = self.steps.get(key.name)
        step = steps.pop(0) if steps else DONE
        if isinstance(step, Exception):
            raise step
        return step


def controlled(script: Script) -> Controller:
    return Controller("script", script, lambda: 0.0)


def test_a_failing_key_comes_again_and_keeps_no_other_waiting(caplog):
    """After a failure the key is due later, the queue goes on, and one line says so."""
    script = Script(bad=[RuntimeError("CANARY body")])

    async def scenario() -> None:
        controller = controlled(script)
        await controller.process(BAD)
        await controller.process(GOOD)
        assert controller.queue._failures == {BAD: 1}
        assert controller.queue._due == {BAD: 0.05}
        await controller.process(BAD)
        assert controller.queue._failures == {}
        controller.queue.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert script.calls == ["bad", "good", "bad"]
    assert len(caplog.records) == 1
    assert "bad: RuntimeError at reconcile" in caplog.text
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize(
    ("step", "due"),
    [(DONE, None), (Result(requeue_after=7), 7.0), (TerminalError("no"), None)],
)
def test_results(step, due):
    """Done and terminal end it; ``requeue_after`` asks for more."""

    async def scenario() -> None:
        controller = controlled(Script(good=[step]))
        await controller.process(GOOD)
        assert controller.queue._due.get(GOOD) == due
        controller.queue.close()

    asyncio.run(scenario())


def test_errors_are_described_without_content():
    """A StatusError is its code and reason: its text may quote an object."""
    error = InvalidError(
        "Secret is invalid: CANARY", {"kind": GroupVersionKind("", "v1", "S").kind}
    )
    assert describe(error) == "422 Invalid"
    assert describe(TerminalError("plain words")) == "plain words"


def test_events_become_keys_before_and_after_a_change():
    """A change concerns what the object pointed to before as well as what it points to now."""
    script = Script()

    async def scenario() -> None:
        api = FakeAPI()
        async with Client(Config("http://api"), transport=api) as client:
            informers = Informers(client)
            namespaces = informers.informer(NAMESPACES)
            controller = controlled(script).watch(
                namespaces, lambda obj: [Key("", obj["metadata"]["labels"]["to"])]
            )
            api.create(NAMESPACES, "a", metadata={"labels": {"to": "x"}})
            runner = Runner(informers, [controller])
            task = asyncio.create_task(runner.run())
            await asyncio.wait_for(runner.ready.wait(), 5)
            api.patch(NAMESPACES, "a", {"metadata": {"labels": {"to": "y"}}})
            await eventually(lambda: "y" in script.calls and script.calls.count("x") >= 2)
            task.cancel()
            await asyncio.wait([task])
            assert not runner.ready.is_set()

    asyncio.run(scenario())


def test_a_crash_is_started_again():
    """``supervise`` runs again after a crash, and returns when its work does."""
    runs = []

    async def crash_once() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError

    asyncio.run(asyncio.wait_for(supervise("x", crash_once), 5))
    assert len(runs) == 2
