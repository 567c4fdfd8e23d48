"""Benchmark of the API with the data of a busy month.

The database has a million ticket numbers and a hundred thousand orders. A client with a token of
scope READ requests each URL cold (new database connection, empty caches) and then warm.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tests.benchmarks.support import pages
from tests.benchmarks.support.figures import Figure, Options
from tests.benchmarks.support.pages import Page

if TYPE_CHECKING:
    from django.test import Client

LIST_QUERIES: Final = 8
FAST_MS: Final = 50
COLD_MS: Final = 100
"""Higher limit, because a server process is cold only once: it normally has a connection."""


def run(options: Options) -> list[Figure]:
    """Measure every page."""
    return pages.measure_pages("api", options, visitor=_create_api_client, pages=list_api_pages)


def _create_api_client() -> "Client":
    from django.test import Client

    from backoffice.api import tokens
    from shared.core.enums import Scope

    made = tokens.issue_token(name="benchmark", scope=Scope.READ, by="", now=datetime.now(UTC))
    return Client(headers={"Authorization": f"Bearer {made.text}"})


def list_api_pages() -> list[Page]:
    """Return the URLs to request, with sample objects."""
    from shared.raffles.models import Order, PaymentProof, Raffle

    raffle = Raffle.objects.order_by("pk").values_list("pk", flat=True)[0]
    paid = Order.objects.filter(status="PAID", contact__isnull=False).select_related("contact")[0]
    newest = Order.objects.values_list("pk", flat=True)[0]
    proof = PaymentProof.objects.filter(order=None, verdict="PENDING")[0]
    lately = quote((datetime.now(UTC) - timedelta(hours=1)).isoformat())
    assert paid.contact is not None
    return [
        _build_list_page("orders", "orders"),
        _build_list_page("orders, pending", "orders?status=PENDING_PAYMENT"),
        _build_list_page("orders, paid", "orders?status=PAID"),
        _build_list_page("orders, from the middle", f"orders?after={newest // 2}"),
        _build_list_page("orders, newest first", "orders?ordering=-id"),
        _build_list_page("orders of a raffle", f"orders?raffle={raffle}&status=PAID"),
        _build_list_page("orders with a proof", "orders?has_proof=true&status=PENDING_PAYMENT"),
        _build_list_page("orders under review", "orders?under_review=true"),
        _build_list_page("orders to decide about", "orders?needs_decision=true"),
        _build_list_page("orders changed lately", f"orders?updated_since={lately}"),
        _build_list_page("orders of a code", f"orders?code={paid.code}"),
        _build_list_page("orders of a phone", f"orders?buyer=%2B{paid.contact.wa_id}"),
        _build_list_page("orders of a number", f"orders?number=7919&raffle={raffle}"),
        Page("order", f"/api/orders/{paid.code}"),
        Page("order, proofs", f"/api/orders/{paid.pk}/proofs"),
        Page("proofs", "/api/proofs"),
        Page("proof, file", f"/api/proofs/{proof.pk}/file"),
        Page("raffles", "/api/raffles"),
        Page("raffle", f"/api/raffles/{raffle}"),
        Page(
            "availability",
            f"/api/raffles/{raffle}/availability",
            max_ms=FAST_MS,
            max_cold_ms=COLD_MS,
        ),
        Page("numbers", f"/api/raffles/{raffle}/numbers"),
        Page("raffle, statistics", f"/api/raffles/{raffle}/statistics"),
        Page("statistics", "/api/statistics"),
        Page("events", "/api/events?after=0"),
    ]


def _build_list_page(name: str, path: str) -> Page:
    return Page(name, f"/api/{path}", max_queries=LIST_QUERIES, max_ms=FAST_MS, max_cold_ms=COLD_MS)
