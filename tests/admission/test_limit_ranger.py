"""LimitRange: defaults and bounds, in Kubernetes' words."""

import pytest

from admission.world import ALLOWED, MASTER, World, named

CONTAINER = {
    "type": "Container",
    "max": {"cpu": "1", "memory": "1Gi"},
    "min": {"cpu": "100m"},
    "default": {"cpu": "500m", "memory": "1Gi"},
    "defaultRequest": {"cpu": "500m", "memory": "1Gi"},
}
CLAIM = {"type": "PersistentVolumeClaim", "max": {"storage": "5Gi"}, "min": {"storage": "1Gi"}}


def pod(resources=None, **spec):
    container = {"name": "c", "image": "i"} | ({"resources": resources} if resources else {})
    return named("p", "team-a", spec={"containers": [container], **spec})


def claim(size):
    return named("p", "team-a", spec={"resources": {"requests": {"storage": size}}})


def limit(world, *items, name="l"):
    world.put("limitranges", named(name, "team-a", spec={"limits": [*items]}))


def test_defaults(world: World):
    """A container that says nothing gets both defaults, and an annotation tells of it."""
    limit(world, CONTAINER, CLAIM)
    admitted = world.admit(MASTER, "CREATE", "pods", pod()).object
    assert admitted["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "500m", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    }
    assert admitted["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory request for container "
        "c; cpu, memory limit for container c"
    }


def test_what_is_said_stays(world: World):
    """Defaults fill only what is left out; init containers get theirs too."""
    limit(world, {"type": "Container", "default": {"cpu": "500m"}})
    obj = pod({"limits": {"cpu": "1"}}, initContainers=[{"name": "i"}])
    admitted = world.admit(MASTER, "CREATE", "pods", obj).object
    assert admitted["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert admitted["spec"]["initContainers"][0]["resources"] == {"limits": {"cpu": "500m"}}
    note = admitted["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    assert note == "LimitRanger plugin set: cpu limit for init container i"


def test_annotations_stay(world: World):
    """The annotation comes to those that are there; defaults of other types are not containers'."""
    limit(
        world, CONTAINER, {"type": "Pod", "default": {"cpu": "7"}, "defaultRequest": {"cpu": "7"}}
    )
    obj = pod()
    obj["metadata"]["annotations"] = {"a": "b"}
    admitted = world.admit(MASTER, "CREATE", "pods", obj).object
    assert admitted["metadata"]["annotations"].keys() == {"a", "kubernetes.io/limit-ranger"}
    assert admitted["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "500m"


def test_no_defaults_no_annotation(world: World):
    """Without defaults a pod stays as it is."""
    limit(world, {"type": "Container", "max": {"memory": "1Gi"}, "min": {}})
    obj = pod({"limits": {"memory": "1Mi"}})
    assert world.admit(MASTER, "CREATE", "pods", obj).object == obj


RATIO = {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}
POD = {"type": "Pod", "max": {"cpu": "1"}}


@pytest.mark.parametrize(
    ("item", "plural", "obj", "why"),
    [
        (
            CLAIM,
            "persistentvolumeclaims",
            claim("6Gi"),
            "maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi",
        ),
        (
            CLAIM,
            "persistentvolumeclaims",
            claim("1Mi"),
            "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi",
        ),
        (CLAIM, "persistentvolumeclaims", claim("5Gi"), ""),
        (
            {"type": "PersistentVolumeClaim", "max": {"storage": "5Gi"}},
            "persistentvolumeclaims",
            named("p", "team-a", spec={}),
            "maximum storage usage per PersistentVolumeClaim is 5Gi.  No request is specified",
        ),
        (
            CONTAINER,
            "pods",
            pod({"limits": {"cpu": "2"}}),
            "maximum cpu usage per Container is 1, but limit is 2",
        ),
        (
            {"type": "Container", "max": {"cpu": "1"}},
            "pods",
            pod(),
            "maximum cpu usage per Container is 1.  No limit is specified",
        ),
        (
            {"type": "Container", "max": {"cpu": "1"}},
            "pods",
            pod({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            "maximum cpu usage per Container is 1, but request is 2",
        ),
        (
            {"type": "Container", "min": {"cpu": "1"}},
            "pods",
            pod(),
            "minimum cpu usage per Container is 1.  No request is specified",
        ),
        (
            {"type": "Container", "min": {"cpu": "1"}},
            "pods",
            pod({"requests": {"cpu": "1"}, "limits": {"cpu": "500m"}}),
            "minimum cpu usage per Container is 1, but limit is 500m",
        ),
        (
            RATIO,
            "pods",
            pod({"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        (
            RATIO,
            "pods",
            pod({"limits": {"cpu": "3"}}),
            (
                "cpu max limit to request ratio per Container is 2, "
                "but no request is specified or request is 0"
            ),
        ),
        (
            RATIO,
            "pods",
            pod({"requests": {"cpu": "3"}}),
            (
                "cpu max limit to request ratio per Container is 2, "
                "but no limit is specified or limit is 0"
            ),
        ),
        (RATIO, "pods", pod({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}), ""),
        (
            POD,
            "pods",
            pod(
                {"limits": {"cpu": "600m"}},
                initContainers=[{"name": "i", "resources": {"limits": {"cpu": "1500m"}}}],
            ),
            "maximum cpu usage per Pod is 1, but limit is 1500m",
        ),
        (POD, "pods", pod({"limits": {"cpu": "1"}}), ""),
    ],
)
def test_bounds(world: World, item, plural, obj, why):
    """Each bound has its text; what is on a bound is allowed."""
    limit(world, item)
    verdict = world.verdict(MASTER, "CREATE", plural, obj)
    name = "p"
    refusal = (403, "Forbidden", f'{plural} "{name}" is forbidden: {why}')
    assert verdict == (refusal if why else ALLOWED)


def test_several_problems(world: World):
    """All problems of one LimitRange are told at once."""
    limit(world, {"type": "Container", "min": {"cpu": "1", "memory": "1Gi"}})
    message = world.verdict(MASTER, "CREATE", "pods", pod())[2]
    assert message.endswith(
        "[minimum cpu usage per Container is 1.  No request is specified, "
        "minimum memory usage per Container is 1Gi.  No request is specified]"
    )


def test_claims_are_checked_on_update(world: World):
    """A claim does not grow past the bound later; one that is being deleted changes freely."""
    limit(world, CLAIM)
    old = claim("4Gi")
    assert world.code(MASTER, "UPDATE", "persistentvolumeclaims", claim("6Gi"), old) == 403
    ending = claim("6Gi")
    ending["metadata"]["deletionTimestamp"] = "2027-01-01T00:00:00Z"
    assert world.code(MASTER, "UPDATE", "persistentvolumeclaims", ending, old) == 0


def test_other_namespaces(world: World):
    """A LimitRange speaks of its own namespace."""
    world.put("limitranges", named("l", "team-b", spec={"limits": [CLAIM]}))
    assert world.code(MASTER, "CREATE", "persistentvolumeclaims", claim("6Gi")) == 0
