"""Reversals of a confirmed payment by staff or the API; each queues its message to the buyer."""

from datetime import datetime

from django.db import transaction

from shared.conversation.notify import notify_buyer
from shared.conversation.texts import order_updates
from shared.core import logs
from shared.raffles.actor import Actor
from shared.raffles.results import Reversed
from shared.raffles.services import locks
from shared.raffles.services.payment_decisions import reversals

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def undo_confirmation(
    order_id: int, *, confirmation_id: int, reason: str, by: Actor, now: datetime
) -> Reversed:
    """Put a paid order under review again, because its confirmation was a mistake.

    Args:
        order_id: primary key of the order.
        confirmation_id: the history entry of the confirmation; repeating the request never undoes
            a later one.
        reason: the reason, for the order's history.
        by: the author of the decision.
        now: the present time.

    Returns:
        The order; `repeated` if this confirmation was undone before.

    Raises:
        OrderNotFound: there is no such order.
        NoteMissing, NoteTooLong, CashSaleNotUndone, OrderNotPaid, ConfirmationReplaced,
            OrderRefunded, RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached: see
            `payment_decisions.reversals.undo_confirmation`.

    """
    outcome = reversals.undo_confirmation(
        locks.lock_order_with_contacts(order_id),
        confirmation_id=confirmation_id,
        reason=reason,
        by=by,
        now=now,
    )
    if not outcome.repeated:
        notify_buyer(outcome.order, order_updates.build_unconfirmed_message, now=now)
        _log.info("confirmation_undone", order_id=order_id, by=by.kind)
    return outcome


@transaction.atomic(durable=True)
def refund_order(
    order_id: int,
    *,
    confirmation_id: int,
    note: str,
    by: Actor,
    now: datetime,
    reference: str = "",
) -> Reversed:
    """Record that the money of a paid order went back; before the sealing the order is cancelled.

    Args:
        order_id: primary key of the order.
        confirmation_id: the history entry of the confirmation that brought the money in.
        note: why and how the money goes back, which the buyer reads.
        by: the author of the decision.
        now: the present time.
        reference: e.g. of the bank transfer, for the books; may be empty.

    Returns:
        The order; `repeated` if this payment was refunded before.

    Raises:
        OrderNotFound: there is no such order.
        NoteMissing, NoteTooLong, OrderNotPaid, ConfirmationReplaced: see
            `payment_decisions.reversals.refund_order`.

    """
    outcome = reversals.refund_order(
        locks.lock_order_with_contacts(order_id),
        confirmation_id=confirmation_id,
        note=note,
        reference=reference,
        by=by,
        now=now,
    )
    if not outcome.repeated:
        notify_buyer(
            outcome.order,
            lambda known: order_updates.build_refunded_message(known, note=note.strip()),
            now=now,
        )
        _log.info("order_refunded", order_id=order_id, by=by.kind)
    return outcome
