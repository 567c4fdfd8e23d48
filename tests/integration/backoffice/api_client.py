"""A program that calls the API, as n8n or a script does, and orders it decides about."""

import json
from typing import Any

from django.test import Client

from shared.raffles.models import Order, Raffle
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.sample_data import expire_order


class ApiProgram:
    """A program with an API token, by default one of scope REVIEW."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(
            headers={"Authorization": f"Bearer {token or sample_data.create_api_token()}"}
        )

    def get(self, path: str, **headers: str) -> Any:
        """Send a GET request."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, body: Any = None) -> Any:
        """Send a POST request with a JSON body, or with no body at all."""
        if body is None:
            return self.client.post(path)
        return self.client.post(path, json.dumps(body), content_type="application/json")

    def decide(self, order: Order, what: str, **body: Any) -> Any:
        """Send a decision about an order."""
        return self.post(f"/api/orders/{order.pk}/{what}", body or None)

    def list_ids(self, query: str) -> list[int]:
        """Return the ids of the orders that match a query."""
        return [row["id"] for row in self.get(f"/api/orders?{query}").json()["results"]]


def parse_refusal(answer: Any) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    assert answer.json().keys() >= {"code", "message", "detail", "retryable"}
    return answer.status_code, answer.json()["code"]


def create_late_order(raffle: Raffle | None = None, *, taken: bool = True) -> Order:
    """Create an expired order of 007 and 013; with `taken`, somebody else holds 007."""
    raffle = raffle or builders.create_raffle()
    late = sample_data.place_order(raffle, numbers=[7, 13])
    expire_order(late)
    if taken:
        sample_data.place_order(raffle, numbers=[7])
    return late


def list_message_keys(order: Order) -> list[str]:
    """Return the keys of the messages that an order's buyer was sent about it."""
    notices = OutboundMessage.objects.filter(about=order.code or "").order_by("id")
    return list(notices.values_list("key", flat=True))
