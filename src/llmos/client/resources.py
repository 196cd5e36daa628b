"""The resources that clients of ours address by name; discovery gives all others."""

from llmos.apimachinery.resource import APIResource

MANAGEMENT_GROUP = "management.llmos.ai"
RBAC_GROUP = "rbac.authorization.k8s.io"


def resource(
    group: str, version: str, plural: str, kind: str, *, namespaced: bool = False
) -> APIResource:
    """Name a resource; what only discovery knows (verbs, short names) stays at its default."""
    return APIResource(group, version, plural, kind.lower(), kind, namespaced)


NAMESPACES = resource("", "v1", "namespaces", "Namespace")
SECRETS = resource("", "v1", "secrets", "Secret", namespaced=True)
CONFIG_MAPS = resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
SERVICE_ACCOUNTS = resource("", "v1", "serviceaccounts", "ServiceAccount", namespaced=True)
RESOURCE_QUOTAS = resource("", "v1", "resourcequotas", "ResourceQuota", namespaced=True)
LIMIT_RANGES = resource("", "v1", "limitranges", "LimitRange", namespaced=True)
EVENTS = resource("", "v1", "events", "Event", namespaced=True)
NODES = resource("", "v1", "nodes", "Node")
PODS = resource("", "v1", "pods", "Pod", namespaced=True)
PERSISTENT_VOLUMES = resource("", "v1", "persistentvolumes", "PersistentVolume")
PERSISTENT_VOLUME_CLAIMS = resource(
    "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", namespaced=True
)

ROLES = resource(RBAC_GROUP, "v1", "roles", "Role", namespaced=True)
ROLE_BINDINGS = resource(RBAC_GROUP, "v1", "rolebindings", "RoleBinding", namespaced=True)
CLUSTER_ROLES = resource(RBAC_GROUP, "v1", "clusterroles", "ClusterRole")
CLUSTER_ROLE_BINDINGS = resource(RBAC_GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding")

USERS = resource(MANAGEMENT_GROUP, "v1", "users", "User")
GLOBAL_ROLES = resource(MANAGEMENT_GROUP, "v1", "globalroles", "GlobalRole")
ROLE_TEMPLATES = resource(MANAGEMENT_GROUP, "v1", "roletemplates", "RoleTemplate")
ROLE_TEMPLATE_BINDINGS = resource(
    MANAGEMENT_GROUP, "v1", "roletemplatebindings", "RoleTemplateBinding"
)
SETTINGS = resource(MANAGEMENT_GROUP, "v1", "settings", "Setting")

CUSTOM_RESOURCE_DEFINITIONS = resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"
)

TOKEN_REVIEWS = resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview")
SELF_SUBJECT_REVIEWS = resource(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview"
)
SELF_SUBJECT_ACCESS_REVIEWS = resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview"
)
SELF_SUBJECT_RULES_REVIEWS = resource(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview"
)
SUBJECT_ACCESS_REVIEWS = resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview"
)
