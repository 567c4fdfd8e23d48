"""Tests of the client IP address of a request, without and with proxies."""

import pytest
from django.test import RequestFactory

from backoffice import client_ip


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "found"),
    [
        (0, "198.51.100.9", "192.0.2.1", "192.0.2.1"),  # any client can send the header
        (1, "198.51.100.9", "127.0.0.1", "198.51.100.9"),
        (1, "10.9.9.9, 198.51.100.9", "127.0.0.1", "198.51.100.9"),  # the first part is forged
        (2, "10.9.9.9, 198.51.100.9, 203.0.113.4", "127.0.0.1", "198.51.100.9"),
        (2, "198.51.100.9", "127.0.0.1", "127.0.0.1"),  # the request bypassed a proxy
        (1, "nonsense", "127.0.0.1", "127.0.0.1"),
        (1, "", "127.0.0.1", "127.0.0.1"),
        (0, "", "", None),  # a Unix socket
        (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),  # a client has its whole /64 network
    ],
)
def test_only_what_our_own_proxies_say_is_believed(
    proxies: int, forwarded: str, remote: str, found: str | None
) -> None:
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=forwarded, REMOTE_ADDR=remote)

    assert client_ip.find_client_ip(request, proxies=proxies) == found
