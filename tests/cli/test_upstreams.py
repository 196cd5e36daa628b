"""Where the proxy's cluster is, read again and again; what a program gave is kept."""

import json
from pathlib import Path

import pytest
import yaml

from llmos.cli.proxy import Upstreams
from llmos.cli.session import Session, World
from llmos.client.kubeconfig import KubeconfigError

V1 = "client.authentication.k8s.io/v1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A kubeconfig whose user is known by a program, which counts."""
    status = {"token": "secret"}
    body = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})
    program = tmp_path / "credential"
    program.write_text(f"#!/bin/sh\necho '{body}'; echo x >> {tmp_path}/runs\n")
    program.chmod(0o755)
    kubeconfig = tmp_path / "config"
    write(kubeconfig, "https://one", program)
    return kubeconfig


def write(path: Path, server: str, program: Path, *arguments: str) -> None:
    """The kubeconfig."""
    spec = {"apiVersion": V1, "command": str(program), "args": list(arguments)}
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"exec": spec}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(document))


def runs(path: Path) -> int:
    """How often the program ran."""
    return len((path.parent / "runs").read_text().split())


def test_a_program_runs_once(path: Path) -> None:
    """However often it is read, also where the file was written again."""
    upstreams = Upstreams(Session(path, "", World()))
    assert upstreams.read().bearer() == "secret"
    for _ in range(5):
        assert upstreams(False).bearer() == "secret"
    write(path, "https://one", path.parent / "credential")
    assert upstreams(False).bearer() == "secret"
    assert runs(path) == 1


def test_a_program_runs_again_when_it_has_to(path: Path) -> None:
    """When the cluster refused what it gave, and when it is another one."""
    upstreams = Upstreams(Session(path, "", World()))
    upstreams.read()
    upstreams(True).bearer()
    assert runs(path) == 2
    upstreams(False).bearer()
    assert runs(path) == 2
    write(path, "https://one", path.parent / "credential", "--other")
    upstreams(False).bearer()
    assert runs(path) == 3


@pytest.mark.parametrize("text", ["", "{", "{}"])
def test_what_cannot_be_read_while_it_serves_is_an_error_to_live_with(
    path: Path, text: str
) -> None:
    """No end of the command: the file may be in the middle of being written."""
    upstreams = Upstreams(Session(path, "", World()))
    upstreams.read()
    path.write_text(text)
    with pytest.raises(KubeconfigError):
        upstreams(False)
