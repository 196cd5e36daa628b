"""Who granted a role is written by the server, whatever way a binding is written, and by whom."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from support.objects import Object, get_in, member, subject
from support.resources import at
from support.session import JSON_PATCH, Session
from support.teams import Teams
from support.world import EDITOR, READER

GRANTED_BY = "llmos.ai/granted-by"
BINDINGS = at("roletemplatebindings")
ENDS = "2090-01-01T00:00:00Z"
Annotations = dict[str, str | None]
"""Those to set; to take away: None."""
Write = Callable[[Session, Object, Annotations], httpx.Response]


@dataclass
class Binding:
    """A binding of Dave as a reader of Alice's team, which Alice made."""

    teams: Teams
    name: str

    @property
    def path(self) -> str:
        return at("roletemplatebindings", name=self.name)

    @property
    def live(self) -> Object:
        found: Object = self.teams.admin.get(self.path).json()
        return found

    @property
    def granter(self) -> str | None:
        found: str | None = get_in(self.live, "metadata", "annotations", GRANTED_BY)
        return found

    def put(
        self, who: Session, change: Object, annotations: dict[str, str | None]
    ) -> httpx.Response:
        answer = httpx.Response(409)
        while answer.status_code == 409:  # the controller has said meanwhile that it is in force
            live = self.live
            said = {**live["metadata"].get("annotations", {}), **annotations}
            live["metadata"]["annotations"] = {key: each for key, each in said.items() if each}
            answer = who.update(self.path, {**live, **change})
        return answer

    def merge(
        self, who: Session, change: Object, annotations: dict[str, str | None]
    ) -> httpx.Response:
        return who.patch(self.path, {**change, "metadata": {"annotations": annotations}})

    def json(
        self, who: Session, change: Object, annotations: dict[str, str | None]
    ) -> httpx.Response:
        known = get_in(self.live, "metadata", "annotations") or {}
        place = "/metadata/annotations"
        said = {key: each for key, each in {**known, **annotations}.items() if each}
        patch = [{"op": "add", "path": f"/{key}", "value": each} for key, each in change.items()]
        return who.patch(
            self.path, [*patch, {"op": "add", "path": place, "value": said}], JSON_PATCH
        )

    def apply(
        self, who: Session, change: Object, annotations: dict[str, str | None]
    ) -> httpx.Response:
        said = {key: each for key, each in annotations.items() if each}
        obj = member(self.name, self.teams.vision, READER, subject(self.teams.dave.name))
        obj["metadata"]["annotations"] = said
        manager = f"{who.name}-applies"
        # Who changes what somebody else has said has to insist, as ever.
        return who.apply(self.path, {**obj, **change}, fieldManager=manager, force="true")


@pytest.fixture
def binding(teams: Teams) -> Iterator[Binding]:
    """Alice makes it."""
    made = Binding(teams, teams.world.named("granted"))
    obj = member(made.name, teams.vision, READER, subject(teams.dave.name))
    assert teams.alice.create(BINDINGS, obj).status_code == 201
    yield made
    teams.admin.delete(made.path)


@pytest.fixture(params=["put", "merge", "json", "apply"])
def write(request: pytest.FixtureRequest, binding: Binding) -> Write:
    """A way to change it."""
    way: Write = getattr(binding, request.param)
    return way


def more(teams: Teams) -> Object:
    """One more subject."""
    return {"subjects": [subject(teams.dave.name), subject(teams.bob.name)]}


@pytest.mark.parametrize("said", ["", "somebody"])
def test_who_adds_a_member_is_named(teams: Teams, said: str) -> None:
    """The owner, the administrator, whatever he says himself; at a trial too."""
    for who in (teams.alice, teams.admin):
        obj = member(teams.world.named("added"), teams.vision, READER, subject(teams.dave.name))
        if said:
            obj["metadata"]["annotations"] = {GRANTED_BY: said, "a": "b"}
        for query in ({"dryRun": "All"}, {}):
            made = who.create(BINDINGS, obj, **query)
            assert made.status_code == 201, made.text
            annotations = made.json()["metadata"]["annotations"]
            assert annotations == {GRANTED_BY: who.name} | ({"a": "b"} if said else {})
        teams.admin.delete(at("roletemplatebindings", name=obj["metadata"]["name"]))


def test_who_changes_a_role_is_named(binding: Binding) -> None:
    """Another role is another binding, of who makes it."""
    teams = binding.teams
    name = teams.world.named("changed")
    obj = member(name, teams.vision, EDITOR, subject(teams.dave.name))
    made = teams.world.make(BINDINGS, obj)
    assert made["metadata"]["annotations"] == {GRANTED_BY: teams.admin.name}
    assert binding.granter == teams.alice.name


def test_who_applies_a_binding_first_is_named(teams: Teams) -> None:
    """And stays so while he goes on applying, and says nothing of it."""
    name = teams.world.named("applied")
    path = at("roletemplatebindings", name=name)
    obj = member(name, teams.vision, READER, subject(teams.dave.name))
    try:
        for code in (201, 200, 200):
            answer = teams.alice.apply(path, obj)
            assert answer.status_code == code, answer.text
            assert answer.json()["metadata"]["annotations"] == {GRANTED_BY: teams.alice.name}
        # Another manager says more of it and is in nobody's way, and takes nothing over.
        ends = {**obj, "expiresAt": ENDS}
        answer = teams.admin.apply(path, ends, fieldManager="other")
        assert answer.status_code == 200, answer.text
        assert answer.json()["metadata"]["annotations"] == {GRANTED_BY: teams.admin.name}
        answer = teams.alice.apply(path, obj)
        assert answer.status_code == 200, answer.text
        assert answer.json()["metadata"]["annotations"] == {GRANTED_BY: teams.admin.name}
        # What he takes back gives another end: he has done that.
        answer = teams.admin.apply(path, obj, fieldManager="other")
        assert "expiresAt" not in answer.json()
        assert answer.json()["metadata"]["annotations"] == {GRANTED_BY: teams.admin.name}
    finally:
        teams.admin.delete(path)


def test_who_conflicts_with_another_manager_is_told(binding: Binding) -> None:
    """What the server adds to an apply is no leave to overwrite what somebody else applied."""
    teams = binding.teams
    for who, fields in ((teams.alice, {}), (teams.admin, more(teams))):
        obj = member(binding.name, teams.vision, READER, subject(teams.dave.name)) | fields
        answer = who.apply(binding.path, obj, fieldManager=who.name)
    assert answer.status_code == 409, answer.text
    assert "subjects" in answer.text
    assert GRANTED_BY not in answer.text
    assert binding.granter == teams.alice.name


@pytest.mark.parametrize("said", ["somebody", "", None])
def test_another_change_keeps_who_granted_it(
    binding: Binding, write: Write, said: str | None
) -> None:
    """Whoever makes it, and whatever it says of who granted the role."""
    spoof = {GRANTED_BY: said or None} if said is not None else {}
    answer = write(binding.teams.admin, {}, {"a": "b", **spoof})
    assert answer.status_code == 200, answer.text
    expected = {GRANTED_BY: binding.teams.alice.name, "a": "b"}
    assert answer.json()["metadata"]["annotations"] == expected
    assert binding.live["metadata"]["annotations"] == expected


@pytest.mark.parametrize("said", ["somebody", "", None])
@pytest.mark.parametrize("what", ["subjects", "end"])
def test_who_gives_more_is_named(
    binding: Binding, write: Write, what: str, said: str | None
) -> None:
    """New subjects or another end are of who writes them; what he says is corrected."""
    teams = binding.teams
    change = more(teams) if what == "subjects" else {"expiresAt": ENDS}
    spoof = {GRANTED_BY: said or None} if said is not None else {}
    answer = write(teams.admin, change, {"a": "b", **spoof})
    assert answer.status_code == 200, answer.text
    assert answer.json()["metadata"]["annotations"] == {GRANTED_BY: teams.admin.name, "a": "b"}
    again = write(teams.alice, change, {"c": "d"})
    assert again.status_code == 200, again.text
    assert binding.granter == teams.admin.name


def test_who_takes_something_away_has_granted_nothing(binding: Binding) -> None:
    """What is left is as it was given."""
    teams = binding.teams
    assert teams.admin.patch(binding.path, more(teams)).status_code == 200
    fewer = {"subjects": [subject(teams.bob.name)]}
    assert teams.alice.patch(binding.path, fewer).status_code == 200
    assert binding.granter == teams.admin.name


def test_all_annotations_go_but_this_one(binding: Binding) -> None:
    """By a patch that takes them all away, in either way."""
    teams = binding.teams
    for patch in (
        {"metadata": {"annotations": None}},
        [{"op": "remove", "path": "/metadata/annotations"}],
    ):
        kept = {"metadata": {"annotations": {"a": "b"}}}
        assert teams.alice.patch(binding.path, kept).status_code == 200
        kind = {"kind": JSON_PATCH} if isinstance(patch, list) else {}
        answer = teams.admin.patch(binding.path, patch, **kind)
        assert answer.status_code == 200, answer.text
        assert answer.json()["metadata"]["annotations"] == {GRANTED_BY: teams.alice.name}
    assert binding.granter == teams.alice.name


def test_who_tries_changes_nothing(binding: Binding, teams: Teams) -> None:
    """A dry run says what would be, and leaves what is."""
    answer = teams.admin.http.patch(
        binding.path,
        params={"dryRun": "All"},
        json=more(teams),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.json()["metadata"]["annotations"] == {GRANTED_BY: teams.admin.name}
    assert binding.granter == teams.alice.name


@pytest.mark.parametrize("who", ["bob", "carol"])
def test_who_may_not_change_a_binding_is_refused(binding: Binding, write: Write, who: str) -> None:
    """As ever: a reader, and the owner of another namespace."""
    person: Session = getattr(binding.teams, who)
    assert write(person, more(binding.teams), {}).status_code == 403
    assert binding.granter == binding.teams.alice.name


def test_what_the_platform_gives_nobody_granted(teams: Teams) -> None:
    """The first administrator has his role from the first start."""
    found = teams.admin.get(BINDINGS).json()["items"]
    first = [
        each
        for each in found
        if each["roleTemplateRef"]["name"] == "admin" and each["subjects"][0]["name"] == "admin"
    ]
    assert first
    assert not any(GRANTED_BY in (each["metadata"].get("annotations") or {}) for each in first)
