"""Amounts of resources (``100m``, ``2Gi``, ``1e3``), exact to a billionth.

Follows k8s.io/apimachinery/pkg/api/resource: what is accepted, how it rounds, and the canonical
form in which the API gives an amount back.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, total_ordering
from typing import Any, Literal

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

NANOS = 10**9
_MAX_BINARY = (2**63 - 1) * NANOS
_MAX_EXPONENT = 100
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES = {exponent: suffix for suffix, exponent in _BINARY.items()}
_QUANTITY = re.compile(r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]{1,4})")


class QuantityError(ValueError):
    """The text is not a quantity; says so in Kubernetes' words."""


_FORMAT_WRONG = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_SUFFIX_WRONG = "unable to parse quantity's suffix"
_NUMBER_WRONG = "unable to parse numeric part of quantity"
_MAX_LENGTH = 256


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """An amount and the way it likes to be written; compares by amount alone."""

    nanos: int
    format: Format = "DecimalSI"

    @classmethod
    def parse(cls, value: Any) -> "Quantity":
        """Read a JSON string or number.

        Raises:
            QuantityError: it is not a quantity.
        """
        if isinstance(value, str):
            return _parse(value.strip())
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _parse(repr(value))
        raise QuantityError(_FORMAT_WRONG)

    @classmethod
    def of(cls, units: int) -> "Quantity":
        """So many whole units."""
        return cls(units * NANOS)

    def canonical(self) -> str:
        """The one text for the amount: no fraction, the largest suffix that loses nothing."""
        if not self.nanos:
            return "0"
        if self._is_binary():
            return self._base_1024()
        return self._base_10()

    def _is_binary(self) -> bool:
        if self.format != "BinarySI" or self.nanos % NANOS:
            return False
        return abs(self.nanos) >= 1024 * NANOS

    def _base_1024(self) -> str:
        amount, exponent = self.nanos // NANOS, 0
        while exponent < 60 and amount % 1024 == 0:
            amount, exponent = amount // 1024, exponent + 10
        return f"{amount}{_BINARY_SUFFIXES.get(exponent, '')}"

    def _base_10(self) -> str:
        amount, exponent = self.nanos, -9
        scientific = self.format == "DecimalExponent"
        while amount % 1000 == 0 and (scientific or exponent < 18):
            amount, exponent = amount // 1000, exponent + 3
        if not scientific:
            return f"{amount}{_DECIMAL_SUFFIXES[exponent]}"
        return f"{amount}e{exponent}" if exponent else str(amount)

    def value(self) -> int:
        """Whole units, rounded away from zero."""
        return _away_from_zero(self.nanos, NANOS)

    def milli_value(self) -> int:
        """Thousandths of a unit, rounded away from zero."""
        return _away_from_zero(self.nanos, 10**6)

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nanos + other.nanos, self.format if self.nanos else other.format)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nanos - other.nanos, self.format if self.nanos else other.format)

    def __neg__(self) -> "Quantity":
        return Quantity(-self.nanos, self.format)

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nanos == other.nanos

    def __lt__(self, other: "Quantity") -> bool:
        return self.nanos < other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __str__(self) -> str:
        return self.canonical()


ZERO = Quantity(0)


@lru_cache(maxsize=2048)
def _parse(text: str) -> Quantity:
    if len(text) > _MAX_LENGTH:
        raise QuantityError(_NUMBER_WRONG)
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise QuantityError(_FORMAT_WRONG)
    sign, whole, fraction, bare_fraction, suffix = match.groups()
    decimals = fraction or bare_fraction or ""
    base, exponent, form = _suffix(suffix)
    digits = int((whole or "") + decimals)
    nanos = _scale(digits, base, exponent, 9 - len(decimals))
    if form == "BinarySI":
        nanos = min(nanos, _MAX_BINARY)
        if 0 < nanos < NANOS:
            form = "DecimalSI"
    return Quantity(-nanos if sign == "-" else nanos, form)


def _suffix(suffix: str) -> tuple[int, int, Format]:
    """Base, exponent and format of a suffix."""
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], "DecimalSI"
    if suffix in _BINARY:
        return 2, _BINARY[suffix], "BinarySI"
    match = _EXPONENT.fullmatch(suffix)
    if match is None or abs(int(match[1])) > _MAX_EXPONENT:
        raise QuantityError(_SUFFIX_WRONG)
    return 10, int(match[1]), "DecimalExponent"


def _scale(digits: int, base: int, exponent: int, decimal_shift: int) -> int:
    """``digits * base**exponent * 10**decimal_shift``, rounded up to a whole number."""
    shift = decimal_shift
    if base == 2:
        digits <<= exponent
    else:
        shift += exponent
    power: int = 10 ** abs(shift)
    return digits * power if shift >= 0 else -(-digits // power)


def _away_from_zero(number: int, unit: int) -> int:
    return -(-number // unit) if number > 0 else number // unit
