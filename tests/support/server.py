"""A real server in a process of its own, for tests that speak to it as users do."""

import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ADMIN_PASSWORD = "correct-horse-battery"
STATIC_TOKENS = 'admintoken,admin,admin-uid,"system:masters"\nalicetoken,alice,alice-uid,"devs"\n'
START_SECONDS = 30
_URL = re.compile(r"https://[^\s,]+")


@dataclass
class RunningServer:
    """Where a server is, and how to stop it."""

    data_dir: Path
    url: str
    process: subprocess.Popen[bytes]
    arguments: list[str]
    output: Path
    """What it says on stdout."""
    log: Path
    """What it says on stderr."""

    @property
    def ca_file(self) -> Path:
        return self.data_dir / "tls" / "ca.crt"

    @property
    def kubeconfig(self) -> Path:
        return self.data_dir / "admin.kubeconfig"

    def client(self, token: str = "", **options) -> httpx.Client:
        """A plain HTTP client that trusts the server."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
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
    data_dir: Path,
    *options: str,
    port: int = 0,
    static: bool = True,
    password: str = ADMIN_PASSWORD,
) -> RunningServer:
    """Start a server, on a free port unless one is given, and wait until it is ready.

    Without a password the user admin gets a one-time password.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    arguments = ["--data-dir", str(data_dir / "data"), "--port", str(port), *options]
    if static:
        tokens = data_dir / "tokens.csv"
        tokens.write_text(STATIC_TOKENS)
        arguments += ["--token-auth-file", str(tokens)]
    return launch(data_dir, "serve", *arguments, password=password)


def launch(
    directory: Path, *command: str, password: str = ADMIN_PASSWORD, **environ: str
) -> RunningServer:
    """Start a command of llmos that serves, and wait until it is ready."""
    arguments = [sys.executable, "-m", "llmos", *command]
    output, log = directory / "server.out", directory / "server.log"
    with output.open("wb") as out, log.open("ab") as err:
        process = subprocess.Popen(
            arguments,
            stdout=out,
            stderr=err,
            env={
                **os.environ,
                "LLMOS_ADMIN_PASSWORD": password,
                "PYTHONUNBUFFERED": "1",
                **environ,
            },
        )
    try:
        url = _wait_ready(process, output, log)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return RunningServer(directory / "data", url, process, arguments, output, log)


def _wait_ready(process: "subprocess.Popen[bytes]", output: Path, log: Path) -> str:
    """The URL that the server says once it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        said = output.read_text()
        if "\n" in said and (found := _URL.search(said)):
            return found[0]
        assert process.poll() is None, f"the server ended: {said}{log.read_text()}"
        time.sleep(0.01)
    raise AssertionError(f"the server does not start: {log.read_text()}")


@contextmanager
def running_server(data_dir: Path, *options: str, **more) -> Iterator[RunningServer]:
    """A server for the length of a block."""
    server = start_server(data_dir, *options, **more)
    try:
        yield server
    finally:
        server.stop()
