"""Who on the other side only has the name of somebody in the file: nothing is given to him."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from llmos.apimachinery.object import Object, get_path, name_of
from llmos.apis.authentication_v1 import AUTHENTICATED_GROUP, USERS_GROUP

_FOR_EVERYBODY = frozenset({USERS_GROUP, AUTHENTICATED_GROUP})


@dataclass(slots=True)
class People:
    """The users of the server who are those of the file, and all others."""

    known: dict[str, str] = field(default_factory=dict)
    """The uids of those of the file, on this server."""
    strangers: dict[str, frozenset[str]] = field(default_factory=dict)
    """The groups of all others."""

    def meet(self, users: Iterable[Object]) -> None:
        """Everybody there was before."""
        for each in users:
            groups = get_path(each, "spec", "groups", default=None) or ()
            self.strangers[name_of(each)] = frozenset(groups)

    def recognize(self, name: str, uid: str) -> None:
        """This one is in the file."""
        self.known[name] = uid
        self.strangers.pop(name, None)

    def miss(self, name: str) -> None:
        """This one is in the file and did not come: whoever gets the name later is another one."""
        self.strangers.setdefault(name, frozenset())

    def why_not_bound(self, binding: Object) -> str:
        """Why a binding would give somebody what he never had; empty: it does not."""
        for each in binding.get("subjects") or ():
            name = str(each.get("name") or "")
            if each.get("kind") == "User" and name in self.strangers:
                return f"the user {name} of the file is not here"
            if each.get("kind") == "Group" and name not in _FOR_EVERYBODY:
                members = sorted(who for who, groups in self.strangers.items() if name in groups)
                if members:
                    return (
                        f"the group {name} has members here who are not in the file: {members[0]}"
                    )
        return ""
