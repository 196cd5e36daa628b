"""Rules of names, label values and keys, in Kubernetes' words.

A check returns the texts of what is wrong with a text; none is right. Follows
k8s.io/apimachinery/pkg/util/validation and api/validation.
"""

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_is_label = re.compile(_LABEL).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_is_label_1035 = re.compile(_LABEL_1035).fullmatch
_is_qualified = re.compile(_QUALIFIED).fullmatch
_is_label_value = re.compile(_LABEL_VALUE).fullmatch
_is_config_key = re.compile(_CONFIG_KEY).fullmatch


def _regex_error(text: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{each}', " for each in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


_ALPHANUMERIC = (
    "consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
_LABEL_WRONG = _regex_error(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_WRONG = _regex_error(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_LABEL_1035_WRONG = _regex_error(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_QUALIFIED_WRONG = _regex_error(f"must {_ALPHANUMERIC}", _QUALIFIED, "MyName", "my.name", "123-abc")
_TOO_MANY_PARTS = (
    f"a qualified name {_QUALIFIED_WRONG} with an optional DNS subdomain prefix "
    "and '/' (e.g. 'example.com/MyName')"
)
_LABEL_VALUE_WRONG = _regex_error(
    f"a valid label must be an empty string or {_ALPHANUMERIC}",
    _LABEL_VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_CONFIG_KEY_WRONG = _regex_error(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)


def dns1123_label(value: str) -> list[str]:
    """A lower-case DNS label of at most 63 characters: namespaces."""
    wrong = _too_long(value, 63)
    if not _is_label(value):
        wrong.append("must not contain dots" if _is_subdomain(value) else _LABEL_WRONG)
    return wrong


def dns1123_subdomain(value: str) -> list[str]:
    """Lower-case DNS labels joined by dots, at most 253 characters: most objects."""
    wrong = _too_long(value, 253)
    if not _is_subdomain(value):
        wrong.append(_SUBDOMAIN_WRONG)
    return wrong


def dns1035_label(value: str) -> list[str]:
    """A DNS label that begins with a letter: services of old, names of CRD kinds."""
    wrong = _too_long(value, 63)
    if not _is_label_1035(value):
        wrong.append(_LABEL_1035_WRONG)
    return wrong


def path_segment(value: str) -> list[str]:
    """What can be one step of a URL path: RBAC's objects."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{each}'" for each in ("/", "%") if each in value]


def qualified_name(value: str) -> list[str]:
    """``[prefix/]name``: label keys, annotation keys, finalizers."""
    parts = value.split("/")
    if len(parts) > 2:
        return [_TOO_MANY_PARTS]
    wrong: list[str] = []
    if len(parts) == 2:
        texts = dns1123_subdomain(parts[0]) if parts[0] else ["must be non-empty"]
        wrong += [f"prefix part {each}" for each in texts]
    name = parts[-1]
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        wrong.append("name part must be no more than 63 bytes")
    if not _is_qualified(name):
        wrong.append(f"name part {_QUALIFIED_WRONG}")
    return wrong


def label_value(value: str) -> list[str]:
    """The value of a label."""
    wrong = ["must be no more than 63 bytes"] if len(value.encode()) > 63 else []
    if not _is_label_value(value):
        wrong.append(_LABEL_VALUE_WRONG)
    return wrong


def config_map_key(value: str) -> list[str]:
    """A key of a ConfigMap's or a Secret's data."""
    wrong = _too_long(value, 253)
    if not _is_config_key(value):
        wrong.append(_CONFIG_KEY_WRONG)
    if value in (".", ".."):
        wrong.append(f"must not be '{value}'")
    elif value.startswith(".."):
        wrong.append("must not start with '..'")
    return wrong


def _too_long(value: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} characters"] if len(value.encode()) > limit else []
