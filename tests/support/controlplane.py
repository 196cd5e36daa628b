"""A real control plane of its own: etcd, kube-apiserver and, where asked for, its controllers.

Everything is fresh, on loopback, and lives in one directory; the tokens are those of
``running_server``, so that the same tests can speak to both.
"""

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from llmos.authentication.certificates import ensure_certificates
from support.controlplane_binaries import find_binaries
from support.engine import Engine
from support.required import missing
from support.server import STATIC_TOKENS
from support.session import Session

START_SECONDS = 30
STOP_SECONDS = 10
ADMIN_TOKEN, ALICE_TOKEN = "admintoken", "alicetoken"
_ETCD = "unix://etcd:0"
"""A socket in the directory that both run in: short whatever the directory, and no port."""


@dataclass
class ControlPlane(Engine):
    """A running control plane."""

    directory: Path
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict, repr=False)
    """By name, in the order of their start."""
    commands: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of the administrator."""
        return self.session("admin", ADMIN_TOKEN).kubeconfig(self.directory)

    def session(self, name: str, token: str) -> Session:
        """Somebody who has a token."""
        return Session(name, token, self)

    def pid(self, name: str) -> int:
        """The process id of a program, for measuring it."""
        return self.processes[name].pid

    def log(self, name: str) -> Path:
        """What a program says."""
        return self.directory / f"{name}.log"

    def start(self, binaries: Path, name: str, *options: str) -> None:
        """Start a program in the directory."""
        self.commands[name] = [str(binaries / name), *options]
        self.start_again(name)

    def start_again(self, name: str) -> None:
        """Start a program as it was started before."""
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End the programs, the last one first."""
        for process in reversed(self.processes.values()):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait_for(self, path: str, deadline: float) -> None:
        """Wait until the administrator is answered 200."""
        with self.client(ADMIN_TOKEN) as client:
            while True:
                try:
                    said = client.get(path)
                    if said.status_code == 200:
                        return
                    last = said.text
                except httpx.TransportError as error:
                    last = repr(error)
                for name, process in self.processes.items():
                    assert process.poll() is None, f"{name} ended: {self._end_of_log(name)}"
                late = f"no {path} within {START_SECONDS} s: {last}"
                assert time.monotonic() < deadline, late
                time.sleep(0.05)

    def _end_of_log(self, name: str) -> str:
        return self.log(name).read_text(errors="replace")[-4000:]


@contextmanager
def control_plane(
    directory: Path,
    *apiserver_options: str,
    controllers: bool = False,
    etcd_options: tuple[str, ...] = (),
) -> Iterator[ControlPlane]:
    """A control plane for the length of a block; options come after ours, and so go before them.

    Skips the test where the programs are not there, or fails it where ``cluster`` is required.
    """
    names = ("etcd", "kube-apiserver", *(["kube-controller-manager"] if controllers else []))
    binaries = find_binaries(*names)
    if binaries is None:
        missing("cluster", "there is no control plane; make cluster-tools builds one")
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    controller_token = _write_credentials(directory)
    deadline = time.monotonic() + START_SECONDS
    with ExitStack() as stack:
        port = stack.enter_context(_reserved_port())
        url = f"https://127.0.0.1:{port}"
        running = ControlPlane(url, directory / "ca.crt", "", directory)
        stack.callback(running.stop)
        running.start(binaries, "etcd", *_etcd_options(), *etcd_options)
        running.start(binaries, "kube-apiserver", *_apiserver_options(port), *apiserver_options)
        running.wait_for("/readyz", deadline)
        running.wait_for("/api/v1/namespaces/default", deadline)
        if controllers:
            manager = running.session("kube-controller-manager", controller_token)
            config = manager.kubeconfig(directory)
            running.start(binaries, "kube-controller-manager", *_controller_options(config))
            running.wait_for("/api/v1/namespaces/default/serviceaccounts/default", deadline)
        yield running


def _write_credentials(directory: Path) -> str:
    """Certificates, the key of service accounts and the token file; the controllers' token."""
    ensure_certificates(directory, (), time.time)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (directory / "service-accounts.key").write_bytes(key)
    token = secrets.token_hex(16)
    who = "system:kube-controller-manager"
    (directory / "tokens.csv").write_text(f"{STATIC_TOKENS}{token},{who},{who}\n")
    return token


@contextmanager
def _reserved_port() -> Iterator[int]:
    """A port for a server that allows others on it: nobody else is given it for that long."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def _etcd_options() -> list[str]:
    return [
        "--data-dir=etcd.data",
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        "--listen-peer-urls=unix://peer:0",
        "--initial-advertise-peer-urls=unix://peer:0",
        "--initial-cluster=default=unix://peer:0",
        "--log-level=warn",
    ]


def _apiserver_options(port: int) -> list[str]:
    """Kubernetes' defaults, but for what a machine without a network needs."""
    return [
        f"--etcd-servers={_ETCD}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--permit-port-sharing",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--allow-privileged",
        "--authorization-mode=RBAC",
        "--token-auth-file=tokens.csv",
        "--client-ca-file=ca.crt",
        "--tls-cert-file=tls.crt",
        "--tls-private-key-file=tls.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=service-accounts.key",
        "--service-account-signing-key-file=service-accounts.key",
    ]


def _controller_options(kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials",
        # Each of dozens of controllers asks for a token first; the default makes them wait for it.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        # What a quota counts of kinds that are new is seen then; the default is five minutes.
        "--resource-quota-sync-period=5s",
        "--service-account-private-key-file=service-accounts.key",
        "--root-ca-file=ca.crt",
        "--cluster-signing-cert-file=ca.crt",
        "--cluster-signing-key-file=ca.key",
    ]
