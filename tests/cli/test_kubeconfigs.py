"""Which kubeconfig files count."""

import pytest

from llmos.cli.kubeconfigs import Kubeconfigs, same_server
from llmos.client.kubeconfig import Login


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a:8443", "https://a:8443/", True),
        ("https://A", "https://a:443", True),
        ("https://localhost:1", "https://127.0.0.1:1", True),
        ("https://[::1]:1", "https://localhost:1", True),
        ("https://a:1", "https://a:2", False),
        ("https://a", "https://b", False),
        ("https://a/x", "https://a", False),
        ("http://a:1", "https://a:1", False),
    ],
)
def test_same_server(one, other, same):
    """Spelling does not matter; port, path and scheme do."""
    assert same_server(one, other) is same


def test_files_are_merged_and_the_first_is_written(home, monkeypatch):
    """Contexts of all files are seen; a login goes to the first and wins there."""
    Kubeconfigs(home / "two").put(Login("b", "https://b", "b", user="b"))
    monkeypatch.setenv("KUBECONFIG", f"{home}/one:{home}/two")
    files = Kubeconfigs()
    assert files.get().name == "b"
    files.put(Login("a", "https://a", "a", user="a"))
    assert files.get().name == "a"
    assert {each.name for each in files.logins()} == {"a", "b"}


def test_a_context_is_removed_where_it_is(home, monkeypatch):
    """Whichever file has it; the others are not touched."""
    monkeypatch.setenv("KUBECONFIG", f"{home}/one:{home}/two")
    Kubeconfigs(home / "two").put(Login("b", "https://b", "b", user="b"))
    Kubeconfigs(home / "one").put(Login("a", "https://a", "a", user="a"))
    assert Kubeconfigs().remove("b") == [home / "two"]
    assert [each.name for each in Kubeconfigs().logins()] == ["a"]


def test_a_context_that_cannot_be_used_is_passed_over(home):
    """One broken entry does not hide the others."""
    files = Kubeconfigs(home / "one")
    files.put(Login("a", "https://a", "a", user="a"))
    text = (home / "one").read_text()
    (home / "one").write_text(text.replace("contexts:", "contexts:\n- name: broken\n- {}"))
    assert [each.name for each in files.logins()] == ["a"]
