"""What a write needs to know besides the object: who, how, and with which options."""

from dataclasses import dataclass, field
from typing import Any

from llmos.apimachinery.object import Object
from llmos.apis.authentication_v1 import UserInfo


@dataclass(slots=True)
class WriteContext:
    """One write request on its way through the store."""

    user: UserInfo
    namespace: str
    field_manager: str
    dry_run: bool = False
    valid: bool = False
    """The object is one of ours that is known to be valid: it is admitted, but not validated."""
    options: Object = field(default_factory=dict)
    """CreateOptions, UpdateOptions, PatchOptions or DeleteOptions, for admission."""
    warnings: list[str] = field(default_factory=list)
    """Becomes ``Warning`` headers of the answer."""
    notes: dict[str, Any] = field(default_factory=dict, repr=False)
    """What admission took out of the object for whoever finishes the request; never stored."""
