"""Who the administrators are, from Users and RoleTemplateBindings; one must always be left.

An administrator is a User whom a binding to the GlobalRole ``admin`` names, by name or by one of
his groups, and who may sign in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmos.admission.identity import is_platform
from llmos.admission.plugin import Scope, Validator
from llmos.admission.refusals import forbidden
from llmos.admission.resources import ROLE_TEMPLATE_BINDINGS, USERS
from llmos.apimachinery.clock import Clock
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import Object, get_path, is_terminating, name_of
from llmos.apimachinery.resource import GroupResource
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.role_template_bindings import expiry, role_of, subjects_of

ADMIN_ROLE = ("GlobalRole", "admin")


def is_active(user: Object) -> bool:
    """Whether a User may sign in."""
    return get_path(user, "spec", "isActive", default=True) is True and not is_terminating(user)


def groups_of(user: Object) -> tuple[str, ...]:
    """The groups that a User's spec names."""
    groups = get_path(user, "spec", "groups")
    return tuple(each for each in groups if isinstance(each, str)) if groups else ()


def gives_administration(binding: Object, now: float) -> bool:
    """Whether a binding makes administrators: bound to the GlobalRole ``admin``, and in force."""
    if role_of(binding) != ADMIN_ROLE or is_terminating(binding):
        return False
    try:
        ends = expiry(binding)
    except ValueError:
        return False
    return ends is None or ends > now


def administrators(
    users: Iterable[Object], bindings: Iterable[Object], now: float
) -> Iterator[Object]:
    """The Users whom bindings make administrators, those who may not sign in included."""
    named = {
        (each["kind"], each["name"])
        for binding in bindings
        if gives_administration(binding, now)
        for each in subjects_of(binding)
    }
    for user in users:
        if ("User", name_of(user)) in named or any(
            ("Group", each) in named for each in groups_of(user)
        ):
            yield user


@dataclass(frozen=True, slots=True)
class Administrators:
    """Keeps the platform administrable."""

    lister: Lister
    clock: Clock

    def includes(self, user: Object) -> bool:
        """Whether a User is an administrator, active or not."""
        bindings = self.lister.list(ROLE_TEMPLATE_BINDINGS)
        return any(administrators([user], bindings, self.clock()))

    def keep_one(self, attributes: AdmissionAttributes) -> None:
        """The last active administrator is not deleted, deactivated or unbound.

        Raises:
            ForbiddenError: nobody would be left.
        """
        if is_platform(attributes.user) or self._is_irrelevant(attributes):
            return
        users = list(self.lister.list(USERS))
        bindings = list(self.lister.list(ROLE_TEMPLATE_BINDINGS))
        if not self._any_active(users, bindings):
            return
        users = _after(users, attributes, USERS)
        bindings = _after(bindings, attributes, ROLE_TEMPLATE_BINDINGS)
        if not self._any_active(users, bindings):
            raise forbidden(attributes, "the last active administrator must stay")

    def _is_irrelevant(self, attributes: AdmissionAttributes) -> bool:
        """Whether the change cannot take away an administrator, without looking at the others."""
        new, old = attributes.object, attributes.old_object or {}
        if attributes.resource.group_resource == ROLE_TEMPLATE_BINDINGS:
            return not gives_administration(old, self.clock())
        return new is not None and (is_active(new), groups_of(new)) == (
            is_active(old),
            groups_of(old),
        )

    def _any_active(self, users: Iterable[Object], bindings: Iterable[Object]) -> bool:
        return any(is_active(each) for each in administrators(users, bindings, self.clock()))

    def validators(self) -> list[Validator]:
        """Both kinds that make an administrator."""
        scope = Scope(("UPDATE", "DELETE"), [USERS, ROLE_TEMPLATE_BINDINGS])
        return [Validator("Administrators/last", scope, self.keep_one)]


def _after(
    objects: Iterable[Object], attributes: AdmissionAttributes, resource: GroupResource
) -> list[Object]:
    """The objects of a resource as they would be after the change."""
    if attributes.resource.group_resource != resource:
        return list(objects)
    others = [each for each in objects if name_of(each) != attributes.name]
    return others if attributes.object is None else [*others, attributes.object]
