"""Debian's Chromium, driven by Playwright: people who use the web page.

A visitor is somebody with a window of his own: a browser context, which shares no cookie with any
other. Whatever the browser complains of on the way is kept, and a test fails with it.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.engine import Engine
from support.required import missing
from support.session import Session

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Browser, BrowserType, ConsoleMessage, Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
WAIT_MS = 10_000
"""How long anything may take that a person waits for."""


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    width: int = 1440
    height: int = 900
    dark: bool = False
    language: str = "en-US"


WIDE = Look()


def find_chromium() -> str:
    """The program; where there is none the test is skipped, or fails if it is required."""
    if find_spec("playwright") is None:
        missing("browser", "the Python package playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        missing("browser", "there is no chromium")
    return program


@contextmanager
def running_browser() -> Iterator["Browser"]:
    """A browser without windows, for the length of a block.

    Playwright has an event loop in this thread for as long: no other may be run in it meanwhile.
    """
    find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, launched(playwright.chromium) as browser:
        yield browser


@contextmanager
def launched(kind: "BrowserType", home: Path | None = None) -> Iterator["Browser"]:
    """One more browser, with a home directory of its own where one is given."""
    # Chromium's sandbox does not work for root, who runs the tests in CI.
    options = ["--no-sandbox"] if os.getuid() == 0 else []
    environment = {**os.environ, **({"HOME": str(home)} if home else {})}
    browser = kind.launch(executable_path=find_chromium(), args=options, env=environment)
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Visitor:
    """Somebody with a window of his own."""

    browser: "Browser"
    engine: Engine
    look: Look = WIDE
    trusting: bool = True
    """Whether he takes any certificate."""
    complaints: list[str] = field(default_factory=list)
    """What the browser's console said of errors, and what no script caught."""
    refused: list[str] = field(default_factory=list)
    """What of it is about answers 401, 403 and 404."""
    ended: bool = False
    """Whether his session has ended, and the browser may still say so of what was on its way."""

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(
            ignore_https_errors=self.trusting,
            viewport={"width": self.look.width, "height": self.look.height},
            color_scheme="dark" if self.look.dark else "light",
            reduced_motion="reduce",
            locale=self.look.language,
            base_url=self.engine.url,
        )
        self.context.set_default_timeout(WAIT_MS)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page = self.context.new_page()

    def _hear(self, message: "ConsoleMessage") -> None:
        if message.type != "error":
            return
        said = f"{message.text} ({message.location['url']})"
        self.complaints.append(said)
        if re.search(r"a status of 40[134] ", said):
            self.refused.append(said)

    def pardon(self, code: int, *paths: str) -> None:
        """Of these paths the browser had to say that they were answered so; of each it did."""
        for path in paths:
            others = [each for each in self.complaints if not answered(each, code, path)]
            assert others != self.complaints, f"nothing of {code} {path} in {self.complaints}"
            self.complaints = others

    def pardon_all(self, code: int, path: str = "") -> None:
        """The browser may have said that this was answered so: a path, or whatever it is."""
        self.complaints = [each for each in self.complaints if not answered(each, code, path)]

    def pardon_on_its_way(self) -> None:
        """Of what was on its way when a session ended: with its cookie, and without one."""
        self.ended = True

    def window(self) -> "Page":
        """One more window of his."""
        return self.context.new_page()

    def call(self, method: str, path: str, **more: Any) -> "APIResponse":
        """A request with his cookies, as no script of the page sends it."""
        headers = {"Origin": self.engine.url, **more.pop("headers", {})}
        return self.context.request.fetch(path, method=method, headers=headers, **more)

    def come_in(self, username: str, password: str) -> None:
        """Sign in without the page, which is quicker."""
        body = {"username": username, "password": password, "cookie": True}
        answer = self.call("POST", "/auth/login", data=body)
        assert answer.status == 200, answer.text()

    def open(self, path: str, page: "Page | None" = None) -> "Page":
        """Go to an address below ``/ui``, and wait until what it shows has come."""
        page = page or self.page
        page.goto(f"/ui{path}")
        self.settle(page)
        return page

    def settle(self, page: "Page | None" = None) -> None:
        """Wait until the page has its heading and loads nothing that it says it loads."""
        from playwright.sync_api import expect

        page = page or self.page
        page.get_by_role("heading", level=1).first.wait_for()
        expect(page.locator(".loading, [aria-busy=true]")).to_have_count(0, timeout=WAIT_MS)

    def close(self) -> None:
        """Close all windows."""
        self.context.close()


@dataclass
class Visitors:
    """Everybody who visits during one test."""

    browser: "Browser"
    engine: Engine
    _all: list[Visitor] = field(default_factory=list)

    def new(self, look: Look = WIDE, engine: Engine | None = None) -> Visitor:
        """Somebody who is not signed in."""
        visitor = Visitor(self.browser, engine or self.engine, look)
        self._all.append(visitor)
        return visitor

    def of(self, session: Session, password: str, look: Look = WIDE) -> Visitor:
        """Somebody who is signed in."""
        visitor = self.new(look)
        visitor.come_in(session.name, password)
        return visitor

    def complaints(self) -> list[str]:
        """What anybody's browser complained of."""
        for each in self._all:
            if each.ended:
                each.pardon_all(401)
                each.pardon_all(403)
        return [each for visitor in self._all for each in visitor.complaints]

    def close(self) -> None:
        """Everybody leaves."""
        for each in self._all:
            each.close()


def answered(complaint: str, code: int, path: str = "") -> bool:
    """Whether the browser complains of nothing but an answer with a code, of a path if one is said.

    Of a WebSocket it says the same in other words.
    """
    no_credentials = "HTTP Authentication failed"  # Chromium's words for 401 at a WebSocket
    said = complaint.replace(no_credentials, "Unexpected response code: 401")
    found = re.search(r"status of (\d+) |Unexpected response code: (\d+)", said)
    url = re.search(r"(?:https|wss)://[^/]+([^?\s')]*)", complaint)
    if found is None or url is None or int(found[1] or found[2]) != code:
        return False
    return path in ("", url[1])


def violations(page: "Page", *rules: str) -> list[str]:
    """What axe-core finds wrong with a page for people with disabilities, by all rules or some."""
    if not AXE.exists():
        missing("browser", f"there is no {AXE}: remove web/node_modules and run make setup")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(options)", options)
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
