"""Erasure of the personal data of orders and payment proofs; what was sold and paid stays.

The functions run inside the caller's transaction, with contacts and orders locked by the caller.
The SHA-256 of a file stays with its proof: it says nothing about a person, and without it a receipt
that was used once could be used again after the retention period. The fingerprint goes, because it
is made from the picture.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from shared.core.constants import ERASED_BUYER
from shared.core.enums import ActorKind, OrderAction, ProofStatus
from shared.raffles.actor import Actor
from shared.raffles.models import (
    ErasedFile,
    FingerprintBand,
    LedgerEntry,
    Order,
    OrderEvent,
    PaymentProof,
    PictureFingerprint,
)
from shared.raffles.services import history


@dataclass(frozen=True, slots=True)
class ErasedProofs:
    """How many payment proofs and files were erased."""

    proofs: int = 0
    files: int = 0


def erase_orders(orders: Iterable[Order], *, by: Actor, now: datetime, reason: str) -> None:
    """Erase the texts of locked orders, and note that in their history.

    Reasons in the history and references in the ledger are texts that may name the buyer. Status,
    numbers, amounts, times and the names of staff stay. An order that was erased before stays as
    it is.

    Args:
        orders: the orders, locked.
        by: the author.
        now: the present time.
        reason: why, for the history; names nobody.

    """
    for order in orders:
        if order.erased_at is not None:
            continue
        events = OrderEvent.objects.filter(order=order)
        events.exclude(reason="").update(reason="")
        events.filter(actor_kind=ActorKind.CHAT).update(actor_label=ERASED_BUYER)
        LedgerEntry.objects.filter(order=order).exclude(reference="").update(reference="")
        history.record_order_event(
            order,
            action=OrderAction.ERASED,
            by=by,
            now=now,
            reason=reason,
            changes={
                "buyer_name": ERASED_BUYER if order.contact_id is None else "",
                "buyer_phone": "",
                "erased_at": now,
            },
        )


def erase_later_texts(*, before: datetime) -> int:
    """Erase texts that staff wrote about erased orders, such as a refund's, and return how many.

    Args:
        before: later texts are kept.

    """
    later = Q(order__erased_at__isnull=False, at__lt=before)
    events = OrderEvent.objects.filter(later).exclude(action=OrderAction.ERASED)
    entries = LedgerEntry.objects.filter(later)
    # They are looked for before anything is locked: it reads the whole history.
    event_ids = list(events.exclude(reason="").values_list("pk", flat=True))
    entry_ids = list(entries.exclude(reference="").values_list("pk", flat=True))
    count = OrderEvent.objects.filter(pk__in=event_ids).update(reason="")
    return count + LedgerEntry.objects.filter(pk__in=entry_ids).update(reference="")


def erase_sender_labels(order_ids: Collection[int], *, contact_ids: Collection[int]) -> None:
    """Erase a buyer's name from the history of orders that they sent receipts for."""
    events = OrderEvent.objects.filter(order__in=order_ids, actor_kind=ActorKind.CHAT)
    events.filter(actor_id__in=[str(pk) for pk in contact_ids]).update(actor_label=ERASED_BUYER)


def erase_join_reasons(order_ids: Collection[int]) -> None:
    """Erase the reasons that name two joined contacts from the history of orders."""
    events = OrderEvent.objects.filter(order__in=order_ids, action=OrderAction.CONTACT_CHANGED)
    events.exclude(reason="").update(reason="")


def erase_proofs(ids: Collection[int]) -> ErasedProofs:
    """Erase payment proofs: captions, notes, ids of messages, pictures; verdicts and times stay.

    Their files are removed by `file_removal.remove_erased_files` after the commit.

    Args:
        ids: the proofs; their senders and orders are locked, and none waits for a decision.

    """
    rows = PaymentProof.objects.filter(pk__in=ids)
    proofs = list(rows.select_for_update(no_key=True).order_by("pk"))
    named = [proof for proof in proofs if proof.file or proof.sha256]
    ErasedFile.objects.bulk_create(
        ErasedFile(name=proof.file.name or "", sha256=proof.sha256, receipt_id=proof.receipt_id)
        for proof in named
    )
    FingerprintBand.objects.filter(proof__in=ids).delete()
    PictureFingerprint.objects.filter(proof__in=ids).delete()
    rows.update(
        file="",
        caption="",
        note="",
        media_id="",
        media_sha256="",
        wa_message_id="",
        fetch_at=None,
    )
    # A failed one has no file that could be erased, and stays one that nobody decides about.
    rows.exclude(status=ProofStatus.FAILED).update(status=ProofStatus.ERASED)
    return ErasedProofs(len(proofs), sum(bool(proof.file) for proof in proofs))
