"""Fields that open something: what they leave to people who do not see, or use no mouse."""

import pytest
from playwright.sync_api import expect

from support.browser import Visitor, Visitors, violations
from support.world import World

WATCH_FOCUS = """() => {
  window.hiddenFocus = [];
  document.addEventListener('focusin', (event) => {
    if (event.target.closest('[aria-hidden=true], [inert]'))
      window.hiddenFocus.push(event.target.outerHTML);
  });
}"""
"""Notes where the focus comes to what is hidden from those who do not see."""


@pytest.fixture(params=["a form", "a dialog"])
def combo(request: pytest.FixtureRequest, visitors: Visitors, world: World) -> Visitor:
    """An administrator whose member's name is a list of suggestions, open."""
    place = world.namespace("team-vision")
    visitor = visitors.new()
    visitor.come_in("admin", world.engine.admin_password)
    if request.param == "a form":
        window = visitor.open("/namespaces/new")
    else:
        window = visitor.open(f"/namespaces/{place}?tab=members")
    window.get_by_role("button", name="Add member").click()
    window.evaluate(WATCH_FOCUS)
    window.get_by_role("combobox").click()
    expect(window.get_by_role("option").first).to_be_visible()
    return visitor


def test_an_open_combo_box_hides_nothing(combo: Visitor):
    """What is beside its list is there for screen readers too, and axe objects to nothing."""
    window = combo.page
    assert violations(window) == []
    window.keyboard.press("ArrowDown")
    expect(window.locator("[role=option][data-focused]")).to_have_count(1)
    assert violations(window) == []
    window.keyboard.press("Escape")
    expect(window.get_by_role("option")).to_have_count(0)
    assert violations(window) == []


@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_the_focus_leaves_an_open_combo_box_for_what_everybody_meets(combo: Visitor, key: str):
    """Nothing that gets it is hidden from those who do not see."""
    window = combo.page
    window.keyboard.press(key)
    expect(window.get_by_role("option")).to_have_count(0)
    expect(window.get_by_role("combobox")).not_to_be_focused()
    assert window.evaluate("() => document.activeElement !== document.body")
    assert window.evaluate("() => window.hiddenFocus") == []
