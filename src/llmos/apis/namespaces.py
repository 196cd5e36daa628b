"""Which namespaces are the platform's own, by name: the one list that every guard reads.

Nothing that a client can write (a label, an annotation) changes an answer of this module. The
manifests in ``manifests/namespaces`` create the same names, with what each is for.
"""

import re

PUBLIC_NAMESPACE = "llmos-public"
"""What is in it, every signed-in user reads."""

SYSTEM_NAMESPACE = "llmos-system"
"""Where the platform keeps its own objects: credentials, sessions, the controllers' account."""

RESERVED_NAMESPACES = frozenset(
    {
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "llmos-dashboards",
        "llmos-db-system",
        # Both spellings: the first is how it is documented, the second how it is deployed.
        "llmos-gpu-stakc-system",
        "llmos-gpu-stack-system",
        "llmos-monitoring-system",
        "llmos-system",
        "storage-system",
        "system-upgrade",
    }
)
"""Not for end users: nobody signed in through llmos deletes one or is bound to a role in one."""

RESERVED_PREFIXES = ("kube-", "llmos-")
"""No new namespace takes a name that begins so."""

NOT_FOR_PRODUCTION = frozenset({"default", PUBLIC_NAMESPACE})
"""Creating in one of them answers with a warning."""

_PROTECTED_KEY = re.compile(
    r"(?:pod-security|resource)\.kubernetes\.io/.*"
    r"|kubernetes\.io/metadata\.name"
    r"|(?:.+\.)?llmos\.ai/.*",
    re.DOTALL,
)


def is_reserved(name: str) -> bool:
    """Whether a namespace is reserved: by its name, or by a prefix (``llmos-public`` is not)."""
    if name == PUBLIC_NAMESPACE:
        return False
    return name in RESERVED_NAMESPACES or name.startswith(RESERVED_PREFIXES)


def is_protected_key(key: str) -> bool:
    """Whether a label or annotation of a Namespace changes by an admin only."""
    return _PROTECTED_KEY.fullmatch(key) is not None
