"""Objects become tables as kube-apiserver makes them."""

import pytest

from llmos.apimachinery.errors import BadRequestError
from llmos.apis.printing import PLAIN, selector_text
from llmos.apis.tables import parse_include_object, table

OBJECT = {
    "kind": "Thing",
    "apiVersion": "v1",
    "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "data": {"a": "b"},
}
NOW = 1767225605


def test_a_table_has_columns_cells_and_metadata() -> None:
    """Without columns of its own a kind shows name and age; rows carry metadata only."""
    made = table([OBJECT], (), NOW, metadata={"resourceVersion": "7"})
    assert (made["kind"], made["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert made["metadata"] == {"resourceVersion": "7"}
    assert [each["name"] for each in made["columnDefinitions"]] == ["Name", "Age"]
    assert set(made["columnDefinitions"][0]) == {
        "name",
        "type",
        "format",
        "description",
        "priority",
    }
    assert made["rows"] == [
        {
            "cells": ["a", "5s"],
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": OBJECT["metadata"],
            },
        }
    ]


def test_what_goes_along_with_a_row() -> None:
    """Nothing, or the whole object."""
    assert table([OBJECT], PLAIN, NOW, include_object="None")["rows"][0]["object"] is None
    assert table([OBJECT], PLAIN, NOW, include_object="Object")["rows"][0]["object"] is OBJECT


def test_an_empty_table_keeps_its_columns() -> None:
    """No rows is an empty list, and kubectl still learns the columns; v1beta1 is spoken."""
    made = table([], PLAIN, NOW, version="v1beta1")
    assert made["rows"] == []
    assert len(made["columnDefinitions"]) == 2
    assert made["apiVersion"] == "meta.k8s.io/v1beta1"


def test_include_object_is_one_of_three() -> None:
    """Another word is a bad request, in Kubernetes' words."""
    assert parse_include_object("") == "Metadata"
    assert parse_include_object("None") == "None"
    with pytest.raises(BadRequestError) as refused:
        parse_include_object("Foo")
    assert refused.value.message == (
        'Unable to convert to Table as requested: includeObject: Invalid value: "Foo": must be '
        "'Metadata', 'Object', 'None', or empty"
    )


def test_selectors_read_as_kubectl_writes_them() -> None:
    """Labels and expressions, sorted."""
    selector = {
        "matchLabels": {"b": "1", "a": "2"},
        "matchExpressions": [
            {"key": "c", "operator": "In", "values": ["y", "x"]},
            {"key": "d", "operator": "Exists"},
            {"key": "e", "operator": "DoesNotExist"},
        ],
    }
    assert selector_text(selector) == "a=2,b=1,c in (x,y),d,!e"
    assert selector_text(None) == "<none>"
