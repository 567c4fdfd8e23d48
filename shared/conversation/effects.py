"""Carries out what the conversation decided, and says what came of it as the next event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.conversation.notify import has_recent_acknowledgement
from shared.conversation.values import (
    AssignProof,
    CancelOwnOrder,
    Effect,
    EffectOutcome,
    EffectRefused,
    HoldNumbers,
    HoldRandom,
    KeepProof,
    NumbersHeld,
    OrderCancelled,
    OrderPlaced,
    PlaceOrder,
    ProofAddedToOrder,
    ProofWithoutOrder,
)
from shared.core.constants import ALBUM_WINDOW
from shared.core.enums import ActorKind, Verdict
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.errors import NumbersTaken, OrderNotFound
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import ProofKept, ProofLate, ProofOrphan, ProofRepeated, ProofSource
from shared.raffles.services import availability, orders, orphan_proofs, proofs, reservations
from shared.whatsapp.content import parse_content
from shared.whatsapp.models import InboundMessage, WhatsAppContact

MAX_NEIGHBOURS_OFFERED = 6
"""How many free numbers are offered in place of those that are taken."""


@dataclass(frozen=True, slots=True)
class InboundTurn:
    """One message being answered; its contact is locked.

    Attributes:
        pivot: a die from 0 to 2^31-1; where random numbers are taken from.

    """

    contact: WhatsAppContact
    message: InboundMessage
    now: datetime
    pivot: int

    @property
    def actor(self) -> Actor:
        """The buyer, as the history of an order names them."""
        return Actor(ActorKind.CHAT, id=str(self.contact.pk), label=str(self.contact))


def carry_out_effect(effect: Effect, turn: InboundTurn) -> EffectOutcome:
    """Do what was decided; a refusal has written nothing and is told as `Refused`."""
    try:
        match effect:
            case HoldRandom() | HoldNumbers():
                return _hold_tickets(effect, turn)
            case PlaceOrder(order_id):
                order = _lock_own_order(order_id, turn)
                orders.place(order, at=turn.message.sent_at, now=turn.now, by=turn.actor)
                return OrderPlaced(order_id)
            case CancelOwnOrder(order_id):
                orders.cancel(_lock_own_order(order_id, turn), by=turn.actor, now=turn.now)
                return OrderCancelled(order_id)
            case KeepProof(order_id):
                return _keep_proof(order_id, turn)
            case AssignProof():
                return _assign_proof(effect, turn)
    except DomainError as refusal:
        return _build_refusal(refusal, effect)


def _lock_own_order(order_id: int, turn: InboundTurn) -> Order:
    order = orders.lock_order(order_id)
    if order.contact_id != turn.contact.pk:
        raise OrderNotFound(order_id=order_id)
    return order


def _hold_tickets(effect: HoldRandom | HoldNumbers, turn: InboundTurn) -> NumbersHeld:
    raffle = Raffle.objects.get(pk=effect.raffle_id)
    terms: dict[str, Any] = {
        "contact_id": turn.contact.pk,
        "now": turn.now,
        "by": turn.actor,
        "replacing": _lock_own_order(effect.replacing, turn) if effect.replacing else None,
    }
    if isinstance(effect, HoldRandom):
        held = reservations.hold_random(raffle, quantity=effect.quantity, pivot=turn.pivot, **terms)
    else:
        try:
            held = reservations.hold_numbers(raffle, numbers=effect.numbers, **terms)
        except NumbersTaken as refusal:
            near = availability.find_free_neighbours(
                raffle, numbers=refusal.details["taken"], limit=MAX_NEIGHBOURS_OFFERED
            )
            wanted = set(effect.numbers)
            refusal.details = {
                **refusal.details,
                "neighbours": [number for number in near if number not in wanted],
            }
            raise
    return NumbersHeld(held.pk)


def _keep_proof(order_id: int | None, turn: InboundTurn) -> ProofAddedToOrder | ProofWithoutOrder:
    order = _lock_own_order(order_id, turn) if order_id is not None else None
    quiet = has_recent_acknowledgement(turn.contact.pk, now=turn.now)
    kept = proofs.receive_proof(
        _build_proof_source(turn.message),
        order=order,
        contact_id=turn.contact.pk,
        by=turn.actor,
        now=turn.now,
    )
    return _build_proof_outcome(kept, quiet=quiet)


def _build_proof_outcome(
    kept: ProofKept | ProofLate | ProofOrphan | ProofRepeated, *, quiet: bool
) -> ProofAddedToOrder | ProofWithoutOrder:
    match kept:
        case ProofKept(_, order, first):
            return ProofAddedToOrder(order.pk, first=first, quiet=quiet)
        case ProofLate(_, order, taken_back):
            return ProofAddedToOrder(order.pk, late=True, secured=taken_back, quiet=quiet)
        case ProofOrphan(proof):
            return ProofWithoutOrder(proof.pk)
        case ProofRepeated(proof):
            if proof.order_id is None:
                return ProofWithoutOrder(proof.pk, quiet=True)
            return ProofAddedToOrder(proof.order_id, first=False, quiet=True)


def _assign_proof(effect: AssignProof, turn: InboundTurn) -> ProofAddedToOrder:
    order = _lock_own_order(effect.order_id, turn)
    proof = PaymentProof.objects.filter(pk=effect.proof_id, contact=turn.contact).first()
    if proof is None or proof.order_id == order.pk:
        return ProofAddedToOrder(order.pk, first=False)
    if proof.order_id is not None or proof.verdict != Verdict.PENDING:
        raise orphan_proofs.build_proof_settled(proof)
    # Locked, for a file that is just being kept must see its order, or be seen here.
    album = PaymentProof.objects.select_for_update(no_key=True).filter(
        contact=turn.contact,
        order=None,
        verdict=Verdict.PENDING,
        arrived_at__range=(proof.arrived_at - ALBUM_WINDOW, proof.arrived_at + ALBUM_WINDOW),
    )
    outcome = proofs.assign_proofs(
        list(album.order_by("id")), order=order, by=turn.actor, now=turn.now
    )
    taken = _build_proof_outcome(outcome, quiet=False)
    return taken if isinstance(taken, ProofAddedToOrder) else ProofAddedToOrder(order.pk)


def _build_proof_source(message: InboundMessage) -> ProofSource:
    said = parse_content(message.payload)
    media = said.media
    return ProofSource(
        phone_number_id=message.phone_number_id,
        wa_message_id=message.wa_message_id,
        media_id=media.media_id if media else "",
        media_sha256=media.sha256 if media else "",
        caption=said.text,
        arrived_at=message.sent_at,
    )


def _build_refusal(refusal: DomainError, effect: Effect) -> EffectRefused:
    details = dict(refusal.details)
    if isinstance(effect, PlaceOrder | CancelOwnOrder | KeepProof | AssignProof):
        details.setdefault("order_id", effect.order_id)
    return EffectRefused(refusal.code, details)
