"""Decisions about payment proofs that do not suffice: rejected, or asked for again.

The functions run inside the caller's transaction, with the contact locked first and the order by
`locks.lock_order`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from shared.core.enums import OrderAction, OrderStatus, RejectReason, Verdict, format_label
from shared.raffles import deadlines, sale_rules
from shared.raffles.actor import Actor
from shared.raffles.errors import AskedJustNow, RejectionNoteMissing
from shared.raffles.models import Order
from shared.raffles.notes import clean_note
from shared.raffles.services import history, orders
from shared.raffles.services.payment_decisions import payments
from shared.raffles.services.payment_proofs import proof_verdicts

ASK_AGAIN_INTERVAL: Final = timedelta(minutes=1)
"""Time within which a second request for a better proof counts as the same request."""


def reject_proofs(
    order: Order,
    *,
    reason: RejectReason,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Reject an order's pending payment proofs; the time to pay starts again.

    An ended order that needs a decision stays ended, and the decision is made by it. Once the time
    of the draw has come, there is no time left to pay: the order is cancelled.

    Args:
        order: locked by `locks.lock_order`.
        reason: what is wrong with the proof.
        note: more about it, which the buyer reads; needed with the reason `OTHER`, else it may be
            empty.
        by: the reviewer.
        now: time of the decision.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.

    Raises:
        RejectionNoteMissing: the reason is `OTHER` and the note is empty.
        NoteTooLong: the note is too long.
        RaffleSealed, RaffleDrawn: nothing changes any more.
        OrderAlreadyPaid, OrderEnded: there is nothing left to decide.
        NothingToReview: no proof is waiting for a decision.
        ProofElsewhere: a proof that was seen belongs to another order, or was moved to one.
        ProofUnseen: a pending proof is not among those seen.

    """
    note = clean_note(note)
    if reason is RejectReason.OTHER and not note:
        raise RejectionNoteMissing
    proof_verdicts.refuse_foreign_proofs(order, seen_proofs=seen_proofs)
    if not order.needs_decision:
        payments.refuse_unless_under_review(order)
        sale_rules.refuse_after_sealing(order.raffle)
    proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    proof_verdicts.set_proof_verdicts(
        order, verdict=Verdict.REJECTED, by=by, now=now, reason=reason, note=note
    )
    history_reason = ": ".join(filter(None, [format_label(reason), note]))
    if order.status == OrderStatus.PENDING_PAYMENT and not sale_rules.may_still_settle(
        order.raffle, now=now
    ):
        return orders.end_order(
            order,
            to=OrderStatus.CANCELLED,
            action=OrderAction.PROOF_REJECTED,
            by=by,
            now=now,
            reason=history_reason,
            changes={"expires_at": None},
        )
    return history.record_order_event(
        order,
        action=OrderAction.PROOF_REJECTED,
        by=by,
        now=now,
        reason=history_reason,
        changes=_build_changes_of_rejection(order, now=now),
    )


def _build_changes_of_rejection(order: Order, *, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "under_review_since": None,
        "asked_again_at": None,
        "needs_decision": False,
    }
    if order.status == OrderStatus.PENDING_PAYMENT:
        changes |= {"expires_at": deadlines.compute_payment_deadline(order, now=now)}
    return changes


def ask_for_better_proof(
    order: Order,
    *,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Record a request for a better proof; the order stays under review with its clock stopped.

    The buyer's next proof fulfils the request.

    Args:
        order: locked by `locks.lock_order`.
        note: what is needed, which the buyer reads; may be empty.
        by: the reviewer.
        now: time of the request.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.

    Raises:
        NoteTooLong: the note is too long.
        RaffleSealed, RaffleDrawn: nothing changes any more.
        OrderAlreadyPaid, OrderEnded: there is nothing left to decide.
        NothingToReview: no proof is waiting for a decision.
        ProofElsewhere: a proof that was seen belongs to another order, or was moved to one.
        ProofUnseen: a pending proof is not among those seen.
        AskedJustNow: the last request is less than `ASK_AGAIN_INTERVAL` old.

    """
    note = clean_note(note)
    proof_verdicts.refuse_foreign_proofs(order, seen_proofs=seen_proofs)
    payments.refuse_unless_under_review(order)
    sale_rules.refuse_after_sealing(order.raffle)
    proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    if order.asked_again_at is not None and now - order.asked_again_at < ASK_AGAIN_INTERVAL:
        author = history.find_last_author(order, OrderAction.ASKED_AGAIN)
        raise AskedJustNow(by=author.by, at=author.at)
    return history.record_order_event(
        order,
        action=OrderAction.ASKED_AGAIN,
        by=by,
        now=now,
        reason=note,
        changes={"asked_again_at": now},
    )
