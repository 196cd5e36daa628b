"""Runs the plugins that concern a change, in the order of their lists; the registry calls it.

Which ones concern it is worked out once for each (resource, subresource, operation) and then
looked up, so that a plain ConfigMap never meets the rules of Namespaces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from llmos.admission.plugin import Check, Mutator, Validator
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes, Operation

_Sort = tuple[GroupResource, bool, str, Operation]


@dataclass(frozen=True, slots=True)
class Chain:
    """Implements ``apis.admission_v1.Admission``."""

    mutators: Sequence[Mutator]
    validators: Sequence[Validator]
    _mutating: dict[_Sort, tuple[Check, ...]] = field(default_factory=dict, repr=False)
    _validating: dict[_Sort, tuple[Check, ...]] = field(default_factory=dict, repr=False)

    def mutate(self, attributes: AdmissionAttributes) -> None:
        """Set defaults in the object.

        Raises:
            StatusError: a plugin refuses the change.
        """
        sort = _sort(attributes)
        checks = self._mutating.get(sort)
        if checks is None:
            checks = self._mutating[sort] = tuple(
                each.mutate for each in self.mutators if _concerns(each, attributes)
            )
        for check in checks:
            check(attributes)

    def validate(self, attributes: AdmissionAttributes) -> None:
        """Look at the object as it would be stored.

        Raises:
            StatusError: a plugin refuses the change.
        """
        sort = _sort(attributes)
        checks = self._validating.get(sort)
        if checks is None:
            checks = self._validating[sort] = tuple(
                each.validate for each in self.validators if _concerns(each, attributes)
            )
        for check in checks:
            check(attributes)


def _sort(attributes: AdmissionAttributes) -> _Sort:
    """What the choice of plugins depends on."""
    resource = attributes.resource
    return (
        resource.group_resource,
        resource.namespaced,
        attributes.subresource,
        attributes.operation,
    )


def _concerns(plugin: Mutator | Validator, attributes: AdmissionAttributes) -> bool:
    return plugin.scope.covers(attributes.resource, attributes.subresource, attributes.operation)
