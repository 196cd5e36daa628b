"""The commands that the manual shows exist, with their options; those of the walk are walked."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest
import yaml

from llmos.cli import command
from support.cluster import Cluster
from support.kubectl import find_kubectl
from support.required import missing
from support.server import ADMIN_PASSWORD

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("charts/*/README.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
WALK = re.compile(r"<!-- walk: (\w+) -->\n```\n(.*?)```\n<!-- end -->", re.DOTALL)
CLUSTER = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
ALICE = "alices-own-password"


def shown(program: str) -> Iterator[tuple[str, list[str]]]:
    """Every call of a program in a block of a page, and on which page."""
    for page in PAGES:
        for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            if language not in ("", "sh"):
                continue
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith(f"{program} "):
                    yield page.name, shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize(
    ("page", "arguments"), list(shown("llmos")), ids=lambda each: str(each)[:60]
)
def test_the_command_takes_it(
    page: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verb and options are read without a complaint; nothing is done."""
    (tmp_path / "llmos-data").mkdir()
    monkeypatch.chdir(tmp_path)
    group: click.Command = command
    context = command.make_context("llmos", list(arguments))
    rest = list(arguments)
    while isinstance(group, click.Group):
        assert rest, f"{page}: {arguments} names no verb"
        verb, rest = rest[0], rest[1:]
        found = group.get_command(context, verb)
        assert found is not None, f"{page}: there is no llmos {verb}"
        group = found
    group.make_context(group.name, rest, parent=context)


def test_values_of_the_chart_exist() -> None:
    """What is set on the command line of helm, and what the manual names."""
    values = yaml.safe_load((ROOT / "charts" / "llmos" / "values.yaml").read_text())
    named = set(re.findall(r"`((?:tls|ingress|networkPolicy|image|service)\.[\w.]+)`", CLUSTER))
    for _, arguments in shown("helm"):
        for flag, value in pairwise(arguments):
            if flag == "--set":
                named.add(value.partition("=")[0])
    assert len(named) > 5
    for each in named:
        found = values
        for key in each.split("."):
            assert isinstance(found, dict), each
            assert key in found, each
            found = found[key]


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.cluster
def test_the_first_namespace(cluster: Cluster, tmp_path: Path) -> None:
    """The commands of the page, as admin and as alice, before a real cluster."""
    kubectl = find_kubectl()
    if kubectl is None:
        missing("kubectl", "there is no kubectl")
    proxy = cluster.proxies[0]
    programs = f"{kubectl.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"

    def run(name: str, script: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["bash", "-euc", script],
            input=stdin,
            env={"PATH": programs, "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / name)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    trust = f"--certificate-authority {cluster.plane.ca_file} --password-stdin"
    login = f"llmos login {proxy.url} {trust} --username "
    walk = dict(WALK.findall(CLUSTER))
    assert list(walk) == ["admin", "alice"]
    run("admin", login + "admin", ADMIN_PASSWORD)
    said = run("admin", walk["admin"])
    assert re.search(r"alice +owner|owner", said)
    one_time = re.search(r"\b(?:[a-z0-9]{5}-){3}[a-z0-9]{5}\b", said)
    assert one_time is not None
    with proxy.client() as client:
        body = {"username": "alice", "password": one_time[0], "newPassword": ALICE}
        assert client.post("/auth/login", json=body).status_code == 200
    run("alice", login + "alice", ALICE)
    said = run("alice", walk["alice"])
    assert {"team-vision", "llmos-public"} <= set(said.split())
    assert "kube-system" not in said
    found = json.loads(run("alice", "kubectl -n team-vision get deployments -o json"))
    assert [each["metadata"]["name"] for each in found["items"]] == ["hello"]
