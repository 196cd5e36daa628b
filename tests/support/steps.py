"""What people do by hand on the web page, step by step."""

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
    cell = page.get_by_role("cell", name=name, exact=True)
    return page.get_by_role("row").filter(has=cell)
