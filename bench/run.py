"""One run of the benchmark: which engines, in which order, and what is reported of them."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.engines import Start, running
from bench.fixtures import Bodies, Filler, prepare
from bench.generator import Generator
from bench.lifecycle import NAMESPACES, OBJECTS, Large, cold_start, restart
from bench.measures import Measured
from bench.operations import LIST_NAMESPACES, OPERATIONS, Bench, Operation
from bench.report import Report, shown

GROUPS = ("start", *dict.fromkeys(each.group for each in OPERATIONS), "memory")
_PAUSE = 0.1
"""Seconds between two measurements, for the servers to come to rest."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured."""

    rounds: int
    seconds: float
    """Of one run of an operation."""
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class Run:
    """Measures engines in turn: A B B A."""

    engines: Mapping[str, Start]
    directory: Path
    generator: Generator
    settings: Settings
    report: Report

    def all(self) -> None:
        """Measure everything that the settings name.

        Raises:
            BenchError: something did not answer as it must.
        """
        groups = self.settings.groups
        bodies = Bodies(self.directory)
        if "start" in groups:
            self._cold_starts()
        chosen = [each for each in OPERATIONS if each.group in groups]
        if chosen:
            self._operations(chosen, bodies)
        if "memory" in groups:
            self._large(bodies)

    def _rounds(self) -> Iterator[str]:
        names = list(self.engines)
        for number in range(self.settings.rounds):
            yield from names if number % 2 == 0 else reversed(names)

    def _measure(self, name: str, title: str, one: Callable[[str], Measured]) -> None:
        """All rounds of one operation; ``one`` measures an engine."""
        for engine in self._rounds():
            self.report.add(name, title, engine, one(engine))
            time.sleep(_PAUSE)
        self._say(name)

    def _once(self, name: str, title: str, one: Callable[[str], Measured]) -> None:
        for engine in self.engines:
            self.report.add(name, title, engine, one(engine))
        self._say(name)

    def _say(self, name: str) -> None:
        """Tell whoever waits how far it is."""
        row = self.report.rows[name]
        found = [f"{engine} {' '.join(shown(each))}" for engine, each in row.medians().items()]
        print(f"{row.title}: {', '.join(found)}", file=sys.stderr)

    def _cold_starts(self) -> None:
        def one(engine: str) -> Measured:
            return cold_start(self.engines[engine], self.directory / f"{engine}-cold")

        self._measure("start", "Cold start to /readyz", one)

    def _operations(self, chosen: Sequence[Operation], bodies: Bodies) -> None:
        settings = self.settings
        with ExitStack() as stack:
            benches = {}
            for name, start in self.engines.items():
                engine = stack.enter_context(running(start, self.directory / name))
                benches[name] = Bench(engine.endpoint, self.generator, bodies, settings.seconds)
                prepare(Filler(engine.endpoint, self.generator, bodies), settings.groups)
            for each in chosen:
                self._operation(each, benches)

    def _operation(self, operation: Operation, benches: Mapping[str, Bench]) -> None:
        self._measure(operation.name, operation.title, lambda name: operation.run(benches[name]))

    def _large(self, bodies: Bodies) -> None:
        objects = f"{NAMESPACES:,} namespaces and {OBJECTS:,} objects"
        with self._all_large(bodies) as large:
            self._once("memory-idle", "Memory, idle", lambda name: large[name].memory())
            self._once(
                "memory-namespaces",
                f"Memory, {NAMESPACES:,} namespaces",
                lambda name: large[name].add_namespaces(),
            )
            benches = {
                name: Bench(each.engine.endpoint, self.generator, bodies, self.settings.seconds)
                for name, each in large.items()
            }
            self._operation(LIST_NAMESPACES, benches)
            self._once(
                "memory-objects", f"Memory, {objects}", lambda name: large[name].add_objects()
            )
        self._once(
            "restart",
            f"Restart, {objects}",
            lambda name: restart(self.engines[name], self._place(name)),
        )

    def _place(self, name: str) -> Path:
        return self.directory / f"{name}-large"

    @contextmanager
    def _all_large(self, bodies: Bodies) -> Iterator[dict[str, Large]]:
        with ExitStack() as stack:
            yield {
                name: Large(
                    stack.enter_context(running(start, self._place(name))), self.generator, bodies
                )
                for name, start in self.engines.items()
            }
