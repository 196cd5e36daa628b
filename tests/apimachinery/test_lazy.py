"""Modules that are imported when something of them is used."""

import sys

import pytest

from llmos.apimachinery.lazy import LazyModule


def test_a_module_is_imported_when_it_is_used(monkeypatch) -> None:
    """Not before, and then it is the module that everybody has."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    colours = LazyModule("colorsys")
    assert "colorsys" not in sys.modules
    assert colours.rgb_to_yiq is sys.modules["colorsys"].rgb_to_yiq


def test_what_a_module_has_not_is_missed() -> None:
    """As with any other module."""
    with pytest.raises(AttributeError):
        _ = LazyModule("colorsys").nothing
