"""What is written on a namespace and steers the platform changes only by an admin.

The same rules hold for the object itself and for its ``status`` and ``finalize`` subresources,
because each of them can carry metadata.
"""

from collections.abc import Mapping

from llmos.admission.identity import is_administrator, is_end_user, is_platform
from llmos.admission.plugin import WRITES, Mutator, Scope, Validator
from llmos.admission.refusals import forbidden, name_in, objects_of
from llmos.admission.resources import NAMESPACES
from llmos.apimachinery.object import (
    annotations_of,
    finalizers_of,
    labels_of,
    metadata,
    owner_references,
)
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.namespaces import is_protected_key

CREATOR = "llmos.ai/creator"
NAME_LABEL = "kubernetes.io/metadata.name"


def changed_keys(new: Mapping[str, str], old: Mapping[str, str]) -> set[str]:
    """Keys that appear, disappear or get another value."""
    if new == old:
        return set()
    return {key for key in new.keys() | old.keys() if new.get(key) != old.get(key)}


def record_creator(attributes: AdmissionAttributes) -> None:
    """The server writes ``llmos.ai/creator`` when a user creates a namespace; it stays for ever.

    Only the platform itself may write another one (it restores backups).
    """
    if is_platform(attributes.user) or attributes.object is None:
        return
    creator = annotations_of(attributes.old_object or {}).get(CREATOR)
    if attributes.operation == "CREATE":
        creator = attributes.user.name if attributes.user.is_llmos_user else None
    if annotations_of(attributes.object).get(CREATOR) == creator:
        return
    annotations = dict(annotations_of(attributes.object))
    annotations.pop(CREATOR, None)
    if creator is not None:
        annotations[CREATOR] = creator
    metadata(attributes.object)["annotations"] = annotations


def keep_protected_keys(attributes: AdmissionAttributes) -> None:
    """Section 7: protected label and annotation keys on a Namespace change only by an admin.

    Raises:
        ForbiddenError: somebody else changes one.
    """
    if is_administrator(attributes.user):
        return
    new, old = objects_of(attributes)
    labels = changed_keys(labels_of(new), labels_of(old))
    annotations = changed_keys(annotations_of(new), annotations_of(old))
    # What the server itself has just written is no change of the author's.
    if labels_of(new).get(NAME_LABEL) == name_in(attributes):
        labels.discard(NAME_LABEL)
    if annotations_of(new).get(CREATOR) == attributes.user.name:
        annotations.discard(CREATOR)
    keys = labels | annotations
    protected = sorted(key for key in keys if is_protected_key(key))
    if protected:
        raise forbidden(
            attributes, f"only an administrator may change {', '.join(protected)} of a namespace"
        )


def keep_owners_and_finalizers(attributes: AdmissionAttributes) -> None:
    """Section 7, likewise: who owns a namespace and what holds it up changes only by an admin.

    Raises:
        ForbiddenError: somebody else changes ownerReferences or finalizers.
    """
    if is_administrator(attributes.user):
        return
    new, old = objects_of(attributes)
    if owner_references(new) != owner_references(old):
        raise forbidden(
            attributes, "only an administrator may change ownerReferences of a namespace"
        )
    if finalizers_of(new) != finalizers_of(old):
        raise forbidden(attributes, "only an administrator may change finalizers of a namespace")


def keep_status_from_end_users(attributes: AdmissionAttributes) -> None:
    """Rule 5: only admins end a namespace, so no end user writes its ``status`` or ``finalize``.

    Raises:
        ForbiddenError: an end user does.
    """
    if is_end_user(attributes.user):
        raise forbidden(
            attributes, f"only an administrator may change {attributes.subresource} of a namespace"
        )


def mutators() -> list[Mutator]:
    """The creator's name."""
    return [Mutator("NamespaceMetadata/creator", Scope(WRITES, [NAMESPACES], None), record_creator)]


def validators() -> list[Validator]:
    """What only admins write."""
    everywhere = Scope(WRITES, [NAMESPACES], None)
    return [
        Validator("NamespaceMetadata/protected", everywhere, keep_protected_keys),
        Validator("NamespaceMetadata/owners", everywhere, keep_owners_and_finalizers),
        Validator(
            "NamespaceMetadata/status",
            Scope(WRITES, [NAMESPACES], ("status", "finalize")),
            keep_status_from_end_users,
        ),
    ]
