"""Execution of the conversation's effects; their outcomes are the next events."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from structlog.contextvars import bound_contextvars

from shared.conversation import attribution, effect_locks
from shared.conversation.conversation_events import (
    EffectOutcome,
    EffectRefused,
    NameConsentSaved,
    NumbersHeld,
    OrderCancelled,
    OrderPlaced,
    ProofAddedToOrder,
    ProofWithoutOrder,
)
from shared.conversation.notify import UNPLACED_KEYS, has_recent_acknowledgement
from shared.conversation.values import (
    AssignProof,
    CancelOwnOrder,
    Effect,
    HoldNumbers,
    HoldRandom,
    KeepProof,
    PlaceOrder,
    SaveNameConsent,
)
from shared.core import config
from shared.core.constants import ALBUM_WINDOW
from shared.core.enums import ActorKind, ProofStatus, UnplacedReason, Verdict
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import PrizeNotFound
from shared.raffles.draws.draw_models import PrizeClaim
from shared.raffles.errors import NumbersTaken, OrderNotFound
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.proof_errors import ProofFileLost
from shared.raffles.results import ProofKept, ProofLate, ProofOrphan, ProofRepeated, ProofSource
from shared.raffles.services import availability, locks, orders, reservations
from shared.raffles.services.draws import drawing, winners
from shared.raffles.services.payment_decisions import payments
from shared.raffles.services.payment_proofs import (
    orphan_proofs,
    proof_queries,
    review_clock,
)
from shared.raffles.services.proof_placement import proof_sharing, proofs
from shared.raffles.services.queries import order_queries, raffle_queries
from shared.raffles.services.tickets import TicketsLocked
from shared.whatsapp.content import parse_content
from shared.whatsapp.models import InboundMessage, WhatsAppContact

MAX_NEIGHBOURS_OFFERED = 6
"""The most free numbers that are offered in place of taken ones."""


@dataclass(frozen=True, slots=True)
class InboundTurn:
    """A message that is being answered; its contact is locked.

    Attributes:
        message: the message, or the last of several that get one answer.
        now: the current time.
        pivot: a random integer from 0 to 2^31-1; random numbers are chosen from there on.
        earlier: the texts before it that are answered together with it.

    """

    contact: WhatsAppContact
    message: InboundMessage
    now: datetime
    pivot: int
    earlier: tuple[InboundMessage, ...] = ()

    @property
    def messages(self) -> tuple[InboundMessage, ...]:
        """All messages that are answered, in the order in which they were written."""
        return (*self.earlier, self.message)

    @property
    def actor(self) -> Actor:
        """The buyer, as an order's history records them."""
        return Actor(ActorKind.CHAT, id=str(self.contact.pk), label=str(self.contact))

    def bind_logs(self) -> AbstractContextManager[object]:
        """Add the message's ids to the logs within a `with` statement."""
        message = self.message
        return bound_contextvars(correlation_id=message.correlation_id, inbound_id=message.pk)


def carry_out_effect(effect: Effect, turn: InboundTurn, *, may_wait: bool = True) -> EffectOutcome:
    """Carry out an effect within the caller's transaction and return its outcome.

    A `DomainError` is returned as `EffectRefused`; it is raised before anything is written.

    Args:
        effect: the effect.
        turn: its message.
        may_wait: whether to wait for random ticket numbers that others have locked.

    Raises:
        TicketsLocked: it would have to wait; nothing was written.

    """
    try:
        return _apply_effect(effect, turn, may_wait=may_wait)
    except DomainError as refusal:
        return _build_refusal(refusal, effect)


def carry_out_effects(
    effects: Sequence[tuple[Effect, InboundTurn]],
) -> list[EffectOutcome | None]:
    """Carry out effects of several buyers one after the other.

    Args:
        effects: each with its message; the contacts are locked. Of several, none concerns a proof.

    Returns:
        Their outcomes. Of several, None for one that would wait for ticket numbers which other
        transactions have locked, because all of these buyers would wait with it.

    """
    is_alone = len(effects) == 1
    if not is_alone:
        effect_locks.lock_rows_of_effects([(turn.contact.pk, effect) for effect, turn in effects])
    outcomes: list[EffectOutcome | None] = []
    for effect, turn in effects:
        with turn.bind_logs():
            try:
                outcomes.append(carry_out_effect(effect, turn, may_wait=is_alone))
            except TicketsLocked:
                outcomes.append(None)
    return outcomes


def _apply_effect(effect: Effect, turn: InboundTurn, *, may_wait: bool) -> EffectOutcome:
    match effect:
        case HoldRandom() | HoldNumbers():
            return _hold_tickets(effect, turn, may_wait=may_wait)
        case PlaceOrder(order_id):
            order = _lock_own_order(order_id, turn)
            orders.place(order, at=turn.message.sent_at, now=turn.now, by=turn.actor)
            attribution.end_attribution(turn.contact, [order])
            if order.total == 0:
                payments.sell_order(
                    order, by=turn.actor, now=turn.now, late=False, reason=payments.FREE_REASON
                )
            return OrderPlaced(order_id)
        case CancelOwnOrder(order_id):
            orders.cancel(_lock_own_order(order_id, turn), by=turn.actor, now=turn.now)
            return OrderCancelled(order_id)
        case KeepProof():
            return _keep_proof(effect, turn)
        case AssignProof():
            return _assign_proof(effect, turn)
        case SaveNameConsent():
            return _save_name_consent(effect, turn)
        case _:
            assert_never(effect)


def _lock_own_order(order_id: int, turn: InboundTurn) -> Order:
    order = locks.lock_order(order_id)
    if order.contact_id != turn.contact.pk:
        raise OrderNotFound(order_id=order_id)
    order.contact = turn.contact  # what is told about the order need not read it again
    return order


def _load_own_order(order_id: int, turn: InboundTurn) -> Order:
    """Return an order of the buyer without locking it; the hold that replaces it does."""
    order = order_queries.find_order_of_contact(order_id, contact_id=turn.contact.pk)
    if order is None:
        raise OrderNotFound(order_id=order_id)
    return order


def _hold_tickets(
    effect: HoldRandom | HoldNumbers, turn: InboundTurn, *, may_wait: bool
) -> NumbersHeld:
    raffle = raffle_queries.load_raffle(effect.raffle_id)
    hold_arguments: dict[str, Any] = {
        "contact_id": turn.contact.pk,
        "now": turn.now,
        "by": turn.actor,
        "replacing": _load_own_order(effect.replacing, turn) if effect.replacing else None,
        "source": attribution.get_current_source(turn.contact, now=turn.now),
    }
    if isinstance(effect, HoldRandom):
        order = reservations.hold_random(
            raffle,
            quantity=effect.quantity,
            keeping=effect.keeping,
            pivot=turn.pivot,
            may_wait=may_wait,
            **hold_arguments,
        )
        return NumbersHeld(order.pk)
    choices = [choice for choice in (effect.numbers, effect.otherwise) if choice]
    try:
        held = reservations.hold_first_free(raffle, choices=choices, **hold_arguments)
    except NumbersTaken as refusal:
        _add_neighbours(refusal, raffle, wanted=effect.numbers + effect.otherwise)
        raise
    return NumbersHeld(held.order.pk, held.taken)


def _add_neighbours(refusal: NumbersTaken, raffle: Raffle, *, wanted: Sequence[int]) -> None:
    """Add free numbers close to the taken ones to the details of a refusal."""
    near = availability.find_free_neighbours(
        raffle, numbers=refusal.details["taken"], limit=MAX_NEIGHBOURS_OFFERED
    )
    neighbours = [number for number in near if number not in wanted]
    refusal.details = {**refusal.details, "neighbours": neighbours}


def _keep_proof(effect: KeepProof, turn: InboundTurn) -> ProofAddedToOrder | ProofWithoutOrder:
    named = () if effect.order_id is None else (effect.order_id, *effect.also)
    locked = _lock_own_orders((*named, *effect.candidates), turn)
    received = proofs.receive_proof(
        _build_proof_source(turn.message),
        order=locked[named[0]] if named else None,
        contact_id=turn.contact.pk,
        by=turn.actor,
        now=turn.now,
        candidates=[locked[order_id] for order_id in effect.candidates],
        unplaced_reason=effect.reason,
        max_reviews=config.get_settings().max_orders_under_review,
    )
    attribution.end_attribution(turn.contact, locked.values())
    if isinstance(received, ProofOrphan):
        about = str(locked[named[0]]) if named else ""
        quiet = has_recent_acknowledgement(
            turn.contact.pk, now=turn.now, keys=UNPLACED_KEYS, about=about
        )
        order_ids = named[:1] or effect.candidates
        return ProofWithoutOrder(received.proof.pk, received.reason, order_ids, quiet=quiet)
    if isinstance(received, ProofRepeated):
        return _build_proof_outcome(received, quiet=True)
    also = _share_proof(received.proof, [locked[order_id] for order_id in named[1:]], turn)
    # Asked afterwards, since the proof may withdraw an acknowledgement that was not sent yet.
    about = str(received.order)
    quiet = has_recent_acknowledgement(turn.contact.pk, now=turn.now, about=about)
    return _build_proof_outcome(received, quiet=quiet, also=also)


def _lock_own_orders(order_ids: Collection[int], turn: InboundTurn) -> dict[int, Order]:
    """Lock orders of the buyer in ascending order of their ids."""
    return {order_id: _lock_own_order(order_id, turn) for order_id in sorted(set(order_ids))}


def _share_proof(
    proof: PaymentProof, orders: Sequence[Order], turn: InboundTurn
) -> tuple[int, ...]:
    """Name a receipt as paying other orders, too; return the ids of all of them.

    One beyond the limit of reviews only has its clock extended.
    """
    for order in orders:
        if _is_beyond_review_limit(order, [proof], turn):
            review_clock.extend_time_once(order, by=turn.actor, now=turn.now)
        elif not proof_queries.query_receipt_rows({proof.receipt_id}).filter(order=order).exists():
            proof_sharing.share_proof(proof, order=order, by=turn.actor, now=turn.now)
    return tuple(order.pk for order in orders)


def _is_beyond_review_limit(
    order: Order, pictures: Sequence[PaymentProof], turn: InboundTurn
) -> bool:
    return proofs.is_beyond_review_limit(
        order,
        sent_at=min(picture.arrived_at for picture in pictures),
        now=turn.now,
        max_reviews=config.get_settings().max_orders_under_review,
    )


def _build_proof_outcome(
    received: ProofKept | ProofLate | ProofRepeated, *, quiet: bool, also: tuple[int, ...] = ()
) -> ProofAddedToOrder | ProofWithoutOrder:
    match received:
        case ProofKept(_, order, first):
            return ProofAddedToOrder(order.pk, first=first, quiet=quiet, also=also)
        case ProofLate(_, order, taken_back):
            return ProofAddedToOrder(
                order.pk, late=True, secured=taken_back, quiet=quiet, also=also
            )
        case ProofRepeated(proof):
            if proof.order_id is None:
                return ProofWithoutOrder(proof.pk, quiet=True)
            return ProofAddedToOrder(proof.order_id, first=False, quiet=True)
        case _:
            assert_never(received)


def _assign_proof(effect: AssignProof, turn: InboundTurn) -> ProofAddedToOrder | ProofWithoutOrder:
    locked = _lock_own_orders((effect.order_id, *effect.also), turn)
    order = locked[effect.order_id]
    proof = PaymentProof.objects.filter(pk=effect.proof_id, contact=turn.contact).first()
    if proof is None or proof.order_id == order.pk:
        return ProofAddedToOrder(order.pk, first=False)
    if proof.order_id is not None or proof.verdict != Verdict.PENDING:
        raise orphan_proofs.build_proof_settled(proof)
    # The rows are locked, so that a file that is stored at the same time sees their order.
    album = PaymentProof.objects.select_for_update(no_key=True).filter(
        contact=turn.contact,
        order=None,
        verdict=Verdict.PENDING,
        arrived_at__range=(proof.arrived_at - ALBUM_WINDOW, proof.arrived_at + ALBUM_WINDOW),
    )
    pictures = list(album.exclude(status=ProofStatus.FAILED).order_by("id"))
    if proof.status == ProofStatus.FAILED or not pictures:
        raise ProofFileLost(order_id=order.pk)
    if _is_beyond_review_limit(order, pictures, turn):
        return _leave_without_order(pictures, order, turn)
    assigned = proofs.assign_proofs(pictures, order=order, by=turn.actor, now=turn.now)
    attribution.end_attribution(turn.contact, [order])
    also: tuple[int, ...] = ()
    for picture in pictures:
        also = _share_proof(picture, [locked[order_id] for order_id in effect.also], turn)
    return _build_proof_outcome(assigned, quiet=False, also=also)


def _leave_without_order(
    pictures: Sequence[PaymentProof], order: Order, turn: InboundTurn
) -> ProofWithoutOrder:
    """Leave pictures for a person, because enough orders of the buyer are under review."""
    proofs.leave_without_order(
        pictures,
        order=order,
        reason=UnplacedReason.REVIEW_LIMIT,
        by=turn.actor,
        now=turn.now,
    )
    return ProofWithoutOrder(pictures[0].pk, UnplacedReason.REVIEW_LIMIT, (order.pk,))


def _save_name_consent(effect: SaveNameConsent, turn: InboundTurn) -> NameConsentSaved:
    """Save whether a winner may be named; only the winner, and while the prize is theirs."""
    claims = PrizeClaim.objects.filter(
        result=effect.result_id, order__contact=turn.contact, erased_at=None
    )
    order_id = claims.values_list("order_id", flat=True).first()
    if order_id is None:
        raise PrizeNotFound
    order = _lock_own_order(order_id, turn)
    claim = claims.select_for_update(no_key=True, of=("self",)).get()
    drawing.refuse_if_replaced(claim.result)
    winners.set_name_consent(claim, consent=effect.consent)
    ticket = order.raffle.format_ticket_number(claim.result.number)
    return NameConsentSaved(effect.consent, winners.format_public_name(claim, ticket=ticket))


def _build_proof_source(message: InboundMessage) -> ProofSource:
    content = parse_content(message.payload)
    media = content.media
    return ProofSource(
        phone_number_id=message.phone_number_id,
        wa_message_id=message.wa_message_id,
        media_id=media.media_id if media else "",
        media_sha256=media.sha256 if media else "",
        caption=content.text,
        arrived_at=message.sent_at,
    )


def _build_refusal(refusal: DomainError, effect: Effect) -> EffectRefused:
    details = dict(refusal.details)
    if isinstance(effect, PlaceOrder | CancelOwnOrder | KeepProof | AssignProof):
        details.setdefault("order_id", effect.order_id)
    if isinstance(effect, HoldRandom) and effect.keeping:
        details["kept"] = len(effect.keeping)
    return EffectRefused(refusal.code, details)
