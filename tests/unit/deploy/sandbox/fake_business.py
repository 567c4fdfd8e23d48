"""A fake business that answers buyers through the sandbox."""

import httpx

from deploy.sandbox.client import SandboxClient
from deploy.sandbox.options import SandboxOptions
from deploy.sandbox.phone.terminal import derive_phone_number

UNREACHABLE_URL = "http://127.0.0.1:9/webhook"
OPTIONS = SandboxOptions()
ANA = derive_phone_number("Ana")
BUTTONS = ("Random numbers", "Pick my numbers")


class FakeBusiness:
    """Sends messages to buyers over the Graph API, as the gateway does."""

    def __init__(self, sandbox: SandboxClient) -> None:
        self._url = f"{sandbox.url}/v26.0/{OPTIONS.phone_number_ids[0]}/messages"

    def says(self, wa_id: str, text: str) -> None:
        self._send(wa_id, {"type": "text", "text": {"body": text}})

    def offers(self, wa_id: str, text: str) -> None:
        replies = [{"type": "reply", "reply": {"id": title, "title": title}} for title in BUTTONS]
        interactive = {"type": "button", "body": {"text": text}, "action": {"buttons": replies}}
        self._send(wa_id, {"type": "interactive", "interactive": interactive})

    def _send(self, wa_id: str, message: dict[str, object]) -> None:
        body = {"messaging_product": "whatsapp", "to": f"+{wa_id}", **message}
        headers = {"Authorization": f"Bearer {OPTIONS.access_token}"}
        httpx.post(self._url, json=body, headers=headers).raise_for_status()
