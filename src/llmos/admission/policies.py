"""ValidatingAdmissionPolicies in force: an index of policies and bindings, and their judgement.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go. The index is fed by
the commits themselves, so that a policy holds as soon as its writer has the answer. A kind of
change that no binding concerns costs one look into a table.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from llmos.admission.plugin import Scope, Validator
from llmos.admission.policy_matching import EXEMPT, Match
from llmos.admission.policy_params import FindKind, ParamError, Params
from llmos.admission.policy_program import Denial, Policy, compile_policy
from llmos.admission.refusals import forbidden, name_in
from llmos.admission.resources import NAMESPACES
from llmos.apimachinery.cel.authorizer import authorizer_of
from llmos.apimachinery.cel.environment import Environment
from llmos.apimachinery.cel.errors import CelError
from llmos.apimachinery.cel.expression import Budget
from llmos.apimachinery.errors import (
    ForbiddenError,
    InvalidError,
    RequestEntityTooLargeError,
    StatusError,
    UnauthorizedError,
)
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes, Operation
from llmos.apis.admissionregistration_v1_expressions import NAMES
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes, Authorizer

POLICIES = GroupResource("admissionregistration.k8s.io", "validatingadmissionpolicies")
BINDINGS = GroupResource("admissionregistration.k8s.io", "validatingadmissionpolicybindings")
_AUDIT = logging.getLogger("llmos.audit")
_ALL: tuple[Operation, ...] = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_Sort = tuple[GroupResource, str, bool, str, Operation]


@dataclass(frozen=True, slots=True)
class Binding:
    """A ValidatingAdmissionPolicyBinding."""

    name: str
    policy: str
    match: Match
    param_ref: Object | None
    actions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Broken:
    """A policy that cannot be used; it refuses what it concerns, unless it is to be ignored."""

    match: Match
    fails_closed: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """A policy and a binding that puts it in force."""

    name: str
    policy: Policy | Broken
    binding: Binding


@dataclass(slots=True)
class Policies:
    """Implements one admission plugin; ``lister`` sees writes in flight."""

    lister: Lister
    authorizer: Authorizer
    find_kind: FindKind
    _policies: dict[str, Policy | Broken] = field(default_factory=dict)
    _bindings: dict[str, Binding] = field(default_factory=dict)
    _by_sort: dict[_Sort, tuple[_Pair, ...]] = field(default_factory=dict)
    _environment: Environment | None = None
    """Made when the first policy comes."""

    def set_policy(self, obj: Object) -> None:
        """Take a new or changed policy."""
        if self._environment is None:
            self._environment = Environment(NAMES, self._authorize)
        spec = obj.get("spec") or {}
        try:
            policy: Policy | Broken = compile_policy(obj, self._environment)
        except (CelError, StatusError) as error:
            match = Match.of({**(spec.get("matchConstraints") or {}), **_NO_SELECTORS})
            policy = Broken(match, spec.get("failurePolicy") != "Ignore", str(error))
        self._policies[name_of(obj)] = policy
        self._by_sort.clear()

    def delete_policy(self, obj: Object) -> None:
        """Forget a policy."""
        self._policies.pop(name_of(obj), None)
        self._by_sort.clear()

    def set_binding(self, obj: Object) -> None:
        """Take a new or changed binding."""
        spec = obj.get("spec") or {}
        match = spec.get("matchResources")
        try:
            compiled = Match.of(match, any_resource=True)
        except StatusError:
            compiled = Match.of({**(match or {}), **_NO_SELECTORS}, any_resource=True)
        self._bindings[name_of(obj)] = Binding(
            name=name_of(obj),
            policy=spec.get("policyName") or "",
            match=compiled,
            param_ref=spec.get("paramRef"),
            actions=frozenset(spec.get("validationActions") or ()),
        )
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
        if pairs:
            _Judgement(self, attributes).run(pairs)

    def _concerned(self, attributes: AdmissionAttributes) -> Iterator[_Pair]:
        if attributes.resource.group_resource in EXEMPT:
            return
        for name in sorted(self._bindings):
            binding = self._bindings[name]
            policy = self._policies.get(binding.policy)
            if (
                policy is not None
                and policy.match.may_concern(attributes)
                and binding.match.may_concern(attributes)
            ):
                yield _Pair(binding.policy, policy, binding)

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


_NO_SELECTORS = {"namespaceSelector": None, "objectSelector": None}
_Refusal = Callable[[str, dict[str, Any] | None], StatusError]


def _unauthorized(message: str, details: dict[str, Any] | None) -> StatusError:
    error = UnauthorizedError(message)
    error.details = details
    return error


_REFUSALS: dict[str, _Refusal] = {
    "Forbidden": ForbiddenError,
    "RequestEntityTooLarge": RequestEntityTooLargeError,
    "Unauthorized": _unauthorized,
}


@dataclass(slots=True)
class _Judgement:
    """One change before all policies that may concern it."""

    policies: Policies
    attributes: AdmissionAttributes
    budget: Budget = field(default_factory=Budget)
    refusal: StatusError | None = None
    by_version: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, pairs: tuple[_Pair, ...]) -> None:
        """Ask them all, then refuse for the first reason."""
        for pair in pairs:
            version = pair.policy.match.version(self.attributes, self.policies.lister)
            bound = pair.binding.match.version(self.attributes, self.policies.lister)
            if version is not None and bound is not None:
                self._ask(pair, version)
        if self.refusal is not None:
            raise self.refusal

    def _ask(self, pair: _Pair, version: str) -> None:
        policy, binding = pair.policy, pair.binding
        if isinstance(policy, Broken):
            self._misconfigured(
                pair, policy.fails_closed, f"failed to configure policy: {policy.why}"
            )
            return
        params = Params(self.policies.lister, self.policies.find_kind)
        values = self.by_version.get(version)
        if values is None:
            values = self.by_version[version] = self._values(version)
        try:
            found = params.find(policy.param_kind, binding.param_ref, self._namespace())
        except (ParamError, StatusError) as error:
            why = f"failed to configure binding: {error}"
            self._misconfigured(pair, policy.fails_closed, why)
            return
        for each in found:
            verdict = policy.judge({**values, "params": each}, self.budget)
            for denial in verdict.denials:
                self._take(pair, denial)
            for key, text in verdict.annotations:
                _annotate(self.attributes, f"{pair.name}/{key}", text)

    def _misconfigured(self, pair: _Pair, fails_closed: bool, why: str) -> None:
        if fails_closed:
            self._refuse(pair, Denial(why))

    def _take(self, pair: _Pair, denial: Denial) -> None:
        """Do with a denial what the binding says."""
        actions = pair.binding.actions
        if "Deny" in actions:
            self._refuse(pair, denial)
        if "Warn" in actions:
            self.attributes.warnings.append(
                f"Validation failed for ValidatingAdmissionPolicy '{pair.name}' with binding "
                f"'{pair.binding.name}': {denial.message}"
            )
        if "Audit" in actions:
            key = "validation.policy.admission.k8s.io/validation_failure"
            _annotate(self.attributes, key, f"{pair.name}/{pair.binding.name}: {denial.message}")

    def _refuse(self, pair: _Pair, denial: Denial) -> None:
        if self.refusal is not None:
            return
        text = (
            f"ValidatingAdmissionPolicy '{pair.name}' with binding '{pair.binding.name}' denied "
            f"request: {denial.message}"
        )
        error = forbidden(self.attributes, text, [{"message": text}])
        refuse = _REFUSALS.get(denial.reason, InvalidError)
        self.refusal = refuse(error.message, error.details)

    def _namespace(self) -> str:
        """The namespace of the request; of a Namespace that exists it is itself."""
        attributes = self.attributes
        if attributes.resource.group_resource == NAMESPACES and attributes.operation != "CREATE":
            return name_in(attributes)
        return attributes.namespace

    def _values(self, version: str) -> dict[str, Any]:
        """The variables of expressions, but for ``params`` and ``variables``."""
        attributes = self.attributes
        user = attributes.user.to_object()
        resource = attributes.resource
        requested = {
            "group": resource.group,
            "resource": resource.plural,
            "subresource": attributes.subresource,
            "namespace": self._namespace(),
            "name": name_in(attributes),
        }
        namespace = None
        if resource.namespaced:
            namespace = self.policies.lister.get(NAMESPACES, "", attributes.namespace)
        typed = {"apiVersion": f"{resource.group}/{version}".lstrip("/"), "kind": resource.kind}
        return {
            "object": _typed(attributes.object, typed),
            "oldObject": _typed(attributes.old_object, typed),
            "request": self._request(version, user),
            "namespaceObject": _typed(namespace, {"apiVersion": "v1", "kind": "Namespace"}),
            "authorizer": authorizer_of(
                user, {key: value for key, value in requested.items() if value or key == "group"}
            ),
        }

    def _request(self, version: str, user: dict[str, object]) -> dict[str, Any]:
        """The AdmissionRequest, without what is empty."""
        attributes = self.attributes
        resource = attributes.resource
        kind = {"group": resource.group, "kind": resource.kind}
        plural = {"group": resource.group, "resource": resource.plural}
        request = {
            "uid": str(uuid4()),
            "kind": {**kind, "version": version},
            "resource": {**plural, "version": version},
            "subResource": attributes.subresource,
            "requestKind": {**kind, "version": resource.version},
            "requestResource": {**plural, "version": resource.version},
            "requestSubResource": attributes.subresource,
            "name": name_in(attributes),
            "namespace": self._namespace(),
            "operation": attributes.operation,
            "userInfo": user,
            "options": attributes.options,
        }
        filled = {key: value for key, value in request.items() if value}
        return {**filled, "dryRun": attributes.dry_run}


def _typed(obj: Object | None, typed: dict[str, str]) -> Object | None:
    return None if obj is None else {**obj, **typed}


def _annotate(attributes: AdmissionAttributes, key: str, text: str) -> None:
    """Write an annotation of a policy to the audit log."""
    line = {
        "annotation": key,
        "value": text,
        "resource": str(attributes.resource.group_resource),
        "namespace": attributes.namespace,
        "name": get_path(attributes.object or attributes.old_object, "metadata", "name"),
        "user": attributes.user.name,
    }
    _AUDIT.info(orjson.dumps(line).decode())
