"""Receipt of payment proofs and their effect on orders.

The functions run inside the caller's transaction, with the contact locked first and the order by
`locks.lock_order`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.core.enums import (
    OrderAction,
    OrderStatus,
    ProofStatus,
    RaffleStatus,
    UnplacedReason,
)
from shared.raffles import sale_rules
from shared.raffles.actor import SWEEPER, Actor
from shared.raffles.models import Order, PaymentProof
from shared.raffles.results import ProofKept, ProofLate, ProofOrphan, ProofRepeated, ProofSource
from shared.raffles.services import history, orders, tickets
from shared.raffles.services.payment_decisions import payments
from shared.raffles.services.payment_proofs import proof_fetching, review_clock


def receive_proof(
    source: ProofSource,
    *,
    order: Order | None,
    contact_id: int,
    by: Actor,
    now: datetime,
    candidates: Sequence[Order] = (),
    unplaced_reason: UnplacedReason = UnplacedReason.NO_ORDER,
    max_reviews: int | None = None,
) -> ProofKept | ProofLate | ProofOrphan | ProofRepeated:
    """Create a payment proof and stop its order's clock.

    An order that has expired takes its ticket numbers back if all are free and its raffle may still
    settle; otherwise, and if it was cancelled, it is flagged for a decision. A hold that was not
    confirmed yet is placed, because a buyer who pays wants the numbers. The first proof of an order
    that was sent after the time of the draw ends the order and is flagged, too. A paid order keeps
    it as a further proof and stays as it is.

    A proof without an order puts nothing under review. It extends the clocks of the orders that it
    may pay, each once. A proof is also kept without an order if `max_reviews` orders of the buyer
    are under review already and it would begin another review.

    Args:
        source: the message it came with.
        order: the order it pays, locked by `locks.lock_order`; None if it fits none.
        contact_id: the sender, locked by the caller.
        by: the sender, for the history.
        now: time of receipt, from which the file is due to be fetched.
        candidates: without an order, those that it may pay, locked by `locks.lock_order`.
        unplaced_reason: why it has no order.
        max_reviews: orders of the buyer that may be under review at a time; None: not limited.

    Returns:
        The proof, and what it changed.

    """
    same = PaymentProof.objects.filter(
        phone_number_id=source.phone_number_id, wa_message_id=source.wa_message_id
    ).first()
    if same is not None:
        return ProofRepeated(same)
    if order is not None and is_beyond_review_limit(
        order, sent_at=source.arrived_at, now=now, max_reviews=max_reviews
    ):
        candidates, order, unplaced_reason = [order], None, UnplacedReason.REVIEW_LIMIT
    proof = _create_proof(
        source,
        order=order,
        contact_id=contact_id,
        now=now,
        unplaced_reason=unplaced_reason if order is None else None,
    )
    if order is None:
        for candidate in candidates:
            review_clock.extend_time_once(candidate, by=by, now=now)
        return ProofOrphan(proof, unplaced_reason)
    return _record_receipt([proof], order, by=by, now=now)


def is_beyond_review_limit(
    order: Order, *, sent_at: datetime, now: datetime, max_reviews: int | None
) -> bool:
    """Whether a proof would begin a review although enough orders of the buyer are under review.

    Args:
        order: the order it pays, locked by `locks.lock_order`.
        sent_at: when the proof was sent.
        now: the present time.
        max_reviews: orders of a buyer that may be under review at a time; None: not limited.

    """
    if max_reviews is None or not _would_begin_review(order, sent_at=sent_at, now=now):
        return False
    under_review = Order.objects.filter(
        contact_id=order.contact_id, under_review_since__isnull=False
    )
    return under_review.exclude(pk=order.pk).count() >= max_reviews


def _would_begin_review(order: Order, *, sent_at: datetime, now: datetime) -> bool:
    if order.under_review or order.total == 0:
        return False
    if order.status in Order.LIVE:
        return not _comes_too_late(order, sent_at=sent_at)
    is_expired = order.status == OrderStatus.EXPIRED
    return is_expired and sale_rules.may_still_settle(order.raffle, now=now)


def assign_proofs(
    proofs: Sequence[PaymentProof], *, order: Order, by: Actor, now: datetime, reason: str = ""
) -> ProofKept | ProofLate:
    """Assign proofs that fitted no order to one, as if they had been sent for it.

    Args:
        proofs: at least one, locked, without an order or a verdict.
        order: the order they pay, locked by `locks.lock_order`.
        by: the author of the decision.
        now: time of the decision.
        reason: the reason as text, for the history; may be empty.

    Returns:
        The first proof, and what the proofs changed.

    """
    for proof in proofs:
        proof.order = order
        proof.late = _is_late(order, arrived_at=proof.arrived_at)
        proof.unplaced_reason = ""
        proof.save(update_fields=["order", "late", "unplaced_reason"])
    outcome = _record_receipt(proofs, order, by=by, now=now, reason=reason)
    for proof in proofs:
        proof_fetching.signal_if_kept(proof, now=now)
    return outcome


def leave_without_order(
    proofs: Sequence[PaymentProof],
    *,
    order: Order,
    reason: UnplacedReason,
    by: Actor,
    now: datetime,
) -> None:
    """Leave proofs without the order that their sender chose; its clock is extended once.

    Args:
        proofs: locked, without an order or a verdict.
        order: the order that was chosen, locked by `locks.lock_order`.
        reason: why they are not assigned to it.
        by: the sender.
        now: time of the choice.

    """
    for proof in proofs:
        proof.unplaced_reason = reason
        proof.save(update_fields=["unplaced_reason"])
    review_clock.extend_time_once(order, by=by, now=now)


def _create_proof(
    source: ProofSource,
    *,
    order: Order | None,
    contact_id: int,
    now: datetime,
    unplaced_reason: UnplacedReason | None,
) -> PaymentProof:
    return PaymentProof.objects.create(
        order=order,
        contact_id=contact_id,
        status=ProofStatus.FETCHING,
        phone_number_id=source.phone_number_id,
        wa_message_id=source.wa_message_id,
        media_id=source.media_id,
        media_sha256=source.media_sha256,
        caption=source.caption,
        arrived_at=source.arrived_at,
        late=order is not None and _is_late(order, arrived_at=source.arrived_at),
        unplaced_reason=unplaced_reason or "",
        fetch_at=now,
    )


def _is_late(order: Order, *, arrived_at: datetime) -> bool:
    ended_at = None if order.status in Order.HOLDING else order.closed_at
    return ended_at is not None and arrived_at > ended_at


def _record_receipt(
    proofs: Sequence[PaymentProof], order: Order, *, by: Actor, now: datetime, reason: str = ""
) -> ProofKept | ProofLate:
    """Record what one or several proofs mean for their order."""
    sent_at = min(proof.arrived_at for proof in proofs)
    if _comes_too_late(order, sent_at=sent_at):
        _end_unsettled_order(order, now=now)
    if order.status in Order.HOLDING:
        first = _record_proof(order, by=by, now=now, reason=reason)
        return ProofKept(proofs[0], order, first=first)
    taken_back = _record_late_proof(order, by=by, now=now, reason=reason)
    return ProofLate(proofs[0], order, taken_back=taken_back)


def _comes_too_late(order: Order, *, sent_at: datetime) -> bool:
    """Whether it is the first proof of a live order, and nothing may be settled any more."""
    waits_for_proof = order.status in Order.LIVE and not order.under_review
    return waits_for_proof and not sale_rules.may_still_settle(order.raffle, now=sent_at)


def _end_unsettled_order(order: Order, *, now: datetime) -> None:
    """End a live order whose time ended with the draw, or whose raffle was called off."""
    called_off = order.raffle.status == RaffleStatus.CANCELLED
    orders.end_order(
        order,
        to=OrderStatus.CANCELLED if called_off else OrderStatus.EXPIRED,
        action=OrderAction.CANCELLED if called_off else OrderAction.EXPIRED,
        by=SWEEPER,
        now=now,
    )


def _record_proof(order: Order, *, by: Actor, now: datetime, reason: str = "") -> bool:
    """Record a proof of an order that has not ended; return whether it began the review."""
    if order.status == OrderStatus.DRAFT:
        history.change_order_status(
            order,
            to=OrderStatus.PENDING_PAYMENT,
            action=OrderAction.PLACED,
            by=by,
            now=now,
            changes={"placed_at": now},
        )
        if order.total == 0 and sale_rules.may_still_settle(order.raffle, now=now):
            payments.sell_order(order, by=by, now=now, late=False, reason=payments.FREE_REASON)
    first = order.status == OrderStatus.PENDING_PAYMENT and not order.under_review
    changes: dict[str, Any] = {}
    if first:
        changes = {"under_review_since": now, "expires_at": None}
    elif order.asked_again_at is not None:
        changes = {"asked_again_at": None}  # this is the proof that was asked for
    history.record_order_event(
        order, action=OrderAction.PROOF_RECEIVED, by=by, now=now, reason=reason, changes=changes
    )
    return first


def _record_late_proof(order: Order, *, by: Actor, now: datetime, reason: str = "") -> bool:
    """Record a proof of an ended order; return whether it took its ticket numbers back."""
    history.record_order_event(
        order, action=OrderAction.PROOF_RECEIVED, by=by, now=now, reason=reason
    )
    allowed = order.status == OrderStatus.EXPIRED and sale_rules.may_still_settle(
        order.raffle, now=now
    )
    if tickets.take_back_tickets(order, allowed=allowed).succeeded:
        history.change_order_status(
            order,
            to=OrderStatus.PENDING_PAYMENT,
            action=OrderAction.NUMBERS_TAKEN_BACK,
            by=by,
            now=now,
            changes={
                "placed_at": order.placed_at or now,
                "closed_at": None,
                "expires_at": None,
                "under_review_since": now,
                "needs_decision": False,
            },
        )
        return True
    if not order.needs_decision:
        payments.flag_late_payment(order, by=by, now=now)
    return False
