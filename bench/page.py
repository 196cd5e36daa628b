"""``python -m bench.page``: how quick the web page is, in Chromium beside the server.

Each figure is the median of the rounds; of keystrokes and frames the slow ones are told too.
"""

import argparse
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench import embedded
from bench.engines import running
from bench.fixtures import Bodies, Filler
from bench.generator import make_generator
from bench.machine import facts
from bench.measures import BenchError

NUMBER = 10_000
"""Namespaces in the long list."""
FILTER = "bench-100099"
ROW = "table tbody tr:not([aria-hidden])"
SCROLL_SECONDS = 3

KEYSTROKES = """() => {
  window.found = [];
  new PerformanceObserver(list => window.found.push(...list.getEntries()
    .filter(each => each.name.startsWith('key')).map(each => each.duration)))
    .observe({type: 'event', durationThreshold: 16});
}"""
"""From a key to the next frame that shows what came of it (Event Timing; in steps of 8 ms)."""
FRAMES = """() => {
  window.frames_seen = [];
  let before = performance.now();
  const look = now => { window.frames_seen.push(now - before); before = now;
                        requestAnimationFrame(look); };
  requestAnimationFrame(look);
}"""
"""How long each frame takes."""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    title: str
    value: float
    """Milliseconds."""
    limit: float = math.inf

    def line(self) -> str:
        """As Markdown."""
        limit = "" if math.isinf(self.limit) else f"{self.limit:,.0f} ms"
        return f"| {self.title} | {self.value:,.0f} ms | {limit} |"


@dataclass(frozen=True)
class Pages:
    """Opens windows whose caches are empty."""

    browser: Browser
    url: str

    @contextmanager
    def window(self, *, signed_in: bool) -> Iterator[Page]:
        """One of its own."""
        context = self.browser.new_context(
            ignore_https_errors=True, base_url=self.url, viewport={"width": 1440, "height": 900}
        )
        try:
            if signed_in:
                body = {"username": "admin", "password": embedded.PASSWORD, "cookie": True}
                said = context.request.post("/auth/login", data=body, headers={"Origin": self.url})
                if said.status != 200:
                    raise BenchError(f"cannot sign in: {said.text()}")
            yield context.new_page()
        finally:
            context.close()

    def until(self, path: str, ready: str, *, signed_in: bool) -> float:
        """Milliseconds from asking for an address until something is there to be used."""
        with self.window(signed_in=signed_in) as page:
            began = time.perf_counter()
            page.goto(path, wait_until="commit")
            page.locator(ready).first.wait_for()
            return (time.perf_counter() - began) * 1000


def main() -> int:
    """Measure, and print the table; 1 where a figure is over its limit."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        try:
            figures = _run(Path(name), options.rounds, options.namespaces)
        except BenchError as error:
            print(error, file=sys.stderr)
            return 1
    print("| | figure | limit |\n| --- | ---: | ---: |")
    print("\n".join(each.line() for each in figures))
    return int(any(each.value > each.limit for each in figures))


def _run(directory: Path, rounds: int, namespaces: int) -> list[Figure]:
    program = shutil.which("chromium")
    if program is None:
        raise BenchError("there is no chromium")
    generator = make_generator(directory)
    for name, value in facts(directory, f"Playwright, {program}").items():
        print(f"- {name}: {value}")
    print()
    with running(embedded.start, directory / "server") as engine, sync_playwright() as playwright:
        endpoint = engine.endpoint
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        pages = Pages(browser, f"https://{endpoint.host}:{endpoint.port}")
        figures = _first(pages, rounds)
        print(f"making {namespaces:,} namespaces", file=sys.stderr)
        Filler(endpoint, generator, Bodies(directory)).namespaces(namespaces)
        figures += _long(pages, rounds, namespaces)
        browser.close()
    return figures


def _first(pages: Pages, rounds: int) -> list[Figure]:
    """An empty cache, and an installation without teams."""

    def sign_in() -> float:
        return pages.until("/", "input[name=username]", signed_in=False)

    def listed() -> float:
        return pages.until("/ui/namespaces", ROW, signed_in=True)

    return [
        Figure("First page interactive, nobody signed in", _median(rounds, sign_in), 1_500),
        Figure("First page interactive, signed in", _median(rounds, listed), 1_500),
    ]


def _long(pages: Pages, rounds: int, number: int) -> list[Figure]:
    """A list of thousands."""

    def listed() -> float:
        return pages.until("/ui/namespaces", ROW, signed_in=True)

    title = f"{number:,} namespaces"
    figures = [Figure(f"{title}: first rows", _median(rounds, listed), 2_000)]
    with pages.window(signed_in=True) as page:
        page.goto("/ui/namespaces")
        page.locator(ROW).first.wait_for()
        keys = _keystrokes(page)
        figures.append(Figure(f"{title}: a keystroke in the filter", statistics.median(keys), 100))
        figures.append(Figure(f"{title}: the slowest of {len(keys)}", max(keys), 100))
        frames = sorted(_scrolling(page))
        figures.append(Figure(f"{title}: a frame while scrolling", statistics.median(frames)))
        slow = frames[int(len(frames) * 0.95)]
        figures.append(Figure(f"{title}: 95 of 100 frames are below", slow))
    return figures


def _keystrokes(page: Page) -> list[float]:
    """Type a word and take it away again."""
    page.evaluate(KEYSTROKES)
    page.get_by_role("searchbox").first.click()
    for key in [*FILTER, *(["Backspace"] * len(FILTER))]:
        page.keyboard.press(key)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    found: Any = page.evaluate("() => window.found")
    # What is faster than a frame is not told of.
    return [float(each) for each in found] or [16.0]


def _scrolling(page: Page) -> list[float]:
    """Turn the wheel over the list for some seconds."""
    box = page.locator("table").first.bounding_box()
    if box is None:
        raise BenchError("there is no list")
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.evaluate(FRAMES)
    until = time.monotonic() + SCROLL_SECONDS
    while time.monotonic() < until:
        page.mouse.wheel(0, 400)
    found: Any = page.evaluate("() => window.frames_seen")
    return [float(each) for each in found]


def _median(rounds: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(rounds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="medians are of so many (5)")
    parser.add_argument("--namespaces", type=int, default=NUMBER, help="in the long list (10,000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
