"""A PersistentVolumeClaim that names no StorageClass gets the default one, and is protected.

Follows kubernetes/plugin/pkg/admission/storage/storageclass/setdefault and
storageobjectinuseprotection.
"""

from dataclasses import dataclass

from llmos.admission.plugin import Mutator, Scope
from llmos.admission.refusals import objects_of
from llmos.admission.resources import PERSISTENT_VOLUME_CLAIMS, STORAGE_CLASSES
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, annotations_of, finalizers_of, metadata, name_of
from llmos.apis.admission_v1 import AdmissionAttributes

PROTECTION = "kubernetes.io/pvc-protection"
_DEFAULT_MARKS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def is_default_class(storage_class: Object) -> bool:
    """Whether a StorageClass is marked as the default."""
    annotations = annotations_of(storage_class)
    return any(annotations.get(mark) == "true" for mark in _DEFAULT_MARKS)


def protect(attributes: AdmissionAttributes) -> None:
    """A claim stays, once deleted, until nothing uses it."""
    claim, _ = objects_of(attributes)
    finalizers = finalizers_of(claim)
    if PROTECTION not in finalizers:
        metadata(claim)["finalizers"] = [*finalizers, PROTECTION]


@dataclass(frozen=True, slots=True)
class StorageDefaults:
    """Knows the StorageClasses."""

    lister: Lister

    def set_default_class(self, attributes: AdmissionAttributes) -> None:
        """Of several defaults the newest is taken; ``""`` is a choice and stays."""
        claim, _ = objects_of(attributes)
        spec = claim.get("spec")
        if not isinstance(spec, dict) or spec.get("storageClassName") is not None:
            return
        if _BETA_CLASS in annotations_of(claim):
            return
        name = self._default()
        if name:
            spec["storageClassName"] = name

    def _default(self) -> str:
        defaults = [each for each in self.lister.list(STORAGE_CLASSES) if is_default_class(each)]
        defaults.sort(key=name_of)
        defaults.sort(key=lambda each: str(metadata(each).get("creationTimestamp")), reverse=True)
        return name_of(defaults[0]) if defaults else ""

    def mutators(self) -> list[Mutator]:
        """Both defaults."""
        scope = Scope(("CREATE",), [PERSISTENT_VOLUME_CLAIMS])
        return [
            Mutator("DefaultStorageClass", scope, self.set_default_class),
            Mutator("StorageObjectInUseProtection", scope, protect),
        ]
