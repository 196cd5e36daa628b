"""The programs of the control plane are found where the user or the cache has them."""

import shutil
from pathlib import Path

import pytest

from support import controlplane_binaries
from support.controlplane_binaries import (
    KUBELET,
    PACKAGES,
    cache_folder,
    find_binaries,
    find_kubelet,
    kubelet_folder,
)


def fill(folder: Path, *names: str) -> Path:
    """A folder with programs."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch(0o755)
    return folder


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is built, and nothing is named."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


def test_nothing_is_found_where_nothing_is() -> None:
    """Without programs there is no folder."""
    assert find_binaries() is None


def test_the_named_folder_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What KUBEBUILDER_ASSETS names is taken, even where the cache has its own."""
    built, named = fill(cache_folder(), *PACKAGES), fill(tmp_path / "named", *PACKAGES)
    assert find_binaries() == built
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(named))
    assert find_binaries() == named


def test_a_folder_must_have_all_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A named folder without controllers will do where none are wanted, and else the cache."""
    built, named = fill(cache_folder(), *PACKAGES), fill(tmp_path / "n", "etcd", "kube-apiserver")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(named))
    assert find_binaries("etcd", "kube-apiserver") == named
    assert find_binaries() == built


def test_the_kubelet_is_found_where_it_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No part of what KUBEBUILDER_ASSETS names; another state of it is another program."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(fill(tmp_path / "named", *PACKAGES, "kubelet")))
    assert find_kubelet() is None
    built = fill(kubelet_folder(), "kubelet") / "kubelet"
    assert find_kubelet() == built
    changed = shutil.copytree(KUBELET, tmp_path / "changed")
    (changed / "main.go").write_text("package main")
    monkeypatch.setattr(controlplane_binaries, "KUBELET", changed)
    assert find_kubelet() is None
