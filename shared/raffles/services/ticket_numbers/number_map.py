"""Where the sold and held numbers of a raffle lie; reads only, bounded at a million numbers."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, F, IntegerField, Value
from django.db.models.expressions import CombinedExpression

from shared.core.enums import TicketStatus
from shared.raffles.models import OrderTicket, Raffle, TicketNumber
from shared.raffles.predicates import AVAILABLE_TICKETS
from shared.raffles.services.availability import TicketCounts, build_ticket_counts

TICKETS_PER_PAGE: Final = 500
"""Numbers on one page of the map."""

MAX_BLOCKS: Final = 200
"""Blocks of the overview at most; each is one page, or several in a row."""


@dataclass(frozen=True, slots=True)
class MapBlock:
    """A stretch of numbers, and how many of them are free, held and sold."""

    first: int
    last: int
    counts: TicketCounts


@dataclass(frozen=True, slots=True)
class MapEntry:
    """One number, and the order that holds or bought it, if any."""

    number: int
    status: TicketStatus
    order_id: int | None
    order_code: str


def load_map_blocks(raffle: Raffle) -> list[MapBlock]:
    """Count free, held and sold numbers in up to 200 stretches, in two queries.

    Only what is held or sold is read, through its partial index; all other numbers count as free,
    whether they were made yet or not.
    """
    size = compute_block_size(raffle)
    reserved = _count_by_block(raffle, status=TicketStatus.RESERVED, size=size)
    sold = _count_by_block(raffle, status=TicketStatus.SOLD, size=size)
    starts = range(raffle.first_number, raffle.last_number + 1, size)
    return [
        _build_block(
            first,
            min(first + size - 1, raffle.last_number),
            reserved=reserved.get(index, 0),
            sold=sold.get(index, 0),
        )
        for index, first in enumerate(starts)
    ]


def compute_block_size(raffle: Raffle) -> int:
    """Give how many numbers a block of the overview has: whole pages, 200 blocks at most."""
    pages = -(-raffle.number_count // TICKETS_PER_PAGE)
    return -(-pages // MAX_BLOCKS) * TICKETS_PER_PAGE


def find_page_start(raffle: Raffle, *, number: int) -> int:
    """Give the first number of the page that a number is on."""
    return number - (number - raffle.first_number) % TICKETS_PER_PAGE


def load_map_page(raffle: Raffle, *, first: int) -> list[MapEntry]:
    """Read one page of numbers and whose they are, in two queries; those not made are left out."""
    span = (first, first + TICKETS_PER_PAGE - 1)
    held = {
        number: (order_id, code or "")
        for number, order_id, code in OrderTicket.objects.filter(
            ticket__raffle=raffle, ticket__number__range=span, released_at__isnull=True
        ).values_list("ticket__number", "order_id", "order__code")
    }
    made = TicketNumber.objects.filter(raffle=raffle, number__range=span).order_by("number")
    return [
        MapEntry(number, TicketStatus(status), *held.get(number, (None, "")))
        for number, status in made.values_list("number", "status")
    ]


def _count_by_block(raffle: Raffle, *, status: TicketStatus, size: int) -> dict[int, int]:
    """Count by place in the row of stretches; whole numbers divide without a rest.

    One status at a time: on SQLite both together, sorted by two keys, take twice as long.
    """
    index = CombinedExpression(
        F("number") - Value(raffle.first_number),
        "/",
        Value(size),
        output_field=IntegerField(),
    )
    taken = TicketNumber.objects.filter(raffle=raffle, status=status).exclude(AVAILABLE_TICKETS)
    counted = taken.annotate(block=index).order_by("block").values_list("block")
    return dict(counted.annotate(count=Count("*")))


def _build_block(first: int, last: int, *, reserved: int, sold: int) -> MapBlock:
    return MapBlock(
        first, last, build_ticket_counts(last - first + 1, reserved=reserved, sold=sold)
    )
