"""The formats of strings in CRD schemas."""

import pytest

from llmos.apimachinery.formats import STRING_FORMATS

EXAMPLES = {
    "bsonobjectid": ("507f1f77bcf86cd799439011", "507f"),
    "byte": ("YWJj", "!!"),
    "cidr": ("10.0.0.0/8", "10.0.0.0"),
    "creditcard": ("4111-1111-1111-1111", "4111-1111-1111-1112"),
    "date": ("2026-02-28", "2026-02-30"),
    "date-time": ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00"),
    "datetime": ("2026-01-01T00:00:00.123+02:00", "2026-13-01T00:00:00Z"),
    "duration": ("1h30m", "soon"),
    "email": ("a@b.example", "a b"),
    "hexcolor": ("#ffAA00", "#ggg"),
    "hostname": ("a.example.com", "-a"),
    "ipv4": ("10.1.2.3", "::1"),
    "ipv6": ("::1", "10.1.2.3"),
    "isbn": ("978-3-16-148410-0", "12"),
    "isbn10": ("0-306-40615-2", "0-306-40615-3"),
    "isbn13": ("978-3-16-148410-0", "978-3-16-148410-1"),
    "k8s-long-name": ("a.b", "A"),
    "k8s-service-name": ("a-b", "1a"),
    "k8s-short-name": ("a-b", "a.b"),
    "mac": ("01:02:03:04:ab:cd", "01:02"),
    "rgbcolor": ("rgb(1, 2, 3)", "rgb(1)"),
    "ssn": ("111-22-3333", "111"),
    "uri": ("https://example.com/x", "not a uri"),
    "uuid": ("a987fbc9-4bed-3078-cf07-9141ba07c9f3", "a987"),
    "uuid3": ("a987fbc9-4bed-3078-cf07-9141ba07c9f3", "a987fbc9-4bed-4078-8f07-9141ba07c9f3"),
    "uuid4": ("a987fbc9-4bed-4078-8f07-9141ba07c9f3", "a987fbc9-4bed-3078-cf07-9141ba07c9f3"),
    "uuid5": ("987fbc97-4bed-5078-af07-9141ba07c9f3", "a987fbc9-4bed-3078-cf07-9141ba07c9f3"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_formats_tell_right_from_wrong(name: str) -> None:
    """A good example passes and a bad one does not."""
    good, bad = EXAMPLES[name]
    assert STRING_FORMATS[name](good)
    assert not STRING_FORMATS[name](bad)


def test_every_checked_format_is_tried() -> None:
    """No format is checked without an example here, but passwords, which may be anything."""
    assert set(STRING_FORMATS) - {"password"} == set(EXAMPLES)
