"""User manifests may bring a password; it is taken out before anything is stored."""

import orjson

from llmos.apimachinery.errors import FieldError, InvalidError
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apis.usernames import login_name
from llmos.authentication.passwords import check_password
from llmos.authentication.records import USER_KIND

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def take_password(user: Object) -> str | None:
    """Remove ``spec.password`` from a User, and from what kubectl remembers of it; give it back.

    To be called on the object that is about to be stored, and its answer handed to
    ``Accounts.absorb_password`` once it is.

    Raises:
        InvalidError: the password is not good enough.
    """
    _scrub_annotation(user)
    spec = user.get("spec")
    if not isinstance(spec, dict) or "password" not in spec:
        return None
    password = spec.pop("password")
    if password is None:
        return None
    errors = [FieldError("FieldValueTypeInvalid", "spec.password", "Invalid type: want a string")]
    if isinstance(password, str):
        errors = check_password(password, (name_of(user), login_name(user)), "spec.password")
    if errors:
        raise InvalidError.of(USER_KIND, name_of(user), errors)
    return str(password)


def _scrub_annotation(user: Object) -> None:
    """Remove the password from kubectl's copy of the manifest."""
    annotations = get_path(user, "metadata", "annotations")
    text = get_path(annotations, LAST_APPLIED)
    if not isinstance(text, str):
        return
    try:
        applied = orjson.loads(text)
        spec = applied.get("spec") or {}
        found = spec.pop("password", None) is not None
    except (ValueError, AttributeError, TypeError):
        del annotations[LAST_APPLIED]
        return
    if found:
        annotations[LAST_APPLIED] = orjson.dumps(applied).decode() + "\n"
