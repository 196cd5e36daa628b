"""Nothing is created in a namespace that is missing or ending, and some namespaces never end.

Follows k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
"""

from dataclasses import dataclass

from llmos.admission.plugin import Mutator, Scope, Validator
from llmos.admission.refusals import forbidden, name_in
from llmos.admission.resources import LOCAL_ACCESS_REVIEWS, NAMESPACES
from llmos.apimachinery.errors import ForbiddenError, NotFoundError
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object
from llmos.apis.admission_v1 import AdmissionAttributes

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


def is_ending(namespace: Object) -> bool:
    """Whether a namespace takes no new content: deleted, or already in phase Terminating."""
    return (
        "deletionTimestamp" in namespace["metadata"]
        or (namespace.get("status") or {}).get("phase") == "Terminating"
    )


def ending(attributes: AdmissionAttributes, namespace: str) -> ForbiddenError:
    """403 with the cause that clients look for, ``NamespaceTerminating``."""
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    return forbidden(attributes, why, [cause])


@dataclass(frozen=True, slots=True)
class NamespaceLifecycle:
    """The two rules; ``lister`` sees writes in flight."""

    lister: Lister

    def require_active_namespace(self, attributes: AdmissionAttributes) -> None:
        """Refuse to create in a namespace that is missing or ending.

        Raises:
            NotFoundError: there is no such namespace.
            ForbiddenError: it is ending.
        """
        name = attributes.namespace
        if attributes.resource.group_resource == LOCAL_ACCESS_REVIEWS:
            return
        namespace = self.lister.get(NAMESPACES, "", name)
        if namespace is None:
            raise NotFoundError.of(NAMESPACES, name)
        if is_ending(namespace):
            raise ending(attributes, name)

    def mutators(self) -> list[Mutator]:
        """Runs before validation, so that 404 comes before 422, as in Kubernetes."""
        scope = Scope(("CREATE",), subresources=None, namespaced_only=True)
        return [Mutator("NamespaceLifecycle", scope, self.require_active_namespace)]

    def validators(self) -> list[Validator]:
        """The namespaces that nobody deletes."""
        scope = Scope(("DELETE",), [NAMESPACES])
        return [Validator("NamespaceLifecycle/immortal", scope, keep_immortal_namespaces)]


def keep_immortal_namespaces(attributes: AdmissionAttributes) -> None:
    """Refuse to delete ``default``, ``kube-system`` and ``kube-public``, whoever asks.

    Raises:
        ForbiddenError: it is one of them.
    """
    if name_in(attributes) in IMMORTAL:
        raise forbidden(attributes, "this namespace may not be deleted")
