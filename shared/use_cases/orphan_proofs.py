"""Decisions about payment proofs that fit no order, or pay nothing; each queues its message."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from shared.conversation.facts import gathering
from shared.conversation.notify import has_recent_acknowledgement, notify_buyer, notify_contact
from shared.conversation.texts import order_updates, proof_updates
from shared.conversation.texts.orders import build_late_proof_message, build_proof_added_message
from shared.core import logs
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof
from shared.raffles.results import ProofKept, ProofLate
from shared.raffles.services import locks, orders, reservations
from shared.raffles.services.payment_proofs import orphan_proofs, proof_queries
from shared.raffles.services.proof_placement import proofs
from shared.raffles.services.queries import raffle_queries
from shared.whatsapp.services.inbox import contacts

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def attach_proof(
    proof_id: int, *, order_id: int, by: Actor, now: datetime
) -> ProofKept | ProofLate:
    """Attach a proof to the order it pays, and inform the buyer of the order.

    The sender may be another person than the buyer, e.g. a friend who paid. A hold is placed by
    it, and its clock stops. An ended order takes its ticket numbers back if all are free; otherwise
    it is flagged for a decision. A paid order keeps it as a further proof.

    Args:
        proof_id: a proof without an order.
        order_id: the order that it pays.
        by: the author of the decision.
        now: the present time.

    Raises:
        ProofNotFound: there is no such proof.
        OrderNotFound: there is no such order.
        ProofSettled: it was attached to an order or decided about before; `by`, `at`, `order_code`
            and `verdict` are in the details.

    """
    order = locks.lock_order_with_contacts(
        order_id, sender_id=proof_queries.find_sender_id(proof_id)
    )
    proof = orphan_proofs.lock_pending_proof(proof_id, order_id=None)
    outcome = proofs.assign_proofs(
        [proof], order=order, by=by, now=now, reason=f"attached by {by.label}"
    )
    acknowledge_proof(outcome, now=now)
    _log.info("proof_attached", proof_id=proof_id, order_id=order_id, by=by.kind)
    return outcome


@transaction.atomic(durable=True)
def create_order_from_proof(
    proof_id: int,
    *,
    raffle_id: int,
    numbers: Collection[int] | None,
    quantity: int,
    pivot: int,
    by: Actor,
    now: datetime,
) -> Order:
    """Create an order for the sender of a proof, under review with it, and inform the sender.

    The rules of the chat apply: a hold of the sender that was not confirmed yet is replaced.

    Args:
        proof_id: a proof without an order.
        raffle_id: primary key of the raffle.
        numbers: the ticket numbers of the order; None: random ones.
        quantity: how many random ticket numbers; ignored if `numbers` is given.
        pivot: random number from 0 to 2**31-1, drawn by the caller with `secrets`.
        by: the author of the decision.
        now: the present time.

    Raises:
        ProofNotFound, ProofSettled: as in `attach_proof`.
        RaffleNotFound: there is no such raffle.
        OrderWantsPayment: the sender has an order that waits for payment; attach the proof to it.
        RaffleNotSelling, QuantityOutOfBounds, NumbersUnknown, ContactLimitReached, NumbersTaken,
            TooFewLeft: see `raffles.services.reservations`.

    """
    sender_id = proof_queries.find_sender_id(proof_id)
    if sender_id is not None:
        sender_id = contacts.lock_contact(sender_id).pk
    proof = orphan_proofs.lock_pending_proof(proof_id, order_id=None)
    held = reservations.hold_chosen_or_random(
        raffle_queries.load_raffle(raffle_id),
        contact_id=sender_id,
        numbers=numbers,
        quantity=quantity,
        pivot=pivot,
        by=by,
        now=now,
    )
    order = orders.place(held, at=now, now=now, by=by)
    proofs.assign_proofs(
        [proof], order=order, by=by, now=now, reason=f"made an order by {by.label}"
    )
    notify_buyer(order, order_updates.build_order_made_message, now=now)
    _log.info("order_made", proof_id=proof_id, order_id=order.pk, by=by.kind)
    return order


@transaction.atomic(durable=True)
def dismiss_proof(
    proof_id: int,
    *,
    note: str,
    tell_buyer: bool,
    by: Actor,
    now: datetime,
    order_id: int | None = None,
) -> PaymentProof:
    """Dismiss a proof that pays nothing; it is kept and leaves the list.

    Args:
        proof_id: a proof without an order, or of an order that is paid or has ended.
        note: the reason as text.
        tell_buyer: whether its sender gets a message with the note.
        by: the reviewer.
        now: the present time.
        order_id: the order that it is said to belong to; None: none.

    Raises:
        ProofNotFound, ProofSettled: as in `attach_proof`.
        OrderNotFound: there is no such order.
        ProofUnderReview: its order waits for a verdict.
        NoteTooLong: the note is too long.

    """
    sender_id = proof_queries.find_sender_id(proof_id)
    sender = contacts.lock_contact(sender_id) if sender_id is not None and not order_id else None
    order = locks.lock_order_with_contacts(order_id, sender_id=sender_id) if order_id else None
    proof = orphan_proofs.dismiss_proof(
        orphan_proofs.lock_pending_proof(proof_id, order_id=order_id),
        order=order,
        note=note,
        by=by,
        now=now,
    )
    if tell_buyer and order is not None:
        notify_buyer(
            order,
            lambda known: proof_updates.build_second_proof_dismissed_message(
                known, note=proof.note
            ),
            now=now,
        )
    elif tell_buyer and sender is not None:
        notify_contact(
            sender,
            order_updates.build_proof_dismissed_message(
                gathering.find_seller_contact(sender, now=now), note=proof.note
            ),
            now=now,
        )
    _log.info("proof_dismissed", proof_id=proof_id, order_id=order_id, by=by.kind)
    return proof


def acknowledge_proof(outcome: ProofKept | ProofLate, *, now: datetime) -> None:
    """Send the buyer a message about a proof, but not one for each picture of an album."""
    order = outcome.order
    acknowledged = has_recent_acknowledgement(order.contact_id, now=now, about=str(order))
    match outcome:
        case ProofLate(taken_back=secured) if secured or not acknowledged:
            notify_buyer(
                order, lambda known: build_late_proof_message(known, secured=secured), now=now
            )
        case ProofKept(first=True):
            notify_buyer(order, order_updates.build_proof_attached_message, now=now)
        case ProofKept() if not acknowledged:
            notify_buyer(order, build_proof_added_message, now=now)
