"""Tests of Caddy with the file of compose.yaml: which of the two addresses leads where."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import httpx
import pytest

from deploy.child_processes import LOOPBACK_HOST, ChildProcesses, find_free_ports
from tests.conftest import skip_or_fail
from tests.containers import files
from tests.waiting import PATIENCE

NO_ADMIN: Final = "{\n\tadmin off\n}\n"
"""Options without Caddy's own port, which is the same for every Caddy of a machine."""


@contextmanager
def run_upstream(name: str) -> Iterator[int]:
    """Run a server that describes each request with JSON, and yield its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            described = {
                "server": name,
                "path": self.path,
                "sha256": hashlib.sha256(body).hexdigest(),
                "headers": {key.lower(): value for key, value in self.headers.items()},
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(described).encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer((LOOPBACK_HOST, 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Proxy:
    """A running Caddy: the address for Meta and that for people and programs."""

    webhook: str
    public: str


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run Caddy in front of a gateway and a back office that describe what they get."""
    caddy = shutil.which("caddy")
    if caddy is None:
        skip_or_fail("caddy is not installed")
    folder = tmp_path_factory.mktemp("caddy")
    webhook, public = (f"http://{LOOPBACK_HOST}:{port}" for port in find_free_ports(0, 0))
    with ExitStack() as stack:
        gateway = stack.enter_context(run_upstream("gateway"))
        backoffice = stack.enter_context(run_upstream("backoffice"))
        text = NO_ADMIN + (files.DEPLOY / "caddy/compose.Caddyfile").read_text()
        for service, there in (("gateway 8080", gateway), ("backoffice 8000", backoffice)):
            assert f"dynamic a {service}" in text
            text = text.replace(f"dynamic a {service}", f"dynamic a {LOOPBACK_HOST} {there}")
        (folder / "Caddyfile").write_text(text)
        environment = {
            "PATH": os.environ["PATH"],
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "WEBHOOK_URL": webhook,
            "PUBLIC_URL": public,
        }
        children = stack.enter_context(ChildProcesses(environment=environment, logs=folder))
        options = ("--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))
        child = children.start("caddy", str(caddy), "run", *options)
        children.wait_until_ready(child, f"{public}/readyz", timeout=PATIENCE)
        yield Proxy(webhook=webhook, public=public)


def test_metas_address_leads_to_the_webhook_alone_byte_for_byte(proxy: Proxy) -> None:
    body = os.urandom(3 * 1024 * 1024)
    signature = {"X-Hub-Signature-256": "sha256=0"}

    seen: dict[str, Any] = httpx.post(
        f"{proxy.webhook}/webhook?hub=1", content=body, headers=signature
    ).json()

    assert (seen["server"], seen["path"]) == ("gateway", "/webhook?hub=1")
    assert seen["sha256"] == hashlib.sha256(body).hexdigest()
    assert seen["headers"]["x-hub-signature-256"] == "sha256=0"
    for path in ("/", "/webhooks", "/readyz", "/admin/", "/api/orders", "/webhook/../admin/"):
        assert httpx.get(proxy.webhook + path).status_code == 404, path


def test_the_other_address_leads_to_the_back_office_with_the_real_client(proxy: Proxy) -> None:
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}

    for path in ("/admin/", "/api/orders", "/webhook"):
        seen: dict[str, Any] = httpx.get(proxy.public + path, headers=forged).json()

        assert (seen["server"], seen["path"]) == ("backoffice", path)
        assert seen["headers"]["x-forwarded-for"] == LOOPBACK_HOST, "TRUSTED_PROXIES=1 holds"
        assert seen["headers"]["x-forwarded-proto"] == "http"
        assert seen["headers"]["host"] == proxy.public.removeprefix("http://")
    too_much = httpx.post(f"{proxy.public}/api/orders", content=b"x" * (17 * 1024 * 1024))
    assert too_much.status_code in {413, 502}
