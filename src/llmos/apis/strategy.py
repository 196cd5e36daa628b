"""All that may differ from kind to kind, as data; the registry writes the verbs once.

A plain kind needs nothing but a ``Strategy()``. Functions change the object they are given in
place and must be pure otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.object import Object

PrepareCreate = Callable[[Object], None]
PrepareUpdate = Callable[[Object, Object], None]
"""``(new, old)``: bring over from old what a client may not change."""
Validate = Callable[[Object], Sequence[FieldError]]
ValidateUpdate = Callable[[Object, Object], Sequence[FieldError]]
"""``(new, old)``."""
Revalidate = Callable[[Object, Object, list[str]], Sequence[FieldError]]
"""``(new, old, warnings)``; warnings are added to the last."""
NameCheck = Callable[[str], Sequence[str]]
"""Messages of what is wrong with a name."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of server-side printing (meta.k8s.io/v1 TableColumnDefinition)."""

    name: str
    cell: Callable[[Object, float], Any]
    """``(object, now in seconds)`` → the cell's value."""
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


def _no_create(_: Object) -> None:
    """Change nothing."""


def _no_update(_new: Object, _old: Object) -> None:
    """Change nothing."""


def _valid(_: Object) -> Sequence[FieldError]:
    """Find nothing wrong."""
    return ()


def _valid_update(_new: Object, _old: Object) -> Sequence[FieldError]:
    """Find nothing wrong."""
    return ()


def _not_held(_: Object) -> bool:
    """Nothing else keeps it."""
    return False


def _no_warnings(_: Object) -> Sequence[str]:
    """Warn of nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class Strategy:
    """How one kind differs from a plain one. See wire rules in docs/compatibility.md."""

    check_name: NameCheck | None = None
    """None: a DNS-1123 subdomain."""
    default: PrepareCreate = _no_create
    """Defaults of the kind, on every write, before prepare and validation."""
    prepare_create: PrepareCreate = _no_create
    prepare_update: PrepareUpdate = _no_update
    prepare_status: PrepareUpdate = _no_update
    """For the ``status`` subresource, after the registry has kept all but status from old."""
    validate: Validate = _valid
    """On create and on update."""
    validate_update: ValidateUpdate = _valid_update
    """On update, besides ``validate``."""
    validate_status: ValidateUpdate = _valid_update
    revalidate: Revalidate | None = None
    """On update, of the status too, in place of all three: what was wrong before may be let be."""
    warnings: Callable[[Object], Sequence[str]] = _no_warnings
    has_status: bool = False
    """There is a ``status`` subresource, and the main path ignores ``status``."""
    has_generation: bool = False
    """``metadata.generation`` counts changes of the spec."""
    create_on_update: bool = False
    """PUT of a missing name creates it."""
    unconditional_update: bool = True
    """PUT without a resourceVersion is allowed."""
    delete_returns_object: bool = False
    """DELETE answers with the object and not with a Status."""
    begin_delete: PrepareCreate = _no_create
    """What the beginning of a deletion changes (``status.phase``, finalizers of the server's)."""
    held: Callable[[Object], bool] = _not_held
    """Whether something besides ``metadata.finalizers`` keeps a deleted object alive."""
    fields: Callable[[Object], Mapping[str, str]] | None = None
    """Values of the field labels that selectors may use besides name and namespace."""
    field_names: Sequence[str] = ()
    """The names of those field labels."""
    columns: Sequence[Column] = ()
    """Server-side printing; empty: Name and Age."""
    redact: bool = False
    """Never echo values of this kind in errors (Secrets)."""
