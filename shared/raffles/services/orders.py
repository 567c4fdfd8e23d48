"""Takes an order from the hold to its end: found, locked, placed, cancelled, expired.

Runs inside the caller's transaction, with the contact locked first and the order by `lock`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from shared.core.constants import DEADLINE_GRACE
from shared.core.enums import OrderAction, OrderStatus, RaffleStatus
from shared.raffles.actor import SWEEPER, Actor
from shared.raffles.errors import (
    OrderAlreadyPaid,
    OrderEnded,
    OrderExpired,
    OrderNotDraft,
    OrderNotFound,
    RaffleDrawn,
)
from shared.raffles.models import Order
from shared.raffles.services import history, tickets

_NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})


def lock_order(order_id: int) -> Order:
    """Lock an order and read its raffle along; its contact is to be locked before.

    Raises:
        OrderNotFound: if there is no such order.

    """
    locking = Order.objects.select_for_update(no_key=True, of=("self",))
    try:
        return locking.select_related("raffle").get(pk=order_id)
    except Order.DoesNotExist:
        raise OrderNotFound(order_id=order_id) from None


def place(
    order: Order,
    *,
    at: datetime,
    now: datetime,
    by: Actor,
    changes: Mapping[str, Any] = _NO_CHANGES,
) -> Order:
    """Make a hold an order that waits for its payment; the clock starts anew, once.

    Args:
        order: locked by `lock`.
        at: when the buyer confirmed, by their message's own time; the deadline is judged by it.
        now: the time to pay runs from here.
        by: who confirms.
        changes: other fields of the order that change with it.

    Raises:
        OrderExpired: confirmed after the deadline and its grace, or expired meanwhile.
        OrderNotDraft: it was placed, paid or cancelled before.
        RaffleDrawn: too late altogether.

    """
    if order.status == OrderStatus.EXPIRED:
        raise OrderExpired(order_id=order.pk)
    if order.status != OrderStatus.DRAFT:
        raise OrderNotDraft(status=order.status)
    if order.expires_at is not None and at > order.expires_at + DEADLINE_GRACE:
        raise OrderExpired(order_id=order.pk)
    refuse_after_the_draw(order)
    return history.change_order_status(
        order,
        to=OrderStatus.PENDING_PAYMENT,
        action=OrderAction.PLACED,
        by=by,
        now=now,
        changes={
            "placed_at": now,
            "expires_at": compute_payment_deadline(order, now=now),
            **changes,
        },
    )


def cancel(order: Order, *, by: Actor, now: datetime, reason: str = "") -> Order:
    """End an order that is not paid and give its numbers back.

    Raises:
        OrderAlreadyPaid: nothing paid is cancelled.
        OrderEnded: it was cancelled or has expired before.

    """
    refuse_if_over(order)
    return _end_order(
        order,
        to=OrderStatus.CANCELLED,
        action=OrderAction.CANCELLED,
        by=by,
        now=now,
        reason=reason,
    )


def expire(order: Order, *, now: datetime) -> bool:
    """End an order whose time has run out, grace included, and give its numbers back.

    Returns:
        False if it is not due, or not any more: paid, ended, or a proof stopped the clock.

    """
    running = order.status in Order.LIVE and not order.under_review
    if not running or order.expires_at is None or now <= order.expires_at + DEADLINE_GRACE:
        return False
    _end_order(order, to=OrderStatus.EXPIRED, action=OrderAction.EXPIRED, by=SWEEPER, now=now)
    return True


def compute_payment_deadline(order: Order, *, now: datetime) -> datetime:
    """Say until when an order can be paid whose time begins now."""
    return now + timedelta(minutes=order.raffle.hold_minutes)


def refuse_if_over(order: Order) -> None:
    """Go on only with an order that is neither paid nor ended.

    Raises:
        OrderAlreadyPaid, OrderEnded: with who brought it there, or decided about it since.

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
    OrderAction.PROOF_REJECTED,  # of a late payment; one from before is older than the end
    OrderAction.REFUND_NOTED,
)


def refuse_after_the_draw(order: Order) -> None:
    """Go on only while the raffle is not drawn.

    Raises:
        RaffleDrawn: otherwise.

    """
    if order.raffle.status == RaffleStatus.DRAWN:
        raise RaffleDrawn(raffle_id=order.raffle_id)


def _end_order(
    order: Order,
    *,
    to: OrderStatus,
    action: OrderAction,
    by: Actor,
    now: datetime,
    reason: str = "",
) -> Order:
    tickets.release_order_tickets(order, now=now)
    return history.change_order_status(
        order,
        to=to,
        action=action,
        by=by,
        now=now,
        reason=reason,
        changes={"closed_at": now, "under_review_since": None, "asked_again_at": None},
    )
