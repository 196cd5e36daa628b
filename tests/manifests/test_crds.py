"""The CustomResourceDefinitions: their names, and the fields that LLMOS manifests use."""

import pytest

from llmos.apimachinery.jsonpath import compile_path
from llmos.apimachinery.object import name_of
from llmos.manifests import load

CRDS = {name_of(crd): crd for crd in load("crds")}
KINDS = {
    "users.management.llmos.ai": ("User", "Cluster", True),
    "globalroles.management.llmos.ai": ("GlobalRole", "Cluster", True),
    "roletemplates.management.llmos.ai": ("RoleTemplate", "Cluster", True),
    "roletemplatebindings.management.llmos.ai": ("RoleTemplateBinding", "Cluster", True),
    "settings.management.llmos.ai": ("Setting", "Cluster", False),
    "notebooks.ml.llmos.ai": ("Notebook", "Namespaced", True),
    "modelservices.ml.llmos.ai": ("ModelService", "Namespaced", True),
    "gpudevices.gpustack.llmos.ai": ("GPUDevice", "Cluster", True),
}
KUBERNETES_SHORT_NAMES = {
    *("cm", "cs", "csr", "crd", "crds", "cj", "deploy", "ds", "ep", "ev", "hpa", "ing", "limits"),
    *("netpol", "no", "ns", "pc", "pdb", "po", "pv", "pvc", "quota", "rc", "rs", "sa", "sc", "sts"),
    *("svc", "vac", "ip"),
}
POLICY_RULE = {"verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"}
FIELDS = {
    "users": {
        "": {"spec", "status"},
        "spec": {
            *("username", "displayName", "description", "password", "isAdmin", "isActive"),
            *("groups", "email"),
        },
        "status": {"isAdmin", "isActive", "conditions", "lastUpdateTime"},
    },
    "globalroles": {
        "": {"spec", "rules", "namespacedRules", "status"},
        "spec": {"displayName", "newUserDefault", "builtin"},
        "rules[]": POLICY_RULE,
        "namespacedRules{}[]": POLICY_RULE,
        "status": {"conditions", "observedGeneration", "lastUpdateTime", "state"},
    },
    "roletemplates": {
        "": {"spec", "rules", "status"},
        "spec": {"displayName", "builtin", "locked", "newNamespaceDefault"},
        "rules[]": POLICY_RULE,
        "status": {"conditions", "observedGeneration", "lastUpdateTime", "state"},
    },
    "roletemplatebindings": {
        "": {"roleTemplateRef", "subjects", "namespaceId", "expiresAt", "status"},
        "roleTemplateRef": {"apiGroup", "kind", "name"},
        "subjects[]": {"kind", "name", "apiGroup", "namespace"},
        "status": {"conditions", "namespaceUID", "subjects"},
        "status.subjects[]": {"kind", "name", "uid"},
    },
    "settings": {"": {"value", "default", "customized", "source", "status"}},
    "notebooks": {
        "spec": {
            *("template", "replicas", "selector", "serviceType", "volumeClaimTemplates"),
            *("datasetMountings", "volumes"),
        },
        "status": {"conditions", "readyReplicas", "containerState", "state"},
    },
    "modelservices": {
        "spec": {
            *("model", "modelRegistry", "servedModelName", "replicas", "selector", "serviceType"),
            *("volumeClaimTemplates", "updateStrategy", "template", "accelerators", "enableGUI"),
        },
        "status": {"conditions", "readyReplicas", "containerState", "state"},
    },
    "gpudevices": {
        "status": {
            *("conditions", "nodeName", "internalIP", "index", "uuid", "vendor", "devName"),
            *("maxCount", "vram", "cudaCores", "devCores", "numa", "health", "pods", "state"),
        },
        "status.pods[]": {"name", "memReq", "memPercentageReq", "coresReq"},
    },
}


def version_of(name):
    (version,) = CRDS[name]["spec"]["versions"]
    return version


def schema_of(name):
    return version_of(name)["schema"]["openAPIV3Schema"]


def at(schema, path):
    """Follow ``a.b[]`` and ``a{}`` down a schema."""
    for step in filter(None, path.replace("[]", ".[]").replace("{}", ".{}").split(".")):
        if step == "[]":
            schema = schema["items"]
        elif step == "{}":
            schema = schema["additionalProperties"]
        else:
            schema = schema["properties"][step]
    return schema


def nodes(schema):
    """Every node of a schema."""
    yield schema
    children = [*schema.get("properties", {}).values()]
    children += [schema[key] for key in ("items", "additionalProperties") if key in schema]
    for child in children:
        yield from nodes(child)


def test_the_kinds_are_those_of_llmos():
    """Eight kinds, each with its group, version v1, scope and status subresource."""
    assert CRDS.keys() == KINDS.keys()
    for name, (kind, scope, has_status) in KINDS.items():
        spec = CRDS[name]["spec"]
        assert (spec["names"]["kind"], spec["scope"]) == (kind, scope)
        assert name == f"{spec['names']['plural']}.{spec['group']}"
        version = version_of(name)
        assert (version["name"], version["served"], version["storage"]) == ("v1", True, True)
        assert ("status" in version.get("subresources", {})) is has_status


@pytest.mark.parametrize("name", KINDS)
def test_the_fields_are_those_of_llmos(name):
    """Manifests of LLMOS lose no field: every one of theirs is in the schema, and ours besides."""
    for path, expected in FIELDS[name.partition(".")[0]].items():
        common = set() if path else {"apiVersion", "kind", "metadata"}
        assert set(at(schema_of(name), path)["properties"]) == expected | common


@pytest.mark.parametrize("name", KINDS)
def test_schemas_are_structural(name):
    """Every node says its type, so that a real cluster takes the definition too."""
    for node in nodes(schema_of(name)):
        assert "type" in node or node.get("x-kubernetes-int-or-string")
        assert ("items" in node) is (node["type"] == "array")
        if node.get("x-kubernetes-list-type") == "map":
            for key in node["x-kubernetes-list-map-keys"]:
                assert key in node["items"]["required"]


@pytest.mark.parametrize("name", KINDS)
def test_people_find_them(name):
    """Each is in the category llmos, workloads also in all; short names are nobody else's."""
    names = CRDS[name]["spec"]["names"]
    assert "llmos" in names["categories"]
    assert ("all" in names["categories"]) is (CRDS[name]["spec"]["scope"] == "Namespaced")
    assert not KUBERNETES_SHORT_NAMES & set(names.get("shortNames", ()))


def test_short_names_are_distinct():
    """No two kinds share a short name."""
    found = [each for crd in CRDS.values() for each in crd["spec"]["names"].get("shortNames", ())]
    assert sorted(found) == sorted({"gpu", "gr", "msvc", "nb", "rt", "rtb"})


@pytest.mark.parametrize("name", KINDS)
def test_columns_lead_somewhere(name):
    """Every printer column is a path that is understood, and age comes last."""
    columns = version_of(name)["additionalPrinterColumns"]
    for column in columns:
        compile_path(column["jsonPath"])
    assert columns[-1]["name"] == "Age"
    assert not [each for each in columns if "password" in each["jsonPath"]]


COLUMNS = [
    (
        "notebooks.ml.llmos.ai",
        {
            "metadata": {"labels": {"ml.llmos.ai/notebook-type": "jupyter"}},
            "spec": {
                "template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "2"}}}]}}
            },
        },
        {"Type": "jupyter", "CPU": "2"},
    ),
    (
        "roletemplatebindings.management.llmos.ai",
        {
            "namespaceId": "team-a",
            "roleTemplateRef": {"kind": "RoleTemplate", "name": "namespace-owner"},
            "subjects": [{"kind": "User", "name": "alice"}],
            "status": {
                "conditions": [
                    {"type": "Expired", "status": "False"},
                    {"type": "InForce", "status": "True"},
                ]
            },
        },
        {"Namespace": "team-a", "Role": "namespace-owner", "Subjects": "alice", "In Force": "True"},
    ),
]


@pytest.mark.parametrize(("name", "obj", "cells"), COLUMNS)
def test_columns_show_what_people_look_for(name, obj, cells):
    """Paths with escaped dots, indexes and filters give the value they are meant to."""
    paths = {
        each["name"]: compile_path(each["jsonPath"])
        for each in version_of(name)["additionalPrinterColumns"]
    }
    assert {key: paths[key](obj)[0] for key in cells} == cells


def test_a_binding_may_leave_out_what_goes_without_saying():
    """The API group of the role is defaulted; only kind and name are required of it."""
    reference = at(schema_of("roletemplatebindings.management.llmos.ai"), "roleTemplateRef")
    assert reference["required"] == ["kind", "name"]
    assert reference["properties"]["apiGroup"]["default"] == "management.llmos.ai"


def test_a_user_is_read_without_credentials():
    """Neither password nor username is required, so that stored objects need not have them."""
    spec = at(schema_of("users.management.llmos.ai"), "spec")
    assert "required" not in spec
    assert spec["properties"]["isActive"]["default"] is True
