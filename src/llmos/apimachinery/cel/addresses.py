"""``ip('10.0.0.1')`` and ``cidr('10.0.0.0/8')``; both are carried as their texts.

Source: k8s.io/apiserver/pkg/cel/library/{ip,cidr}.go. Addresses with a zone, and IPv4 addresses
dressed as IPv6, are refused.
"""

from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any

from llmos.apimachinery.cel.functions import Function, function, method
from llmos.apimachinery.cel.types import BOOL, CIDR, INT, IP, STRING

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _address(text: str) -> Address:
    """Read an address.

    Raises:
        ValueError: it is none, or one that is refused.
    """
    wrong = f"IP Address {text!r} parse error during conversion from string"
    if "%" in text:
        raise ValueError(wrong)
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(wrong) from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError(f"IPv4-mapped IPv6 address {text!r} is not allowed")
    return address


def _network(text: str) -> Network:
    """Read a network; bits beyond the prefix are masked.

    Raises:
        ValueError: it is none.
    """
    wrong = f"network address parse error during conversion from string: {text!r}"
    if "/" not in text or not text.rpartition("/")[2].isdigit():
        raise ValueError(wrong)
    _address(text.partition("/")[0])
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(wrong) from None


def _parse_network(text: str) -> str:
    _network(text)
    return str(ip_interface(text))


def _is(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return check


def _is_canonical(text: str) -> bool:
    return str(_address(text)) == text


def _is_link_local_multicast(text: str) -> bool:
    address = _address(text)
    if isinstance(address, IPv4Address):
        return address in IPv4Network("224.0.0.0/24")
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 2


def _is_global_unicast(text: str) -> bool:
    address = _address(text)
    special = address.is_loopback or address.is_multicast or address.is_link_local
    return not (special or address.is_unspecified or str(address) == "255.255.255.255")


def _contains_address(network: str, address: str) -> bool:
    return _address(address) in _network(network)


def _contains_network(network: str, other: str) -> bool:
    outer: Any = _network(network)
    inner = _network(other)
    return outer.version == inner.version and inner.subnet_of(outer)


FUNCTIONS: tuple[Function, ...] = (
    function("ip", STRING, IP, call=lambda text: str(_address(text))),
    function("isIP", STRING, BOOL, call=_is(_address)),
    function("ip.isCanonical", STRING, BOOL, call=_is_canonical),
    method("family", IP, INT, call=lambda text: _address(text).version),
    method("isUnspecified", IP, BOOL, call=lambda text: _address(text).is_unspecified),
    method("isLoopback", IP, BOOL, call=lambda text: _address(text).is_loopback),
    method("isLinkLocalMulticast", IP, BOOL, call=_is_link_local_multicast),
    method("isLinkLocalUnicast", IP, BOOL, call=lambda text: _address(text).is_link_local),
    method("isGlobalUnicast", IP, BOOL, call=_is_global_unicast),
    function("cidr", STRING, CIDR, call=_parse_network),
    function("isCIDR", STRING, BOOL, call=_is(_network)),
    method("containsIP", CIDR, IP, BOOL, call=_contains_address),
    method("containsIP", CIDR, STRING, BOOL, call=_contains_address),
    method("containsCIDR", CIDR, CIDR, BOOL, call=_contains_network),
    method("containsCIDR", CIDR, STRING, BOOL, call=_contains_network),
    method("ip", CIDR, IP, call=lambda text: text.partition("/")[0]),
    method("masked", CIDR, CIDR, call=lambda text: str(_network(text))),
    method("prefixLength", CIDR, INT, call=lambda text: _network(text).prefixlen),
)
