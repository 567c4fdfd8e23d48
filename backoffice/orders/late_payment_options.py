"""What can be done about a payment that came too late, read before it is drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backoffice.orders.ticket_numbers import OrderTicketNumber
from shared.core.enums import RaffleStatus
from shared.raffles.models import Order


@dataclass(frozen=True, slots=True)
class LatePaymentOptions:
    """The ways out of a late payment.

    Attributes:
        order: paid too late.
        all_free: its numbers can be taken back.
        kept: those that are still free, as one would type them.
        gone: those that somebody else has, likewise.
        missing: how many others are needed.
        drawn: nothing is sold any more; only a refund is left.
        seen: ids of the proofs that wait and are shown.

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
    """Read what can be done about an order, in two queries at most.

    Args:
        order: with its raffle.
        numbers: what it had.
        seen: ids of the proofs that wait and are shown.

    Returns:
        None where nothing is to be decided.

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
