"""Files of payment proofs: stored when fetched, or given up with a message to the buyer."""

from datetime import datetime

from django.db import transaction

from shared.conversation import facts
from shared.conversation.notify import notify_contact
from shared.conversation.texts import order_updates
from shared.core.enums import Verdict
from shared.raffles import fingerprints
from shared.raffles.models import PaymentProof
from shared.raffles.services.payment_proofs import proof_fetching
from shared.whatsapp.services.inbox import contacts


def keep_proof_file(
    proof_id: int,
    *,
    content: bytes,
    content_type: str,
    extension: str,
    now: datetime,
    fingerprint: str | None = None,
) -> None:
    """Store the file of a payment proof; a file that was stored before stays.

    Args:
        proof_id: id of the proof.
        content: bytes of the file.
        content_type: media type determined from the content, e.g. image/jpeg.
        extension: extension of the file name, e.g. jpg.
        now: the present time.
        fingerprint: fingerprint of the picture; None: it is computed here, before the transaction.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    if fingerprint is None:
        fingerprint = fingerprints.compute_fingerprint(content)
    with transaction.atomic(durable=True):
        proof_fetching.store_proof_file(
            proof_id,
            content=content,
            content_type=content_type,
            extension=extension,
            now=now,
            fingerprint=fingerprint,
        )


@transaction.atomic(durable=True)
def record_proof_fetch_failure(
    proof_id: int, *, error: str, retry_at: datetime | None, now: datetime
) -> None:
    """Record that a proof's file could not be fetched; after the last attempt, inform the buyer.

    Args:
        proof_id: id of the proof.
        error: what went wrong.
        retry_at: time of the next attempt; None: there is none, and a buyer whose proof is pending
            gets a message.
        now: the present time.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    sender = PaymentProof.objects.get(pk=proof_id).contact
    contact = contacts.lock_contact(sender.pk) if sender is not None else None
    proof = proof_fetching.record_fetch_failure(proof_id, error=error, retry_at=retry_at, now=now)
    if retry_at is not None or contact is None or proof.verdict != Verdict.PENDING:
        return
    order = proof.order
    known = facts.gather_order_facts(order, now=now) if order is not None else None
    notify_contact(contact, order_updates.build_file_lost_message(known), now=now)
