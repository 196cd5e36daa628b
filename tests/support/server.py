"""A real server in a process of its own, for tests that speak to it as users do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ADMIN_PASSWORD = "correct-horse-battery"
STATIC_TOKENS = 'admintoken,admin,admin-uid,"system:masters"\nalicetoken,alice,alice-uid,"devs"\n'
START_SECONDS = 30


@dataclass
class RunningServer:
    """Where a server is, and how to stop it."""

    data_dir: Path
    url: str
    process: subprocess.Popen[str]
    arguments: list[str] = field(default_factory=list)
    output: str = ""

    @property
    def ca_file(self) -> Path:
        return self.data_dir / "tls" / "ca.crt"

    @property
    def kubeconfig(self) -> Path:
        return self.data_dir / "admin.kubeconfig"

    def client(self, token: str = "", **options) -> httpx.Client:
        """A plain HTTP client that trusts the server."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        import ssl

        context = ssl.create_default_context(cafile=str(self.ca_file))
        return httpx.Client(
            base_url=self.url, headers=headers, verify=context, timeout=30, **options
        )

    def login(self, username: str, password: str) -> str:
        """A session token."""
        with self.client() as client:
            answer = client.post("/auth/login", json={"username": username, "password": password})
            assert answer.status_code == 200, answer.text
            return str(answer.json()["token"])

    def stop(self, number: int = signal.SIGTERM, wait: float = 15) -> int:
        """End it with a signal; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(wait)


def start_server(
    data_dir: Path, *options: str, port: int = 0, static: bool = True
) -> RunningServer:
    """Start a server on a free port and wait until it is ready."""
    arguments = [
        sys.executable, "-m", "llmos", "serve",
        "--data-dir", str(data_dir / "data"),
        "--port", str(port),
        *options,
    ]  # fmt: skip
    if static:
        tokens = data_dir / "tokens.csv"
        tokens.write_text(STATIC_TOKENS)
        arguments += ["--token-auth-file", str(tokens)]
    log = (data_dir / "server.log").open("a")
    process = subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "LLMOS_ADMIN_PASSWORD": ADMIN_PASSWORD},
    )
    log.close()
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    said = []
    for line in process.stdout:
        said.append(line)
        if "https://" in line:
            url = line[line.index("https://") :].split()[0]
            break
        assert time.monotonic() < deadline, "the server does not start"
    else:
        raise AssertionError(
            f"the server ended: {''.join(said)}{(data_dir / 'server.log').read_text()}"
        )
    return RunningServer(data_dir / "data", url, process, arguments, "".join(said))


@contextmanager
def running_server(data_dir: Path, *options: str, **more) -> Iterator[RunningServer]:
    """A server for the length of a block."""
    server = start_server(data_dir, *options, **more)
    try:
        yield server
    finally:
        server.stop()
        assert server.process.stdout is not None
        server.process.stdout.close()
