"""Benchmark of every search over a hundred thousand contacts and as many orders.

A member of the group Seller searches on the pages, and a program with a token of scope READ over
the API, for whole and partial phone numbers as people dial them and for common, rare and unknown
names.
"""

from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from tests.benchmarks.support import pages
from tests.benchmarks.support.figures import Figure, Options
from tests.benchmarks.support.pages import Page

if TYPE_CHECKING:
    from django.test import Client

WARM_MS: Final = 100
COLD_MS: Final = 200
"""Higher limit, because a server process is cold only once: it normally has a connection."""

LISTS: Final = {
    "contacts": "whatsapp_whatsappcontact_changelist",
    "orders": "raffles_order_changelist",
    "proofs": "raffles_paymentproof_changelist",
    "inbox": "whatsapp_inboundmessage_changelist",
    "outbox": "whatsapp_outboundmessage_changelist",
    "ledger": "raffles_ledgerentry_changelist",
}


def run(options: Options) -> list[Figure]:
    """Measure every page."""
    return pages.measure_pages("search", options, visitor=_create_client, pages=list_searches)


def _create_client() -> "Client":
    """Return a client with a session for the pages and a token for the API."""
    from datetime import UTC, datetime

    from backoffice.api import tokens
    from shared.core.enums import Scope
    from tests.benchmarks import screens

    made = tokens.issue_token(name="benchmark", scope=Scope.READ, by="", now=datetime.now(UTC))
    client = screens.log_in_seller()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {made.text}"
    return client


def list_searches() -> list[Page]:
    """Return each kind of term on each list, with a sample buyer."""
    from django.urls import reverse

    from shared.raffles.models import Order

    paid = Order.objects.filter(status="PAID", contact__isnull=False).select_related("contact")[0]
    assert paid.contact is not None
    phone = str(paid.contact.wa_id)
    terms = {
        "a phone": f"+1 ({phone[1:4]}) {phone[4:7]}-{phone[7:]}",
        "a phone at home": f"{phone[1:4]} {phone[4:7]} {phone[7:]}",
        "part of a phone": phone[-5:],
        "a name": "nandu jose",
        "a common name": "ana",
        "nobody": "Xavier",
        "a code": str(paid.code).lower().replace("-", " "),
        "punctuation": "?!…",
    }
    searched = [
        _build_page(f"{title}: {what}", reverse(f"admin:{name}") + f"?q={quote_plus(term)}")
        for title, name in LISTS.items()
        for what, term in terms.items()
    ]
    over_api = [
        _build_page(f"API {path}: {what}", f"/api/{path}?search={quote_plus(terms[what])}")
        for path in ("orders", "proofs")
        for what in ("a phone", "a phone at home", "part of a phone", "nobody", "a code")
    ]
    return searched + over_api


def _build_page(name: str, path: str) -> Page:
    return Page(name, path, max_ms=WARM_MS, max_cold_ms=COLD_MS, max_queries=14)
