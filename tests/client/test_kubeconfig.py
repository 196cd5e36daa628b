"""Kubeconfig files are read as kubectl reads them, and written without losing anything."""

import base64
import stat

import pytest
import yaml

from llmos.client.kubeconfig import (
    KubeconfigError,
    Login,
    default_paths,
    get_login,
    merge,
    read,
    remove_login,
    set_login,
    write,
)

LOGIN = Login("llmos", "https://host:6443", "secret", "PEM", "team-a")


def test_what_is_written_is_read_again(tmp_path):
    """A login survives the file, whose directory is made and which only its owner can read."""
    path = tmp_path / "deep" / "config"
    document = read(path)
    set_login(document, LOGIN)
    write(path, document)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    login = get_login(read(path))
    assert (login.server, login.token, login.ca_pem) == ("https://host:6443", "secret", "PEM")
    assert login.namespace == "team-a"
    data = read(path)["clusters"][0]["cluster"]["certificate-authority-data"]
    assert base64.b64decode(data) == b"PEM"
    assert "secret" not in repr(login)


def test_other_content_stays(tmp_path):
    """Other contexts, extensions and unknown keys are as they were; a rival credential goes."""
    path = tmp_path / "config"
    before = {
        "apiVersion": "v1",
        "kind": "Config",
        "extensions": [{"name": "x"}],
        "clusters": [{"name": "other", "cluster": {"server": "https://other", "proxy-url": "p"}}],
        "users": [{"name": "llmos", "user": {"exec": {"command": "rm"}, "as": "y"}}],
        "contexts": [{"name": "other", "context": {"cluster": "other", "user": "z"}}],
        "current-context": "other",
    }
    path.write_text(yaml.safe_dump(before))
    document = read(path)
    set_login(document, LOGIN, current=False)
    write(path, document)
    after = read(path)
    assert after["extensions"] == before["extensions"]
    assert after["clusters"][0] == before["clusters"][0]
    assert after["contexts"][0] == before["contexts"][0]
    assert after["current-context"] == "other"
    assert after["users"][0]["user"] == {"as": "y", "token": "secret"}


def test_writing_replaces_an_open_file_whole(tmp_path):
    """A failed write leaves the old file and nothing else."""
    path = tmp_path / "config"
    path.write_text("current-context: old\n")
    with pytest.raises(yaml.YAMLError):
        write(path, {"current-context": object()})
    assert path.read_text() == "current-context: old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_symbolic_link_is_followed(tmp_path):
    """A config that is a link stays one; its target is written."""
    target, link = tmp_path / "target", tmp_path / "config"
    target.write_text("{}")
    link.symlink_to(target)
    document = read(link)
    set_login(document, LOGIN)
    write(link, document)
    assert link.is_symlink()
    assert get_login(read(target)).name == "llmos"


def test_merge_takes_the_first():
    """Of several files the first wins, entry by entry."""
    one, two = {"current-context": ""}, {"current-context": "b"}
    set_login(one, Login("a", "https://one"), current=False)
    set_login(two, Login("a", "https://two"), current=False)
    set_login(two, Login("b", "https://b"), current=False)
    merged = merge([one, two])
    assert get_login(merged, "a").server == "https://one"
    assert get_login(merged).server == "https://b"


def test_removing_a_login_keeps_what_others_use():
    """A shared cluster stays until its last context goes."""
    document = {}
    set_login(document, Login("a", "https://one", cluster="shared"))
    set_login(document, Login("b", "https://one", cluster="shared"))
    assert remove_login(document, "b")
    assert [each["name"] for each in document["clusters"]] == ["shared"]
    assert [each["name"] for each in document["users"]] == ["a"]
    assert document["current-context"] == ""
    assert not remove_login(document, "b")
    assert remove_login(document, "a")
    assert document["clusters"] == []


@pytest.mark.parametrize(
    "text",
    ["[1, 2]", "clusters: 5", "a: [", "\x00"],
)
def test_broken_files_are_one_error(tmp_path, text):
    """What is not a kubeconfig is a KubeconfigError that names the file, not its content."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(KubeconfigError, match=r"config"):
        read(path)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "no context"),
        ({"current-context": "x"}, "no context 'x'"),
        (
            {
                "current-context": "x",
                "contexts": [{"name": "x", "context": {"cluster": "c"}}],
                "clusters": [{"name": "c", "cluster": {}}],
            },
            "names no server",
        ),
    ],
)
def test_incomplete_documents_say_what_is_missing(document, message):
    """A context that leads nowhere says where it breaks off."""
    with pytest.raises(KubeconfigError, match=message):
        get_login(document)


def test_paths_follow_the_environment(tmp_path):
    """``KUBECONFIG`` may name several files; without it there is one in the home."""
    assert default_paths({}, tmp_path) == [tmp_path / ".kube" / "config"]
    found = default_paths({"KUBECONFIG": "/a::/b"}, tmp_path)
    assert [str(each) for each in found] == ["/a", "/b"]


def test_tokens_and_authorities_may_be_files(tmp_path):
    """``tokenFile`` and ``certificate-authority`` are read."""
    (tmp_path / "t").write_text("tok\n")
    (tmp_path / "ca").write_text("PEM")
    document = {}
    set_login(document, Login("a", "https://x"))
    document["users"][0]["user"]["tokenFile"] = str(tmp_path / "t")
    document["clusters"][0]["cluster"]["certificate-authority"] = str(tmp_path / "ca")
    login = get_login(document)
    assert login.ca_pem == "PEM"
    assert login.config().bearer() == "tok"
