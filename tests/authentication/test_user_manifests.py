"""Passwords in User manifests."""

import orjson
import pytest

from authentication.objects import make_user
from llmos.apimachinery.errors import InvalidError
from llmos.authentication.user_manifests import LAST_APPLIED, take_password

PASSWORD = "correct horse battery"


def test_password_is_taken_out_of_spec_and_annotation():
    """Neither the object nor kubectl's copy of the manifest holds the password afterwards."""
    user = make_user("alice", password=PASSWORD, displayName="Alice")
    applied = {"kind": "User", "spec": {"password": PASSWORD, "displayName": "Alice"}}
    user["metadata"]["annotations"] = {
        LAST_APPLIED: orjson.dumps(applied).decode() + "\n",
        "other": "kept",
    }
    assert take_password(user) == PASSWORD
    assert PASSWORD not in str(user)
    assert user["spec"] == {"displayName": "Alice"}
    annotations = user["metadata"]["annotations"]
    assert annotations["other"] == "kept"
    assert orjson.loads(annotations[LAST_APPLIED])["spec"] == {"displayName": "Alice"}


@pytest.mark.parametrize("text", ["not json: " + PASSWORD, "[]", '{"spec": ["' + PASSWORD + '"]}'])
def test_annotation_that_cannot_be_read_is_dropped(text):
    """When nobody can say what kubectl remembers, it is not stored."""
    user = make_user("alice")
    user["metadata"]["annotations"] = {LAST_APPLIED: text}
    assert take_password(user) is None
    assert LAST_APPLIED not in user["metadata"]["annotations"]


def test_annotation_without_a_password_stays_as_it_is():
    """The copy is not rewritten for nothing."""
    user = make_user("alice")
    user["metadata"]["annotations"] = {LAST_APPLIED: '{ "spec": {} }\n'}
    assert take_password(user) is None
    assert user["metadata"]["annotations"] == {LAST_APPLIED: '{ "spec": {} }\n'}


@pytest.mark.parametrize("user", [{}, {"spec": None}, {"spec": []}, make_user("a", password=None)])
def test_manifests_without_a_password_give_none(user):
    """No password, no change; null is none."""
    assert take_password(user) is None


@pytest.mark.parametrize("password", ["", "short", "Alice.Liddell", 12345678, ["x"], {}])
def test_bad_passwords_are_refused_without_being_repeated(password):
    """A weak password, or none at all by its type, is a field error of spec.password."""
    with pytest.raises(InvalidError) as caught:
        take_password(make_user("alice", username="alice.liddell", password=password))
    (cause,) = caught.value.details["causes"]
    assert cause["field"] == "spec.password"
    assert not password or str(password) not in cause["message"]
