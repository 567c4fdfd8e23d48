"""Keeps payment proofs: which order one belongs to, its file, and what it changes.

`receive` runs inside the caller's transaction with contact and order locked; the others change
one proof and lock nothing else.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import F

from shared.core.enums import OrderAction, OrderStatus, ProofStatus
from shared.raffles import signals
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof
from shared.raffles.predicates import HASHED_PROOFS, PROOFS_TO_FETCH
from shared.raffles.services import history, payments, similar_proofs, tickets


@dataclass(frozen=True, slots=True)
class ProofSource:
    """The message a proof came with.

    Attributes:
        phone_number_id: the business number it was sent to.
        wa_message_id: Meta's id of the message.
        media_id: what the file is asked for by.
        media_sha256: of the file as announced, in hex; may be empty.
        caption: what the buyer wrote below it.
        arrived_at: when the buyer sent it.

    """

    phone_number_id: str
    wa_message_id: str
    media_id: str
    media_sha256: str
    caption: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class ProofKept:
    """It belongs to a placed order; `first` if it put the order under review."""

    proof: PaymentProof
    order: Order
    first: bool


@dataclass(frozen=True, slots=True)
class ProofLate:
    """Its order had ended; `taken_back` if the order has its numbers again and is under review."""

    proof: PaymentProof
    order: Order
    taken_back: bool


@dataclass(frozen=True, slots=True)
class ProofOrphan:
    """It fits no order; the seller sees it."""

    proof: PaymentProof


@dataclass(frozen=True, slots=True)
class ProofRepeated:
    """The same message was a proof before; nothing was written."""

    proof: PaymentProof


@dataclass(frozen=True, slots=True)
class ProofFetchJob:
    """A file to be fetched; `sha256` as announced, in hex or empty, `attempts` made so far."""

    proof_id: int
    phone_number_id: str
    media_id: str
    sha256: str
    attempts: int


def receive_proof(
    source: ProofSource, *, order: Order | None, contact_id: int, by: Actor, now: datetime
) -> ProofKept | ProofLate | ProofOrphan | ProofRepeated:
    """Keep a proof and stop its order's clock.

    An order that had ended gets its numbers back if all are free and the raffle is not drawn;
    otherwise it is flagged for a decision. A hold that was not confirmed yet is placed by it:
    who pays wants the numbers.

    Args:
        source: the message it came with.
        order: what it pays, locked by `orders.lock`; None if it fits none.
        contact_id: who sent it, locked by the caller.
        by: who sent it, for the history.
        now: its file is fetched from now on.

    """
    same = PaymentProof.objects.filter(
        phone_number_id=source.phone_number_id, wa_message_id=source.wa_message_id
    ).first()
    if same is not None:
        return ProofRepeated(same)
    proof = _create_proof(source, order=order, contact_id=contact_id, now=now)
    if order is None:
        return ProofOrphan(proof)
    if order.status not in Order.HOLDING:
        return ProofLate(proof, order, taken_back=_record_late_proof(order, by=by, now=now))
    return ProofKept(proof, order, first=_record_proof(order, by=by, now=now))


def assign_proofs(
    proofs: Sequence[PaymentProof], *, order: Order, by: Actor, now: datetime, reason: str = ""
) -> ProofKept | ProofLate:
    """Give proofs that fitted no order to one, as if they had been sent for it.

    Args:
        proofs: locked, without an order or a verdict, at least one.
        order: what they pay, locked by `orders.lock`.
        by: who says so.
        now: when.
        reason: why, for the history; may be empty.

    """
    for proof in proofs:
        proof.order = order
        proof.late = _is_late(order, arrived_at=proof.arrived_at)
        proof.save(update_fields=["order", "late"])
    outcome: ProofKept | ProofLate
    if order.status not in Order.HOLDING:
        taken_back = _record_late_proof(order, by=by, now=now, reason=reason)
        outcome = ProofLate(proofs[0], order, taken_back=taken_back)
    else:
        first = _record_proof(order, by=by, now=now, reason=reason)
        outcome = ProofKept(proofs[0], order, first=first)
    for proof in proofs:
        _signal_if_kept(proof, now=now)
    return outcome


def list_proofs_to_fetch(*, now: datetime, limit: int) -> list[ProofFetchJob]:
    """List the files to be fetched now, longest due first."""
    due = PaymentProof.objects.filter(PROOFS_TO_FETCH, fetch_at__lte=now).order_by("fetch_at", "id")
    columns = ("id", "phone_number_id", "media_id", "media_sha256", "fetch_attempts")
    return [ProofFetchJob(*row) for row in due.values_list(*columns)[:limit]]


def claim_proof_fetch(proof_id: int, *, now: datetime, retry_at: datetime) -> bool:
    """Take one file to fetch, unless somebody else did; it is due again at `retry_at`."""
    due = PaymentProof.objects.filter(PROOFS_TO_FETCH, pk=proof_id, fetch_at__lte=now)
    return bool(due.update(fetch_at=retry_at, fetch_attempts=F("fetch_attempts") + 1))


def store_proof_file(
    proof_id: int,
    *,
    content: bytes,
    content_type: str,
    extension: str,
    now: datetime,
    fingerprint: str = "",
) -> PaymentProof:
    """Store a proof's file; a file that was kept before stays.

    Args:
        proof_id: whose file it is.
        content: its bytes.
        content_type: by its content, e.g. image/jpeg.
        extension: to name it with, e.g. jpg.
        now: when.
        fingerprint: what its picture looks like, by `fingerprints.of_picture`.

    """
    proof = _lock_proof(proof_id)
    if proof.status == ProofStatus.KEPT:
        return proof
    proof.sha256 = hashlib.sha256(content).hexdigest()
    proof.size = len(content)
    proof.content_type = content_type
    proof.status = ProofStatus.KEPT
    proof.fetch_at = None
    proof.fetch_error = ""
    name = f"{now:%Y%m%d}-{proof.pk}-{proof.sha256[:16]}.{extension.lstrip('.')}"
    proof.file.save(name, ContentFile(content), save=False)
    proof.save(
        update_fields=[
            "file",
            "sha256",
            "size",
            "content_type",
            "status",
            "fetch_at",
            "fetch_error",
        ]
    )
    similar_proofs.store_fingerprint(proof.pk, fingerprint)
    _signal_if_kept(proof, now=now)
    return proof


def record_fetch_failure(
    proof_id: int, *, error: str, retry_at: datetime | None, now: datetime
) -> PaymentProof:
    """Note why a file could not be had; it is tried again at `retry_at`, or never if that is None.

    A file that was kept meanwhile stays.
    """
    proof = _lock_proof(proof_id)
    if proof.status == ProofStatus.KEPT:
        return proof
    proof.status = ProofStatus.FAILED if retry_at is None else ProofStatus.FETCHING
    proof.fetch_at = None if retry_at is None else max(retry_at, now)
    proof.fetch_error = error[:200]
    proof.save(update_fields=["status", "fetch_at", "fetch_error"])
    return proof


def find_identical_proofs(proof: PaymentProof) -> list[PaymentProof]:
    """List the proofs of other orders whose files are the same, byte for byte."""
    if not proof.sha256:
        return []
    same = PaymentProof.objects.filter(HASHED_PROOFS, sha256=proof.sha256, order__isnull=False)
    if proof.order_id is not None:
        same = same.exclude(order_id=proof.order_id)
    return list(same.exclude(pk=proof.pk).select_related("order"))


def _create_proof(
    source: ProofSource, *, order: Order | None, contact_id: int, now: datetime
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
        fetch_at=now,
    )


def _is_late(order: Order, *, arrived_at: datetime) -> bool:
    ended_at = None if order.status in Order.HOLDING else order.closed_at
    return ended_at is not None and arrived_at > ended_at


def _record_proof(order: Order, *, by: Actor, now: datetime, reason: str = "") -> bool:
    if order.status == OrderStatus.DRAFT:
        history.change_order_status(
            order,
            to=OrderStatus.PENDING_PAYMENT,
            action=OrderAction.PLACED,
            by=by,
            now=now,
            changes={"placed_at": now},
        )
    first = order.status == OrderStatus.PENDING_PAYMENT and not order.under_review
    changes: dict[str, Any] = {}
    if first:
        changes = {"under_review_since": now, "expires_at": None}
    elif order.asked_again_at is not None:
        changes = {"asked_again_at": None}  # here is what was asked for
    history.record_order_event(
        order, action=OrderAction.PROOF_RECEIVED, by=by, now=now, reason=reason, changes=changes
    )
    return first


def _record_late_proof(order: Order, *, by: Actor, now: datetime, reason: str = "") -> bool:
    history.record_order_event(
        order, action=OrderAction.PROOF_RECEIVED, by=by, now=now, reason=reason
    )
    if tickets.take_back_tickets(order).done:
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


def _signal_if_kept(proof: PaymentProof, *, now: datetime) -> None:
    """Let others know of a proof once there are both a file to look at and an order it pays."""
    if proof.status == ProofStatus.KEPT and proof.order is not None:
        signals.proof_kept.send(sender=PaymentProof, proof=proof, order=proof.order, now=now)


def _lock_proof(proof_id: int) -> PaymentProof:
    return PaymentProof.objects.select_for_update(no_key=True).get(pk=proof_id)
