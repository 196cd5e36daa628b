"""The name a user signs in with: ``spec.username`` of a User, compared after normalisation.

Authentication finds users by it, and admission and the proxy keep it unique, so all read it here.
"""

import unicodedata

from llmos.apimachinery.object import Object, get_path, name_of


def normalize_username(text: str) -> str:
    """Two names that a person would take for the same give the same text (NFKC, no case)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def login_name(user: Object) -> str:
    """The normalised name a User signs in with; ``metadata.name`` where the spec has none."""
    given = get_path(user, "spec", "username")
    return normalize_username(given if isinstance(given, str) and given else name_of(user))


def names_held(user: Object) -> frozenset[str]:
    """The normalised names that no other User may have: its own, and the one to sign in with."""
    return frozenset({normalize_username(name_of(user)), login_name(user)})
