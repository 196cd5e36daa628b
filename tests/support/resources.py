"""Where resources are: the paths of the Kubernetes API."""

_GROUPS = {
    "": "configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims pods"
    " resourcequotas secrets serviceaccounts services",
    "apiextensions.k8s.io": "customresourcedefinitions",
    "apps": "deployments statefulsets",
    "gpustack.llmos.ai": "gpudevices",
    "management.llmos.ai": "globalroles roletemplatebindings roletemplates settings users",
    "ml.llmos.ai": "modelservices notebooks",
    "rbac.authorization.k8s.io": "clusterrolebindings clusterroles rolebindings roles",
    "storage.k8s.io": "storageclasses",
}
_PREFIXES = {
    resource: f"/apis/{group}/v1" if group else "/api/v1"
    for group, resources in _GROUPS.items()
    for resource in resources.split()
}


def at(resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a collection, an object or a part of an object."""
    where = f"/namespaces/{namespace}" if namespace else ""
    parts = [f"/{each}" for each in (resource, name, subresource) if each]
    return _PREFIXES[resource] + where + "".join(parts)
