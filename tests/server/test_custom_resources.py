"""CustomResourceDefinitions come to life and go with their instances."""

import asyncio
import json

import pytest

from endpoints.exchange import Answer, scope_of
from llmos.apimachinery.errors import ForbiddenError
from llmos.apimachinery.object import copy_object, find_condition
from llmos.endpoints import watching
from llmos.server import customresources
from reconcile.waiting import eventually
from registry.world import CRD
from server.site import opened

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
WIDGET = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}}
MERGE = "application/merge-patch+json"


@pytest.fixture
def site(monkeypatch):
    """A server of its own, whose worker comes back soon."""
    monkeypatch.setattr(customresources, "_RETRY_SECONDS", 0.01)
    with opened() as made:
        yield made


def definition(plural="widgets", kind="Widget", **names):
    """A definition with these names."""
    crd = copy_object(CRD)
    crd["metadata"]["name"] = f"{plural}.example.com"
    crd["spec"]["names"] = {
        "plural": plural,
        "singular": kind.lower(),
        "kind": kind,
        "listKind": f"{kind}List",
        **names,
    }
    return crd


def condition(crd, kind):
    """Status and reason of a condition."""
    found = find_condition(crd, kind)
    return (found["status"], found["reason"]) if found else None


def working(site, scenario):
    """Run a scenario beside the worker."""

    async def both():
        worker = asyncio.ensure_future(site.core.custom.run())
        try:
            return await scenario()
        finally:
            worker.cancel()

    return site.run(both())


async def established(site, crd):
    """Create a definition and wait until it is served."""
    answer = await site.asked("POST", CRDS, crd)
    assert answer.status == 201, answer.body
    await eventually(lambda: site.core.catalog.custom(crd["metadata"]["name"]))


async def read(site, target):
    """The JSON of a GET."""
    return (await site.asked("GET", target)).json


def test_a_definition_is_established_and_served(site):
    """Names are accepted, the path answers, discovery knows it."""

    async def scenario():
        assert (await site.asked("GET", WIDGETS)).status == 404
        await established(site, definition(shortNames=["wg"]))
        crd = await read(site, f"{CRDS}/widgets.example.com")
        assert condition(crd, "Established") == ("True", "InitialNamesAccepted")
        assert condition(crd, "NamesAccepted") == ("True", "NoConflicts")
        assert crd["status"]["acceptedNames"]["shortNames"] == ["wg"]
        assert crd["status"]["storedVersions"] == ["v1"]
        made = await site.asked("POST", WIDGETS, WIDGET)
        assert (made.status, made.json["spec"]) == (201, {"size": 3})
        assert (await read(site, WIDGETS))["items"][0]["kind"] == "Widget"
        rows = (await read(site, "/apis/example.com/v1"))["resources"]
        assert {each["name"] for each in rows} == {"widgets", "widgets/status", "widgets/scale"}

    working(site, scenario)


def test_a_change_is_served_at_once(site):
    """The commit that acknowledges a new schema has put it in force."""

    async def scenario():
        await established(site, definition())
        assert (await site.asked("POST", WIDGETS, {**WIDGET, "spec": {"size": 0}})).status == 422
        new = await read(site, f"{CRDS}/widgets.example.com")
        schema = new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        schema["properties"]["spec"]["properties"]["size"]["minimum"] = 0
        assert (await site.asked("PUT", f"{CRDS}/widgets.example.com", new)).status == 200
        assert (await site.asked("POST", WIDGETS, {**WIDGET, "spec": {"size": 0}})).status == 201

    working(site, scenario)


def test_names_that_are_taken_wait_until_they_are_free(site):
    """A second definition of a kind is not served, and says why; it is once the first is gone."""

    async def scenario():
        await established(site, definition())
        await site.asked("POST", CRDS, definition("gadgets"))

        async def gadgets():
            return await read(site, f"{CRDS}/gadgets.example.com")

        for _ in range(200):
            crd = await gadgets()
            if condition(crd, "NamesAccepted"):
                break
            await asyncio.sleep(0.005)
        assert condition(crd, "NamesAccepted")[0] == "False"
        assert condition(crd, "Established")[0] == "False"
        assert not site.core.catalog.custom("gadgets.example.com")
        await site.asked("DELETE", f"{CRDS}/widgets.example.com")
        await eventually(lambda: site.core.catalog.custom("gadgets.example.com"))
        assert condition(await gadgets(), "Established")[0] == "True"

    working(site, scenario)


def test_a_definition_takes_its_instances_along(site):
    """It says what it waits for, takes no new ones, and is gone after the last of them."""

    async def scenario():
        await established(site, definition())
        await site.asked("POST", WIDGETS, WIDGET)
        held = {**WIDGET, "metadata": {"name": "held", "finalizers": ["example.com/x"]}}
        await site.asked("POST", WIDGETS, held)
        answer = await site.asked("DELETE", f"{CRDS}/widgets.example.com")
        assert answer.json["metadata"]["deletionTimestamp"]
        late = await site.asked("POST", WIDGETS, {**WIDGET, "metadata": {"name": "late"}})
        assert late.status == 403
        stored = site.core.storage.list
        await eventually(lambda: len(stored("widgets.example.com").items) == 1)
        crd = await read(site, f"{CRDS}/widgets.example.com")
        assert condition(crd, "Terminating") == ("True", "InstanceDeletionInProgress")
        patch = {"metadata": {"finalizers": None}}
        await site.asked("PATCH", f"{WIDGETS}/held", patch, content_type=MERGE)
        await eventually(lambda: not site.core.catalog.custom("widgets.example.com"))
        assert (await site.asked("GET", f"{CRDS}/widgets.example.com")).status == 404
        assert (await site.asked("GET", WIDGETS)).status == 404
        assert not stored("widgets.example.com").items
        await established(site, definition())
        assert (await read(site, WIDGETS))["items"] == []

    working(site, scenario)


def test_no_instance_outlives_its_definition(site):
    """An instance that is on its way when the deletion begins is deleted too."""

    async def scenario():
        await established(site, definition())
        deleting = site.asked("DELETE", f"{CRDS}/widgets.example.com")
        creating = [
            site.asked("POST", WIDGETS, {**WIDGET, "metadata": {"name": f"w{i}"}})
            for i in range(20)
        ]
        answers = await asyncio.gather(deleting, *creating)
        assert {each.status for each in answers[1:]} <= {201, 403, 404}
        await eventually(lambda: not site.core.catalog.custom("widgets.example.com"))
        assert not site.core.storage.list("widgets.example.com").items

    working(site, scenario)


def test_what_is_established_is_served_from_the_start(site):
    """A restart serves it without asking anybody."""

    async def scenario():
        await established(site, definition())

    working(site, scenario)
    site.core.catalog.set_custom("widgets.example.com", ())
    site.core.custom.start()
    assert site.get(WIDGETS)["items"] == []


def test_a_conflict_is_tried_again(site, monkeypatch):
    """A definition that changes meanwhile is looked at again."""
    calls = []
    update = type(site.core.platform).update_status

    async def once_in_conflict(self, resource, obj):
        calls.append(obj)
        if len(calls) == 1:
            obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": "1"}}
        return await update(self, resource, obj)

    monkeypatch.setattr(type(site.core.platform), "update_status", once_in_conflict)

    async def scenario():
        await established(site, definition())

    working(site, scenario)
    assert len(calls) >= 2


def test_a_definition_that_was_never_served_just_goes(site):
    """It waits for no instances."""

    async def scenario():
        await established(site, definition())
        await site.asked("POST", CRDS, definition("gadgets"))
        await site.asked("DELETE", f"{CRDS}/gadgets.example.com")
        key = site.core.catalog.of(customresources.CRDS).key("", "gadgets.example.com")
        await eventually(lambda: site.core.storage.get(key) is None)

    working(site, scenario)


@pytest.mark.parametrize("error", [ForbiddenError("not now"), ValueError("not now")])
def test_a_refusal_is_tried_again(site, monkeypatch, caplog, error):
    """The worker goes on, and says what it could not do; what nobody expected included."""
    calls = []
    update = type(site.core.platform).update_status

    async def refused_once(self, resource, obj):
        calls.append(obj)
        if len(calls) == 1:
            raise error
        return await update(self, resource, obj)

    monkeypatch.setattr(type(site.core.platform), "update_status", refused_once)

    async def scenario():
        await established(site, definition())

    working(site, scenario)
    assert "not now" in caplog.text


@pytest.fixture
def quick(monkeypatch):
    """Watches look up often, so that tests need not wait."""
    monkeypatch.setattr(watching, "RECHECK_SECONDS", 0.02)


def told(stream):
    """Type and name of every event so far."""
    return [(each["type"], each["object"]["metadata"]["name"]) for each in stream.events]


def changed(crd, **version):
    """The definition with another first version."""
    new = copy_object(crd)
    new["spec"]["versions"][0] |= version
    return new


def test_a_watch_ends_with_its_kind(site, quick):
    """The end of every instance is told before, also where rights change meanwhile."""

    async def scenario():
        await established(site, definition())
        await site.asked("POST", WIDGETS, WIDGET)
        held = {**WIDGET, "metadata": {"name": "held", "finalizers": ["example.com/x"]}}
        await site.asked("POST", WIDGETS, held)
        async with site.watching("/apis/example.com/v1/widgets?watch=true") as stream:
            await eventually(lambda: len(told(stream)) == 2)
            await site.asked("DELETE", f"{CRDS}/widgets.example.com")
            await eventually(lambda: ("DELETED", "w") in told(stream))
            await asyncio.sleep(0.1)
            assert not stream.ended.done()
            patch = {"metadata": {"finalizers": None}}
            await site.asked("PATCH", f"{WIDGETS}/held", patch, content_type=MERGE)
            site.core.streams.rights_changed()
            await asyncio.wait_for(stream.ended, 3)
            return told(stream)

    assert working(site, scenario)[2:] == [
        ("DELETED", "w"),
        ("MODIFIED", "held"),
        ("DELETED", "held"),
    ]


def test_a_watch_ends_where_its_kind_is_served_otherwise(site, quick):
    """A new schema is for new watches; labels and conditions change nothing for those there are."""

    async def scenario():
        await established(site, definition())
        path = f"{CRDS}/widgets.example.com"
        async with site.watching(f"{WIDGETS}?watch=true") as stream:
            await eventually(lambda: site.core.streams)
            await site.asked(
                "PATCH", path, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE
            )
            await asyncio.sleep(0.1)
            assert not stream.ended.done()
            new = changed(await read(site, path), deprecated=True)
            assert (await site.asked("PUT", path, new)).status == 200
            await asyncio.wait_for(stream.ended, 3)

    working(site, scenario)


class Slowly:
    """A request whose body comes in after something else has happened."""

    def __init__(self, site, method, target, body):
        self.answer = Answer()
        self.rest = asyncio.Event()
        self._body = json.dumps(body).encode()
        kind = MERGE if method == "PATCH" else "application/json"
        headers = {"authorization": "Bearer root", "content-type": kind}
        scope = scope_of(method, target, headers)
        self.task = asyncio.ensure_future(site.app(scope, self._receive, self.answer.send))

    async def _receive(self):
        await self.rest.wait()
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def end(self):
        """The answer, once the body has come in."""
        self.rest.set()
        await self.task
        return self.answer


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("POST", "", {**WIDGET, "spec": {"size": 0}}),
        ("PUT", "/w", {**WIDGET, "spec": {"size": 0}}),
        ("PATCH", "/w", {"spec": {"size": 0}}),
    ],
)
def test_a_write_is_judged_by_the_definition_that_is_then(site, method, name, body):
    """Not by the one that was there when the first byte of the request came."""

    async def scenario():
        await established(site, definition())
        path = f"{CRDS}/widgets.example.com"
        made = await site.asked("POST", WIDGETS, WIDGET)
        body["metadata"] = {"resourceVersion": made.json["metadata"]["resourceVersion"]}
        if method != "PATCH":
            body["metadata"]["name"] = "w" if name else "new"
        if method == "POST":
            del body["metadata"]["resourceVersion"]
        slow = Slowly(site, method, f"{WIDGETS}{name}", body)
        await asyncio.sleep(0)
        new = changed(await read(site, path))
        properties = new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        properties["spec"]["properties"]["size"]["minimum"] = 0
        assert (await site.asked("PUT", path, new)).status == 200
        assert (await slow.end()).status in (200, 201), slow.answer.body
        other = Slowly(site, method, f"{WIDGETS}{name}", body)
        await asyncio.sleep(0)
        await site.asked("DELETE", path)
        await eventually(lambda: not site.core.catalog.custom("widgets.example.com"))
        assert (await other.end()).status == 404
        assert not site.core.storage.list("widgets.example.com").items

    working(site, scenario)


def test_a_stricter_schema_lets_be_what_does_not_change(site):
    """On every way to write: other fields may change, and rules warn."""

    async def scenario():
        await established(site, definition())
        loose = await site.asked("POST", WIDGETS, {**WIDGET, "spec": {"size": 2}})
        assert loose.status == 201
        path = f"{CRDS}/widgets.example.com"
        new = copy_object(await read(site, path))
        properties = new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        size = properties["spec"]["properties"]["size"]
        size["minimum"] = 3
        size["x-kubernetes-validations"] = [{"rule": "self > 3", "message": "too small"}]
        assert (await site.asked("PUT", path, new)).status == 200
        for kind, body in (
            (MERGE, {"metadata": {"labels": {"a": "b"}}}),
            (
                "application/json-patch+json",
                [{"op": "add", "path": "/metadata/labels/c", "value": "d"}],
            ),
        ):
            answer = await site.asked("PATCH", f"{WIDGETS}/w", body, content_type=kind)
            assert answer.status == 200, answer.body
            warning = '299 - "spec.size: Invalid value: 2: too small"'
            assert answer.headers["warning"] == [warning]
        current = await read(site, f"{WIDGETS}/w")
        current["metadata"]["labels"] = {}
        assert (await site.asked("PUT", f"{WIDGETS}/w", current)).status == 200
        status = {"status": {"replicas": 1}}
        target = f"{WIDGETS}/w/status"
        answer = await site.asked("PATCH", target, status, content_type=MERGE)
        assert answer.status == 200, answer.body
        worse = {"spec": {"size": 1}}
        answer = await site.asked("PATCH", f"{WIDGETS}/w", worse, content_type=MERGE)
        assert answer.status == 422
        assert "warning" not in answer.headers
        assert (
            await site.asked(
                "POST", WIDGETS, {**WIDGET, "metadata": {"name": "x"}, "spec": {"size": 2}}
            )
        ).status == 422

    working(site, scenario)
