"""ValidatingAdmissionPolicies and rules of custom resources, through the whole server."""

import pytest

REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{REGISTRATION}/validatingadmissionpolicies"
BINDINGS = f"{REGISTRATION}/validatingadmissionpolicybindings"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def policy(name, *expressions, resources=("configmaps",), group="", **spec):
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["*"]}
    return {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [{**rule, "resources": list(resources)}]},
            "validations": [{"expression": each} for each in expressions],
            **spec,
        },
    }


def binding(name, **spec):
    spec = {"policyName": name, "validationActions": ["Deny"], **spec}
    return {"metadata": {"name": name}, "spec": spec}


@pytest.fixture
def put(site):
    """Creates a policy with its binding, and takes them away in the end."""
    made = []

    def create(obj, **more):
        name = obj["metadata"]["name"]
        assert site.ask("POST", POLICIES, obj).status == 201
        assert site.ask("POST", BINDINGS, binding(name, **more)).status == 201
        made.append(name)

    yield create
    for name in made:
        site.ask("DELETE", f"{BINDINGS}/{name}")
        site.ask("DELETE", f"{POLICIES}/{name}")


def test_in_force_at_once(site, place, put):
    """A policy holds when its binding's writer has the answer, on every path, until it goes."""
    put(policy("frozen", "!has(object.data) || !('bad' in object.data)"))
    bad = {"metadata": {"name": "c"}, "data": {"bad": "1"}}
    answer = site.ask("POST", f"{place}/configmaps", bad)
    assert answer.status == 422
    assert (
        "ValidatingAdmissionPolicy 'frozen' with binding 'frozen' denied" in answer.json["message"]
    )
    assert site.ask("POST", f"{place}/configmaps", {**bad, "data": {}}).status == 201
    applied = {**bad, "apiVersion": "v1", "kind": "ConfigMap"}
    one = f"{place}/configmaps/c"
    for method, target, kind in (
        ("PUT", one, "application/json"),
        ("PATCH", one, "application/merge-patch+json"),
        ("PATCH", f"{one}?fieldManager=x&force=true", "application/apply-patch+yaml"),
        ("PATCH", f"{place}/configmaps/n?fieldManager=x", "application/apply-patch+yaml"),
    ):
        name = target.partition("?")[0].rpartition("/")[2]
        body = {**applied, "metadata": {"name": name}}
        assert site.ask(method, target, body, content_type=kind).status == 422, target
    assert site.ask("DELETE", f"{BINDINGS}/frozen").status == 200
    assert site.ask("PUT", one, bad).status == 200


def test_delete_and_deletecollection(site, place, put):
    """A policy on DELETE holds for single objects and for collections."""
    for name in ("a", "b"):
        site.ask("POST", f"{place}/configmaps", {"metadata": {"name": name}})
    put(policy("kept", "request.operation != 'DELETE' || oldObject.metadata.name != 'a'"))
    assert site.ask("DELETE", f"{place}/configmaps/a").status == 422
    assert site.ask("DELETE", f"{place}/configmaps").status == 422
    assert site.ask("DELETE", f"{place}/configmaps/b").status in (200, 404)
    assert site.ask("GET", f"{place}/configmaps/a").status == 200


def test_params_are_read_as_they_are_now(site, place, put):
    """A changed parameter counts from the next request on; built-in kinds and custom ones do."""
    limits = {"metadata": {"name": "limits"}, "data": {"max": "1"}}
    assert site.ask("POST", f"{place}/secrets", limits | {"data": {}}).status == 201
    site.ask("POST", f"{place}/configmaps", limits)
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    put(
        policy(
            "sized",
            "size(object.data) <= int(params.data.max)",
            resources=["secrets"],
            paramKind=kind,
        ),
        paramRef={"name": "limits", "parameterNotFoundAction": "Deny"},
    )
    two = {"metadata": {"name": "two"}, "data": {"a": "YQ==", "b": "YQ=="}}
    assert site.ask("POST", f"{place}/secrets", two).status == 422
    site.ask("PUT", f"{place}/configmaps/limits", {**limits, "data": {"max": "2"}})
    assert site.ask("POST", f"{place}/secrets", two).status == 201
    site.ask("DELETE", f"{place}/configmaps/limits")
    assert site.ask("DELETE", f"{place}/secrets/two").status == 422


def test_expressions_that_do_not_compile(site):
    """They are refused when the policy is written, with the place of the error."""
    answer = site.ask("POST", POLICIES, policy("bad", "object.x +", "request.nope == 1", "1"))
    assert answer.status == 422
    causes = answer.json["details"]["causes"]
    assert [each["field"] for each in causes] == [
        f"spec.validations[{index}].expression" for index in range(3)
    ]
    messages = [each["message"] for each in causes]
    assert messages[0].startswith('Invalid value: "object.x +": compilation failed: ERROR: <input>')
    assert "undefined field 'nope'\n | request.nope == 1\n | .......^" in messages[1]
    assert messages[2] == 'Invalid value: "1": must evaluate to bool'


def test_type_checking(site, put):
    """What is odd for the kinds a policy is for is said in its status; it is in force anyway."""
    kinds = {"resources": ["deployments"], "group": "apps"}
    put(policy("odd", "object.spec.replicaz > 1", "object.spec.replicas > 1", **kinds))

    site.core.policy_types.start()
    site.run(site.core.policy_types.settled())
    status = site.get(f"{POLICIES}/odd")["status"]
    (warning,) = status["typeChecking"]["expressionWarnings"]
    assert status["observedGeneration"] == 1
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert warning["warning"] == (
        "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replicaz'\n"
        " | object.spec.replicaz > 1\n | ...........^"
    )


CRD = {
    "metadata": {"name": "gauges.cel.example.com"},
    "spec": {
        "group": "cel.example.com",
        "scope": "Namespaced",
        "names": {"plural": "gauges", "kind": "Gauge"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "min": {"type": "integer"},
                                    "max": {"type": "integer"},
                                    "unit": {
                                        "type": "string",
                                        "x-kubernetes-validations": [
                                            {"rule": "self == oldSelf", "message": "is fixed"}
                                        ],
                                    },
                                },
                                "x-kubernetes-validations": [
                                    {
                                        "rule": "self.min <= self.max",
                                        "messageExpression": "string(self.min) + ' is too much'",
                                        "fieldPath": ".min",
                                    }
                                ],
                            },
                            "status": {
                                "type": "object",
                                "properties": {"now": {"type": "integer"}},
                            },
                        },
                        "x-kubernetes-validations": [
                            {
                                "rule": "!has(self.status) || self.status.now <= self.spec.max",
                                "message": "over the top",
                            }
                        ],
                    }
                },
            }
        ],
    },
}


def test_rules_of_a_definition(site):
    """Rules hold from the start, on create and update, for the status too."""
    assert site.ask("POST", CRDS, CRD).status == 201
    site.run(site.core.custom.settled())
    gauges = f"/apis/cel.example.com/v1/namespaces/{site.namespace().rpartition('/')[2]}/gauges"
    gauge = {
        "apiVersion": "cel.example.com/v1",
        "kind": "Gauge",
        "metadata": {"name": "g"},
        "spec": {"min": 5, "max": 3, "unit": "V"},
    }
    answer = site.ask("POST", gauges, gauge)
    assert answer.status == 422
    assert answer.json["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": 'Invalid value: "object": 5 is too much',
            "field": "spec.min",
        }
    ]
    gauge["spec"]["min"] = 1
    assert site.ask("POST", gauges, gauge).status == 201
    merge = "application/merge-patch+json"
    one = f"{gauges}/g"
    answer = site.ask("PATCH", one, {"spec": {"unit": "A"}}, content_type=merge)
    assert answer.json["message"].endswith('spec.unit: Invalid value: "A": is fixed')
    answer = site.ask("PATCH", f"{one}/status", {"status": {"now": 9}}, content_type=merge)
    assert answer.json["message"].endswith('<nil>: Invalid value: "object": over the top')
    answer = site.ask("PATCH", f"{one}/status", {"status": {"now": 2}}, content_type=merge)
    assert answer.status == 200


def test_rules_that_do_not_compile(site):
    """A definition with a wrong rule is refused."""
    crd = {**CRD, "metadata": {"name": "bads.cel.example.com"}}
    version = {**CRD["spec"]["versions"][0]}
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "x-kubernetes-validations": [{"rule": "self.spec.n == 'x'"}],
    }
    version["schema"] = {"openAPIV3Schema": schema}
    names = {"plural": "bads", "kind": "Bad"}
    crd["spec"] = {**CRD["spec"], "names": names, "versions": [version]}
    answer = site.ask("POST", CRDS, crd)
    assert answer.status == 422
    (cause,) = answer.json["details"]["causes"]
    assert cause["field"].endswith("openAPIV3Schema.x-kubernetes-validations[0].rule")
    assert cause["message"] == (
        "Invalid value: \"self.spec.n == 'x'\": compilation failed: ERROR: <input>:1:13: "
        "found no matching overload for '_==_' applied to '(int, string)'\n"
        " | self.spec.n == 'x'\n | ............^"
    )


def test_the_platform_policies_come_back(site):
    """A start puts the platform's policies in place again, whatever was done to them."""
    name = "llmos-namespaces"
    policy = site.get(f"{POLICIES}/{name}")
    policy["spec"]["failurePolicy"] = "Ignore"
    assert site.ask("PUT", f"{POLICIES}/{name}", policy).status == 200
    assert site.ask("DELETE", f"{BINDINGS}/{name}").status == 200
    site.run(site.content.policies())
    assert site.get(f"{POLICIES}/{name}")["spec"]["failurePolicy"] == "Fail"
    assert site.get(f"{BINDINGS}/{name}")["spec"]["validationActions"] == ["Deny"]


def test_the_platform_policies_hold(site):
    """They are in force from the start: an admin of llmos meets them, and cannot lift them."""
    bound = {
        "metadata": {"name": "uma-is-admin"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "uma"},
        ],
    }
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    assert site.ask("POST", bindings, bound).status == 201
    refused = [
        ("DELETE", "/api/v1/namespaces/storage-system", None),
        ("POST", "/api/v1/namespaces", {"metadata": {"generateName": "kube-"}}),
        ("PUT", "/api/v1/namespaces/storage-system/finalize",
         site.get("/api/v1/namespaces/storage-system")),
        ("DELETE", f"{POLICIES}/llmos-namespaces", None),
        ("DELETE", BINDINGS, None),
    ]  # fmt: skip
    for method, path, body in refused:
        answer = site.ask(method, path, body, token="uma")
        assert answer.status == 403, (method, path, answer.json)
    made = {"metadata": {"name": "c"}}
    answer = site.ask("POST", "/api/v1/namespaces/default/configmaps", made, token="uma")
    assert answer.status == 201
    assert "not meant for production" in str(answer.headers["warning"])
