"""Tests of two gateways and two back offices behind the shipped files of Caddy and nginx.

All processes run with the commands of the shipped units, on one PostgreSQL.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import httpx
import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from pytest_django import DjangoDbBlocker

from deploy.child_processes import LOOPBACK_HOST, ChildProcess, find_free_ports
from deploy.demo.clients import AdminBrowser, ApiClient, DemoMismatch
from shared.core.constants import WEBHOOK_BODY_LIMIT
from shared.core.enums import OrderStatus
from shared.raffles.models import Order
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp.models import InboundMessage, UnreadableItem
from shared.whatsapp.services import security
from tests.acceptance.buyer_steps import (
    hold_numbers,
    parse_ticket_numbers,
    place_order,
    request_card,
    send_receipt,
    wait_for_message,
)
from tests.acceptance.reverse_proxy import PROXIES, ReverseProxy, Upstreams, start_proxy
from tests.acceptance.stack import (
    API_TOKEN,
    SANDBOX_OPTIONS,
    VERIFY_TOKEN,
    GatewayProcess,
    Stack,
    count_sends,
    is_everything_sent,
    run_stack,
    seed_database,
    wait_while_messages_move,
)
from tests.databases import DatabaseFactory, use_database
from tests.systemd_units import read_command
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.xdist_group("reverse-proxies")

LARGEST_PICTURE: Final = 5 * 1024 * 1024
"""Bytes of the largest file that people send to the back office."""
PASSWORD: Final = "correct-horse-battery"
GATEWAY_UNIT: Final = "raffle-gateway@.service"
BACKOFFICE_UNIT: Final = "raffle-backoffice.service"

CLIENT_ADDRESS: Final = "127.0.0.2"
FORGED_ADDRESS: Final = "203.0.113.9"
POSTS_PER_THREAD: Final = 25

_serial = count(1)


@dataclass
class Servers:
    """Two gateways and two back offices; what has ended can be started again on its port."""

    stack: Stack
    upstreams: Upstreams
    folder: Path
    running: dict[int, ChildProcess] = field(default_factory=dict)

    def start_missing(self) -> None:
        """Start what does not run, and wait until everything is ready."""
        for port in self.upstreams.gateways:
            self._start(port, GATEWAY_UNIT)
        for port in self.upstreams.backoffices:
            self._start(port, BACKOFFICE_UNIT)
        for port in self.upstreams.gateways:
            wait = read_command(GATEWAY_UNIT, key="ExecStartPost", instance=str(port))
            subprocess.run(wait, check=True, timeout=PATIENCE)
        for port, child in self.running.items():
            ready = f"http://{LOOPBACK_HOST}:{port}/readyz"
            self.stack.children.wait_until_ready(child, ready, timeout=PATIENCE)

    def kill(self, port: int) -> None:
        """Kill a server and its children in the middle of what they do."""
        child = self.running[port]
        if not child.is_running:
            return
        os.killpg(child.popen.pid, signal.SIGKILL)
        child.popen.wait()

    def _start(self, port: int, unit: str) -> None:
        if port in self.running and self.running[port].is_running:
            return
        variables = [f"BACKOFFICE_BIND={LOOPBACK_HOST}:{port}", "WEB_CONCURRENCY=1"]
        notify = [f"NOTIFY_SOCKET={self.folder}/notify"] if unit == BACKOFFICE_UNIT else []
        self.running[port] = self.stack.children.start(
            f"{unit.partition('.')[0]}-{next(_serial)}",
            *("env", *variables, *notify, sys.executable, "-m", "tests.acceptance.hardened"),
            *read_command(unit, instance=str(port)),
        )


@pytest.fixture(scope="module")
def stack(
    run_folder: Path, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Stack]:
    """Return a stack on PostgreSQL alone, of an installation that people reach over HTTPS."""
    folder = tmp_path_factory.mktemp("stack")
    with (
        django_db_blocker.unblock(),
        DatabaseFactory("postgresql", run_folder).fresh() as address,
        run_stack(
            vendor="postgresql",
            database=address,
            folder=folder,
            PUBLIC_URL="https://localhost",
            TRUSTED_PROXIES="1",
            DRAIN_SECONDS="60",
        ) as built,
    ):
        with use_database(address):
            seed_database()
            password = PBKDF2PasswordHasher().encode(PASSWORD, salt="salt", iterations=1)
            User.objects.create(
                username="olga", is_staff=True, is_superuser=True, password=password
            )
        yield built


@pytest.fixture(scope="module")
def servers(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Start two gateways and two back offices, of which systemd would hear that they started."""
    ports = find_free_ports(0, 0, 0, 0)
    built = Servers(stack, Upstreams(ports[:2], ports[2:]), tmp_path_factory.mktemp("servers"))
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(f"{built.folder}/notify")
        systemd.settimeout(PATIENCE)
        built.start_missing()
        assert systemd.recv(1_024).startswith(b"READY=1")
        yield built
    for port in built.running:
        built.kill(port)  # they would drain for a minute


@pytest.fixture(scope="module")
def proxies(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReverseProxy]:
    """Start both proxies in front of the same servers."""
    return {
        name: start_proxy(
            name,
            children=servers.stack.children,
            upstreams=servers.upstreams,
            folder=tmp_path_factory.mktemp(name),
        )
        for name in PROXIES
    }


@pytest.fixture(params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, servers: Servers, proxies: dict[str, ReverseProxy]
) -> ReverseProxy:
    """Return a proxy in front of servers that are all ready; Meta's webhooks go to it."""
    servers.start_missing()
    chosen = proxies[request.param]
    servers.stack.sandbox.settings(webhook_url=chosen.webhook)
    return chosen


def post_signed(stack: Stack, proxy: ReverseProxy, body: bytes) -> int:
    """Post a webhook with a valid signature and return the status."""
    signature = security.compute_signature(body, secret=SANDBOX_OPTIONS.app_secret)
    headers = {"X-Hub-Signature-256": f"sha256={signature}"}
    return stack.http.post(proxy.webhook, content=body, headers=headers).status_code


class TestTheNameForMeta:
    def test_passes_webhooks_byte_for_byte_and_nothing_else(
        self, stack: Stack, proxy: ReverseProxy
    ) -> None:
        start = b'{"object":\t"whatsapp_business_account", \xff\r\n%2F\\u0041\0'
        longest = (start * (WEBHOOK_BODY_LIMIT // len(start) + 1))[:WEBHOOK_BODY_LIMIT]
        paths = ("/", "/admin/", "/api/orders", "/readyz", "/healthz", "/webhooks", "/static/")
        asked = {path: stack.http.get(f"{proxy.hooks}{path}").status_code for path in paths}

        assert stack.sandbox.verify(VERIFY_TOKEN)["verified"]
        assert post_signed(stack, proxy, longest) == 200
        stack.wait_until_read()
        assert longest in [bytes(item.body) for item in UnreadableItem.objects.all()]
        assert stack.http.post(proxy.webhook, content=start).status_code == 401
        assert asked == dict.fromkeys(paths, 404)


class TestTheNameForPeople:
    def test_leads_to_a_back_office_that_sees_the_client_and_https(
        self, proxy: ReverseProxy
    ) -> None:
        AccessAttempt.objects.all().delete()
        elsewhere = httpx.HTTPTransport(verify=proxy.trust, local_address=CLIENT_ADDRESS)
        with httpx.Client(base_url=proxy.backoffice, transport=elsewhere) as http:
            page = http.get("/admin/login/")
            wrong = http.post(
                "/admin/login/",
                data={
                    "csrfmiddlewaretoken": http.cookies["csrftoken"],
                    "username": "olga",
                    "password": "a guess",
                },
                files={"picture": bytes(LARGEST_PICTURE)},
                headers={
                    "Referer": str(page.url),
                    "X-Forwarded-For": FORGED_ADDRESS,
                    "X-Forwarded-Proto": "http",
                },
            )
            webhook = http.get("/webhook")
        guessed_from = list(AccessAttempt.objects.values_list("ip_address", flat=True))
        with AdminBrowser(proxy.backoffice, verify=proxy.trust) as seller:
            seller.log_in(username="olga", password=PASSWORD)

        assert "Secure" in page.headers["set-cookie"]
        assert page.headers["strict-transport-security"] == "max-age=86400"
        assert wrong.status_code == 200
        assert guessed_from == [CLIENT_ADDRESS]
        assert webhook.status_code == 404


class TestAStoppingGateway:
    def test_is_drained_without_a_webhook_that_fails(
        self, stack: Stack, servers: Servers, proxy: ReverseProxy
    ) -> None:
        port = servers.upstreams.gateways[0]
        stopping = GatewayProcess(servers.running[port], port)
        UnreadableItem.objects.all().delete()

        with ThreadPoolExecutor(max_workers=4) as posting:
            before = posting.map(lambda _: post_many(stack, proxy), range(2))
            stopping.child.popen.terminate()
            wait_until(lambda: is_draining_seen(port, proxy))
            during = posting.map(lambda _: post_many(stack, proxy), range(2))
            assert stopping.stop_gracefully()
            after = posting.map(lambda _: post_many(stack, proxy), range(2))
            statuses = [status for run in (*before, *during, *after) for status in run]

        assert statuses == [200] * POSTS_PER_THREAD * 6
        stack.wait_until_read()
        assert UnreadableItem.objects.count() == len(statuses)


class TestAPurchase:
    def test_passes_while_a_gateway_and_a_back_office_are_killed(
        self, stack: Stack, servers: Servers, proxy: ReverseProxy
    ) -> None:
        victim = PROXIES.index(proxy.name)  # each proxy loses another pair
        buyer = stack.buyer()
        request_card(buyer)
        wait_while_messages_move(lambda: is_everything_sent(buyer))

        servers.kill(servers.upstreams.gateways[victim])
        held = hold_numbers(buyer)
        code = place_order(buyer)
        send_receipt(buyer)
        with ApiClient(proxy.backoffice, token=API_TOKEN, verify=proxy.trust) as seller:
            order = seller.wait_for_kept_proof(code)
            servers.kill(servers.upstreams.backoffices[victim])
            wait_until(lambda: is_confirmed(seller, order))
        paid = parse_ticket_numbers(wait_for_message(buyer, "Paid"))
        stack.wait_until_settled()

        assert paid == held
        assert Order.objects.get(code=code).status == OrderStatus.PAID
        assert inventory.find_inventory_problems() == []
        assert InboundMessage.objects.filter(contact__wa_id=buyer.wa_id).count() == 4
        assert set(count_sends(stack, buyer).values()) == {1}
        assert stack.sandbox.list_refused_requests() == []


def post_many(stack: Stack, proxy: ReverseProxy) -> list[int]:
    """Post different webhooks that need no answer, and return the statuses."""
    bodies = [f"not JSON {next(_serial)}".encode() for _ in range(POSTS_PER_THREAD)]
    return [post_signed(stack, proxy, body) for body in bodies]


def is_draining_seen(port: int, proxy: ReverseProxy) -> bool:
    """Return whether a gateway is not ready and a proxy that asks for it knows."""
    ready = httpx.get(f"http://{LOOPBACK_HOST}:{port}/readyz", trust_env=False)
    if proxy.name == "nginx":
        return ready.status_code == 503
    lines = proxy.child.log.read_text().splitlines()
    return any('status_code":503' in line and f":{port}" in line for line in lines)


def is_confirmed(seller: ApiClient, order: dict[str, object]) -> bool:
    """Confirm a payment and return whether the back office answered."""
    try:
        seller.confirm_payment(order)
    except DemoMismatch as mismatch:
        if "PAID" in str(mismatch):
            raise
        return False
    return True
