"""A running sandbox, a fake gateway and an authorized client of the Graph API."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.sandbox.client import BuyerClient, SandboxClient
from deploy.sandbox.in_process import run_sandbox
from deploy.sandbox.options import SandboxOptions
from tests.unit.deploy.sandbox.fake_gateway import FakeGateway, run_fake_gateway
from tests.waiting import PATIENCE

ANA = "15550101001"
PHONE_NUMBER_IDS = ("106540352242922", "106540352242923")
RETRY_DELAYS = (0.0, 0.02)


@dataclass(frozen=True)
class GraphClient:
    """Client of the sandbox's Graph API, as the gateway is one."""

    http: httpx.Client
    number: str = PHONE_NUMBER_IDS[0]

    def post(self, body: Any, *, number: str | None = None, **more: Any) -> httpx.Response:
        """Post a body to `/messages` unchanged."""
        return self.http.post(f"/v26.0/{number or self.number}/messages", json=body, **more)

    def send_text(self, text: str = "hello", *, to: str = f"+{ANA}", **more: Any) -> httpx.Response:
        """Send a text."""
        body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}}
        return self.post({**body, **more})

    def send_buttons(self, *titles: str, to: str = f"+{ANA}", text: str = "Which?") -> str:
        """Send reply buttons whose ids are their titles in lower case, and return the wamid."""
        replies = [{"id": title.lower(), "title": title} for title in titles]
        action = {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}
        return self.send_interactive(
            {"type": "button", "body": {"text": text}, "action": action}, to=to
        )

    def send_list(self, *titles: str, to: str = f"+{ANA}") -> str:
        """Send a list message and return the wamid."""
        rows = [{"id": each.lower(), "title": each, "description": "!"} for each in titles]
        action = {"button": "Show", "sections": [{"title": "All", "rows": rows}]}
        return self.send_interactive(
            {"type": "list", "body": {"text": "?"}, "action": action}, to=to
        )

    def send_interactive(self, interactive: dict[str, Any], *, to: str = f"+{ANA}") -> str:
        """Send an interactive message and return the wamid."""
        body = {"messaging_product": "whatsapp", "to": to, "type": "interactive"}
        answer = self.post({**body, "interactive": interactive})
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["messages"][0]["id"]
        return found


def parse_error(answer: httpx.Response) -> dict[str, Any]:
    """Return the `error` object of an answer."""
    found: dict[str, Any] = answer.json()["error"]
    return found


@pytest.fixture(scope="session")
def _gateway() -> Iterator[FakeGateway]:
    with run_fake_gateway() as gateway:
        yield gateway


@pytest.fixture(scope="session")
def _sandbox(_gateway: FakeGateway) -> Iterator[SandboxClient]:
    options = SandboxOptions(phone_number_ids=PHONE_NUMBER_IDS)
    with run_sandbox(
        webhook_url=_gateway.url, options=options, retry_delays=RETRY_DELAYS
    ) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: SandboxClient, _gateway: FakeGateway) -> SandboxClient:
    """Return the sandbox in its initial state, with no deliveries of an earlier test."""
    _gateway.reset_answers()
    _sandbox.settings(webhook_url=_gateway.url, subscribed_fields=["messages"])
    _sandbox.wait_until_idle()
    _sandbox.reset()
    return _sandbox


@pytest.fixture
def gateway(_gateway: FakeGateway, sandbox: SandboxClient) -> FakeGateway:
    """Return the gateway without received webhooks."""
    _gateway.posted.clear()
    return _gateway


@pytest.fixture
def ana(sandbox: SandboxClient, gateway: FakeGateway) -> BuyerClient:
    """Return a buyer who has written, so that the 24-hour window is open."""
    buyer = sandbox.buyer(ANA, name="Ana")
    buyer.says("hello", wait=5)
    gateway.posted.clear()
    return buyer


@pytest.fixture(scope="session")
def _http(_sandbox: SandboxClient) -> Iterator[httpx.Client]:
    bearer = {"Authorization": f"Bearer {SandboxOptions().access_token}"}
    with httpx.Client(
        base_url=_sandbox.url, headers=bearer, trust_env=False, timeout=PATIENCE
    ) as http:
        yield http


@pytest.fixture
def graph(sandbox: SandboxClient, _http: httpx.Client) -> GraphClient:
    """Return an authorized client of the Graph API."""
    return GraphClient(_http)
