"""Names that a server makes up, of a ``generateName``.

Source: k8s.io/apiserver/pkg/storage/names.
"""

import secrets

_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_MAX_BASE = 63 - _SUFFIX_LENGTH


def generate_name(base: str) -> str:
    """A name of ``generateName`` and five random characters without vowels."""
    suffix = "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
    return base[:_MAX_BASE] + suffix
