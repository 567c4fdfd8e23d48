"""Clock of orders whose payment proofs leave them, or that a proof without an order may pay.

The functions run inside the caller's transaction, with the contact locked first and the order by
`locks.lock_order`.
"""

from datetime import datetime, timedelta
from typing import Any

from shared.core.enums import OrderAction, OrderStatus, ProofStatus, Verdict
from shared.raffles import deadlines, sale_rules
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.services import history


def leave_review_if_empty(order: Order, *, by: Actor, now: datetime, reason: str = "") -> bool:
    """End the review of an order without a pending proof; its time to pay starts again.

    A proof whose file could not be opened counts as none. The time is capped at the draw, so after
    the draw the order expires.

    Args:
        order: locked by `locks.lock_order`.
        by: the author of what made the last proof leave.
        now: start of the time to pay.
        reason: the reason as text, for the history; may be empty.

    Returns:
        Whether the review ended; not if a proof is still pending or the order is not under review.

    """
    if order.status != OrderStatus.PENDING_PAYMENT or not order.under_review:
        return False
    if has_pending_proof(order):
        return False
    changes: dict[str, Any] = {
        "under_review_since": None,
        "asked_again_at": None,
        "expires_at": deadlines.compute_payment_deadline(order, now=now),
    }
    history.record_order_event(
        order, action=OrderAction.REVIEW_ENDED, by=by, now=now, reason=reason, changes=changes
    )
    return True


def extend_time_once(order: Order, *, by: Actor, now: datetime) -> bool:
    """Extend the clock of an order by the length of a hold, for a proof that may belong to it.

    That happens once in the life of an order, so that no number of pictures keeps ticket numbers
    for ever. The time is capped at the draw.

    Args:
        order: locked by `locks.lock_order`.
        by: the sender of the proof.
        now: time of the extension.

    Returns:
        Whether it was extended; not if no clock runs, or if the raffle may not settle any more.

    """
    runs = order.status in Order.LIVE and not order.under_review
    if not runs or order.expires_at is None:
        return False
    if not sale_rules.may_still_settle(order.raffle, now=now):
        return False
    wanted = order.expires_at + timedelta(minutes=order.raffle.hold_minutes)
    extended = sale_rules.cap_deadline(order.raffle, wanted)
    if extended <= order.expires_at:
        return False
    if history.find_last_event(order, OrderAction.TIME_EXTENDED) is not None:
        return False
    history.record_order_event(
        order,
        action=OrderAction.TIME_EXTENDED,
        by=by,
        now=now,
        changes={"expires_at": extended},
    )
    return True


def has_pending_proof(order: Order) -> bool:
    """Whether a proof of an order waits for a verdict whose file is not lost."""
    pending = order.proofs.filter(verdict=Verdict.PENDING)
    return pending.exclude(status=ProofStatus.FAILED).exists()
