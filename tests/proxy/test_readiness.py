"""A proxy is not ready while one of the platform's policies is not there as it was shipped."""

from collections.abc import Iterable, Sequence

import pytest

from llmos.apimachinery.object import Object, copy_object
from llmos.apimachinery.resource import GroupResource
from llmos.apis.platform_content import POLICIES, POLICY_BINDINGS, Place, Shipped, shipped
from llmos.endpoints.serving import Lifecycle
from llmos.proxy.readiness import Readiness

RULES = [each for each in shipped() if each.resource in (POLICIES, POLICY_BINDINGS)]


class Known:
    """What the proxy's memory would have."""

    def __init__(self) -> None:
        self.objects = {each.place: copy_object(each.object) for each in RULES}

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object."""
        return self.objects.get(Place(resource, namespace, name))

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """Not asked for."""
        raise NotImplementedError

    def stale(self) -> Sequence[str]:
        """Everything is new."""
        return ()


def problem(known: Known) -> str:
    """What ``/readyz`` says."""
    lifecycle = Lifecycle()
    lifecycle.starting = False
    nothing = str  # says ""
    return Readiness(lifecycle, known, nothing, nothing).problem()


def test_ready_with_all_of_them() -> None:
    """As they were installed."""
    assert problem(Known()) == ""


@pytest.mark.parametrize("rule", RULES, ids=lambda each: f"{each.resource.kind}-{each.place.name}")
def test_not_ready_without_one(rule: Shipped) -> None:
    """Those that only a cluster has as well; whether it is gone or says something else."""
    known = Known()
    known.objects[rule.place]["spec"] = {"failurePolicy": "Ignore"}
    assert f"{rule.place} is altered" in problem(known)
    del known.objects[rule.place]
    assert f"{rule.place} is missing" in problem(known)
