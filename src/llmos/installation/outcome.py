"""What is said of each object: what became of it, and how it was before."""

from dataclasses import dataclass
from enum import StrEnum

from llmos.apimachinery.object import Object
from llmos.apis.platform_content import Place


class Action(StrEnum):
    """What was done to an object, or would be."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One object, before and after."""

    place: Place
    action: Action
    before: Object | None = None
    after: Object | None = None
    note: str = ""
    """What people should know of it."""


class InstallationError(Exception):
    """It cannot go on; says what an operator can do about it."""
