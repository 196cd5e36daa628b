"""Every page, in the eyes of everybody: nothing in the console, nothing that shuts people out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from support.browser import Look, Visitor, violations
from support.demo import Demo, Plain, make_demo
from support.engine import Engine
from support.pages import PAGES, Page
from support.session import Session

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PEOPLE = {"admin": "en-US", "owner": "zh-CN", "reader": "en-US", "newcomer": "zh-CN"}
"""Who looks, and in which language."""


@pytest.fixture(scope="module")
def demo(engine: Engine, admin: Session) -> Iterator[Demo]:
    """A platform in use."""
    made = make_demo(Plain(engine, admin))
    yield made
    made.close()


@pytest.fixture(scope="module", params=PEOPLE)
def somebody(
    request: pytest.FixtureRequest, browser: "Browser", demo: Demo
) -> Iterator[tuple[str, Visitor]]:
    """Each of the people, signed in."""
    visitor = Visitor(browser, demo.world.engine, Look(language=PEOPLE[request.param]))
    who = demo.people[request.param]
    visitor.come_in(who.name, demo.password(who))
    yield request.param, visitor
    visitor.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_opens_for_everybody(somebody: tuple[str, Visitor], page: Page):
    """Whatever one may do, in light and in dark: no error, and nothing that axe objects to.

    The browser itself tells of what was asked for by its address and is refused.
    """
    who, visitor = somebody
    visitor.complaints.clear()
    visitor.refused.clear()
    window = visitor.open(page.path)
    wrong = violations(window)
    window.emulate_media(color_scheme="dark")
    wrong += violations(window, "color-contrast")
    window.emulate_media(color_scheme="light")
    expected = visitor.refused if who in page.hidden_from else []
    assert wrong == []
    assert visitor.complaints == expected
