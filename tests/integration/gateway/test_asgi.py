"""Tests of `uvicorn gateway.asgi:app` as a process: start, stop and no losses when killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connection

from shared.whatsapp.models import InboundMessage
from tests.integration.gateway import sample_data
from tests.integration.gateway.fake_meta import build_text_webhook, post_webhook
from tests.postgres_server import POSTGRES_URL
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[3]

COMPLETE = {
    "DJANGO_SECRET_KEY": "only-for-tests-" + "x" * 40,
    "META_APP_SECRET": "test_app_secret",
    "META_VERIFY_TOKEN": "test_verify_token",
    "META_ACCESS_TOKEN": "test_access_token",
    "META_PHONE_NUMBER_ID": "106540352242922",
    "META_GRAPH_URL": "http://127.0.0.1:1",
    "DRAIN_SECONDS": "0",
    "LOG_FORMAT": "json",
}


def build_environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return an environment with these settings and none of the caller's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


def build_command(port: int) -> list[str]:
    """Return the command that a seller's server runs."""
    limits = ["--http", "gateway.http_limits:LimitedProtocol"]
    return [sys.executable, "-m", "uvicorn", "gateway.asgi:app", *limits, "--port", str(port)]


@contextmanager
def run_uvicorn(folder: Path, **settings: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run the real process on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        build_command(port),
        cwd=folder,
        env=build_environment(folder, **COMPLETE | settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


def wait_for_answer(url: str) -> httpx.Response:
    """Repeat a request until the server answers."""
    with httpx.Client(timeout=PATIENCE) as client:  # a single one: each reads certificates

        def ask() -> httpx.Response | None:
            try:
                return client.get(url)
            except httpx.TransportError:
                return None

        answer = wait_until(ask)
    assert answer is not None
    return answer


@pytest.mark.django_db(transaction=True)
class TestProcess:
    @pytest.mark.same_everywhere
    def test_it_serves_drains_and_stops_when_told_again(self, tmp_path: Path, vendor: str) -> None:
        address = build_database_url(vendor)
        with run_uvicorn(tmp_path, DATABASE_URL=address, DRAIN_SECONDS="60") as (url, process):
            ready = wait_for_answer(f"{url}/readyz")
            refused = httpx.get(f"{url}/webhook?hub.verify_token=secret-word")
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: httpx.get(f"{url}/readyz").status_code == 503)
            draining, alive = httpx.get(f"{url}/readyz"), httpx.get(f"{url}/healthz")
            taken = asyncio.run(post_one(url))
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=PATIENCE)

        assert (ready.status_code, ready.json()["reasons"]) == (200, [])
        assert refused.status_code == 403
        assert draining.json()["reasons"] == ["The gateway is about to stop."]
        assert (alive.status_code, taken.status_code) == (200, 200)
        sample_data.read_webhooks()
        assert InboundMessage.objects.count() == 1
        assert "secret-word" not in log
        steps = ("gateway_started", "gateway_drains", "gateway_stopped")
        assert [log.count(step) for step in steps] == [1, 1, 1]
        assert "Traceback" not in log
        assert all(line.startswith("{") for line in log.splitlines())

    def test_it_starts_without_its_database_and_says_so(self, tmp_path: Path, vendor: str) -> None:
        nowhere = {
            "sqlite": f"sqlite:///{tmp_path}/no/such/folder/x.sqlite3",
            "postgresql": "postgres://nobody:secret-word@127.0.0.1:1/nothing",
        }
        with run_uvicorn(tmp_path, DATABASE_URL=nowhere[vendor]) as (url, process):
            alive = wait_for_answer(f"{url}/healthz")
            ready = wait_for_answer(f"{url}/readyz")
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=PATIENCE)

        assert (alive.status_code, ready.status_code) == (200, 503)
        assert "secret-word" not in log


@pytest.mark.django_db(transaction=True)
class TestCrash:
    def test_whatever_was_acknowledged_outlives_a_kill(self, tmp_path: Path, vendor: str) -> None:
        with run_uvicorn(tmp_path, DATABASE_URL=build_database_url(vendor)) as (url, process):
            wait_for_answer(f"{url}/readyz")
            acknowledged = asyncio.run(post_until_killed(url, process))

        sample_data.read_webhooks()
        stored = set(InboundMessage.objects.values_list("wa_message_id", flat=True))
        assert len(acknowledged) >= 50
        assert acknowledged <= stored


async def post_until_killed(url: str, process: "subprocess.Popen[str]") -> set[str]:
    """Post on many connections, kill the process meanwhile and return the acknowledged ids."""
    acknowledged: set[str] = set()

    async def one_sender(client: httpx.AsyncClient, number: int) -> None:
        for serial in range(10_000):
            sender = f"1555011{number:04}"
            try:
                answer = await post_webhook(
                    client, build_text_webhook("hi", sender=sender, serial=serial)
                )
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.add(f"wamid.{sender}.{serial}")
            if len(acknowledged) >= 50:
                process.kill()

    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        await asyncio.gather(*(one_sender(client, number) for number in range(16)))
    return acknowledged


async def post_one(url: str) -> httpx.Response:
    """Post one webhook and return the answer."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        return await post_webhook(client, build_text_webhook("hi"))


def build_database_url(vendor: str) -> str:
    """Return the URL of the test's own database."""
    name = connection.settings_dict["NAME"]
    if vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ[POSTGRES_URL])._replace(path=f"/{name}").geturl()
