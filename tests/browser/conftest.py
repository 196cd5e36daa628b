"""A browser for all tests of the page, and those who use it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from support.browser import Visitors, running_browser
from support.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    """One for all; it ends with these tests, because no event loop can run beside it."""
    with running_browser() as running:
        yield running


@pytest.fixture
def visitors(browser: "Browser", world: World) -> Iterator[Visitors]:
    """Those who look at the page in one test; nobody's browser may have complained.

    They leave before their world ends, which would end their sessions.
    """
    made = Visitors(browser, world.engine)
    yield made
    made.close()
    assert made.complaints() == []
