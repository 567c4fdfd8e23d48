"""Options for a payment that arrived too late."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from backoffice.orders import confirmations
from backoffice.orders.ticket_numbers import OrderTicketNumber
from shared.raffles import sale_rules
from shared.raffles.errors import OrderRefunded
from shared.raffles.models import Order


@dataclass(frozen=True, slots=True)
class LatePaymentOptions:
    """The options for a late payment.

    Attributes:
        order: The order that was paid too late.
        all_free: Whether all its ticket numbers are free and can be taken back.
        kept: Its ticket numbers that are still free, separated by commas.
        gone: Its ticket numbers that somebody else has, separated by commas.
        missing: The count of ticket numbers that need a replacement.
        refusal: The reason why a refund is the only option; empty if it is not.
        seen: Ids of the pending proofs that are shown.
        to_open: Those of them that pages cannot show.

    """

    order: Order
    all_free: bool
    kept: str
    gone: str
    missing: int
    refusal: str
    seen: tuple[int, ...]
    to_open: tuple[int, ...]


def build_late_payment_options(
    order: Order,
    *,
    numbers: Sequence[OrderTicketNumber],
    seen: Iterable[int],
    to_open: Iterable[int],
    now: datetime,
) -> LatePaymentOptions | None:
    """Return the options for an order; its ledger is read unless it is prefetched.

    Args:
        order: The order, with its raffle.
        numbers: The ticket numbers it held last.
        seen: Ids of the pending proofs that are shown.
        to_open: Those of them that pages cannot show.
        now: The current time.

    Returns:
        None if the order does not need a decision about a late payment.

    """
    if not order.needs_decision:
        return None
    gone = [number.written for number in numbers if number.gone]
    kept = [number.written for number in numbers if not number.gone]
    refusal = describe_late_refusal(order, now=now)
    return LatePaymentOptions(
        order=order,
        all_free=not gone and not refusal,
        kept=", ".join(kept),
        gone=", ".join(gone),
        missing=len(gone),
        refusal=refusal,
        seen=tuple(seen),
        to_open=tuple(to_open),
    )


def describe_late_refusal(order: Order, *, now: datetime) -> str:
    """Return why only a refund is left of a late payment; empty if there are other options."""
    refusal = sale_rules.find_settling_refusal(order.raffle, now=now)
    if refusal is not None:
        return refusal.message()
    return OrderRefunded.message() if confirmations.was_refunded(order) else ""
