"""The published schemas of the built-in kinds, as the build step took them."""

import json
from importlib.resources import files

import pytest

from llmos.apimachinery.go_types import json_fields, message_of_definition
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apis.builtin_schemas import definition_name, definitions, is_registered, schema_for
from llmos.server.openapi_schemas import references

KINDS = json.loads((files("llmos.apis") / "kinds.json").read_text())


def test_every_kind_is_there():
    """Each kind of kinds.json has its definition, and all that it refers to is there too."""
    for prefix, kinds in KINDS.items():
        for kind in kinds:
            assert f"{prefix}.{kind}" in definitions()
    assert set(references(definitions())) <= set(definitions())


def test_plain_openapi():
    """Types are single, and apiVersion and kind are no enums."""
    for node in definitions().values():
        assert not isinstance(node.get("type"), list)
        for child in node.get("properties", {}).values():
            assert not isinstance(child.get("type"), list)
    properties = definitions()["io.k8s.api.core.v1.Secret"]["properties"]
    assert "enum" not in properties["kind"]
    assert "enum" not in properties["apiVersion"]


@pytest.mark.parametrize(
    ("gvk", "name"),
    [
        (("", "v1", "Secret"), "io.k8s.api.core.v1.Secret"),
        (("", "v1", "SecretList"), "io.k8s.api.core.v1.SecretList"),
        (("events.k8s.io", "v1", "Event"), "io.k8s.api.events.v1.Event"),
        (("rbac.authorization.k8s.io", "v1", "DeleteOptions"), None),
        (("ml.llmos.ai", "v1", "Notebook"), None),
    ],
)
def test_names(gvk, name):
    """A kind is found by its group, version and kind; options are known in every group."""
    if gvk[2] == "DeleteOptions":
        name = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
    assert definition_name(GroupVersionKind(*gvk)) == name
    assert (schema_for(GroupVersionKind(*gvk)) is None) is (name is None)


def test_registered():
    """Lists are kinds as well; what does not exist is none."""
    assert is_registered(GroupVersionKind("", "v1", "List"))
    assert is_registered(GroupVersionKind("", "v1", "ConfigMapList"))
    assert not is_registered(GroupVersionKind("apps", "v1", "ConfigMap"))


def test_defaults_of_list_keys():
    """A port's protocol has its default, without which ports could not be told apart."""
    pod = schema_for(GroupVersionKind("", "v1", "Pod"))
    ports = pod.properties["spec"].properties["containers"].items.properties["ports"]
    assert ports.list_keys == ("containerPort", "protocol")
    assert ports.items.properties["protocol"].default == "TCP"


def test_go_types_agree_with_openapi():
    """The table of Go's fields speaks of fields that exist, but for one that a release renamed."""
    strays = {
        f"{name}.{key}"
        for name, node in definitions().items()
        for key in json_fields(message_of_definition(name))
        if key not in node.get("properties", {})
    }
    assert strays == {"io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus.resources"}
