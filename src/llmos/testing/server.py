"""A server in a process of its own, with everything that it keeps in one folder.

Only the standard library is imported here: pytest loads this in every run.
"""

import base64
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_SECONDS = 30.0
STOP_SECONDS = 15.0
_POLL_SECONDS = 0.005
_GREETING = "llmos serves at "


class ServerError(Exception):
    """A server does not start, or refuses a request.

    Attributes:
        status: the code of the answer; 0: there was none.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def _secret() -> str:
    return secrets.token_urlsafe(24)


@dataclass
class Server:
    """An embedded API server for tests.

    Whoever holds ``token`` is in ``system:masters`` and may do everything, as the administrator of
    a cluster made by kind or envtest may.
    """

    directory: Path
    """Holds the data, the log and the kubeconfig."""
    url: str = ""
    token: str = field(default_factory=_secret, repr=False)
    admin_password: str = field(default_factory=_secret, repr=False)
    """The password of the user ``admin``, for what signs in as llmos users do."""
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with the token in it."""
        return self.directory / "kubeconfig"

    @property
    def ca(self) -> Path:
        """The certificate authority of the server (PEM)."""
        return self.directory / "data" / "tls" / "ca.crt"

    @property
    def log(self) -> Path:
        """What the server says on stderr."""
        return self.directory / "server.log"

    @property
    def pid(self) -> int:
        """The process; 0: it does not run."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the server and wait until it is ready.

        Raises:
            ServerError: it is not ready in time, or ends at once.
        """
        port = urlsplit(self.url).port if self.url else 0
        tokens = self.directory / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f'{self.token},kubernetes-admin,,"system:masters"\n')
        command = [sys.executable, "-m", "llmos", "serve", "--port", str(port)]
        command += ["--data-dir", str(self.directory / "data"), "--token-auth-file", str(tokens)]
        greeting = self.directory / "server.out"
        with greeting.open("wb") as output, self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env={**os.environ, "LLMOS_ADMIN_PASSWORD": self.admin_password},
            )
        try:
            self.url = self._wait_ready(greeting)
        except BaseException:
            self.kill()
            raise
        self._write_kubeconfig()

    def stop(self) -> None:
        """Stop the server, as an operator would; its data stays."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End the server at once, as a crash would; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop the server and start it again, at the same address and with its data."""
        self.stop()
        self.start()

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request with the token; the answer's JSON comes back.

        Raises:
            ServerError: it is refused.
        """
        where = urlsplit(self.url)
        connection = HTTPSConnection(where.hostname or "", where.port, context=self._trust)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            text = f"{method} {path}: {answer.status} {said.decode(errors='replace')}"
            raise ServerError(text, answer.status)
        return json.loads(said)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)

    def _wait_ready(self, greeting: Path) -> str:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            line, newline, _ = greeting.read_text().partition("\n")
            if newline and line.startswith(_GREETING):
                return line.removeprefix(_GREETING)
            if self._process.poll() is not None:
                raise ServerError(f"llmos does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(_POLL_SECONDS)
        raise ServerError(f"llmos is not ready after {START_SECONDS:.0f} seconds")

    def _write_kubeconfig(self) -> None:
        authority = base64.b64encode(self.ca.read_bytes()).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "llmos",
            "clusters": [{"name": "llmos", "cluster": cluster}],
            "contexts": [{"name": "llmos", "context": {"cluster": "llmos", "user": "admin"}}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(document, indent=2))
