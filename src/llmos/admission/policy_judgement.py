"""What the ValidatingAdmissionPolicies that concern a change say about it.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from llmos.admission.policy_bindings import Pair
from llmos.admission.policy_params import FindKind, ParamError, Params
from llmos.admission.policy_program import Broken, Denial
from llmos.admission.refusals import forbidden, name_in
from llmos.admission.resources import NAMESPACES
from llmos.apimachinery.cel.authorizer import authorizer_of
from llmos.apimachinery.cel.expression import Budget
from llmos.apimachinery.errors import (
    ForbiddenError,
    InvalidError,
    RequestEntityTooLargeError,
    StatusError,
    UnauthorizedError,
)
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path
from llmos.apis.admission_v1 import AdmissionAttributes

_AUDIT = logging.getLogger("llmos.audit")
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
class Judgement:
    """One change before all policies that concern it."""

    lister: Lister
    """Sees writes in flight."""
    find_kind: FindKind
    attributes: AdmissionAttributes
    budget: Budget = field(default_factory=Budget)
    refusal: StatusError | None = None
    by_version: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, concerned: Iterable[tuple[Pair, str]]) -> None:
        """Ask each in the version that it sees, then refuse for the first reason.

        Raises:
            StatusError: one with the action ``Deny`` does not like it.
        """
        for pair, version in concerned:
            self._ask(pair, version)
        if self.refusal is not None:
            raise self.refusal

    def _ask(self, pair: Pair, version: str) -> None:
        policy, binding = pair.policy.program, pair.binding
        if isinstance(policy, Broken):
            self._misconfigured(
                pair, policy.fails_closed, f"failed to configure policy: {policy.why}"
            )
            return
        params = Params(self.lister, self.find_kind)
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
                _annotate(self.attributes, f"{pair.policy.name}/{key}", text)

    def _misconfigured(self, pair: Pair, fails_closed: bool, why: str) -> None:
        if fails_closed:
            self._refuse(pair, Denial(why))

    def _take(self, pair: Pair, denial: Denial) -> None:
        """Do with a denial what the binding says."""
        actions = pair.binding.actions
        if "Deny" in actions:
            self._refuse(pair, denial)
        if "Warn" in actions:
            self.attributes.warnings.append(f"Validation failed for {pair.shown}: {denial.message}")
        if "Audit" in actions:
            key = "validation.policy.admission.k8s.io/validation_failure"
            both = f"{pair.policy.name}/{pair.binding.name}"
            _annotate(self.attributes, key, f"{both}: {denial.message}")

    def _refuse(self, pair: Pair, denial: Denial) -> None:
        if self.refusal is not None:
            return
        text = f"{pair.shown} denied request: {denial.message}"
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
            namespace = self.lister.get(NAMESPACES, "", attributes.namespace)
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
