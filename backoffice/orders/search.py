"""Search for orders and payment proofs by code, phone number, name or ticket number."""

import re
from dataclasses import dataclass
from typing import Final

from django.db.models import Case, F, Q, QuerySet, When

from backoffice.changelists.search import MAX_SEARCH_CHARACTERS, contains_words
from backoffice.messaging.contacts import contact_search
from backoffice.messaging.contacts.contact_search import MAX_SEARCH_MATCHES
from shared.core.search_text import fold_digits, fold_for_search
from shared.raffles import codes
from shared.raffles.models import Order, OrderTicket, PaymentProof, Raffle

SEARCH_HELP: Final = "Code, phone, name, or a number: #07, 07 in summer"
"""The hint below the search box."""

_TICKET_NUMBER_PATTERN: Final = re.compile(
    r"(?P<sign>#|no\.?\s|number\s)?\s*(?P<number>\d{1,7})(?:\s+(?:in|of)\s+(?P<raffle>\S.*))?",
    re.IGNORECASE,
)
_SHA256_PATTERN: Final = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_MIN_BUYER_DIGITS: Final = 4
"""Bare digits that may be a part of a phone number; fewer are a ticket number alone."""


@dataclass(frozen=True, slots=True)
class OrderSearchTerm:
    """The possible meanings of a search term; often more than one.

    Attributes:
        code: The code of an order.
        number: A ticket number.
        raffle: Part of the title of the raffle of that ticket number; empty for any raffle.
        buyer: A buyer's phone number, name or user id, as `contact_search` reads it.

    """

    code: str | None = None
    number: int | None = None
    raffle: str = ""
    buyer: str = ""


@dataclass(frozen=True, slots=True)
class OrderSearchResult:
    """The orders found; `too_many` if `MAX_SEARCH_MATCHES` buyers or more match."""

    orders: QuerySet[Order]
    too_many: bool = False


@dataclass(frozen=True, slots=True)
class ProofSearchResult:
    """The payment proofs found; `too_many` if `MAX_SEARCH_MATCHES` buyers or more match."""

    proofs: QuerySet[PaymentProof]
    too_many: bool = False


def parse_search_term(term: str) -> OrderSearchTerm:
    """Return the possible meanings of a search term, none if it is too long; without a query."""
    if len(term) > MAX_SEARCH_CHARACTERS:
        return OrderSearchTerm()
    term = " ".join(fold_digits(term).split())
    code = codes.normalise_code(term)
    match = _TICKET_NUMBER_PATTERN.fullmatch(term)
    if match is None:
        return OrderSearchTerm(code=code, buyer=term)
    is_ticket_number = match["sign"] or match["raffle"] or len(term) < _MIN_BUYER_DIGITS
    return OrderSearchTerm(
        code=code,
        number=int(match["number"]),
        raffle=match["raffle"] or "",
        buyer="" if is_ticket_number else term,
    )


def search_orders(
    orders: QuerySet[Order], wanted: OrderSearchTerm, *, raffle_id: int | None, sort: bool
) -> OrderSearchResult:
    """Return the orders that match a search term; a few bounded queries prepare it.

    Args:
        orders: The orders to search.
        wanted: The term, from `parse_search_term`.
        raffle_id: The raffle of a ticket number; None for any raffle.
        sort: Whether orders that hold the ticket number now come before those that held it.

    """
    holding: set[int] = set()
    held: set[int] = set()
    if wanted.number is not None:
        holding, held = find_orders_with_ticket_number(
            wanted.number, raffle_id=raffle_id, title=wanted.raffle
        )
    buyers, sales = _find_buyers(wanted.buyer)
    condition = Q()
    if wanted.code:
        condition |= Q(code=wanted.code)
    if order_ids := holding | held | set(sales):
        condition |= Q(pk__in=order_ids)
    if buyers:
        condition |= Q(contact_id__in=buyers)
    if not condition:
        return OrderSearchResult(orders.none())
    found = orders.filter(condition)
    if sort and holding:
        found = found.order_by(Case(When(pk__in=holding, then=0), default=1), "-pk")
    return OrderSearchResult(found, too_many=_are_too_many(buyers, sales))


def search_orders_of_buyer(orders: QuerySet[Order], term: str) -> OrderSearchResult:
    """Return the orders of matching buyers; two bounded queries prepare it.

    Args:
        orders: The orders to search.
        term: A phone number in any spelling, the buyer's user id at Meta, or part of the name.

    """
    buyers, sales = _find_buyers(term)
    found = orders.filter(Q(contact_id__in=buyers) | Q(pk__in=sales))
    return OrderSearchResult(found, too_many=_are_too_many(buyers, sales))


def search_proofs(proofs: QuerySet[PaymentProof], term: str) -> ProofSearchResult:
    """Return the payment proofs of matching buyers, of an order, or with a file's hash.

    Args:
        proofs: The proofs to search.
        term: A phone number, name or user id, an order code, or a SHA-256.

    """
    term = term.strip()
    condition = Q()
    if _SHA256_PATTERN.fullmatch(term):
        condition |= Q(sha256=term.lower())
    if code := codes.normalise_code(term):
        condition |= Q(order__code=code)
    buyers = contact_search.find_contact_ids(term)
    if buyers:
        condition |= Q(contact_id__in=buyers)
    found = proofs.filter(condition) if condition else proofs.none()
    return ProofSearchResult(found, too_many=_are_too_many(buyers))


def find_orders_with_ticket_number(
    number: int, *, raffle_id: int | None, title: str = ""
) -> tuple[set[int], set[int]]:
    """Return the ids of the orders that hold a ticket number, and of those that once held it.

    Args:
        number: The ticket number.
        raffle_id: Its raffle; None for any raffle.
        title: Part of the raffle's title; empty for any title.

    Returns:
        Two sets with together at most `MAX_SEARCH_MATCHES` ids, the latest ones.

    """
    raffles = Raffle.objects.all() if raffle_id is None else Raffle.objects.filter(pk=raffle_id)
    if title:
        raffles = raffles.filter(pk__in=_find_raffle_ids(title))
    links = OrderTicket.objects.filter(
        ticket__number=number, ticket__raffle__in=raffles.order_by().values("pk")
    )
    rows = links.order_by(F("released_at").desc(nulls_first=True))[:MAX_SEARCH_MATCHES]
    found = list(rows.values_list("order_id", "released_at"))
    holding = {order_id for order_id, released_at in found if released_at is None}
    return holding, {order_id for order_id, _ in found} - holding


def _find_buyers(term: str) -> tuple[list[int], list[int]]:
    """Return the ids of the contacts that match a term, and of the sales for cash."""
    if not term:
        return [], []
    sales = Order.objects.filter(contact_search.build_cash_buyer_condition(term)).order_by("-pk")
    return contact_search.find_contact_ids(term), list(
        sales.values_list("pk", flat=True)[:MAX_SEARCH_MATCHES]
    )


def _are_too_many(*found: list[int]) -> bool:
    return any(len(ids) >= MAX_SEARCH_MATCHES for ids in found)


def _find_raffle_ids(title: str) -> list[int]:
    """Return the ids of the raffles with each word in their title; there are few raffles."""
    words = fold_for_search(title).split()
    titles = Raffle.objects.order_by().values_list("pk", "title")
    return [pk for pk, text in titles if contains_words(words, text=text)]
