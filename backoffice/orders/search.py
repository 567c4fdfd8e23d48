"""Search for orders by code, phone number, name or ticket number."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Final

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Replace

from backoffice.changelists.search import MAX_SEARCH_CHARACTERS
from shared.raffles import codes
from shared.raffles.models import Order, OrderTicket, Raffle
from shared.whatsapp.models import WhatsAppContact

SEARCH_HELP: Final = "Code, phone, name, or a number: #07, 07 in summer"
"""The hint below the search box."""

MAX_SEARCH_MATCHES: Final = 1_000
"""Matching buyers that a search returns orders of; the newest ones, so that it stays fast."""

_TICKET_NUMBER_PATTERN: Final = re.compile(
    r"(?P<sign>#|no\.?\s|number\s)?\s*(?P<number>\d{1,7})(?:\s+(?:in|of)\s+(?P<raffle>\S.*))?",
    re.IGNORECASE,
)
_PHONE_PATTERN: Final = re.compile(r"\+?[\d\s()./-]+")
_MIN_PHONE_DIGITS: Final = 4
_MAX_NAME_WORDS: Final = 6


@dataclass(frozen=True, slots=True)
class OrderSearchTerm:
    """The possible meanings of a search term; often more than one.

    Attributes:
        code: The code of an order.
        number: A ticket number.
        raffle: Part of the title of the raffle of that ticket number; empty for any raffle.
        digits: Part of a phone number, without leading zeros and signs.
        words: Parts of a buyer's name.

    """

    code: str | None = None
    number: int | None = None
    raffle: str = ""
    digits: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderSearchResult:
    """The orders found; `too_many` if more than `MAX_SEARCH_MATCHES` buyers match."""

    orders: QuerySet[Order]
    too_many: bool = False


def parse_search_term(term: str) -> OrderSearchTerm:
    """Return the possible meanings of a search term, none if it is too long; without a query."""
    term = " ".join(term.split())
    if len(term) > MAX_SEARCH_CHARACTERS:
        return OrderSearchTerm()
    code = codes.normalise_code(term)
    if match := _TICKET_NUMBER_PATTERN.fullmatch(term):
        is_ticket_number = match["sign"] or match["raffle"]
        return OrderSearchTerm(
            code=code,
            number=int(match["number"]),
            raffle=match["raffle"] or "",
            digits="" if is_ticket_number else _extract_phone_digits(term),
        )
    if _PHONE_PATTERN.fullmatch(term):
        return OrderSearchTerm(code=code, digits=_extract_phone_digits(term))
    return OrderSearchTerm(code=code, words=tuple(term.split()[:_MAX_NAME_WORDS]))


def search_orders(
    orders: QuerySet[Order], wanted: OrderSearchTerm, *, raffle_id: int | None, sort: bool
) -> OrderSearchResult:
    """Return the orders that match a search term; at most three bounded queries prepare it.

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
    buyers, sales = _find_contact_ids(wanted), _find_cash_sale_ids(wanted)
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
    return OrderSearchResult(
        found, too_many=len(buyers) == MAX_SEARCH_MATCHES or len(sales) == MAX_SEARCH_MATCHES
    )


def search_orders_of_buyer(orders: QuerySet[Order], term: str) -> OrderSearchResult:
    """Return the orders of matching buyers; two bounded queries prepare it.

    Args:
        orders: The orders to search.
        term: A phone number in any spelling, the buyer's user id at Meta, or part of the name.

    """
    parsed = parse_search_term(term)
    wanted = OrderSearchTerm(digits=parsed.digits, words=parsed.words)
    buyers, sales = _find_contact_ids(wanted, user_id=term.strip()), _find_cash_sale_ids(wanted)
    found = orders.filter(Q(contact_id__in=buyers) | Q(pk__in=sales))
    return OrderSearchResult(
        found, too_many=len(buyers) >= MAX_SEARCH_MATCHES or len(sales) >= MAX_SEARCH_MATCHES
    )


def _extract_phone_digits(term: str) -> str:
    """Return the digits that all spellings of a phone number share; empty if there are too few."""
    digits = re.sub(r"\D", "", term.replace("(0)", "")).lstrip("0")
    return digits if len(digits) >= _MIN_PHONE_DIGITS else ""


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
        raffles = raffles.filter(title__icontains=title)
    links = OrderTicket.objects.filter(
        ticket__number=number, ticket__raffle__in=raffles.order_by().values("pk")
    )
    rows = links.order_by(F("released_at").desc(nulls_first=True))[:MAX_SEARCH_MATCHES]
    found = list(rows.values_list("order_id", "released_at"))
    holding = {order_id for order_id, released_at in found if released_at is None}
    return holding, {order_id for order_id, _ in found} - holding


def _find_contact_ids(wanted: OrderSearchTerm, *, user_id: str = "") -> Collection[int]:
    """Return the ids of the contacts with a phone number, name or user id at Meta."""
    condition = Q(user_id=user_id) if user_id else Q(pk__in=())
    if wanted.digits:
        condition |= Q(wa_id__contains=wanted.digits)
    elif wanted.words:
        condition |= _match_all(
            Q(profile_name__icontains=word) | Q(username__icontains=word) for word in wanted.words
        )
    found = WhatsAppContact.objects.filter(condition).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:MAX_SEARCH_MATCHES])


def _find_cash_sale_ids(wanted: OrderSearchTerm) -> Collection[int]:
    """Return the ids of the cash sales to a buyer with a phone number or name."""
    sales = Order.objects.filter(contact__isnull=True)
    if wanted.digits:
        sales = sales.alias(phone=_strip_phone_signs()).filter(phone__contains=wanted.digits)
    elif wanted.words:
        sales = sales.filter(_match_all(Q(buyer_name__icontains=word) for word in wanted.words))
    else:
        return ()
    return list(sales.order_by("-pk").values_list("pk", flat=True)[:MAX_SEARCH_MATCHES])


def _strip_phone_signs() -> Replace:
    """Return an expression for the typed phone number of a cash sale without its signs."""
    phone = Replace("buyer_phone", Value("(0)"))
    for sign in " -()./+":
        phone = Replace(phone, Value(sign))
    return phone


def _match_all(conditions: Iterable[Q]) -> Q:
    return reduce(and_, conditions)
