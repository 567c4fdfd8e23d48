"""Decisions about payments and their proofs; the buyer is told in the same transaction."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from shared.conversation.notify import notify_buyer
from shared.conversation.texts import order_updates
from shared.core import logs
from shared.core.enums import RejectReason
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.raffles.services import payments
from shared.use_cases.locking import lock_order_with_contacts

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def confirm_payment(
    order_id: int,
    *,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reviewed: bool = False,
    received: Decimal | None = None,
    reason: str = "",
) -> Settled | AlreadySettled | NeedsDecision:
    """Sell an order's numbers to its buyer and tell them so.

    A second confirmation changes nothing and says who confirmed first. An expired or cancelled
    order takes its numbers back if all are free; else it is flagged, the buyer is told that a
    person decides, and nothing is sold.

    Args:
        order_id: which order.
        by: who saw the money.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: whoever confirms saw the money.
        reviewed: it is the verdict on proofs that waited: refused if somebody else gave one.
        received: what arrived, in the order's currency, to be compared with its total; None: it is
            not compared.
        reason: why, in words, e.g. the bank's reference, for the order's history; may be empty.

    Raises:
        OrderNotFound, OrderNotPlaced, RaffleDrawn, ProofUnseen, AmountMismatch, DecisionMade,
            NothingToReview, OrderEnded: see `raffles.services.payments`.

    """
    order = lock_order_with_contacts(order_id)
    known_late = order.needs_decision
    outcome = payments.confirm_payment(
        order,
        by=by,
        now=now,
        seen_proofs=seen_proofs,
        reviewed=reviewed,
        received=received,
        reason=reason,
    )
    if isinstance(outcome, Settled):
        notify_buyer(outcome.order, order_updates.build_paid_message, now=now)
    elif isinstance(outcome, NeedsDecision) and not known_late:
        notify_buyer(outcome.order, order_updates.build_late_payment_message, now=now)
    _log.info("payment_confirmed", order_id=order_id, outcome=type(outcome).__name__, by=by.kind)
    return outcome


@transaction.atomic(durable=True)
def reject_payment(
    order_id: int,
    *,
    reason: RejectReason,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Turn an order's proofs down and tell the buyer why; the time to pay starts anew.

    Args:
        order_id: which order.
        reason: one of the listed ones.
        note: more about it, which the buyer reads too; may be empty, but not with `OTHER`.
        by: who looked at it.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: all there are.

    Raises:
        OrderNotFound, RejectionNoteMissing, NothingToReview, ProofUnseen, OrderAlreadyPaid,
            OrderEnded: see `raffles.services.payments`.

    """
    order = payments.reject_proofs(
        lock_order_with_contacts(order_id),
        reason=reason,
        note=note,
        by=by,
        now=now,
        seen_proofs=seen_proofs,
    )
    notify_buyer(
        order,
        lambda known: order_updates.build_rejected_message(
            known, reason=reason, note=note, now=now
        ),
        now=now,
    )
    _log.info("payment_rejected", order_id=order_id, reason=reason, by=by.kind)
    return order


@transaction.atomic(durable=True)
def ask_for_better_proof(
    order_id: int,
    *,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Ask a buyer for a better proof; the order stays under review and its clock stopped.

    Args:
        order_id: which order.
        note: what is asked for, which the buyer reads; may be empty.
        by: who asks.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: all there are.

    Raises:
        OrderNotFound, NothingToReview, ProofUnseen, AskedJustNow, OrderAlreadyPaid, OrderEnded:
            see `raffles.services.payments`.

    """
    order = payments.ask_for_better_proof(
        lock_order_with_contacts(order_id), note=note, by=by, now=now, seen_proofs=seen_proofs
    )
    notify_buyer(
        order, lambda known: order_updates.build_asked_again_message(known, note=note), now=now
    )
    _log.info("proof_asked_again", order_id=order_id, by=by.kind)
    return order
