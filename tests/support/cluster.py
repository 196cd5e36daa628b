"""Engine 2: a real control plane, llmos installed into it, and proxies before it.

Between the proxies and the cluster stands a recorder, which every test may ask what went upstream.
The proxies hold what they hold in production: a token of the ServiceAccount ``llmos-proxy``.
"""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.engine import Engine
from support.etcd import Etcd
from support.recorder import Recorder
from support.running import RunningEngine
from support.server import ADMIN_PASSWORD, RunningServer, launch
from support.session import Session
from support.waiting import wait_until

ACCOUNT = "/api/v1/namespaces/llmos-system/serviceaccounts/llmos-proxy/token"
TOKEN_SECONDS = 24 * 3600
INSTALL_SECONDS = 60
READY_SECONDS = 30


@dataclass
class Cluster:
    """A control plane with llmos in it."""

    plane: ControlPlane
    recorder: Recorder
    operator: Session
    """Who holds the cluster's own credentials, and goes past the proxies."""
    proxies: list[RunningServer] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def add_proxy(self, *options: str, name: str = "", ahead: float = 0) -> RunningServer:
        """One more replica, ready, with a clock so many seconds ahead; it ends with the cluster."""
        started = self.start_proxy(*options, name=name, ahead=ahead)
        with started.client() as client:
            wait_until(lambda: client.get("/readyz").status_code == 200, READY_SECONDS)
        return started

    def start_proxy(
        self, *options: str, name: str = "", upstream: str = "", ahead: float = 0
    ) -> RunningServer:
        """One more replica, which listens and may never be ready: ``upstream`` need not answer."""
        directory = self.plane.directory / (name or f"proxy-{next(self._numbers)}")
        (directory / "data").mkdir(parents=True)
        (directory / "data" / "tls").symlink_to(self.plane.directory)
        kubeconfig = self._kubeconfig(directory, upstream or self.recorder.url)
        tls = self.plane.directory
        started = launch(
            directory,
            "proxy",
            "--kubeconfig", str(kubeconfig),
            "--port", "0",
            "--tls-cert", str(tls / "tls.crt"),
            "--tls-key", str(tls / "tls.key"),
            "--verbose",
            *options,
            **_clock_ahead(directory, ahead),
        )  # fmt: skip
        self.proxies.append(started)
        return started

    def end_proxy(self, proxy: RunningServer, number: int = signal.SIGKILL) -> None:
        """End a replica, as a machine that fails does unless a kinder signal is named."""
        proxy.stop(number)
        self.proxies.remove(proxy)

    def proxy_token(self) -> str:
        """A new token of the account under which the proxies work."""
        body = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        answer = self.operator.create(ACCOUNT, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["status"]["token"])

    def _kubeconfig(self, directory: Path, url: str) -> Path:
        """Credentials of the least rights, and an address that is the recorder's."""
        upstream = Engine(url, self.plane.ca_file, "")
        return Session("llmos-proxy", self.proxy_token(), upstream).kubeconfig(directory)

    def engine(self, proxy: RunningServer) -> RunningEngine:
        """What a test of both engines knows of this one."""
        return RunningEngine(
            proxy.url,
            self.plane.ca_file,
            ADMIN_PASSWORD,
            name="cluster",
            process=psutil.Process(proxy.process.pid),
            log=proxy.log,
            operator=self.operator.http,
            upstream=self.recorder.log,
            store=Etcd(self.plane.directory / "etcd:0"),
            data_dir=self.plane.directory / "etcd.data",
        )


def _clock_ahead(directory: Path, seconds: float) -> dict[str, str]:
    """The environment of a process whose clock on the wall goes wrong, and only that one."""
    if not seconds:
        return {}
    (directory / "sitecustomize.py").write_text(
        f"import time\n_real = time.time\ntime.time = lambda: _real() + {seconds}\n"
    )
    return {"PYTHONPATH": str(directory)}


def install(plane: ControlPlane) -> None:
    """Put the platform's content into the cluster, as its operator does."""
    command = ("install", "--kubeconfig", str(plane.kubeconfig))
    done = subprocess.run(
        [sys.executable, "-m", "llmos", *command],
        env={**os.environ, "LLMOS_ADMIN_PASSWORD": ADMIN_PASSWORD},
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


@contextmanager
def running_cluster(directory: Path, *options: str) -> Iterator[Cluster]:
    """A cluster with one proxy, which takes the options, for the length of a block."""
    with ExitStack() as stack:
        plane = stack.enter_context(control_plane(directory, controllers=True))
        install(plane)
        recorder = Recorder(plane.url, plane.directory)
        stack.enter_context(recorder.running())
        operator = plane.session("operator", ADMIN_TOKEN)
        stack.callback(operator.close)
        cluster = Cluster(plane, recorder, operator)
        try:
            cluster.add_proxy(*options)
            yield cluster
        finally:
            for each in list(cluster.proxies):
                each.stop()
