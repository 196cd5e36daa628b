"""What people do by hand on the web page, step by step."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def sign_in(page: "Page", username: str, password: str) -> None:
    """On the sign-in page, which is open."""
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose_password(page: "Page", current: str, new: str) -> None:
    """After signing in with a password that somebody gave."""
    page.get_by_role("heading", name="Choose your password").wait_for()
    page.get_by_label("Current password", exact=True).fill(current)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password, once more", exact=True).fill(new)
    page.get_by_role("button", name="Change password").click()


def sign_out(page: "Page") -> None:
    """By the menu in the header."""
    page.get_by_role("button", name="User menu").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()


def row(page: "Page", name: str) -> "Locator":
    """The row of a table that tells of something, by its name."""
    return page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))


def pick(page: "Page", opener: "Locator", choice: str) -> None:
    """Choose one of a list that a button opens."""
    opener.click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(choice)}\\b")).click()


def create_user(page: "Page", name: str) -> str:
    """On the page of users; the one-time password that is shown."""
    page.get_by_role("button", name="Create user").click()
    page.get_by_role("textbox", name="Username").fill(name)
    page.get_by_role("button", name="Create", exact=True).click()
    once = page.get_by_label("One-time password", exact=True).input_value()
    page.get_by_role("button", name="I have kept it").click()
    return once


def add_member(page: "Page", name: str, role: str) -> None:
    """On the tab of members of a namespace."""
    page.get_by_role("button", name="Add member").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").fill(name)
    page.keyboard.press("Escape")
    pick(page, dialog.get_by_role("button", name="Role"), role)
    dialog.get_by_role("button", name="Add", exact=True).click()
    row(page, name).wait_for()


def remove_member(page: "Page", name: str) -> None:
    """On the tab of members of a namespace."""
    row(page, name).get_by_role("button", name="Remove").click()
    asking = page.get_by_role("alertdialog").or_(page.get_by_role("dialog"))
    asking.get_by_role("button", name="Remove").click()
    row(page, name).wait_for(state="detached")
