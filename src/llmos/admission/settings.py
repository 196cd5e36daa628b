"""Settings that name a URL must not lead the platform to itself or to a machine's secrets."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from llmos.admission.plugin import WRITES, Scope, Validator
from llmos.admission.refusals import invalid, name_in, objects_of
from llmos.admission.resources import SETTINGS
from llmos.admission.subjects import has_hidden_characters
from llmos.apimachinery.validation import field_invalid
from llmos.apis.admission_v1 import AdmissionAttributes

_INNER_HOSTS = ("localhost", "localhost.localdomain", "metadata", "metadata.google.internal")
_INNER_DOMAINS = (".localhost",)
_METADATA_ADDRESSES = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})
"""Where clouds serve a machine's credentials beside the link-local address."""


def check_url(attributes: AdmissionAttributes) -> None:
    """A setting named ``…-url`` is an http(s) URL of another machine.

    Raises:
        InvalidError: it is not.
    """
    if not name_in(attributes).endswith("-url"):
        return
    new, _ = objects_of(attributes)
    for field in ("value", "default"):
        url = new.get(field) or ""
        problem = url_problem(url) if isinstance(url, str) and url else ""
        if problem:
            raise invalid(attributes, field_invalid(field, url, problem))


def url_problem(url: str) -> str:
    """What is wrong with a URL, or ``""``."""
    if has_hidden_characters(url) or any(each.isspace() or each == "\\" for each in url):
        return "must not contain spaces, backslashes or hidden characters"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "must be a URL"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "must be an http or https URL"
    if parts.username is not None:
        return "must not contain credentials"
    if _is_inner(host):
        return "must not be a loopback or link-local address"
    return ""


def _is_inner(host: str) -> bool:
    """Whether a host is this machine or its link, however it is written."""
    name = host.rstrip(".").lower()
    if name in _INNER_HOSTS or name.endswith(_INNER_DOMAINS):
        return True
    address = _address(name)
    if address is None:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped in _METADATA_ADDRESSES:
        return True
    return bool(
        mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast
    )


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, also in the short and octal forms that resolvers read."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def validators() -> list[Validator]:
    """One rule."""
    return [Validator("Settings/url", Scope(WRITES, [SETTINGS]), check_url)]
