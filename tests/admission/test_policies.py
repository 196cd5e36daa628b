"""ValidatingAdmissionPolicies: whom they concern, what they say, and how it is worded."""

import logging

import pytest

from admission.world import ADMIN, ALICE, MASTER, World, changed, named, namespace
from llmos.admission import policy_program
from llmos.apimachinery.errors import StatusError
from llmos.apimachinery.object import name_of

POD = named("p", "team-a", spec={"containers": [{"name": "c", "image": "good/x"}]})
ALL = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}


def rule(**fields: object) -> dict[str, object]:
    return {**ALL, **fields}


def policy(*expressions: str, name: str = "p", rules=(ALL,), **spec: object) -> dict:
    match = {"resourceRules": list(rules), **spec.pop("match", {})}
    validations = [{"expression": each} for each in expressions]
    spec = {"matchConstraints": match, "validations": validations, **spec}
    return {"metadata": {"name": name}, "spec": spec}


def binding(name: str = "b", of: str = "p", actions=("Deny",), **spec: object) -> dict:
    spec = {"policyName": of, "validationActions": list(actions), **spec}
    return {"metadata": {"name": name}, "spec": spec}


def bind(world: World, *policies: dict, **more: object) -> None:
    for each in policies:
        world.policies.set_policy(each)
        name = each["metadata"]["name"]
        world.policies.set_binding(binding(f"{name}-b", name, **more))


def refusal(world: World, *args: object, **more: object) -> StatusError:
    with pytest.raises(StatusError) as caught:
        world.admit(*args, **more)
    return caught.value


def said(world: World, *args: object, **more: object) -> str:
    """What the policy says about a change, or nothing."""
    try:
        world.admit(*args, **more)
    except StatusError as error:
        return error.message.partition("denied request: ")[2] or error.message
    return ""


def test_words(world):
    """A refusal is Kubernetes': 422 Invalid, its message also the cause."""
    bind(world, policy("object.data.size() < 1"))
    error = refusal(world, ADMIN, "CREATE", "configmaps", named("c", "team-a", data={"a": "1"}))
    text = (
        "ValidatingAdmissionPolicy 'p' with binding 'p-b' denied request: "
        "failed expression: object.data.size() < 1"
    )
    assert error.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'configmaps "c" is forbidden: {text}',
        "reason": "Invalid",
        "details": {"name": "c", "kind": "configmaps", "causes": [{"message": text}]},
        "code": 422,
    }


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Forbidden", 403),
        ("Unauthorized", 401),
        ("RequestEntityTooLarge", 413),
        ("Invalid", 422),
        ("Odd", 422),
    ],
)
def test_reasons(world, reason, code):
    """A validation says which answer it is."""
    made = policy("false")
    made["spec"]["validations"][0]["reason"] = reason
    bind(world, made)
    error = refusal(world, ADMIN, "DELETE", "configmaps", None, named("c", "team-a"))
    assert error.code == code
    assert error.details["causes"][0]["message"].endswith("failed expression: false")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"message": " no good "}, "no good"),
        ({"messageExpression": "'pod ' + object.metadata.name"}, "pod p"),
        ({"message": "plain", "messageExpression": "string(object.nope)"}, "plain"),
        ({"message": "plain", "messageExpression": "'a\\nb'"}, "plain"),
        ({"message": "plain", "messageExpression": "'  '"}, "plain"),
        ({"messageExpression": "string(object.nope)"}, "failed expression: false"),
    ],
    ids=str,
)
def test_messages(world, fields, text):
    """A message expression comes first, then the message, then the expression itself."""
    made = policy("false")
    made["spec"]["validations"][0] |= fields
    bind(world, made)
    assert said(world, ALICE, "CREATE", "pods", POD) == text


@pytest.mark.parametrize(
    ("wanted", "hit"),
    [
        (rule(), True),
        (rule(resources=["pods"]), True),
        (rule(resources=["configmaps"]), False),
        (rule(resources=["pods/*"]), False),
        (rule(resources=["*/*"]), True),
        (rule(apiGroups=[""], apiVersions=["v1"]), True),
        (rule(apiGroups=["apps"]), False),
        (rule(operations=["CREATE", "DELETE"]), True),
        (rule(operations=["UPDATE"]), False),
        (rule(scope="Namespaced"), True),
        (rule(scope="Cluster"), False),
        (rule(resourceNames=["p"]), True),
        (rule(resourceNames=["q"]), False),
        (rule(apiVersions=["v9"]), True),
    ],
    ids=str,
)
def test_rules(world, wanted, hit):
    """A policy concerns what one of its rules names; ``Equivalent`` passes over the version."""
    bind(world, policy("false", rules=[wanted]))
    assert bool(said(world, ALICE, "CREATE", "pods", POD)) == hit


def test_exact(world):
    """``Exact`` concerns the versions that are named, and no others."""
    bind(world, policy("false", rules=[rule(apiVersions=["v9"])], match={"matchPolicy": "Exact"}))
    assert not said(world, ALICE, "CREATE", "pods", POD)


def test_equivalent_version(world):
    """A policy for another version sees the object in that version."""
    bind(
        world,
        policy(
            "object.apiVersion == 'v9' && request.kind.version == 'v9'"
            " && request.requestKind.version == 'v1'",
            rules=[rule(apiVersions=["v9"])],
        ),
    )
    assert not said(world, ALICE, "CREATE", "pods", POD)


@pytest.mark.parametrize(
    ("resources", "subresource", "hit"),
    [
        (["*"], "status", False),
        (["*/*"], "status", True),
        (["pods"], "status", False),
        (["pods/status"], "status", True),
        (["pods/*"], "status", True),
        (["*/status"], "status", True),
        (["*/scale"], "status", False),
    ],
)
def test_subresources(world, resources, subresource, hit):
    """A subresource is concerned where it is named."""
    bind(world, policy("false", rules=[rule(resources=resources)]))
    found = said(world, ALICE, "UPDATE", "pods", POD, POD, subresource=subresource)
    assert bool(found) == hit


def test_excluded(world):
    """An exclude rule outweighs every other."""
    bind(world, policy("false", match={"excludeResourceRules": [rule(resources=["pods"])]}))
    assert not said(world, ALICE, "CREATE", "pods", POD)
    assert said(world, ALICE, "CREATE", "configmaps", named("c", "team-a"))


def test_namespace_selector(world):
    """Objects are chosen by their namespace's labels, namespaces by their own, others always."""
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "team-a"}}
    bind(world, policy("false", match={"namespaceSelector": selector}))
    assert said(world, ALICE, "CREATE", "configmaps", named("c", "team-a"))
    assert not said(world, ALICE, "CREATE", "configmaps", named("c", "team-b"))
    old = namespace("team-b")
    new = changed(old, metadata={"labels": {"kubernetes.io/metadata.name": "team-a"}})
    assert said(world, MASTER, "UPDATE", "namespaces", new, old)
    assert not said(world, MASTER, "DELETE", "namespaces", None, old)
    assert said(world, ADMIN, "CREATE", "storageclasses", named("s"))


def test_object_selector(world):
    """The object is chosen by its labels, or by those it had."""
    bind(world, policy("false", match={"objectSelector": {"matchLabels": {"a": "b"}}}))
    plain, marked = named("c", "team-a"), named("c", "team-a")
    marked["metadata"]["labels"] = {"a": "b"}
    assert not said(world, ALICE, "CREATE", "configmaps", plain)
    assert said(world, ALICE, "CREATE", "configmaps", marked)
    assert said(world, ALICE, "UPDATE", "configmaps", plain, marked)


def test_binding_narrows(world):
    """A binding may concern less than its policy; without one a policy is not in force."""
    world.policies.set_policy(policy("false"))
    assert not said(world, ALICE, "CREATE", "pods", POD)
    only = {"resourceRules": [rule(resources=["configmaps"])]}
    world.policies.set_binding(binding(matchResources=only))
    assert not said(world, ALICE, "CREATE", "pods", POD)
    assert said(world, ALICE, "CREATE", "configmaps", named("c", "team-a"))
    world.policies.delete_binding(binding())
    assert not said(world, ALICE, "CREATE", "configmaps", named("c", "team-a"))


def test_a_deleted_policy_is_not_in_force(world):
    """Nothing is left of a policy that is gone."""
    bind(world, policy("false"))
    assert said(world, ALICE, "CREATE", "pods", POD)
    world.policies.delete_policy(policy())
    assert not said(world, ALICE, "CREATE", "pods", POD)


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.containers.all(c, c.image.startsWith('good/'))",
        "oldObject == null",
        "request.operation == 'CREATE' && request.name == 'p' && request.namespace == 'team-a'",
        "request.resource.version == 'v1' && request.requestResource.resource == 'pods'",
        "request.kind.kind == 'Pod' && !has(request.subResource) && request.dryRun == false",
        "request.userInfo.username == 'alice' && 'llmos:users' in request.userInfo.groups",
        "namespaceObject.metadata.name == 'team-a' && namespaceObject.kind == 'Namespace'",
        "params == null",
        "authorizer.group('').resource('pods').namespace('team-a').check('get').allowed()",
        "!authorizer.group('').resource('pods').namespace('team-b').check('get').allowed()",
        "authorizer.requestResource.check('get').allowed()",
        "authorizer.serviceAccount('a', 'b').group('').resource('pods').check('x').reason() == ''",
        "!authorizer.path('/metrics').check('get').allowed()",
    ],
)
def test_variables(world, expression):
    """Every variable has what Kubernetes gives it."""
    world.grant("alice", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}], "team-a")
    bind(world, policy(expression))
    assert said(world, ALICE, "CREATE", "pods", POD) == ""
    bind(world, policy(f"!({expression})"))
    assert said(world, ALICE, "CREATE", "pods", POD).startswith("failed expression")


def test_deleted_object(world):
    """On DELETE there is an old object and no new one; a namespace is in itself."""
    bind(
        world,
        policy(
            "object == null && oldObject.metadata.name == 'team-a'"
            " && request.namespace == 'team-a' && namespaceObject == null"
        ),
    )
    assert not said(world, MASTER, "DELETE", "namespaces", None, namespace("team-a"))


VARIABLES = [
    {"name": "images", "expression": "object.spec.containers.map(c, c.image)"},
    {"name": "bad", "expression": "variables.images.filter(i, !i.startsWith('good/'))"},
    {"name": "broken", "expression": "object.nope"},
    {"name": "worse", "expression": "variables.broken + 1"},
    {"name": "born", "expression": "timestamp('2026-01-01T00:00:00Z')"},
]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("variables.bad.size() == 0", ""),
        ("variables.images == ['good/x']", ""),
        ("variables.born < timestamp('2027-01-01T00:00:00Z')", ""),
        ("true || variables.broken == 1", ""),
        (
            "variables.broken == 1",
            (
                "expression 'variables.broken == 1' resulted in error: composited variable "
                '"broken" fails to evaluate: no such key: nope'
            ),
        ),
        (
            "variables.worse == 1",
            (
                "expression 'variables.worse == 1' resulted in error: composited variable "
                '"worse" fails to evaluate: composited variable "broken" fails to evaluate: '
                "no such key: nope"
            ),
        ),
    ],
)
def test_composition(world, expression, text):
    """Variables may use those before them; one that fails only harms those who use it."""
    bind(world, policy(expression, variables=VARIABLES))
    assert said(world, ALICE, "CREATE", "pods", POD) == text


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        (["true"], "failed expression: false"),
        (["true", "false"], ""),
        (["object.nope == 1", "false"], ""),
        (
            ["object.nope == 1"],
            "expression 'object.nope == 1' resulted in error: no such key: nope",
        ),
        (["request.userInfo.username != 'alice'"], ""),
    ],
)
def test_match_conditions(world, conditions, text):
    """All of them must hold; one that is false outweighs one that fails."""
    made = [{"name": f"c{index}", "expression": each} for index, each in enumerate(conditions)]
    bind(world, policy("false", matchConditions=made))
    assert said(world, ALICE, "CREATE", "pods", POD) == text


@pytest.mark.parametrize("expression", ["object.nope == 1", "1 / (object.spec.n - 1) == 1"])
def test_failure_policy(world, expression):
    """What cannot be evaluated is refused, or let pass where the policy says so."""
    pod = changed(POD, spec={"n": 1})
    bind(world, policy(expression))
    assert said(world, ALICE, "CREATE", "pods", pod).startswith(f"expression '{expression}' resul")
    bind(world, policy(expression, failurePolicy="Ignore"))
    assert said(world, ALICE, "CREATE", "pods", pod) == ""


def test_a_broken_policy_fails_closed(world):
    """A stored policy that does not compile refuses what it concerns."""
    bind(world, policy("object.spec.", rules=[rule(resources=["pods"])]))
    assert said(world, ALICE, "CREATE", "pods", POD).startswith("failed to configure policy: ")
    assert not said(world, ALICE, "CREATE", "configmaps", named("c", "team-a"))
    bind(world, policy("object.spec.", failurePolicy="Ignore"))
    assert not said(world, ALICE, "CREATE", "pods", POD)


def test_a_broken_policy_concerns_what_its_selectors_say(world):
    """It refuses no more than it would have judged."""
    selected = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team-b"}}}
    bind(world, policy("object.spec.", match=selected))
    assert not said(world, ALICE, "CREATE", "pods", POD)
    other = named("p", "team-b", spec=POD["spec"])
    assert said(world, ALICE, "CREATE", "pods", other).startswith("failed to configure policy: ")


def test_a_policy_is_compiled_by_the_first_change_that_it_concerns(world, monkeypatch):
    """No other change waits for it, and that one is judged by it, as all after it."""
    compiled = []
    real = policy_program.compile_policy

    def count(obj, where):
        compiled.append(name_of(obj))
        return real(obj, where)

    monkeypatch.setattr(policy_program, "compile_policy", count)
    bind(world, policy("false", rules=[rule(resources=["pods"], resourceNames=["p"])]))
    assert not said(world, ALICE, "CREATE", "configmaps", named("c", "team-a"))
    assert not said(world, ALICE, "CREATE", "pods", named("q", "team-a", spec=POD["spec"]))
    assert "p" not in compiled
    for _ in range(2):
        assert said(world, ALICE, "CREATE", "pods", POD) == "failed expression: false"
    assert compiled.count("p") == 1


def test_no_change_passes_a_policy_that_could_not_be_compiled(world, monkeypatch):
    """Whatever goes wrong there ends the change: the first, and each that follows."""

    def fail(obj, where):
        raise MemoryError

    monkeypatch.setattr(policy_program, "compile_policy", fail)
    bind(world, policy("true", failurePolicy="Ignore"))
    for _ in range(2):
        with pytest.raises(MemoryError):
            world.admit(ALICE, "CREATE", "pods", POD)


def test_warn(world):
    """``Warn`` lets it pass and says so."""
    bind(world, policy("false"), actions=["Warn"])
    attributes = world.admit(ALICE, "CREATE", "pods", POD)
    assert attributes.warnings == [
        (
            "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p-b': "
            "failed expression: false"
        )
    ]


def test_audit(world, caplog):
    """``Audit`` and audit annotations let it pass and go to the audit log; null is left out."""
    annotations = [
        {"key": "image", "valueExpression": "string(object.spec.containers[0].image)"},
        {"key": "none", "valueExpression": "null"},
    ]
    bind(world, policy("false", auditAnnotations=annotations), actions=["Audit"])
    with caplog.at_level(logging.INFO, logger="llmos.audit"):
        world.admit(ALICE, "CREATE", "pods", POD)
    assert '"annotation":"p/image","value":"good/x"' in caplog.text
    assert "p/p-b: failed expression: false" in caplog.text
    assert "p/none" not in caplog.text


def params(world: World, ref: dict, kind: str = "ConfigMap", **more: object) -> str:
    """What a policy with parameters says of a pod in team-a."""
    made = policy(
        "object.metadata.name != params.data.forbidden",
        paramKind={"apiVersion": "v1", "kind": kind},
        **more,
    )
    bind(world, made, paramRef={"parameterNotFoundAction": "Deny", **ref})
    return said(world, ALICE, "CREATE", "pods", POD)


def test_params(world):
    """Parameters come from the object named, or from all selected, in the request's namespace."""
    world.put("configmaps", named("x", "team-b", data={"forbidden": "p"}))
    world.put("configmaps", named("x", "team-a", data={"forbidden": "q"}))
    failed = "failed expression: object.metadata.name != params.data.forbidden"
    assert params(world, {"name": "x"}) == ""
    assert params(world, {"name": "x", "namespace": "team-b"}) == failed
    assert params(world, {"selector": {}, "namespace": "team-a"}) == ""
    other = named("y", "team-a", data={"forbidden": "p"})
    other["metadata"]["labels"] = {"a": "b"}
    world.put("configmaps", other)
    assert params(world, {"selector": {"matchLabels": {"a": "b"}}}) == failed
    assert params(world, {"selector": {}}) == failed


@pytest.mark.parametrize(
    ("ref", "kind", "text"),
    [
        (
            {"name": "gone"},
            "ConfigMap",
            "no params found for policy binding with `Deny` parameterNotFoundAction",
        ),
        ({"name": "gone", "parameterNotFoundAction": "Allow"}, "ConfigMap", ""),
        ({"name": "x"}, "Nope", "paramKind kind `v1, Kind=Nope` not known"),
        (
            {"name": "x", "namespace": "team-a"},
            "Namespace",
            "paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
        ),
    ],
)
def test_missing_params(world, ref, kind, text):
    """Without parameters it is refused, unless the binding says to allow it."""
    expected = f"failed to configure binding: {text}" if text else ""
    assert params(world, ref, kind) == expected
    assert params(world, ref, kind, failurePolicy="Ignore") == ""


def test_namespaced_params_of_cluster_objects(world):
    """A cluster-wide object has no namespace to look for parameters in."""
    bind(
        world,
        policy("true", paramKind={"apiVersion": "v1", "kind": "ConfigMap"}),
        paramRef={"name": "x", "parameterNotFoundAction": "Allow"},
    )
    assert said(world, ADMIN, "CREATE", "storageclasses", named("s")).endswith(
        "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
    )


def test_policies_do_not_guard_policies(world):
    """A policy cannot lock itself in."""
    bind(world, policy("false"))
    for plural in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        assert not said(world, ADMIN, "DELETE", plural, None, named("p"))


def test_the_first_refusal_counts(world):
    """Of several policies all are asked, and the first that refuses is heard."""
    bind(world, policy("true", name="a"), policy("false", name="c"), policy("false", name="b"))
    error = refusal(world, ALICE, "CREATE", "pods", POD)
    assert "ValidatingAdmissionPolicy 'b' with binding 'b-b' denied" in error.message


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.items.map(a, object.spec.items.map(b, a + b)).size() > 0",
        "object.spec.items.all(a, object.spec.text.matches('(x+x+)+y'))",
        "object.spec.items.map(i, i).map(i, i).map(i, i).size() > 0",
        (
            "[object.spec.text].map(a, a + a).map(b, b + b).map(c, c + c).map(d, d + d)"
            ".map(e, e + e).map(f, f + f).map(g, g + g).size() == 1"
        ),
    ],
)
def test_cost(world, expression):
    """What would take too long is not begun."""
    pod = changed(POD, spec={"items": list(range(3000)), "text": "x" * 1_000_000})
    bind(world, policy(expression))
    assert said(world, ALICE, "CREATE", "pods", pod).endswith(
        "operation cancelled: actual cost limit exceeded"
    )


def test_nothing_hides_behind_a_nul(world):
    """The runtime ends texts at a NUL; what comes after it is judged all the same."""
    bind(world, policy("object.data.a.matches('^[a-z]+$')"))
    bad = named("c", "team-a", data={"a": "good\0/../evil"})
    assert said(world, ALICE, "CREATE", "configmaps", bad).startswith("failed expression")
    bad = named("c", "team-a", data={"a": "good\ud800"})
    assert said(world, ALICE, "CREATE", "configmaps", bad).startswith("failed expression")
