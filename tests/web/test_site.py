"""The built page, as the package holds it."""

from pathlib import Path

import pytest

from llmos.web import File, load_site, media_type


def test_files_are_read_with_their_compressed_form(tmp_path: Path) -> None:
    """By their path; what is compressed is no file of its own, and hidden ones are none."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(b"<p>")
    (tmp_path / "assets" / "a-1.js").write_bytes(b"let a")
    (tmp_path / "assets" / "a-1.js.gz").write_bytes(b"zip")
    (tmp_path / ".hidden").write_bytes(b"x")
    assert load_site(tmp_path) == {
        "index.html": File(b"<p>", "text/html; charset=utf-8"),
        "assets/a-1.js": File(b"let a", "text/javascript; charset=utf-8", b"zip"),
    }


def test_a_package_without_the_page_has_no_files(tmp_path: Path) -> None:
    """That is no error: the API works without it."""
    assert load_site(tmp_path / "site") == {}


def test_this_package_has_the_page() -> None:
    """The installation of these tests built it."""
    site = load_site()
    assert site["index.html"].media_type == "text/html; charset=utf-8"
    unknown = {path for path, each in site.items() if each.media_type.endswith("octet-stream")}
    assert not unknown, "files whose type no browser is told"


@pytest.mark.parametrize("path", ["a", "a.exe", "assets/x.html.map", ".css/x"])
def test_an_unknown_type_is_no_page(path: str) -> None:
    """Nobody runs it or shows it."""
    assert media_type(path) == "application/octet-stream"


PAGE_BYTES = 400_000
"""What all of the page may weigh as it is sent, but for the YAML editor, which is loaded when it
is opened."""


def test_the_page_is_light() -> None:
    """Scripts and styles of all pages together, in both languages, compressed."""
    parts = {path: each for path, each in load_site().items() if path.endswith((".js", ".css"))}
    editor = [path for path in parts if path.startswith("assets/Editor-")]
    assert editor, "the editor is no part of its own any more"
    sent = [
        len(each.compressed or each.body) for path, each in parts.items() if path not in set(editor)
    ]
    assert sum(sent) <= PAGE_BYTES
