"""Signing in and out, and what an attacker puts into the address of the sign-in page."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from support.browser import Visitor, Visitors, launched
from support.engine import Engine
from support.required import missing
from support.session import Session
from support.steps import choose_password, row, sign_in, sign_out
from support.world import PASSWORD, World

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHOSEN = "battery-staple-9-horses"


def arrived(visitor: Visitor) -> None:
    """He is signed in, and sees the namespaces."""
    visitor.page.get_by_role("heading", name="Namespaces", level=1).wait_for()


def test_the_root_leads_to_signing_in_and_then_to_the_namespaces(visitors: Visitors, world: World):
    """Whoever opens the server's address without a session is asked who he is."""
    alice = world.user("alice")
    visitor = visitors.new()
    visitor.page.goto("/")
    sign_in(visitor.page, alice.name, PASSWORD)
    arrived(visitor)
    assert visitor.page.url == f"{world.engine.url}/ui/namespaces"


def test_a_wrong_password_is_refused_and_says_nothing_of_who_exists(
    visitors: Visitors, world: World
):
    """The same words for a user and for nobody."""
    alice = world.user("alice")
    visitor = visitors.new()
    said = []
    for name in (alice.name, world.named("nobody")):
        visitor.open("/signin")
        sign_in(visitor.page, name, "wrong-horse-battery")
        said.append(visitor.page.get_by_role("alert").inner_text())
    assert said[0] == said[1] == "Username or password is wrong, or the account is not active."
    visitor.pardon(401, "/auth/login")


def test_a_one_time_password_opens_nothing_but_the_choice_of_another(
    visitors: Visitors, world: World, admin: Session
):
    """After it the page that was asked for is there, and the old password is good for nothing."""
    alice = world.user("alice")
    answer = admin.http.put(f"/auth/users/{alice.name}/password", json={})
    once = answer.json()["oneTimePassword"]
    visitor = visitors.new()
    visitor.page.goto("/ui/namespaces")
    sign_in(visitor.page, alice.name, once)
    visitor.page.get_by_role("heading", name="Choose your password").wait_for()
    visitor.open("/namespaces")
    choose_password(visitor.page, once, CHOSEN)
    arrived(visitor)
    assert world.engine.try_login(alice.name, once).status_code == 401
    assert world.engine.try_login(alice.name, CHOSEN).status_code == 200


def test_signing_out_ends_the_session(visitors: Visitors, world: World):
    """Its cookie is gone and good for nothing; going back shows nothing."""
    alice = world.user("alice")
    world.member("namespace-owner", world.namespace("team-vision"), alice)
    visitor = visitors.of(alice, PASSWORD)
    visitor.open("/namespaces")
    row(visitor.page, world.named("team-vision")).wait_for()
    [cookie] = visitor.context.cookies()
    sign_out(visitor.page)
    assert visitor.context.cookies() == []
    visitor.page.go_back()
    visitor.page.get_by_role("heading", name="Sign in").wait_for()
    visitor.context.add_cookies([cookie])
    assert visitor.call("GET", "/auth/whoami").status == 401
    visitor.pardon_on_its_way()


LEADING_AWAY = [
    "//evil.test", "/\\evil.test", "https:evil.test", "%2f%2fevil.test", "/%09/evil.test",
    "javascript:alert(1)", "https://evil.test/", "\\\\evil.test", "/\t/evil.test", "/ui//evil.test",
    "data:text/html,<script>alert(1)</script>", "/%5cevil.test", "/@evil.test", "/..//evil.test",
]  # fmt: skip


def test_web_17_signing_in_leads_to_a_page_of_ours(visitors: Visitors, world: World):
    """Wherever the address says that one was going to."""
    alice = world.user("alice")
    visitor = visitors.new()
    asked: list[str] = []
    visitor.context.on("request", lambda each: asked.append(each.url))
    for target in LEADING_AWAY:
        visitor.page.goto(f"/ui/signin?next={target}")
        sign_in(visitor.page, alice.name, PASSWORD)
        visitor.page.wait_for_url(lambda url: "signin" not in url)
        assert visitor.page.url.startswith(f"{world.engine.url}/ui/"), target
    assert [each for each in asked if not each.startswith(world.engine.url)] == []


def test_web_17_signing_in_leads_back_to_where_one_was(visitors: Visitors, world: World):
    """With what was chosen there."""
    alice = world.user("alice")
    visitor = visitors.new()
    visitor.page.goto("/ui/namespaces?ns=llmos-public")
    sign_in(visitor.page, alice.name, PASSWORD)
    arrived(visitor)
    address = urlsplit(visitor.page.url)
    assert (address.path, address.query) == ("/ui/namespaces", "ns=llmos-public")


KEYS = ("error", "message", "title", "username", "error_description", "reason", "ns")


@pytest.mark.parametrize("path", ["/ui/signin", "/ui/password", "/ui/namespaces"])
def test_web_23_the_address_puts_no_words_into_the_page(visitors: Visitors, path: str):
    """Nobody is told by a link whom to call."""
    visitor = visitors.new()
    words = "&".join(f"{key}=<b>Call +1-900-EVIL</b>" for key in KEYS)
    visitor.page.goto(f"{path}?{words}#{words}")
    visitor.settle()
    shown = visitor.page.locator("body").inner_text() + visitor.page.title()
    assert shown
    assert "EVIL" not in shown


def test_web_24_the_session_is_nowhere_that_a_script_reads(visitors: Visitors, world: World):
    """Neither in an answer nor in a cookie for scripts, a storage, the address or the document."""
    alice = world.user("alice")
    visitor = visitors.new()
    answers: list[str] = []

    def keep(response) -> None:
        if "/auth/" in response.url:
            answers.append(json.dumps(response.headers) + response.text())

    visitor.page.goto("/ui/signin")
    visitor.page.on("requestfinished", lambda each: keep(each.response()))
    sign_in(visitor.page, alice.name, PASSWORD)
    arrived(visitor)
    [cookie] = visitor.context.cookies()
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    key = cookie["value"].partition(":")[2]
    readable = visitor.page.evaluate(
        """() => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage},
        location.href, history.state, document.documentElement.outerHTML, name])"""
    )
    assert len(key) == 54
    assert key not in readable
    assert key not in "".join(answers)
    assert answers


def test_nothing_but_our_authority_has_to_be_trusted(
    browser: "Browser", engine: Engine, world: World, tmp_path: Path
):
    """A browser that knows it opens the page and its watches; one that does not opens nothing."""
    alice = world.user("alice")
    world.member("namespace-owner", world.namespace("team-vision"), alice)
    for trusted in (False, True):
        home = tmp_path / f"home-{trusted}"
        make_authorities(home, *([engine.ca_file] if trusted else []))
        with launched(browser.browser_type, home) as careful:
            visitor = Visitor(careful, engine, trusting=False)
            if not trusted:
                with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
                    visitor.page.goto("/ui/")
                continue
            visitor.page.goto("/ui/")
            sign_in(visitor.page, alice.name, PASSWORD)
            arrived(visitor)
            world.member("namespace-owner", world.namespace("team-live"), alice)
            row(visitor.page, world.named("team-live")).wait_for()
            assert visitor.complaints == []


def make_authorities(home: Path, *trusted: Path) -> None:
    """The authorities that Chromium trusts for one who lives there, beside those it came with."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    where = ("-d", f"sql:{database}")
    if shutil.which("certutil") is None:
        missing("browser", "there is no certutil (Debian: libnss3-tools)")
    subprocess.run(["certutil", "-N", *where, "--empty-password"], check=True)
    for each in trusted:
        add = ("-A", *where, "-n", "llmos", "-t", "C,,", "-i", str(each))
        subprocess.run(["certutil", *add], check=True)
