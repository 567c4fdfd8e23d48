"""Winners: confirmed by a person before anybody is told, and the prize claimed or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shared.core.enums import ActorKind, RaffleAction, RaffleStatus
from shared.raffles.actor import Actor
from shared.raffles.draw_errors import (
    PrizeNotFound,
    SecondPersonNeeded,
    WinnerNotConfirmed,
)
from shared.raffles.draw_models import DrawResult, PrizeClaim
from shared.raffles.models import Order, OrderTicket, Raffle
from shared.raffles.notes import clean_note
from shared.raffles.services import raffle_history
from shared.raffles.services.draws import drawing, source_readings


@dataclass(frozen=True, slots=True)
class Winner:
    """The latest result of a prize, with the order that won and its claim.

    Attributes:
        result: the result, with its prize.
        order: the order whose number was drawn.
        claim: None until a person has confirmed the winner.
        claim_until: until when the prize can be claimed.

    """

    result: DrawResult
    order: Order
    claim: PrizeClaim | None
    claim_until: datetime


def load_winners(raffle: Raffle) -> Sequence[Winner]:
    """Return the winner of each prize that was drawn, in the order of the prizes."""
    results = drawing.load_latest_results(raffle.pk)
    orders = _load_orders(raffle.pk, numbers=[result.number for result in results])
    claims = PrizeClaim.objects.in_bulk([result.pk for result in results])
    return [
        Winner(
            result,
            order=orders[result.number],
            claim=claims.get(result.pk),
            claim_until=drawing.compute_claim_deadline(result),
        )
        for result in results
    ]


def _load_orders(raffle_id: int, *, numbers: Sequence[int]) -> dict[int, Order]:
    links = OrderTicket.objects.filter(
        ticket__raffle_id=raffle_id, ticket__number__in=numbers, released_at__isnull=True
    ).select_related("ticket", "order__contact", "order__raffle")
    return {link.ticket.number: link.order for link in links}


@transaction.atomic(durable=True)
def confirm_winner(result_id: int, *, by: Actor, now: datetime) -> PrizeClaim:
    """Confirm that the order of a drawn number wins; a second call changes nothing.

    Name and phone number are kept from now on with the record of the draw.

    Raises:
        PrizeNotFound: there is no such result.
        ResultReplaced: the prize was drawn again since.
        SecondPersonNeeded: a token asks; winners are confirmed by a person.

    """
    result, raffle = _lock_result(result_id)
    claim = PrizeClaim.objects.filter(result=result).first()
    if claim is not None:
        return claim
    if by.kind is not ActorKind.STAFF:
        raise SecondPersonNeeded
    order = _load_orders(raffle.pk, numbers=[result.number])[result.number]
    claim = PrizeClaim.objects.create(
        result=result,
        order=order,
        winner_name=str(order.contact) if order.contact else order.buyer_name,
        winner_phone=(order.contact.wa_id or "") if order.contact else order.buyer_phone,
        confirmed_by=by.label,
        confirmed_at=now,
    )
    _record(raffle, RaffleAction.WINNER_CONFIRMED, result, by=by, now=now)
    return claim


@transaction.atomic(durable=True)
def claim_prize(result_id: int, *, note: str, by: Actor, now: datetime) -> PrizeClaim:
    """Record that the winner has claimed the prize; a second call changes nothing.

    Args:
        result_id: primary key of the prize's latest result.
        note: e.g. how the prize was handed over; may be empty.
        by: the author.
        now: the present time.

    Raises:
        PrizeNotFound: there is no such result.
        ResultReplaced: the prize was drawn again since.
        WinnerNotConfirmed: nobody has confirmed the winner.
        NoteTooLong: the note is too long.

    """
    cleaned = clean_note(note)
    result, raffle = _lock_result(result_id)
    claim = PrizeClaim.objects.filter(result=result).first()
    if claim is None:
        raise WinnerNotConfirmed
    if claim.claimed_at is not None:
        return claim
    claim.claimed_by, claim.claimed_at, claim.note = by.label, now, cleaned
    claim.save(update_fields=["claimed_by", "claimed_at", "note"])
    _record(raffle, RaffleAction.PRIZE_CLAIMED, result, by=by, now=now)
    return claim


def set_name_consent(claim: PrizeClaim, *, consent: bool) -> None:
    """Set whether the winner's first name may be published."""
    claim.name_consent = consent
    claim.save(update_fields=["name_consent"])


def format_public_name(claim: PrizeClaim, *, ticket: str) -> str:
    """Return how a winner is published: first name and last two digits of the phone number.

    Args:
        claim: the claim.
        ticket: the ticket number as buyers read it; stands for a winner who did not consent.

    """
    if not claim.name_consent or claim.erased_at is not None or not claim.winner_name.strip():
        return f"the holder of {ticket}"
    first = claim.winner_name.split()[0]
    digits = claim.winner_phone[-2:]
    return f"{first} …{digits}" if digits else first


def _lock_result(result_id: int) -> tuple[DrawResult, Raffle]:
    result = DrawResult.objects.filter(pk=result_id).select_related("prize").first()
    if result is None:
        raise PrizeNotFound
    raffle, _ = source_readings.lock_sealed_raffle(result.raffle_id)
    drawing.refuse_if_replaced(result)
    return result, raffle


def _record(
    raffle: Raffle, action: RaffleAction, result: DrawResult, *, by: Actor, now: datetime
) -> None:
    number = raffle.format_ticket_number(result.number)
    raffle_history.record_raffle_event(
        raffle,
        action=action,
        before=RaffleStatus(raffle.status),
        by=by,
        now=now,
        reason=f"{result.prize.title}: {number}",
    )
