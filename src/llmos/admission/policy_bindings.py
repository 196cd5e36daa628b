"""Policies and the bindings that put them in force, before anything of them is compiled."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from llmos.admission.policy_matching import Match
from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, name_of
from llmos.apis.admission_v1 import AdmissionAttributes

if TYPE_CHECKING:
    from llmos.admission.policy_program import Broken, Policy

_NO_SELECTORS = {"namespaceSelector": None, "objectSelector": None}


@dataclass(frozen=True, slots=True)
class Binding:
    """A ValidatingAdmissionPolicyBinding."""

    name: str
    policy: str
    match: Match
    param_ref: Object | None
    actions: frozenset[str]

    @classmethod
    def of(cls, obj: Object) -> "Binding":
        """Read one; selectors that make no sense leave nothing out."""
        spec = obj.get("spec") or {}
        return cls(
            name=name_of(obj),
            policy=spec.get("policyName") or "",
            match=_match(spec.get("matchResources"), any_resource=True)[0],
            param_ref=spec.get("paramRef"),
            actions=frozenset(spec.get("validationActions") or ()),
        )


class Written:
    """A ValidatingAdmissionPolicy as it was written.

    It is compiled when a change first concerns it: a server starts sooner, and most never meet
    most of their policies. A change waits for that; none passes a policy because of it.

    Args:
        obj: the policy.
        compiled: compiles it; told why where its selectors make no sense.
    """

    def __init__(self, obj: Object, compiled: "Callable[[Object, str], Policy | Broken]") -> None:
        self.name = name_of(obj)
        self.match, self._flaw = _match((obj.get("spec") or {}).get("matchConstraints"))
        self._obj = obj
        self._compiled = compiled

    @cached_property
    def program(self) -> "Policy | Broken":
        """What it says, compiled."""
        return self._compiled(self._obj, self._flaw)


@dataclass(frozen=True, slots=True)
class Pair:
    """A policy and a binding that puts it in force."""

    policy: Written
    binding: Binding

    @property
    def shown(self) -> str:
        """How messages name it."""
        return f"ValidatingAdmissionPolicy '{self.policy.name}' with binding '{self.binding.name}'"

    def may_concern(self, attributes: AdmissionAttributes) -> bool:
        """Whether changes of this kind may be concerned, whatever the object's name and labels."""
        both = (self.policy.match, self.binding.match)
        return all(each.may_concern(attributes) for each in both)

    def version(self, attributes: AdmissionAttributes, lister: Lister) -> str | None:
        """The version in which the policy sees a change; None: it is no concern."""
        version = self.policy.match.version(attributes, lister)
        bound = self.binding.match.version(attributes, lister)
        return None if bound is None else version


def _match(spec: Object | None, any_resource: bool = False) -> tuple[Match, str]:
    """What is concerned, and what is wrong with its selectors; wrong ones leave nothing out."""
    try:
        return Match.of(spec, any_resource), ""
    except StatusError as error:
        return Match.of({**(spec or {}), **_NO_SELECTORS}, any_resource), str(error)
