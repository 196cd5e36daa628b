"""Each single thing that a role allows is compared with what its author holds."""

import pytest

from support.native import Impersonated, Native
from support.objects import Object, global_role, member, role_template, subject
from support.resources import at
from support.waiting import wait_until

pytestmark = pytest.mark.slow
COMPARED = 24
BINDINGS = at("roletemplatebindings")


def user(name: str, **spec: str) -> Object:
    """Somebody without a password."""
    kind = {"apiVersion": "management.llmos.ai/v1", "kind": "User"}
    return {**kind, "metadata": {"name": name}, "spec": spec}


def part(number: int) -> Object:
    """One thing to allow."""
    return {"apiGroups": [""], "resources": [f"configmaps/{number}"], "verbs": ["get"]}


def many(*missing: int, size: int = COMPARED) -> list[Object]:
    """Rules of which the holder has all but those."""
    return [part(100 + each if each in missing else each) for each in range(size)]


DEPLOYMENTS = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["delete"]}
NAMED = {**DEPLOYMENTS, "resourceNames": ["a", "b"]}
PODS = {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}
HOLDER = [*many(size=COMPARED + 1), PODS, NAMED]
HELD = {
    "pods": [PODS],
    "named": [NAMED],
    "whole": many(),
    "empty": [],
    "none": [{"apiGroups": [""], "resources": [], "verbs": ["get"]}],
}
NOT_HELD = {
    **{f"but-{each}": many(each) for each in range(COMPARED)},
    "unnamed": [DEPLOYMENTS],
    "other": [{**NAMED, "resourceNames": ["a", "c"]}],
    "verbs": [{**PODS, "verbs": ["*"]}],
    "verb": [{**PODS, "verbs": ["get", "delete"]}],
    "groups": [{**PODS, "apiGroups": ["*"]}],
    "group": [{**PODS, "apiGroups": ["", "apps"]}],
    "resources": [{**PODS, "resources": ["*"]}],
    "subresources": [{**PODS, "resources": ["pods/*"]}],
    "all-of-log": [{**PODS, "resources": ["*/log"]}],
    "upper": [{**PODS, "verbs": ["GET"]}],
}
TOO_MUCH = {
    "large": many(size=COMPARED + 1),
    "urls": [{"nonResourceURLs": ["/healthz"], "verbs": ["get"]}],
    "tabbed": [{**PODS, "resources": ["pods\tx"]}],
    "lines": [{**PODS, "verbs": ["get\nget"]}],
    "deep": [{**PODS, "resources": ["pods/log/x"]}],
}
ROLES = {**HELD, **NOT_HELD, **TOO_MUCH}


@pytest.fixture(scope="module")
def holder(native: Native) -> Impersonated:
    """Holds something in team-b and in the whole cluster, and hands out members and templates."""
    members = {"apiGroups": [""], "resources": ["namespaces/members"], "verbs": ["*"]}
    writes = {
        "apiGroups": ["management.llmos.ai"],
        "resources": ["roletemplates", "globalroles"],
        "verbs": ["create", "update", "patch"],
    }
    native.make(at("roletemplates"), role_template("holder", members, *HOLDER))
    native.make(at("globalroles"), global_role("holder", members, writes, *HOLDER))
    for name, rules in ROLES.items():
        native.make(at("roletemplates"), role_template(f"grant-{name}", *rules))
        native.make(at("globalroles"), global_role(f"grant-{name}", *rules))
    native.bind("holder-here", "holder", "team-b", subject("holder"))
    native.bind("holder-everywhere", "holder", "", subject("holder-of-all"))
    here, everywhere = (
        native.person("holder", "llmos:users"),
        native.person("holder-of-all", "llmos:users"),
    )
    wait_until(lambda: give(here, "lines", "team-b").status_code == 403, 10)
    wait_until(lambda: give(here, "whole", "team-b").status_code == 201, 10)
    wait_until(lambda: give(everywhere, "whole", "").status_code == 201, 10)
    return here


@pytest.fixture
def everywhere(native: Native, holder: Impersonated) -> Impersonated:
    """Who holds the same in the whole cluster."""
    return native.people["holder-of-all"]


def give(person: Impersonated, name: str, where: str):
    """Hand out a role, only to see what is said."""
    asked = member("grant", where, f"grant-{name}", subject("bob"))
    return person.create(BINDINGS, asked, dryRun="All")


@pytest.mark.parametrize("name", ROLES)
def test_role_templates(holder: Impersonated, name: str) -> None:
    """In a namespace, of what one holds there."""
    answer = give(holder, name, "team-b")
    assert answer.status_code == (201 if name in HELD else 403), answer.text
    if name in NOT_HELD:
        assert "do not hold all" in answer.text
    elif name in TOO_MUCH:
        assert "too much to be compared" in answer.text


@pytest.mark.parametrize("name", ROLES)
def test_global_roles(everywhere: Impersonated, holder: Impersonated, name: str) -> None:
    """In the whole cluster, of what one holds there and not in a namespace."""
    answer = give(everywhere, name, "")
    assert answer.status_code == (201 if name in HELD else 403), answer.text
    if name in NOT_HELD:
        assert "do not hold all" in answer.text
    assert give(holder, name, "").status_code == 403


@pytest.mark.parametrize("plural", ["roletemplates", "globalroles"])
@pytest.mark.parametrize("name", ROLES)
def test_rules_of_templates(everywhere: Impersonated, name: str, plural: str) -> None:
    """What one writes into a role, one holds in the whole cluster."""
    made = (role_template if plural == "roletemplates" else global_role)("mine", *ROLES[name])
    answer = everywhere.create(at(plural), made, dryRun="All")
    assert answer.status_code == (201 if name in HELD else 403), answer.text
    change = {"rules": ROLES[name]}
    path = at(plural, name="grant-empty")
    answer = everywhere.http.patch(
        path, json=change, params={"dryRun": "All"},
        headers={"Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    assert answer.status_code == (200 if name in HELD else 403), answer.text


def test_rules_in_namespaces_are_not_compared(everywhere: Impersonated, native: Native) -> None:
    """Who writes or hands out a global role with these needs the right to."""
    odd = {**global_role("grant-odd"), "namespacedRules": {"team-b": [PODS]}}
    assert everywhere.create(at("globalroles"), odd).status_code == 403
    native.make(at("globalroles"), odd)
    wait_until(lambda: give(everywhere, "odd", "").status_code == 403, 5)


def test_what_gives_nothing_more_is_free(native: Native, holder: Impersonated) -> None:
    """Labels and fewer subjects are no grant; subjects and time are."""
    asked = member("granted", "team-b", "grant-verbs", subject("bob"), subject("eve"))
    native.make(BINDINGS, {**asked, "expiresAt": "2040-01-01T00:00:00Z"})
    path = at("roletemplatebindings", name="granted")
    assert holder.patch(path, {"metadata": {"labels": {"a": "b"}}}).status_code == 200
    assert holder.patch(path, {"subjects": [subject("bob")]}).status_code == 200
    assert holder.patch(path, {"subjects": [subject("bob"), subject("eve")]}).status_code == 403
    assert holder.patch(path, {"expiresAt": None}).status_code == 403
    assert holder.patch(path, {"expiresAt": "2041-01-01T00:00:00Z"}).status_code == 403
    assert holder.delete(path).status_code == 200


@pytest.mark.usefixtures("holder")
@pytest.mark.parametrize("kind", ["roletemplates", "globalroles"])
def test_the_right_to_bind_is_enough(native: Native, kind: str) -> None:
    """For the roles that it names, in the namespace where it is held."""
    where = "team-b" if kind == "roletemplates" else ""
    members = {"apiGroups": [""], "resources": ["namespaces/members"], "verbs": ["*"]}
    bind = {
        "apiGroups": ["management.llmos.ai"],
        "resources": [kind],
        "verbs": ["bind"],
        "resourceNames": ["grant-verbs", "grant-large"],
    }
    make = role_template if where else global_role
    native.make(at(kind), make(f"binder-{kind}", members, bind))
    native.bind(f"binder-{kind}", f"binder-{kind}", where, subject(f"binder-{kind}"))
    binder = native.person(f"binder-{kind}", "llmos:users")
    for name in ("verbs", "large"):
        wait_until(lambda name=name: give(binder, name, where).status_code == 201, 5)
    assert give(binder, "groups", where).status_code == 403


def test_no_two_users_have_one_name(native: Native) -> None:
    """Without regard to case, in name, username or what others see."""
    root = native.people["root"]

    def make(name: str, **spec: str) -> int:
        return root.create(at("users"), user(name, **spec), dryRun="All").status_code

    native.make(at("users"), user("una", username="Una.M"))
    native.make(at("users"), user("plain"))
    wait_until(lambda: make("new", username="una.m") == 422, 5)
    for name, spec in (
        ("new", {"username": "UNA"}),
        ("new", {"username": "Plain"}),
        ("una.m", {"username": "other"}),
        ("new", {"displayName": "una.M"}),
        ("new", {"displayName": "PLAIN"}),
    ):
        assert make(name, **spec) == 422, (name, spec)
    assert make("new", username="new", displayName="Una") == 422
    assert make("new", username="new", displayName="Una M.") == 201
    path = at("users", name="una")
    assert root.patch(path, {"spec": {"displayName": "una"}}).status_code == 200
    assert root.patch(path, {"spec": {"displayName": "Plain"}}).status_code == 422
    assert root.patch(path, {"spec": {"email": "u@example.com"}}).status_code == 200
