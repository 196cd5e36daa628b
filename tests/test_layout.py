"""The tree keeps its own rules: size, docstrings, nothing of the machine it was written on."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MAX_LINES = 400
FOREIGN = re.compile(
    "|".join(
        (
            # Jupyter's images, and nobody's machine, have a user jovyan.
            r"(?<![\w./])/(?:home(?!/jovyan\b)|Users|work|mnt)/[a-z]",
            r"--(?:extra-)?index-url|[a-z]+://[^\s\"'/]*(?:artifactory|nexus|devpi)",
            r"\b(?:TODO|FIXME|XXX)\b",
        )
    )
)
"""Paths of somebody's machine, addresses of registries, and promises."""
WAIVER = re.compile(r"# (?:noqa|type: ignore)")
REASON = re.compile(r"# noqa: [A-Z]+\d+ - \w|# type: ignore\[[a-z-]+\]  # \w")


def tracked() -> list[Path]:
    """The files of the repository, new ones included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git repository")
    return [ROOT / each for each in listed.stdout.splitlines() if (ROOT / each).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_module_is_small_and_says_what_it_is(path):
    """At most 400 lines, with a docstring on top."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(text))


def test_every_test_says_what_must_hold():
    """Each test function has a docstring."""
    silent = [
        f"{path.name}: {node.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_waiver_gives_its_reason():
    """What a check is told to overlook is told beside it, with why."""
    found = []
    for path in tracked():
        if path.suffix != ".py" or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if WAIVER.search(line) and not REASON.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []


def test_the_tree_speaks_of_no_machine():
    """No path of somebody's home, no registry, nothing left for later."""
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in FOREIGN.finditer(text)]
    assert found == []


def test_rooms_and_tests_mirror_each_other():
    """Each room has a directory of tests under its name."""
    rooms = {each.parent.name for each in (ROOT / "src" / "llmos").glob("*/__init__.py")}
    tested = {each.name for each in (ROOT / "tests").iterdir() if each.is_dir()}
    assert rooms - {"testing"} <= tested
