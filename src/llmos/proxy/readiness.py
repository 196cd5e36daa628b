"""Why a proxy should get no traffic: in words, for whoever looks at ``/readyz``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.object import Object, name_of
from llmos.apimachinery.resource import GroupResource
from llmos.client.resources import resource
from llmos.endpoints.serving import Lifecycle
from llmos.manifests import load
from llmos.proxy.platform import Platform

_GROUP = "admissionregistration.k8s.io"
POLICIES = resource(_GROUP, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy")
POLICY_BINDINGS = resource(
    _GROUP, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"
)
_BY_KIND: dict[str, GroupResource] = {
    each.kind: each.group_resource for each in (POLICIES, POLICY_BINDINGS)
}


def contains(found: Any, wanted: Any) -> bool:
    """Whether a value says all that another one says; a server adds defaults to what it stores."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            contains(found.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(contains(a, b) for a, b in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Looks at everything that an answer needs."""

    lifecycle: Lifecycle
    platform: Platform
    upstream: Callable[[], str]
    """What is wrong with the way to the cluster; empty: nothing."""
    caches: Callable[[], str]
    """The same, of what narrowed reads come from."""
    policies: list[Object] = field(default_factory=lambda: load("policies"))

    def problem(self) -> str:
        """What is wrong; empty: nothing."""
        return next(self._problems(), "")

    def _problems(self) -> Iterator[str]:
        if self.lifecycle.problem:
            yield self.lifecycle.problem
        stale = self.platform.stale()
        if stale:
            yield f"nothing is heard from the cluster about {', '.join(stale)}"
        yield from filter(None, (self.upstream(), self.caches()))
        yield from self._policy_problems()

    def _policy_problems(self) -> Iterator[str]:
        for each in self.policies:
            found = self.platform.get(_BY_KIND[each["kind"]], "", name_of(each))
            what = f"{each['kind']} {name_of(each)}"
            if found is None:
                yield f"{what} is missing: llmos install"
            elif not contains(found.get("spec"), each["spec"]):
                yield f"{what} was altered: llmos install"
