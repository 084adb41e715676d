"""The guard against every spelling of an inner address that can be generated: literals, URLs, resolved answers."""

import ipaddress
from collections.abc import Iterator

import httpx
import pytest
import yarl

from services.notifier.adapters.connections import place_of
from services.notifier.domain.destination import Guard, address_fault, url_fault
from tests.unit.notifier.test_destination import REFUSED_ADDRESSES

STRICT = Guard()
INNER = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.1", "224.0.0.1")
SHAPES = (
    "https://{}/", "https://{}:443/", "https://{}./", "https://[{}]/", "https://user@{}/", "https://u:p@{}/",
    "https://{}%00.example/", "https://regulator.example@{}/", "http://{}/", "https:\\\\{}/", "https://{}\\@a.example/",
    "https://{}#@a.example/", "//{}/", "gopher://{}/", "https://[::ffff:{}]/", "https://[64:ff9b::{}]/",
)  # fmt: skip


def inner_addresses() -> Iterator[str]:
    """First, last and middle of each refused network, and each of them inside the forms of IPv6 that carry one."""
    networks = (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
        "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
    )
    for network in map(ipaddress.IPv4Network, networks.split()):
        for address in (network[0], network[1], network[network.num_addresses // 2], network[-1]):
            yield from (str(address), f"::ffff:{address}", f"::{address}", f"64:ff9b::{address}")
            yield str(ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80) | 1))
            yield str(ipaddress.IPv6Address((0x20010000 << 96) | (int(address) ^ 0xFFFFFFFF)))


def numbers_of(address: str) -> Iterator[str]:
    """An IPv4 address in the spellings that resolvers of C accept, and in the digits of other scripts."""
    parts = [int(part) for part in address.split(".")]
    whole = int(ipaddress.IPv4Address(address))
    yield from (address, str(whole), hex(whole), oct(whole).replace("0o", "0"), f"0x{whole:08X}")
    yield ".".join(map(hex, parts))
    yield ".".join(f"{part:04o}" for part in parts)
    yield ".".join(f"{part:03d}" for part in parts)
    yield f"{parts[0]}.{whole & 0xFFFFFF}"
    yield f"{parts[0]}.{parts[1]}.{whole & 0xFFFF}"
    for zero in (0xFF10, 0x0660, 0x0966):
        yield "".join(chr(zero + int(c)) if c.isdigit() else c for c in address)
    yield address.replace(".", "\u3002")
    yield address.replace(".", "%2e")


LITERALS = sorted({*REFUSED_ADDRESSES, *inner_addresses()})
SPELLINGS = sorted({shape.format(text) for address in INNER for text in numbers_of(address) for shape in SHAPES})


def test_the_tables_are_as_long_as_they_should_be() -> None:
    assert len(LITERALS) >= 300
    assert len(SPELLINGS) >= 500


def test_no_connection_goes_to_any_of_the_literals() -> None:
    assert [address for address in LITERALS if address_fault(address, STRICT) is None] == []


def test_no_endpoint_is_registered_at_any_of_the_spellings() -> None:
    assert [url for url in SPELLINGS if url_fault(url, STRICT) is None] == []


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://127.0.0.1/", "IP address"),
        ("http://regulator.example/", "only https"),
        ("https://u@regulator.example/", "user name"),
        ("https://regulator.example:8443/", "port"),
        ("https://2130706433/", "registered name"),
        ("https://localhost/", "full registered name"),
        ("https://regulator.example./", "trailing dot"),
        ("https://①②⑦.⓪.⓪.①/", "characters"),
        ("https://a.example/" + "x" * 2048, "longer than"),
    ],
)
def test_the_integrator_is_told_which_rule(url: str, rule: str) -> None:
    assert rule in (url_fault(url, STRICT) or "")


NAMES = ("regulator.example", "xn--regulatr-d1a.example", "a.b.c.example", "1a.example")
WIDE = Guard(
    allow_http=True, networks=tuple(map(ipaddress.ip_network, ("0.0.0.0/0", "::/0"))), ports=frozenset({443, 8443})
)


def test_two_parsers_agree_with_the_client_where_every_address_leads_that_the_guard_lets_through() -> None:
    urls = [*SPELLINGS, *(shape.format(name) for name in NAMES for shape in (*SHAPES, "https://{}:8443/a?b=c"))]
    passed = [url for url in urls if url_fault(url, WIDE) is None]
    assert len(passed) > 20
    for url in passed:
        ours, theirs, yarls = place_of(url), httpx.URL(url), yarl.URL(url)
        assert _read(ours.host) == _read(theirs.raw_host.decode()) == _read(yarls.raw_host or "")
        assert ours.port == (theirs.port or (443 if ours.is_tls else 80)) == yarls.port
        assert ours.target == theirs.raw_path.decode() == yarls.raw_path_qs


def _read(host: str) -> str:
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        return host
