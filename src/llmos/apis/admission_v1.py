"""What admission is asked: ``admission.k8s.io/v1`` in the shape our rooms pass it."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.apis.authentication_v1 import UserInfo

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


@dataclass(slots=True)
class AdmissionAttributes:
    """One change of one object, before it is stored."""

    operation: Operation
    resource: APIResource
    subresource: str
    namespace: str
    name: str
    object: Object | None
    """The new object; None on DELETE. Mutators may change it in place."""
    old_object: Object | None
    user: UserInfo
    dry_run: bool = False
    options: Object = field(default_factory=dict)
    """CreateOptions, UpdateOptions, PatchOptions or DeleteOptions of the request."""
    warnings: list[str] = field(default_factory=list)
    """Texts for ``Warning`` headers; admission appends."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What a mutator took out of the object for whoever finishes the request; never stored."""
    also: list[tuple[GroupResource, Object]] = field(default_factory=list)
    """Other objects whose ``status`` must be stored in the same transaction as this one.

    ResourceQuota appends the quotas that this change is charged to, each a whole object made from
    the latest state, writes in flight included. The registry submits them in one call with the
    write itself, without an ``await`` between ``validate`` and that call: then no two writers can
    spend the same remainder. Empty on a dry run.
    """


class Admission(Protocol):
    """The two phases, as the registry calls them, both synchronous."""

    def mutate(self, attributes: AdmissionAttributes) -> None:
        """Set defaults in ``attributes.object``; raise a StatusError to refuse."""

    def validate(self, attributes: AdmissionAttributes) -> None:
        """Look at the final object and raise a StatusError to refuse.

        It changes no object; it may append to ``attributes.warnings`` and ``attributes.also``.
        """
