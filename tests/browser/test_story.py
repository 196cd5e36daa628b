"""The main story, clicked: an administrator makes teams, and their people work in them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from support.browser import Visitor, Visitors
from support.resources import at
from support.steps import (
    add_member,
    choose_password,
    create_user,
    pick,
    remove_member,
    row,
    sign_in,
)
from support.world import World

CHOSEN = "battery-staple-9-horses"


def join(visitors: Visitors, name: str, once: str) -> Visitor:
    """Sign in for the first time, and choose a password."""
    visitor = visitors.new()
    visitor.page.goto("/")
    sign_in(visitor.page, name, once)
    choose_password(visitor.page, once, CHOSEN)
    visitor.page.get_by_role("heading", name="Namespaces", level=1).wait_for()
    return visitor


def create_namespace(page: Page, name: str, members: dict[str, str]) -> None:
    """With its members, as one action."""
    page.get_by_role("button", name="Create namespace").or_(
        page.get_by_role("link", name="Create namespace")
    ).click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Description").fill(f"What {name} is for")
    for position, (user, role) in enumerate(members.items()):
        page.get_by_role("button", name="Add member").click()
        fields = page.locator(".member-fields").nth(position)
        fields.get_by_role("combobox").fill(user)
        page.keyboard.press("Escape")
        pick(page, fields.get_by_role("button", name="Role"), role)
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("heading", name=name, level=1).wait_for()


def create_notebook(page: Page, place: str, name: str) -> None:
    """In the namespace that is chosen."""
    page.goto(f"/ui/create/notebooks.ml.llmos.ai?ns={place}")
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Image").fill("jupyter/base-notebook")
    page.get_by_role("button", name="Create", exact=True).click()


@dataclass
class Story:
    """Two teams and their people, and the windows of each."""

    world: World
    visitors: Visitors

    def __post_init__(self) -> None:
        named = self.world.named
        self.vision, self.speech = named("team-vision"), named("team-speech")
        self.alice, self.bob, self.carol = named("alice"), named("bob"), named("carol")
        self.boss = self.visitors.new()
        self.people: dict[str, Visitor] = {}

    def begin(self) -> None:
        """The administrator creates the users and both namespaces; everybody signs in."""
        page = self.boss.page
        page.goto("/")
        sign_in(page, "admin", self.world.engine.admin_password)
        page.get_by_role("link", name="Users").first.click()
        once = {name: create_user(page, name) for name in (self.alice, self.bob, self.carol)}
        page.get_by_role("link", name="Namespaces").first.click()
        create_namespace(page, self.vision, {self.alice: "Owner", self.bob: "Read-Only"})
        self.boss.open("/namespaces")
        create_namespace(page, self.speech, {self.carol: "Owner"})
        self.people = {name: join(self.visitors, name, word) for name, word in once.items()}

    def look(self) -> None:
        """Each sees his own namespaces, and none may create one."""
        page = self.people[self.alice].page
        row(page, self.vision).wait_for()
        expect(row(page, self.speech)).to_have_count(0)
        expect(page.get_by_role("tab", name="System")).to_have_count(0)
        expect(page.get_by_role("button", name="Create namespace")).to_be_disabled()
        for visitor in self.people.values():
            for kind in ("nodes", "gpudevices.gpustack.llmos.ai", "storageclasses.storage.k8s.io"):
                visitor.open(f"/resources/{kind}")

    def work(self) -> None:
        """One name in two namespaces; a reader reads; a second of the name is refused."""
        for owner, place in ((self.alice, self.vision), (self.carol, self.speech)):
            create_notebook(self.people[owner].page, place, "exp-1")
            self.people[owner].page.get_by_role("heading", name="exp-1").wait_for()
        alice, bob, carol = (self.people[each] for each in (self.alice, self.bob, self.carol))
        create_notebook(alice.page, self.vision, "exp-1")
        expect(alice.page.get_by_role("alert")).to_contain_text("exists")
        alice.pardon(409, at("notebooks", self.vision))
        bob.open(f"/resources/notebooks.ml.llmos.ai?ns={self.vision}")
        row(bob.page, "exp-1").wait_for()
        expect(bob.page.get_by_role("button", name="Create Notebook")).to_be_disabled()
        carol.open("/resources/notebooks.ml.llmos.ai")
        expect(row(carol.page, "exp-1")).to_have_count(1)

    def change(self) -> None:
        """An owner adds a member, and the administrator removes her again."""
        alice, carol = self.people[self.alice], self.people[self.carol]
        alice.open(f"/namespaces/{self.vision}?tab=members")
        add_member(alice.page, self.carol, "Editor")
        carol.open("/namespaces")
        row(carol.page, self.vision).wait_for()
        self.boss.open(f"/namespaces/{self.vision}?tab=members")
        remove_member(self.boss.page, self.carol)
        expect(row(carol.page, self.vision)).to_have_count(0, timeout=5_000)

    def end(self) -> None:
        """Leave nothing behind."""
        admin = self.world.admin
        for name in (self.vision, self.speech):
            admin.delete(at("namespaces", name=name))
        for name in (self.alice, self.bob, self.carol):
            admin.delete(at("users", name=name))


@pytest.fixture
def story(world: World, visitors: Visitors) -> Iterator[Story]:
    """Before it begins; what was made is taken away even where it ends badly."""
    told = Story(world, visitors)
    yield told
    visitors.close()
    told.end()


@pytest.mark.timeout(180)
def test_the_story_of_two_teams(story: Story):
    """From the first user to the removed member, by hand and by several people at once."""
    story.begin()
    story.look()
    story.work()
    story.change()
