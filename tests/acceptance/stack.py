"""The processes of an acceptance test: database, gateways, back office, sandbox of Meta's API."""

import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.child_processes import (
    LOOPBACK_HOST,
    ChildProcess,
    ChildProcesses,
    find_free_ports,
    run_command,
)
from deploy.demo.environment import build_child_environment
from deploy.sandbox.client import BuyerClient, NothingSeen, SandboxClient
from deploy.sandbox.in_process import run_sandbox
from deploy.sandbox.options import SandboxOptions
from shared.core.config import PROJECT_ROOT
from shared.core.enums import OutboxStatus, Scope
from shared.whatsapp.models import (
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    ReceivedWebhook,
)
from shared.whatsapp.services import security
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders
from tests.builders import PHONE_NUMBER_ID
from tests.waiting import PATIENCE, wait_until

SETTLE_POLL: Final = 5.0
"""Seconds that one request waits for the sandbox to have nothing left to deliver."""

API_TOKEN: Final = "rtb_" + "acceptance" * 4
"""Token of the API in every stack."""

SANDBOX_OPTIONS: Final = SandboxOptions(
    app_secret="acceptance_app_secret", access_token="acceptance_token"
)
VERIFY_TOKEN: Final = "acceptance_verify_token"
GUNICORN_OPTIONS: Final = (
    *("--config", str(PROJECT_ROOT / "deploy/gunicorn.conf.py")),
    *("--workers", "1"),
)

_phone_serial = count(1)


@dataclass(frozen=True)
class GatewayProcess:
    """A gateway process that runs or has ended."""

    child: ChildProcess
    port: int

    @property
    def webhook(self) -> str:
        """Return the URL of the webhook."""
        return f"http://{LOOPBACK_HOST}:{self.port}/webhook"

    def stop_gracefully(self) -> bool:
        """Stop the gateway with SIGTERM and return whether it shut down gracefully.

        After a graceful shutdown uvicorn ends with the signal that it received.
        """
        self.child.popen.terminate()
        code = self.child.popen.wait(timeout=PATIENCE)
        said = self.child.log.read_text(errors="replace")
        return code in {0, -signal.SIGTERM} and said.rstrip().count("gateway_stopped") == 1


@dataclass
class Stack:
    """All processes that share one database.

    Attributes:
        database: URL of the database.
        folder: folder of logs and files.
        sandbox: sandbox of Meta's API.
        http: client that posts webhooks.
        environment: complete environment of the processes.

    """

    vendor: str
    database: str
    folder: Path
    sandbox: SandboxClient
    children: ChildProcesses
    http: httpx.Client
    environment: Mapping[str, str]
    gateways: list[GatewayProcess] = field(default_factory=list)

    @property
    def gateway(self) -> GatewayProcess:
        """Return the newest gateway."""
        return self.gateways[-1]

    def start_gateway_and_wait(
        self, *, app: str = "gateway.asgi:app", port: int = 0, **variables: str
    ) -> GatewayProcess:
        """Start a gateway, wait until it is ready and send Meta's webhooks to it.

        Args:
            app: import path of the ASGI application.
            port: port to listen on, 0 for a free one.
            variables: additional environment variables.

        """
        gateway = self.start_gateway(app=app, port=port, **variables)
        self.wait_until_ready(gateway)
        return gateway

    def start_gateway(
        self, *, app: str = "gateway.asgi:app", port: int = 0, **variables: str
    ) -> GatewayProcess:
        """Start a gateway without waiting for it."""
        port = port or find_free_ports(0)[0]
        changed = [f"{name}={value}" for name, value in variables.items()]
        server = [
            "env",
            *changed,
            sys.executable,
            "-m",
            "uvicorn",
            app,
            "--http",
            "gateway.http_limits:LimitedProtocol",
            "--host",
            LOOPBACK_HOST,
            "--port",
            str(port),
        ]
        gateway = GatewayProcess(
            self.children.start(f"gateway-{len(self.gateways)}", *server), port
        )
        self.gateways.append(gateway)
        return gateway

    def wait_until_ready(self, gateway: GatewayProcess) -> None:
        """Wait until a gateway is ready and send Meta's webhooks to it."""
        ready = f"http://{LOOPBACK_HOST}:{gateway.port}/readyz"
        self.children.wait_until_ready(gateway.child, ready, timeout=PATIENCE)
        self.sandbox.settings(webhook_url=gateway.webhook)

    def start_backoffice(self, **variables: str) -> str:
        """Start the back office, with additional environment variables, and return its URL."""
        [port] = find_free_ports(0)
        address = f"http://{LOOPBACK_HOST}:{port}"
        changed = [f"{name}={value}" for name, value in variables.items()]
        server = ["env", *changed, sys.executable, "-m", "gunicorn", "backoffice.wsgi"]
        bind = ["--bind", f"{LOOPBACK_HOST}:{port}"]
        child = self.children.start("backoffice", *server, *GUNICORN_OPTIONS, *bind)
        self.children.wait_until_ready(child, f"{address}/readyz", timeout=PATIENCE)
        return address

    def run_manage(self, *arguments: str, **variables: str) -> str:
        """Run a management command to its end and return what it printed.

        Raises:
            CommandFailed: it refused; the message has its words.

        """
        command = [sys.executable, "-m", "backoffice.manage", *arguments]
        return run_command(command, environment={**self.environment, **variables}, timeout=PATIENCE)

    def start_manage(self, *arguments: str, **variables: str) -> ChildProcess:
        """Start a management command without waiting for it."""
        changed = [f"{name}={value}" for name, value in variables.items()]
        command = ["env", *changed, sys.executable, "-m", "backoffice.manage", *arguments]
        return self.children.start(arguments[0], *command)

    def buyer(self, **about: Any) -> BuyerClient:
        """Return a buyer who has not written before."""
        serial = next(_phone_serial)
        return self.sandbox.buyer(f"1555010{serial:04d}", name=f"Buyer {serial}", **about)

    def post_webhook(
        self, body: bytes, *, at: GatewayProcess | None = None, header: str | None = None
    ) -> int:
        """Post a webhook and return the status.

        It has a valid signature, or `header` instead.
        """
        signature = f"sha256={security.compute_signature(body, secret=SANDBOX_OPTIONS.app_secret)}"
        headers = {"X-Hub-Signature-256": signature if header is None else header}
        address = (at or self.gateway).webhook
        return self.http.post(address, content=body, headers=headers).status_code

    def wait_until_read(self) -> None:
        """Wait until the gateways have read every webhook that they have acknowledged."""
        wait_while_messages_move(lambda: not ReceivedWebhook.objects.exists())

    def wait_until_settled(self) -> None:
        """Wait until the gateway has received and processed everything from the sandbox."""
        wait_while_messages_move(self._has_settled)
        self.wait_until_read()
        wait_while_messages_move(
            lambda: not DeliveryStatus.objects.filter(applied_at=None).exists()
        )

    def _has_settled(self) -> bool:
        try:
            self.sandbox.wait_until_idle(timeout=SETTLE_POLL)
        except NothingSeen:
            return False
        return True

    def expire_leases(self) -> None:
        """Settle sends without an answer, as if minutes had passed.

        Nothing may be in progress: a message that is being sent would also count as lost.
        """
        now = datetime.now(UTC)
        outbox_queue.settle_abandoned_sends(now=now + timedelta(minutes=3))  # leases expire
        outbox_queue.settle_abandoned_sends(now=now + timedelta(minutes=6))  # and no status arrived

    def is_quiet(self) -> bool:
        """Return whether no message waits to be sent."""
        return not OutboundMessage.objects.filter(status__in=OutboundMessage.UNSENT).exists()

    def logs(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the end of the newest logs."""
        written = sorted((self.folder / "logs").glob("*.log"), key=lambda log: log.stat().st_mtime)
        for log in written[-4:]:
            yield log.stem, log.read_text(errors="replace")[-4_000:]


@contextmanager
def run_stack(*, vendor: str, database: str, folder: Path, **variables: str) -> Iterator[Stack]:
    """Start a stack without gateways, and stop all its processes at the end.

    Args:
        vendor: `sqlite` or `postgresql`.
        database: URL of the database.
        folder: folder of logs and files.
        variables: environment variables that replace those of every stack.

    """
    nowhere = f"http://{LOOPBACK_HOST}:1/webhook"
    with run_sandbox(webhook_url=nowhere, options=SANDBOX_OPTIONS, retry_delays=(0.2,)) as sandbox:
        environment = build_child_environment(
            _build_variables(sandbox, database=database, folder=folder) | variables
        )
        with (
            ChildProcesses(environment=environment, logs=folder / "logs") as children,
            httpx.Client(trust_env=False, timeout=PATIENCE) as http,
        ):
            yield Stack(vendor, database, folder, sandbox, children, http, environment)


def seed_database() -> None:
    """Create an open raffle and an API token."""
    from backoffice.api import tokens
    from backoffice.api.models import ApiToken

    builders.create_raffle(
        numbers=1_000, first_number=0, draw_at=datetime.now(UTC) + timedelta(days=20)
    )
    ApiToken.objects.create(
        name="program",
        digest=tokens.hash_token(API_TOKEN),
        scope=Scope.ADMIN,
        created_at=datetime.now(UTC),
    )


def _build_variables(sandbox: SandboxClient, *, database: str, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database,
        "DJANGO_SECRET_KEY": "only-for-tests-" + "x" * 40,
        "DJANGO_DEBUG": "false",
        "PUBLIC_URL": f"http://{LOOPBACK_HOST}:8000",
        "META_APP_SECRET": SANDBOX_OPTIONS.app_secret,
        "META_VERIFY_TOKEN": VERIFY_TOKEN,
        "META_ACCESS_TOKEN": SANDBOX_OPTIONS.access_token,
        "META_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
        "META_WABA_ID": SANDBOX_OPTIONS.waba_id,
        "META_GRAPH_URL": sandbox.url,
        "META_GRAPH_VERSION": "v26.0",
        "MEDIA_ROOT": str(folder / "media"),
        "DRAIN_SECONDS": "0",
        "SENDS_PER_SECOND": "80",
        "EVENTS_ALLOW_PRIVATE": "true",
        "LOG_FORMAT": "console",
        "LOG_LEVEL": "INFO",
        "ACCEPTANCE_FOLDER": str(folder),
    }


def wait_while_messages_move(condition: Callable[[], Any]) -> Any:
    """Wait until `condition` is true and return its result.

    Raises:
        AssertionError: no message has changed its status for `PATIENCE` seconds.

    """
    return wait_until(condition, progress=count_messages)


def count_messages() -> list[Counter[str]]:
    """Count unread webhooks, messages by status, and the statuses not yet applied."""
    return [
        Counter(unread=ReceivedWebhook.objects.count()),
        Counter(InboundMessage.objects.values_list("status", flat=True)),
        Counter(OutboundMessage.objects.values_list("status", flat=True)),
        Counter(pending=DeliveryStatus.objects.filter(applied_at=None).count()),
    ]


def count_sends(stack: Stack, buyer: BuyerClient) -> Counter[str]:
    """Count how often Meta accepted each message to a buyer, by callback data."""
    sent = stack.sandbox.outgoing(to=buyer.wa_id)
    return Counter(message["body"]["biz_opaque_callback_data"] for message in sent)


def load_messages_to(buyer: BuyerClient) -> list[OutboundMessage]:
    """Return the outbound messages to a buyer from the database."""
    return list(OutboundMessage.objects.filter(contact__wa_id=buyer.wa_id).order_by("pk"))


def is_everything_sent(buyer: BuyerClient) -> bool:
    """Return whether every message to a buyer has been sent."""
    return all(message.status == OutboxStatus.SENT for message in load_messages_to(buyer))
