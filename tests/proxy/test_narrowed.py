"""A narrowed list or watch of a real cluster is the whole one without what the user may not see."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints.exchange import request_of
from llmos.apimachinery.errors import (
    ForbiddenError,
    NotAcceptableError,
    NotFoundError,
    TimedOutError,
)
from llmos.apimachinery.resource import APIResource
from llmos.apis.authentication_v1 import UserInfo
from llmos.client import resources as known
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.endpoints import watching
from llmos.endpoints.narrowing import View
from llmos.endpoints.requestinfo import parse_request
from llmos.manifests import load
from llmos.watchcache import listing
from proxy.part import Part, opened, place, state, told
from reconcile.waiting import eventually
from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
MINE = frozenset({"mine-a", "mine-b"})
ALL = ("mine-a", "mine-b", "other-a", "other-b")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
IN_MINE, NAMED_MINE = View(namespaces=MINE), View(names=MINE)
FOR_MINE = View(targets=MINE)
WIDGETS = APIResource("example.com", "v1", "widgets", "widget", "Widget", namespaced=True)
CRD = {
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "additionalPrinterColumns": [
                    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                    {"name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1},
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer"},
                                    "color": {"type": "string"},
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}
POD = {"spec": {"containers": [{"name": "main", "image": "main"}]}}
DEPLOYMENTS = known.resource("apps", "v1", "deployments", "Deployment", namespaced=True)
SERVICES = known.resource("", "v1", "services", "Service", namespaced=True)
KINDS = {
    "/api/v1/namespaces": NAMED_MINE,
    "/api/v1/configmaps": IN_MINE,
    "/api/v1/pods": IN_MINE,
    "/api/v1/services": IN_MINE,
    "/apis/apps/v1/deployments": IN_MINE,
    "/apis/example.com/v1/widgets": IN_MINE,
    "/apis/management.llmos.ai/v1/roletemplatebindings": FOR_MINE,
    "/apis/rbac.authorization.k8s.io/v1/roles": IN_MINE,
}


class Site:
    """A real cluster with something in it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.config = Config(plane.url, ADMIN_TOKEN, plane.ca_file.read_text())

    def run(self, doing: Callable[[Client, Part], Awaitable[Any]]) -> Any:
        """Run a test with a part of the cluster."""

        async def whole() -> Any:
            async with (
                Client(self.config) as client,
                opened(client, time.monotonic, time.time) as part,
            ):
                return await doing(client, part)

        return asyncio.run(whole())

    async def fill(self) -> None:
        """Make some of every kind, in every namespace."""
        async with Client(self.config) as client:
            for crd in (*load("crds"), CRD):
                await client.create(known.CUSTOM_RESOURCE_DEFINITIONS, crd)
            for name in ALL:
                await client.create(known.NAMESPACES, {"metadata": {"name": name}})
                await client.create(
                    known.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, namespace=name
                )
                await self._fill(client, name)
            await _served(client, WIDGETS)
            await _served(client, known.ROLE_TEMPLATE_BINDINGS)
            for number, name in enumerate(ALL):
                spec = {"size": number, "color": "red" if number % 2 else "blue"}
                widget = {"metadata": {"name": "w"}, "spec": spec}
                await client.create(WIDGETS, widget, namespace=name)
                await client.create(known.ROLE_TEMPLATE_BINDINGS, binding(f"b-{name}", name))

    async def _fill(self, client: Client, namespace: str) -> None:
        for number in range(3):
            labels = {"parity": "odd" if number % 2 else "even"}
            meta = {"name": f"c-{number}", "labels": labels}
            await client.create(known.CONFIG_MAPS, {"metadata": meta}, namespace=namespace)
        await client.create(known.PODS, {"metadata": {"name": "p"}, **POD}, namespace=namespace)
        role = {"metadata": {"name": "r"}, "rules": []}
        await client.create(known.ROLES, role, namespace=namespace)
        service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
        await client.create(SERVICES, service, namespace=namespace)
        template = {"metadata": {"labels": {"app": "d"}}, **POD}
        spec = {"selector": {"matchLabels": {"app": "d"}}, "template": template}
        deployment = {"metadata": {"name": "d"}, "spec": spec}
        await client.create(DEPLOYMENTS, deployment, namespace=namespace)


def binding(name: str, namespace: str) -> dict:
    """A role template binding for a namespace."""
    reference = {"apiGroup": "management.llmos.ai", "kind": "RoleTemplate", "name": "owner"}
    return {
        "metadata": {"name": name},
        "namespaceId": namespace,
        "roleTemplateRef": reference,
        "subjects": [{"kind": "User", "name": "uma"}],
    }


async def _served(client: Client, resource: APIResource) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            await client.list_page(resource, limit=1)
        except NotFoundError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster with objects of several teams."""
    with control_plane(tmp_path_factory.mktemp("controlplane")) as plane:
        made = Site(plane)
        asyncio.run(made.fill())
        yield made


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Watches look up often."""
    monkeypatch.setattr(watching, "RECHECK_SECONDS", 0.02)


def shown(view: View, obj: dict) -> bool:
    """Whether a view shows an object, computed apart from the code that is tested."""
    meta = obj["metadata"]
    if view.targets is not None:
        return obj.get("namespaceId") in view.targets
    if view.names is not None:
        return meta["name"] in view.names
    return meta.get("namespace") in (view.namespaces or ())


async def whole(client: Client, target: str, **headers: str) -> Any:
    """The cluster's own answer to its administrator."""
    response = await client.request("GET", target, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("path", KINDS)
def test_a_list_is_the_whole_one_without_the_rest(site: Site, path: str) -> None:
    """Object by object, field by field; and the head of the list is the same."""

    async def check(client: Client, part: Part) -> None:
        view = KINDS[path]
        mine, everything = await part.get(path, view), await whole(client, path)
        wanted = [each for each in everything["items"] if shown(view, each)]
        assert wanted
        assert len(wanted) < len(everything["items"])
        assert mine["items"] == wanted
        assert (mine["kind"], mine["apiVersion"]) == (everything["kind"], everything["apiVersion"])
        assert int(mine["metadata"]["resourceVersion"]) > 0

    site.run(check)


@pytest.mark.parametrize("path", [each for each in KINDS if "rbac" not in each])
def test_a_table_is_the_whole_one_without_the_rest(site: Site, path: str) -> None:
    """Columns and cells are the cluster's."""

    async def check(client: Client, part: Part) -> None:
        view = KINDS[path]
        query = "?includeObject=Object"
        mine = await part.get(path + query, view, accept=TABLE)
        everything = await whole(client, path + query, Accept=TABLE)
        names = [each["name"] for each in mine["columnDefinitions"]]
        for key in ("name", "type", "format", "priority"):
            wanted = [each[key] for each in everything["columnDefinitions"]]
            assert [each[key] for each in mine["columnDefinitions"]] == wanted
        rows = [each for each in everything["rows"] if shown(view, each["object"])]
        ages = {number for number, name in enumerate(names) if name == "Age"}
        assert [_cells(each, ages) for each in mine["rows"]] == [
            _cells(each, ages) for each in rows
        ]
        assert [each["object"] for each in mine["rows"]] == [each["object"] for each in rows]

    site.run(check)


def _cells(row: dict, ages: set[int]) -> list:
    """The cells without those that change while one looks."""
    return [cell for number, cell in enumerate(row["cells"]) if number not in ages]


@pytest.mark.parametrize("path", ["/api/v1/namespaces", "/apis/example.com/v1/widgets"])
def test_metadata_alone_is_the_whole_one_without_the_rest(site: Site, path: str) -> None:
    """A PartialObjectMetadataList."""

    async def check(client: Client, part: Part) -> None:
        mine = await part.get(path, KINDS[path], accept=METADATA)
        everything = await whole(client, path, Accept=METADATA)
        names = {place(each) for each in mine["items"]}
        assert names
        assert mine["kind"] == everything["kind"]
        assert mine["items"] == [each for each in everything["items"] if place(each) in names]

    site.run(check)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/configmaps", "labelSelector=parity%3Deven"),
        ("/api/v1/configmaps", "fieldSelector=metadata.name%3Dc-1"),
        ("/api/v1/configmaps", "fieldSelector=metadata.namespace%3Dmine-b"),
        ("/api/v1/configmaps", "fieldSelector=metadata.namespace%3Dother-a"),
        ("/api/v1/pods", "fieldSelector=status.phase%3DPending"),
        ("/api/v1/pods", "fieldSelector=status.phase%21%3DPending"),
        ("/apis/example.com/v1/widgets", "fieldSelector=spec.color%3Dred"),
        ("/api/v1/namespaces", "fieldSelector=status.phase%3DActive"),
    ],
)
def test_selectors_select_as_in_the_cluster(site: Site, path: str, query: str) -> None:
    """By labels, and by the fields that the kind has."""

    async def check(client: Client, part: Part) -> None:
        everything = (await whole(client, f"{path}?{query}"))["items"]
        wanted = [place(each) for each in everything if shown(KINDS[path], each)]
        assert await part.names(f"{path}?{query}", KINDS[path]) == wanted

    site.run(check)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/configmaps", "fieldSelector=spec.color%3Dred"),
        ("/apis/example.com/v1/widgets", "fieldSelector=spec.size%3D1"),
        ("/api/v1/configmaps", "limit=x"),
        ("/api/v1/configmaps", "resourceVersionMatch=Exact"),
        ("/api/v1/configmaps", "resourceVersionMatch=Bad&resourceVersion=1"),
        ("/api/v1/configmaps", "resourceVersion=x"),
        ("/api/v1/configmaps", "continue=x"),
    ],
)
def test_what_the_cluster_refuses_is_refused(site: Site, path: str, query: str) -> None:
    """With the same code and reason."""

    async def check(client: Client, part: Part) -> None:
        theirs = await client.request("GET", f"{path}?{query}")
        ours = await part.refusal(f"{path}?{query}", KINDS[path])
        assert (ours.code, ours.reason) == (theirs.status_code, theirs.json()["reason"])

    site.run(check)


def test_pages_make_the_whole(site: Site) -> None:
    """Page by page, of one revision."""

    async def check(client: Client, part: Part) -> None:
        del client
        wanted = await part.names("/api/v1/configmaps", IN_MINE)
        found, token, revisions = [], "", set()
        while True:
            page = await part.get(f"/api/v1/configmaps?limit=2&continue={token}")
            found += [place(each) for each in page["items"]]
            revisions.add(page["metadata"]["resourceVersion"])
            assert len(page["items"]) <= 2
            token = page["metadata"].get("continue", "")
            if not token:
                break
        assert found == wanted
        assert len(revisions) == 1

    site.run(check)


def test_a_future_revision_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """And refused with 504 if it does not come."""
    monkeypatch.setattr(listing, "FUTURE_WAIT", 0.1)

    async def check(client: Client, part: Part) -> None:
        del client
        path = "/api/v1/configmaps?resourceVersion=9999999"
        error = await part.refusal(path, IN_MINE)
        assert isinstance(error, TimedOutError)
        assert error.retry_after == 1

    site.run(check)


def test_only_reads_are_narrowed(site: Site) -> None:
    """A deletecollection of what one sees in part is the user's own refusal."""

    async def check(client: Client, part: Part) -> None:
        uma = UserInfo("uma", groups=("llmos:users",))
        for method, target in (
            ("DELETE", "/api/v1/configmaps"),
            ("DELETE", "/apis/management.llmos.ai/v1/roletemplatebindings"),
            ("POST", "/api/v1/configmaps"),
        ):
            request = request_of(method, target, user=uma)
            request.visible = IN_MINE
            with pytest.raises(ForbiddenError):
                await part.narrowed(request)
        request = request_of("GET", "/api/v1/configmaps", user=uma)
        with pytest.raises(ForbiddenError):
            await part.narrowed(request)
        assert (await whole(client, "/api/v1/configmaps"))["items"]

    site.run(check)


def test_one_object_is_shown_or_not_there(site: Site) -> None:
    """A binding for somebody else's namespace is 404, whether it exists or not."""

    async def check(client: Client, part: Part) -> None:
        path = "/apis/management.llmos.ai/v1/roletemplatebindings"
        mine = await part.get(f"{path}/b-mine-a", FOR_MINE)
        assert mine == await whole(client, f"{path}/b-mine-a")
        hidden = await part.refusal(f"{path}/b-other-a")
        missing = await part.refusal(f"{path}/b-other-x")
        assert isinstance(hidden, NotFoundError)
        assert hidden.message == missing.message.replace("other-x", "other-a")

    site.run(check)


def test_formats_are_negotiated(site: Site) -> None:
    """Whoever prefers protobuf and takes JSON gets JSON; whoever takes nothing else, a 406."""

    async def check(client: Client, part: Part) -> None:
        del client
        protobuf = "application/vnd.kubernetes.protobuf"
        path = "/api/v1/namespaces"
        both = await part.get(path, NAMED_MINE, accept=f"{protobuf},application/json")
        assert both["kind"] == "NamespaceList"
        with pytest.raises(NotAcceptableError):
            await part.ask(path, accept=protobuf)

    site.run(check)


def test_namespaced_kinds_are_known(site: Site) -> None:
    """Those that the cluster serves, custom ones as soon as they are; what is no list is none."""

    async def check(client: Client, part: Part) -> None:
        def namespaced(path: str) -> bool:
            return part.caches.namespaced(parse_request("GET", path.encode(), {}))

        assert namespaced("/api/v1/pods")
        assert namespaced("/apis/example.com/v1/widgets")
        assert namespaced("/apis/discovery.k8s.io/v1/endpointslices")
        assert not namespaced("/api/v1/nodes")
        assert not namespaced("/apis/authorization.k8s.io/v1/localsubjectaccessreviews")
        assert not namespaced("/apis/example.com/v1/gadgets")
        names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
        spec = {**CRD["spec"], "names": names}
        crd = {"metadata": {"name": "gadgets.example.com"}, "spec": spec}
        await client.create(known.CUSTOM_RESOURCE_DEFINITIONS, crd)
        await eventually(lambda: namespaced("/apis/example.com/v1/gadgets"))
        await client.delete(known.CUSTOM_RESOURCE_DEFINITIONS, "", "gadgets.example.com")
        await eventually(
            lambda: not part.caches.kinds._custom.get("gadgets.example.com"), seconds=10
        )

    site.run(check)


# Watches


async def _change(client: Client, random: Random, number: int) -> None:
    """Do something with a config map."""
    namespace, name = random.choice(ALL), f"w-{random.randrange(4)}"
    obj = {
        "metadata": {"name": name, "labels": {"team": random.choice(("x", "y"))}},
        "data": {"n": str(number)},
    }
    try:
        if random.random() < 0.3:
            await client.delete(known.CONFIG_MAPS, namespace, name)
        else:
            await client.apply(
                known.CONFIG_MAPS,
                {**obj, "metadata": {**obj["metadata"], "namespace": namespace}},
                manager="tests",
            )
    except NotFoundError:
        return


@pytest.mark.parametrize("query", ["", "&labelSelector=team%3Dx"])
def test_a_watch_is_the_whole_one_without_the_rest(site: Site, query: str) -> None:
    """Event by event, from the same revision; the objects are those of the cluster."""

    async def check(client: Client, part: Part) -> None:
        path = "/api/v1/configmaps"
        since = (await part.get(path, IN_MINE))["metadata"]["resourceVersion"]
        random = Random(7)
        target = f"{path}?watch=true&resourceVersion={since}{query}"
        async with part.watching(target) as stream:
            for number in range(60):
                await _change(client, random, number)
            marked = {"metadata": {"name": "end", "labels": {"team": "x"}}}
            await client.create(known.CONFIG_MAPS, marked, namespace="mine-a")
            await eventually(lambda: ("ADDED", "mine-a/end") in told(stream))
        theirs = await _events(client, target, "mine-a/end")
        wanted = [each for each in theirs if shown(IN_MINE, each["object"])]
        assert stream.events == wanted
        assert len(wanted) > 10
        await client.delete(known.CONFIG_MAPS, "mine-a", "end")

    site.run(check)


async def _events(client: Client, target: str, last: str) -> list[dict]:
    """The cluster's own events, up to the one about an object."""
    path, _, query = target.partition("?")
    params = dict(httpx.QueryParams(query))
    found: list[dict] = []
    rest = b""
    async with client.stream(path, params) as chunks:
        async for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            found += [httpx.Response(200, content=line).json() for line in lines]
            if found and place(found[-1]["object"]) == last:
                return found
    raise AssertionError(found)


_VIEWS = st.lists(st.frozensets(st.sampled_from(ALL)), min_size=1, max_size=5)


@settings(max_examples=8)
@given(views=_VIEWS, seed=st.integers(0, 1 << 16))
def test_a_watch_follows_the_rights(site: Site, views: list[frozenset[str]], seed: int) -> None:
    """What comes into sight is ADDED, what leaves it DELETED: the end is what a list shows."""

    async def check(client: Client, part: Part) -> None:
        path, random = "/api/v1/configmaps", Random(seed)
        listed = await part.get(path, View(namespaces=frozenset()))
        since = listed["metadata"]["resourceVersion"]
        async with part.watching(f"{path}?watch=true&resourceVersion={since}") as stream:
            for number, namespaces in enumerate(views):
                part.see(View(namespaces=namespaces))
                await asyncio.sleep(random.choice((0, 0.03)))
                for step in range(4):
                    await _change(client, random, number * 10 + step)
            listed = await whole(client, path)
            last = View(namespaces=views[-1])
            wanted = {place(each): each for each in listed["items"] if shown(last, each)}
            await eventually(lambda: _versions(state(stream)) == _versions(wanted))
            assert {key: each["data"] for key, each in state(stream).items() if "data" in each} == {
                key: each["data"] for key, each in wanted.items() if "data" in each
            }

    site.run(check)


def _versions(objects: dict[str, dict]) -> dict[str, str]:
    return {key: each["metadata"]["resourceVersion"] for key, each in objects.items()}


def test_a_watch_ends_with_the_rights(site: Site) -> None:
    """And an open one may become whole."""

    async def check(client: Client, part: Part) -> None:
        path = "/api/v1/namespaces?watch=true"
        async with part.watching(path, NAMED_MINE) as stream:
            await eventually(lambda: len(told(stream)) == 2)
            everything = (await whole(client, "/api/v1/namespaces"))["items"]
            part.see(None)
            await eventually(lambda: len(told(stream)) == len(everything))
            del part.views["uma"]
            part.streams.rights_changed()
            await eventually(lambda: stream not in part.streams)

    site.run(check)


def test_a_streamed_list_ends_with_its_bookmark(site: Site) -> None:
    """WatchList: what is seen, then the annotated bookmark, with the revision to go on from."""

    async def check(client: Client, part: Part) -> None:
        query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        path = f"/api/v1/namespaces?{query}&allowWatchBookmarks=true"
        async with part.watching(path, NAMED_MINE) as stream:
            await eventually(lambda: len(stream.events) == 3)
        bookmark = stream.events[-1]
        meta = bookmark["object"]["metadata"]
        assert bookmark["type"] == "BOOKMARK"
        assert meta["annotations"] == {"k8s.io/initial-events-end": "true"}
        since = meta["resourceVersion"]
        async with part.watching(f"/api/v1/namespaces?watch=true&resourceVersion={since}") as again:
            await client.patch(known.NAMESPACES, "", "mine-a", {"metadata": {"labels": {"a": "b"}}})
            await eventually(lambda: told(again) == [("MODIFIED", "mine-a")])

    site.run(check)


def test_a_revision_that_is_forgotten_is_gone(site: Site) -> None:
    """The watch ends with the 410 that makes a client list again."""

    async def check(client: Client, part: Part) -> None:
        del client
        target = "/api/v1/configmaps?watch=true&resourceVersion=1"
        async with part.watching(target, IN_MINE) as stream:
            await eventually(lambda: stream.events)
        assert [each["object"]["code"] for each in stream.events] == [410]

    site.run(check)


def test_a_read_follows_its_own_write(site: Site) -> None:
    """Every list after a write shows it, however quickly it comes."""

    async def check(client: Client, part: Part) -> None:
        path = "/api/v1/configmaps"
        await part.get(path, IN_MINE)
        for number in range(30):
            name = f"own-{number}"
            made = await client.create(
                known.CONFIG_MAPS, {"metadata": {"name": name}}, namespace="mine-a"
            )
            part.caches.wrote(parse_request("POST", path.encode(), {}), made)
            assert f"mine-a/{name}" in await part.names(path)
            gone = await client.delete(known.CONFIG_MAPS, "mine-a", name)
            where = f"/api/v1/namespaces/mine-a/configmaps/{name}"
            part.caches.wrote(parse_request("DELETE", where.encode(), {}), gone)
            assert f"mine-a/{name}" not in await part.names(path)

    site.run(check)


def test_two_replicas_continue_one_another(site: Site) -> None:
    """A watch goes on at another replica from the revision that the first one gave."""

    async def check(client: Client, part: Part) -> None:
        path = "/api/v1/configmaps"
        async with opened(client, time.monotonic) as other:
            await other.get(path, IN_MINE)
            since = (await part.get(path, IN_MINE))["metadata"]["resourceVersion"]
            async with other.watching(f"{path}?watch=true&resourceVersion={since}") as stream:
                await client.create(
                    known.CONFIG_MAPS, {"metadata": {"name": "relay"}}, namespace="mine-b"
                )
                await eventually(lambda: told(stream) == [("ADDED", "mine-b/relay")])
        await client.delete(known.CONFIG_MAPS, "mine-b", "relay")

    site.run(check)


def test_kinds_that_cannot_be_followed_are_not_narrowed(site: Site) -> None:
    """Reviews have neither list nor watch."""

    async def check(client: Client, part: Part) -> None:
        del client
        path = "/apis/authorization.k8s.io/v1/localsubjectaccessreviews"
        assert isinstance(await part.refusal(path, IN_MINE), NotFoundError)
        assert isinstance(await part.refusal("/api/v1/nothing", IN_MINE), NotFoundError)

    site.run(check)
