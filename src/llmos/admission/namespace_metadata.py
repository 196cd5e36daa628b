"""Who created a namespace is written by the server; policies see to the rest of its metadata."""

from llmos.admission.identity import is_platform
from llmos.admission.plugin import WRITES, Mutator, Scope
from llmos.admission.resources import NAMESPACES
from llmos.apimachinery.object import annotations_of, put_annotation
from llmos.apis.admission_v1 import AdmissionAttributes

CREATOR = "llmos.ai/creator"


def record_creator(attributes: AdmissionAttributes) -> None:
    """The server writes ``llmos.ai/creator`` when a user creates a namespace; it stays for ever.

    Only the platform itself may write another one (it restores backups).
    """
    if is_platform(attributes.user) or attributes.object is None:
        return
    creator = annotations_of(attributes.old_object or {}).get(CREATOR)
    if attributes.operation == "CREATE":
        creator = attributes.user.name if attributes.user.is_llmos_user else None
    put_annotation(attributes.object, CREATOR, creator)


def mutators() -> list[Mutator]:
    """The creator's name."""
    return [Mutator("NamespaceMetadata/creator", Scope(WRITES, [NAMESPACES], None), record_creator)]
