"""Quantities: what is accepted, the canonical form, exact sums."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos.apimachinery.quantity import NANOS, ZERO, Quantity, QuantityError

SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "e3": Fraction(1000),
    "E-2": Fraction(1, 100),
}
decimals = st.from_regex(r"[+-]?[0-9]{1,6}(\.[0-9]{0,4})?", fullmatch=True)
texts = st.builds(str.__add__, decimals, st.sampled_from(sorted(SUFFIXES)))
quantities = texts.map(Quantity.parse)


@pytest.mark.parametrize(
    ("given_value", "canonical"),
    [
        ("0", "0"),
        ("0Gi", "0"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("100000", "100k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1000Ki", "1000Ki"),
        ("1e3", "1e3"),
        ("1200e-3", "1200e-3"),
        ("1E", "1E"),
        ("1000E", "1000E"),
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        (" 5 ", "5"),
        (5, "5"),
        (0.25, "250m"),
        ("9999999999999Pi", "9223372036854775807"),
    ],
)
def test_canonical(given_value, canonical):
    """An amount comes back in the form that the API gives back."""
    assert Quantity.parse(given_value).canonical() == canonical


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must match the regular expression"),
        ("abc", "must match the regular expression"),
        ("1Gx", "must match the regular expression"),
        ("1.1.M", "must match the regular expression"),
        ("1 1", "must match the regular expression"),
        (True, "must match the regular expression"),
        ([], "must match the regular expression"),
        ("1i", "unable to parse quantity's suffix"),
        ("0.1mi", "unable to parse quantity's suffix"),
        ("3e-", "unable to parse quantity's suffix"),
        ("1e9999", "unable to parse quantity's suffix"),
        ("9" * 1000, "unable to parse numeric part"),
    ],
)
def test_refused(text, why):
    """What is not a quantity is refused in Kubernetes' words."""
    with pytest.raises(QuantityError, match=why):
        Quantity.parse(text)


@given(decimals, st.sampled_from(sorted(SUFFIXES)))
def test_exact(number, suffix):
    """The amount is the number times the suffix, rounded away from zero to a billionth."""
    exact = Fraction(number) * SUFFIXES[suffix] * NANOS
    rounded = -(-abs(exact) // 1)
    assert Quantity.parse(number + suffix).nanos == (rounded if exact >= 0 else -rounded)


@given(quantities)
def test_canonical_is_stable(quantity):
    """The canonical text is the same amount and its own canonical text."""
    again = Quantity.parse(quantity.canonical())
    assert again == quantity
    assert again.canonical() == quantity.canonical()


@given(quantities, quantities)
def test_sums(one, other):
    """What is added can be taken away again, and order is that of the amounts."""
    assert (one + other) - other == one
    assert one + other == other + one
    assert (one < other) is (one - other < ZERO)
    assert one + -one == ZERO


def test_sum_keeps_the_format():
    """The first summand's way of writing stays, unless it is nothing."""
    assert (Quantity.parse("1Gi") + Quantity.parse("1073741824")).canonical() == "2Gi"
    assert (ZERO + Quantity.parse("1Gi")).canonical() == "1Gi"
    assert (Quantity.parse("1Gi") - Quantity.parse("2Gi")).canonical() == "-1Gi"


def test_whole_values_round_up():
    """Whole units and thousandths round away from zero, as Kubernetes' Value does."""
    quantity = Quantity.parse("1.0001")
    assert (quantity.value(), quantity.milli_value()) == (2, 1001)
    assert Quantity.parse("-1.5").value() == -2
    assert Quantity.of(3).canonical() == "3"


def test_equal_amounts_hash_alike():
    """Two ways of writing one amount are one key, and only nothing is false."""
    assert len({Quantity.parse("1"), Quantity.parse("1000m")}) == 1
    assert Quantity.parse("1n")
    assert not Quantity.parse("0.0")
    assert str(Quantity.parse("1000m")) == "1"
