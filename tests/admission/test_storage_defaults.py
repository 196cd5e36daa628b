"""Claims get the default StorageClass and the protection finalizer."""

import pytest

from admission.world import MASTER, World, named

DEFAULT = "storageclass.kubernetes.io/is-default-class"


def storage_class(name, created="2026-01-01T00:00:00Z", value="true", mark=DEFAULT):
    obj = named(name, provisioner="x.io/y")
    obj["metadata"] |= {"annotations": {mark: value}, "creationTimestamp": created}
    return obj


def admit(world, spec, **metadata):
    obj = named("p", "team-a", spec=spec)
    obj["metadata"] |= metadata
    return world.admit(MASTER, "CREATE", "persistentvolumeclaims", obj).object


def test_default_class(world: World):
    """The class that is marked is stamped; others are not."""
    world.put("storageclasses", storage_class("plain", value="false"))
    world.put("storageclasses", storage_class("difsc"))
    assert admit(world, {})["spec"]["storageClassName"] == "difsc"


def test_beta_mark(world: World):
    """The old annotation marks a default, too."""
    mark = "storageclass.beta.kubernetes.io/is-default-class"
    world.put("storageclasses", storage_class("old", mark=mark))
    assert admit(world, {})["spec"]["storageClassName"] == "old"


def test_newest_of_several(world: World):
    """Of several defaults the newest wins, then the first by name."""
    world.put("storageclasses", storage_class("a"))
    world.put("storageclasses", storage_class("c", "2026-06-01T00:00:00Z"))
    world.put("storageclasses", storage_class("b", "2026-06-01T00:00:00Z"))
    assert admit(world, {})["spec"]["storageClassName"] == "b"


@pytest.mark.parametrize("given", ["", "other"])
def test_a_choice_stays(world: World, given):
    """Whoever names a class, or none on purpose, keeps it."""
    world.put("storageclasses", storage_class("difsc"))
    assert admit(world, {"storageClassName": given})["spec"]["storageClassName"] == given


def test_annotation_is_a_choice(world: World):
    """The class may be named by the old annotation."""
    world.put("storageclasses", storage_class("difsc"))
    admitted = admit(world, {}, annotations={"volume.beta.kubernetes.io/storage-class": "x"})
    assert "storageClassName" not in admitted["spec"]


def test_no_default(world: World):
    """Without a default class the claim names none."""
    assert "storageClassName" not in admit(world, {})["spec"]


def test_protection(world: World):
    """Every claim has the protection finalizer, once, after its own."""
    protection = "kubernetes.io/pvc-protection"
    assert admit(world, {})["metadata"]["finalizers"] == [protection]
    assert admit(world, {}, finalizers=["x/y"])["metadata"]["finalizers"] == ["x/y", protection]
    assert admit(world, {}, finalizers=[protection])["metadata"]["finalizers"] == [protection]
