"""Helpers that use the back office's pages as a browser does."""

from typing import Any, Final

from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from shared.raffles.models import Order
from tests.integration.backoffice import sample_data

MAX_QUERIES: Final = 12
"""Queries that a page may need, all included."""


def log_in_reviewer(name: str = "rita") -> Client:
    """Return the browser of a reviewer who may also see proofs."""
    browser = Client()
    browser.force_login(
        sample_data.create_user(name, *sample_data.REVIEWER_PERMISSIONS, "view_paymentproof")
    )
    return browser


def build_url(model: type[Model], page: str, *args: Any) -> str:
    """Return the address of an admin page of a model, e.g. its `changelist`."""
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{page}", args=args)


def press_button(client: Client, address: str, **data: Any) -> list[str]:
    """Press a button and return the messages that it leads to."""
    client.cookies.pop("messages", None)  # messages of earlier requests
    answer = client.post(address, data)
    assert answer.status_code == 302, answer.content
    return list_messages(answer)


def list_messages(answer: Any) -> list[str]:
    """Return the messages to the user that an answer leads to."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def join_messages(answer: Any) -> str:
    """Return the messages to the user that an answer leads to, as one text."""
    return " ".join(list_messages(answer))


def refresh_status(order: Order) -> str:
    """Reload an order and return its status."""
    order.refresh_from_db()
    return order.status
