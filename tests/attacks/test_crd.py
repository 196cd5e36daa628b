"""CRD: new kinds, their names, scopes and schemas."""

import json
import time

import pytest

from attacks.support import Actor, World
from attacks.words import MG, NS, unique
from support.objects import Object
from support.waiting import wait_until

pytestmark = pytest.mark.slow
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(group: str, plural: str, schema: Object | None = None, **more: object) -> Object:
    """A CustomResourceDefinition of one version."""
    kind = str(more.pop("kind", plural.rstrip("s").capitalize()))
    scope = more.pop("scope", "Namespaced")
    properties = {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    schema = schema or {"type": "object", "properties": properties}
    names = {"plural": plural, "kind": kind, "singular": kind.lower(), **more}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": [version]},
    }


def _conditions(world: World, name: str) -> dict[str, str]:
    found = world.do("GET", f"{CRDS}/{name}").get("status", {}).get("conditions") or ()
    return {each["type"]: each["status"] for each in found}


def _served(world: World, root: Actor, made: Object) -> str:
    """Create a definition and wait until it is served; its path in all namespaces."""
    answer = root.post(CRDS, made, within=3)
    assert answer.status == 201, answer.text
    group, plural = made["spec"]["group"], made["spec"]["names"]["plural"]
    path = f"/apis/{group}/v1/{plural}"
    wait_until(lambda: world.operator.get(path).status_code == 200, 5)
    return path


def _remove(world: World, root: Actor, made: Object) -> None:
    name = made["metadata"]["name"]
    assert root.delete(f"{CRDS}/{name}").status == 200
    wait_until(lambda: world.operator.get(f"{CRDS}/{name}").status_code == 404, 10)


@pytest.mark.parametrize("who", ["alice", "carol", "vera", "runner"])
def test_crd_01_only_admins_make_kinds(world: World, who: str):
    """Neither definitions nor aggregated APIs are for tenants to make, change or delete."""
    actor = world.actors[who]
    made = definition("evil.test", "things")
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.evil.test"},
        "spec": {"group": "evil.test", "version": "v1", "service": {"name": "x", "namespace": "y"}},
    }
    users = "users.management.llmos.ai"
    with world.unchanged():
        assert actor.post(CRDS, made).status == 403
        assert actor.apply(f"{CRDS}/things.evil.test", made).status == 403
        services = "/apis/apiregistration.k8s.io/v1/apiservices"
        assert actor.post(services, service).status in (403, 404)
        assert actor.delete(f"{CRDS}/{users}").status == 403
        assert actor.delete(CRDS).status == 403
        for part in ("", "/status"):
            change = {"spec": {"scope": "Namespaced"}, "status": {"storedVersions": ["v9"]}}
            assert actor.patch(f"{CRDS}/{users}{part}", change).status == 403


@pytest.mark.parametrize(
    "names",
    [
        {"plural": "gadgets2", "kind": "Gadget", "singular": "other"},
        {"plural": "others", "kind": "Other", "singular": "gadget"},
        {"plural": "others", "kind": "Other", "shortNames": ["gdg"]},
        {"plural": "others", "kind": "Other", "shortNames": ["gadgets"]},
        {"plural": "others", "kind": "Other", "singular": "gadgets"},
        {"plural": "others", "kind": "Other", "listKind": "Gadget"},
        {"plural": "others", "kind": "Other", "listKind": "GadgetList"},
        {"plural": "gdg", "kind": "Other"},
    ],
    ids=json.dumps,
)
def test_crd_03_a_name_belongs_to_the_first(root: Actor, world: World, names: dict):
    """A second kind that takes a name of the first is refused or not served; the first stays."""
    group = f"{unique('g')}.test"
    first = definition(group, "gadgets", shortNames=["gdg"])
    path = _served(world, root, first)
    plural = names["plural"]
    second = definition(group, plural, **{k: v for k, v in names.items() if k != "plural"})
    answer = root.post(CRDS, second)
    assert answer.status in (201, 422)
    if answer.status == 201:
        name = second["metadata"]["name"]
        wait_until(lambda: "NamesAccepted" in _conditions(world, name), 3)
        assert _conditions(world, name)["NamesAccepted"] == "False"
        assert world.operator.get(f"/apis/{group}/v1/{plural}").status_code == 404
        _remove(world, root, second)
    assert _conditions(world, first["metadata"]["name"])["NamesAccepted"] == "True"
    assert world.operator.get(path).json()["kind"] == "GadgetList"
    resources = world.do("GET", f"/apis/{group}/v1")["resources"]
    short = [each for each in resources if "gdg" in each.get("shortNames", ())]
    assert [each["name"] for each in short] == ["gadgets"]
    _remove(world, root, first)


@pytest.mark.parametrize(
    ("group", "plural", "name"),
    [
        ("a.test", "things", "others.a.test"),
        ("a.test", "things", "things.b.test"),
        ("a.test", "things", "things"),
        ("a.test", "Things", "Things.a.test"),
        ("a.test", "things/status", "things/status.a.test"),
        ("", "things", "things."),
        ("a_b.test", "things", "things.a_b.test"),
        ("a.test", "", ".a.test"),
        ("a.test", "../namespaces", "../namespaces.a.test"),
    ],
)
def test_crd_03_a_definition_is_called_what_it_defines(
    root: Actor, world: World, group: str, plural: str, name: str
):
    """Its name is plural.group, and both of them are names."""
    made = definition(group, plural, kind="Thing")
    made["metadata"]["name"] = name
    with world.unchanged():
        assert root.post(CRDS, made).status in (400, 422)


@pytest.mark.parametrize(
    ("group", "plural"),
    [
        ("rbac.authorization.k8s.io", "roles"),
        ("apps", "deployments"),
        ("management.llmos.ai", "users"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ],
)
def test_crd_03_no_definition_covers_what_is_there(
    root: Actor, world: World, group: str, plural: str
):
    """A definition for a kind that the server has itself takes nothing over."""
    before = world.operator.get(f"/apis/{group}/v1").json()
    made = definition(group, plural, kind="Evil", scope="Cluster")
    answer = root.post(CRDS, made)
    assert answer.status in (201, 403, 409, 422)
    time.sleep(0.3)
    after = world.operator.get(f"/apis/{group}/v1").json()
    assert [each for each in after["resources"] if each["name"] == plural] == [
        each for each in before["resources"] if each["name"] == plural
    ]
    assert root.get(f"{MG}/users").status == 200
    if answer.status == 201:
        _remove(world, root, made)
        assert world.operator.get(f"/apis/{group}/v1").json() == before


def _spec(properties: Object) -> Object:
    return {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": properties}},
    }


def _bombs() -> dict[str, Object]:
    nested: Object = {"type": "string"}
    for _ in range(200):
        nested = {"type": "object", "properties": {"a": nested}}
    return {
        "many properties": _spec({f"p{n}": {"type": "string"} for n in range(10_000)}),
        "itself": {"type": "object", "properties": {"spec": {"$ref": "#"}}},
        "a nested reference": _spec({"a": {"$ref": "#/definitions/a"}}),
        "a slow pattern": _spec({"a": {"type": "string", "pattern": "(a+)+$"}}),
        "a slower pattern": _spec(
            {"a": {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}}
        ),
        "a back reference": _spec({"a": {"type": "string", "pattern": r"(a)\1"}}),
        "a huge count": _spec({"a": {"type": "string", "pattern": "(a{1000}){1000}"}}),
        "no pattern": _spec({"a": {"type": "string", "pattern": "("}}),
        "a rule without bounds": _spec(
            {
                "a": {
                    "type": "array",
                    "items": {"type": "string"},
                    "x-kubernetes-validations": [
                        {"rule": "self.all(x, self.all(y, self.all(z, x == y || y == z)))"}
                    ],
                }
            }
        ),
        "three megabytes": _spec(
            {f"p{n}": {"type": "string", "description": "x" * 1000} for n in range(2_900)}
        ),
        "deep": nested,
        "a bad type": _spec({"a": {"type": "evil"}}),
        "no schema": {"type": "object", "properties": {"spec": None}},
        "a list": {"type": "array"},
    }


@pytest.mark.parametrize("bomb", list(_bombs()))
@pytest.mark.on("embedded")
def test_crd_05_a_schema_costs_no_more_than_a_second(root: Actor, world: World, bomb: str):
    """It is refused, or a hundred objects are validated by it within a second."""
    group = f"{unique('b')}.test"
    made = definition(group, "bombs", _bombs()[bomb])
    answer = root.post(CRDS, made, within=4)
    assert answer.status in (201, 400, 413, 422)
    if answer.status != 201:
        return
    name = made["metadata"]["name"]
    wait_until(lambda: "Established" in _conditions(world, name), 5)
    path = f"/apis/{group}/v1/namespaces/team-x/bombs"
    text = "a" * 60 + "!"
    value = ["x"] * 100 if "bounds" in bomb else text
    body = {"apiVersion": f"{group}/v1", "kind": "Bomb", "spec": {"a": value}}
    if _conditions(world, name)["Established"] == "True":
        wait_until(lambda: world.operator.get(path).status_code == 200, 5)
        busy = world.cpu_seconds()
        for number in range(100):
            body["metadata"] = {"name": f"b{number}"}
            assert root.post(path, body, within=2).status in (201, 400, 422)
        assert world.cpu_seconds() - busy < 1.5
    _remove(world, root, made)


def test_crd_06_a_scope_does_not_change(root: Actor, alice: Actor, world: World):
    """It is immutable; made again with the other scope nothing of the old comes back."""
    group = f"{unique('s')}.test"
    made = definition(group, "scopes", kind="Scope")
    path = _served(world, root, made)
    where = f"/apis/{group}/v1/namespaces/team-x/scopes"
    text = world.guard(f"CANARY-{group}", "root")
    body = {
        "apiVersion": f"{group}/v1",
        "kind": "Scope",
        "metadata": {"name": "old"},
        "spec": {"of": text},
    }
    assert root.post(where, body).status == 201
    crd = f"{CRDS}/{made['metadata']['name']}"
    for change in ({"spec": {"scope": "Cluster"}}, {"spec": {"names": {"kind": "Other"}}}):
        answer = root.patch(crd, change)
        assert answer.status == 422 or answer.json()["spec"]["scope"] == "Namespaced"
    assert root.patch(crd, {"spec": {"group": "other.test"}}).status == 422
    assert alice.get(path).status in (200, 403)
    _remove(world, root, made)
    assert world.operator.get(path).status_code == 404
    again = definition(group, "scopes", kind="Scope", scope="Cluster")
    path = _served(world, root, again)
    assert world.do("GET", path)["items"] == []
    assert world.operator.get(f"{path}/old").status_code == 404
    assert world.operator.get(where).status_code == 404
    assert alice.get(path).status == 403
    _remove(world, root, again)


def test_crd_06_custom_objects_are_scoped_like_others(
    root: Actor, alice: Actor, bob: Actor, world: World
):
    """Objects of a new kind are seen by those only who have rights to it in their namespace."""
    group = f"{unique('n')}.test"
    made = definition(group, "notes", kind="Note")
    path = _served(world, root, made)
    text = world.guard(f"CANARY-{group}", "root")
    body = {
        "apiVersion": f"{group}/v1",
        "kind": "Note",
        "metadata": {"name": "n"},
        "spec": {"of": text},
    }
    assert root.post(f"/apis/{group}/v1/namespaces/team-b/notes", body).status == 201
    for query in ("", "?watch=1&timeoutSeconds=1&resourceVersion=0"):
        assert alice.get(path + query, within=3).status in (200, 403)
    for target in (f"{path}/n", f"/apis/{group}/v1/namespaces/team-b/notes/n"):
        assert alice.get(target).status in (403, 404)
    assert alice.post(f"/apis/{group}/v1/notes", body).status in (403, 404)
    assert root.delete(f"{NS}/team-b/notes/n").status == 404
    _remove(world, root, made)
