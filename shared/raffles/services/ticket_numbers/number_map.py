"""Map of a raffle's free, held and sold ticket numbers: overview and pages; reads only."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, F, IntegerField, Value
from django.db.models.expressions import CombinedExpression

from shared.core.enums import TicketStatus
from shared.raffles.models import OrderTicket, Raffle, TicketNumber
from shared.raffles.predicates import AVAILABLE_TICKETS
from shared.raffles.services.availability import TicketCounts, build_ticket_counts

TICKETS_PER_PAGE: Final = 500
"""Ticket numbers on one page of the map."""

MAX_BLOCKS: Final = 200
"""Blocks of the overview at most; each consists of one or more whole pages."""


@dataclass(frozen=True, slots=True)
class MapBlock:
    """A block of consecutive ticket numbers, from `first` to `last`, and its counts."""

    first: int
    last: int
    counts: TicketCounts


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A ticket number and its order.

    Attributes:
        number: the ticket number.
        status: its status.
        order_id: the order that holds or bought it; None if it is free.
        order_code: code of that order; empty if it is free.

    """

    number: int
    status: TicketStatus
    order_id: int | None
    order_code: str


def load_map_blocks(raffle: Raffle) -> list[MapBlock]:
    """Return the overview: counts of up to `MAX_BLOCKS` blocks, in two queries.

    Only held and sold ticket numbers are read, through their partial index. All others count as
    free, even if they do not exist yet.
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
    """Return how many ticket numbers a block has: whole pages, and at most `MAX_BLOCKS` blocks."""
    pages = -(-raffle.number_count // TICKETS_PER_PAGE)
    return -(-pages // MAX_BLOCKS) * TICKETS_PER_PAGE


def find_page_start(raffle: Raffle, *, number: int) -> int:
    """Return the first ticket number of the page that contains a ticket number."""
    return number - (number - raffle.first_number) % TICKETS_PER_PAGE


def load_map_page(raffle: Raffle, *, first: int) -> list[MapEntry]:
    """Return a page of ticket numbers with their orders, in two queries.

    Args:
        raffle: the raffle.
        first: first ticket number of the page.

    Returns:
        The existing ticket numbers of the page, ascending.

    """
    span = (first, first + TICKETS_PER_PAGE - 1)
    held = {
        number: (order_id, code or "")
        for number, order_id, code in OrderTicket.objects.filter(
            ticket__raffle=raffle, ticket__number__range=span, released_at__isnull=True
        ).values_list("ticket__number", "order_id", "order__code")
    }
    existing = TicketNumber.objects.filter(raffle=raffle, number__range=span).order_by("number")
    return [
        MapEntry(number, TicketStatus(status), *held.get(number, (None, "")))
        for number, status in existing.values_list("number", "status")
    ]


def _count_by_block(raffle: Raffle, *, status: TicketStatus, size: int) -> dict[int, int]:
    """Return counts of one status by index of the block; the database divides integers.

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
