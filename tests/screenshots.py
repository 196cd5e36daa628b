"""``make screenshots``: a picture of every page, wide and narrow, in light and in dark.

They come into ``screenshots/``, which git ignores. ``--only NAME,…`` makes some of them, ``--as``
says in whose eyes: admin, owner, reader or newcomer; ``--language zh-CN`` in which language.
``--docs`` makes those of the manual instead, in ``docs/images/``.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Error

from support.browser import Look, Visitor, running_browser
from support.demo import Demo, Plain, make_demo
from support.engine import Engine
from support.pages import PAGES, STATES, Page
from support.server import ADMIN_PASSWORD, running_server
from support.session import Session

ROOT = Path(__file__).parents[1]
LOOKS = {
    f"{width}-{'dark' if dark else 'light'}": Look(width, height, dark)
    for width, height in ((1440, 900), (390, 844))
    for dark in (False, True)
}


WIDE = ("1440-light",)
MANUAL = ("namespaces", "namespaces-new", "namespace", "namespace-members", "notebooks")
"""What the manual shows: wide and light."""


def main() -> int:
    """Make the pictures; says which could not be made."""
    options = _options()
    if options.docs:
        options.folder, options.looks, options.only = ROOT / "docs" / "images", WIDE, MANUAL
    # What opens on a page is found by its English words.
    every = PAGES + STATES if options.language == Look.language else PAGES
    chosen = [each for each in every if not options.only or each.name in options.only]
    with _demo() as demo, running_browser() as browser:
        failed = []
        for name, look in LOOKS.items():
            if options.looks and name not in options.looks:
                continue
            said = replace(look, language=options.language)
            visitor = Visitor(browser, demo.world.engine, said)
            stranger = Visitor(browser, demo.world.engine, said)
            who = demo.people[options.who]
            visitor.come_in(who.name, demo.password(who))
            for page in chosen:
                suffix = "" if options.docs else f"-{name}"
                file = options.folder / f"{page.name}{suffix}.png"
                if not take(stranger if page.public else visitor, page, file):
                    failed.append(file.name)
            visitor.close()
            stranger.close()
    _say(f"{options.folder}: {', '.join(failed) or 'all made'}{' failed' if failed else ''}")
    return bool(failed)


def take(visitor: Visitor, page: Page, file: Path) -> bool:
    """Take one picture; whether that worked."""
    try:
        window = visitor.open(page.path)
        page.steps(window)
        window.wait_for_load_state("networkidle")
        file.parent.mkdir(exist_ok=True)
        window.screenshot(path=file)
    except Error as error:
        _say(f"{file.name}: {str(error).splitlines()[0]}")
        return False
    for each in visitor.complaints:
        _say(f"{file.name}: {each}")
    visitor.complaints.clear()
    return True


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


@contextmanager
def _demo() -> Iterator[Demo]:
    with (
        tempfile.TemporaryDirectory(prefix="llmos-demo-") as name,
        running_server(Path(name), static=False) as server,
    ):
        engine = Engine(server.url, server.ca_file, ADMIN_PASSWORD)
        admin = Session("admin", engine.login("admin", ADMIN_PASSWORD), engine)
        yield make_demo(Plain(engine, admin))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--only", type=lambda text: text.split(","), metavar="NAME,…")
    parser.add_argument("--looks", type=lambda text: text.split(","), help=", ".join(LOOKS))
    parser.add_argument("--as", dest="who", default="admin", help="whose eyes (admin)")
    parser.add_argument("--language", default=Look.language, help="whose words (en-US)")
    parser.add_argument("--docs", action="store_true", help="those of the manual")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
