"""Quotas are exact, in Kubernetes' words, and charged with the write itself."""

import pytest

from admission.world import ALLOWED, MASTER, World, named

FORBIDDEN = "Forbidden"


def quota(name="q", where="team-a", **spec):
    return named(name, where, spec=spec)


def pod(name="p", **resources):
    container = {"name": "c", "image": "i"}
    if resources:
        container["resources"] = resources
    return named(name, "team-a", spec={"containers": [container]})


def claim(size, name="p"):
    return named(name, "team-a", spec={"resources": {"requests": {"storage": size}}})


HARD = {
    "count/leases.coordination.k8s.io": "2",
    "secrets": "1",
    "requests.storage": "10Gi",
    "persistentvolumeclaims": "2",
    "cpu": "1500m",
    "memory": "1Gi",
    "limits.cpu": "500m",
}
BIG = {"cpu": "2", "memory": "1Mi"}


@pytest.mark.parametrize(
    ("plural", "there", "obj", "message"),
    [
        (
            "leases",
            [named("l1", "team-a"), named("l2", "team-a")],
            named("l3", "team-a"),
            (
                'leases.coordination.k8s.io "l3" is forbidden: exceeded quota: q, '
                "requested: count/leases.coordination.k8s.io=1, "
                "used: count/leases.coordination.k8s.io=2, "
                "limited: count/leases.coordination.k8s.io=2"
            ),
        ),
        (
            "secrets",
            [named("s1", "team-a")],
            named("s2", "team-a"),
            (
                'secrets "s2" is forbidden: exceeded quota: q, requested: secrets=1, '
                "used: secrets=1, limited: secrets=1"
            ),
        ),
        (
            "persistentvolumeclaims",
            [],
            claim("11Gi"),
            (
                'persistentvolumeclaims "p" is forbidden: exceeded quota: q, requested: '
                "requests.storage=11Gi, used: requests.storage=0, limited: requests.storage=10Gi"
            ),
        ),
        (
            "pods",
            [],
            pod(),
            (
                'pods "p" is forbidden: failed quota: q: must specify cpu for: c; '
                "limits.cpu for: c; memory for: c"
            ),
        ),
        (
            "pods",
            [],
            pod(requests=BIG, limits=BIG),
            (
                'pods "p" is forbidden: exceeded quota: q, requested: cpu=2,limits.cpu=2, '
                "used: cpu=0,limits.cpu=0, limited: cpu=1500m,limits.cpu=500m"
            ),
        ),
    ],
    ids=["count", "named", "storage", "unspecified", "amounts"],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_refusals(world: World, plural, there, obj, message, dry_run):
    """What exceeds a quota is refused with kube-apiserver's text, on a dry run too."""
    world.put("resourcequotas", quota(hard=HARD))
    for each in there:
        world.put(plural, each)
    verdict = world.verdict(MASTER, "CREATE", plural, obj, dry_run=dry_run)
    assert verdict == (403, FORBIDDEN, message)


def test_charge(world: World):
    """What is admitted raises status.used of its quotas, in the same transaction."""
    stored = quota(hard=HARD)
    stored["status"] = {"hard": HARD, "used": {"secrets": "0", "cpu": "0"}}
    world.put("resourcequotas", stored)
    attributes = world.admit(MASTER, "CREATE", "persistentvolumeclaims", claim("4Gi"))
    ((resource, raised),) = attributes.also
    assert str(resource) == "resourcequotas"
    assert raised["status"]["used"] == {
        "secrets": "0",
        "cpu": "0",
        "persistentvolumeclaims": "1",
        "requests.storage": "4Gi",
    }
    assert raised["status"]["hard"] == HARD
    assert raised["metadata"] == stored["metadata"]
    assert stored["status"]["used"] == {"secrets": "0", "cpu": "0"}


def test_dry_run_charges_nothing(world: World):
    """A dry run leaves the quota as it is."""
    world.put("resourcequotas", quota(hard=HARD))
    assert world.admit(MASTER, "CREATE", "secrets", named("s", "team-a"), dry_run=True).also == []


def test_no_quota_no_charge(world: World):
    """Neither another namespace's quota nor one for other resources is charged."""
    world.put("resourcequotas", quota(where="team-b", hard={"secrets": "0"}))
    world.put("resourcequotas", quota(hard={"services": "0"}))
    assert world.admit(MASTER, "CREATE", "secrets", named("s", "team-a")).also == []


def test_exact(world: World):
    """Of fifty creations exactly as many pass as are left, and used says so."""
    world.put("resourcequotas", quota(hard={"count/configmaps": "10"}))
    for index in range(3):
        world.put("configmaps", named(f"old{index}", "team-a"))
    codes = [
        world.create(MASTER, "configmaps", named(f"c{index}", "team-a")) for index in range(50)
    ]
    assert codes == [0] * 7 + [403] * 43
    stored = world.memory.objects["resourcequotas", "team-a", "q"]
    assert stored["status"]["used"] == {"count/configmaps": "10"}


@pytest.mark.parametrize("claimed", ["0", "-5", "99"])
def test_status_is_not_believed(world: World, claimed):
    """A hand that edits status.used neither opens nor shuts the quota."""
    stored = quota(hard={"secrets": "1"})
    stored["status"] = {"used": {"secrets": claimed}}
    world.put("resourcequotas", stored)
    assert world.create(MASTER, "secrets", named("s1", "team-a")) == 0
    assert world.create(MASTER, "secrets", named("s2", "team-a")) == 403


def test_second_quota_only_tightens(world: World):
    """Every quota of the namespace must have room."""
    world.put("resourcequotas", quota(hard={"secrets": "0"}))
    world.put("resourcequotas", quota("bigger", hard={"secrets": "100"}))
    assert world.code(MASTER, "CREATE", "secrets", named("s", "team-a")) == 403


@pytest.mark.parametrize(("size", "code"), [("8Gi", 0), ("10Gi", 0), ("11Gi", 403), ("1Gi", 0)])
def test_growth_counts(world: World, size, code):
    """An update is charged what it adds: growing past the limit is refused, shrinking never."""
    world.put("resourcequotas", quota(hard={"requests.storage": "10Gi"}))
    old = world.put("persistentvolumeclaims", claim("4Gi"))
    assert world.code(MASTER, "UPDATE", "persistentvolumeclaims", claim(size), old) == code


def test_growth_is_charged(world: World):
    """The charge of an update is the new sum."""
    world.put("resourcequotas", quota(hard={"requests.storage": "10Gi"}))
    old = world.put("persistentvolumeclaims", claim("4Gi"))
    world.put("persistentvolumeclaims", claim("1Gi", "other"))
    attributes = world.admit(MASTER, "UPDATE", "persistentvolumeclaims", claim("6Gi"), old)
    assert attributes.also[0][1]["status"]["used"] == {"requests.storage": "7Gi"}


def test_service_becomes_load_balancer(world: World):
    """A Service that turns into a load balancer is charged for it."""
    world.put("resourcequotas", quota(hard={"services.loadbalancers": "0"}))
    old = world.put("services", named("s", "team-a", spec={"type": "ClusterIP"}))
    new = named("s", "team-a", spec={"type": "LoadBalancer"})
    assert world.code(MASTER, "UPDATE", "services", new, old) == 403


def test_old_pods_need_not_say(world: World):
    """A pod that was there before the quota is still updated without amounts."""
    world.put("resourcequotas", quota(hard={"cpu": "1"}))
    assert world.code(MASTER, "UPDATE", "pods", pod(), pod()) == 0


def test_metadata_update_is_free(world: World):
    """A full quota does not stop updates of what is there."""
    world.put("resourcequotas", quota(hard={"persistentvolumeclaims": "0"}))
    old = world.put("persistentvolumeclaims", claim("4Gi"))
    assert world.verdict(MASTER, "UPDATE", "persistentvolumeclaims", old, old) == ALLOWED


@pytest.mark.parametrize(
    ("scopes", "obj", "code"),
    [
        (["BestEffort"], pod("new"), 403),
        (["NotBestEffort"], pod("new"), 0),
        (["NotBestEffort"], pod("new", requests={"cpu": "1"}), 0),
        (["BestEffort"], pod("new", requests={"cpu": "1"}), 0),
    ],
)
def test_scopes(world: World, scopes, obj, code):
    """A quota with scopes counts and limits only the pods it speaks of."""
    world.put("resourcequotas", quota(hard={"pods": "1"}, scopes=scopes))
    world.put("pods", pod("there"))
    assert world.code(MASTER, "CREATE", "pods", obj) == code


def test_init_containers_must_say_too(world: World):
    """Every silent container is named, each once and in order."""
    world.put("resourcequotas", quota(hard={"requests.memory": "1Gi", "pods": "5"}))
    silent = named(
        "p",
        "team-a",
        spec={
            "containers": [
                {"name": "b"},
                {"name": "ok", "resources": {"requests": {"memory": "1"}}},
            ],
            "initContainers": [{"name": "a"}],
        },
    )
    message = world.verdict(MASTER, "CREATE", "pods", silent)[2]
    assert message.endswith("failed quota: q: must specify requests.memory for: a,b")
