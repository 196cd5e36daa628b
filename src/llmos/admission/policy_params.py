"""The parameter objects of a policy binding.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic (CollectParams).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, labels_of
from llmos.apimachinery.resource import APIResource, parse_api_version
from llmos.apimachinery.selectors import LabelSelector

FindKind = Callable[[str, str, str], APIResource | None]
"""Group, version and kind → the resource that is served of it."""


class ParamError(ValueError):
    """A binding and its policy cannot be brought together for a change."""


@dataclass(frozen=True, slots=True)
class Params:
    """Finds parameter objects; ``lister`` sees writes in flight."""

    lister: Lister
    find_kind: FindKind

    def find(
        self, kind: tuple[str, str] | None, ref: Object | None, namespace: str
    ) -> Sequence[Object | None]:
        """Those that a binding refers to; the policy is evaluated once for each.

        Args:
            kind: the policy's ``paramKind``; None: it has no parameters.
            ref: the binding's ``paramRef``.
            namespace: of the object that is changed.

        Raises:
            ParamError: the reference makes no sense, or nothing is found where that is an error.
        """
        if kind is None or ref is None:
            return [None]
        group, version = parse_api_version(kind[0])
        resource = self.find_kind(group, version, kind[1])
        if resource is None:
            raise ParamError(f"paramKind kind `{kind[0]}, Kind={kind[1]}` not known")
        found = self._objects(resource, ref, _where(resource, ref, namespace))
        if not found and ref.get("parameterNotFoundAction") != "Allow":
            raise ParamError(
                "no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        typed = {"apiVersion": kind[0], "kind": kind[1]}
        return [{**each, **typed} for each in found]

    def _objects(self, resource: APIResource, ref: Object, namespace: str) -> list[Object]:
        if ref.get("name"):
            found = self.lister.get(resource.group_resource, namespace, ref["name"])
            return [] if found is None else [found]
        selector = LabelSelector.from_object(ref.get("selector") or {})
        objects = self.lister.list(resource.group_resource, namespace or None)
        return [each for each in objects if selector.matches(labels_of(each))]


def _where(resource: APIResource, ref: Object, namespace: str) -> str:
    if not resource.namespaced:
        if ref.get("namespace"):
            raise ParamError(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        return ""
    where = ref.get("namespace") or namespace
    if not where:
        raise ParamError(
            "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        )
    return str(where)
