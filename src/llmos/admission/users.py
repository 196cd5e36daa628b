"""Users: names that cannot be mistaken for one another, and no way to rise by editing one.

What a User may be given is said by the policy ``llmos-users``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from llmos.admission.administrators import Administrators, groups_of
from llmos.admission.identity import is_platform
from llmos.admission.plugin import WRITES, Mutator, Scope, Validator
from llmos.admission.refusals import forbidden, invalid, name_in, objects_of
from llmos.admission.resources import USERS
from llmos.admission.rights import Escalation
from llmos.admission.subjects import PLATFORM_PREFIXES, has_hidden_characters
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apimachinery.validation import field_invalid
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.authentication_v1 import (
    AUTHENTICATED_GROUP,
    USERS_GROUP,
    UserInfo,
)
from llmos.apis.usernames import login_name, normalize_username

_MAX_DISPLAY_NAME = 128
_MAX_USERNAME = 253
_MAX_GROUPS = 256


def default_username(attributes: AdmissionAttributes) -> None:
    """``spec.username`` is the object's own name where nobody gives another; later it stays."""
    new, old = objects_of(attributes)
    spec = new.setdefault("spec", {})
    if not isinstance(spec, dict):
        return
    if attributes.operation == "CREATE":
        spec["username"] = spec.get("username") or name_in(attributes)
    elif spec.get("username") is None:
        spec["username"] = get_path(old, "spec", "username") or name_in(attributes)


def check_fields(attributes: AdmissionAttributes) -> None:
    """Username, groups and display name are what they seem.

    Raises:
        InvalidError: one of them is not.
    """
    new, old = objects_of(attributes)
    errors = [*_username_errors(new, old), *_groups_errors(new), *_display_name_errors(new)]
    if errors:
        raise invalid(attributes, *errors)


def _username_errors(new: Object, old: Object) -> Iterator[FieldError]:
    """Immutable once set; one visible word; never a name of the platform's."""
    # Who has none, as after an apply on a cluster, goes by his name.
    said = get_path(new, "spec", "username")
    username = name_of(new) if said is None else said
    before = get_path(old, "spec", "username")
    if before and username != before:
        yield field_invalid("spec.username", username, "field is immutable")
    elif (
        not isinstance(username, str)
        or not 0 < len(username) <= _MAX_USERNAME
        or has_hidden_characters(username)
        or any(character.isspace() or character in ",:/" for character in username)
    ):
        yield field_invalid(
            "spec.username",
            username,
            "must be one word of at most 253 visible characters without ',', ':' and '/'",
        )


def _groups_errors(user: Object) -> Iterator[FieldError]:
    """No group of the platform's; no name that could be read as two."""
    groups = get_path(user, "spec", "groups") or []
    if not isinstance(groups, list) or len(groups) > _MAX_GROUPS:
        yield field_invalid("spec.groups", "", "must be a list of at most 256 names")
        return
    for index, group in enumerate(groups):
        field = f"spec.groups[{index}]"
        if not isinstance(group, str) or not group or len(group) > _MAX_USERNAME:
            yield field_invalid(field, group, "must be a name of at most 253 characters")
        elif group.startswith(PLATFORM_PREFIXES):
            yield field_invalid(field, group, "groups of the platform are given by the platform")
        elif has_hidden_characters(group) or any(each.isspace() or each == "," for each in group):
            yield field_invalid(
                field, group, "must not contain commas, spaces or hidden characters"
            )


def _display_name_errors(user: Object) -> Iterator[FieldError]:
    """At most 128 characters, all of which a reader sees."""
    shown = get_path(user, "spec", "displayName")
    if shown is None:
        return
    if not isinstance(shown, str) or len(shown) > _MAX_DISPLAY_NAME:
        yield field_invalid("spec.displayName", "", "must be a text of at most 128 characters")
    elif has_hidden_characters(shown):
        yield field_invalid("spec.displayName", "", "must not contain hidden characters")


@dataclass(frozen=True, slots=True)
class Users:
    """The rules that compare a User with others."""

    lister: Lister
    escalation: Escalation
    administrators: Administrators

    def keep_names_apart(self, attributes: AdmissionAttributes) -> None:
        """Names are unique after normalisation, and no display name is somebody else's name.

        Raises:
            InvalidError: another User has the name.
        """
        new, old = objects_of(attributes)
        name, login = name_in(attributes), login_name(new)
        shown = normalize_username(str(get_path(new, "spec", "displayName", default="") or ""))
        before = normalize_username(str(get_path(old, "spec", "displayName", default="") or ""))
        checks = {}
        if shown and shown != before:
            checks[shown] = "spec.displayName"
        if not old:
            checks |= {normalize_username(name): "metadata.name", login: "spec.username"}
        elif login_name(old) != login:
            checks[login] = "spec.username"
        for other in self.lister.list(USERS) if checks else ():
            if name_of(other) == name:
                continue
            for taken in (login_name(other), normalize_username(name_of(other))):
                if taken in checks:
                    raise invalid(
                        attributes, field_invalid(checks[taken], taken, "is another user's name")
                    )

    def keep_from_rising(self, attributes: AdmissionAttributes) -> None:
        """Nobody edits or deletes a user who holds more rights than himself.

        Raises:
            ForbiddenError: the user does.
        """
        author, user = attributes.user, attributes.old_object or {}
        if is_platform(author) or author.name == name_in(attributes):
            return
        more = self.administrators.includes(user) and not author.is_admin
        if more or not self.escalation.covers_user(author, _identity(user)):
            raise forbidden(attributes, "this user holds more rights than you do")

    def mutators(self) -> list[Mutator]:
        """The default of the username."""
        return [Mutator("Users/username", Scope(WRITES, [USERS]), default_username)]

    def forms(self) -> list[Validator]:
        """Whether its author may touch a User at all, then what it looks like."""
        return [
            Validator("Users/rising", Scope(("UPDATE", "DELETE"), [USERS]), self.keep_from_rising),
            Validator("Users/fields", Scope(WRITES, [USERS]), check_fields),
        ]

    def validators(self) -> list[Validator]:
        """Beside the others."""
        return [Validator("Users/names", Scope(WRITES, [USERS]), self.keep_names_apart)]


def _identity(user: Object) -> UserInfo:
    """Whom a User signs in as, with what the spec says of him."""
    return UserInfo(name_of(user), groups=(*groups_of(user), USERS_GROUP, AUTHENTICATED_GROUP))
