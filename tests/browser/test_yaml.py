"""An object edited as YAML, and what is said when somebody else was faster."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from support.browser import Visitor, Visitors
from support.objects import config_map
from support.resources import at
from support.session import Session
from support.world import EDITOR, PASSWORD, World

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SECOND_MS = 1_000


@pytest.fixture
def erin(world: World) -> Session:
    """Somebody who edits what is in a namespace."""
    return world.user("erin")


@pytest.fixture
def path(world: World, erin: Session) -> str:
    """A ConfigMap of hers."""
    place = world.namespace("team-vision")
    world.member(EDITOR, place, erin)
    made = erin.create(at("configmaps", place), config_map("settings", colour="red", size="9"))
    assert made.status_code == 201
    return at("configmaps", place, "settings")


@pytest.fixture
def visitor(visitors: Visitors, erin: Session, path: str) -> Visitor:
    """She looks at its YAML."""
    place = path.split("/")[-3]
    coming = visitors.of(erin, PASSWORD)
    coming.open(f"/resources/configmaps/{place}/settings?tab=yaml")
    expect(editor(coming)).to_contain_text("colour: red")
    return coming


def editor(visitor: Visitor) -> "Locator":
    """Where the text is written."""
    return visitor.page.get_by_role("textbox", name="YAML of settings")


def replace(visitor: Visitor, line: str, new: str) -> None:
    """Put a line in the place of another, by the keyboard."""
    visitor.page.locator(".cm-line", has_text=re.compile(f"^ *{line}$")).click()
    visitor.page.keyboard.press("Home")
    visitor.page.keyboard.press("Shift+End")
    visitor.page.keyboard.type(new)
    expect(editor(visitor)).to_contain_text(new)


def save(visitor: Visitor) -> None:
    """Send it."""
    visitor.page.get_by_role("button", name="Save").click()


def test_what_is_saved_is_what_was_written(visitor: Visitor, erin: Session, path: str):
    """And nothing else; the page shows it."""
    replace(visitor, "colour: red", "colour: green")
    save(visitor)
    expect(visitor.page.get_by_text("“settings” is saved")).to_be_visible()
    now = erin.get(path).json()
    assert now["data"] == {"colour": "green", "size": "9"}
    visitor.page.get_by_role("tab", name="Overview").click()
    expect(visitor.page.get_by_text("green")).to_be_visible()


def test_what_is_no_yaml_is_not_sent(visitor: Visitor, erin: Session, path: str):
    """It is said where it is wrong, and stays to be put right."""
    before = erin.get(path).json()
    replace(visitor, "colour: red", "colour: [")
    save(visitor)
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(editor(visitor)).to_contain_text("colour: [")
    assert erin.get(path).json() == before


def test_nobody_writes_over_what_another_wrote_meanwhile(
    visitor: Visitor, world: World, erin: Session, path: str
):
    """It is said before one saves and refused after; with the newest one goes on from there.

    Also where the version is cut out of the text.
    """
    replace(visitor, "colour: red", "colour: green")
    changed = world.admin.patch(path, {"data": {"size": "10"}})
    assert changed.status_code == 200
    said = visitor.page.get_by_text("Somebody changed it while you were editing")
    expect(said).to_be_visible(timeout=SECOND_MS)
    version = visitor.page.locator(".cm-line", has_text="resourceVersion").inner_text().strip()
    replace(visitor, version, "")
    save(visitor)
    refusal = visitor.page.get_by_role("alert")
    expect(refusal).to_contain_text("Somebody else changed this at the same time")
    visitor.pardon(409, path)
    assert erin.get(path).json()["data"] == {"colour": "red", "size": "10"}
    visitor.page.get_by_role("button", name="Load the newest").click()
    expect(editor(visitor)).to_contain_text('size: "10"')
    expect(editor(visitor)).to_contain_text("colour: red")
    expect(said).to_have_count(0)
    replace(visitor, "colour: red", "colour: green")
    save(visitor)
    expect(visitor.page.get_by_text("“settings” is saved")).to_be_visible()
    assert erin.get(path).json()["data"] == {"colour": "green", "size": "10"}
