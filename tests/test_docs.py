"""The manual says what is so: its made parts are up to date, and what it links to exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos.apis.namespaces import RESERVED_NAMESPACES, RESERVED_PREFIXES
from llmos.authentication.accounts import TokenLimits
from llmos.authentication.issuer import MAX_TOKENS
from llmos.authentication.limiter import FORGET_AFTER, LONGEST_WAIT
from llmos.authentication.passwords import MAX_LENGTH, MIN_LENGTH
from llmos.cli.members import ROLES
from llmos.cli.serve import serve
from llmos.endpoints.account import account_routes
from llmos.manifests import load
from manual import DOCS, PAGES

ROOT = DOCS.parent
DOCUMENTS = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", PAGES)
def test_made_parts_are_up_to_date(name):
    """Otherwise: PYTHONPATH=src:tests python tests/manual.py."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


def links(path: Path) -> Iterator[str]:
    """What a page links to within the repository."""
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target:
            yield target.partition("#")[0]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    """Every file and directory that a page links to exists."""
    missing = [each for each in links(path) if each and not (path.parent / each).exists()]
    assert missing == []


IMAGE_BYTES = 150_000


def test_every_picture_is_shown_and_small():
    """None that no page shows, and none that makes a clone slow; a link to none fails above."""
    shown = {(DOCS / each).resolve() for page in DOCS.glob("*.md") for each in links(page)}
    pictures = sorted((DOCS / "images").iterdir())
    assert pictures
    for each in pictures:
        assert each.resolve() in shown, each.name
        assert each.stat().st_size <= IMAGE_BYTES, each.name


def test_every_page_is_in_the_index():
    """Nobody has to know that a page exists."""
    listed = {(DOCS / each).resolve() for each in links(DOCS / "index.md")}
    pages = {each.resolve() for each in DOCS.rglob("*.md")} - {(DOCS / "index.md").resolve()}
    assert pages <= listed


def test_every_room_is_described():
    """A new directory in src/llmos is in the page about the rooms, and in the README's tree."""
    rooms = {each.parent.name for each in (ROOT / "src" / "llmos").glob("*/__init__.py")}
    architecture = (DOCS / "architecture.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for room in rooms:
        assert f"](../src/llmos/{room}/)" in architecture
        assert f"\n  {room}/ " in readme


def test_the_rules_of_imports_are_those_that_are_checked():
    """The picture of the layers is the contract of import-linter."""
    contract = re.search(r"layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)
    assert contract is not None
    layers = [each.replace("|", "│") for each in re.findall(r'"([a-z |]+)"', contract[1])]
    assert "\n".join(layers) in (DOCS / "architecture.md").read_text(encoding="utf-8")


def test_every_reserved_namespace_is_named():
    """Those and no others."""
    page = (DOCS / "tenancy.md").read_text(encoding="utf-8")
    named = page.partition("<!-- reserved -->")[2].partition("<!-- end -->")[0]
    assert set(re.findall(r"`([^`]+)`", named)) == RESERVED_NAMESPACES
    assert all(f"`{each}`" in page for each in RESERVED_PREFIXES)


def test_every_role_word_is_explained():
    """With the template that it stands for."""
    page = (DOCS / "tenancy.md").read_text(encoding="utf-8")
    for word, template in ROLES.items():
        assert f"| `{word}` | `{template}` |" in page


def test_the_numbers_of_accounts_are_those_of_the_code():
    """Lengths, lives and limits."""
    page = (DOCS / "accounts.md").read_text(encoding="utf-8")
    limits = TokenLimits()
    for text in (
        f"{MIN_LENGTH} to {MAX_LENGTH} characters",
        f"{limits.session / 3600:.0f} hours; {limits.must_change_session / 3600:.0f} hour while",
        f"at most {limits.longest / 86400:.0f} days",
        f"at most {MAX_TOKENS} of each kind",
        f"up to {LONGEST_WAIT:.0f} seconds",
    ):
        assert text in page
    assert (FORGET_AFTER, "Fifteen minutes without" in page) == (900, True)


def test_the_limits_of_sessions_are_those_that_are_shipped():
    """By their names and defaults."""
    page = (DOCS / "web.md").read_text(encoding="utf-8")
    table = page.partition("<!-- limits -->")[2].partition("<!-- end -->")[0]
    named = dict(re.findall(r"\| `([a-z-]+)` \| `([0-9a-z]+)` \|", table))
    assert named == {each["metadata"]["name"]: each["default"] for each in load("settings")}
    accounts = (DOCS / "accounts.md").read_text(encoding="utf-8")
    assert "12 hours without use, 7 days at most" in accounts


def test_every_account_path_is_listed():
    """Method and path of each operation below /auth."""
    page = (DOCS / "accounts.md").read_text(encoding="utf-8")
    for path, methods in account_routes().items():
        for method in methods:
            assert f"`{method} {path.replace('*', 'NAME')}`" in page


def test_the_readme_has_every_option_of_serve():
    """By their names on the command line."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for each in serve.params:
        assert f"`{each.opts[-1]}" in readme


NAME = re.compile(
    r'"((?:apiserver|workqueue|rest_client|leader_election|llmos)_[a-z_]+_(?:total|seconds|bytes|'
    r'requests|objects|depth|status|open|synced|rows|revision|writable|info)|workqueue_depth)"'
)


def test_every_metric_is_explained():
    """Each that the code tells of, and no other."""
    source = "".join(each.read_text() for each in (ROOT / "src" / "llmos").rglob("*.py"))
    page = (DOCS / "cluster.md").read_text(encoding="utf-8")
    table = page.partition("<!-- metrics -->")[2].partition("<!-- end -->")[0]
    told = {
        each
        for each in re.findall(r"`([a-z_]+)`", table)
        if each.count("_") > 1 or each == "workqueue_depth"
    }
    assert told == set(NAME.findall(source))
