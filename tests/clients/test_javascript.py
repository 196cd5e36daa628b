"""Everyday work with the JavaScript client, on which Lens and other desktop programs are built."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from clients.binaries import FETCH_SECONDS, cache
from llmos.testing.server import Server
from support.objects import config_map
from support.required import missing
from support.teams import Teams
from support.waiting import wait_until

pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.timeout(300)]
SOURCES = Path(__file__).parent / "javascript"
SECONDS = 30


def installed(node: str) -> Path:
    """The client's node_modules, installed if this is the first time."""
    manifest = (SOURCES / "package.json").read_bytes()
    kept = cache() / f"javascript-{hashlib.sha256(manifest).hexdigest()[:12]}"
    if kept.exists():
        return kept / "node_modules"
    npm = shutil.which("npm")
    if npm is None:
        missing("node", "there is no npm")
    cache().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=cache()))
    (folder / "package.json").write_bytes(manifest)
    options = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        [npm, "install", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=FETCH_SECONDS,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(folder)
        missing("node", f"the JavaScript client cannot be installed: {done.stderr}")
    # Whole or not at all, also where two runs do it at once.
    with suppress(OSError):
        folder.rename(kept)
    return kept / "node_modules"


@pytest.fixture
def scripts(tmp_path: Path) -> tuple[str, Path]:
    """Node, and a folder with the scripts in which they find the client."""
    node = shutil.which("node")
    if node is None:
        missing("node", "there is no node")
    folder = tmp_path / "scripts"
    shutil.copytree(SOURCES, folder)
    (folder / "node_modules").symlink_to(installed(node), target_is_directory=True)
    return node, folder


def test_work(scripts: tuple[str, Path], teams: Teams, tmp_path: Path) -> None:
    """Create, replace, patch, list, custom kinds, reviews; and how refusals look."""
    node, folder = scripts
    done = subprocess.run(
        [node, "work.mjs", str(teams.alice.kubeconfig(tmp_path)), teams.vision],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = {each["step"]: each["value"] for each in map(json.loads, done.stdout.splitlines())}
    assert said == {
        "create": {"x": "1"},
        "replace": {"x": "2"},
        "conflict": 409,
        "patch": {"x": "2", "y": "3"},
        "strategic": {"y": "3"},
        "list": ["a"],
        "missing": 404,
        "forbidden": 403,
        "custom": {"a": "b"},
        "everywhere": [teams.vision],
        "review": True,
        "gone": 404,
    }


@contextmanager
def informing(
    scripts: tuple[str, Path], kubeconfig: Path, namespace: str
) -> Iterator[list[dict[str, Any]]]:
    """What an informer says, for the length of a block."""
    node, folder = scripts
    said: list[dict[str, Any]] = []
    with subprocess.Popen(
        [node, "informer.mjs", str(kubeconfig), namespace],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:

        def read() -> None:
            assert process.stdout is not None
            said.extend(json.loads(line) for line in process.stdout)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield said
        finally:
            process.kill()
            reader.join(10)


def test_informer(scripts: tuple[str, Path], tmp_path: Path) -> None:
    """An informer hears of everything, also of what happened while the server was away."""
    server = Server(tmp_path)
    server.start()
    path = "/api/v1/namespaces/default/configmaps"

    def labelled(name: str, **data: str) -> dict[str, Any]:
        made = config_map(name, **data)
        made["metadata"]["labels"] = {"of": "js"}
        return made

    def heard(kind: str, name: str) -> bool:
        return any(each["kind"] == kind and each.get("name") == name for each in list(said))

    try:
        server.request("POST", path, labelled("first"))
        with informing(scripts, server.kubeconfig, "default") as said:
            wait_until(lambda: heard("add", "first"), SECONDS)
            server.request("POST", path, labelled("second", x="1"))
            wait_until(lambda: heard("add", "second"), 10)
            server.request("PUT", f"{path}/second", labelled("second", x="2"))
            wait_until(lambda: heard("update", "second"), 10)
            server.request("DELETE", f"{path}/second")
            wait_until(lambda: heard("delete", "second"), 10)
            server.restart()
            server.request("DELETE", f"{path}/first")
            server.request("POST", path, labelled("third"))
            wait_until(lambda: heard("add", "third") and heard("delete", "first"), SECONDS)
            server.request("POST", path, config_map("other"))
        assert not heard("add", "other")
    finally:
        server.stop()
