"""How admission words a refusal."""

from collections.abc import Sequence

from llmos.apimachinery.errors import FieldError, ForbiddenError, InvalidError
from llmos.apimachinery.object import Object, name_of
from llmos.apis.admission_v1 import AdmissionAttributes


def name_in(attributes: AdmissionAttributes) -> str:
    """The object's name, also where only the object says it (create)."""
    return attributes.name or name_of(attributes.object or {})


def objects_of(attributes: AdmissionAttributes) -> tuple[Object, Object]:
    """The new and the old object, an empty one where there is none."""
    return attributes.object or {}, attributes.old_object or {}


def forbidden(
    attributes: AdmissionAttributes, why: str, causes: Sequence[dict[str, str]] = ()
) -> ForbiddenError:
    """403 that names the object of the change."""
    return ForbiddenError.of(attributes.resource.group_resource, name_in(attributes), why, causes)


def invalid(attributes: AdmissionAttributes, *errors: FieldError) -> InvalidError:
    """422 that names the object of the change."""
    return InvalidError.of(attributes.resource.gvk, name_in(attributes), errors)
