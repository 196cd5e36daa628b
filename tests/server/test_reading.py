"""Get and list: representations, pages, caches, and what a narrowed user sees."""

import gzip

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos.endpoints import listcache
from llmos.endpoints.listcache import ListCache
from llmos.endpoints.rendering import list_bytes
from llmos.registry.served import Served
from server.site import config_map

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
EVENT = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "p"},
    "message": "started",
    "type": "Normal",
}


@pytest.fixture
def path(site, place):
    """A collection of two config maps."""
    for name in "ab":
        site.make(f"{place}/configmaps", config_map(name))
    return f"{place}/configmaps"


def names(document):
    """The names in a list."""
    return [each["metadata"]["name"] for each in document["items"]]


def test_an_object_is_what_was_stored(site, path):
    """With its type; the same as the answer to its creation."""
    made = site.make(path, config_map("c"))
    assert site.get(f"{path}/c") == made
    assert site.ask("GET", f"{path}/z").status == 404


def test_a_list_has_a_type_a_revision_and_items(site, path):
    """Items of built-in kinds carry no type of their own, as kube-apiserver sends them."""
    document = site.get(path)
    assert (document["kind"], document["apiVersion"]) == ("ConfigMapList", "v1")
    assert document["metadata"] == {"resourceVersion": str(site.core.storage.revision)}
    assert names(document) == ["a", "b"]
    assert "kind" not in document["items"][0]


def test_items_of_custom_and_converted_kinds_have_a_type(site, place):
    """Theirs are sent as the objects they are."""
    involved = {**EVENT["involvedObject"], "namespace": place.rpartition("/")[2]}
    site.make(f"{place}/events", {**EVENT, "involvedObject": involved})
    newer = site.get(place.replace("/api/v1", "/apis/events.k8s.io/v1") + "/events")
    assert newer["items"][0]["apiVersion"] == "events.k8s.io/v1"
    assert newer["items"][0]["note"] == "started"
    settings_ = site.get("/apis/management.llmos.ai/v1/settings")
    assert all(each["kind"] == "Setting" for each in settings_["items"])
    roles = site.get("/apis/management.llmos.ai/v1/globalroles")
    assert roles["items"][0]["kind"] == "GlobalRole"


def test_an_object_as_a_table(site, path):
    """One row, and the revision of the object."""
    table = site.get(f"{path}/a", accept=TABLE)
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert table["rows"][0]["cells"][:2] == ["a", 1]
    version = site.get(f"{path}/a")["metadata"]["resourceVersion"]
    assert table["metadata"] == {"resourceVersion": version}


@pytest.mark.parametrize(
    ("include", "shown"),
    [
        ("", "PartialObjectMetadata"),
        ("Object", "ConfigMap"),
        ("None", None),
        ("Metadata", "PartialObjectMetadata"),
    ],
)
def test_rows_include_what_is_asked_for(site, path, include, shown):
    """Metadata, the whole object or nothing."""
    table = site.get(f"{path}?includeObject={include}", accept=TABLE)
    obj = table["rows"][0].get("object")
    assert (obj["kind"] if obj else None) == shown
    assert [each["cells"][0] for each in table["rows"]] == ["a", "b"]


def test_rows_include_nothing_else(site, path):
    """An unknown policy is a 400 and not a guess."""
    assert site.ask("GET", f"{path}?includeObject=x", accept=TABLE).status == 400


def test_metadata_alone(site, path):
    """Of an object and of a list, without what is in them."""
    one = site.get(f"{path}/a", accept=METADATA)
    assert (one["kind"], one["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert one["metadata"]["name"] == "a"
    assert "data" not in one
    many = site.get(path, accept=METADATA_LIST)
    assert many["kind"] == "PartialObjectMetadataList"
    assert names(many) == ["a", "b"]
    assert all("data" not in each for each in many["items"])


@pytest.mark.parametrize(("target", "accept"), [("", METADATA), ("/a", METADATA_LIST)])
def test_each_form_belongs_to_its_path(site, path, target, accept):
    """A list is no object and an object no list."""
    assert site.ask("GET", path + target, accept=accept).status == 406


@pytest.mark.parametrize("target", ["", "/a"])
def test_yaml_says_the_same(site, path, target):
    """For people who read it."""
    answer = site.ask("GET", path + target, accept="application/yaml")
    assert answer.headers["content-type"] == ["application/yaml"]
    assert yaml.safe_load(answer.body) == site.get(path + target)


def test_large_lists_are_compressed(site, place):
    """For clients that accept it."""
    site.make(f"{place}/configmaps", config_map("big", x="x" * 200_000))
    answer = site.ask("GET", f"{place}/configmaps", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == ["gzip"]
    assert names(orjson.loads(gzip.decompress(answer.body))) == ["big"]


def test_pages_and_selectors(site, path):
    """A page says how to go on and how much is left."""
    page = site.get(f"{path}?limit=1")
    assert page["metadata"]["remainingItemCount"] == 1
    rest = site.get(f"{path}?limit=1&continue={page['metadata']['continue']}")
    assert (names(page), names(rest)) == (["a"], ["b"])
    assert "continue" not in rest["metadata"]
    assert names(site.get(f"{path}?fieldSelector=metadata.name%3Db")) == ["b"]
    assert names(site.get(f"{path}?labelSelector=x")) == []
    assert site.get(f"{path}?limit=1", accept=TABLE)["metadata"]["remainingItemCount"] == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=x", 400),
        ("limit=99999999999999999999", 400),
        ("limit=1_0", 400),
        ("timeoutSeconds=x", 400),
        ("resourceVersion=x", 400),
        ("resourceVersionMatch=Exact", 422),
        ("continue=x&resourceVersion=5", 400),
        ("continue=x", 400),
        ("labelSelector=a%3D%3D%3D", 400),
        ("fieldSelector=x%3Dy", 400),
    ],
)
def test_bad_options_are_refused(site, path, query, code):
    """Also where a whole list would come from the cache."""
    assert site.ask("GET", f"{path}?{query}").status == code


# Narrowed

GROUP = "rbac.authorization.k8s.io"


def grant(site, place, role="view"):
    """Let uma read in a namespace."""
    site.make(
        place.replace("/api/v1", f"/apis/{GROUP}/v1") + "/rolebindings",
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "uma"},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "User", "name": "uma", "apiGroup": GROUP}],
        },
    )


def where(document):
    """The namespaces in a list."""
    return {each["metadata"]["namespace"] for each in document["items"]}


def test_a_user_sees_his_part_of_the_cluster(site, path, place):
    """In every form, with and without pages; and nothing is an empty list."""
    mine, other = place.rpartition("/")[2], site.namespace()
    site.make(f"{other}/configmaps", config_map("hidden"))
    assert mine not in where(site.get("/api/v1/configmaps", token="uma"))
    grant(site, place)
    seen = site.get("/api/v1/configmaps", token="uma")
    assert {"a", "b"} <= set(names(seen))
    assert "hidden" not in names(seen)
    assert int(seen["metadata"]["resourceVersion"]) == site.core.storage.revision
    table = site.get("/api/v1/configmaps", token="uma", accept=TABLE)
    assert [each["cells"][0] for each in table["rows"]] == names(seen)
    page = site.get("/api/v1/configmaps?limit=1", token="uma")
    assert page["metadata"]["remainingItemCount"] == len(names(seen)) - 1
    assert mine in names(site.get("/api/v1/namespaces", token="uma"))
    assert site.ask("GET", f"{other}/configmaps", token="uma").status == 403
    assert site.ask("GET", "/api/v1/nodes/none", token="uma").status in (403, 404)


def test_whoever_is_no_user_of_llmos_is_refused(site):
    """Robots get Kubernetes' own answer."""
    for target in ("/api/v1/namespaces", "/api/v1/configmaps", "/api/v1/configmaps?watch=true"):
        assert site.ask("GET", target, token="alice").status == 403


def test_what_is_not_shown_is_not_found(site):
    """By name a hidden user reads as one who does not exist."""
    users = "/apis/management.llmos.ai/v1/users"
    made = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "metadata": {"name": "hidden"},
        "spec": {},
    }
    site.make(users, made)
    hidden, missing = (
        site.ask("GET", f"{users}/{each}", token="uma") for each in ("hidden", "none")
    )
    assert (hidden.status, missing.status) == (404, 404)
    assert hidden.body.replace(b"hidden", b"none") == missing.body


# Cached

COMMANDS = st.lists(
    st.tuples(st.sampled_from(["make", "change", "delete", "list"]), st.sampled_from("abc"))
)


@settings(max_examples=25)
@given(COMMANDS)
def test_a_kept_list_is_never_stale(site, commands):
    """Whatever happens between two lists, the second shows it."""
    path = f"{site.namespace()}/configmaps"
    wanted = {}
    for number, (command, name) in enumerate(commands):
        if command == "delete":
            site.ask("DELETE", f"{path}/{name}")
            wanted.pop(name, None)
        elif command != "list":
            method, target = ("PUT", f"{path}/{name}") if name in wanted else ("POST", path)
            site.ask(method, target, config_map(name, n=str(number)))
            wanted[name] = str(number)
        for target in (path, "/api/v1/configmaps"):
            listed = site.get(target)
            found = {
                each["metadata"]["name"]: each["data"].get("n")
                for each in listed["items"]
                if path.endswith(each["metadata"]["namespace"] + "/configmaps")
            }
            assert found == wanted
            assert listed["metadata"]["resourceVersion"] == str(site.core.storage.revision)


def test_a_list_is_joined_once_until_it_changes(site, path, monkeypatch):
    """The second time it is not put together again, unless something in it has changed."""
    joined = []
    join = listcache.join_items

    def counting(served, values):
        joined.append(len(values))
        return join(served, values)

    monkeypatch.setattr(listcache, "join_items", counting)
    first = site.ask("GET", path).body
    other = site.namespace()
    site.make(f"{other}/configmaps", config_map())
    second = site.ask("GET", path).body
    assert joined == [2]
    assert orjson.loads(first)["items"] == orjson.loads(second)["items"]
    site.ask("DELETE", f"{path}/b")
    assert names(site.get(path)) == ["a"]
    assert joined == [2, 1]


def test_kept_lists_stay_within_their_bounds(site, place, monkeypatch):
    """The one used longest ago goes first."""
    monkeypatch.setattr(listcache, "MAX_BYTES", 5_000)
    cache = ListCache()
    served = site.core.catalog.find("", "v1", "configmaps")
    places = [place, site.namespace(), site.namespace()]
    for each in places:
        site.make(f"{each}/configmaps", config_map("a", x="x" * 2_000))
        cache.body(site.core.storage, served, each.rpartition("/")[2])
    assert cache._size <= 5_000
    assert [namespace for _, namespace in cache._kept] == [
        each.rpartition("/")[2] for each in places[1:]
    ]
    assert cache._size == sum(len(each.body) for each in cache._kept.values())
    # A change elsewhere makes the lists say another revision, and changes nothing else.
    before = cache.body(site.core.storage, served, places[2].rpartition("/")[2])
    site.make(f"{place}/secrets", {"metadata": {"name": "s"}})
    after = cache.body(site.core.storage, served, places[2].rpartition("/")[2])
    assert orjson.loads(after)["items"] == orjson.loads(before)["items"]
    revisions = [int(orjson.loads(each)["metadata"]["resourceVersion"]) for each in (before, after)]
    assert revisions == [revisions[0], site.core.storage.revision]
    assert revisions[0] < revisions[1]
    assert cache._size == sum(len(each.body) for each in cache._kept.values())
    site.make(f"{place}/configmaps", config_map("b", x="x" * 9_000))
    body = cache.body(site.core.storage, served, place.rpartition("/")[2])
    assert len(orjson.loads(body)["items"]) == 2
    assert cache._size <= 5_000


def test_a_list_of_nothing_is_an_empty_list(site):
    """And not null."""
    served = site.core.catalog.find("", "v1", "configmaps")
    assert isinstance(served, Served)
    document = orjson.loads(list_bytes(served, [], {"resourceVersion": "1"}))
    assert document["items"] == []
