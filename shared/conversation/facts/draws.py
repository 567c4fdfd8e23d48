"""Facts about draws, loaded when a buyer asks or is told: sealed lists, winners, ticket numbers."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.db.models import Max, Q

from shared.conversation.facts import gathering
from shared.conversation.facts.draw_values import (
    DrawFacts,
    NumberFacts,
    NumberStatus,
    PrizeFacts,
)
from shared.conversation.facts.values import RaffleFacts
from shared.core.enums import RaffleStatus, TicketStatus
from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import DrawResult, Prize, SealedList
from shared.raffles.models import OrderTicket, Raffle, TicketNumber
from shared.raffles.services.draws import drawing, winners
from shared.raffles.services.draws.winners import Winner

MAX_DRAWS: Final = 3
"""The most raffles whose results are shown in one message."""

_LISTS_KEPT: Final = 2
"""Sealed lists kept in memory: one of a million numbers takes eight megabytes."""


def list_latest_drawn_raffles(phone_number_id: str, *, limit: int = MAX_DRAWS) -> list[Raffle]:
    """Return the raffles of a business number that were drawn last, the latest first."""
    sold_here = Q(phone_number_id="") | Q(phone_number_id=phone_number_id)
    drawn = Raffle.objects.filter(sold_here, status=RaffleStatus.DRAWN)
    return list(drawn.annotate(latest=Max("draw_results__id")).order_by("-latest", "-id")[:limit])


def find_public_raffle(raffle_id: int, *, phone_number_id: str) -> Raffle | None:
    """Return a raffle that a business number sells or sold; a draft is nobody's business."""
    sold_here = Q(phone_number_id="") | Q(phone_number_id=phone_number_id)
    known = Raffle.objects.filter(sold_here, pk=raffle_id)
    return known.exclude(status=RaffleStatus.DRAFT).first()


def load_raffle_facts(raffle: Raffle, *, now: datetime) -> RaffleFacts:
    """Return the facts about a raffle that are the same for every buyer."""
    return gathering.build_raffle_facts([raffle], now=now)[raffle.pk]


def load_draw(raffle: Raffle, *, now: datetime) -> DrawFacts:
    """Return what everybody may know of a raffle's draw.

    A winner is among it only if a person has confirmed it, and the values that the prize was drawn
    from were not declared void.
    """
    known = load_raffle_facts(raffle, now=now)
    prizes = list(Prize.objects.filter(raffle=raffle))
    sealed = SealedList.objects.filter(raffle=raffle).values_list("count", "sha256").first()
    if sealed is None:
        return DrawFacts(known, prizes=tuple(PrizeFacts(prize.title) for prize in prizes))
    latest = winners.load_winners(raffle)
    confirmed = {winner.result.prize_id: winner for winner in select_confirmed(raffle, latest)}
    return DrawFacts(
        known,
        prizes=tuple(
            _build_prize_facts(prize, confirmed.get(prize.pk), raffle=raffle) for prize in prizes
        ),
        sealed_count=sealed[0],
        list_hash=sealed[1],
        drawn_at=max((winner.result.at for winner in latest), default=None),
    )


def select_confirmed(raffle: Raffle, latest: Sequence[Winner]) -> list[Winner]:
    """Return the winners that a person has confirmed and whose values still count."""
    to_draw = {prize.pk for prize in drawing.find_prizes_to_draw(raffle)}
    return [
        winner
        for winner in latest
        if winner.claim is not None and winner.result.prize_id not in to_draw
    ]


def is_current(result: DrawResult) -> bool:
    """Whether a prize was not drawn again since, and the values of its result still count."""
    later = DrawResult.objects.filter(prize=result.prize_id, attempt__gt=result.attempt)
    to_draw = {prize.pk for prize in drawing.find_prizes_to_draw(result.raffle)}
    return result.prize_id not in to_draw and not later.exists()


def _build_prize_facts(prize: Prize, winner: Winner | None, *, raffle: Raffle) -> PrizeFacts:
    if winner is None or winner.claim is None:
        return PrizeFacts(prize.title)
    number = winner.result.number
    ticket = raffle.format_ticket_number(number)
    shows_name = bool(winner.claim.name_consent) and winner.claim.erased_at is None
    return PrizeFacts(
        prize.title,
        number=number,
        winner=winners.format_public_name(winner.claim, ticket=ticket) if shows_name else "",
        is_claimed=winner.claim.claimed_at is not None,
        claim_until=winner.claim_until,
    )


def load_number(raffle: Raffle, number: int, *, draw: DrawFacts) -> NumberFacts:
    """Return what everybody may know of a ticket number."""
    if not draw.raffle.has_ticket_number(number):
        return NumberFacts(draw, number, NumberStatus.UNKNOWN)
    ticket = TicketNumber.objects.filter(raffle=raffle, number=number).first()
    status = TicketStatus(ticket.status) if ticket is not None else TicketStatus.AVAILABLE
    return NumberFacts(
        draw,
        number,
        _NUMBER_STATUSES[status],
        entry=_find_entry(ticket) if ticket is not None and status is TicketStatus.SOLD else None,
        is_on_list=bool(draw.list_hash) and _is_on_list(raffle, number, list_hash=draw.list_hash),
    )


_NUMBER_STATUSES: Final = {
    TicketStatus.AVAILABLE: NumberStatus.FREE,
    TicketStatus.RESERVED: NumberStatus.HELD,
    TicketStatus.SOLD: NumberStatus.SOLD,
}


def _find_entry(ticket: TicketNumber) -> int | None:
    links = OrderTicket.objects.filter(ticket=ticket, released_at__isnull=True)
    return links.values_list("order__receipt_entry", flat=True).first()


def _is_on_list(raffle: Raffle, number: int, *, list_hash: str) -> bool:
    line = receipt_lines.build_list([raffle.format_ticket_number(number)])
    return (b"\n" + line) in _load_list(raffle.pk, list_hash)


@lru_cache(maxsize=_LISTS_KEPT)
def _load_list(raffle_id: int, list_hash: str) -> bytes:
    """Return a sealed list after a line feed; it never changes, and its hash names it."""
    sealed = SealedList.objects.get(raffle_id=raffle_id, sha256=list_hash)
    return b"\n" + bytes(sealed.numbers)
