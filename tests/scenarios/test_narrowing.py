"""What a user sees who may not see everything: lists and watches over the whole cluster."""

import pytest

from support.kubectl import Kubectl
from support.objects import config_map, notebook
from support.resources import at
from support.teams import Teams
from support.waiting import stays, wait_until
from support.world import OWNER, READER, World

FORMS = {
    "list": "application/json",
    "table": "application/json;as=Table;v=v1;g=meta.k8s.io",
    "metadata": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
}


def test_the_list_of_namespaces_is_what_one_may_see(teams: Teams) -> None:
    """One's own and ``llmos-public``, as a normal list with a resourceVersion."""
    expected = {
        teams.alice: [teams.vision],
        teams.bob: [teams.vision],
        teams.carol: [teams.speech],
        teams.dave: [],
    }
    for person, own in expected.items():
        answer = person.get(at("namespaces")).json()
        assert (answer["kind"], answer["apiVersion"]) == ("NamespaceList", "v1")
        assert int(answer["metadata"]["resourceVersion"]) > 0
        assert person.names(at("namespaces")) == sorted([*own, "llmos-public"])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_list_shows_the_same(teams: Teams, form: str) -> None:
    """Tables and lists of metadata hold no more than the plain list."""
    answer = teams.alice.http.get(at("namespaces"), headers={"Accept": FORMS[form]}).json()
    rows = answer.get("items") or [each["object"] for each in answer["rows"]]
    names = sorted(each["metadata"]["name"] for each in rows)
    assert names == sorted([teams.vision, "llmos-public"])
    assert teams.speech not in str(answer)


def test_no_selector_and_no_page_shows_more(teams: Teams) -> None:
    """Selectors, limits and continue tokens work on what one may see, and on nothing else."""
    path = at("namespaces")
    assert teams.alice.names(path, fieldSelector=f"metadata.name={teams.vision}") == [teams.vision]
    assert teams.alice.names(path, fieldSelector=f"metadata.name={teams.speech}") == []
    label = f"kubernetes.io/metadata.name={teams.speech}"
    assert teams.alice.names(path, labelSelector=label) == []
    seen: list[str] = []
    page = teams.alice.get(path, limit="1").json()
    for _ in range(10):
        assert len(page["items"]) <= 1
        seen += [each["metadata"]["name"] for each in page["items"]]
        token = page["metadata"].get("continue")
        if not token:
            break
        page = teams.alice.get(path, limit="1", **{"continue": token}).json()
    assert sorted(seen) == sorted([teams.vision, "llmos-public"])
    theirs = teams.admin.get(path, limit="1").json()["metadata"]["continue"]
    answer = teams.alice.get(path, **{"continue": theirs})
    if answer.status_code == 200:
        shown = {each["metadata"]["name"] for each in answer.json()["items"]}
        assert shown <= {teams.vision, "llmos-public"}
    else:
        assert answer.status_code in (400, 410)


def test_lists_across_all_namespaces_are_narrowed(teams: Teams) -> None:
    """``-A`` gives the objects of one's own namespaces and of ``llmos-public``; 403 is nobody's."""
    public = teams.world.named("everybody")
    teams.world.make(at("notebooks", "llmos-public"), notebook(public))
    teams.alice.create(at("notebooks", teams.vision), notebook("of-vision"))
    teams.carol.create(at("notebooks", teams.speech), notebook("of-speech"))
    expected = {
        teams.alice: {("of-vision", teams.vision)},
        teams.bob: {("of-vision", teams.vision)},
        teams.carol: {("of-speech", teams.speech)},
        teams.dave: set(),
    }
    watched = ("of-vision", "of-speech", public)
    for person, own in expected.items():
        items = person.get(at("notebooks")).json()["items"]
        found = {
            (each["metadata"]["name"], each["metadata"]["namespace"])
            for each in items
            if each["metadata"]["name"] in watched
        }
        assert found == own | {(public, "llmos-public")}
    assert {"of-vision", "of-speech"} <= set(teams.admin.names(at("notebooks")))


def test_secrets_across_all_namespaces_are_those_one_may_list(teams: Teams) -> None:
    """Whoever may list Secrets nowhere gets an empty list; nobody gets another team's."""
    for person in (teams.bob, teams.dave):
        assert person.names(at("secrets")) == []
    for where in {each["metadata"]["namespace"] for each in items_of(teams, "secrets")}:
        assert where == teams.vision


def items_of(teams: Teams, kind: str) -> list[dict]:
    """What Alice is shown of a kind across all namespaces."""
    items: list[dict] = teams.alice.get(at(kind)).json()["items"]
    return items


def test_narrowing_is_for_reading_only(teams: Teams) -> None:
    """Nothing is created or deleted across namespaces by somebody who may not do so everywhere."""
    assert teams.alice.create(at("notebooks"), notebook("nowhere")).status_code >= 400
    assert teams.alice.delete(at("notebooks")).status_code in (403, 405)
    assert teams.alice.delete(at("namespaces")).status_code == 403


def test_bindings_are_narrowed_like_namespaces(teams: Teams) -> None:
    """One sees the members of the namespaces that one sees, and of no others."""

    def targets(session) -> set[str]:
        items = session.get(at("roletemplatebindings")).json()["items"]
        return {each.get("namespaceId", "") for each in items}

    assert targets(teams.alice) == targets(teams.bob) == {teams.vision}
    assert targets(teams.carol) == {teams.speech}
    assert targets(teams.dave) == set()
    assert {teams.vision, teams.speech, ""} <= targets(teams.admin)
    hidden = [
        each["metadata"]["name"]
        for each in teams.admin.get(at("roletemplatebindings")).json()["items"]
        if each.get("namespaceId") == teams.speech
    ]
    answer = teams.alice.get(at("roletemplatebindings", name=hidden[0]))
    assert answer.status_code in (403, 404)
    missing = teams.alice.get(at("roletemplatebindings", name="no-such-binding"))
    assert missing.status_code == answer.status_code


def test_a_user_sees_no_user_but_himself(teams: Teams) -> None:
    """Neither names nor addresses of others are told."""
    assert teams.alice.names(at("users")) == [teams.alice.name]
    assert teams.alice.get(at("users", name=teams.alice.name)).status_code == 200
    there = teams.alice.get(at("users", name=teams.bob.name))
    missing = teams.alice.get(at("users", name="no-such-user"))
    assert there.status_code == missing.status_code != 200
    assert len(teams.admin.names(at("users"))) > 4


def test_narrowing_is_for_llmos_users(teams: Teams) -> None:
    """A service account gets Kubernetes' own answer: 403 for what it may not list whole."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    account = at("serviceaccounts", teams.vision, "default")
    wait_until(lambda: teams.alice.get(account).status_code == 200, 5)
    token = teams.alice.create(f"{account}/token", body).json()["status"]["token"]
    robot = teams.world.session("robot", token)
    assert robot.get(at("namespaces")).status_code == 403
    assert robot.get(at("notebooks")).status_code == 403


def test_a_watch_of_namespaces_follows_ones_rights(world: World) -> None:
    """What comes into sight arrives as ADDED, and what leaves it as DELETED, in the same watch."""
    person, where, other = world.user("wanda"), world.namespace("seen"), world.namespace("unseen")
    with person.watch(at("namespaces")) as watch:
        binding = world.member(READER, where, person)
        watch.wait_for("ADDED", where)
        label = {"metadata": {"labels": {"stage": "test"}}}
        assert world.admin.patch(at("namespaces", name=where), label).status_code == 200
        watch.wait_for("MODIFIED", where)
        world.admin.patch(at("namespaces", name=other), label)
        world.remove(binding)
        watch.wait_for("DELETED", where)
        assert world.admin.patch(
            at("namespaces", name=where), {"metadata": {"labels": {"stage": "over"}}}
        ).is_success
        again = world.member(OWNER, where, person)
        wait_until(lambda: watch.seen().count(("ADDED", where)) == 2, 5)
        world.remove(again)
        wait_until(lambda: where not in watch.shown(), 5)
        assert not watch.ended.is_set()
        assert other not in {name for _, name in watch.seen()}
        kinds = [kind for kind, name in watch.seen() if name == where and kind != "MODIFIED"]
        assert kinds == ["ADDED", "DELETED", "ADDED", "DELETED"]


def test_a_watch_across_all_namespaces_follows_ones_rights(world: World) -> None:
    """The same for objects in the namespaces that one enters and leaves."""
    person, where = world.user("wanda"), world.namespace("seen")
    other = world.namespace("unseen")
    for each in (where, other):
        world.make(at("notebooks", each), notebook(f"in-{each}"))
    with person.watch(at("notebooks")) as watch:
        binding = world.member(READER, where, person)
        watch.wait_for("ADDED", f"in-{where}")
        world.make(at("notebooks", where), notebook("late"))
        watch.wait_for("ADDED", "late")
        world.remove(binding)
        watch.wait_for("DELETED", f"in-{where}")
        watch.wait_for("DELETED", "late")
        world.make(at("notebooks", where), notebook("too-late"))
        assert stays(lambda: "too-late" not in str(watch.seen()), 0.5)
        assert f"in-{other}" not in {name for _, name in watch.seen()}


def test_a_namespace_that_is_deleted_leaves_the_watch(world: World) -> None:
    """Its members are told, and are not told of one that is made again under the name."""
    person, where = world.user("wanda"), world.namespace("short-lived")
    world.member(READER, where, person)
    path = at("namespaces", name=where)
    with person.watch(at("namespaces"), resourceVersion="0") as watch:
        watch.wait_for("ADDED", where)
        world.remove(path)
        watch.wait_for("DELETED", where, seconds=10)
        world.gone(path)
        world.namespace("short-lived")
        assert stays(lambda: where not in watch.shown(), 0.5)


def test_kubectl_get_namespaces_prints_exactly_ones_own(teams: Teams, kubectl: Kubectl) -> None:
    """``kubectl get ns`` succeeds for everybody, and shows what he may see."""
    shown = kubectl(teams.alice, "get", "ns").column()
    assert shown == sorted([teams.vision, "llmos-public"])
    assert kubectl(teams.dave, "get", "ns").column() == ["llmos-public"]


def test_kubectl_get_namespaces_w_follows(world: World, kubectl: Kubectl) -> None:
    """``kubectl get ns -w`` goes on while the admin adds and removes the user."""
    person, where = world.user("alice"), world.namespace("team-vision")
    arguments = ("get", "ns", "-w", "--output-watch-events")
    with kubectl.follow(person, *arguments) as following:
        following.wait_for("ADDED", "llmos-public")
        binding = world.member(OWNER, where, person)
        following.wait_for("ADDED", where)
        world.remove(binding)
        following.wait_for("DELETED", where)
        world.member(READER, where, person)
        wait_until(lambda: len([line for line in following.lines if where in line.split()]) >= 3, 8)
        names = {line.split()[1] for line in following.lines[1:]}
        assert names == {"llmos-public", where}


def test_kubectl_get_a_shows_only_what_one_may_see(teams: Teams, kubectl: Kubectl) -> None:
    """``kubectl get notebooks -A`` shows the notebooks of one's own namespaces."""
    teams.alice.create(at("notebooks", teams.vision), notebook("mine-to-see"))
    teams.carol.create(at("notebooks", teams.speech), notebook("not-mine"))
    out = kubectl(teams.alice, "get", "notebooks", "-A")
    assert {teams.vision} <= set(out.column()) <= {teams.vision, "llmos-public"}
    assert "mine-to-see" in out.column(1)
    assert "not-mine" not in out.column(1)


def test_an_old_revision_shows_no_more_than_todays_rights(world: World) -> None:
    """Whoever was removed reads no former state of the namespace."""
    person, where = world.user("rita"), world.namespace("former")
    binding = world.member(READER, where, person)
    world.make(at("configmaps", where), config_map("former"))
    revision = person.get(at("configmaps", where)).json()["metadata"]["resourceVersion"]
    world.remove(binding)
    wait_until(lambda: not person.may(at("configmaps", where)), 2)
    exact = {"resourceVersion": revision, "resourceVersionMatch": "Exact"}
    assert person.get(at("configmaps", where), **exact).status_code == 403
    answer = person.get(at("configmaps"), **exact)
    assert answer.status_code != 200 or where not in answer.text
    with person.watch(at("configmaps", where), resourceVersion=revision) as watch:
        assert watch.status == 403
