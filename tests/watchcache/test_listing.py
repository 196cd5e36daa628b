"""Lists: pages at one revision, continue tokens, revisions and their matches, scope."""

import base64

import orjson
import pytest

from llmos.apimachinery.errors import (
    BadRequestError,
    ExpiredError,
    InvalidError,
    StatusError,
    TimedOutError,
)
from llmos.apimachinery.selectors import FieldSelector, LabelSelector
from llmos.storage.config import StorageConfig
from llmos.watchcache import listing
from llmos.watchcache.interface import Key
from llmos.watchcache.listing import (
    ListOptions,
    Scope,
    check_options,
    decode_all,
    decode_continue,
    encode_continue,
)
from llmos.watchcache.matching import Selection
from registry.world import World, changed, config_map


@pytest.fixture
def full(world):
    """Five config maps in two namespaces."""
    for where in ("team-b", "team-a"):
        for name in ("c", "a", "b")[: 3 if where == "team-a" else 2]:
            world.create(config_map(name, where))
    return world


ALL = ["team-a/a", "team-a/b", "team-a/c", "team-b/a", "team-b/c"]


def names(page):
    """Where the objects of a page are."""
    return [f"{key.namespace}/{key.name}" for key, _ in page.items]


def token(**fields):
    """A continue token with these contents."""
    return base64.urlsafe_b64encode(orjson.dumps(fields)).decode()


def test_lists_are_ordered_by_namespace_and_name(full):
    """Whatever the order in which things were made."""
    page = full.page()
    assert names(page) == ALL
    assert (page.revision, page.continue_token, page.remaining) == (full.revision, "", None)
    assert names(full.page(namespace="team-b")) == ["team-b/a", "team-b/c"]
    assert names(full.page(namespace="team-c")) == []


def test_decodes_what_it_lists(full):
    """Objects with kind and apiVersion."""
    objects = decode_all(full.kind("configmaps"), full.page(namespace="team-b").items)
    assert [(each["kind"], each["metadata"]["name"]) for each in objects] == [
        ("ConfigMap", "a"),
        ("ConfigMap", "c"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
def test_pages_are_cut_from_one_snapshot(full, limit):
    """What comes, goes and changes meanwhile is not in them; each object is seen once."""
    page = full.page(limit=limit)
    revision, seen, pages = page.revision, names(page), 1
    full.delete(config_map("c", "team-b"))
    full.create(config_map("d", "team-a"))
    full.update(config_map("b", "team-a", x="y"))
    while page.continue_token:
        assert page.remaining == len(ALL) - len(seen)
        page = full.page(limit=limit, continue_token=page.continue_token)
        assert page.revision == revision
        assert all(b'"k":"v"' in record.value for _, record in page.items)
        seen += names(page)
        pages += 1
    assert seen == ALL
    assert pages == -(-len(ALL) // limit)
    assert len(full.page().items) == 5


def test_the_rest_is_not_counted_with_a_selector(full):
    """As kube-apiserver, which does not know it then."""
    page = full.page(limit=1, matches=lambda obj: obj["metadata"]["name"] == "a")
    assert page.continue_token
    assert page.remaining is None
    rest = full.page(
        limit=1,
        continue_token=page.continue_token,
        matches=lambda obj: obj["metadata"]["name"] == "a",
    )
    assert names(page) + names(rest) == ["team-a/a", "team-b/a"]
    assert rest.continue_token == ""


@pytest.mark.parametrize(
    "junk",
    [
        "x",
        "%%%",
        "ä",
        "eyJ2IjoxfQ",
        token(),
        token(rv=1),
        token(rv="x", after=["configmaps", "", ""]),
        token(rv=1, after=["configmaps", ""]),
        token(rv=1, after="configmaps"),
        token(rv=0, after=["configmaps", "", ""]),
        token(rv=-1, after=["configmaps", "", ""]),
        token(rv=1, after=["secrets", "", ""]),
        token(rv=1, after=7),
        base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b"[" * 9999).decode(),
    ],
)
def test_tokens_that_are_none_are_refused(full, junk):
    """Junk, and tokens of another list, are the client's mistake."""
    with pytest.raises(BadRequestError):
        full.page(continue_token=junk)


def test_a_token_from_the_future_is_refused(full):
    """Its revision was never reached."""
    future = encode_continue(full.revision + 1000, Key("configmaps", "", ""))
    with pytest.raises(StatusError) as caught:
        full.page(continue_token=future)
    assert caught.value.code == 400


def test_a_token_comes_back_as_it_was():
    """What is encoded is decoded; names and namespaces are free text."""
    key = Key("configmaps", "team-a", "ä?/=")
    assert decode_continue(encode_continue(7, key), "configmaps") == (7, ("team-a", "ä?/="))


@pytest.fixture
def forgetful():
    """A store that remembers a few events, and no lists."""
    made = World(StorageConfig(window_events=4, window_seconds=0, snapshots=1))
    for name in "abc":
        made.create(config_map(name))
    yield made
    made.close()


def test_what_is_forgotten_is_expired(forgetful):
    """The client is told to begin again, in the two texts that clients know."""
    page = forgetful.page(limit=1)
    for number in range(30):
        forgetful.update(config_map(x=str(number)))
        forgetful.page(limit=1)
    with pytest.raises(ExpiredError, match="continue parameter is too old"):
        forgetful.page(limit=1, continue_token=page.continue_token)
    with pytest.raises(ExpiredError, match="too old"):
        forgetful.page(resource_version="2", match="Exact")


@pytest.mark.parametrize(
    ("version", "match", "limit", "wanted"),
    [
        ("", "", 0, "now"),
        ("0", "", 0, "now"),
        ("old", "", 0, "now"),
        ("old", "NotOlderThan", 0, "now"),
        ("0", "NotOlderThan", 0, "now"),
        ("old", "NotOlderThan", 9, "now"),
        ("old", "Exact", 0, "then"),
        ("old", "Exact", 9, "then"),
        ("old", "", 9, "then"),
        ("0", "", 9, "now"),
    ],
)
def test_a_version_is_a_minimum_or_exact(full, version, match, limit, wanted):
    """Which of both Kubernetes' table of resourceVersion, match and limit says."""
    old = str(full.revision)
    full.create(config_map("d", "team-c"))
    page = full.page(
        resource_version=old if version == "old" else version, match=match, limit=limit
    )
    assert names(page) == (ALL if wanted == "then" else [*ALL, "team-c/d"])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (ListOptions(match="Newest", resource_version="1"), InvalidError),
        (ListOptions(match="Exact"), InvalidError),
        (ListOptions(match="NotOlderThan"), InvalidError),
        (ListOptions(match="Exact", resource_version="0"), InvalidError),
        (ListOptions(match="Exact", resource_version="1", continue_token="x"), InvalidError),
        (ListOptions(resource_version="1", continue_token="x"), BadRequestError),
    ],
)
def test_contradictions_are_refused(options, error):
    """Combinations that mean nothing get no list."""
    with pytest.raises(error):
        check_options(options)


@pytest.mark.parametrize("version", ["abc", "-1", "1.5", " 1", "²", str(1 << 63), "1_0"])
def test_a_version_is_a_number(full, version):
    """Anything else is a 400 and not a list of something."""
    with pytest.raises(BadRequestError):
        full.page(resource_version=version)


def test_a_version_of_the_future_is_waited_for(full, monkeypatch):
    """For a while; then the client hears that it is too large."""
    monkeypatch.setattr(listing, "FUTURE_WAIT", 0.1)
    with pytest.raises(TimedOutError, match="Too large resource version") as caught:
        full.page(resource_version=str(full.revision + 1000))
    assert caught.value.details["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_version_that_comes_soon_is_answered(full):
    """The list waits for a write that is on its way."""
    served = full.kind("configmaps")
    wanted = full.revision + 1

    async def both():
        obj, _ = served.decode(config_map("z"))
        options = ListOptions(resource_version=str(wanted))
        waiting = full.store.list(served, None, options, listing.EVERYTHING, None)
        await full.store.create(served, obj, full.context(config_map("z")))
        return await waiting

    assert "team-a/z" in names(full.run(both()))


@pytest.mark.parametrize(
    ("scope", "namespace", "wanted"),
    [
        (Scope(frozenset({"team-b"})), None, ["team-b/a", "team-b/c"]),
        (Scope(frozenset({"team-b", "team-x"})), None, ["team-b/a", "team-b/c"]),
        (Scope(frozenset()), None, []),
        (Scope(frozenset({"team-b"})), "team-a", []),
        (Scope(frozenset({"team-a"})), "team-a", ["team-a/a", "team-a/b", "team-a/c"]),
        (Scope(allows=lambda key, value: key.name == "a"), None, ["team-a/a", "team-b/a"]),
        (Scope(frozenset({"team-a"}), lambda key, value: key.name == "a"), None, ["team-a/a"]),
        (Scope(allows=lambda key, value: b"nothing" in value), None, []),
    ],
)
def test_a_scope_bounds_a_list(full, scope, namespace, wanted):
    """Nothing from outside of it is in the list, or counted."""
    page = full.page(namespace=namespace, scope=scope)
    assert names(page) == wanted
    assert page.revision == full.revision
    first = full.page(namespace=namespace, scope=scope, limit=1)
    assert first.remaining == (len(wanted) - 1 if len(wanted) > 1 else None)


def test_pages_of_a_scope_are_cut_from_one_snapshot(full):
    """Also where several namespaces are joined."""
    scope = Scope(frozenset({"team-a", "team-b"}))
    page = full.page(scope=scope, limit=2)
    full.create(config_map("d", "team-b"))
    full.delete(config_map("c", "team-a"))
    rest = full.page(scope=scope, limit=9, continue_token=page.continue_token)
    assert names(page) + names(rest) == ALL
    assert rest.revision == page.revision


def matching(world, plural, labels="", fields="", group=""):
    """The test of selectors of a kind."""
    selection = Selection(LabelSelector.parse(labels), FieldSelector.parse(fields))
    return selection.matcher(world.kind(plural, group))


def test_no_selector_is_no_test(world):
    """Everything matches without being looked at."""
    assert matching(world, "configmaps") is None


@pytest.mark.parametrize(
    ("labels", "fields", "wanted"),
    [
        ("a=1", "", True),
        ("a=2", "", False),
        ("a,!b", "", True),
        ("", "metadata.name=a", True),
        ("", "metadata.name!=a", False),
        ("", "metadata.namespace=team-a", True),
        ("a=1", "metadata.name=b", False),
        ("a=2", "metadata.name=a", False),
    ],
)
def test_selectors_are_about_labels_name_and_namespace(world, labels, fields, wanted):
    """Both must agree."""
    obj = changed(config_map(), metadata={"labels": {"a": "1"}})
    assert matching(world, "configmaps", labels, fields)(obj) is wanted


def test_a_kind_brings_its_own_fields(world):
    """What the strategy names can be selected by."""
    test = matching(world, "events", fields="reason=Started,involvedObject.kind=Pod")
    event = {"metadata": {"name": "e"}, "reason": "Started", "involvedObject": {"kind": "Pod"}}
    assert test(event)
    assert not test({**event, "reason": "Stopped"})


@pytest.mark.parametrize(
    ("plural", "group", "text"),
    [
        ("configmaps", "", '"data" is not a known field selector: only "metadata.name"'),
        ("events", "", "field label not supported: data"),
        ("widgets", "example.com", "field label not supported: data"),
    ],
)
def test_unknown_fields_are_refused(world, plural, group, text):
    """A selector that cannot be answered is never read as 'everything'."""
    with pytest.raises(BadRequestError) as caught:
        matching(world, plural, fields="data=x", group=group)
    assert text in caught.value.message
