"""RBAC, StorageClasses, Leases and workloads, as Kubernetes takes them."""

import pytest

from support.builtin import columns, create, kind_of, texts, update, update_status

RBAC = "rbac.authorization.k8s.io"


def obj(api_version: str, kind: str, **fields: object) -> dict:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **fields}


def rbac(kind: str, **fields: object) -> dict:
    return obj(f"{RBAC}/v1", kind, **fields)


def binding(kind: str = "RoleBinding", role: str = "Role", **fields: object) -> dict:
    return rbac(kind, **{"roleRef": {"kind": role, "name": "r"}, **fields})


def created(thing: dict) -> dict:
    stored, errors = create(thing)
    assert texts(errors) == []
    return stored


RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
RULE_ERRORS = {
    "no verbs": (
        "Role",
        {**RULE, "verbs": []},
        ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ),
    "no groups": (
        "ClusterRole",
        {**RULE, "apiGroups": []},
        ["rules[0].apiGroups: Required value: resource rules must supply at least one api group"],
    ),
    "no resources": (
        "Role",
        {**RULE, "resources": []},
        ["rules[0].resources: Required value: resource rules must supply at least one resource"],
    ),
    "urls in a namespace": (
        "Role",
        {"nonResourceURLs": ["/x"], "verbs": ["get"]},
        [
            (
                'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to '
                "non-resource URLs"
            )
        ],
    ),
    "urls and resources": (
        "ClusterRole",
        {**RULE, "nonResourceURLs": ["/x"]},
        [
            (
                'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both '
                "regular resources and non-resource URLs"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", RULE_ERRORS)
def test_rules_are_complete(case: str) -> None:
    """A rule that could grant nothing, or not here, is refused."""
    kind, rule, expected = RULE_ERRORS[case]
    assert texts(create(rbac(kind, rules=[rule]))[1]) == expected


def test_a_role_without_rules_says_so() -> None:
    """``rules`` is written as null, and URLs are fine in a ClusterRole."""
    assert created(rbac("Role"))["rules"] is None
    created(rbac("ClusterRole", rules=[{"nonResourceURLs": ["/x"], "verbs": ["get"]}]))
    _, errors = create(rbac("ClusterRole", aggregationRule={}))
    assert texts(errors) == [
        (
            "aggregationRule.clusterRoleSelectors: Required value: at least one "
            "clusterRoleSelector required if aggregationRule is non-nil"
        )
    ]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("a:b:C", ""), ("a/b", "may not contain '/'"), ("..", "may not be '..'")],
)
def test_names_of_roles_are_path_segments(name: str, wrong: str) -> None:
    """Anything that can stand in a URL is a name."""
    _, errors = create({**rbac("Role"), "metadata": {"name": name}})
    expected = [f'metadata.name: Invalid value: "{name}": {wrong}'] if wrong else []
    assert texts(errors) == expected


def test_bindings_are_defaulted_and_printed() -> None:
    """API groups come in for roles, users and groups, not for service accounts."""
    subjects = [
        {"kind": "User", "name": "u"},
        {"kind": "Group", "name": "g"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "tbl"},
    ]
    stored = created(binding(subjects=subjects))
    assert stored["roleRef"] == {"apiGroup": RBAC, "kind": "Role", "name": "r"}
    assert [each.get("apiGroup") for each in stored["subjects"]] == [RBAC, RBAC, None]
    assert columns(stored) == {
        "Name": "x",
        "Role": "Role/r",
        "Age": "5s",
        "Users": "u",
        "Groups": "g",
        "ServiceAccounts": "tbl/s",
    }


BINDING_ERRORS = {
    "cluster binding of a role": (
        binding("ClusterRoleBinding"),
        ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
    ),
    "unknown subject": (
        binding(subjects=[{"kind": "Robot", "name": "r"}]),
        [
            (
                'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", '
                '"User", "Group"'
            )
        ],
    ),
    "account without a namespace": (
        binding(
            "ClusterRoleBinding", "ClusterRole", subjects=[{"kind": "ServiceAccount", "name": "s"}]
        ),
        ["subjects[0].namespace: Required value"],
    ),
    "account with a group": (
        binding(subjects=[{"kind": "ServiceAccount", "name": "s", "apiGroup": RBAC}]),
        [f'subjects[0].apiGroup: Unsupported value: "{RBAC}": supported values: ""'],
    ),
    "user of another group": (
        binding(subjects=[{"kind": "User", "name": "u", "apiGroup": "x"}]),
        [f'subjects[0].apiGroup: Unsupported value: "x": supported values: "{RBAC}"'],
    ),
    "nameless": (
        binding(roleRef={"kind": "Role", "name": ""}),
        ["roleRef.name: Required value"],
    ),
    "role of another group": (
        binding(roleRef={"apiGroup": "x", "kind": "Role", "name": "r"}),
        [f'roleRef.apiGroup: Unsupported value: "x": supported values: "{RBAC}"'],
    ),
}


@pytest.mark.parametrize("case", BINDING_ERRORS)
def test_binding_errors(case: str) -> None:
    """What a binding binds, and to whom, must be possible."""
    thing, expected = BINDING_ERRORS[case]
    assert texts(create(thing)[1]) == expected


def test_a_binding_may_name_an_account_of_its_namespace() -> None:
    """In a RoleBinding the namespace of a service account may be left out."""
    created(binding(subjects=[{"kind": "ServiceAccount", "name": "s"}]))


def test_the_role_of_a_binding_never_changes() -> None:
    """Otherwise a binding could grow behind the back of who checked it."""
    old = created(binding())
    _, errors = update(binding(roleRef={"kind": "Role", "name": "other"}), old)
    assert texts(errors) == [
        (
            f'roleRef: Invalid value: {{"APIGroup":"{RBAC}","Kind":"Role","Name":"other"}}: cannot '
            "change roleRef"
        )
    ]


def storage_class(**fields: object) -> dict:
    return obj("storage.k8s.io/v1", "StorageClass", **{"provisioner": "x.io/y", **fields})


def test_storage_classes() -> None:
    """Defaults, the mark of the default class, and what never changes."""
    thing = storage_class()
    thing["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    stored = created(thing)
    assert (stored["reclaimPolicy"], stored["volumeBindingMode"]) == ("Delete", "Immediate")
    assert columns(stored) == {
        "Name": "x (default)",
        "Provisioner": "x.io/y",
        "ReclaimPolicy": "Delete",
        "VolumeBindingMode": "Immediate",
        "AllowVolumeExpansion": False,
        "Age": "5s",
    }
    changed = storage_class(provisioner="z", parameters={"a": "b"}, allowVolumeExpansion=True)
    assert texts(update(changed, stored)[1]) == [
        'parameters: Invalid value: {"a":"b"}: field is immutable',
        'provisioner: Invalid value: "z": field is immutable',
    ]
    assert texts(create(storage_class(provisioner=""))[1]) == ["provisioner: Required value"]


def test_leases() -> None:
    """A lease lasts some time, counts its holders, and prints the one it has."""
    lease = obj("coordination.k8s.io/v1", "Lease", spec={"holderIdentity": "h"})
    assert columns(created(lease)) == {"Name": "x", "Holder": "h", "Age": "5s"}
    bad = {"leaseDurationSeconds": 0, "leaseTransitions": -1}
    assert texts(create({**lease, "spec": bad})[1]) == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ]


def workload(kind: str, **spec: object) -> dict:
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    whole = {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}
    return obj("apps/v1", kind, spec=whole)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Deployment", {"Ready": "0/1", "Up-to-date": 0, "Available": 0}),
        ("ReplicaSet", {"Desired": 1, "Current": 0, "Ready": 0}),
        ("StatefulSet", {"Ready": "0/1"}),
        ("DaemonSet", {"Desired": 0, "Node Selector": "<none>"}),
    ],
)
def test_workloads_are_kept_and_printed(kind: str, expected: dict) -> None:
    """Workloads are defaulted and print their numbers, containers and images."""
    fields = {} if kind != "StatefulSet" else {"serviceName": "s"}
    stored = created(workload(kind, **fields))
    shown = columns(stored)
    assert {key: shown[key] for key in expected} == expected
    assert (shown["Containers"], shown["Images"]) == ("c", "i")
    assert stored["spec"]["template"]["spec"]["restartPolicy"] == "Always"
    _, errors = update(workload(kind, selector={"matchLabels": {"c": "d"}}, **fields), stored)
    assert 'spec.selector: Invalid value: {"matchLabels":{"c":"d"}}: field is immutable' in texts(
        errors
    )


def test_a_workload_selects_its_own_pods() -> None:
    """A selector that the template does not match is refused."""
    _, errors = create(workload("Deployment", selector={"matchLabels": {"a": "c"}}))
    assert texts(errors) == [
        (
            'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match '
            "template `labels`"
        )
    ]
    assert "spec.selector: Required value" in texts(create(workload("Deployment", selector={}))[1])


def test_jobs_print_how_far_they_are() -> None:
    """A job shows its completions and how long it took; a cron job what it makes."""
    template = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}
    job = created(obj("batch/v1", "Job", spec={"template": template}))
    assert job["spec"]["completions"] == 1
    assert columns(job)["Status"] == "Running"
    done, _ = update_status(
        {
            "succeeded": 1,
            "startTime": "2026-01-01T00:00:00Z",
            "completionTime": "2026-01-01T00:02:03Z",
            "conditions": [{"type": "Complete", "status": "True"}],
        },
        job,
    )
    shown = columns(done)
    assert (shown["Status"], shown["Completions"], shown["Duration"]) == ("Complete", "1/1", "2m3s")
    assert kind_of(done).strategy.fields(done) == {"status.successful": "1"}
    cron = created(
        obj(
            "batch/v1",
            "CronJob",
            spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}},
        )
    )
    shown = columns(cron)
    assert (shown["Schedule"], shown["Suspend"], shown["Last Schedule"]) == (
        "* * * * *",
        "False",
        "<none>",
    )
    assert shown["Images"] == "i"


def test_ingresses_print_their_hosts() -> None:
    """Hosts beyond three are counted; TLS adds its port."""
    rules = [{"host": f"h{each}.example"} for each in range(4)]
    stored = created(
        obj("networking.k8s.io/v1", "Ingress", spec={"rules": rules, "tls": [{"secretName": "s"}]})
    )
    shown = columns(stored)
    assert shown["Hosts"] == "h0.example,h1.example,h2.example + 1 more..."
    assert (shown["Ports"], shown["Class"], shown["Address"]) == ("80, 443", "<none>", "")
    assert texts(create(obj("networking.k8s.io/v1", "Ingress"))[1])[0].startswith("spec: Invalid")
