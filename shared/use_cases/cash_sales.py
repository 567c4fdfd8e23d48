"""Sales for cash to buyers without a chat: held, placed and paid in one transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from shared.core import logs
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.services import orders, reservations
from shared.raffles.services.payment_decisions import payments
from shared.raffles.services.queries import raffle_queries
from shared.use_cases.errors import BuyerNameMissing

_log = logs.get_logger(__name__)

CASH_SALE_REASON: Final = "sold for cash"
"""Reason in the history of an order that was sold for cash."""


@dataclass(frozen=True, slots=True)
class CashSale:
    """Result of a sale for cash.

    Attributes:
        order: the paid order.
        repeated: whether the form had been sent before and nothing was sold now.

    """

    order: Order
    repeated: bool


def sell_for_cash(
    raffle_id: int,
    *,
    numbers: Collection[int] | None,
    quantity: int,
    buyer_name: str,
    buyer_phone: str,
    request_key: UUID,
    pivot: int,
    by: Actor,
    now: datetime,
) -> CashSale:
    """Sell ticket numbers to a buyer who pays in cash, by the rules of the chat.

    Args:
        raffle_id: primary key of the raffle.
        numbers: the ticket numbers; None: random ones.
        quantity: how many random ticket numbers; ignored if `numbers` is given.
        buyer_name: the buyer's name, of which 150 characters are kept.
        buyer_phone: the buyer's phone number, of which 32 characters are kept; may be empty.
        request_key: unique key of the form; the same key again returns the first sale.
        pivot: random number from 0 to 2**31-1, drawn by the caller with `secrets`.
        by: the author of the sale.
        now: the present time.

    Raises:
        BuyerNameMissing: the name is empty.
        RaffleNotFound: there is no such raffle.
        RaffleNotSelling, QuantityOutOfBounds, NumbersUnknown, NumbersTaken, TooFewLeft: see
            `raffles.services.reservations`; nothing was written.

    """
    name = buyer_name.strip()
    if not name:
        raise BuyerNameMissing
    first = _find_first_sale(request_key)
    if first is not None:
        return CashSale(first, repeated=True)
    buyer = {
        "buyer_name": name[:150],
        "buyer_phone": buyer_phone.strip()[:32],
        "request_key": request_key,
    }
    terms = {"numbers": numbers, "quantity": quantity, "pivot": pivot}
    try:
        order = _sell_in_transaction(raffle_id, terms=terms, buyer=buyer, by=by, now=now)
    except (DomainError, IntegrityError):
        # The same form may have been sent twice at once; then the other request has taken the
        # ticket numbers or the key.
        first = _find_first_sale(request_key)
        if first is None:
            raise
        return CashSale(first, repeated=True)
    _log.info("sold_for_cash", order_id=order.pk, by=by.kind)
    return CashSale(order, repeated=False)


@transaction.atomic(durable=True)
def _sell_in_transaction(
    raffle_id: int,
    *,
    terms: Mapping[str, Any],
    buyer: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> Order:
    """Hold, place and sell; the database accepts each request key only once."""
    held = reservations.hold_chosen_or_random(
        raffle_queries.load_raffle(raffle_id), contact_id=None, by=by, now=now, **terms
    )
    order = orders.place(held, at=now, now=now, by=by, changes=buyer)
    payments.sell_order(order, by=by, now=now, late=False, reason=CASH_SALE_REASON)
    return order


def _find_first_sale(request_key: UUID) -> Order | None:
    return Order.objects.select_related("raffle").filter(request_key=request_key).first()
