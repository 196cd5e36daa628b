"""What is installed: every object by a name that finds it, in an order that works."""

import pytest

from llmos.apimachinery.object import Object, name_of
from llmos.installation.plan import KEPT, STAGES, Ref, stage
from llmos.manifests import load

SHIPPED = [obj for name in STAGES for obj in stage(name)]


@pytest.mark.parametrize("obj", SHIPPED, ids=lambda each: f"{each['kind']}-{name_of(each)}")
def test_every_object_is_found(obj: Object) -> None:
    """Its kind is served by a resource, in a namespace where the resource has them."""
    ref = Ref.of(obj)
    assert ref.resource.kind == obj["kind"]
    assert ref.resource.namespaced is bool(ref.namespace)


def test_no_object_is_there_twice() -> None:
    """And none of a stage is left out."""
    refs = [Ref.of(each) for each in SHIPPED]
    assert len(set(refs)) == len(refs) == sum(len(load(name)) for name in STAGES)


def test_kubernetes_own_roles_stay_its_own() -> None:
    """A cluster has them already; ours would take away what its version added."""
    assert not any(name_of(each).startswith("system:") for each in SHIPPED)
    assert "cluster-admin" not in {name_of(each) for each in SHIPPED}


def test_what_is_needed_comes_first() -> None:
    """Namespaces, then kinds, then roles before those who get them, and policies at the end."""
    kinds = [each["kind"] for each in SHIPPED]
    order = ("Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding")
    assert sorted(order, key=kinds.index) == list(order)
    last_binding = len(kinds) - 1 - kinds[::-1].index("RoleBinding")
    assert last_binding < kinds.index("ValidatingAdmissionPolicy")


def test_names_are_shown_as_kubectl_shows_them() -> None:
    """With the group, where there is one, and the namespace."""
    role = Ref("rbac.authorization.k8s.io/v1", "Role", "llmos-system", "llmos:proxy")
    assert str(role) == "role.rbac.authorization.k8s.io/llmos:proxy -n llmos-system"
    assert str(Ref("v1", "Namespace", "", "kube-system")) == "namespace/kube-system"


def test_an_upgrade_never_deletes_what_holds_content() -> None:
    """Namespaces and definitions take what is in them along."""
    assert {"Namespace", "CustomResourceDefinition"} == KEPT
