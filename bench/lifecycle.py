"""What is measured by starting, filling and restarting servers of their own."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bench.engines import Engine, Start
from bench.fixtures import Bodies, Filler, make_namespaces, make_role
from bench.generator import Generator
from bench.measures import Measured

NAMESPACES = 10_000
OBJECTS = 100_000
_SPREAD = 10
"""Over so many namespaces."""
_SETTLE_SECONDS = 2.0


def cold_start(start: Start, place: Path) -> Measured:
    """From an empty directory to ``/readyz``."""
    engine = start(place)
    engine.stop()
    shutil.rmtree(place)
    return _started(engine)


def restart(start: Start, place: Path) -> Measured:
    """From what a server left to ``/readyz``."""
    engine = start(place)
    engine.stop()
    return _started(engine)


def _started(engine: Engine) -> Measured:
    milliseconds = engine.started_in * 1e3
    return Measured(p50_ms=milliseconds, p99_ms=milliseconds, count=1)


@dataclass(frozen=True, slots=True)
class Large:
    """A server that gets many objects."""

    engine: Engine
    generator: Generator
    bodies: Bodies

    @property
    def _filler(self) -> Filler:
        return Filler(self.engine.endpoint, self.generator, self.bodies)

    def memory(self) -> Measured:
        """Resident memory, once it rests."""
        time.sleep(_SETTLE_SECONDS)
        return Measured(megabytes=self.engine.megabytes(), count=1)

    def add_namespaces(self) -> Measured:
        """Make the namespaces; the memory with them."""
        self._filler.namespaces(NAMESPACES)
        return self.memory()

    def add_objects(self) -> Measured:
        """Make the objects; the memory with them."""
        make_role(self.engine.endpoint)
        names = [f"bench-objects-{number}" for number in range(_SPREAD)]
        make_namespaces(self.engine.endpoint, names)
        for name in names:
            self._filler.configmaps(name, OBJECTS // _SPREAD)
        return self.memory()
