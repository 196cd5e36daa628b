"""What is measured: a server that was started for it, and how to reach it."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.measures import BenchError

START_SECONDS = 120
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is, and the bearer tokens of the users ``admin`` and ``alice``."""

    name: str
    host: str
    port: int
    ca_file: Path | None
    """Of its certificate; None: it speaks plain HTTP."""
    tokens: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Engine:
    """A running server."""

    endpoint: Endpoint
    processes: Sequence["subprocess.Popen[bytes]"]
    started_in: float
    """Seconds from the start of the first process to ``/readyz``."""

    def megabytes(self) -> float:
        """Resident memory of all its processes."""
        return sum(psutil.Process(each.pid).memory_info().rss for each in self.processes) / 1e6

    def stop(self) -> None:
        """End its processes, the last started first."""
        stop_all(self.processes)


Start = Callable[[Path], Engine]
"""Starts a server on a directory: an empty one, or one that it left before."""


def stop_all(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """End processes, the last started first."""
    for each in reversed(processes):
        if each.poll() is None:
            each.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(STOP_SECONDS)
        if each.poll() is None:
            each.kill()
            each.wait()


def spawn(command: Sequence[str], log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a process that writes into a log."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
        assert isinstance(port, int)
        return port


def wait_until(
    ready: Callable[[], bool], processes: Sequence["subprocess.Popen[bytes]"], log: Path
) -> None:
    """Wait until a server is ready.

    Raises:
        BenchError: it ended, or does not become ready.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if ready():
                return
        if any(each.poll() is not None for each in processes):
            break
        time.sleep(0.005)
    raise BenchError(f"the server did not start:\n{log.read_text()[-2000:]}")


@contextmanager
def running(start: Start, directory: Path) -> Iterator[Engine]:
    """A server for the length of a block."""
    engine = start(directory)
    try:
        yield engine
    finally:
        engine.stop()
