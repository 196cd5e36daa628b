"""Who is an admin: whom a RoleTemplateBinding in force binds to the GlobalRole ``admin``.

Asked at every authentication, so that nobody stays an admin whose last binding has gone.
"""

from dataclasses import dataclass, field

from llmos.apimachinery.clock import Clock
from llmos.apimachinery.object import Object, is_terminating, name_of
from llmos.apis.role_template_bindings import expiry, role_of, subjects_of

_ADMIN = ("GlobalRole", "admin")


@dataclass(frozen=True, slots=True)
class _Grant:
    subjects: frozenset[tuple[str, str]]
    ends: float | None


@dataclass(slots=True)
class Administrators:
    """Fed with every event of ``roletemplatebindings.management.llmos.ai``."""

    clock: Clock
    _grants: dict[str, _Grant] = field(default_factory=dict)

    def set(self, binding: Object) -> None:
        """Take a binding that is new or changed."""
        self._grants.pop(name_of(binding), None)
        if role_of(binding) != _ADMIN or is_terminating(binding) or binding.get("namespaceId"):
            return
        try:
            ends = expiry(binding)
        except ValueError:
            return
        subjects = frozenset((each["kind"], each["name"]) for each in subjects_of(binding))
        self._grants[name_of(binding)] = _Grant(subjects, ends)

    def delete(self, binding: Object) -> None:
        """Forget a binding that is gone."""
        self._grants.pop(name_of(binding), None)

    def __call__(self, name: str, groups: tuple[str, ...]) -> bool:
        """Whether a user, by his name or by one of his groups, is an admin now."""
        if not self._grants:
            return False
        now = self.clock()
        wanted = {("User", name), *(("Group", each) for each in groups)}
        return any(
            not wanted.isdisjoint(grant.subjects)
            for grant in self._grants.values()
            if grant.ends is None or grant.ends > now
        )
