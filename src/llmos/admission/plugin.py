"""What an admission plugin is: where it looks, and the one function it does there.

Mutators and validators are different types, so that a list of them says which phase each is in
(k8s.io/apiserver/pkg/admission, ``MutationInterface`` and ``ValidationInterface``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes, Operation

Check = Callable[[AdmissionAttributes], None]
"""Looks at one change; raises a StatusError to refuse it."""

WRITES: tuple[Operation, ...] = ("CREATE", "UPDATE")
CHANGES: tuple[Operation, ...] = ("CREATE", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Scope:
    """The changes that a plugin wants to see."""

    operations: Sequence[Operation]
    resources: Sequence[GroupResource] | None = None
    """None: every resource."""
    subresources: Sequence[str] | None = ("",)
    """``""`` is the object itself; None: the object and all of its subresources."""
    namespaced_only: bool = False

    def covers(self, resource: APIResource, subresource: str, operation: Operation) -> bool:
        """Whether a change of this sort is one of them."""
        return (
            operation in self.operations
            and (self.resources is None or resource.group_resource in self.resources)
            and (self.subresources is None or subresource in self.subresources)
            and (resource.namespaced or not self.namespaced_only)
        )


@dataclass(frozen=True, slots=True)
class Mutator:
    """Runs first: may change ``attributes.object`` in place, or refuse."""

    name: str
    scope: Scope
    mutate: Check


@dataclass(frozen=True, slots=True)
class Validator:
    """Runs last, on the object as it would be stored: refuses, and changes nothing."""

    name: str
    scope: Scope
    validate: Check
