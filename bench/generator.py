"""The load generators: one of ``load.c``, or where there is no C compiler one of ``load.py``.

Both take the same arguments and print the same figures; the one in Python is slower, so what it
measures is a lower bound.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.engines import Endpoint
from bench.measures import BenchError, Measured

HERE = Path(__file__).parent
TIMEOUT = 120
"""Seconds after which a run has failed."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, and what must come back."""

    path: str
    """``{i}``, ``{o}``, ``{t}`` and ``{x}`` are replaced, here and in the body: see ``load.c``."""
    user: str = "alice"
    method: str = "GET"
    body: str = ""
    """A file name."""
    content_type: str = "application/json"
    expect: int = 200
    connections: int = 1
    seconds: float = 1.0
    count: int = 0
    """So many requests, instead of so many seconds."""
    start: int = 0
    modulo: int = 1
    gzip: bool = False
    watchers: int = 0
    watch_path: str = ""
    rate: float = 0.0
    """Requests a second over all connections; 0: as many as are answered."""

    def arguments(self) -> list[str]:
        """The command line, without the address."""
        given = {
            "method": self.method,
            "path": self.path,
            "body": self.body,
            "content-type": self.content_type,
            "expect": self.expect,
            "connections": self.connections,
            "seconds": self.seconds,
            "count": self.count,
            "start": self.start,
            "modulo": self.modulo,
            "watchers": self.watchers,
            "watch-path": self.watch_path,
            "rate": self.rate,
        }
        arguments = [f"--{name}={value}" for name, value in given.items() if value not in ("", 0)]
        return [*arguments, "--gzip"] if self.gzip else arguments


@dataclass(frozen=True, slots=True)
class Generator:
    """A program that makes load."""

    name: str
    command: tuple[str, ...]

    def run(self, endpoint: Endpoint, job: Job) -> Measured:
        """Send what a job says, and measure.

        Raises:
            BenchError: an answer was wrong or did not come.
        """
        target = [f"--address={endpoint.host}:{endpoint.port}"]
        if endpoint.ca_file is not None:
            target.append(f"--ca={endpoint.ca_file}")
        ended = subprocess.run(
            [*self.command, *target, *job.arguments()],
            env={**os.environ, "LOAD_TOKEN": endpoint.tokens[job.user]},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if ended.returncode:
            raise BenchError(f"{endpoint.name}: {job.method} {job.path}: {ended.stderr.strip()}")
        found = json.loads(ended.stdout)
        return Measured(
            rate=found["rate"],
            p50_ms=found["p50_ms"],
            p99_ms=found["p99_ms"],
            count=found["count"],
            generator_busy=found["cpu_seconds"] / max(found["seconds"], 1e-9),
        )


def make_generator(directory: Path, compiler: str = "cc") -> Generator:
    """The fastest generator that this machine can have; ``directory`` takes what is compiled."""
    program = directory / "load"
    source = HERE / "load.c"
    command = [compiler, "-O2", "-o", str(program), str(source), "-lssl", "-lcrypto"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT)
    except (OSError, subprocess.SubprocessError):
        return Generator("Python (load.py)", (sys.executable, "-m", "bench.load"))
    return Generator("C (load.c)", (str(program),))
