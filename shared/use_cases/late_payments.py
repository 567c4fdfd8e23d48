"""Decisions about payments that came too late; each queues its message to the buyer.

The confirmation that finds a payment too late is `payments.confirm_payment`.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from shared.conversation.notify import notify_buyer
from shared.conversation.texts import order_updates
from shared.core import logs
from shared.raffles import sale_rules
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.notes import clean_note
from shared.raffles.results import NeedsDecision, Settled
from shared.raffles.services import locks
from shared.raffles.services.payment_decisions import late_payments, payments, reversals
from shared.raffles.services.payment_proofs import proof_verdicts

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
    """Sell the old ticket numbers after all, with a message that confirms it.

    If some of them belong to other orders, nothing changes and the order still needs a decision.

    Args:
        order_id: an order that needs a decision.
        by: the author of the decision.
        now: the present time.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.
        reason: the reason as text, for the order's history; may be empty.

    Raises:
        OrderNotFound: there is no such order.
        DecisionMade: it needs no decision; `by` and `at` name the one that was made, if known.
        ProofUnseen: a pending proof is not among those seen.
        OrderRefunded: the order was paid and refunded before.
        RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached: it is too late.
        NoteTooLong: the reason is too long.

    """
    reason = clean_note(reason)
    order = locks.lock_order_with_contacts(order_id)
    late_payments.refuse_if_decided(order)
    reversals.refuse_if_refunded(order)
    sale_rules.refuse_unless_settling(order.raffle, now=now)
    proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    if seen_proofs:
        proof_verdicts.refuse_unviewable_proofs(order)
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
    """Sell other ticket numbers at the old price, with a message that names the old and new ones.

    A paused or closed raffle allows it; not after the time of the draw.

    Args:
        order_id: an order that needs a decision.
        numbers: all the ticket numbers it gets, as many as it had; None: those of the old ones
            that are free, and random ones for the rest.
        pivot: random number from 0 to 2**31-1, drawn by the caller with `secrets`.
        by: the author of the decision.
        now: the present time.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.
        reason: the reason as text, for the order's history; may be empty.

    Raises:
        OrderNotFound: there is no such order.
        DecisionMade: it needs no decision; `by` and `at` name the one that was made, if known.
        ProofUnseen, OrderRefunded, RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached,
            NoteTooLong, QuantityOutOfBounds, NumbersUnknown, NumbersTaken, TooFewLeft: see
            `payment_decisions.late_payments.replace_numbers`.

    """
    order = locks.lock_order_with_contacts(order_id)
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
    """Record the refund of a late payment and inform the buyer; the order stays ended.

    Args:
        order_id: an order that needs a decision.
        note: why and how the money goes back, which the buyer reads.
        by: the author of the decision.
        now: the present time.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.

    Raises:
        OrderNotFound: there is no such order.
        NoteMissing, NoteTooLong: the note is empty or too long.
        DecisionMade: it needs no decision; `by` and `at` name the one that was made, if known.
        ProofUnseen: a pending proof is not among those seen.

    """
    order = late_payments.note_refund(
        locks.lock_order_with_contacts(order_id), note=note, by=by, now=now, seen_proofs=seen_proofs
    )
    notify_buyer(
        order, lambda known: order_updates.build_refund_noted_message(known, note=note), now=now
    )
    _log.info("refund_noted", order_id=order_id, by=by.kind)
    return order
