"""Decisions about payment proofs that stand with the wrong order, or with one that is paid."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from shared.conversation.notify import notify_buyer
from shared.conversation.texts import proof_updates
from shared.core import logs
from shared.raffles.actor import Actor
from shared.raffles.models import PaymentProof
from shared.raffles.results import ProofKept
from shared.raffles.services import locks
from shared.raffles.services.payment_proofs import orphan_proofs, proof_queries
from shared.raffles.services.proof_placement import proof_moves
from shared.raffles.services.proof_placement.proof_moves import ProofMoved
from shared.use_cases.orphan_proofs import acknowledge_proof

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def move_proof(
    proof_id: int, *, from_order_id: int, to_order_id: int, by: Actor, now: datetime
) -> ProofMoved:
    """Move a proof to the order that it pays, and inform both buyers of what changes for them.

    The order that it leaves goes on as if the proof had never come: without another pending proof
    its review ends and the time to pay starts again. A buyer of both orders is told once.

    Args:
        proof_id: a proof without a verdict.
        from_order_id: the order that it is said to belong to.
        to_order_id: the order that it pays.
        by: the author of the decision.
        now: the present time.

    Raises:
        ProofNotFound, OrderNotFound: there is no such proof or order.
        ProofSettled: it has a verdict or belongs to another order by now; `by`, `at`, `order_code`
            and `verdict` are in the details.
        ProofRowExists, ProofNotViewable, OrderAlreadyPaid: see
            `proof_placement.proof_moves.move_proof`.

    """
    source, target = locks.lock_two_orders_with_contacts(
        from_order_id, to_order_id, sender_id=proof_queries.find_sender_id(proof_id)
    )
    proof = orphan_proofs.lock_pending_proof(proof_id, order_id=source.pk)
    moved = proof_moves.move_proof(proof, source=source, target=target, by=by, now=now)
    _tell_both_buyers(moved, now=now)
    _log.info(
        "proof_moved",
        proof_id=proof_id,
        order_id=source.pk,
        to_order_id=target.pk,
        left_review=moved.left_review,
        by=by.kind,
    )
    return moved


@transaction.atomic(durable=True)
def refund_second_payment(
    proof_id: int,
    *,
    order_id: int,
    amount: Decimal | None,
    note: str,
    by: Actor,
    now: datetime,
    reference: str = "",
) -> PaymentProof:
    """Record the refund of a second payment of a paid order and inform its buyer.

    Args:
        proof_id: the proof of the second payment.
        order_id: the paid order that it is said to belong to.
        amount: what goes back, in the order's currency; None: the order's total.
        note: why and how the money goes back, which the buyer reads.
        by: the author of the decision.
        now: the present time.
        reference: e.g. of the bank transfer, for the books; may be empty.

    Raises:
        ProofNotFound, OrderNotFound: there is no such proof or order.
        ProofSettled: as in `move_proof`.
        NoteMissing, NoteTooLong, OrderNotPaid, AmountOutOfBounds: see
            `raffles.services.payment_proofs.orphan_proofs.refund_second_payment`.

    """
    order = locks.lock_order_with_contacts(
        order_id, sender_id=proof_queries.find_sender_id(proof_id)
    )
    proof = orphan_proofs.refund_second_payment(
        orphan_proofs.lock_pending_proof(proof_id, order_id=order.pk),
        order=order,
        amount=amount,
        note=note,
        by=by,
        now=now,
        reference=reference,
    )
    paid_back = order.total if amount is None else amount
    notify_buyer(
        order,
        lambda known: proof_updates.build_second_payment_refunded_message(
            known, amount=paid_back, note=proof.note
        ),
        now=now,
    )
    _log.info("second_payment_refunded", proof_id=proof_id, order_id=order_id, by=by.kind)
    return proof


def _tell_both_buyers(moved: ProofMoved, *, now: datetime) -> None:
    """Tell the buyer of the order that changed by losing the proof, and that of the other one."""
    source, target = moved.source, moved.outcome.order
    same_buyer = source.contact_id is not None and source.contact_id == target.contact_id
    left = moved.left_review or moved.left_decision
    if left:
        code = str(target) if same_buyer and isinstance(moved.outcome, ProofKept) else ""
        notify_buyer(
            source,
            lambda known: proof_updates.build_proof_moved_message(known, to=code, now=now),
            now=now,
        )
    if not (left and same_buyer and isinstance(moved.outcome, ProofKept)):
        acknowledge_proof(moved.outcome, now=now)
