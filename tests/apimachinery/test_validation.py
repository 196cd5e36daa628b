"""Field errors and the rules of metadata, in the words that a real server used."""

import pytest

from llmos.apimachinery.names import dns1123_label, dns1123_subdomain
from llmos.apimachinery.validation import (
    MAX_ANNOTATIONS,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_found,
    field_not_supported,
    field_required,
    field_too_long,
    field_too_many,
    field_type_invalid,
    validate_field_manager,
    validate_object_meta,
    validate_object_meta_update,
)

UNQUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u1"}
CONTROLLER = {**OWNER, "controller": True}


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (field_required("f"), "FieldValueRequired", "f: Required value"),
        (field_required("f", "why"), "FieldValueRequired", "f: Required value: why"),
        (field_invalid("f", "v", "why"), "FieldValueInvalid", 'f: Invalid value: "v": why'),
        (field_invalid("f", 5, "why"), "FieldValueInvalid", "f: Invalid value: 5: why"),
        (field_invalid("f", None, "why"), "FieldValueInvalid", "f: Invalid value: null: why"),
        (
            field_invalid("f", {"a": "b"}, "field is immutable"),
            "FieldValueInvalid",
            'f: Invalid value: {"a":"b"}: field is immutable',
        ),
        (
            field_invalid("f", 'a\a"\\é\u200b', "why"),
            "FieldValueInvalid",
            'f: Invalid value: "a\\a\\"\\\\é\\u200b": why',
        ),
        (
            field_type_invalid("f", "integer", "why"),
            "FieldValueTypeInvalid",
            'f: Invalid value: "integer": why',
        ),
        (
            field_duplicate("f[1]", {"name": "a"}),
            "FieldValueDuplicate",
            'f[1]: Duplicate value: {"name":"a"}',
        ),
        (field_forbidden("f", "why"), "FieldValueForbidden", "f: Forbidden: why"),
        (field_not_found("f", "x"), "FieldValueNotFound", 'f: Not found: "x"'),
        (
            field_not_supported("f", "Maybe", ["", "Warn"]),
            "FieldValueNotSupported",
            'f: Unsupported value: "Maybe": supported values: "", "Warn"',
        ),
        (
            field_not_supported("f", ["Some"], ["All"]),
            "FieldValueNotSupported",
            'f: Unsupported value: ["Some"]: supported values: "All"',
        ),
        (
            field_too_long("f", 5),
            "FieldValueTooLong",
            "f: Too long: may not be more than 5 bytes",
        ),
        (
            field_too_many("f", 3, 2),
            "FieldValueTooMany",
            "f: Too many: 3: must have at most 2 items",
        ),
    ],
)
def test_field_errors(error, reason, text):
    """Each constructor gives the reason and the text of Kubernetes' field.Error."""
    assert (error.reason, str(error)) == (reason, text)


def _errors(metadata, namespaced=True, check=dns1123_subdomain, custom=False):
    meta = {"namespace": "n", **metadata} if namespaced else metadata
    return [
        str(each) for each in validate_object_meta({"metadata": meta}, namespaced, check, custom)
    ]


@pytest.mark.parametrize(
    ("metadata", "wrong"),
    [
        ({"name": "a"}, []),
        ({}, ["metadata.name: Required value: name or generateName is required"]),
        ({"name": "a", "generateName": "b-"}, []),
        ({"name": "a", "generation": 7}, []),
        (
            {"name": "a", "generation": -1},
            ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
        ),
        ({"name": "a", "namespace": ""}, ["metadata.namespace: Required value"]),
        (
            {"name": "a", "namespace": "a.b"},
            ['metadata.namespace: Invalid value: "a.b": must not contain dots'],
        ),
        ({"name": "a", "labels": {"a.io/b": "c"}, "annotations": {"A.io/b": "any text"}}, []),
        ({"name": "a", "finalizers": ["kubernetes", "x.io/y"]}, []),
        (
            {"name": "a", "finalizers": ["nodomain"]},
            [f'metadata.finalizers[0]: Invalid value: "nodomain": {UNQUALIFIED}'],
        ),
        (
            {"name": "a", "finalizers": ["orphan", "foregroundDeletion"]},
            [
                (
                    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
                    "finalizer orphan and foregroundDeletion cannot be both set"
                )
            ],
        ),
        ({"name": "a", "ownerReferences": [CONTROLLER, OWNER]}, []),
        (
            {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "C", "name": "a"}]},
            ['metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
        ),
        (
            {"name": "a", "ownerReferences": [{**OWNER, "apiVersion": ""}]},
            ['metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty'],
        ),
        (
            {"name": "a", "ownerReferences": [{**OWNER, "kind": "Event"}]},
            [
                (
                    'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event",'
                    '"name":"a","uid":"u1"}: /v1, Kind=Event is disallowed from being an owner'
                )
            ],
        ),
        (
            {"name": "a", "ownerReferences": [CONTROLLER, {**CONTROLLER, "name": "b"}]},
            [
                (
                    "metadata.ownerReferences: Invalid value: "
                    '[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"u1",'
                    '"controller":true},{"apiVersion":"v1","kind":"ConfigMap","name":"b",'
                    '"uid":"u1","controller":true}]: Only one reference can have Controller '
                    'set to true. Found "true" in references for ConfigMap/a and ConfigMap/b'
                )
            ],
        ),
        (
            {"name": "a", "annotations": {"a": "x" * MAX_ANNOTATIONS}},
            ["metadata.annotations: Too long: may not be more than 262144 bytes"],
        ),
        (
            {"name": "a", "managedFields": [{"operation": "Steal", "fieldsType": "V2"}]},
            [
                (
                    'metadata.managedFields[0].operation: Invalid value: "Steal": '
                    "must be `Apply` or `Update`"
                ),
                'metadata.managedFields[0].fieldsType: Invalid value: "V2": must be `FieldsV1`',
            ],
        ),
    ],
)
def test_metadata(metadata, wrong):
    """Each rule of metadata has its field and its text."""
    assert _errors(metadata) == wrong


@pytest.mark.parametrize(
    ("metadata", "field", "value"),
    [
        ({"labels": {"a": "b c"}}, "labels", "b c"),
        ({"labels": {"a b": "c"}}, "labels", "a b"),
        ({"annotations": {"a b": "c"}}, "annotations", "a b"),
    ],
)
def test_labels_and_annotations(metadata, field, value):
    """A bad key or value is told at the map, with the text of what is bad."""
    (error,) = _errors({"name": "a", **metadata})
    assert error.startswith(f'metadata.{field}: Invalid value: "{value}": ')


def test_generate_name():
    """A prefix may end with a dash, and must else be the beginning of a good name."""
    assert _errors({"generateName": "a-"})[0].startswith("metadata.name: Required value")
    assert _errors({"generateName": "AB-", "name": "a"})[0].startswith(
        'metadata.generateName: Invalid value: "AB-": a lowercase RFC 1123 subdomain'
    )
    assert _errors({"generateName": "-", "name": "a"}) != []


def test_cluster_wide():
    """A cluster-wide object has no namespace, and its kind's own rule for names."""
    assert _errors({"name": "a", "namespace": "b"}, namespaced=False) == [
        "metadata.namespace: Forbidden: not allowed on this type"
    ]
    assert _errors({"name": "a.b"}, namespaced=False, check=dns1123_label) == [
        'metadata.name: Invalid value: "a.b": must not contain dots'
    ]


def test_custom_resources_may_have_bare_finalizers():
    """Custom resources are spared the rule of built-in kinds, not that of qualified names."""
    assert _errors({"name": "a", "finalizers": ["nodomain"]}, custom=True) == []
    assert _errors({"name": "a", "finalizers": ["no domain"]}, custom=True) != []


OLD = {
    "name": "a",
    "namespace": "n",
    "uid": "u",
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "finalizers": ["x.io/a"],
}
DELETING = {**OLD, "deletionTimestamp": "2026-01-02T00:00:00Z", "deletionGracePeriodSeconds": 0}


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        (OLD, OLD, []),
        (OLD, {"name": "a", "namespace": "n"}, []),
        (OLD, {**OLD, "uid": "x"}, ['metadata.uid: Invalid value: "x": field is immutable']),
        (OLD, {**OLD, "name": "b"}, ['metadata.name: Invalid value: "b": field is immutable']),
        (
            OLD,
            {**OLD, "creationTimestamp": "2020-01-01T00:00:00Z"},
            [
                (
                    'metadata.creationTimestamp: Invalid value: "2020-01-01T00:00:00Z": '
                    "field is immutable"
                )
            ],
        ),
        (
            OLD,
            {**OLD, "deletionTimestamp": "2020-01-01T00:00:00Z"},
            [
                (
                    'metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": '
                    "field is immutable"
                )
            ],
        ),
        (OLD, {**OLD, "finalizers": ["x.io/b"]}, []),
        (DELETING, {**OLD, "finalizers": []}, []),
        (
            DELETING,
            {**DELETING, "finalizers": ["x.io/a", "x.io/c", "x.io/b"]},
            [
                (
                    "metadata.finalizers: Forbidden: "
                    "no new finalizers can be added if the object is being deleted, "
                    'found new finalizers []string{"x.io/b", "x.io/c"}'
                )
            ],
        ),
        (
            DELETING,
            {**DELETING, "deletionGracePeriodSeconds": 30},
            ["metadata.deletionGracePeriodSeconds: Invalid value: 30: field is immutable"],
        ),
    ],
)
def test_update(old, new, wrong):
    """What the server gave an object stays; what an update leaves out counts as unchanged."""
    errors = validate_object_meta_update({"metadata": new}, {"metadata": old})
    assert [str(each) for each in errors] == wrong


@pytest.mark.parametrize(
    ("manager", "wrong"),
    [
        ("kubectl-create é", []),
        ("x" * 129, ["fieldManager: Too long: may not be more than 128 bytes"]),
        (
            "a\ab",
            ['fieldManager: Invalid value: "a\\ab": invalid character U+0007 (at position 1)'],
        ),
    ],
)
def test_field_manager(manager, wrong):
    """A field manager is short and printable; the recorded texts."""
    assert [str(each) for each in validate_field_manager(manager)] == wrong
