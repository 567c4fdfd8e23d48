"""Settles orders from outside the chat: each change and the buyer's notice in one transaction."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import InterfaceError, OperationalError, transaction

from shared.conversation import facts
from shared.conversation.notify import notify_buyer, notify_contact
from shared.conversation.texts import order_updates
from shared.core import logs
from shared.core.constants import DEADLINE_GRACE
from shared.core.enums import InboxStatus, RejectReason, Verdict
from shared.raffles import fingerprints
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.raffles.services import order_queries, orders, payments, proof_fetching
from shared.use_cases.locking import lock_order_with_contacts
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.services import alarms
from shared.whatsapp.services.inbox import contacts, inbox_queue

_log = logs.get_logger(__name__)

MAX_BACKLOG_AGE: Final = timedelta(seconds=60)
"""While messages wait longer than this, nothing expires: a receipt may be among them."""


@transaction.atomic(durable=True)
def confirm_payment(
    order_id: int,
    *,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reviewed: bool = False,
    received: Decimal | None = None,
    reason: str = "",
) -> Settled | AlreadySettled | NeedsDecision:
    """Sell an order's numbers to its buyer and tell them so.

    A second confirmation changes nothing and says who confirmed first. An expired or cancelled
    order takes its numbers back if all are free; else it is flagged, the buyer is told that a
    person decides, and nothing is sold.

    Args:
        order_id: which order.
        by: who saw the money.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: whoever confirms saw the money.
        reviewed: it is the verdict on proofs that waited: refused if somebody else gave one.
        received: what arrived, in the order's currency, to be compared with its total; None: it is
            not compared.
        reason: why, in words, e.g. the bank's reference, for the order's history; may be empty.

    Raises:
        OrderNotFound, OrderNotPlaced, RaffleDrawn, ProofUnseen, AmountMismatch, DecisionMade,
            NothingToReview, OrderEnded: see `raffles.services.payments`.

    """
    order = lock_order_with_contacts(order_id)
    known_late = order.needs_decision
    outcome = payments.confirm_payment(
        order,
        by=by,
        now=now,
        seen_proofs=seen_proofs,
        reviewed=reviewed,
        received=received,
        reason=reason,
    )
    if isinstance(outcome, Settled):
        notify_buyer(outcome.order, order_updates.build_paid_message, now=now)
    elif isinstance(outcome, NeedsDecision) and not known_late:
        notify_buyer(outcome.order, order_updates.build_late_payment_message, now=now)
    _log.info("payment_confirmed", order_id=order_id, outcome=type(outcome).__name__, by=by.kind)
    return outcome


@transaction.atomic(durable=True)
def reject_payment(
    order_id: int,
    *,
    reason: RejectReason,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Turn an order's proofs down and tell the buyer why; the time to pay starts anew.

    Args:
        order_id: which order.
        reason: one of the listed ones.
        note: more about it, which the buyer reads too; may be empty.
        by: who looked at it.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: all there are.

    Raises:
        OrderNotFound, NothingToReview, ProofUnseen, OrderAlreadyPaid, OrderEnded: see
            `raffles.services.payments`.

    """
    order = payments.reject_proofs(
        lock_order_with_contacts(order_id),
        reason=reason,
        note=note,
        by=by,
        now=now,
        seen_proofs=seen_proofs,
    )
    notify_buyer(
        order,
        lambda known: order_updates.build_rejected_message(
            known, reason=reason, note=note, now=now
        ),
        now=now,
    )
    _log.info("payment_rejected", order_id=order_id, reason=reason, by=by.kind)
    return order


@transaction.atomic(durable=True)
def ask_for_better_proof(
    order_id: int,
    *,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Ask a buyer for a better proof; the order stays under review and its clock stopped.

    Args:
        order_id: which order.
        note: what is asked for, which the buyer reads; may be empty.
        by: who asks.
        now: the clock.
        seen_proofs: ids of the proofs that were looked at; None: all there are.

    Raises:
        OrderNotFound, NothingToReview, ProofUnseen, AskedJustNow, OrderAlreadyPaid, OrderEnded:
            see `raffles.services.payments`.

    """
    order = payments.ask_for_better_proof(
        lock_order_with_contacts(order_id), note=note, by=by, now=now, seen_proofs=seen_proofs
    )
    notify_buyer(
        order, lambda known: order_updates.build_asked_again_message(known, note=note), now=now
    )
    _log.info("proof_asked_again", order_id=order_id, by=by.kind)
    return order


@transaction.atomic(durable=True)
def cancel_order(
    order_id: int,
    *,
    by: Actor,
    now: datetime,
    reason: str = "",
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Cancel an order that is not paid, free its numbers and tell the buyer.

    Args:
        order_id: which order.
        by: who cancels it.
        now: the clock.
        reason: why, which the buyer reads too; may be empty.
        seen_proofs: ids of the proofs that were looked at; None: whatever there is.

    Raises:
        OrderNotFound, OrderAlreadyPaid, OrderEnded: see `raffles.services.orders`.
        ProofUnseen: a proof waits that was not looked at.

    """
    order = lock_order_with_contacts(order_id)
    orders.refuse_if_over(order)
    payments.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    order = orders.cancel(order, by=by, now=now, reason=reason)
    notify_buyer(
        order,
        lambda known: order_updates.build_cancelled_by_seller_message(known, reason=reason),
        now=now,
    )
    _log.info("order_cancelled", order_id=order_id, by=by.kind)
    return order


def expire_due_orders(*, now: datetime, limit: int = 100) -> int:
    """Expire orders whose time has run out, each in a transaction of its own; tell their buyers.

    A buyer with an unanswered message from before the deadline is left alone, and nobody expires
    while a backlog of messages is being drained.

    Returns:
        How many orders expired.

    """
    oldest = inbox_queue.get_oldest_unanswered_age(now=now)
    if oldest is not None and oldest > MAX_BACKLOG_AGE:
        _log.warning("expiry_waits", oldest_unanswered=round(oldest.total_seconds()))
        return 0
    due = order_queries.list_orders_to_expire(now=now, limit=limit)
    return sum(
        _expire_order_or_alarm(order_id, contact_id, now=now) for order_id, contact_id in due
    )


def _expire_order_or_alarm(order_id: int, contact_id: int | None, *, now: datetime) -> bool:
    """Expire one order; a fault in it must not keep those behind it from expiring."""
    try:
        return _expire_order(order_id, contact_id, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong with one order, the others must go on
        _log.exception("expiry_failed", order_id=order_id)
        alarms.sound_alarm(
            f"expiry_failed:{order_id}",
            title="An order could not expire",
            detail=f"Order {order_id} keeps its numbers although its time is over. "
            "`manage check_inventory` tells what is wrong with it.",
            now=now,
        )
        return False


@transaction.atomic(durable=True)
def _expire_order(order_id: int, contact_id: int | None, *, now: datetime) -> bool:
    if contact_id is not None:
        contacts.lock_contact(contact_id)
    order = orders.lock_order(order_id)
    if _has_message_before_deadline(order) or not orders.expire(order, now=now):
        return False
    notify_buyer(order, order_updates.build_expired_message, now=now)
    _log.info("order_expired", order_id=order_id)
    return True


def _has_message_before_deadline(order: Order) -> bool:
    """Whether a message that was sent before the deadline still waits for its answer."""
    if order.contact_id is None or order.expires_at is None:
        return False
    return InboundMessage.objects.filter(
        contact_id=order.contact_id,
        status=InboxStatus.RECEIVED,
        sent_at__lte=order.expires_at + DEADLINE_GRACE,
    ).exists()


def keep_proof_file(
    proof_id: int,
    *,
    content: bytes,
    content_type: str,
    extension: str,
    now: datetime,
    fingerprint: str | None = None,
) -> None:
    """Store the file of a proof; see `raffles.services.proofs.keep_file`.

    A fingerprint that is not given is made here, before the transaction.
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
    """Note that a proof's file could not be had; for good (no `retry_at`), the buyer is asked."""
    sender = PaymentProof.objects.get(pk=proof_id).contact
    contact = contacts.lock_contact(sender.pk) if sender is not None else None
    proof = proof_fetching.record_fetch_failure(proof_id, error=error, retry_at=retry_at, now=now)
    if retry_at is not None or contact is None or proof.verdict != Verdict.PENDING:
        return
    order = proof.order
    known = facts.gather_order_facts(order, now=now) if order is not None else None
    notify_contact(contact, order_updates.build_file_lost_message(known), now=now)
