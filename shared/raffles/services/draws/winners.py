"""Winners: confirmed by a person before anybody is told, and the prize claimed or not."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shared.core.enums import ActorKind, LedgerKind, RaffleAction, RaffleStatus
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import (
    PersonNeeded,
    PrizeNotFound,
    WinnerNotConfirmed,
)
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim
from shared.raffles.models import LedgerEntry, Order, OrderTicket, Raffle
from shared.raffles.notes import clean_note
from shared.raffles.services import raffle_history
from shared.raffles.services.draws import claim_deadlines, drawing, sealed_raffles


@dataclass(frozen=True, slots=True)
class Winner:
    """The latest result of a prize, with the order that won and its claim.

    Attributes:
        result: the result, with its prize.
        order: the order whose number was drawn.
        claim: None until a person has confirmed the winner.
        claim_until: the last second in which the prize can be claimed, at the end of a day.
        void: whether it was drawn from values that count no more, so that it is drawn anew.
        refunded: whether the money went back after the sealing. The number stays on the list; a
            person decides whether its buyer wins, or draws again because of `INELIGIBLE`.

    """

    result: DrawResult
    order: Order
    claim: PrizeClaim | None
    claim_until: datetime
    void: bool = False
    refunded: bool = False


def load_winners(raffle: Raffle) -> Sequence[Winner]:
    """Return the winner of each prize that was drawn, in the order of the prizes."""
    results = drawing.load_latest_results(raffle.pk)
    orders = _load_orders(raffle.pk, numbers=[result.number for result in results])
    claims = PrizeClaim.objects.in_bulk([result.pk for result in results])
    void = sealed_raffles.load_void_readings(raffle.pk)
    refunded = _load_refunded(orders.values())
    return [
        Winner(
            result,
            order=orders[result.number],
            claim=claims.get(result.pk),
            claim_until=claim_deadlines.compute_claim_deadline(result),
            void=drawing.is_void(result, void=void),
            refunded=orders[result.number].pk in refunded,
        )
        for result in results
    ]


def _load_orders(raffle_id: int, *, numbers: Sequence[int]) -> dict[int, Order]:
    links = OrderTicket.objects.filter(
        ticket__raffle_id=raffle_id, ticket__number__in=numbers, released_at__isnull=True
    ).select_related("ticket", "order__contact", "order__raffle")
    return {link.ticket.number: link.order for link in links}


def _load_refunded(orders: Collection[Order]) -> frozenset[int]:
    """Return the ids of the orders whose money went back."""
    refunds = LedgerEntry.objects.filter(order__in=orders, kind=LedgerKind.REFUNDED)
    return frozenset(refunds.values_list("order_id", flat=True))


@transaction.atomic(durable=True)
def confirm_winner(result_id: int, *, by: Actor, now: datetime) -> PrizeClaim:
    """Confirm that the order of a drawn number wins; a second call changes nothing.

    Name and phone number are kept from now on with the record of the draw.

    Raises:
        PrizeNotFound: there is no such result.
        ResultReplaced: the prize was drawn again since.
        ResultVoid: it was drawn from values that count no more.
        PersonNeeded: a token asks.

    """
    result, raffle = _lock_result(result_id)
    claim = PrizeClaim.objects.filter(result=result).first()
    if claim is not None:
        return claim
    if by.kind is not ActorKind.STAFF:
        raise PersonNeeded
    order = _load_orders(raffle.pk, numbers=[result.number])[result.number]
    claim = PrizeClaim.objects.create(
        result=result,
        order=order,
        winner_name=_get_buyer_name(order),
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
        ResultVoid: it was drawn from values that count no more.
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

    A name that buyers gave themselves on WhatsApp may be a phone number or an address; only words
    of letters are published.

    Args:
        claim: the claim.
        ticket: the ticket number as buyers read it; stands for a winner who did not consent.

    """
    first = next(filter(_is_name, claim.winner_name.split()), "")
    if not claim.name_consent or claim.erased_at is not None or not first:
        return f"the holder of {ticket}"
    digits = "".join(filter(str.isdecimal, claim.winner_phone))[-2:]
    return f"{first} …{digits}" if digits else first


def _is_name(word: str) -> bool:
    """Whether a word has letters and nothing else but their marks, hyphens and apostrophes."""
    kinds = {unicodedata.category(each)[0] for each in word if each not in "-'’."}
    return "L" in kinds and kinds <= {"L", "M"}


def _get_buyer_name(order: Order) -> str:
    """Return the name of a buyer; empty if none is known, or it was erased."""
    if order.contact is None:
        return order.buyer_name
    return order.contact.profile_name or order.contact.username


def _lock_result(result_id: int) -> tuple[DrawResult, Raffle]:
    result = DrawResult.objects.filter(pk=result_id).select_related("prize").first()
    if result is None:
        raise PrizeNotFound
    raffle, _ = sealed_raffles.lock_sealed_raffle(result.raffle_id)
    drawing.refuse_if_replaced(result)
    drawing.refuse_if_void(result)
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
