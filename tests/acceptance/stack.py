"""A house to test in: a database, gateways and back office as processes, Meta played over HTTP."""

import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.child_processes import LOOPBACK_HOST, ChildProcess, ChildProcesses, find_free_ports
from deploy.demo.environment import build_child_environment
from deploy.sandbox.client import BuyerClient, NothingSeen, SandboxClient
from deploy.sandbox.in_process import run_sandbox as stand_in
from deploy.sandbox.options import SandboxOptions
from shared.core.enums import OutboxStatus, Scope
from shared.whatsapp.models import DeliveryStatus, InboundMessage, OutboundMessage
from shared.whatsapp.services import security
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders
from tests.builders import PHONE_NUMBER_ID
from tests.waiting import PATIENCE, wait_until

SETTLE_POLL: Final = 5.0
"""Seconds of one question whether Meta has nothing more to say."""

API_TOKEN: Final = "rtb_" + "acceptance" * 4
"""Opens the API of every house."""

SANDBOX_OPTIONS: Final = SandboxOptions(
    app_secret="acceptance_app_secret", access_token="acceptance_token"
)
VERIFY_TOKEN: Final = "acceptance_verify_token"

_phone_serial = count(1)


@dataclass(frozen=True)
class GatewayProcess:
    """A gateway that runs, or ran."""

    child: ChildProcess
    port: int

    @property
    def webhook(self) -> str:
        """Where Meta knocks."""
        return f"http://{LOOPBACK_HOST}:{self.port}/webhook"

    def ends(self) -> bool:
        """Ask it to end, wait, and say whether it finished what it had begun.

        uvicorn, when all is done, dies of the signal it was asked with, as if it had no handler.
        """
        self.child.popen.terminate()
        code = self.child.popen.wait(timeout=PATIENCE)
        said = self.child.log.read_text(errors="replace")
        return code in {0, -signal.SIGTERM} and said.rstrip().count("gateway_stopped") == 1


@dataclass
class Stack:
    """Everything that runs around one database.

    Attributes:
        database: its address.
        folder: where logs and files are.
        meta: the stand-in for Meta.

    """

    vendor: str
    database: str
    folder: Path
    meta: SandboxClient
    children: ChildProcesses
    knocking: httpx.Client
    gateways: list[GatewayProcess] = field(default_factory=list)

    @property
    def gateway(self) -> GatewayProcess:
        """The gateway that Meta knocks at."""
        return self.gateways[-1]

    def opens(
        self, *, app: str = "gateway.asgi:app", port: int = 0, **variables: str
    ) -> GatewayProcess:
        """Start a gateway, wait until it is ready and let Meta knock there.

        Args:
            app: where its application is.
            port: one that another had before, so that Meta finds it in the same place.
            variables: what its environment has beside the house's.

        """
        gateway = self.starts(app=app, port=port, **variables)
        self.awaits(gateway)
        return gateway

    def starts(
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

    def awaits(self, gateway: GatewayProcess) -> None:
        """Wait until a gateway is ready and let Meta knock there."""
        ready = f"http://{LOOPBACK_HOST}:{gateway.port}/readyz"
        self.children.wait_until_ready(gateway.child, ready, timeout=PATIENCE)
        self.meta.settings(webhook_url=gateway.webhook)

    def opens_backoffice(self) -> str:
        """Start the back office and give its address."""
        [port] = find_free_ports(0)
        address = f"http://{LOOPBACK_HOST}:{port}"
        server = [sys.executable, "-m", "gunicorn", "backoffice.wsgi:application"]
        threads = ["--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
        child = self.children.start(
            "backoffice", *server, "--bind", f"{LOOPBACK_HOST}:{port}", *threads
        )
        self.children.wait_until_ready(child, f"{address}/readyz", timeout=PATIENCE)
        return address

    def buyer(self, **about: Any) -> BuyerClient:
        """Give somebody who has never written before."""
        serial = next(_phone_serial)
        return self.meta.buyer(f"1555010{serial:04d}", name=f"Buyer {serial}", **about)

    def knocks(
        self, body: bytes, *, at: GatewayProcess | None = None, header: str | None = None
    ) -> int:
        """Post a webhook as Meta does, with a good signature or this header; give the status."""
        seal = f"sha256={security.compute_signature(body, secret=SANDBOX_OPTIONS.app_secret)}"
        headers = {"X-Hub-Signature-256": seal if header is None else header}
        address = (at or self.gateway).webhook
        return self.knocking.post(address, content=body, headers=headers).status_code

    def settles(self) -> None:
        """Wait until the gateway has taken and dealt with all that Meta had to say."""
        wait_while_messages_move(self._has_settled)
        wait_while_messages_move(
            lambda: not DeliveryStatus.objects.filter(applied_at=None).exists()
        )

    def _has_settled(self) -> bool:
        try:
            self.meta.wait_until_idle(timeout=SETTLE_POLL)
        except NothingSeen:
            return False
        return True

    def lets_time_pass(self) -> None:
        """Make every send without an answer as old as if minutes had gone by.

        Nothing may be under way: what is being sent right now would count as lost as well.
        """
        now = datetime.now(UTC)
        outbox_queue.settle_abandoned_sends(now=now + timedelta(minutes=3))  # leases end
        outbox_queue.settle_abandoned_sends(now=now + timedelta(minutes=6))  # and no status came

    def is_quiet(self) -> bool:
        """Whether nothing waits to be sent."""
        return not OutboundMessage.objects.filter(status__in=OutboundMessage.UNSENT).exists()

    def logs(self) -> Iterator[tuple[str, str]]:
        """Give what the newest processes wrote last."""
        written = sorted((self.folder / "logs").glob("*.log"), key=lambda log: log.stat().st_mtime)
        for log in written[-4:]:
            yield log.stem, log.read_text(errors="replace")[-4_000:]


@contextmanager
def run_stack(*, vendor: str, database: str, folder: Path) -> Iterator[Stack]:
    """Build a house without gateways, and end everything that ran in it."""
    nowhere = f"http://{LOOPBACK_HOST}:1/webhook"
    with stand_in(webhook_url=nowhere, options=SANDBOX_OPTIONS, retry_delays=(0.2,)) as meta:
        variables = build_child_environment(
            _build_variables(meta, database=database, folder=folder)
        )
        with (
            ChildProcesses(environment=variables, logs=folder / "logs") as children,
            httpx.Client(trust_env=False, timeout=PATIENCE) as knocking,
        ):
            yield Stack(vendor, database, folder, meta, children, knocking)


def seed_database() -> None:
    """Put a raffle on sale, and let a program in."""
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


def _build_variables(meta: SandboxClient, *, database: str, folder: Path) -> dict[str, str]:
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
        "META_GRAPH_URL": meta.url,
        "META_GRAPH_VERSION": "v26.0",
        "MEDIA_ROOT": str(folder / "media"),
        "SENDS_PER_SECOND": "80",
        "EVENTS_ALLOW_PRIVATE": "true",
        "LOG_FORMAT": "console",
        "LOG_LEVEL": "INFO",
        "ACCEPTANCE_FOLDER": str(folder),
    }


def wait_while_messages_move(condition: Callable[[], Any]) -> Any:
    """Return the first true answer to a question, as long as messages move on meanwhile.

    Raises:
        AssertionError: no message has moved for long.

    """
    return wait_until(condition, progress=count_messages)


def count_messages() -> list[Counter[str]]:
    """Count the messages of either direction by status, and the statuses still to apply."""
    return [
        Counter(InboundMessage.objects.values_list("status", flat=True)),
        Counter(OutboundMessage.objects.values_list("status", flat=True)),
        Counter(pending=DeliveryStatus.objects.filter(applied_at=None).count()),
    ]


def count_sends(house: Stack, buyer: BuyerClient) -> Counter[str]:
    """Count how often Meta took each message to a buyer, by what we gave along."""
    sent = house.meta.outgoing(to=buyer.wa_id)
    return Counter(message["body"]["biz_opaque_callback_data"] for message in sent)


def load_messages_to(buyer: BuyerClient) -> list[OutboundMessage]:
    """Give our messages to a buyer, as our books have them."""
    return list(OutboundMessage.objects.filter(contact__wa_id=buyer.wa_id).order_by("pk"))


def is_everything_sent(buyer: BuyerClient) -> bool:
    """Whether every message to a buyer is on its way."""
    return all(message.status == OutboxStatus.SENT for message in load_messages_to(buyer))
