"""Strategic merge patch."""

import contextlib
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.errors import BadRequestError, InvalidError
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apimachinery.schema import Schema
from llmos.apimachinery.strategic import strategic_merge_patch
from llmos.apis.builtin_schemas import schema_for

CONFIG_MAP = schema_for(GroupVersionKind("", "v1", "ConfigMap"))
SERVICE_ACCOUNT = schema_for(GroupVersionKind("", "v1", "ServiceAccount"))
NAMESPACE = schema_for(GroupVersionKind("", "v1", "Namespace"))
SERVICE = schema_for(GroupVersionKind("", "v1", "Service"))
ROLE = schema_for(GroupVersionKind("rbac.authorization.k8s.io", "v1", "Role"))
DEPLOYMENT = schema_for(GroupVersionKind("apps", "v1", "Deployment"))


def meta(**fields):
    return {"metadata": fields}


def names(*items):
    return [{"name": each} for each in items]


@pytest.mark.parametrize(
    ("schema", "target", "patch", "patched"),
    [
        (
            CONFIG_MAP,
            {"data": {"x": "1", "z": "2"}},
            {"data": {"x": None, "s": "1"}},
            {"data": {"z": "2", "s": "1"}},
        ),
        (
            CONFIG_MAP,
            {"data": {"x": "1"}},
            {"data": {"$patch": "replace", "only": "1"}},
            {"data": {"only": "1"}},
        ),
        (CONFIG_MAP, {"data": {"x": "1"}}, {"data": {"$patch": "delete"}}, {"data": {}}),
        (CONFIG_MAP, {}, {"data": {"$patch": "frob"}}, {}),
        (
            CONFIG_MAP,
            {"data": {"a": "1", "b": "2"}},
            {"data": {"$retainKeys": ["a"], "a": "3"}},
            {"data": {"a": "3"}},
        ),
        (CONFIG_MAP, {"data": {"a": "1"}}, {"data": None}, {}),
        (CONFIG_MAP, {}, {"data": {"a": None, "b": "1"}}, {"data": {"b": "1"}}),
        (
            CONFIG_MAP,
            meta(finalizers=["x.io/a"]),
            meta(finalizers=["x.io/b"]),
            meta(finalizers=["x.io/b", "x.io/a"]),
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a", "b"]),
            meta(finalizers=["b", "c"]),
            meta(finalizers=["a", "b", "c"]),
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["b", "a"]),
            meta(**{"$deleteFromPrimitiveList/finalizers": ["a"]}),
            meta(finalizers=["b"]),
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["b"]),
            meta(**{"$setElementOrder/finalizers": ["c", "b"], "finalizers": ["c"]}),
            meta(finalizers=["c", "b"]),
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a", "s", "b"]),
            meta(**{"$setElementOrder/finalizers": ["b", "a"]}),
            meta(finalizers=["s", "b", "a"]),
        ),
        (
            CONFIG_MAP,
            {},
            meta(**{"$setElementOrder/finalizers": ["b", "a"], "finalizers": ["a"]}),
            meta(finalizers=["a"]),
        ),
        (
            CONFIG_MAP,
            meta(name="x"),
            meta(**{"$setElementOrder/finalizers": ["b", "a"], "finalizers": ["a"]}),
            meta(name="x", finalizers=["a"]),
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("a", "b")},
            {
                "$setElementOrder/secrets": names("c", "b"),
                "secrets": [{"name": "c"}, {"$patch": "delete", "name": "a"}],
            },
            {"secrets": names("c", "b")},
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("a"), "imagePullSecrets": names("i1")},
            {"secrets": names("b"), "imagePullSecrets": names("i2")},
            {"secrets": names("b", "a"), "imagePullSecrets": names("i2")},
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("b", "a")},
            {"secrets": [{"$patch": "delete", "name": "a"}]},
            {"secrets": names("b")},
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("b", "a")},
            {"secrets": [{"name": "z"}, {"$patch": "replace"}]},
            {"secrets": names("z")},
        ),
        (
            SERVICE_ACCOUNT,
            {"imagePullSecrets": names("i")},
            {"imagePullSecrets": [{"name": "z"}, {"$patch": "replace"}]},
            {"imagePullSecrets": [{"name": "z"}, {}]},
        ),
        (
            ROLE,
            {"rules": [{"verbs": ["get"]}]},
            {"rules": [{"verbs": ["list"]}]},
            {"rules": [{"verbs": ["list"]}]},
        ),
        (
            NAMESPACE,
            {"status": {"conditions": [{"type": "A", "status": "True"}]}},
            {"status": {"conditions": [{"type": "B", "status": "True"}]}},
            {
                "status": {
                    "conditions": [{"type": "B", "status": "True"}, {"type": "A", "status": "True"}]
                }
            },
        ),
        (
            SERVICE,
            {"spec": {"ports": [{"port": 80, "name": "a"}, {"port": 81}]}},
            {"spec": {"ports": [{"port": 81, "name": "b"}]}},
            {"spec": {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}},
        ),
        (
            DEPLOYMENT,
            {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
            {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
            {"spec": {"strategy": {"type": "Recreate"}}},
        ),
        (None, {"a": {"b": 1, "c": [1]}}, {"a": {"b": None, "c": [2]}}, {"a": {"c": [2]}}),
        (CONFIG_MAP, {"data": {"a": "1"}}, {"data": "x"}, {"data": "x"}),
        (
            CONFIG_MAP,
            {"kind": "ConfigMap", "data": {"a": "1"}},
            {"$patch": "replace", "kind": "Other"},
            {"kind": "Other"},
        ),
    ],
)
def test_strategic_merge_patch(schema, target, patch, patched):
    """Maps merge, lists merge as their schema says, directives do what they say."""
    before, sent = copy.deepcopy(target), copy.deepcopy(patch)
    assert strategic_merge_patch(target, patch, schema) == patched
    assert (target, patch) == (before, sent)


@pytest.mark.parametrize(
    ("schema", "target", "patch", "message"),
    [
        (CONFIG_MAP, {}, [], "invalid JSON document"),
        (
            CONFIG_MAP,
            {"data": {"a": "1"}},
            {"data": {"$patch": "frob"}},
            "unknown patch type: frob in map: map[$patch:frob]",
        ),
        (
            CONFIG_MAP,
            {"data": {"a": "1"}},
            {"data": {"$retainKeys": ["a"], "b": "1"}},
            "invalid patch format of retainKeys",
        ),
        (
            CONFIG_MAP,
            {"data": {"a": "1"}},
            {"data": {"$retainKeys": "a"}},
            "invalid patch format of retainKeys",
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a"]),
            meta(**{"$deleteFromPrimitiveList/finalizers": "a"}),
            "invalid patch format of primitive list",
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a"]),
            meta(**{"$deleteFromPrimitiveList/a/b": ["a"]}),
            "invalid patch format of primitive list",
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a"]),
            meta(**{"$setElementOrder/": ["a"]}),
            "invalid patch format of setElementOrder list",
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a"]),
            meta(**{"$setElementOrder/finalizers": {"a": 1}}),
            "expected a []interface {}, but received a map[string]interface {}",
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a"]),
            meta(**{"$setElementOrder/finalizers": ["a", "b"], "finalizers": ["b", "a"]}),
            "The order in patch list:\n[b a]\n doesn't match $setElementOrder list:\n[a b]\n",
        ),
        (
            CONFIG_MAP,
            meta(finalizers=["a"]),
            meta(finalizers=[{"a": 1}]),
            "list element types are not identical",
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("a")},
            {"secrets": [{"namespace": "x"}]},
            "map: map[namespace:x] does not contain declared merge key: name",
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("a")},
            {"secrets": ["a"]},
            "expected a map[string]interface {}, but received a scalar",
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("a")},
            {"secrets": [{"$patch": "merge"}]},
            "merging lists cannot yet be specified in the patch",
        ),
        (
            SERVICE_ACCOUNT,
            {"secrets": names("a")},
            {"secrets": [{"$patch": "x"}]},
            "unknown patch type: x in map: map[$patch:x]",
        ),
    ],
)
def test_malformed_patches(schema, target, patch, message):
    """A directive that makes no sense is a 400."""
    with pytest.raises(BadRequestError) as caught:
        strategic_merge_patch(target, patch, schema)
    assert caught.value.message == message


def test_retain_keys_in_a_new_map_of_texts():
    """The directive would become a value of the map, which cannot be decoded: 422."""
    patch = {"data": {"$retainKeys": ["a"], "a": "1"}}
    with pytest.raises(InvalidError) as caught:
        strategic_merge_patch({}, patch, CONFIG_MAP)
    text = 'Invalid value: "map[data:map[$retainKeys:[a] a:1]]": unrecognized type: string'
    assert caught.value.message == f' "" is invalid: patch: {text}'
    assert caught.value.details == {
        "causes": [{"reason": "FieldValueInvalid", "message": text, "field": "patch"}]
    }


KEYED = Schema(
    type="object",
    properties={
        "l": Schema(type="array", patch_strategy="merge", patch_merge_key="k"),
        "s": Schema(type="array", patch_strategy="merge"),
    },
)
ELEMENTS = st.lists(st.integers(0, 5), unique=True, max_size=5)


@given(ELEMENTS, ELEMENTS)
def test_merged_lists_keep_the_patch_order_and_lose_nothing(old, new):
    """Every element of both is there once; those of the patch are in the patch's order."""
    target = {"l": [{"k": each} for each in old], "s": old}
    patch = {"l": [{"k": each} for each in new], "s": new}
    patched = strategic_merge_patch(target, patch, KEYED)
    assert [each["k"] for each in patched["l"]] == patched["s"]
    assert sorted(patched["s"]) == sorted({*old, *new})
    assert [each for each in patched["s"] if each in new] == new
    assert [each for each in patched["s"] if each not in new] == [
        each for each in old if each not in new
    ]


KEYS = st.sampled_from(
    ["l", "s", "k", "$patch", "$retainKeys", "$setElementOrder/l", "$deleteFromPrimitiveList/s"]
)
JUNK = st.recursive(
    st.none() | st.sampled_from(["replace", "delete", "merge", "x", 1, True]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(KEYS, JUNK, max_size=4))
def test_never_breaks(patch):
    """Whatever the patch: an object or a 400 or 422."""
    target = {"l": [{"k": 1}, {"k": 2}], "s": [1, 2], "m": {"a": "b"}}
    with contextlib.suppress(BadRequestError, InvalidError):
        assert isinstance(strategic_merge_patch(target, patch, KEYED), dict)
