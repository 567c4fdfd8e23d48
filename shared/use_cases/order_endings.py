"""Cancellation and expiry of orders; each queues its message to the buyer."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, transaction

from shared.conversation.notify import notify_buyer
from shared.conversation.texts import order_updates
from shared.core import logs
from shared.core.constants import DEADLINE_GRACE
from shared.core.enums import InboxStatus
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.notes import clean_note
from shared.raffles.services import locks, orders
from shared.raffles.services.payment_proofs import proof_verdicts
from shared.raffles.services.queries import order_queries
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.services import alarms
from shared.whatsapp.services.inbox import contacts, inbox_queue

_log = logs.get_logger(__name__)

MAX_BACKLOG_AGE: Final = timedelta(seconds=60)
"""Age of the oldest unanswered message above which nothing expires: it may be a receipt."""


@transaction.atomic(durable=True)
def cancel_order(
    order_id: int,
    *,
    by: Actor,
    now: datetime,
    reason: str = "",
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Cancel an order that is not paid, release its ticket numbers and inform the buyer.

    Args:
        order_id: primary key of the order.
        by: the author of the cancellation.
        now: the present time.
        reason: the reason as text, which the buyer reads too; may be empty.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.

    Raises:
        OrderNotFound: there is no such order.
        OrderAlreadyPaid: a paid order is never cancelled.
        OrderEnded: it was cancelled or has expired before.
        RaffleSealed, RaffleDrawn: nothing changes any more.
        NoteTooLong: the reason is too long.
        ProofUnseen: a pending proof is not among those seen.

    """
    reason = clean_note(reason)
    order = locks.lock_order_with_contacts(order_id)
    orders.refuse_if_over(order)
    proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    order = orders.cancel(order, by=by, now=now, reason=reason)
    notify_buyer(
        order,
        lambda known: order_updates.build_cancelled_by_seller_message(known, reason=reason),
        now=now,
    )
    _log.info("order_cancelled", order_id=order_id, by=by.kind)
    return order


def expire_due_orders(*, now: datetime, limit: int = 100) -> int:
    """Expire orders whose deadline has passed, each in a transaction of its own; inform the buyers.

    An order does not expire while its buyer's message from before the deadline is unanswered. No
    order expires while a message has been waiting longer than `MAX_BACKLOG_AGE`.

    Args:
        now: the present time.
        limit: orders per call at most.

    Returns:
        How many orders expired.

    """
    oldest = inbox_queue.get_oldest_unanswered_age(now=now)
    if oldest is not None and oldest > MAX_BACKLOG_AGE:
        _log.warning("expiry_waits", oldest_unanswered=round(oldest.total_seconds()))
        return 0
    due = order_queries.list_orders_to_expire(now=now, limit=limit)
    return sum(
        _expire_order_or_alarm(order_id, contact_id, now=now) for order_id, contact_id in due
    )


def _expire_order_or_alarm(order_id: int, contact_id: int | None, *, now: datetime) -> bool:
    """Expire one order; if that fails, sound an alarm so that the other orders still expire."""
    try:
        return _expire_order(order_id, contact_id, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001 - an error in one order must not stop the others
        _log.exception("expiry_failed", order_id=order_id)
        alarms.sound_alarm(
            f"expiry_failed:{order_id}",
            title="An order could not expire",
            detail=f"Order {order_id} keeps its numbers although its time is over. "
            "`manage check_inventory` tells what is wrong with it.",
            now=now,
        )
        return False


@transaction.atomic(durable=True)
def _expire_order(order_id: int, contact_id: int | None, *, now: datetime) -> bool:
    if contact_id is not None:
        contacts.lock_contact(contact_id)
    order = locks.lock_order(order_id)
    if _has_message_before_deadline(order) or not orders.expire(order, now=now):
        return False
    notify_buyer(order, order_updates.build_expired_message, now=now)
    _log.info("order_expired", order_id=order_id)
    return True


def _has_message_before_deadline(order: Order) -> bool:
    """Whether a message of the buyer that was sent before the deadline is unanswered."""
    if order.contact_id is None or order.expires_at is None:
        return False
    return InboundMessage.objects.filter(
        contact_id=order.contact_id,
        status=InboxStatus.RECEIVED,
        sent_at__lte=order.expires_at + DEADLINE_GRACE,
    ).exists()
