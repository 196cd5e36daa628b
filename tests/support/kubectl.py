"""The real kubectl, as a user; its home and its cache are the tests' own."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.session import Session
from support.waiting import wait_until

SECONDS = 40


def find_kubectl() -> Path | None:
    """The kubectl beside this Python, or else on the PATH."""
    beside = Path(sys.executable).with_name("kubectl")
    found = beside if beside.exists() else shutil.which("kubectl")
    return Path(found) if found else None


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def ok(self) -> str:
        """What it printed; it must have succeeded."""
        assert self.code == 0, f"{self.err}\n{self.out}"
        return self.out

    def refused(self, *words: str) -> str:
        """What it complained of; it must have failed, for this reason."""
        assert self.code != 0, self.out
        for word in words:
            assert word in self.err, self.err
        return self.err

    def column(self, number: int = 0) -> list[str]:
        """One column of the table that it printed, without the head."""
        return [line.split()[number] for line in self.ok().splitlines()[1:]]


@dataclass
class Following:
    """A kubectl that goes on printing."""

    lines: list[str] = field(default_factory=list)
    ended: bool = False
    """Whether it has said all."""

    def wait_for(self, *words: str, seconds: float = 8) -> None:
        """Wait for a line with all of these words in it."""
        wait_until(
            lambda: any(all(word in line.split() for word in words) for line in list(self.lines)),
            seconds,
        )


@dataclass
class Kubectl:
    """Runs kubectl."""

    binary: Path
    home: Path

    def __call__(
        self, user: Session, *arguments: str, stdin: str = "", namespace: str = ""
    ) -> Done:
        """Run a command to its end, as a user."""
        done = subprocess.run(
            self._command(user, namespace, arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=self._environment(),
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def follow(self, user: Session, *arguments: str, namespace: str = "") -> Iterator[Following]:
        """Run a command that does not end, for the length of a block."""
        following = Following()
        with subprocess.Popen(
            self._command(user, namespace, arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
        ) as process:
            reader = threading.Thread(target=_read, args=(process, following), daemon=True)
            reader.start()
            try:
                yield following
            finally:
                process.send_signal(signal.SIGKILL)
                reader.join(10)

    def _command(self, user: Session, namespace: str, arguments: tuple[str, ...]) -> list[str]:
        where = user.kubeconfig(self.home, namespace)
        return [str(self.binary), "--kubeconfig", str(where), *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "TMPDIR")}
        return {**kept, "HOME": str(self.home), "KUBECACHEDIR": str(self.home / "cache")}


def _read(process: "subprocess.Popen[str]", following: Following) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        following.lines.append(line.rstrip("\n"))
    following.ended = True
