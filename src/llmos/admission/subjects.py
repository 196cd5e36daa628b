"""The subjects of bindings, and names that are what they seem."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from llmos.admission.refusals import objects_of
from llmos.apimachinery.object import Object
from llmos.apis.admission_v1 import AdmissionAttributes

Subject = dict[str, Any]

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def has_hidden_characters(text: str) -> bool:
    """Whether a text has what nobody sees: control, bidi, zero-width, line separators."""
    return any(unicodedata.category(character) in _HIDDEN for character in text)


def subjects_of(binding: Object) -> Sequence[Subject]:
    """The subjects of a binding; what is no list of maps is left out, for its schema to refuse."""
    subjects = binding.get("subjects")
    if not isinstance(subjects, list):
        return []
    return [each for each in subjects if isinstance(each, dict)]


def added_subjects(attributes: AdmissionAttributes) -> list[Subject]:
    """The subjects that this change adds."""
    new, old = objects_of(attributes)
    before = {_identity(each) for each in subjects_of(old)}
    return [each for each in subjects_of(new) if _identity(each) not in before]


def _identity(subject: Subject) -> tuple[str, str, str]:
    return str(subject.get("kind")), str(subject.get("name")), str(subject.get("namespace") or "")
