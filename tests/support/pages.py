"""Every page of the web page, by the name that pictures of it have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page as Window


def _nothing(_: "Window") -> None:
    """What is there at first is what is looked at."""


@dataclass(frozen=True)
class Page:
    """Somewhere in the demo, and what is done there before anybody looks."""

    name: str
    path: str
    steps: Callable[["Window"], None] = _nothing
    public: bool = False
    """Whether it is for those who are not signed in."""


def tab(name: str) -> Callable[["Window"], None]:
    """Choose a tab."""
    return lambda window: window.get_by_role("tab", name=name).click()


def press(name: str) -> Callable[["Window"], None]:
    """Press the first button of a name."""
    return lambda window: window.get_by_role("button", name=name).first.click()


def _select_rows(window: "Window") -> None:
    for name in ("team-vision", "team-speech"):
        window.get_by_role("checkbox", name=f"Select {name}").check(force=True)


def _nothing_found(window: "Window") -> None:
    window.get_by_role("searchbox").first.fill("no such thing")


PAGES = (
    Page("sign-in", "/signin", public=True),
    Page("not-found", "/nowhere"),
    Page("namespaces", "/namespaces"),
    Page("namespaces-new", "/namespaces/new"),
    Page("namespaces-edit", "/namespaces/team-vision/edit"),
    Page("namespace", "/namespaces/team-vision"),
    Page("namespace-members", "/namespaces/team-vision?tab=members"),
    Page("namespace-resources", "/namespaces/team-vision?tab=resources"),
    Page("namespace-events", "/namespaces/team-vision?tab=events"),
    Page("namespace-access", "/namespaces/team-vision?tab=access"),
    Page("namespace-terminating", "/namespaces/project-archive"),
    Page("account", "/account"),
)
"""What has an address of its own."""

STATES = (
    Page("namespaces-public", "/namespaces", tab("Public")),
    Page("namespaces-system", "/namespaces", tab("System")),
    Page("namespaces-selected", "/namespaces", _select_rows),
    Page("namespaces-none", "/namespaces", _nothing_found),
    Page("namespaces-menu", "/namespaces", press("Actions for team-vision")),
    Page("switcher", "/namespaces", press("Namespace:")),
    Page("user-menu", "/namespaces", press("User menu")),
    Page("account-key", "/account", press("Create API key")),
    Page("production-banner", "/namespaces?ns=default"),
)
"""What opens on a page."""
