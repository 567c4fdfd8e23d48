"""Decisions about payments and their proofs; each queues its message to the buyer."""

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
from shared.raffles.services import locks
from shared.raffles.services.payment_decisions import payments, proof_rejections

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def confirm_payment(
    order_id: int,
    *,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reviewed: bool = False,
    money_seen: bool = False,
    received: Decimal | None = None,
    reason: str = "",
) -> Settled | AlreadySettled | NeedsDecision:
    """Sell an order's ticket numbers to its buyer, with a message that confirms it.

    A second confirmation changes nothing; its result names the first. An expired order, or one that
    was cancelled and that a person confirms, takes its ticket numbers back if all are free.
    Otherwise it is flagged, nothing is sold and the buyer gets a message that a person will decide.

    Args:
        order_id: primary key of the order.
        by: the author of the confirmation.
        now: the present time.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.
        reviewed: whether this is a verdict on pending proofs, not on money seen elsewhere.
        money_seen: whether a person saw the money on the account; the reason says how.
        received: amount that arrived, in the order's currency, to be compared with its total;
            None: not compared.
        reason: the reason as text, e.g. the bank's reference, for the history; may be empty.

    Returns:
        The sale, the earlier confirmation, or the need of a decision.

    Raises:
        OrderNotFound: there is no such order.
        OrderNotPlaced, NothingToReview, OrderEnded, ProofUnseen, ProofElsewhere, ProofNotViewable,
            NoteMissing, AmountMismatch, RaffleSealed, RaffleDrawn, RaffleCalledOff,
            DrawTimeReached, ConfirmationUndone, OrderRefunded, NoteTooLong, DecisionMade: see
            `payment_decisions.payments.confirm_payment`.

    """
    order = locks.lock_order_with_contacts(order_id)
    was_flagged = order.needs_decision
    outcome = payments.confirm_payment(
        order,
        by=by,
        now=now,
        seen_proofs=seen_proofs,
        reviewed=reviewed,
        money_seen=money_seen,
        received=received,
        reason=reason,
    )
    if isinstance(outcome, Settled):
        notify_buyer(outcome.order, order_updates.build_paid_message, now=now)
    elif isinstance(outcome, NeedsDecision) and not was_flagged:
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
    """Reject an order's proofs, with a message that says why; the time to pay starts again.

    Once the time of the draw has come, the order is cancelled instead.

    Args:
        order_id: primary key of the order.
        reason: what is wrong with the proofs.
        note: more about it, which the buyer reads too; needed with the reason `OTHER`, else it may
            be empty.
        by: the reviewer.
        now: the present time.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.

    Raises:
        OrderNotFound: there is no such order.
        RejectionNoteMissing, NoteTooLong, NothingToReview, ProofUnseen, OrderAlreadyPaid,
            OrderEnded, RaffleSealed, RaffleDrawn: see `proof_rejections.reject_proofs`.

    """
    order = proof_rejections.reject_proofs(
        locks.lock_order_with_contacts(order_id),
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
    """Ask a buyer for a better proof; the order stays under review with its clock stopped.

    Args:
        order_id: primary key of the order.
        note: what is needed, which the buyer reads; may be empty.
        by: the reviewer.
        now: the present time.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.

    Raises:
        OrderNotFound: there is no such order.
        NoteTooLong, NothingToReview, ProofUnseen, AskedJustNow, OrderAlreadyPaid, OrderEnded,
            RaffleSealed, RaffleDrawn: see `proof_rejections.ask_for_better_proof`.

    """
    order = proof_rejections.ask_for_better_proof(
        locks.lock_order_with_contacts(order_id), note=note, by=by, now=now, seen_proofs=seen_proofs
    )
    notify_buyer(
        order, lambda known: order_updates.build_asked_again_message(known, note=note), now=now
    )
    _log.info("proof_asked_again", order_id=order_id, by=by.kind)
    return order
