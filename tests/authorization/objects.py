"""RBAC objects in one line each, for the tests of this room."""

from llmos.apimachinery.object import Object
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes
from llmos.authorization.bootstrap import resource_of
from llmos.authorization.index import RBACIndex

RBAC = "rbac.authorization.k8s.io"
ALICE = UserInfo("alice", "alice-uid", ("devs", "system:authenticated"))
BOB = UserInfo("bob", "bob-uid", ("system:authenticated",))
ROOT = UserInfo("admin", "", ("system:masters", "system:authenticated"))


def rule(
    verbs: str = "*", groups: str = "", resources: str = "", names: str = "", urls: str = ""
) -> Object:
    """A PolicyRule; lists are written with commas, and ``core`` is the core group."""
    lists = {
        "verbs": verbs,
        "apiGroups": groups,
        "resources": resources,
        "resourceNames": names,
        "nonResourceURLs": urls,
    }
    return {
        key: ["" if each == "core" else each for each in text.split(",")]
        for key, text in lists.items()
        if text
    }


def role(namespace: str, name: str, *rules: Object) -> Object:
    """A Role, or (``namespace`` empty) a ClusterRole."""
    kind = "Role" if namespace else "ClusterRole"
    meta = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": meta,
        "rules": list(rules),
    }


def binding(namespace: str, name: str, role_ref: str, *subjects: str) -> Object:
    """A RoleBinding or ClusterRoleBinding; ``Role/r`` is bound to ``User/alice``."""
    kind, _, role_name = role_ref.partition("/")
    meta = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role_name},
        "subjects": [subject(each) for each in subjects],
    }


def subject(text: str) -> Object:
    """``User/alice``, ``Group/g``, ``ServiceAccount/namespace/name`` or ``ServiceAccount/name``."""
    kind, *rest = text.split("/")
    if kind == "ServiceAccount" and len(rest) == 2:
        return {"kind": kind, "namespace": rest[0], "name": rest[1]}
    return {"kind": kind, "name": "/".join(rest)}


def index_of(*objects: Object) -> RBACIndex:
    """An index that was fed the objects."""
    index = RBACIndex()
    put(index, *objects)
    return index


def put(index: RBACIndex, *objects: Object) -> None:
    """Feed the objects to the index."""
    for obj in objects:
        resource = resource_of(obj)
        assert resource is not None
        index.set(resource, obj)


def drop(index: RBACIndex, obj: Object) -> None:
    """Tell the index that the object is gone."""
    resource = resource_of(obj)
    assert resource is not None
    index.delete(resource, obj)


def ask(user: UserInfo, verb: str, what: str, namespace: str = "", name: str = "") -> Attributes:
    """A question; ``what`` is ``pods``, ``pods/log``, ``apps:deployments`` or ``/healthz``."""
    if what.startswith("/"):
        return Attributes(user, verb, path=what)
    group, _, resource = what.rpartition(":")
    resource, _, subresource = resource.partition("/")
    return Attributes(
        user, verb, group, "v1", resource, subresource, namespace=namespace, name=name
    )
