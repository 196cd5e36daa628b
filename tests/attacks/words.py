"""What the cases speak of: paths, media types, names that are new, rules and roles."""

import secrets
from typing import Any

from support.objects import Object

NS = "/api/v1/namespaces"
MG = "/apis/management.llmos.ai/v1"
RB = "/apis/rbac.authorization.k8s.io/v1"
SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
JSON = "application/json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
GROUPS = ("llmos:users", "system:authenticated")
"""What everybody is a member of whom the platform knows."""
RESERVED = (
    "kube-node-lease", "kube-public", "kube-system", "llmos-dashboards", "llmos-db-system",
    "llmos-gpu-stakc-system", "llmos-gpu-stack-system", "llmos-monitoring-system", "llmos-system",
    "storage-system", "system-upgrade",
)  # fmt: skip
COLLECTED_SECONDS = 60
"""How long a cluster's garbage collector may take: it looks for new kinds every 30 s."""


def canary() -> str:
    """A text that nobody guesses and that is easy to find wherever it leaks."""
    return f"CANARY-{secrets.token_hex(8)}"


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{secrets.token_hex(3)}"


def rule(groups: str, resources: str, verbs: str, *names: str) -> dict[str, Any]:
    """A PolicyRule; each of the first three is a list in one string, separated by spaces."""
    made: dict[str, Any] = {
        "apiGroups": groups.split() or [""],
        "resources": resources.split(),
        "verbs": verbs.split(),
    }
    return made | ({"resourceNames": list(names)} if names else {})


def global_role(name: str, *rules: Object) -> Object:
    """A GlobalRole."""
    return {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "GlobalRole",
        "metadata": {"name": name},
        "spec": {"displayName": name},
        "rules": list(rules),
    }
