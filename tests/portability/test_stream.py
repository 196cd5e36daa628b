"""A file is what was written, all of it, and holds nothing that an export never holds."""

from pathlib import Path
from typing import Any

import pytest

from llmos.portability import stream
from portability.moving import write
from support.objects import Object


def obj(kind: str, name: str, namespace: str = "", api: str = "v1", **more: Any) -> Object:
    """An object."""
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **more}


GOOD = [obj("Namespace", "team"), obj("ConfigMap", "a", "team", data={"k": "ä\n"})]


def why(file: Path) -> str:
    """Why a file is refused; empty: it is not."""
    with file.open("rb") as source:
        try:
            stream.verify(source)
        except stream.DamagedError as error:
            return str(error)
    return ""


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """In its order, and with its number."""
    file = write(tmp_path / "f", GOOD)
    with file.open("rb") as source:
        assert stream.verify(source) == 2
        assert list(stream.read(source)) == GOOD


def test_a_part_is_refused(tmp_path: Path) -> None:
    """Wherever it was cut off."""
    whole = write(tmp_path / "f", GOOD).read_bytes()
    for size in range(len(whole) - 1):
        part = tmp_path / "part"
        part.write_bytes(whole[:size])
        assert why(part), size


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"k"', b'"j"', "not as it was written"),
        (b"export.llmos.ai/v1", b"export.llmos.ai/v9", "its format is export.llmos.ai/v9"),
        (b'"documents":2', b'"documents":3', "not as it was written"),
        (b'"kind":"Export"', b'"kind":"List"', "does not begin"),
        (b'{"apiVersion":"v1"', b'["apiVersion":"v1"', "line 2 is no JSON"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    """Whatever was changed."""
    file = write(tmp_path / "f", GOOD)
    changed = file.read_bytes().replace(old, new)
    assert changed != file.read_bytes()
    file.write_bytes(changed)
    assert said in why(file)


def test_more_after_the_end_is_refused(tmp_path: Path) -> None:
    """Two files one after the other are none."""
    file = write(tmp_path / "f", GOOD)
    file.write_bytes(file.read_bytes() * 2)
    assert "not as it was written" in why(file)


RBAC = "rbac.authorization.k8s.io/v1"


@pytest.mark.parametrize(
    "document",
    [
        obj("ClusterRoleBinding", "x", api=RBAC),
        obj("ClusterRole", "x", api=RBAC),
        obj("Node", "x"),
        obj("ValidatingAdmissionPolicyBinding", "x", api="admissionregistration.k8s.io/v1"),
        obj("Namespace", "kube-system"),
        obj("Namespace", "llmos-anything"),
        obj("Secret", "x", "kube-system"),
        obj("Pod", "x", "llmos-system"),
        obj("Secret", "service-account-signing-key", "llmos-system", type="llmos.ai/signing-key"),
        obj("ConfigMap", "password-x", "llmos-system", type="llmos.ai/password"),
        obj("RoleBinding", "x", "kube-system", api=RBAC),
        obj("User", "x", api="v1"),
        obj(
            "CustomResourceDefinition",
            "users.management.llmos.ai",
            api="apiextensions.k8s.io/v1",
            spec={"group": "management.llmos.ai"},
        ),
        {"apiVersion": "v1", "kind": "ConfigMap"},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "team"}},
    ],
    ids=lambda each: f"{each['kind']}-{each.get('metadata', {}).get('name', '')}",
)
def test_what_no_export_holds_is_refused(tmp_path: Path, document: Object) -> None:
    """A file cannot give rights over the cluster, or touch what is the platform's."""
    assert why(write(tmp_path / "f", [document]))


def test_nothing_is_there_twice(tmp_path: Path) -> None:
    """The second would win over the first, or not."""
    assert "twice" in why(write(tmp_path / "f", [*GOOD, GOOD[1]]))
