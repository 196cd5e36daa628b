"""Builds the web page of ``web/`` into the package, with Node from PyPI.

Nothing is done where nothing that it is made of has changed since. ``python -m building.page``
makes it by hand. npm gets what ``web/package-lock.json`` names from its registry, and runs no
scripts of it.
"""

import gzip
import shutil
from hashlib import sha256
from pathlib import Path

from building.npm import ROOT, SOURCE, STAMP, BuildError, install, npm

SITE = ROOT / "src" / "llmos" / "web" / "site"
INDEX = "index.html"
_NOT_SOURCES = frozenset({"node_modules", "dist", "coverage", "screenshots", "test-results"})
_COMPRESSED = frozenset({".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest"})
_WORTH_COMPRESSING = 1024


def build_page(source: Path = SOURCE, site: Path = SITE, *, tools: bool = False) -> bool:
    """Build the page, unless it is there already; says whether it was built.

    With the tools that check and test it, where whoever builds it works on it too.

    Raises:
        BuildError: Node or npm cannot do it.
    """
    digest = made_from(source)
    stamp = site.with_name(f"{site.name}{STAMP}")
    if (site / INDEX).is_file() and stamp.is_file() and stamp.read_text() == digest:
        return False
    install(source, tools=tools)
    npm(source, "run", "build")
    _put(source / "dist", site)
    stamp.write_text(digest)
    return True


def made_from(source: Path) -> str:
    """What tells whether the page would come out the same: a digest of all that it is made of."""
    found = sha256(Path(__file__).read_bytes())
    for path in sorted(_sources(source)):
        found.update(f"\0{path.relative_to(source)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def _sources(folder: Path) -> list[Path]:
    files = []
    for each in folder.iterdir():
        if each.is_file():
            files.append(each)
        elif each.is_dir() and each.name not in _NOT_SOURCES and not each.name.startswith("."):
            files += _sources(each)
    return files


def _put(built: Path, site: Path) -> None:
    """Put the built files in the place of the old ones, with a compressed form of each."""
    if not (built / INDEX).is_file():
        raise BuildError(f"npm run build made no {built / INDEX}")
    new = site.with_name(f"{site.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(built, new)
    for each in sorted(new.rglob("*")):
        if each.suffix in _COMPRESSED and each.stat().st_size >= _WORTH_COMPRESSING:
            data = gzip.compress(each.read_bytes(), 9, mtime=0)
            each.with_name(f"{each.name}.gz").write_bytes(data)
    shutil.rmtree(site, ignore_errors=True)
    new.rename(site)


if __name__ == "__main__":
    print("built" if build_page() else "is there already")
