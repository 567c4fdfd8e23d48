"""Decides about payments that came too late: each decision and the buyer's notice in one
transaction. A first confirmation that comes too late is `settlement.confirm_payment`."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from shared.conversation.notify import notify_buyer
from shared.conversation.texts import order_updates
from shared.core import logs
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.results import NeedsDecision, Settled
from shared.raffles.services import late_payments, payments
from shared.use_cases.locking import lock_order_with_contacts

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def take_back_numbers(
    order_id: int,
    *,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reason: str = "",
) -> Settled | NeedsDecision:
    """Sell a buyer who paid too late the old numbers after all, and tell them so.

    Where some are still gone, or the raffle is drawn, nothing changes: it is to be decided yet.

    Args:
        order_id: an order that needs a decision.
        by: who decides.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: whoever decides saw the money.
        reason: why, in words, for the order's history; may be empty.

    Raises:
        OrderNotFound: there is none.
        DecisionMade: somebody decided before; `by` and `at` say who and when, where known.
        ProofUnseen: a proof waits that was not looked at.

    """
    order = lock_order_with_contacts(order_id)
    late_payments.refuse_if_decided(order)
    payments.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    outcome = payments.sell_late_order(order, by=by, now=now, reason=reason)
    if isinstance(outcome, Settled):
        notify_buyer(order, order_updates.build_paid_message, now=now)
    _log.info("late_order_taken_back", order_id=order_id, outcome=type(outcome).__name__)
    return outcome


@transaction.atomic(durable=True)
def replace_numbers(
    order_id: int,
    *,
    numbers: Collection[int] | None,
    pivot: int,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reason: str = "",
) -> Settled:
    """Sell other numbers to a buyer who paid too late, at the frozen price; tell them both.

    A paused or closed raffle allows it, for what is pending there can still be paid; a drawn one
    does not.

    Args:
        order_id: an order that needs a decision.
        numbers: all the numbers it gets, as many as it had; None: those of the old ones that are
            free, and random ones for the rest.
        pivot: 0 to 2**31-1, thrown by the caller with `secrets`.
        by: who decides.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: whoever decides saw the money.
        reason: why, in words, for the order's history; may be empty.

    Raises:
        OrderNotFound: there is none.
        DecisionMade: somebody decided before; `by` and `at` say who and when, where known.
        ProofUnseen: a proof waits that was not looked at.
        RaffleDrawn: nothing is sold after the draw.
        QuantityOutOfBounds: not as many numbers as were paid.
        NumbersUnknown, NumbersTaken, TooFewLeft: they cannot be had.

    """
    order = lock_order_with_contacts(order_id)
    old = order.list_ticket_numbers()
    settled = late_payments.replace_numbers(
        order,
        numbers=numbers,
        pivot=pivot,
        by=by,
        now=now,
        seen_proofs=seen_proofs,
        reason=reason,
    )
    notify_buyer(
        order, lambda known: order_updates.build_numbers_replaced_message(known, old=old), now=now
    )
    _log.info("numbers_replaced", order_id=order_id, by=by.kind)
    return settled


@transaction.atomic(durable=True)
def note_refund(
    order_id: int,
    *,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Note that the money of a late payment goes back, and tell the buyer; the order stays ended.

    Args:
        order_id: an order that needs a decision.
        note: how it goes back, which the buyer reads too; may be empty.
        by: who decides.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: whoever decides knows them.

    Raises:
        OrderNotFound: there is none.
        DecisionMade: somebody decided before; `by` and `at` say who and when, where known.
        ProofUnseen: a proof waits that was not looked at.

    """
    order = late_payments.note_refund(
        lock_order_with_contacts(order_id), note=note, by=by, now=now, seen_proofs=seen_proofs
    )
    notify_buyer(
        order, lambda known: order_updates.build_refund_noted_message(known, note=note), now=now
    )
    _log.info("refund_noted", order_id=order_id, by=by.kind)
    return order
