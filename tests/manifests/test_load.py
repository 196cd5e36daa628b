"""Reading the platform's own content."""

import pytest

from llmos.apimachinery.object import name_of, namespace_of
from llmos.manifests import load

FOLDERS = ("kubernetes", "namespaces", "crds", "policies", "roles", "embedded", "cluster")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_gives_whole_objects(folder):
    """Each object has a kind, a version and a name, and there is no other of that name."""
    objects = load(folder)
    assert objects
    for obj in objects:
        assert obj["apiVersion"]
        assert obj["kind"] not in ("", "List")
        assert name_of(obj)
    names = [(obj["kind"], namespace_of(obj), name_of(obj)) for obj in objects]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_call_gives_its_own(folder):
    """Two reads are equal and share nothing, within an object and between objects."""
    first, second = load(folder), load(folder)
    assert first == second
    seen: set[int] = set()
    for container in _containers(first):
        assert id(container) not in seen
        seen.add(id(container))
    assert not seen & {id(each) for each in _containers(second)}


def _containers(value):
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _containers(each)


def test_no_mention_of_a_password():
    """Nothing that ships carries a secret value."""
    for folder in FOLDERS:
        assert all(obj["kind"] != "Secret" for obj in load(folder))
