"""RBAC: roles, role templates and bindings."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from attacks.support import Actor, World
from attacks.wire import read_answer, request_bytes
from attacks.words import COLLECTED_SECONDS, JSON, MERGE, MG, NS, RB, global_role, rule, unique
from support.objects import config_map, member, role_binding, role_template, subject
from support.waiting import wait_until

pytestmark = pytest.mark.slow
BINDINGS = f"{MG}/roletemplatebindings"
TEMPLATES = f"{MG}/roletemplates"
ROLES = f"{RB}/namespaces/team-a/roles"
ROLE_BINDINGS = f"{RB}/namespaces/team-a/rolebindings"
RBAC = "rbac.authorization.k8s.io/v1"
WIDE = [
    [rule("", "secrets", "*")],
    [rule("", "resourcequotas", "update")],
    [rule("*", "*", "*")],
    [rule("", "pods/exec", "*")],
    [rule("", "namespaces", "delete")],
    [rule("rbac.authorization.k8s.io", "roles", "escalate bind")],
    [rule("", "configmaps", "get"), rule("", "serviceaccounts", "impersonate")],
    [rule("", "configmaps", "get"), rule("management.llmos.ai", "roletemplates", "bind")],
]


def _role(name: str, rules: list) -> dict:
    return {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": name}, "rules": rules}


@pytest.mark.parametrize("rules", WIDE, ids=json.dumps)
def test_rbac_01_no_role_gives_more_than_its_author_holds(alice: Actor, world: World, rules: list):
    """Neither a new role nor one that grows, by whichever verb."""
    name = unique("small")
    small = _role(name, [rule("", "configmaps", "get")])
    assert alice.post(ROLES, small).status == 201
    path = f"{ROLES}/{name}"
    with world.unchanged():
        refused = alice.post(ROLES, _role(unique("big"), rules))
        assert refused.status == 403
        assert "attempting to grant RBAC permissions not currently held" in refused.text
        assert alice.put(path, _role(name, rules)).status == 403
        assert alice.patch(path, {"rules": rules}).status == 403
        assert alice.patch(path, {"rules": rules}, "application/strategic-merge-patch+json").status
        assert alice.apply(path, _role(name, rules)).status == 403
        assert alice.apply(f"{ROLES}/{unique('big')}", _role("x", rules)).status in (400, 403)
        big = unique("big")
        assert alice.apply(f"{ROLES}/{big}", _role(big, rules)).status == 403
        operation = {"op": "replace", "path": "/rules", "value": rules}
        assert alice.json_patch(path, operation).status == 403


def test_rbac_02_no_binding_gives_more_than_its_author_holds(alice: Actor, world: World):
    """Neither to cluster-admin nor to a role that may come later."""
    later = unique("later")
    path = f"{RB}/namespaces/team-a/rolebindings"
    roles = ["cluster-admin", "admin", "llmos:globalrole:admin", "llmos:controllers", later]
    with world.unchanged():
        for role in roles:
            made = role_binding(unique("grab"), role, subject("alice"))
            assert alice.post(path, made).status == (404 if role == later else 403), role
            name = made["metadata"]["name"]
            assert alice.put(f"{path}/{name}", made).status in (403, 404)
            assert alice.apply(f"{path}/{name}", made).status in (403, 404)
            made["kind"] = "ClusterRoleBinding"
            assert alice.post(f"{RB}/clusterrolebindings", made).status == 403
    everything = {"metadata": {"name": later}, "rules": [rule("*", "*", "*")]}
    world.do("POST", f"{RB}/clusterroles", everything)
    assert not alice.may("delete", "resourcequotas", "team-a")
    assert later not in json.dumps(alice.get(path).json())


def test_rbac_03_the_role_of_a_binding_does_not_change(alice: Actor, world: World):
    """Its roleRef is immutable; made anew it is asked again; another kind is refused."""
    name = unique("mine")
    made = role_binding(name, "llmos:roletemplate:namespace-readonly", subject("vera"))
    assert alice.post(ROLE_BINDINGS, made).status == 201
    other = role_binding(name, "cluster-admin", subject("alice"))
    path = f"{ROLE_BINDINGS}/{name}"
    with world.unchanged():
        assert alice.patch(path, {"roleRef": other["roleRef"]}).status in (403, 422)
        assert alice.put(path, other).status in (403, 422)
        assert alice.apply(path, other).status in (403, 422)
        weaker = role_binding(name, "llmos:roletemplate:namespace-editor", subject("vera"))
        assert alice.put(path, weaker).status == 422
        assert alice.patch(path, {"roleRef": weaker["roleRef"]}).status == 422
        cluster = {**made, "kind": "ClusterRoleBinding", "metadata": {"name": unique("x")}}
        assert alice.post(ROLE_BINDINGS, cluster).status == 400
    assert alice.delete(path).status == 200
    with world.unchanged():
        assert alice.apply(path, other).status == 403


@pytest.mark.parametrize(
    "target", ["team-b", "", "*", "team-a,team-b", "kube-system", "team-a ", "TEAM-A", "../team-b"]
)
def test_rbac_06_the_right_counts_where_the_binding_points(alice: Actor, world: World, target: str):
    """Whoever manages the members of team-a makes none anywhere else."""
    made = member(unique("far"), "team-a", "namespace-readonly", subject("alice"))
    made["namespaceId"] = target
    with world.unchanged():
        assert alice.post(BINDINGS, made).status in (403, 422)
        assert alice.apply(f"{BINDINGS}/{made['metadata']['name']}", made).status in (403, 422)
    assert alice.get(f"{NS}/team-b/configmaps").status == 403


def test_rbac_06_a_label_does_not_say_where_a_binding_points(alice: Actor, world: World):
    """What counts is namespaceId alone; labels and annotations lead nowhere."""
    made = member(unique("label"), "team-a", "namespace-readonly", subject("newbie"))
    marks = {"management.llmos.ai/namespace-id": "team-b", "llmos.ai/namespace": "team-b"}
    made["metadata"] |= {"labels": marks, "annotations": marks, "namespace": "team-b"}
    answer = alice.post(BINDINGS, made)
    assert answer.status in (201, 400)
    del made["metadata"]["namespace"]
    assert alice.post(BINDINGS, made).status in (201, 409)
    newbie = world.actors["newbie"]
    wait_until(lambda: newbie.get(f"{NS}/team-a/configmaps").status == 200, 2)
    assert newbie.get(f"{NS}/team-b/configmaps").status == 403
    assert alice.delete(f"{BINDINGS}/{made['metadata']['name']}").status == 200
    wait_until(lambda: newbie.get(f"{NS}/team-a/configmaps").status == 403, 2)


def test_rbac_06_no_global_role_through_members(alice: Actor, world: World):
    """Whoever manages members of a namespace gives no global role."""
    made = member(unique("rise"), "", "admin", subject("alice"))
    with world.unchanged():
        assert alice.post(BINDINGS, made).status == 403
        made["namespaceId"] = "team-a"
        assert alice.post(BINDINGS, made).status in (403, 422)
    name = unique("swap")
    fair = member(name, "team-a", "namespace-readonly", subject("newbie"))
    assert alice.post(BINDINGS, fair).status == 201
    for change in (
        {"namespaceId": "team-b"},
        {"namespaceId": None},
        {"roleTemplateRef": {"kind": "GlobalRole", "name": "admin"}},
        {"roleTemplateRef": {"name": "namespace-owner"}},
    ):
        assert alice.patch(f"{BINDINGS}/{name}", change).status in (403, 422)
    assert alice.delete(f"{BINDINGS}/{name}").status == 200


def test_rbac_08_a_removed_subject_is_out(root: Actor, world: World):
    """Taken out of the subjects he is refused within 2 s, and what he watches ends within 5 s."""
    eve, other = world.throwaway("eve"), world.throwaway("dave")
    name = unique("both")
    made = member(name, "team-x", "namespace-owner", subject(eve.name), subject(other.name))
    assert root.post(BINDINGS, made).status == 201
    path = f"{NS}/team-x/configmaps"
    wait_until(lambda: eve.get(path).status == other.get(path).status == 200, 2)
    with eve.watch(path) as watch, other.watch(path) as kept, eve.watch(NS) as names:
        wait_until(lambda: "team-x" in names.shown(), 2)
        change = {"subjects": [subject(other.name)]}
        assert root.patch(f"{BINDINGS}/{name}", change).status == 200
        wait_until(lambda: eve.get(path).status == 403, 2)
        assert watch.ended.wait(5)
        wait_until(lambda: "team-x" not in names.shown(), 5)
        assert other.get(path).status == 200
        assert not kept.ended.is_set()
    assert not eve.may("get", "configmaps", "team-x")
    assert root.delete(f"{BINDINGS}/{name}").status == 200


def test_rbac_10_an_admin_is_one_as_long_as_a_binding_says_so(root: Actor, world: World):
    """With two bindings the first deletion takes nothing, the second takes all."""
    eve = world.throwaway("eve")
    names = [unique("adm"), unique("adm")]
    for name in names:
        world.bind(name, "admin", eve.name)
    path = f"{NS}/kube-system/secrets"
    wait_until(lambda: eve.get(path).status == 200, 2)
    assert root.delete(f"{BINDINGS}/{names[0]}").status == 200
    time.sleep(0.5)
    assert eve.get(path).status == 200
    assert "llmos:admins" in eve.get("/auth/whoami").json()["user"]["groups"]
    with eve.watch(path) as watch:
        assert root.delete(f"{BINDINGS}/{names[1]}").status == 200
        wait_until(lambda: eve.get(path).status == 403, 2)
        assert watch.ended.wait(5)
    assert "llmos:admins" not in eve.get("/auth/whoami").json()["user"]["groups"]
    found = f"{MG}/users/{eve.name}"
    wait_until(lambda: not world.do("GET", found)["status"].get("isAdmin"), 5)


def test_rbac_10_a_deleted_role_gives_nothing(root: Actor, world: World):
    """A GlobalRole of everything that is deleted gives nothing any more."""
    eve = world.throwaway("eve")
    name = unique("all")
    assert root.post(f"{MG}/globalroles", global_role(name, rule("*", "*", "*"))).status == 201
    world.bind(f"{name}-eve", name, eve.name)
    path = f"{NS}/kube-system/secrets"
    wait_until(lambda: eve.get(path).status == 200, 2)
    assert "llmos:admins" not in eve.get("/auth/whoami").json()["user"]["groups"]
    assert root.delete(f"{MG}/globalroles/{name}").status == 200
    wait_until(lambda: eve.get(path).status == 403, 2)
    assert root.delete(f"{BINDINGS}/{name}-eve").status == 200


def test_rbac_12_a_locked_template_takes_no_members(carol: Actor, root: Actor, world: World):
    """It is bound by nobody, and unlocked by admins alone."""
    name = unique("locked")
    made = role_template(name, rule("management.llmos.ai", "users", "get"))
    made["spec"]["locked"] = True
    assert root.post(TEMPLATES, made).status == 201
    path = f"{TEMPLATES}/{name}"
    with world.unchanged():
        for actor in (carol, root):
            bound = member(unique("late"), "team-x", name, subject("newbie"))
            assert actor.post(BINDINGS, bound).status == 422
        for change in ({"spec": {"locked": False}}, {"spec": {"locked": None}}, {"spec": None}):
            assert carol.patch(path, change).status in (403, 422)
        free = {**made, "spec": {"displayName": "x"}}
        assert carol.apply(path, {**free, "spec": {"locked": False}}).status == 403
        whole = world.do("GET", path)
        whole["spec"]["locked"] = False
        assert carol.put(path, whole).status == 403
    assert root.delete(path).status == 200


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("roletemplates", "namespace-owner"),
        ("roletemplates", "namespace-readonly"),
        ("globalroles", "admin"),
        ("globalroles", "user"),
    ],
)
def test_rbac_13_what_is_built_in_stays(
    carol: Actor, root: Actor, world: World, kind: str, name: str
):
    """Its rules and its mark are changed by nobody, and nobody deletes it."""
    path = f"{MG}/{kind}/{name}"
    rules = [rule("*", "*", "*")]
    whole = world.do("GET", path)
    body = {"apiVersion": whole["apiVersion"], "kind": whole["kind"], "metadata": {"name": name}}
    with world.unchanged():
        for actor in (carol, root):
            assert actor.delete(path).status == 403
            assert actor.patch(path, {"spec": {"builtin": False}}).status == 403
            assert actor.patch(path, {"spec": {"builtin": None}}).status == 403
            assert actor.patch(path, {"spec": None}).status == 403
            for each in ([], rules) if name != "admin" else ([],):
                assert actor.patch(path, {"rules": each}).status == 403
                assert actor.apply(path, {**body, "rules": each}).status == 403
                assert actor.put(path, {**whole, "rules": each}).status == 403
            assert actor.apply(path, {**body, "spec": {"builtin": False}}).status == 403
            for field in ("spec", "rules"):
                assert actor.json_patch(path, {"op": "remove", "path": f"/{field}"}).status == 403
        plural = path.rpartition("/")[0]
        assert carol.delete(plural).status == 403
        assert carol.patch(path, {"spec": {"locked": True}}).status in (403, 422)
    root.delete(f"{MG}/{kind}?fieldSelector=metadata.name%3D{name}")
    assert world.do("GET", path)["rules"] == whole["rules"]


def test_rbac_13_nobody_marks_his_own_as_built_in(carol: Actor, root: Actor, world: World):
    """The mark is the platform's."""
    made = role_template(unique("own"), rule("management.llmos.ai", "users", "get"))
    made["spec"]["builtin"] = True
    with world.unchanged():
        for actor in (carol, root):
            assert actor.post(TEMPLATES, made).status == 403
    del made["spec"]["builtin"]
    assert carol.post(TEMPLATES, made).status == 201
    path = f"{TEMPLATES}/{made['metadata']['name']}"
    with world.unchanged():
        for actor in (carol, root):
            assert actor.patch(path, {"spec": {"builtin": True}}).status == 403
    assert carol.delete(path).status == 200


ODD = [
    (rule("", "pods*", "get list"), (False, False, False)),
    (rule("", "pod", "get list"), (False, False, False)),
    (rule("", "Pods", "get list"), (False, False, False)),
    (rule("", "*/log", "get list"), (False, True, False)),
    (rule("", "pods/*", "get list"), (False, False, False)),
    (rule("", "pods pods/log secrets", "g*"), (False, False, False)),
    (rule("", "pods pods/log secrets", "GET LIST"), (False, False, False)),
    (rule("*.io", "pods pods/log secrets", "get list"), (False, False, False)),
    (rule("*", "pods", "get list"), (True, False, False)),
    (rule("", "*", "get list"), (True, True, True)),
]


@pytest.mark.parametrize(("odd", "expected"), ODD, ids=json.dumps)
def test_rbac_18_only_stars_are_special(world: World, odd: dict, expected: tuple):
    """Everything but ``*`` and ``*/sub`` in a rule is literal, case and all."""
    eve = world.throwaway("eve")
    world.odd_rule(eve, "team-x", odd)
    paths = ("pods", "pods/x/log", "secrets")
    found = tuple(eve.get(f"{NS}/team-x/{path}").status != 403 for path in paths)
    assert found == expected
    attributes = [("list", "pods", ""), ("get", "pods", "log"), ("list", "secrets", "")]
    asked = tuple(eve.may(verb, kind, "team-x", subresource=sub) for verb, kind, sub in attributes)
    assert asked == expected


def test_rbac_21_nobody_plants_what_a_controller_makes(alice: Actor, root: Actor, world: World):
    """Objects at the names that a controller uses are neither adopted nor give anybody anything."""
    name = unique("planted")
    planted = []
    for each in (f"llmos-{name}", f"llmos-namespacedrole-{name}", f"llmos:roletemplate:{name}"):
        made = role_binding(each, "llmos:roletemplate:namespace-readonly", subject("mallory"))
        answer = alice.post(ROLE_BINDINGS, made)
        assert answer.status in (201, 422)
        planted.append(each)
    bound = world.bind(name, "namespace-readonly", "newbie", "team-a")
    uid = bound["metadata"]["uid"]
    made = [
        each
        for each in world.do("GET", ROLE_BINDINGS)["items"]
        if any(ref["uid"] == uid for ref in each["metadata"].get("ownerReferences", ()))
    ]
    assert len(made) == 1
    assert made[0]["metadata"]["name"] not in planted
    assert [each["name"] for each in made[0]["subjects"]] == ["newbie"]
    # She may write what the controller made; it comes back as it was.
    path = f"{ROLE_BINDINGS}/{made[0]['metadata']['name']}"
    wider = {"subjects": [*made[0]["subjects"], subject("mallory")]}
    assert alice.patch(path, wider).status == 200
    wait_until(lambda: world.do("GET", path)["subjects"] == made[0]["subjects"], 2)
    assert alice.delete(path).status == 200
    wait_until(lambda: world.operator.get(path).status_code == 200, 2)
    for each in planted:
        alice.delete(f"{ROLE_BINDINGS}/{each}")
    assert root.delete(f"{BINDINGS}/{name}").status == 200
    newbie = world.actors["newbie"]
    wait_until(lambda: newbie.get(f"{NS}/team-a/configmaps").status == 403, 2)


def test_rbac_21_a_taken_name_is_a_conflict_and_gives_nothing(
    alice: Actor, root: Actor, world: World
):
    """Whoever takes the name of a binding while it is away gets nothing by it."""
    name = unique("taken")
    bound = world.bind(name, "namespace-readonly", "newbie", "team-a")
    short = f"llmos-{name}-{bound['metadata']['uid'].replace('-', '')[:8]}"
    path = f"{ROLE_BINDINGS}/{short}"
    wait_until(lambda: world.operator.get(path).status_code == 200, 2)
    assert root.patch(f"{BINDINGS}/{name}", {"expiresAt": "2999-01-01T00:00:00Z"}).status == 200
    made = role_binding(short, "llmos:roletemplate:namespace-readonly", subject("mallory"))
    # For a moment the name is free: she tries until it is hers or the controller's.
    assert alice.delete(path).status == 200
    alice.post(ROLE_BINDINGS, made)

    def settled() -> bool:
        found = world.operator.get(path)
        if found.status_code != 200:
            return False
        ours = any(
            ref["uid"] == bound["metadata"]["uid"]
            for ref in found.json()["metadata"].get("ownerReferences", ())
        )
        names = [each["name"] for each in found.json()["subjects"]]
        return names == (["newbie"] if ours else ["mallory"])

    wait_until(settled, 3)
    alice.delete(path)
    assert root.delete(f"{BINDINGS}/{name}").status == 200
    wait_until(lambda: world.operator.get(path).status_code == 404, 3)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["orphan", "foreground", "finalizer", "collection"])
def test_rbac_24_access_ends_with_the_binding(root: Actor, world: World, way: str):
    """However a binding is deleted, its access ends within 2 s."""
    eve = world.throwaway("eve")
    name = unique("end")
    world.bind(name, "namespace-owner", eve.name, "team-x")
    path, binding = f"{NS}/team-x/configmaps", f"{BINDINGS}/{name}"
    wait_until(lambda: eve.get(path).status == 200, 2)
    if way == "finalizer":
        hold = {"metadata": {"finalizers": ["example.com/hold"]}}
        assert root.patch(binding, hold).status == 200
    query = {"orphan": "?propagationPolicy=Orphan", "foreground": "?propagationPolicy=Foreground"}
    with eve.watch(path) as watch:
        if way == "collection":
            answer = root.delete(f"{BINDINGS}?fieldSelector=metadata.name%3D{name}")
            if world.on_cluster:
                assert answer.status == 403  # one by one, where a rule cannot see them all
                answer = root.delete(binding)
        else:
            answer = root.delete(f"{binding}{query.get(way, '')}")
        assert answer.status == 200
        wait_until(lambda: eve.get(path).status == 403, 2)
        assert watch.ended.wait(5)
    if way == "finalizer":
        assert "deletionTimestamp" in world.do("GET", binding)["metadata"]
        assert root.patch(binding, {"metadata": {"finalizers": None}}).status == 200
    wait_until(lambda: world.operator.get(binding).status_code == 404, COLLECTED_SECONDS)


@pytest.mark.on("embedded")
def test_rbac_27_a_template_bound_to_many_stays_as_it_is(world: World):
    """Fifty bindings leave the template as it was, and give each of them its rules alone."""
    name = unique("plain")
    made = role_template(name, rule("", "configmaps", "get list"))
    before = world.do("POST", TEMPLATES, made)
    eve = world.throwaway("eve")

    def bind(number: int) -> None:
        who = eve.name if number == 0 else f"user-{number}"
        world.do("POST", BINDINGS, member(f"{name}-{number}", "team-x", name, subject(who)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bind, range(50)))
    path = f"{NS}/team-x"
    wait_until(lambda: eve.get(f"{path}/configmaps").status == 200, 5)
    assert eve.get(path).status == 403
    assert eve.get(f"{path}/secrets").status == 403
    assert eve.delete(f"{path}/configmaps").status == 403
    after = world.do("GET", f"{TEMPLATES}/{name}")
    assert after["rules"] == before["rules"]
    assert after["spec"] == before["spec"]
    role = world.do("GET", f"{RB}/clusterroles/llmos:roletemplate:{name}")
    assert role["rules"] == before["rules"]
    for number in range(50):
        world.do("DELETE", f"{BINDINGS}/{name}-{number}")
    wait_until(lambda: eve.get(f"{path}/configmaps").status == 403, 2)
    world.do("DELETE", f"{TEMPLATES}/{name}")


def test_rbac_29_rights_count_when_the_change_is_made(root: Actor, world: World):
    """A body that trickles in does not carry rights of the beginning to its end."""
    eve = world.throwaway("eve")
    name = unique("slow")
    world.bind(name, "namespace-owner", eve.name, "team-x")
    path = f"{NS}/team-x/configmaps"
    wait_until(lambda: eve.get(path).status == 200, 2)
    target = unique("slow")
    assert eve.post(path, config_map(target, state="before")).status == 201
    body = json.dumps(config_map(target, state="after")).encode()
    pairs = [("Authorization", f"Bearer {eve.token}"), ("Content-Type", "application/json")]
    data = request_bytes("PUT", f"{path}/{target}", pairs, body)
    with world.wire.connect() as tls:
        tls.sendall(data[:-20])
        time.sleep(1)
        assert root.delete(f"{BINDINGS}/{name}").status == 200
        wait_until(lambda: eve.get(path).status == 403, 2)
        for number in range(20, 0, -1):
            tls.sendall(data[-number : len(data) - number + 1])
            time.sleep(0.125)
        answer = read_answer(tls, "PUT")
    eve.check(answer)
    assert answer.status in (401, 403)
    assert world.do("GET", f"{path}/{target}")["data"] == {"state": "before"}
    world.do("DELETE", f"{path}/{target}")


def _tuples() -> list[tuple[str, str, str]]:
    kinds = ["configmaps", "secrets", "pods", "resourcequotas", "services", "namespaces", "events"]
    verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
    places = ["team-a", "team-b", "llmos-public", "kube-system"]
    return [(verb, kind, place) for verb in verbs for kind in kinds for place in places][:224]


def _try(actor: Actor, verb: str, kind: str, place: str) -> int:
    """Do it as a dry run, on a name that nobody has or with a body that says nothing."""
    collection = f"{NS}/{place}/{kind}"
    named = f"{collection}/nobody-has-this"
    if kind == "namespaces":
        collection, named = NS, f"{NS}/{place}"
    selector = "fieldSelector=metadata.name%3Dnobody-has-this"
    method, target, body = {
        "get": ("GET", named, None),
        "list": ("GET", f"{collection}?{selector}", None),
        "watch": ("GET", f"{collection}?watch=1&{selector}", None),
        "create": ("POST", f"{collection}?dryRun=All", {"metadata": {"name": "Not A Name"}}),
        "update": ("PUT", f"{named}?dryRun=All", {"metadata": {"name": "nobody-has-this"}}),
        "patch": ("PATCH", f"{named}?dryRun=All", b"not json"),
        "delete": ("DELETE", f"{named}?dryRun=All", None),
        "deletecollection": ("DELETE", f"{collection}?dryRun=All&{selector}", None),
    }[verb]
    if verb == "watch":
        return actor.status(method, target)
    content = MERGE if verb == "patch" else JSON
    return actor.call(method, target, body, content=content).status


@pytest.mark.parametrize("who", ["alice", "vera"])
def test_rbac_30_what_a_review_says_is_what_happens(world: World, who: str):
    """For hundreds of (verb, resource, namespace) the review and the deed agree."""
    actor = world.actors[who]
    wrong = []
    for verb, kind, place in _tuples():
        if (kind, verb) in (("namespaces", "list"), ("namespaces", "watch")):
            continue  # a list of namespaces is narrowed, never refused: see below
        if (kind, verb) == ("namespaces", "create"):
            allowed = actor.may(verb, kind)
        else:
            name = place if kind == "namespaces" else ""
            allowed = actor.may(verb, kind, place, name=name)
        status = _try(actor, verb, kind, place)
        if allowed is (status == 403):
            wrong.append((verb, kind, place, allowed, status))
    assert not wrong
    assert not actor.may("list", "namespaces")
    assert actor.get(NS).status == 200
    assert actor.get(NS).names == ["llmos-public", "team-a"]
