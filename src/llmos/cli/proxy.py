"""``llmos proxy``: the same product before a real Kubernetes cluster, in the foreground."""

import logging
import os
from dataclasses import dataclass, replace
from typing import Any

import click

from llmos.cli import leading
from llmos.cli.failures import Failure, failures
from llmos.cli.fingerprint import fingerprint
from llmos.cli.listening import listening_options, start_failures
from llmos.cli.logs import log_to_stderr
from llmos.cli.options import examples, server_options
from llmos.cli.session import Session, pass_session
from llmos.client.config import Config
from llmos.client.credentials import Program
from llmos.client.incluster import in_cluster_config
from llmos.client.kubeconfig import KubeconfigError
from llmos.proxy.config import DEFAULT_PORT, ProxyConfig
from llmos.proxy.run import Started, run

_LOG = logging.getLogger("llmos.proxy")


@click.command(
    epilog=examples(
        "llmos proxy --kubeconfig proxy.kubeconfig",
        "llmos proxy --host 0.0.0.0 --tls-cert tls.crt --tls-key tls.key",
    )
)
@listening_options(DEFAULT_PORT)
@click.option(
    "--tls-name",
    "names",
    multiple=True,
    metavar="NAME",
    help="A name that clients use, for a certificate by the platform's own authority.",
)
@click.option(
    "--no-controllers",
    "controllers",
    flag_value=False,
    default=True,
    help="Do not stand for election: other replicas run the controllers.",
)
@server_options
@pass_session
def proxy(session: Session, *, verbose: bool, **options: Any) -> None:
    """Start the proxy: llmos before a real Kubernetes cluster.

    "llmos install" comes first: it puts the platform's content into the cluster, with the
    ServiceAccount llmos-proxy in llmos-system, under which the proxy works. In a pod of that
    account no kubeconfig is needed. The proxy keeps nothing: any number of replicas may run, and
    one of them at a time runs the controllers.

    Results go to stdout, the log to stderr. Ctrl-C or SIGTERM stops the proxy.
    """
    log_to_stderr(verbose=verbose)
    upstreams = Upstreams(session)
    upstreams.read()
    config = ProxyConfig(upstreams, **options)
    with start_failures(config), failures():
        run(config, say, _work)
    click.echo("llmos has stopped.", err=True)


@dataclass(slots=True)
class Upstreams:
    """Reads where the cluster is, and who we are there, again and again.

    What a program gave holds until its end, and is asked for anew when the cluster refuses it.
    """

    session: Session
    _program: Program | None = None

    def __call__(self, anew: bool) -> Config:
        """Read it while the proxy serves.

        Raises:
            KubeconfigError: it cannot be read.
        """
        try:
            return self.read(anew=anew)
        except Failure as error:
            raise KubeconfigError(error.message) from error

    def read(self, *, anew: bool = False) -> Config:
        """The cluster of the kubeconfig that was named, else the one that we run in.

        Raises:
            Failure: there is none, or it cannot be read.
        """
        with failures():
            if self.session.kubeconfig is None and not self.session.context:
                found = in_cluster_config(os.environ)
                if found is not None:
                    return found
            login = self.session.login()
            if isinstance(login.source, Program):
                login = replace(login, source=self._kept(login.source, anew))
            return login.config()

    def _kept(self, program: Program, anew: bool) -> Program:
        if self._program is None or self._program != program or anew:
            self._program = program
        return self._program


async def _work(started: Started) -> None:
    def leads(yes: bool) -> None:
        _LOG.info("this replica %s the controllers", "runs" if yes else "does not run")

    await leading.run(started.upstream, leads, started.metrics)


def say(started: Started) -> None:
    """Tell whoever started the proxy where it is and what to try next."""
    lines = [
        f"llmos serves at {started.url}, before the cluster {started.upstream.server}",
        f"  certificate authority: SHA-256 {fingerprint(started.ca_pem)}",
        "Try next, in another terminal:",
        f"  llmos login {started.url} --username admin",
    ]
    click.echo("\n".join(lines))
