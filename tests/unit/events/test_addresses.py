"""Tests that events go to public addresses only, however a private one is written."""

from ipaddress import ip_address

import pytest

from shared.events import addresses
from shared.events.errors import AddressMalformed, AddressPrivate, AddressRefused
from tests.cases import walk_cases


@walk_cases(
    "ip",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",  # carrier-grade NAT (CGNAT); Alibaba's metadata service
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # Azure's internal address
        "169.254.169.254",  # metadata service of cloud providers
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",  # Oracle's metadata service
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "100::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:808:808::1",
        "fc00::1",
        "fd00:ec2::254",  # Amazon's metadata service
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_refuses(ip: str) -> None:
    assert addresses.is_blocked_ip(ip_address(ip))


@pytest.mark.parametrize(
    "ip",
    ["8.8.8.8", "93.184.216.34", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::1111"],
)
def test_takes(ip: str) -> None:
    assert not addresses.is_blocked_ip(ip_address(ip))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "n8n.example/webhook",
        "ftp://n8n.example/",
        "file:///etc/passwd",
        "https://",
        "https:///webhook",
        "https://user:secret@n8n.example/",
        "https://user@n8n.example/",
        "https://n8n.example:0/",
        "https://n8n.example:99999/",
        "https://n8n.example:port/",
        "https://[::1/",
        "https://n8n.example/a b",
        "https://n8n.example/\r\nX-Header: 1",
        "https://n8n.example\\@127.0.0.1/",
        "https://n8n.example/" + "x" * 500,
    ],
)
def test_does_not_take_for_an_address(url: str) -> None:
    with pytest.raises(AddressMalformed):
        addresses.check_address(url, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:5678/webhook/raffle",
        "http://LOCALHOST./",
        "http://n8n.localhost/",
        "http://n8n:5678/webhook/raffle",
        "http://2130706433/",
        "http://printer.local/",
        "http://metadata.google.internal/",
        "http://127.0.0.1/",
        "http://[::1]:5678/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_takes_a_private_address_only_where_that_is_allowed(url: str) -> None:
    addresses.check_address(url, allow_private=True)

    with pytest.raises(AddressPrivate) as refused:
        addresses.check_address(url, allow_private=False)
    assert isinstance(refused.value, AddressRefused)


def test_takes_a_public_address() -> None:
    addresses.check_address("https://n8n.example:8443/webhook/raffle?x=1", allow_private=False)
