"""Which changes a ValidatingAdmissionPolicy or its binding concerns.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/matching and plugin/webhook/predicates.
What depends on the kind of change alone is answered once for each kind; names, namespaces and
labels are looked at with every change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from llmos.admission.resources import NAMESPACES
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path, labels_of
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.apimachinery.selectors import LabelSelector
from llmos.apis.admission_v1 import AdmissionAttributes

_REGISTRATION = "admissionregistration.k8s.io"
EXEMPT = frozenset(
    GroupResource(_REGISTRATION, each)
    for each in (
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
    )
)
"""No policy guards these, or a wrong one could never be taken back."""
_EVENTS = (GroupResource("", "events"), GroupResource("events.k8s.io", "events"))
_Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A ``NamedRuleWithOperations``."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: tuple[str, ...]
    resources: frozenset[str]
    scope: str
    names: frozenset[str]

    @classmethod
    def of(cls, rule: Object) -> "_Rule":
        return cls(
            operations=frozenset(rule.get("operations") or ()),
            groups=frozenset(rule.get("apiGroups") or ()),
            versions=tuple(rule.get("apiVersions") or ()),
            resources=frozenset(rule.get("resources") or ()),
            scope=rule.get("scope") or "*",
            names=frozenset(rule.get("resourceNames") or ()),
        )

    def version(self, attributes: AdmissionAttributes, exact: bool) -> str | None:
        """The version in which a policy with this rule sees a change; None: it does not."""
        named = not self.names or attributes.name in self.names
        return self.version_of_kind(attributes, exact) if named else None

    def version_of_kind(self, attributes: AdmissionAttributes, exact: bool) -> str | None:
        """The same for any name."""
        resource = attributes.resource
        fits = (
            bool(self.operations & {"*", attributes.operation})
            and self._has_group(resource, exact)
            and self._has_resource(resource, attributes.subresource)
            and self.scope in ("*", "Namespaced" if resource.namespaced else "Cluster")
        )
        if not fits:
            return None
        if "*" in self.versions or resource.version in self.versions:
            return resource.version
        return None if exact or not self.versions else self.versions[0]

    def _has_group(self, resource: APIResource, exact: bool) -> bool:
        if self.groups & {"*", resource.group}:
            return True
        same = not exact and resource.group_resource in _EVENTS
        return same and any(each.group in self.groups for each in _EVENTS)

    def _has_resource(self, resource: APIResource, subresource: str) -> bool:
        plural = resource.plural
        if not subresource:
            return bool(self.resources & {"*", "*/*", plural})
        wanted = {"*/*", f"*/{subresource}", f"{plural}/*", f"{plural}/{subresource}"}
        return bool(self.resources & wanted)


@dataclass(frozen=True, slots=True)
class Match:
    """``matchConstraints`` of a policy, or ``matchResources`` of a binding."""

    rules: tuple[_Rule, ...]
    excluded: tuple[_Rule, ...]
    exact: bool
    any_resource: bool
    """There are no rules, so that none leaves anything out: bindings may do so."""
    namespaces: LabelSelector
    objects: LabelSelector

    @classmethod
    def of(cls, match: Object | None, any_resource: bool = False) -> "Match":
        """Read one; ``None`` concerns everything.

        Raises:
            BadRequestError: a selector is malformed.
        """
        match = match or {}
        rules = tuple(_Rule.of(each) for each in match.get("resourceRules") or ())
        return cls(
            rules=rules,
            excluded=tuple(_Rule.of(each) for each in match.get("excludeResourceRules") or ()),
            exact=match.get("matchPolicy") == "Exact",
            any_resource=any_resource and not rules,
            namespaces=LabelSelector.from_object(match.get("namespaceSelector") or {}),
            objects=LabelSelector.from_object(match.get("objectSelector") or {}),
        )

    def may_concern(self, attributes: AdmissionAttributes) -> bool:
        """Whether changes of this kind may be concerned, whatever the object's name and labels."""
        return self.any_resource or any(
            each.version_of_kind(attributes, self.exact) is not None for each in self.rules
        )

    def version(self, attributes: AdmissionAttributes, lister: Lister) -> str | None:
        """The version in which a change is seen; None: it is no concern."""
        if not self._selects(attributes, lister):
            return None
        if any(each.version(attributes, self.exact) is not None for each in self.excluded):
            return None
        if self.any_resource:
            return attributes.resource.version
        found = (each.version(attributes, self.exact) for each in self.rules)
        return next((each for each in found if each is not None), None)

    def _selects(self, attributes: AdmissionAttributes, lister: Lister) -> bool:
        if not self.namespaces.empty:
            labels = _namespace_labels(attributes, lister)
            if labels is not None and not self.namespaces.matches(labels):
                return False
        if self.objects.empty:
            return True
        both = (attributes.object, attributes.old_object)
        return any(each is not None and self.objects.matches(labels_of(each)) for each in both)


def _namespace_labels(attributes: AdmissionAttributes, lister: Lister) -> _Labels | None:
    """The labels that a namespace selector looks at; None: it does not apply."""
    if attributes.resource.group_resource == NAMESPACES:
        # Of a namespace that is made or changed its new labels count, else those it has.
        if attributes.subresource or attributes.object is None:
            return labels_of(attributes.old_object or {})
        return labels_of(attributes.object)
    if not attributes.resource.namespaced:
        return None
    namespace = lister.get(NAMESPACES, "", attributes.namespace)
    return labels_of(namespace or {})


_TRIPLE = ("apiGroups", "apiVersions", "resources")


def kinds_of(match: Object | None) -> Sequence[tuple[str, str, str]]:
    """The (group, version, resource) triples that rules name without wildcards or subresources."""
    rules: Any = get_path(match, "resourceRules") or ()
    return [
        triple
        for rule in rules
        for triple in product(*(rule.get(key) or () for key in _TRIPLE))
        if "*" not in "".join(triple) and "/" not in triple[2]
    ]
