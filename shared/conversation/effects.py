"""Carries out what the conversation decided, and says what came of it as the next event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.conversation.notify import acknowledged_lately
from shared.conversation.values import (
    AssignProof,
    CalledOff,
    CallOff,
    Effect,
    Held,
    HoldNumbers,
    HoldRandom,
    KeepProof,
    Outcome,
    Place,
    Placed,
    ProofTaken,
    ProofUnplaced,
    Refused,
)
from shared.core.constants import ALBUM_QUIET
from shared.core.enums import ActorKind, Verdict
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import availability, orders, orphan_proofs, proofs, reservations
from shared.raffles.services.proofs import ProofKept, ProofLate, ProofOrphan, ProofRepeated
from shared.raffles.services.reservations import NumbersTaken
from shared.whatsapp.content import content
from shared.whatsapp.models import InboundMessage, WhatsAppContact

NEIGHBOURS = 6
"""How many free numbers are offered in place of those that are taken."""


@dataclass(frozen=True, slots=True)
class Turn:
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


def carry_out(effect: Effect, turn: Turn) -> Outcome:
    """Do what was decided; a refusal has written nothing and is told as `Refused`."""
    try:
        match effect:
            case HoldRandom() | HoldNumbers():
                return _hold(effect, turn)
            case Place(order_id):
                order = _own(order_id, turn)
                orders.place(order, at=turn.message.sent_at, now=turn.now, by=turn.actor)
                return Placed(order_id)
            case CallOff(order_id):
                orders.cancel(_own(order_id, turn), by=turn.actor, now=turn.now)
                return CalledOff(order_id)
            case KeepProof(order_id):
                return _keep_proof(order_id, turn)
            case AssignProof():
                return _assign_proof(effect, turn)
    except DomainError as refusal:
        return _refused(refusal, effect)


def _own(order_id: int, turn: Turn) -> Order:
    order = orders.lock(order_id)
    if order.contact_id != turn.contact.pk:
        raise orders.OrderNotFound(order_id=order_id)
    return order


def _hold(effect: HoldRandom | HoldNumbers, turn: Turn) -> Held:
    raffle = Raffle.objects.get(pk=effect.raffle_id)
    terms: dict[str, Any] = {
        "contact_id": turn.contact.pk,
        "now": turn.now,
        "by": turn.actor,
        "replacing": _own(effect.replacing, turn) if effect.replacing else None,
    }
    if isinstance(effect, HoldRandom):
        held = reservations.hold_random(raffle, quantity=effect.quantity, pivot=turn.pivot, **terms)
    else:
        try:
            held = reservations.hold_numbers(raffle, numbers=effect.numbers, **terms)
        except NumbersTaken as refusal:
            near = availability.free_neighbours(
                raffle, numbers=refusal.details["taken"], limit=NEIGHBOURS
            )
            wanted = set(effect.numbers)
            refusal.details = {
                **refusal.details,
                "neighbours": [number for number in near if number not in wanted],
            }
            raise
    return Held(held.pk)


def _keep_proof(order_id: int | None, turn: Turn) -> ProofTaken | ProofUnplaced:
    order = _own(order_id, turn) if order_id is not None else None
    quiet = acknowledged_lately(turn.contact.pk, now=turn.now)
    kept = proofs.receive(
        _source(turn.message),
        order=order,
        contact_id=turn.contact.pk,
        by=turn.actor,
        now=turn.now,
    )
    return _kept(kept, quiet=quiet)


def _kept(
    kept: ProofKept | ProofLate | ProofOrphan | ProofRepeated, *, quiet: bool
) -> ProofTaken | ProofUnplaced:
    match kept:
        case ProofKept(_, order, first):
            return ProofTaken(order.pk, first=first, quiet=quiet)
        case ProofLate(_, order, taken_back):
            return ProofTaken(order.pk, late=True, secured=taken_back, quiet=quiet)
        case ProofOrphan(proof):
            return ProofUnplaced(proof.pk)
        case ProofRepeated(proof):
            if proof.order_id is None:
                return ProofUnplaced(proof.pk, quiet=True)
            return ProofTaken(proof.order_id, first=False, quiet=True)


def _assign_proof(effect: AssignProof, turn: Turn) -> ProofTaken:
    order = _own(effect.order_id, turn)
    proof = PaymentProof.objects.filter(pk=effect.proof_id, contact=turn.contact).first()
    if proof is None or proof.order_id == order.pk:
        return ProofTaken(order.pk, first=False)
    if proof.order_id is not None or proof.verdict != Verdict.PENDING:
        raise orphan_proofs.settled_before(proof)
    # Locked, for a file that is just being kept must see its order, or be seen here.
    album = PaymentProof.objects.select_for_update(no_key=True).filter(
        contact=turn.contact,
        order=None,
        verdict=Verdict.PENDING,
        arrived_at__range=(proof.arrived_at - ALBUM_QUIET, proof.arrived_at + ALBUM_QUIET),
    )
    outcome = proofs.assign(list(album.order_by("id")), order=order, by=turn.actor, now=turn.now)
    taken = _kept(outcome, quiet=False)
    return taken if isinstance(taken, ProofTaken) else ProofTaken(order.pk)


def _source(message: InboundMessage) -> proofs.ProofSource:
    said = content(message.payload)
    media = said.media
    return proofs.ProofSource(
        phone_number_id=message.phone_number_id,
        wa_message_id=message.wa_message_id,
        media_id=media.media_id if media else "",
        media_sha256=media.sha256 if media else "",
        caption=said.text,
        arrived_at=message.sent_at,
    )


def _refused(refusal: DomainError, effect: Effect) -> Refused:
    details = dict(refusal.details)
    if isinstance(effect, Place | CallOff | KeepProof | AssignProof):
        details.setdefault("order_id", effect.order_id)
    return Refused(refusal.code, details)
