"""Files of payment proofs: stored when fetched, or given up with a message to the buyer."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from shared.conversation.facts import gathering
from shared.conversation.notify import notify_contact
from shared.conversation.texts import order_updates, receipts
from shared.core.enums import OrderAction, ProofStatus, Verdict
from shared.raffles import file_failures, fingerprints
from shared.raffles.actor import SWEEPER
from shared.raffles.models import Order, PaymentProof
from shared.raffles.rendering.outcome import Rendering
from shared.raffles.services import history, locks
from shared.raffles.services.payment_proofs import (
    proof_fetching,
    proof_queries,
    renditions,
    review_clock,
)
from shared.raffles.services.payment_proofs.proof_fetching import UnreadableFile
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import contacts


def keep_proof_file(
    proof_id: int,
    *,
    content: bytes,
    content_type: str,
    extension: str,
    now: datetime,
    fingerprint: str | None = None,
    rendering: Rendering | None = None,
) -> None:
    """Store the file of a payment proof; a file that was stored before stays.

    Args:
        proof_id: id of the proof.
        content: bytes of the file.
        content_type: media type determined from the content, e.g. image/jpeg.
        extension: extension of the file name, e.g. jpg.
        now: the present time.
        fingerprint: fingerprint of the picture; None: that of the rendering, or it is computed
            here, before the transaction.
        rendering: outcome of rendering it for pages; None: it is rendered when it is looked at.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    if rendering is not None:
        renditions.store_rendition(rendering, sha256=sha256(content).hexdigest())
    if fingerprint is None:
        fingerprint = (
            rendering.fingerprint if rendering else fingerprints.compute_fingerprint(content)
        )
    with transaction.atomic(durable=True):
        proof_fetching.store_proof_file(
            proof_id,
            content=content,
            content_type=content_type,
            extension=extension,
            now=now,
            fingerprint=fingerprint,
            rendering=rendering,
        )
        alarms.resolve_alarm("files_not_stored", by="a file was stored", now=now)


@transaction.atomic(durable=True)
def record_storage_failure(
    proof_id: int, *, reason: str, retry_at: datetime, now: datetime
) -> None:
    """Record that a file could not be stored, e.g. because the disk is full; sound an alarm.

    It says nothing about the file, so the attempt does not count.

    Args:
        proof_id: id of the proof.
        reason: the operating system's words.
        retry_at: time of the next attempt.
        now: the present time.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    proof_fetching.record_fetch_failure(
        proof_id, error=f"Not stored: {reason}", retry_at=retry_at, now=now, counts=False
    )
    alarms.sound_alarm(
        "files_not_stored",
        title="Payment proofs cannot be stored",
        detail=f"{reason}, in MEDIA_ROOT. They are tried again every few minutes.",
        now=now,
    )


@transaction.atomic(durable=True)
def record_proof_fetch_failure(
    proof_id: int,
    *,
    error: str,
    retry_at: datetime | None,
    now: datetime,
    unreadable: UnreadableFile | None = None,
) -> None:
    """Record that a proof's file could not be had; after the last attempt, inform the buyer.

    A proof that nobody can see stops no clock: if it was the only one, its order leaves the review
    and its time to pay starts again.

    Args:
        proof_id: id of the proof.
        error: what went wrong.
        retry_at: time of the next attempt; None: there is none, and a buyer whose proof is pending
            gets a message.
        now: the present time.
        unreadable: the file that was fetched and cannot be opened, which staff may look at.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    if retry_at is not None:
        proof_fetching.record_fetch_failure(proof_id, error=error, retry_at=retry_at, now=now)
        return
    contact, orders = _lock_sender_and_orders(proof_id)
    proof = proof_fetching.record_fetch_failure(
        proof_id, error=error, retry_at=None, now=now, unreadable=unreadable
    )
    if proof.status != ProofStatus.FAILED:
        return
    for order in orders:
        if not _is_under_review_again(order):
            review_clock.leave_review_if_empty(
                order, by=SWEEPER, now=now, reason="the file could not be opened"
            )
    if contact is not None and proof.verdict == Verdict.PENDING:
        own = next((order for order in orders if order.pk == proof.order_id), None)
        known = gathering.gather_order_facts(own, now=now) if own is not None else None
        failure = file_failures.parse_failure(proof.fetch_error)
        lost = order_updates.build_file_lost_message(known, failure=failure)
        notify_contact(contact, receipts.add_time_left(lost, known, now=now), now=now)


@transaction.atomic(durable=True)
def postpone_proof_fetch(
    proof_id: int,
    *,
    phone_number_id: str,
    code: int | None,
    reason: str,
    retry_at: datetime,
    now: datetime,
) -> None:
    """Record that no file of a business number can be fetched, so that sending pauses, too.

    It says nothing about the file, so the attempt does not count.

    Args:
        proof_id: id of the proof.
        phone_number_id: the business number.
        code: the Graph error code, if there was one.
        reason: the reason in words.
        retry_at: time of the next attempt.
        now: the present time.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    business_numbers.pause_sending(phone_number_id, code=code, reason=reason, now=now)
    proof_fetching.record_fetch_failure(
        proof_id, error=reason, retry_at=retry_at, now=now, counts=False
    )


def report_hidden_proof(proof_id: int, *, phone_number_id: str, now: datetime) -> None:
    """Sound an alarm that Meta does not show a proof's file, although it shows the number."""
    alarms.sound_alarm(
        f"proof_hidden:{phone_number_id}",
        title="Meta does not show a payment proof",
        detail=f"Proof {proof_id}: it is tried again for about a day.",
        phone_number_id=phone_number_id,
        now=now,
    )


def _lock_sender_and_orders(proof_id: int) -> tuple[WhatsAppContact | None, list[Order]]:
    """Lock the sender of a proof, and the buyers and orders of all rows of its receipt.

    The rows may change until the orders are locked, so they are read again afterwards.
    """
    proof = PaymentProof.objects.get(pk=proof_id)
    rows = proof_queries.query_receipt_rows({proof.receipt_id}).filter(order__isnull=False)
    people: dict[int, WhatsAppContact] = {}
    orders: dict[int, Order] = {}
    while True:
        found = dict(rows.values_list("order_id", "order__contact_id"))
        wanted = {one for one in (*found.values(), proof.contact_id) if one is not None}
        people |= {one: contacts.lock_contact(one) for one in sorted(wanted - set(people))}
        missing = sorted(set(found) - set(orders))
        if not missing:
            break
        orders |= {order_id: locks.lock_order(order_id) for order_id in missing}
    sender = people[proof.contact_id] if proof.contact_id is not None else None
    return sender, list(orders.values())


def _is_under_review_again(order: Order) -> bool:
    """Whether a confirmation was undone, so that a person decides whatever proofs there are."""
    latest = history.find_last_event(
        order, OrderAction.UNCONFIRMED, OrderAction.PAID, OrderAction.PROOF_REJECTED
    )
    return latest is not None and latest.action == OrderAction.UNCONFIRMED
