"""Asks the API over a busy month's books, and times each answer.

A million numbers, a hundred thousand orders. A program with a token of scope READ asks as n8n
does: cold, over a new connection and with nothing remembered in the process, then warm.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tests.benchmarks.support import pages
from tests.benchmarks.support.pages import Page

if TYPE_CHECKING:
    from django.test import Client

LIST_QUERIES: Final = 8
FAST_MS: Final = 50
COLD_MS: Final = 100
"""A program asks a process that runs; once in its life it finds it without a connection."""


def run() -> None:
    """Measure on both databases.

    Raises:
        SystemExit: if an answer takes more than it may.

    """
    pages.measure_pages("The API", visitor=_program, pages=questions)


def _program() -> "Client":
    from django.test import Client

    from backoffice.api import tokens
    from shared.core.enums import Scope

    made = tokens.issue_token(name="benchmark", scope=Scope.READ, by="", now=datetime.now(UTC))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


def questions() -> list[Page]:
    """List what a program asks, with one of what each answers."""
    from shared.raffles.models import Order, PaymentProof, Raffle

    raffle = Raffle.objects.order_by("pk").values_list("pk", flat=True)[0]
    paid = Order.objects.filter(status="PAID", contact__isnull=False).select_related("contact")[0]
    newest = Order.objects.values_list("pk", flat=True)[0]
    proof = PaymentProof.objects.filter(order=None, verdict="PENDING")[0]
    lately = quote((datetime.now(UTC) - timedelta(hours=1)).isoformat())
    assert paid.contact is not None
    return [
        _list("orders", "orders"),
        _list("orders, pending", "orders?status=PENDING_PAYMENT"),
        _list("orders, paid", "orders?status=PAID"),
        _list("orders, from the middle", f"orders?after={newest // 2}"),
        _list("orders, newest first", "orders?ordering=-id"),
        _list("orders of a raffle", f"orders?raffle={raffle}&status=PAID"),
        _list("orders with a proof", "orders?has_proof=true&status=PENDING_PAYMENT"),
        _list("orders under review", "orders?under_review=true"),
        _list("orders to decide about", "orders?needs_decision=true"),
        _list("orders changed lately", f"orders?updated_since={lately}"),
        _list("orders of a code", f"orders?code={paid.code}"),
        _list("orders of a phone", f"orders?buyer=%2B{paid.contact.wa_id}"),
        _list("orders of a number", f"orders?number=7919&raffle={raffle}"),
        Page("order", f"/api/orders/{paid.code}"),
        Page("order, proofs", f"/api/orders/{paid.pk}/proofs"),
        Page("proofs", "/api/proofs"),
        Page("proof, file", f"/api/proofs/{proof.pk}/file"),
        Page("raffles", "/api/raffles"),
        Page("raffle", f"/api/raffles/{raffle}"),
        Page(
            "availability",
            f"/api/raffles/{raffle}/availability",
            most_ms=FAST_MS,
            most_cold_ms=COLD_MS,
        ),
        Page("numbers", f"/api/raffles/{raffle}/numbers"),
        Page("raffle, statistics", f"/api/raffles/{raffle}/statistics"),
        Page("statistics", "/api/statistics"),
        Page("events", "/api/events?after=0"),
    ]


def _list(name: str, path: str) -> Page:
    return Page(
        name, f"/api/{path}", most_queries=LIST_QUERIES, most_ms=FAST_MS, most_cold_ms=COLD_MS
    )
