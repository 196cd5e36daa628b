"""The recorded answers of a real kube-apiserver, step by step against a fresh server.

Where an answer differs knowingly, ``deviations.yaml`` says why; ``docs/compatibility.md`` shows it.
"""

import ssl
from collections.abc import Iterator

import pytest

from contract.deviations import DEVIATIONS, deviations, reasons
from contract.replay import Connection, Replay, Scenario, scenarios
from support.server import running_server

SCENARIOS = scenarios()
EXACT_AT_LEAST = 0.98
"""Of all recorded steps, this share is answered exactly as recorded."""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A connection to a server that nobody has used."""
    with running_server(tmp_path_factory.mktemp("contract")) as server:
        trust = ssl.create_default_context(cafile=str(server.ca_file))
        connection = Connection(server.url, trust)
        yield connection
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each["id"])
def test_answers_are_as_recorded(scenario: Scenario, connection: Connection) -> None:
    """Every step is answered as recorded, but for those that differ knowingly: they do differ."""
    replay, known = Replay(connection), set(deviations())
    unknown, settled = [], []
    for step in scenario["steps"]:
        name = f"{scenario['id']}/{step['id']}"
        found = replay.differences(step)
        if found and name not in known:
            unknown.append("\n    ".join([f"{name}: {step['req']}", *found]))
        elif not found and name in known:
            settled.append(name)
    assert not unknown, "not as recorded:\n" + "\n".join(unknown)
    assert not settled, f"as recorded, so not in {DEVIATIONS.name} any more: {settled}"


def test_deviations_name_recorded_steps() -> None:
    """Every deviation is one of a recorded step, stands there once, and has a reason."""
    recorded = {f"{each['id']}/{step['id']}" for each in SCENARIOS for step in each["steps"]}
    assert all(reason and steps for reason, steps in reasons())
    assert len(deviations()) == len(set(deviations()))
    assert set(deviations()) <= recorded


def test_few_answers_differ() -> None:
    """At least 98 of 100 steps are answered exactly as recorded."""
    steps = sum(len(each["steps"]) for each in SCENARIOS)
    assert len(deviations()) <= (1 - EXACT_AT_LEAST) * steps
