"""Payment proofs that a person moves from one order to another.

The functions run inside the caller's transaction, with both orders locked by
`locks.lock_two_orders_with_contacts` and the proof by `orphan_proofs.lock_pending_proof`.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.core.enums import OrderAction, OrderStatus, ProofStatus
from shared.raffles.actor import Actor
from shared.raffles.errors import OrderAlreadyPaid
from shared.raffles.models import Order, PaymentProof
from shared.raffles.proof_errors import ProofNotViewable
from shared.raffles.results import ProofKept, ProofLate
from shared.raffles.services import history
from shared.raffles.services.payment_proofs import late_flags, review_clock
from shared.raffles.services.proof_placement import proof_sharing, proofs


@dataclass(frozen=True, slots=True)
class ProofMoved:
    """A proof belongs to another order now.

    Attributes:
        outcome: what it changed for that order.
        source: the order that it left.
        left_review: whether the review of that order ended, and its time to pay runs again.
        left_decision: whether nothing is to be decided about that order any more.

    """

    outcome: ProofKept | ProofLate
    source: Order
    left_review: bool
    left_decision: bool


def move_proof(
    proof: PaymentProof, *, source: Order, target: Order, by: Actor, now: datetime
) -> ProofMoved:
    """Move a pending proof to another order, as if it had been sent for that order.

    When the last pending proof leaves, the review of its order ends and the time to pay starts
    again, capped at the draw; an order that had ended needs no decision any more.

    Args:
        proof: a proof of `source` without a verdict.
        source: the order that it leaves.
        target: the order that it pays.
        by: the author of the decision.
        now: time of the decision.

    Raises:
        ProofRowExists: the proof, or another row of its receipt, belongs to `target` already.
        ProofNotViewable: its file could not be fetched, so it shows nothing.
        OrderAlreadyPaid: `target` is paid; author and time are in the details.

    """
    proof_sharing.refuse_if_row_exists(proof, order=target)
    if proof.status == ProofStatus.FAILED:
        raise ProofNotViewable(proof_ids=[proof.pk])
    if target.status == OrderStatus.PAID:
        paid = history.find_last_author(target, OrderAction.PAID)
        raise OrderAlreadyPaid(order_id=target.pk, by=paid.by, at=paid.at)
    outcome = proofs.assign_proofs(
        [proof], order=target, by=by, now=now, reason=f"moved from {source} by {by.label}"
    )
    changes = late_flags.build_changes_without_proofs(source)
    history.record_order_event(
        source,
        action=OrderAction.PROOF_MOVED,
        by=by,
        now=now,
        reason=f"to {target}",
        changes=changes,
    )
    left = review_clock.leave_review_if_empty(source, by=by, now=now)
    return ProofMoved(outcome, source, left_review=left, left_decision=bool(changes))
