"""Options for a payment that arrived too late."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backoffice.orders.ticket_numbers import OrderTicketNumber
from shared.core.enums import RaffleStatus
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
        drawn: Whether the raffle is drawn, which leaves a refund as the only option.
        seen: Ids of the pending proofs that are shown.

    """

    order: Order
    all_free: bool
    kept: str
    gone: str
    missing: int
    drawn: bool
    seen: tuple[int, ...]


def build_late_payment_options(
    order: Order, *, numbers: Sequence[OrderTicketNumber], seen: Iterable[int]
) -> LatePaymentOptions | None:
    """Return the options for an order, without a query.

    Args:
        order: The order, with its raffle.
        numbers: The ticket numbers it held last.
        seen: Ids of the pending proofs that are shown.

    Returns:
        None if the order does not need a decision about a late payment.

    """
    if not order.needs_decision:
        return None
    gone = [number.written for number in numbers if number.gone]
    kept = [number.written for number in numbers if not number.gone]
    drawn = order.raffle.status == RaffleStatus.DRAWN
    return LatePaymentOptions(
        order=order,
        all_free=not gone and not drawn,
        kept=", ".join(kept),
        gone=", ".join(gone),
        missing=len(gone),
        drawn=drawn,
        seen=tuple(seen),
    )
