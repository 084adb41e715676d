"""Where a delivery may go: the guard against requests to our own insides (SECURITY 3; OWASP API7:2023).

`ipaddress.is_global` calls many inner addresses global on Python 3.11, so the lists here are our own, from the
IANA special-purpose registries.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_LENGTH_MAX = 2048
_SAFE = re.compile(r"[A-Za-z0-9:/?\[\]@!$&'()*+,;=._~%-]+")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_REFUSED_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
    )
)  # fmt: skip
_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_6 = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""What stands before an IPv4 address to which some systems make a tunnel of their own (RFC 5214 section 6.1)."""
_LOW_32 = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Guard:
    """What this deployment allows beyond `https` to public addresses on the listed ports."""

    allow_http: bool = False
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({443})


def url_fault(url: str, guard: Guard) -> str | None:
    """The rule that an endpoint's address breaks by its form, in words; None where it may be tried."""
    parts, port, fault = _split(url)
    if parts is None:
        return fault
    if parts.scheme != "https" and not (parts.scheme == "http" and guard.allow_http):
        return "only https is allowed"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "no user name or password may stand in the address"
    if any(name.lower() == "access_token" for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return "no access token may stand in the address: it is sent as a header"
    host = _host(parts.netloc)
    literal = _literal(host)
    if literal is not None:
        if not _within(literal, guard.networks):
            return "an IP address is not allowed: use a registered name"
        return _port_fault(parts.scheme, port, guard)
    return _name_fault(host, guard) or _port_fault(parts.scheme, port, guard)


def address_fault(text: str, guard: Guard) -> str | None:
    """The reason why no connection may go to this resolved address, in words; None where it may."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "the name resolves to something that is no address"
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return "the name resolves to an address with a zone"
    if _within(address, guard.networks) or not _refused(address, guard.networks):
        return None
    return "the name resolves to an address that is not public"


def is_listed(url: str, hosts: Collection[str]) -> bool:
    """Whether an address that `url_fault` lets pass has a listed host: a name, `*.name` for all below, `*` for any."""
    name = urlsplit(url).hostname or ""
    above = (name[at:] for at, letter in enumerate(name) if letter == ".")
    return name in hosts or "*" in hosts or any(f"*{parent}" in hosts for parent in above)


def _refused(address: Address, allowed: tuple[Network, ...]) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in _REFUSED_4)
    inner = _as_ipv4(address)
    if inner is not None:
        return not _within(inner, allowed) and _refused(inner, ())
    if address not in _UNICAST_6 or any(address in network for network in _REFUSED_6):
        return True
    return int(address) >> 32 & _LOW_32 in _ISATAP and _refused(_low(address), ())


def _as_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a mapped or NAT64 one stands for: the connection ends there.

    Compatible, 6to4 and Teredo ones lie outside the unicast range or in the refused list, whatever is in them.
    """
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return _low(address) if address in _NAT64 else None


def _low(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) & _LOW_32)


def _split(url: str) -> tuple[SplitResult | None, int | None, str]:
    if len(url) > URL_LENGTH_MAX:
        return None, None, f"the address is longer than {URL_LENGTH_MAX} characters"
    if not _SAFE.fullmatch(url):
        return None, None, "the address holds characters that do not belong in one"
    try:
        parts = urlsplit(url)
        return parts, parts.port, ""
    except ValueError:
        return None, None, "the address is malformed"


def _host(netloc: str) -> str:
    """The host as written, without the port; brackets stay."""
    if netloc.startswith("["):
        return netloc.partition("]")[0] + "]"
    return netloc.partition(":")[0]


def _literal(host: str) -> Address | None:
    try:
        if host.startswith("["):
            return ipaddress.IPv6Address(host[1:-1].replace("%", "no zones"))
        return ipaddress.IPv4Address(host)
    except ValueError:
        return None


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _name_fault(host: str, guard: Guard) -> str | None:
    if not _NAME.fullmatch(host) or len(host) > 253:
        return "the host is no registered name in lower case (A-labels, no trailing dot)"
    if "." not in host and not guard.networks:
        return "the host must be a full registered name"
    return None


def _port_fault(scheme: str, port: int | None, guard: Guard) -> str | None:
    if scheme == "http" and guard.allow_http:
        return None
    return None if (443 if port is None else port) in guard.ports else "this port is not allowed"
