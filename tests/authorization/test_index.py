"""The index under any order of events."""

from hypothesis import given, settings
from hypothesis import strategies as st

from authorization.objects import ALICE, BOB, ask, binding, drop, index_of, put, role, rule
from llmos.apimachinery.resource import GroupResource
from llmos.apis.authentication_v1 import UserInfo, service_account_name
from llmos.authorization.index import ROLES, RBACIndex
from llmos.authorization.rbac import RBACAuthorizer

ROBOT = UserInfo(service_account_name("a", "robot"), groups=("system:serviceaccounts",))
PEOPLE = (ALICE, BOB, ROBOT)
QUESTIONS = tuple(
    (verb, what, namespace, name)
    for verb in ("get", "list")
    for what in ("pods", "secrets", "pods/log", "/metrics")
    for namespace in (("",) if what.startswith("/") else ("", "a", "b"))
    for name in ("", "x")
)

NAMESPACES = st.sampled_from(["", "a", "b"])
NAMES = st.sampled_from(["one", "two"])
RULE = st.builds(
    rule,
    st.sampled_from(["get", "list", "*", "get,list"]),
    st.sampled_from(["core", "apps", "*"]),
    st.sampled_from(["pods", "secrets", "*", "*/log", "pods,pods/log"]),
    st.sampled_from(["", "", "x", "y,x"]),
    st.sampled_from(["", "/metrics", "/m*"]),
)
ROLE = st.builds(
    lambda namespace, name, rules: role(namespace, name, *rules),
    NAMESPACES,
    NAMES,
    st.lists(RULE, max_size=3),
)
BINDING = st.builds(
    lambda namespace, name, kind, role_name, subjects: binding(
        namespace, name, f"{kind}/{role_name}", *subjects
    ),
    NAMESPACES,
    NAMES,
    st.sampled_from(["Role", "ClusterRole", "Rule"]),
    NAMES,
    st.lists(
        st.sampled_from(
            [
                "User/alice",
                "User/bob",
                "Group/devs",
                "Group/system:authenticated",
                "ServiceAccount/a/robot",
                "ServiceAccount/robot",
                "User/system:serviceaccount:a:robot",
                "Group/system:serviceaccounts",
                "Robot/alice",
            ]
        ),
        max_size=3,
    ),
)
EVENTS = st.lists(st.tuples(st.booleans(), st.one_of(ROLE, BINDING)), max_size=14)


def key_of(obj):
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def applies(user, subject, namespace):
    """Whether a subject means the user, read off Kubernetes' documentation."""
    kind, name = subject["kind"], subject["name"]
    if kind == "User":
        return user.name == name
    if kind == "Group":
        return name in user.groups
    owner = subject.get("namespace") or namespace
    return kind == "ServiceAccount" and user.name == f"system:serviceaccount:{owner}:{name}"


def grants_it(each, verb, what, name):
    """Whether a rule, as plain JSON, allows the request."""
    if verb not in each["verbs"] and "*" not in each["verbs"]:
        return False
    if what.startswith("/"):
        return any(
            url == what or (url.endswith("*") and what.startswith(url[:-1]))
            for url in each.get("nonResourceURLs", ())
        )
    wanted = {"*", what} | ({"*/log"} if what.endswith("/log") else set())
    names = each.get("resourceNames", ())
    return (
        bool({"", "*"} & set(each["apiGroups"]))
        and bool(wanted & set(each["resources"]))
        and (not names or name in names)
    )


def naive(objects, user, question):
    """Evaluate all objects from the start, without any index."""
    verb, what, namespace, name = question
    for obj in objects.values():
        where = obj["metadata"].get("namespace", "")
        if "roleRef" not in obj or where not in ("", namespace):
            continue
        if not any(applies(user, each, where) for each in obj["subjects"]):
            continue
        kind = obj["roleRef"]["kind"]
        found = objects.get((kind, where if kind == "Role" else "", obj["roleRef"]["name"]))
        if found and any(grants_it(each, verb, what, name) for each in found["rules"]):
            return True
    return False


@settings(max_examples=150)
@given(EVENTS)
def test_any_events_leave_what_a_fresh_look_finds(events):
    """After every event the answers are those of an evaluation that knows no index."""
    index = RBACIndex()
    authorizer = RBACAuthorizer(index)
    objects = {}
    for is_set, obj in events:
        if is_set:
            put(index, obj)
            objects[key_of(obj)] = obj
        else:
            drop(index, obj)
            objects.pop(key_of(obj), None)
        asked = QUESTIONS[len(objects) % 5 :: 5]
        for user in PEOPLE:
            for question in asked:
                found = authorizer.authorize(ask(user, *question)).allowed
                assert found is naive(objects, user, question), (user.name, question)


@settings(max_examples=100)
@given(EVENTS, st.one_of(ROLE, BINDING))
def test_more_never_takes_away(events, more):
    """A new role or binding leaves allowed whatever was allowed."""
    index = index_of(*(obj for is_set, obj in events if is_set))
    authorizer = RBACAuthorizer(index)
    if any(key_of(more) == key_of(obj) for _, obj in events):
        return
    before = {
        (user, question)
        for user in PEOPLE
        for question in QUESTIONS
        if authorizer.authorize(ask(user, *question)).allowed
    }
    put(index, more)
    assert all(authorizer.authorize(ask(user, *question)).allowed for user, question in before)


@settings(max_examples=100)
@given(EVENTS)
def test_all_deleted_leaves_nothing(events):
    """The index forgets wholly: nothing remains of what came and went."""
    index = RBACIndex()
    for is_set, obj in events:
        (put if is_set else drop)(index, obj)
    for _, obj in events:
        drop(index, obj)
    assert not index._subjects
    assert not index._bindings
    assert not index._roles


def test_the_generation_rises_with_effective_changes_only():
    """What changes no answer (labels, the same again, an unknown delete) raises nothing."""
    index = index_of(role("a", "r", rule("get", "core", "pods")), binding("a", "b", "Role/r"))
    generation = index.generation
    labelled = role("a", "r", rule("get", "core", "pods"))
    labelled["metadata"]["labels"] = {"a": "b"}
    put(index, labelled, binding("a", "b", "Role/r"))
    drop(index, role("a", "unknown"))
    drop(index, binding("a", "unknown", "Role/r"))
    index.set(GroupResource("", "pods"), labelled)
    index.delete(GroupResource("", "pods"), labelled)
    assert index.generation == generation
    put(index, binding("a", "b", "Role/r", "User/alice"))
    assert index.generation > generation


def test_a_missing_role_grants_nothing_until_it_appears():
    """A binding that dangles comes to life with its role, and dies with it."""
    index = index_of(binding("a", "b", "Role/r", "User/alice"))
    authorizer = RBACAuthorizer(index)
    question = ask(ALICE, "get", "pods", "a")
    assert not authorizer.authorize(question).allowed
    pods = role("a", "r", rule("get", "core", "pods"))
    put(index, pods)
    assert authorizer.authorize(question).allowed
    index.delete(ROLES, {"metadata": {"name": "r", "namespace": "a"}})
    assert not authorizer.authorize(question).allowed


def test_a_cluster_role_binding_reaches_no_role():
    """A ClusterRoleBinding that names a Role grants nothing, whatever Roles there are."""
    index = index_of(role("a", "r", rule("*", "*", "*")), binding("", "b", "Role/r", "User/alice"))
    assert not RBACAuthorizer(index).authorize(ask(ALICE, "get", "pods", "a")).allowed


def test_namespaces_are_those_with_bindings():
    """Only namespaces with a RoleBinding for the identity count, group bindings included."""
    index = index_of(
        binding("a", "b", "Role/r", "User/alice"),
        binding("b", "b", "Role/r", "Group/devs"),
        binding("c", "b", "Role/r", "User/bob"),
        binding("", "b", "ClusterRole/r", "User/alice"),
    )
    assert index.namespaces(ALICE) == {"a", "b"}
