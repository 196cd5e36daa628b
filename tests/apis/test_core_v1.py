"""Namespaces, ConfigMaps and Secrets, as Kubernetes takes them."""

import pytest

from llmos.apis.core_v1_config import MAX_DATA
from support.builtin import columns, create, kind_of, texts, update, update_status


def core(kind: str, **fields: object) -> dict:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, **fields}


def created(obj: dict) -> dict:
    stored, errors = create(obj)
    assert texts(errors) == []
    return stored


def service(**spec: object) -> dict:
    return core("Service", spec=spec)


def secret(kind: str, **data: str) -> dict:
    return core("Secret", type=kind, data=data)


def test_a_namespace_is_finalized_active_and_named_by_a_label() -> None:
    """Status is the server's; the finalizer comes last; the label tells the truth."""
    stored = created(
        {
            **core("Namespace", spec={"finalizers": ["x.io/y"]}, status={"phase": "Terminating"}),
            "metadata": {"name": "team-a", "labels": {"kubernetes.io/metadata.name": "other"}},
        }
    )
    assert stored["spec"] == {"finalizers": ["x.io/y", "kubernetes"]}
    assert stored["status"] == {"phase": "Active"}
    assert stored["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team-a"}
    assert columns(stored) == {"Name": "team-a", "Status": "Active", "Age": "5s"}
    assert kind_of(stored).strategy.fields(stored) == {"status.phase": "Active"}


def test_a_namespace_keeps_its_finalizers_and_label() -> None:
    """The main path changes neither, whatever is sent."""
    old = created(core("Namespace"))
    new, errors = update(
        {
            **core("Namespace", spec={"finalizers": ["foo.example/x"]}),
            "metadata": {"name": "x", "labels": {"a": "b"}},
        },
        old,
    )
    assert errors == []
    assert new["spec"] == {"finalizers": ["kubernetes"]}
    assert new["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": "x"}


def test_a_namespace_ends_in_two_steps() -> None:
    """Deletion makes it Terminating; it goes when its spec has no finalizers."""
    strategy = kind_of(core("Namespace")).strategy
    stored = created(core("Namespace"))
    stored["metadata"] |= {"deletionTimestamp": "t", "deletionGracePeriodSeconds": 0}
    strategy.begin_delete(stored)
    assert stored["status"]["phase"] == "Terminating"
    assert "deletionGracePeriodSeconds" not in stored["metadata"]
    assert strategy.held(stored)
    assert not strategy.held({**stored, "spec": {}})


def test_the_phase_of_a_namespace_follows_its_deletion() -> None:
    """No status write makes a live namespace Terminating, or a terminating one Active."""
    live = created(core("Namespace"))
    _, errors = update_status({"phase": "Terminating"}, live)
    assert texts(errors) == [
        (
            "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if "
            "`deletionTimestamp` is empty"
        )
    ]
    ending = {**live, "metadata": {**live["metadata"], "deletionTimestamp": "t"}}
    _, errors = update_status({"phase": "Active"}, ending)
    assert len(errors) == 1
    assert update_status({"phase": "Terminating"}, ending)[1] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.b", 'metadata.name: Invalid value: "a.b": must not contain dots'),
        ("Upper", 'metadata.name: Invalid value: "Upper": a lowercase RFC 1123 label'),
    ],
)
def test_names_of_namespaces_and_services_are_labels(name: str, expected: str) -> None:
    """Their names appear in host names, so dots are refused."""
    for kind in ("Namespace", "Service"):
        _, errors = create(
            {**service(ports=[{"port": 80}]), "kind": kind, "metadata": {"name": name}}
        )
        assert any(each.startswith(expected) for each in texts(errors))


CONFIG_ERRORS = {
    "bad key": (
        core("ConfigMap", data={"a/b": "c"}),
        'data[a/b]: Invalid value: "a/b": a valid config key must consist of',
    ),
    "key twice": (
        core("ConfigMap", data={"a": "c"}, binaryData={"a": "Yg=="}),
        'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ),
    "too big": (
        core("ConfigMap", data={"a": "x" * (MAX_DATA + 1)}),
        "[]: Too long: may not be more than 1048576 bytes",
    ),
    "secret too big": (
        core("Secret", stringData={"a": "x" * (MAX_DATA + 1)}),
        "data: Too long: may not be more than 1048576 bytes",
    ),
    "tls": (secret("kubernetes.io/tls"), "data[tls.crt]: Required value"),
    "ssh": (secret("kubernetes.io/ssh-auth"), "data[ssh-privatekey]: Required value"),
    "basic": (secret("kubernetes.io/basic-auth"), "data[password]: Required value"),
    "docker": (
        secret("kubernetes.io/dockerconfigjson"),
        "data[.dockerconfigjson]: Required value",
    ),
    "docker junk": (
        secret("kubernetes.io/dockercfg", **{".dockercfg": "c2VjcmV0"}),
        'data[.dockercfg]: Invalid value: "<secret contents redacted>"',
    ),
    "account": (
        secret("kubernetes.io/service-account-token"),
        "metadata.annotations[kubernetes.io/service-account.name]: Required value",
    ),
}


@pytest.mark.parametrize("case", CONFIG_ERRORS)
def test_config_errors(case: str) -> None:
    """Keys, sizes and typed Secrets are checked; contents of Secrets never appear."""
    obj, expected = CONFIG_ERRORS[case]
    found = texts(create(obj)[1])
    assert found[0].startswith(expected)
    assert "c2VjcmV0" not in str(found)
    assert '"secret"' not in str(found)


def test_exactly_the_largest_data_passes() -> None:
    """The limit itself is allowed, counted in decoded bytes."""
    assert create(core("ConfigMap", data={"a": "x" * MAX_DATA}))[1] == []
    assert create(core("Secret", stringData={"a": "x" * MAX_DATA}))[1] == []


def test_a_secret_takes_plain_text_and_keeps_base64() -> None:
    """``stringData`` wins over ``data``, is never kept, and the type is Opaque if not said."""
    stored = created(core("Secret", data={"a": "b2xk", "b": "Yg=="}, stringData={"a": "new"}))
    assert stored["data"] == {"a": "bmV3", "b": "Yg=="}
    assert "stringData" not in stored
    assert stored["type"] == "Opaque"
    assert columns(stored) == {"Name": "x", "Type": "Opaque", "Data": 2, "Age": "5s"}
    assert kind_of(stored).strategy.fields(stored) == {"type": "Opaque"}


def test_the_type_of_a_secret_never_changes() -> None:
    """Leaving it out means Opaque, which is a change as well."""
    old = created(secret("helm.sh/release.v1", a="YQ=="))
    _, errors = update(core("Secret", data={"a": "YQ=="}), old)
    assert texts(errors) == ['type: Invalid value: "Opaque": field is immutable']


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_immutable_data_stays(kind: str) -> None:
    """Neither data nor the flag itself changes again; labels do."""
    text = "field is immutable when `immutable` is set"
    old = created(core(kind, data={"k": "dg=="}, immutable=True))
    _, errors = update(core(kind, data={"k": "dw=="}, immutable=True), old)
    assert texts(errors) == [f"data: Forbidden: {text}"]
    _, errors = update(core(kind, data={"k": "dg=="}), old)
    assert texts(errors) == [f"immutable: Forbidden: {text}"]
    labelled = core(kind, data={"k": "dg=="}, immutable=True)
    labelled["metadata"]["labels"] = {"a": "b"}
    assert update(labelled, old)[1] == []


def test_a_config_map_counts_all_its_keys() -> None:
    """Both kinds of data are counted."""
    stored = created(core("ConfigMap", data={"a": "1", "b": "2"}, binaryData={"c": "YQ=="}))
    assert columns(stored) == {"Name": "x", "Data": 3, "Age": "5s"}
