"""Judges whether an order is paid: confirmed, rejected, asked for again, or paid too late.

Runs inside the caller's transaction, with the contact locked first and the order by `orders.lock`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from shared.core.enums import (
    OrderAction,
    OrderStatus,
    ProofStatus,
    RejectReason,
    Verdict,
    format_label,
)
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    AmountMismatch,
    AskedJustNow,
    DecisionMade,
    NothingToReview,
    OrderNotPlaced,
    ProofUnseen,
    RejectionNoteMissing,
)
from shared.raffles.models import Order, PaymentProof
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.raffles.services import history, orders, tickets

ASK_AGAIN_INTERVAL: Final = timedelta(minutes=1)
"""Two reviewers who ask for a better proof within this time mean the same request."""


def confirm_payment(
    order: Order,
    *,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reviewed: bool = False,
    received: Decimal | None = None,
    reason: str = "",
) -> Settled | AlreadySettled | NeedsDecision:
    """Sell an order's numbers to its buyer: the money is there.

    A second confirmation changes nothing. An order that had ended takes its numbers back if all
    are free and the raffle is not drawn; otherwise it is flagged and nothing is sold.

    Args:
        order: locked by `orders.lock`.
        by: who saw the money.
        now: when.
        seen_proofs: the payment proofs that were looked at; None: whatever there is.
        reviewed: it is the verdict on proofs that waited, and not on money seen elsewhere.
        received: what arrived, to be compared with the total; None: it is not compared.
        reason: why, in words, e.g. the bank's reference; may be empty.

    Raises:
        OrderNotPlaced: the buyer has not confirmed it yet.
        NothingToReview: `reviewed`, and somebody else turned the proofs down meanwhile.
        ProofUnseen: a proof waits that was not looked at.
        AmountMismatch: another amount arrived than was asked for.
        RaffleDrawn: nothing is sold after the draw.
        DecisionMade: it had ended, its money went back, and no proof has come since.

    """
    if reviewed and order.status != OrderStatus.PAID and not order.needs_decision:
        _refuse_unless_under_review(order)
    match OrderStatus(order.status):
        case OrderStatus.PAID:
            return _build_already_settled(order)
        case OrderStatus.DRAFT:
            raise OrderNotPlaced(order_id=order.pk)
        case OrderStatus.PENDING_PAYMENT:
            orders.refuse_after_the_draw(order)
            refuse_unseen_proofs(order, seen_proofs=seen_proofs)
            _refuse_amount_mismatch(order, received=received)
            return sell_order(order, by=by, now=now, late=False, reason=reason)
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            _refuse_if_refunded(order)
            refuse_unseen_proofs(order, seen_proofs=seen_proofs)
            _refuse_amount_mismatch(order, received=received)
            return sell_late_order(order, by=by, now=now, reason=reason)


def reject_proofs(
    order: Order,
    *,
    reason: RejectReason,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Turn an order's payment proofs down; the time to pay starts anew.

    Of an ended order that needs a decision, the decision is then made: it stays ended.

    Args:
        order: locked by `orders.lock`.
        reason: what is wrong with the proof.
        note: more about it, in words; may be empty, but not with `OTHER`.
        by: who looked at it.
        now: when.
        seen_proofs: the payment proofs that were looked at; None: whatever there is.

    Raises:
        RejectionNoteMissing: `OTHER` without a note.
        OrderAlreadyPaid, OrderEnded: there is nothing left to decide.
        NothingToReview: no proof waits for a decision.
        ProofUnseen: a proof waits that was not looked at.

    """
    if reason is RejectReason.OTHER and not note.strip():
        raise RejectionNoteMissing
    if not order.needs_decision:
        _refuse_unless_under_review(order)
    refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    set_proof_verdicts(order, verdict=Verdict.REJECTED, by=by, now=now, reason=reason, note=note)
    changes: dict[str, Any] = {
        "under_review_since": None,
        "asked_again_at": None,
        "needs_decision": False,
    }
    if order.status == OrderStatus.PENDING_PAYMENT:
        changes |= {"expires_at": orders.compute_payment_deadline(order, now=now)}
    return history.record_order_event(
        order,
        action=OrderAction.PROOF_REJECTED,
        by=by,
        now=now,
        reason=": ".join(filter(None, [format_label(reason), note])),
        changes=changes,
    )


def ask_for_better_proof(
    order: Order,
    *,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Note that the buyer owes a better proof; the order stays under review, its clock stopped.

    The next proof ends the wait.

    Args:
        order: locked by `orders.lock`.
        note: what is asked for, in words; may be empty.
        by: who asks.
        now: when.
        seen_proofs: the payment proofs that were looked at; None: whatever there is.

    Raises:
        OrderAlreadyPaid, OrderEnded: there is nothing left to decide.
        NothingToReview: no proof waits for a decision.
        ProofUnseen: a proof waits that was not looked at.
        AskedJustNow: somebody asked within the last minute.

    """
    _refuse_unless_under_review(order)
    refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    if order.asked_again_at is not None and now - order.asked_again_at < ASK_AGAIN_INTERVAL:
        asked = history.find_last_author(order, OrderAction.ASKED_AGAIN)
        raise AskedJustNow(by=asked.by, at=asked.at)
    return history.record_order_event(
        order,
        action=OrderAction.ASKED_AGAIN,
        by=by,
        now=now,
        reason=note,
        changes={"asked_again_at": now},
    )


def _refuse_unless_under_review(order: Order) -> None:
    orders.refuse_if_over(order)
    if not order.under_review:
        rejected = history.find_last_author(order, OrderAction.PROOF_REJECTED)
        raise NothingToReview(order_id=order.pk, by=rejected.by, at=rejected.at)


def _refuse_if_refunded(order: Order) -> None:
    """Sell nothing for money that was given back, until another proof comes."""
    latest = history.find_last_event(order, OrderAction.REFUND_NOTED, OrderAction.PROOF_RECEIVED)
    if latest is not None and latest.action == OrderAction.REFUND_NOTED:
        refunded = history.get_event_author(latest)
        raise DecisionMade(by=refunded.by, at=refunded.at)


def refuse_unseen_proofs(order: Order, *, seen_proofs: Collection[int] | None) -> None:
    """Go on only if every proof that waits was looked at; None: whoever decides saw the money.

    Raises:
        ProofUnseen: otherwise.

    """
    if seen_proofs is None:
        return
    waiting = order.proofs.filter(verdict=Verdict.PENDING).exclude(status=ProofStatus.FAILED)
    unseen = set(waiting.values_list("pk", flat=True)) - set(seen_proofs)
    if unseen:
        raise ProofUnseen(proof_ids=unseen)


def _refuse_amount_mismatch(order: Order, *, received: Decimal | None) -> None:
    if received is not None and received != order.total:
        raise AmountMismatch(expected=order.total, received=received, currency=order.currency)


def _build_already_settled(order: Order) -> AlreadySettled:
    paid = history.find_last_author(order, OrderAction.PAID)
    if paid.by is None or paid.at is None:
        raise RuntimeError(f"order {order.pk} is paid and its history does not say so")
    return AlreadySettled(order, by=paid.by, at=paid.at)


def sell_late_order(
    order: Order, *, by: Actor, now: datetime, reason: str
) -> Settled | NeedsDecision:
    """Sell an ended order's numbers if it can have them back, else flag it for a decision."""
    taken_back = tickets.take_back_tickets(order)
    if taken_back.succeeded:
        history.record_order_event(order, action=OrderAction.NUMBERS_TAKEN_BACK, by=by, now=now)
        return sell_order(order, by=by, now=now, late=True, reason=reason)
    if not order.needs_decision:
        flag_late_payment(order, by=by, now=now, reason=reason)
    return NeedsDecision(order, taken=taken_back.taken, free=taken_back.free)


def flag_late_payment(order: Order, *, by: Actor, now: datetime, reason: str = "") -> Order:
    """Note that an ended order was paid and cannot have its numbers: a person must decide."""
    return history.record_order_event(
        order,
        action=OrderAction.LATE_PAYMENT,
        by=by,
        now=now,
        reason=reason,
        changes={"needs_decision": True},
    )


def sell_order(
    order: Order,
    *,
    by: Actor,
    now: datetime,
    late: bool,
    reason: str = "",
) -> Settled:
    """Make the numbers an order holds its buyer's for good; whether it may be is decided before.

    Args:
        order: locked, its numbers held.
        by: who saw the money.
        now: when.
        late: whether its numbers had to be taken back or replaced first.
        reason: why, in words; may be empty.

    """
    tickets.sell_order_tickets(order)
    set_proof_verdicts(order, verdict=Verdict.ACCEPTED, by=by, now=now)
    history.change_order_status(
        order,
        to=OrderStatus.PAID,
        action=OrderAction.PAID,
        by=by,
        now=now,
        reason=reason,
        changes={
            "closed_at": now,
            "expires_at": None,
            "under_review_since": None,
            "asked_again_at": None,
            "needs_decision": False,
        },
    )
    return Settled(order, late=late)


def set_proof_verdicts(
    order: Order,
    *,
    verdict: Verdict,
    by: Actor,
    now: datetime,
    reason: RejectReason | None = None,
    note: str = "",
) -> None:
    """Give the proofs of an order that wait for a verdict theirs.

    A file that could not be had proves nothing and is never accepted.
    """
    waiting = PaymentProof.objects.filter(order=order, verdict=Verdict.PENDING)
    if verdict is Verdict.ACCEPTED:
        waiting = waiting.exclude(status=ProofStatus.FAILED)
    waiting.update(
        verdict=verdict,
        reject_reason=reason or "",
        note=note,
        reviewer=by.label or by.kind,
        reviewed_at=now,
    )
