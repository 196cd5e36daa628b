"""ValidatingAdmissionPolicies in force: an index of policies and bindings.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go. The index is fed by
the commits themselves, so that a policy holds as soon as its writer has the answer. A kind of
change that no binding concerns costs one look into a table.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmos.admission.plugin import Scope, Validator
from llmos.admission.policy_bindings import Binding, Pair, Written
from llmos.admission.policy_matching import EXEMPT
from llmos.admission.policy_params import FindKind
from llmos.apimachinery.lazy import LazyModule
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, name_of
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes, Operation
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes, Authorizer

if TYPE_CHECKING:
    from llmos.admission import policy_judgement as judgement
    from llmos.admission import policy_program as program
    from llmos.apimachinery.cel.environment import Environment
else:
    judgement = LazyModule("llmos.admission.policy_judgement")
    program = LazyModule("llmos.admission.policy_program")

POLICIES = GroupResource("admissionregistration.k8s.io", "validatingadmissionpolicies")
BINDINGS = GroupResource("admissionregistration.k8s.io", "validatingadmissionpolicybindings")
_ALL: tuple[Operation, ...] = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_Sort = tuple[GroupResource, str, bool, str, Operation]


@dataclass(slots=True)
class Policies:
    """Implements one admission plugin; ``lister`` sees writes in flight."""

    lister: Lister
    authorizer: Authorizer
    find_kind: FindKind
    _policies: dict[str, Written] = field(default_factory=dict)
    _bindings: dict[str, Binding] = field(default_factory=dict)
    _by_sort: dict[_Sort, tuple[Pair, ...]] = field(default_factory=dict)
    _environment: "Environment | None" = None
    """Made when the first policy is compiled."""

    def set_policy(self, obj: Object) -> None:
        """Take a new or changed policy."""
        self._policies[name_of(obj)] = Written(obj, self._compiled)
        self._by_sort.clear()

    def delete_policy(self, obj: Object) -> None:
        """Forget a policy."""
        self._policies.pop(name_of(obj), None)
        self._by_sort.clear()

    def set_binding(self, obj: Object) -> None:
        """Take a new or changed binding."""
        self._bindings[name_of(obj)] = Binding.of(obj)
        self._by_sort.clear()

    def delete_binding(self, obj: Object) -> None:
        """Forget a binding."""
        self._bindings.pop(name_of(obj), None)
        self._by_sort.clear()

    def validators(self) -> list[Validator]:
        """Every change of every resource."""
        scope = Scope(_ALL, subresources=None)
        return [Validator("ValidatingAdmissionPolicy", scope, self.validate)]

    def validate(self, attributes: AdmissionAttributes) -> None:
        """Ask every policy that concerns a change.

        Raises:
            StatusError: one with the action ``Deny`` does not like it; 422 unless it says else.
        """
        resource = attributes.resource
        sort = (
            resource.group_resource,
            resource.version,
            resource.namespaced,
            attributes.subresource,
            attributes.operation,
        )
        pairs = self._by_sort.get(sort)
        if pairs is None:
            pairs = self._by_sort[sort] = tuple(self._concerned(attributes))
        seen = [(each, each.version(attributes, self.lister)) for each in pairs]
        concerned = [(each, version) for each, version in seen if version is not None]
        if concerned:
            judgement.Judgement(self.lister, self.find_kind, attributes).run(concerned)

    def _concerned(self, attributes: AdmissionAttributes) -> Iterator[Pair]:
        if attributes.resource.group_resource in EXEMPT:
            return
        for name in sorted(self._bindings):
            binding = self._bindings[name]
            policy = self._policies.get(binding.policy)
            if policy is not None and (pair := Pair(policy, binding)).may_concern(attributes):
                yield pair

    def _compiled(self, obj: Object, flaw: str) -> "program.Policy | program.Broken":
        if self._environment is None:
            self._environment = program.environment(self._authorize)
        return program.program_of(obj, self._environment, flaw)

    def _authorize(self, asked: dict[str, Any]) -> tuple[bool, str]:
        """Answer a check of ``authorizer``."""
        user = asked["user"]
        info = UserInfo(
            user.get("username") or "", user.get("uid") or "", tuple(user.get("groups") or ())
        )
        keys = ("verb", "group", "resource", "subresource", "namespace", "name", "path")
        decision = self.authorizer.authorize(
            Attributes(info, **{key: asked[key] for key in keys if key in asked})
        )
        return decision.allowed, decision.reason
