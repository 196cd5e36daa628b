"""Protobuf bodies are kube-apiserver's own, byte for byte, for every kind whose table we have."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos.apimachinery.protobuf import decode
from llmos.apimachinery.protobuf_encoding import encode, encode_event
from support.controlplane import ADMIN_TOKEN, ControlPlane, control_plane
from support.objects import Object
from support.session import Session

pytestmark = pytest.mark.slow
PROTOBUF = "application/vnd.kubernetes.protobuf"
OBJECTS: list[Object] = json.loads(
    (Path(__file__).parent / "data" / "protobuf_objects.json").read_text()
)
"""One of each kind, with values of every type, zero and empty ones among them."""
LIST_KINDS = sorted({(each["apiVersion"], f"{each['kind']}List") for each in OBJECTS})


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane without admission that would want controllers."""
    off = "--disable-admission-plugins=ServiceAccount"
    with control_plane(tmp_path_factory.mktemp("controlplane"), off) as running:
        yield running


@pytest.fixture(scope="module")
def root(plane: ControlPlane) -> Iterator[Session]:
    """Its administrator, with the objects there."""
    session = plane.session("admin", ADMIN_TOKEN)
    for obj in OBJECTS:
        answer = session.create(_path(session, obj), obj)
        assert answer.status_code == 201, answer.text
    yield session
    session.close()


def _path(root: Session, obj: Object) -> str:
    """Where a kind's objects of the namespace ``default`` are, as discovery says."""
    version = obj["apiVersion"]
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    kind = obj["kind"].removesuffix("List")
    found = next(
        each
        for each in root.get(base).json()["resources"]
        if each["kind"] == kind and "/" not in each["name"]
    )
    scope = "/namespaces/default" if found["namespaced"] else ""
    return f"{base}{scope}/{found['name']}"


def _protobuf(root: Session, path: str, **query: str) -> bytes:
    answer = root.http.get(path, headers={"Accept": PROTOBUF}, params=query)
    assert answer.headers["content-type"] == PROTOBUF
    return answer.content


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: obj["kind"])
def test_objects(root: Session, obj: Object) -> None:
    """What is JSON here is that protobuf there, and nothing is lost when it is read."""
    path = f"{_path(root, obj)}/{obj['metadata']['name']}"
    as_json, as_protobuf = root.get(path).json(), _protobuf(root, path)
    assert encode(as_json) == as_protobuf
    assert encode(decode(as_protobuf)) == as_protobuf


@pytest.mark.parametrize(("version", "kind"), LIST_KINDS)
def test_lists(root: Session, version: str, kind: str) -> None:
    """A page of a list, with what says that there is more, in whatever namespace."""
    path = _path(root, {"apiVersion": version, "kind": kind}).replace("/namespaces/default", "")
    for query in ({}, {"limit": "1"}):
        listed = root.get(path, **query).json()
        assert listed["items"]
        body = encode(listed)
        # A continuation is made anew each time, of the revision that it was asked at.
        if listed["metadata"].get("continue"):
            assert len(body) == len(_protobuf(root, path, **query))
        else:
            assert body == _protobuf(root, path, **query)


def test_refusals(root: Session) -> None:
    """A Status, with its details and causes."""
    for path in (
        "/api/v1/namespaces/default/configmaps/nothing",
        "/api/v1/nothing/nothing",
        "/apis/apps/v1/deployments?fieldSelector=a",
    ):
        assert encode(root.get(path).json()) == _protobuf(root, path)
    path, bad = "/api/v1/namespaces", {"metadata": {"name": "Not a name"}}
    said = root.http.post(path, json=bad, headers={"Accept": PROTOBUF})
    assert said.content == encode(root.create(path, bad).json())


def test_watches(root: Session) -> None:
    """A watch's frames, the first of which are the objects that are there."""
    path = "/api/v1/namespaces/default/configmaps"
    query = {"watch": "true", "timeoutSeconds": "1"}
    events = [json.loads(line) for line in root.get(path, **query).text.splitlines()]
    answer = root.http.get(path, headers={"Accept": PROTOBUF}, params=query)
    assert answer.headers["content-type"] == f"{PROTOBUF};stream=watch"
    assert events
    assert answer.content == b"".join(
        encode_event(each["type"], encode(each["object"])) for each in events
    )
    (size,) = struct.unpack_from(">I", answer.content)
    assert size < len(answer.content)


@pytest.mark.parametrize("kind", ["PartialObjectMetadata", "PartialObjectMetadataList"])
def test_metadata_alone(root: Session, kind: str) -> None:
    """What a client of metadata gets."""
    path = "/api/v1/namespaces/default/configmaps"
    path += "" if kind.endswith("List") else "/values"
    form = f";as={kind};g=meta.k8s.io;v=v1"
    as_json = root.http.get(path, headers={"Accept": f"application/json{form}"}).json()
    answer = root.http.get(path, headers={"Accept": f"{PROTOBUF}{form}"})
    assert as_json["kind"] == kind
    assert answer.content == encode(as_json)
