"""The map of a raffle's numbers: where what is sold and held lies, and who has a number."""

from dataclasses import dataclass
from typing import Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from backoffice.raffles import progress_bar
from backoffice.raffles.progress_bar import ProgressBar
from backoffice.ui import display
from shared.conversation import parsing
from shared.core import enums
from shared.core.enums import OrderStatus, RaffleStatus, TicketStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.services.availability import TicketCounts
from shared.raffles.services.ticket_numbers import number_map
from shared.raffles.services.ticket_numbers.number_map import TICKETS_PER_PAGE, MapBlock, MapEntry

_TICKET_STATES: Final = {
    TicketStatus.AVAILABLE: "free",
    TicketStatus.RESERVED: "held",
    TicketStatus.SOLD: "sold",
}


@dataclass(frozen=True, slots=True)
class TicketNumberCell:
    """A number on the page: `state` is sold, held or free, `address` where a tap leads."""

    written: str
    state: str
    address: str
    sought: bool


@dataclass(frozen=True, slots=True)
class NumberRangeLink:
    """A stretch of numbers one can look into; `here` if the page shown lies in it."""

    written: str
    address: str
    here: bool
    share: ProgressBar | None = None


@dataclass(frozen=True, slots=True)
class FoundTicketNumber:
    """What is known of the number that was asked for."""

    written: str
    state: str
    order: Order | None
    order_status: str
    buyer: str
    sell: str


@dataclass(frozen=True, slots=True)
class NumberMapPage:
    """The whole page.

    Attributes:
        raffle: whose numbers.
        share: all of them.
        blocks: the overview, if there is more than one page.
        pages: the pages of the block shown, if it has more than one.
        span: the numbers of the page in words.
        cells: the numbers of the page.
        before: the address of the page before, if there is one.
        after: that of the next.
        asked: what was typed into the search.
        found: what is known of that number.
        trouble: why it was not found.

    """

    raffle: Raffle
    share: ProgressBar
    blocks: list[NumberRangeLink]
    pages: list[NumberRangeLink]
    span: str
    cells: list[TicketNumberCell]
    before: str
    after: str
    asked: str
    found: FoundTicketNumber | None
    trouble: str


@require_GET
def number_map_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the overview and one page: that of `?number=`, or the one that `?from=` begins."""
    if not request.user.has_perm("raffles.view_raffle"):
        raise PermissionDenied
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    context = {"map": _load_number_map(raffle, request=request), "title": f"Numbers of {raffle}"}
    return render(request, "desk/numbers.html", admin.site.each_context(request) | context)


def _load_number_map(raffle: Raffle, *, request: HttpRequest) -> NumberMapPage:
    asked = request.GET.get("number", "").strip()[:40]
    sought = _parse_searched_ticket_number(raffle, asked)
    first = number_map.find_page_start(
        raffle, number=_parse_page_start(raffle, request) if sought is None else sought
    )
    last = min(first + TICKETS_PER_PAGE - 1, raffle.last_number)
    blocks = number_map.load_map_blocks(raffle)
    places = number_map.load_map_page(raffle, first=first)
    links = _NumberMapLinks(raffle, request)
    return NumberMapPage(
        raffle=raffle,
        share=progress_bar.build_progress_bar(_sum_counts(blocks)),
        blocks=_build_overview(blocks, links=links, first=first),
        pages=_build_page_links(links, first=first),
        span=_format_range(raffle, first, last),
        cells=[
            TicketNumberCell(
                written=raffle.format_ticket_number(place.number),
                state=_TICKET_STATES[place.status],
                address=links.of(place),
                sought=place.number == sought,
            )
            for place in places
        ],
        before=links.turn(first - TICKETS_PER_PAGE) if first > raffle.first_number else "",
        after=links.turn(first + TICKETS_PER_PAGE) if last < raffle.last_number else "",
        asked=asked,
        found=next((links.found(place) for place in places if place.number == sought), None),
        trouble=_explain_unknown_ticket_number(raffle) if asked and sought is None else "",
    )


class _NumberMapLinks:
    """Where the page leads whoever looks: to other pages, to orders, to a sale."""

    def __init__(self, raffle: Raffle, request: HttpRequest) -> None:
        self.raffle = raffle
        self.map = reverse("admin:desk_numbers", args=[raffle.pk])
        self.sale = reverse("admin:desk_sell", args=[raffle.pk])
        self.sees_orders = request.user.has_perm("raffles.view_order")
        self.sells = raffle.status == RaffleStatus.OPEN and request.user.has_perm(
            "raffles.add_order"
        )

    def turn(self, first: int) -> str:
        """Give the address of the page that a number is on."""
        return f"{self.map}?from={first}#page"

    def of(self, place: MapEntry) -> str:
        """Give the address behind a number; empty where there is none for this person."""
        if place.order_id is None:
            return self._sale(place) if place.status == TicketStatus.AVAILABLE else ""
        if not self.sees_orders:
            return ""
        return reverse("admin:raffles_order_change", args=[place.order_id])

    def found(self, place: MapEntry) -> FoundTicketNumber:
        """Read who has a number."""
        order = None
        if place.order_id is not None and self.sees_orders:
            order = Order.objects.select_related("contact").get(pk=place.order_id)
        return FoundTicketNumber(
            written=self.raffle.format_ticket_number(place.number),
            state=_TICKET_STATES[place.status],
            order=order,
            order_status=enums.format_label(OrderStatus(order.status)) if order else "",
            buyer=_describe_buyer(order) if order else "",
            sell=self._sale(place) if place.status == TicketStatus.AVAILABLE else "",
        )

    def _sale(self, place: MapEntry) -> str:
        if not self.sells:
            return ""
        return f"{self.sale}?numbers={self.raffle.format_ticket_number(place.number)}"


def _describe_buyer(order: Order) -> str:
    if order.contact is not None:
        return display.format_contact(order.contact)
    named = ", ".join(part for part in (order.buyer_name, order.buyer_phone) if part)
    return f"{named} (cash)" if named else "sold for cash"


def _parse_searched_ticket_number(raffle: Raffle, asked: str) -> int | None:
    """Read the number that is looked for as the chat would; None if the raffle has none such."""
    read = parsing.parse_ticket_numbers(asked) if asked else None
    if read is None or not raffle.first_number <= read.values[0] <= raffle.last_number:
        return None
    return read.values[0]


def _parse_page_start(raffle: Raffle, request: HttpRequest) -> int:
    wanted = request.GET.get("from", "")
    written = wanted.isascii() and wanted.isdecimal() and len(wanted) <= parsing.MAX_DIGITS
    number = int(wanted) if written else raffle.first_number
    return min(max(number, raffle.first_number), raffle.last_number)


def _explain_unknown_ticket_number(raffle: Raffle) -> str:
    span = _format_range(raffle, raffle.first_number, raffle.last_number)
    return f"There is no such number: they go from {span}."


def _sum_counts(blocks: list[MapBlock]) -> TicketCounts:
    return TicketCounts(
        available=sum(block.counts.available for block in blocks),
        reserved=sum(block.counts.reserved for block in blocks),
        sold=sum(block.counts.sold for block in blocks),
    )


def _build_overview(
    blocks: list[MapBlock], *, links: _NumberMapLinks, first: int
) -> list[NumberRangeLink]:
    if len(blocks) == 1:
        return []
    return [
        NumberRangeLink(
            written=links.raffle.format_ticket_number(block.first),
            address=links.turn(block.first),
            here=block.first <= first <= block.last,
            share=progress_bar.build_progress_bar(block.counts),
        )
        for block in blocks
    ]


def _build_page_links(links: _NumberMapLinks, *, first: int) -> list[NumberRangeLink]:
    """List the pages beside this one, where a block of the overview has several."""
    raffle = links.raffle
    size = number_map.compute_block_size(raffle)
    if size == TICKETS_PER_PAGE:
        return []
    begin = first - (first - raffle.first_number) % size
    end = min(begin + size - 1, raffle.last_number)
    return [
        NumberRangeLink(
            written=raffle.format_ticket_number(start),
            address=links.turn(start),
            here=start == first,
        )
        for start in range(begin, end + 1, TICKETS_PER_PAGE)
    ]


def _format_range(raffle: Raffle, first: int, last: int) -> str:
    return f"{raffle.format_ticket_number(first)} to {raffle.format_ticket_number(last)}"
