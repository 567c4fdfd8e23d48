"""Verdicts on the pending payment proofs of an order.

The functions run inside the caller's transaction, with the order locked by `locks.lock_order`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from django.db.models import BigIntegerField, CharField, DateTimeField, QuerySet

from shared.core.enums import ProofStatus, RejectReason, Verdict
from shared.core.statements.compiled_queries import CompiledUpdate, Parameter
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof
from shared.raffles.proof_errors import ProofElsewhere, ProofNotViewable, ProofUnseen


def refuse_foreign_proofs(order: Order, *, seen_proofs: Collection[int] | None) -> None:
    """Check that every proof that was looked at belongs to the order, also now.

    A proof that was moved to another order in the meantime does not.

    Args:
        order: locked by `locks.lock_order`.
        seen_proofs: ids of the payment proofs that were looked at; None: nothing is checked.

    Raises:
        ProofElsewhere: some of them do not; their ids are in the details.

    """
    if not seen_proofs:
        return
    own = PaymentProof.objects.filter(order=order, pk__in=seen_proofs)
    if elsewhere := set(seen_proofs) - set(own.values_list("pk", flat=True)):
        raise ProofElsewhere(proof_ids=elsewhere)


def refuse_unseen_proofs(order: Order, *, seen_proofs: Collection[int] | None) -> None:
    """Check that exactly the proofs of an order were looked at, and every pending one.

    Args:
        order: locked by `locks.lock_order`.
        seen_proofs: ids of the payment proofs that were looked at; None: nothing is checked.

    Raises:
        ProofElsewhere: see `refuse_foreign_proofs`.
        ProofUnseen: a pending proof is not among them; its id is in the details.

    """
    if seen_proofs is None:
        return
    refuse_foreign_proofs(order, seen_proofs=seen_proofs)
    pending = order.proofs.filter(verdict=Verdict.PENDING).exclude(status=ProofStatus.FAILED)
    unseen = set(pending.values_list("pk", flat=True)) - set(seen_proofs)
    if unseen:
        raise ProofUnseen(proof_ids=unseen)


def can_be_judged(proofs: Iterable[PaymentProof]) -> bool:
    """Whether a person can look at what a confirmation would be about.

    At least one of the pending proofs has its file, and none is still being fetched. A file that
    was lost proves nothing, so beside another one it does not matter.

    Args:
        proofs: the proofs of one order.

    """
    pending = [proof.status for proof in proofs if proof.verdict == Verdict.PENDING]
    return ProofStatus.KEPT in pending and ProofStatus.FETCHING not in pending


def refuse_unviewable_proofs(order: Order) -> None:
    """Check that the pending proofs of an order can be looked at.

    Raises:
        ProofNotViewable: they cannot; the ids of those without a file are in the details.

    """
    proofs = list(order.proofs.order_by("id"))
    if not can_be_judged(proofs):
        hidden = [
            proof.pk
            for proof in proofs
            if proof.verdict == Verdict.PENDING and proof.status != ProofStatus.KEPT
        ]
        raise ProofNotViewable(proof_ids=hidden)


def set_proof_verdicts(
    order: Order,
    *,
    verdict: Verdict,
    by: Actor,
    now: datetime,
    reason: RejectReason | None = None,
    note: str = "",
) -> None:
    """Set the verdict on an order's pending proofs.

    A proof whose file could not be fetched proves nothing and is never accepted.

    Args:
        order: locked by `locks.lock_order`.
        verdict: the verdict.
        by: the reviewer.
        now: time of the decision.
        reason: why they are rejected; None for other verdicts.
        note: the reviewer's note; may be empty.

    """
    update = _SET_ACCEPTED if verdict is Verdict.ACCEPTED else _SET_VERDICT
    update.run(
        order=order.pk,
        verdict=verdict,
        reason=reason or "",
        note=note,
        reviewer=by.label or by.kind,
        now=now,
    )


def _query_pending() -> QuerySet[PaymentProof]:
    return PaymentProof.objects.filter(
        order_id=Parameter("order", BigIntegerField()), verdict=Verdict.PENDING
    )


_VERDICT: Final[dict[str, Any]] = {
    "verdict": Parameter("verdict", CharField()),
    "reject_reason": Parameter("reason", CharField()),
    "note": Parameter("note", CharField()),
    "reviewer": Parameter("reviewer", CharField()),
    "reviewed_at": Parameter("now", DateTimeField()),
}
_SET_VERDICT: Final = CompiledUpdate(_query_pending, **_VERDICT)
_SET_ACCEPTED: Final = CompiledUpdate(
    lambda: _query_pending().exclude(status=ProofStatus.FAILED), **_VERDICT
)
