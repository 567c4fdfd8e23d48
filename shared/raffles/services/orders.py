"""Life of an order: placed, given more time, cancelled and expired; notes about it.

The functions run inside the caller's transaction, with the contact locked first and the order by
`locks.lock_order`.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from shared.core.constants import DEADLINE_GRACE
from shared.core.enums import OrderAction, OrderStatus
from shared.raffles import deadlines, sale_rules
from shared.raffles.actor import SWEEPER, Actor
from shared.raffles.errors import (
    NoteEmpty,
    OrderAlreadyPaid,
    OrderEnded,
    OrderExpired,
    OrderNotDraft,
)
from shared.raffles.models import Order
from shared.raffles.notes import clean_note
from shared.raffles.services import history, tickets

_NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})


def place(
    order: Order,
    *,
    at: datetime,
    now: datetime,
    by: Actor,
    changes: Mapping[str, Any] = _NO_CHANGES,
) -> Order:
    """Turn a hold into an order that waits for payment; the time to pay starts.

    Args:
        order: locked by `locks.lock_order`.
        at: when the buyer confirmed, by the time of their message; it is compared with the
            deadline.
        now: start of the time to pay.
        by: the author of the confirmation.
        changes: other fields of the order that change with it, by field name.

    Raises:
        OrderExpired: `at` is after the deadline and `DEADLINE_GRACE`, or the order has expired.
        OrderNotDraft: it was placed, paid or cancelled before.
        RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached: it is too late.

    """
    if order.status == OrderStatus.EXPIRED:
        raise OrderExpired(order_id=order.pk)
    if order.status != OrderStatus.DRAFT:
        raise OrderNotDraft(status=order.status)
    sale_rules.refuse_unless_settling(order.raffle, now=now)
    if order.expires_at is not None and at > order.expires_at + DEADLINE_GRACE:
        raise OrderExpired(order_id=order.pk)
    return history.change_order_status(
        order,
        to=OrderStatus.PENDING_PAYMENT,
        action=OrderAction.PLACED,
        by=by,
        now=now,
        changes={
            "placed_at": now,
            "expires_at": deadlines.compute_payment_deadline(order, now=now),
            **changes,
        },
    )


def give_more_time(order: Order, *, by: Actor, now: datetime) -> Order:
    """Start the time to confirm or to pay an order anew; it never goes beyond the draw.

    Args:
        order: locked by `locks.lock_order`.
        by: the author.
        now: start of the time.

    Raises:
        OrderAlreadyPaid, OrderEnded: see `refuse_if_over`.
        RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached, OrderUnderReview,
            EnoughTimeLeft: see `deadlines.compute_later_deadline`.

    """
    refuse_if_over(order)
    deadline = deadlines.compute_later_deadline(order, now=now)
    return history.record_order_event(
        order,
        action=OrderAction.TIME_GIVEN,
        by=by,
        now=now,
        changes={"expires_at": deadline},
    )


def add_note(order: Order, *, note: str, by: Actor, now: datetime) -> Order:
    """Add a note to the history of an order, whatever its status; nothing else changes.

    Args:
        order: locked by `locks.lock_order`.
        note: the note, for staff.
        by: the author.
        now: time of the note.

    Raises:
        NoteEmpty: it has no words.
        NoteTooLong: it is longer than `MAX_NOTE_LENGTH`.

    """
    cleaned = clean_note(note)
    if not cleaned:
        raise NoteEmpty
    return history.record_order_event(
        order, action=OrderAction.NOTE_ADDED, by=by, now=now, reason=cleaned
    )


def cancel(order: Order, *, by: Actor, now: datetime, reason: str = "") -> Order:
    """Cancel an order that is not paid and release its ticket numbers.

    An order under review is flagged for a decision: its receipt says that money may have come.

    Args:
        order: locked by `locks.lock_order`.
        by: the author of the cancellation.
        now: time of the cancellation.
        reason: the reason as text; may be empty.

    Raises:
        OrderAlreadyPaid: a paid order is never cancelled.
        OrderEnded: it was cancelled or has expired before.
        RaffleSealed, RaffleDrawn: nothing changes any more.

    """
    refuse_if_over(order)
    sale_rules.refuse_after_sealing(order.raffle)
    return end_order(
        order,
        to=OrderStatus.CANCELLED,
        action=OrderAction.CANCELLED,
        by=by,
        now=now,
        reason=reason,
        changes={"needs_decision": True} if order.under_review else _NO_CHANGES,
    )


def expire(order: Order, *, now: datetime) -> bool:
    """Expire an order whose deadline and `DEADLINE_GRACE` have passed; release its ticket numbers.

    Returns:
        Whether it expired; not if it is not due, is paid, has ended or is under review.

    """
    running = order.status in Order.LIVE and not order.under_review
    if not running or order.expires_at is None:
        return False
    if now <= sale_rules.cap_deadline(order.raffle, order.expires_at) + DEADLINE_GRACE:
        return False
    end_order(order, to=OrderStatus.EXPIRED, action=OrderAction.EXPIRED, by=SWEEPER, now=now)
    return True


def cap_deadline(order: Order) -> None:
    """Move the deadline of a locked order to the draw of its raffle, if it is later."""
    if order.expires_at is None:
        return
    capped = sale_rules.cap_deadline(order.raffle, order.expires_at)
    if capped != order.expires_at:
        order.expires_at = capped
        order.save(update_fields=["expires_at"])


def refuse_if_over(order: Order) -> None:
    """Check that an order is neither paid nor ended.

    Raises:
        OrderAlreadyPaid: it is paid; author and time are in the details.
        OrderEnded: it was cancelled or has expired; author and time of the end, or of a later
            decision about a late payment, are in the details.

    """
    if order.status == OrderStatus.PAID:
        paid = history.find_last_author(order, OrderAction.PAID)
        raise OrderAlreadyPaid(order_id=order.pk, by=paid.by, at=paid.at)
    if order.status not in Order.LIVE:
        ended = history.find_last_author(order, *_ENDING_ACTIONS)
        raise OrderEnded(status=order.status, by=ended.by, at=ended.at)


_ENDING_ACTIONS: Final = (
    OrderAction.CANCELLED,
    OrderAction.EXPIRED,
    OrderAction.PROOF_REJECTED,  # of a late payment; an earlier one is older than the end
    OrderAction.PROOF_MOVED,  # like a rejected one
    OrderAction.PROOF_DISMISSED,
    OrderAction.REFUND_NOTED,
    OrderAction.REFUNDED,
)
"""Actions that ended an order, or decided about it after its end."""


def end_order(
    order: Order,
    *,
    to: OrderStatus,
    action: OrderAction,
    by: Actor,
    now: datetime,
    reason: str = "",
    changes: Mapping[str, Any] = _NO_CHANGES,
) -> Order:
    """End an order that is not paid and release its ticket numbers.

    Args:
        order: locked by `locks.lock_order`.
        to: the status in which it ends.
        action: the action that the history entry names.
        by: the author.
        now: time of the end.
        reason: the reason as text; may be empty.
        changes: other fields of the order that change with it, by field name.

    """
    tickets.release_order_tickets(order, now=now)
    return history.change_order_status(
        order,
        to=to,
        action=action,
        by=by,
        now=now,
        reason=reason,
        changes={
            "closed_at": now,
            "under_review_since": None,
            "asked_again_at": None,
            **changes,
        },
    )
