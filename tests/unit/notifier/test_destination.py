"""The guard against requests to our own insides: spellings, addresses, and what a deployment may allow."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.destination import Guard, address_fault, is_listed, url_fault

STRICT = Guard()
LOOPBACK = Guard(
    allow_http=True,
    networks=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
    ports=frozenset({443, 8443}),
)


def words(table: str) -> list[str]:
    """The entries of a table."""
    return table.split()


@pytest.mark.parametrize(
    ("url", "hosts", "listed"),
    [
        ("https://hooks.gmc.example/a", {"hooks.gmc.example"}, True),
        ("https://hooks.gmc.example:8443/a?b", {"hooks.gmc.example"}, True),
        ("https://hooks.gmc.example/", {"*.gmc.example"}, True),
        ("https://a.b.gmc.example/", {"*.gmc.example"}, True),
        ("https://gmc.example/", {"*.gmc.example"}, False),
        ("https://gmc.example/", {"*.example"}, True),
        ("https://evilgmc.example/", {"*.gmc.example", "gmc.example"}, False),
        ("https://gmc.example.evil.test/", {"*.gmc.example", "gmc.example"}, False),
        ("https://evil.test/gmc.example", {"gmc.example"}, False),
        ("https://gmc.example/", set(), False),
        ("https://gmc.example/", {"*"}, True),
    ],
)
def test_a_host_is_listed_whole_or_by_what_stands_above_it(url: str, hosts: set[str], listed: bool) -> None:
    assert is_listed(url, hosts) is listed


REFUSED_ADDRESSES = words("""
0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.64.0.1 100.100.100.200 100.127.255.255
127.0.0.0 127.0.0.1 127.0.0.53 127.1.2.3 127.255.255.255 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2
172.16.0.0 172.16.0.1 172.20.10.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.9 192.0.0.170 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.0.0 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 224.0.0.251 239.255.255.255 240.0.0.1 250.1.2.3 255.255.255.254 255.255.255.255 :: ::1 ::2
::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:0.0.0.0 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:192.168.1.1 ::ffff:100.100.100.200 ::ffff:7f00:1 0:0:0:0:0:ffff:7f00:1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1
64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b::192.168.0.1 64:ff9b::7f00:1 64:ff9b:1:: 64:ff9b:1::1 64:ff9b:1:7f00:1::
100::1 100:0:0:1::1 2001::1 2001:0:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1
2001:1::1 2001:4:112::1 2001:db8::1 2001:db8:ffff::1 2002:7f00:1::1 2002:a00:1:: 2002:c0a8:1::1 2002:a9fe:a9fe::
2002:808:808::1 2620:4f:8000::1 3ffe::1 3fff::1 3fff:fff::1 4000::1 5f00::1 6000::1 8000::1 a000::1 c000::1 e000::1
2606:4700::5efe:127.0.0.1 2606:4700::5efe:a00:1 2a00:1450:4009:0:200:5efe:169.254.169.254 fe80::5efe:8.8.8.8
f000::1 fc00::1 fd00::1 fd00:ec2::254 fdff:ffff::1 fe00::1 fe80::1 fe80::a9fe:a9fe fe80::1%eth0 febf::1 fec0::1
feff::1 ff00::1 ff01::1 ff02::1 ff02::2 ff05::1:3 ff0e::1 localhost 127.1 0x7f000001 2130706433
""")
PUBLIC_ADDRESSES = words("""
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 151.101.1.1 169.253.1.1
172.15.255.255 172.32.0.1 192.0.1.1 192.167.1.1 192.169.1.1 198.17.1.1 198.20.0.1 223.255.255.255 2600::1
2606:4700:4700::1111 2a00:1450:4009::1 2001:4860:4860::8888 2606:4700::5efe:8.8.8.8 64:ff9b::8.8.8.8 ::ffff:8.8.8.8
""")
REFUSED_URLS = words("""
http://regulator.example/hooks ftp://regulator.example/ file:///etc/passwd gopher://regulator.example/
regulator.example //regulator.example/ https:// https:/regulator.example https:regulator.example https://127.0.0.1/
https://2130706433/ https://0x7f000001/ https://0x7f.1/ https://0177.0.0.1/ https://127.1/ https://0/
https://127.0.0.1./ https://[::1]/ https://[::ffff:127.0.0.1]/ https://[fe80::1%25eth0]/ https://[::1 https://8.8.8.8/
https://[2606:4700:4700::1111]/ https://localhost/ https://metadata/ https://regulator.example./
https://regulator..example/ https://-a.example/ https://a-.example/ https://.example/ https://regulator.example:8443/
https://regulator.example:22/ https://regulator.example:80/ https://regulator.example:99999/
https://regulator.example:x/ https://u@regulator.example/ https://u:p@regulator.example/ https://@regulator.example/
https://regulator.example@127.0.0.1/ https://a.example#b https://127.0.0.1#@regulator.example/
https://127.0.0.1\\@regulator.example/ https://regulator.example\\@127.0.0.1/ https://①②⑦.⓪.⓪.①/
https://ⓛocalhost.example/ https://regulat\u043er.example/ https://REGULATOR.example/ https://reg_ulator.example/
https://1.2.3.4.5/ https://a.0x7f/ https://a.1/ https://regulator.example%2f@127.0.0.1/ https://127.0.0.1%20/
https://regulator.example/?access_token=a https://regulator.example/?a=b&Access_Token=a
https://regulator.example/?access_token https://regulator.example/?%61ccess_token=a
https://[127.0.0.1]/ https://[::]/ https://%31%32%37.0.0.1/ https://127。0。0。1/
""")


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_no_connection_goes_to(address: str) -> None:
    assert address_fault(address, STRICT) is not None


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_connection_may_go_to(address: str) -> None:
    assert address_fault(address, STRICT) is None


def test_the_tables_hold_a_hundred_refusals_and_more() -> None:
    assert len(set(REFUSED_ADDRESSES)) > 100
    assert len(set(REFUSED_URLS)) > 50


@pytest.mark.parametrize("url", [*REFUSED_URLS, "https://a.example/ b", "https://a.example/\n", " https://a.example/"])
def test_no_endpoint_is_registered_at(url: str) -> None:
    assert url_fault(url, STRICT) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://regulator.example/hooks/gmc?x=1",
        "HTTPS://regulator.example:443/",
        "https://xn--regulatr-d1a.example/",
        "https://a.b.c.d.example",
        "https://1a.example/",
    ],
)
def test_an_endpoint_may_be_registered_at(url: str) -> None:
    assert url_fault(url, STRICT) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8500/hooks/gmc", "http://[::1]:9/", "https://127.0.0.2:8443/"])
def test_a_deployment_may_allow_its_inner_networks(url: str) -> None:
    assert url_fault(url, LOOPBACK) is None
    assert url_fault(url, STRICT) is not None


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/", "https://127.1/", "http://[::2]/", "https://regulator.example:22/", "https://127.0.0.1:22/"],
)
def test_what_lies_outside_the_allowed_networks_and_ports_stays_refused(url: str) -> None:
    assert url_fault(url, LOOPBACK) is not None


def test_an_allowed_network_is_reached_by_its_mapped_form_and_by_no_tunnel() -> None:
    assert address_fault("::ffff:127.0.0.1", LOOPBACK) is None
    assert address_fault("2002:7f00:1::1", LOOPBACK) is not None
    assert address_fault("::127.0.0.1", LOOPBACK) is not None


@given(st.ip_addresses(v=4))
def test_every_spelling_of_a_refused_ipv4_inside_ipv6_is_refused(address: ipaddress.IPv4Address) -> None:
    if address_fault(str(address), STRICT):
        for inside in (f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"):
            assert address_fault(inside, STRICT) is not None


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_let_through(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_multicast or address.is_loopback or address.is_reserved:
        in_nat64 = address in ipaddress.ip_network("64:ff9b::/96")
        mapped = getattr(address, "ipv4_mapped", None)
        assert in_nat64 or mapped or address_fault(str(address), STRICT) is not None


@given(st.text(max_size=60))
def test_no_text_makes_the_guard_fall_over(text: str) -> None:
    for url in (text, f"https://{text}", f"https://regulator.example:{text}/"):
        url_fault(url, STRICT)
    address_fault(text, STRICT)
