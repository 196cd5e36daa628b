"""Rules of names give the texts of Kubernetes."""

import pytest

from llmos.apimachinery import names

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
QUALIFIED = NAME_PART.replace("name part", "a qualified name") + (
    " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)


@pytest.mark.parametrize(
    ("check", "value", "wrong"),
    [
        (names.dns1123_label, "a-1", []),
        (names.dns1123_label, "a.b", ["must not contain dots"]),
        (names.dns1123_label, "Nsa", [LABEL]),
        (names.dns1123_label, "a\n", [LABEL]),
        (names.dns1123_label, "", [LABEL]),
        (names.dns1123_label, "a" * 64, ["must be no more than 63 characters"]),
        (names.dns1123_subdomain, "a.b-c.1", []),
        (names.dns1123_subdomain, "A_b", [SUBDOMAIN]),
        (names.dns1123_subdomain, "-a", [SUBDOMAIN]),
        (names.dns1123_subdomain, "a..b", [SUBDOMAIN]),
        (names.dns1123_subdomain, "a" * 254, ["must be no more than 253 characters"]),
        (names.dns1035_label, "abc-123", []),
        (names.dns1035_label, "1a", [LABEL_1035]),
        (names.path_segment, "a:b:C", []),
        (names.path_segment, "a/b%", ["may not contain '/'", "may not contain '%'"]),
        (names.path_segment, "..", ["may not be '..'"]),
        (names.qualified_name, "example.com/My.Name_1", []),
        (names.qualified_name, "a b", [NAME_PART]),
        (names.qualified_name, "x/", ["name part must be non-empty", NAME_PART]),
        (names.qualified_name, "/x", ["prefix part must be non-empty"]),
        (names.qualified_name, "A_/x", [f"prefix part {SUBDOMAIN}"]),
        (names.qualified_name, "a/b/c", [QUALIFIED]),
        (names.qualified_name, "a" * 64, ["name part must be no more than 63 bytes"]),
        (names.label_value, "", []),
        (names.label_value, "b c", [LABEL_VALUE]),
        (names.label_value, "a" * 64, ["must be no more than 63 bytes"]),
        (names.config_map_key, "key.name", []),
        (names.config_map_key, "a/b", [CONFIG_KEY]),
        (names.config_map_key, "..", ["must not be '..'"]),
        (names.config_map_key, "..a", ["must not start with '..'"]),
    ],
)
def test_texts(check, value, wrong):
    """A right name has no text, a wrong one Kubernetes' own."""
    assert check(value) == wrong
