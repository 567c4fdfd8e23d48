"""Finds orders by what people know of them: the code, the phone, the name or a ticket number."""

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
"""What the search box says one can type."""

MAX_SEARCH_MATCHES: Final = 1_000
"""How many buyers a search looks at; the newest ones, so that it stays fast with any number."""


_TICKET_NUMBER_PATTERN: Final = re.compile(
    r"(?P<sign>#|no\.?\s|number\s)?\s*(?P<number>\d{1,7})(?:\s+(?:in|of)\s+(?P<raffle>\S.*))?",
    re.IGNORECASE,
)
_PHONE_PATTERN: Final = re.compile(r"\+?[\d\s()./-]+")
_MIN_PHONE_DIGITS: Final = 4
_MAX_NAME_WORDS: Final = 6


@dataclass(frozen=True, slots=True)
class OrderSearchTerm:
    """What a typed term may mean; often more than one thing.

    Attributes:
        code: an order's code.
        number: a ticket number.
        raffle: part of the title of the raffle that the number is in; empty: any.
        digits: part of a phone number, without what it is sent abroad or dialled with.
        words: parts of a buyer's name.

    """

    code: str | None = None
    number: int | None = None
    raffle: str = ""
    digits: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderSearchResult:
    """The orders a term may mean; `too_many` if more buyers match than were looked at."""

    orders: QuerySet[Order]
    too_many: bool = False


def parse_search_term(term: str) -> OrderSearchTerm:
    """Tell what somebody may mean by `term`, nothing if it is too long; asks no database."""
    term = " ".join(term.split())
    if len(term) > MAX_SEARCH_CHARACTERS:
        return OrderSearchTerm()
    code = codes.normalise_code(term)
    if match := _TICKET_NUMBER_PATTERN.fullmatch(term):
        sure = match["sign"] or match["raffle"]
        return OrderSearchTerm(
            code=code,
            number=int(match["number"]),
            raffle=match["raffle"] or "",
            digits="" if sure else _extract_phone_digits(term),
        )
    if _PHONE_PATTERN.fullmatch(term):
        return OrderSearchTerm(code=code, digits=_extract_phone_digits(term))
    return OrderSearchTerm(code=code, words=tuple(term.split()[:_MAX_NAME_WORDS]))


def search_orders(
    orders: QuerySet[Order], wanted: OrderSearchTerm, *, raffle_id: int | None, sort: bool
) -> OrderSearchResult:
    """Keep the orders that are wanted; at most three bounded queries to prepare it.

    Args:
        orders: where to look.
        wanted: what `read` made of the term.
        raffle_id: the raffle a ticket number is looked for in; None: every raffle.
        sort: whoever has a ticket number now comes first, before those who had it.

    """
    having: set[int] = set()
    had: set[int] = set()
    if wanted.number is not None:
        having, had = find_orders_with_ticket_number(
            wanted.number, raffle_id=raffle_id, title=wanted.raffle
        )
    buyers, sales = _find_contact_ids(wanted), _find_cash_sale_ids(wanted)
    meant = Q()
    if wanted.code:
        meant |= Q(code=wanted.code)
    if keys := having | had | set(sales):
        meant |= Q(pk__in=keys)
    if buyers:
        meant |= Q(contact_id__in=buyers)
    if not meant:
        return OrderSearchResult(orders.none())
    found = orders.filter(meant)
    if sort and having:
        found = found.order_by(Case(When(pk__in=having, then=0), default=1), "-pk")
    return OrderSearchResult(
        found, too_many=len(buyers) == MAX_SEARCH_MATCHES or len(sales) == MAX_SEARCH_MATCHES
    )


def search_orders_of_buyer(orders: QuerySet[Order], term: str) -> OrderSearchResult:
    """Keep the orders of a buyer; two bounded queries to prepare it.

    Args:
        orders: where to look.
        term: a phone in any spelling, the buyer's user id at Meta, or part of the name.

    """
    meant = parse_search_term(term)
    wanted = OrderSearchTerm(digits=meant.digits, words=meant.words)
    buyers, sales = _find_contact_ids(wanted, user_id=term.strip()), _find_cash_sale_ids(wanted)
    found = orders.filter(Q(contact_id__in=buyers) | Q(pk__in=sales))
    return OrderSearchResult(
        found, too_many=len(buyers) >= MAX_SEARCH_MATCHES or len(sales) >= MAX_SEARCH_MATCHES
    )


def _extract_phone_digits(term: str) -> str:
    """Give the digits of a phone that every way of writing it has."""
    digits = re.sub(r"\D", "", term.replace("(0)", "")).lstrip("0")
    return digits if len(digits) >= _MIN_PHONE_DIGITS else ""


def find_orders_with_ticket_number(
    number: int, *, raffle_id: int | None, title: str = ""
) -> tuple[set[int], set[int]]:
    """Give the orders that hold a ticket number, and those that once held it; the newest `MANY`.

    Args:
        number: the ticket number.
        raffle_id: its raffle; None: every raffle.
        title: part of the raffle's title; empty: whichever.

    """
    raffles = Raffle.objects.all() if raffle_id is None else Raffle.objects.filter(pk=raffle_id)
    if title:
        raffles = raffles.filter(title__icontains=title)
    links = OrderTicket.objects.filter(
        ticket__number=number, ticket__raffle__in=raffles.order_by().values("pk")
    )
    rows = links.order_by(F("released_at").desc(nulls_first=True))[:MAX_SEARCH_MATCHES]
    found = list(rows.values_list("order_id", "released_at"))
    having = {order_id for order_id, released_at in found if released_at is None}
    return having, {order_id for order_id, _ in found} - having


def _find_contact_ids(wanted: OrderSearchTerm, *, user_id: str = "") -> Collection[int]:
    """Give the contacts of that phone, name or user id at Meta."""
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
    """Give the sales for cash to somebody of that phone or name."""
    sales = Order.objects.filter(contact__isnull=True)
    if wanted.digits:
        sales = sales.alias(phone=_strip_phone_signs()).filter(phone__contains=wanted.digits)
    elif wanted.words:
        sales = sales.filter(_match_all(Q(buyer_name__icontains=word) for word in wanted.words))
    else:
        return ()
    return list(sales.order_by("-pk").values_list("pk", flat=True)[:MAX_SEARCH_MATCHES])


def _strip_phone_signs() -> Replace:
    """Take the signs out of a phone that was typed by hand."""
    phone = Replace("buyer_phone", Value("(0)"))
    for sign in " -()./+":
        phone = Replace(phone, Value(sign))
    return phone


def _match_all(conditions: Iterable[Q]) -> Q:
    return reduce(and_, conditions)
