"""The ``format`` of strings in CRD schemas: which are known, and what fits them.

Source: k8s.io/kube-openapi/pkg/validation/strfmt and the formats that
k8s.io/apiextensions-apiserver supports; every other format is not checked.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from urllib.parse import urlsplit

from llmos.apimachinery.clock import parse_rfc3339
from llmos.apimachinery.names import dns1035_label, dns1123_label, dns1123_subdomain

FormatCheck = Callable[[str], bool]

_EMAIL = re.compile(r"[^@\s<>]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOSTNAME = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
_HEX_COLOR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB_COLOR = re.compile(r"rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_SSN = re.compile(r"\d{3}[- ]?\d{2}[- ]?\d{4}")
_CARD = re.compile(r"\d{12,19}")
_ISBN10 = re.compile(r"\d{9}[\dX]")
_ISBN13 = re.compile(r"\d{13}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_GO_DURATION = re.compile(
    r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*"
)
_WORD_DURATION = re.compile(
    r"\d+\s*(ns|us|ms|s|m|h|d|w|seconds?|minutes?|hours?|days?|weeks?)(\s*\d+\s*[a-z]+)*"
)


def _uuid(version: str = "[0-9a-fA-F]") -> FormatCheck:
    digit = "[0-9a-fA-F]"
    groups = (f"{digit}{{8}}", f"{digit}{{4}}", f"{version}{digit}{{3}}")
    return _like(re.compile("-?".join((*groups, f"{digit}{{4}}", f"{digit}{{12}}"))))


def _like(pattern: re.Pattern[str]) -> FormatCheck:
    return lambda text: pattern.fullmatch(text) is not None


def _parses(parse: Callable[[str], object]) -> FormatCheck:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, OverflowError, binascii.Error):
            return False
        return True

    return check


def _time(text: str) -> bool:
    """RFC 3339; a leap second is a second."""
    return _TIME.fullmatch(text) is not None and _parses(parse_rfc3339)(text.upper())


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme or text.startswith("/")) and " " not in text


def _mapped_ipv4(text: str) -> bool:
    return "." in text and _parses(ipaddress.IPv4Address)(text)


def _duration(text: str) -> bool:
    return text == "0" or bool(_GO_DURATION.fullmatch(text) or _WORD_DURATION.fullmatch(text))


def _isbn10(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if not _ISBN10.fullmatch(digits):
        return False
    values = [10 if each == "X" else int(each) for each in digits]
    return sum(value * (10 - index) for index, value in enumerate(values)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if not _ISBN13.fullmatch(digits):
        return False
    return sum(int(each) * (3 if index % 2 else 1) for index, each in enumerate(digits)) % 10 == 0


def _credit_card(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if not _CARD.fullmatch(digits):
        return False
    total = 0
    for index, each in enumerate(reversed(digits)):
        value = int(each) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


STRING_FORMATS: Mapping[str, FormatCheck] = {
    "bsonobjectid": _like(_OBJECT_ID),
    "byte": _parses(lambda text: base64.b64decode(text, validate=True)),
    "cidr": _parses(lambda text: ipaddress.ip_interface(text) if "/" in text else int("")),
    "creditcard": _credit_card,
    "date": _parses(date.fromisoformat),
    "date-time": _time,
    "datetime": _time,
    "duration": _duration,
    "email": _like(_EMAIL),
    "hexcolor": _like(_HEX_COLOR),
    "hostname": lambda text: len(text) <= 255 and _HOSTNAME.fullmatch(text) is not None,
    "ipv4": _mapped_ipv4,
    "ipv6": lambda text: ":" in text and _parses(ipaddress.IPv6Address)(text),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8s-long-name": lambda text: not dns1123_subdomain(text),
    "k8s-short-name": lambda text: not dns1123_label(text),
    "k8s-service-name": lambda text: not dns1035_label(text),
    "mac": _like(_MAC),
    "password": lambda text: isinstance(text, str),
    "rgbcolor": _like(_RGB_COLOR),
    "ssn": _like(_SSN),
    "uri": _uri,
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4"),
    "uuid5": _uuid("5"),
}
"""The formats that are checked."""
