"""Rules of the time that buyers have to confirm a hold, or to pay an order."""

from datetime import datetime, timedelta
from typing import Final

from shared.raffles import sale_rules
from shared.raffles.errors import (
    DrawTimeReached,
    EnoughTimeLeft,
    NoTimeAfterDraw,
    OrderUnderReview,
)
from shared.raffles.models import Order

LEAST_TIME_GIVEN: Final = timedelta(minutes=1)
"""Deadlines are told to the minute, so a buyer would read less as no time at all."""


def compute_payment_deadline(order: Order, *, now: datetime) -> datetime:
    """Return the deadline of an order whose time to pay starts now; never after the draw."""
    wanted = now + timedelta(minutes=order.raffle.hold_minutes)
    return sale_rules.cap_deadline(order.raffle, wanted)


def compute_later_deadline(order: Order, *, now: datetime) -> datetime:
    """Return the deadline of a live order if it is given more time now.

    Raises:
        RaffleSealed, RaffleDrawn, RaffleCalledOff, NoTimeAfterDraw: it is too late.
        OrderUnderReview: no clock runs.
        EnoughTimeLeft: it would gain less than `LEAST_TIME_GIVEN`.

    """
    try:
        sale_rules.refuse_unless_settling(order.raffle, now=now)
    except DrawTimeReached as refusal:
        raise NoTimeAfterDraw(draw_at=order.raffle.draw_at) from refusal
    if order.under_review:
        raise OrderUnderReview(order_id=order.pk)
    deadline = compute_payment_deadline(order, now=now)
    if order.expires_at is None or deadline < order.expires_at + LEAST_TIME_GIVEN:
        raise EnoughTimeLeft(expires_at=order.expires_at)
    return deadline
