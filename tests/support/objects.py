"""Objects that tests make."""

from typing import Any

Object = dict[str, Any]
MANAGEMENT = "management.llmos.ai"
RBAC = "rbac.authorization.k8s.io"


def config_map(name: str, **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": data or {"key": "value"},
    }


def secret(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": {"key": "hush"},
    }


def service(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": 80}]},
    }


def notebook(name: str, image: str = "jupyter/base-notebook") -> Object:
    container = {"name": "notebook", "image": image}
    return {
        "apiVersion": "ml.llmos.ai/v1",
        "kind": "Notebook",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def model_service(name: str, model: str = "Qwen/Qwen2.5-0.5B-Instruct") -> Object:
    return {
        "apiVersion": "ml.llmos.ai/v1",
        "kind": "ModelService",
        "metadata": {"name": name},
        "spec": {"model": model},
    }


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def node(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


def gpu_device(name: str) -> Object:
    return {
        "apiVersion": "gpustack.llmos.ai/v1",
        "kind": "GPUDevice",
        "metadata": {"name": name},
        "spec": {},
    }


def storage_class(name: str) -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "example.com/disks",
    }


def resource_quota(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name},
        "spec": {"hard": {"count/configmaps": "50"}},
    }


def limit_range(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": name},
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]},
    }


def user(name: str, password: str, **spec: Any) -> Object:
    return {
        "apiVersion": f"{MANAGEMENT}/v1",
        "kind": "User",
        "metadata": {"name": name},
        "spec": {"password": password, **spec},
    }


def role_template(name: str, *rules: Object) -> Object:
    return {
        "apiVersion": f"{MANAGEMENT}/v1",
        "kind": "RoleTemplate",
        "metadata": {"name": name},
        "spec": {"displayName": name},
        "rules": list(rules),
    }


def global_role(name: str, *rules: Object) -> Object:
    return {**role_template(name, *rules), "kind": "GlobalRole"}


def rule(resource: str, *verbs: str, group: str = "") -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def subject(name: str, kind: str = "User") -> Object:
    return {"kind": kind, "apiGroup": RBAC, "name": name}


def member(name: str, namespace: str, role: str, *subjects: Object) -> Object:
    """A binding of a RoleTemplate in a namespace, or of a GlobalRole where there is none."""
    kind = "RoleTemplate" if namespace else "GlobalRole"
    binding = {
        "apiVersion": f"{MANAGEMENT}/v1",
        "kind": "RoleTemplateBinding",
        "metadata": {"name": name},
        "roleTemplateRef": {"apiGroup": MANAGEMENT, "kind": kind, "name": role},
        "subjects": list(subjects),
    }
    return {**binding, "namespaceId": namespace} if namespace else binding


def role_binding(name: str, role: str, *subjects: Object, kind: str = "ClusterRole") -> Object:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": list(subjects),
    }


def get_in(obj: Any, *path: str) -> Any:
    """What is at a path in an object; None where there is nothing."""
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj
