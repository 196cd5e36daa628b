"""The resources that admission reads or guards, by name."""

from llmos.apimachinery.resource import GroupResource

MANAGEMENT = "management.llmos.ai"
RBAC = "rbac.authorization.k8s.io"

NAMESPACES = GroupResource("", "namespaces")
PODS = GroupResource("", "pods")
SERVICES = GroupResource("", "services")
SERVICE_ACCOUNTS = GroupResource("", "serviceaccounts")
PERSISTENT_VOLUME_CLAIMS = GroupResource("", "persistentvolumeclaims")
RESOURCE_QUOTAS = GroupResource("", "resourcequotas")
LIMIT_RANGES = GroupResource("", "limitranges")
STORAGE_CLASSES = GroupResource("storage.k8s.io", "storageclasses")
LOCAL_ACCESS_REVIEWS = GroupResource("authorization.k8s.io", "localsubjectaccessreviews")

ROLES = GroupResource(RBAC, "roles")
ROLE_BINDINGS = GroupResource(RBAC, "rolebindings")
CLUSTER_ROLES = GroupResource(RBAC, "clusterroles")
CLUSTER_ROLE_BINDINGS = GroupResource(RBAC, "clusterrolebindings")

USERS = GroupResource(MANAGEMENT, "users")
GLOBAL_ROLES = GroupResource(MANAGEMENT, "globalroles")
ROLE_TEMPLATES = GroupResource(MANAGEMENT, "roletemplates")
ROLE_TEMPLATE_BINDINGS = GroupResource(MANAGEMENT, "roletemplatebindings")
SETTINGS = GroupResource(MANAGEMENT, "settings")
