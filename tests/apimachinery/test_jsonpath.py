"""Paths of printer columns find what kubectl would find."""

import pytest

from llmos.apimachinery.jsonpath import compile_path, simple_fields

OBJECT = {
    "metadata": {"labels": {"app.kubernetes.io/name": "x"}, "name": "n"},
    "spec": {"replicas": 3, "vols": [{"name": "a", "size": 1}, {"name": "b", "size": 5}]},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True"},
            {"type": "Failed", "status": "False"},
        ]
    },
}
FOUND = (
    (".metadata.name", ["n"]),
    (".spec.replicas", [3]),
    (r".metadata.labels.app\.kubernetes\.io/name", ["x"]),
    (".metadata.labels['app.kubernetes.io/name']", ["x"]),
    ('.metadata["name"]', ["n"]),
    (".spec.vols[0].name", ["a"]),
    (".spec.vols[-1].name", ["b"]),
    (".spec.vols[7].name", []),
    (".spec.vols[*].name", ["a", "b"]),
    (".spec.vols[0:1].name", ["a"]),
    (".spec.vols[1:].name", ["b"]),
    (".spec.vols[0].*", ["a", 1]),
    ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
    (".status.conditions[?(@.type == 'Nope')].status", []),
    ('.status.conditions[?(@.type!="Ready")].status', ["False"]),
    (".spec.vols[?(@.size>2)].name", ["b"]),
    (".spec.vols[?(@.size)].name", ["a", "b"]),
    (".spec.vols[?(@.name>2)].name", []),
    (".spec.missing.deeper", []),
    (".spec.replicas.deeper", []),
    (".", [OBJECT]),
)


@pytest.mark.parametrize(("path", "expected"), FOUND)
def test_paths_find_values(path: str, expected: list) -> None:
    """Fields, indexes, slices, wildcards and filters; what is missing is not found."""
    assert compile_path(path)(OBJECT) == expected


@pytest.mark.parametrize("path", ["spec", ".spec[", ".a[x]", ".a b", ".a[?(x)]", ".a[?(@.b==)]"])
def test_other_texts_are_refused(path: str) -> None:
    """What is not a path raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r".+"):
        compile_path(path)


def test_simple_paths_have_only_keys() -> None:
    """Scale paths and selectable fields are chains of keys."""
    assert simple_fields(".spec.replicas") == ("spec", "replicas")
    for wrong in (".spec[0]", "spec", "", "."):
        with pytest.raises(ValueError, match=r".+"):
            simple_fields(wrong)
