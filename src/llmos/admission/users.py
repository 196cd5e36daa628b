"""Users: names that cannot be mistaken for one another, and no way to rise by editing one.

What a User looks like is said by its definition in ``manifests/crds``; what it may be given, by the
policy ``llmos-users``.
"""

from dataclasses import dataclass

from llmos.admission.administrators import Administrators, groups_of
from llmos.admission.identity import is_platform
from llmos.admission.plugin import WRITES, Mutator, Scope, Validator
from llmos.admission.refusals import forbidden, invalid, name_in, objects_of
from llmos.admission.resources import USERS
from llmos.admission.rights import Escalation
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apimachinery.validation import field_invalid
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.authentication_v1 import (
    AUTHENTICATED_GROUP,
    USERS_GROUP,
    UserInfo,
)
from llmos.apis.usernames import login_name, names_held, normalize_username


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
            for taken in checks.keys() & names_held(other):
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
        """Whether its author may touch a User at all."""
        scope = Scope(("UPDATE", "DELETE"), [USERS])
        return [Validator("Users/rising", scope, self.keep_from_rising)]

    def validators(self) -> list[Validator]:
        """Beside the others."""
        return [Validator("Users/names", Scope(WRITES, [USERS]), self.keep_names_apart)]


def _identity(user: Object) -> UserInfo:
    """Whom a User signs in as, with what the spec says of him."""
    return UserInfo(name_of(user), groups=(*groups_of(user), USERS_GROUP, AUTHENTICATED_GROUP))
