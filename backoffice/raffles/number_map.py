"""Number map of a raffle: free, held and sold ticket numbers, and the order behind each."""

from dataclasses import dataclass
from typing import Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from backoffice.raffles import progress_bar
from backoffice.raffles.progress_bar import ProgressBar
from backoffice.ui import display, ids
from backoffice.ui.permissions import require_permission
from shared.conversation.understanding import typed_numbers
from shared.core import enums
from shared.core.enums import OrderStatus, TicketStatus
from shared.raffles import sale_rules
from shared.raffles.models import Order, Raffle
from shared.raffles.services.availability import TicketCounts
from shared.raffles.services.ticket_numbers import number_map
from shared.raffles.services.ticket_numbers.number_map import TICKETS_PER_PAGE, MapBlock, MapEntry

TICKET_STATE_LABELS: Final = {
    TicketStatus.AVAILABLE: "free",
    TicketStatus.RESERVED: "held",
    TicketStatus.SOLD: "sold",
}


@dataclass(frozen=True, slots=True)
class TicketNumberCell:
    """A ticket number on the page.

    Attributes:
        written: the formatted number.
        state: "free", "held" or "sold".
        address: URL of its order or of a sale; empty if the user may use neither.
        sought: whether the user searched for it.

    """

    written: str
    state: str
    address: str
    sought: bool


@dataclass(frozen=True, slots=True)
class NumberRangeLink:
    """A link to a range of ticket numbers.

    Attributes:
        written: the formatted first number.
        address: URL of the range.
        here: whether the current page is in the range.
        share: the range's counts, for links of the overview.

    """

    written: str
    address: str
    here: bool
    share: ProgressBar | None = None


@dataclass(frozen=True, slots=True)
class FoundTicketNumber:
    """The ticket number that the user searched for.

    Attributes:
        written: the formatted number.
        state: "free", "held" or "sold".
        order: its order, if the user may see it.
        order_status: the order's status; empty without an order.
        buyer: name and phone number; empty without an order.
        sell: URL of a sale; empty if it cannot be sold.

    """

    written: str
    state: str
    order: Order | None
    order_status: str
    buyer: str
    sell: str


@dataclass(frozen=True, slots=True)
class NumberMapPage:
    """Context of the page.

    Attributes:
        raffle: the raffle.
        share: counts of all its numbers.
        blocks: the overview; empty if there is only one block.
        pages: pages of the current block; empty if it has only one.
        span: first and last number of the page.
        cells: numbers of the page.
        before: URL of the previous page; empty if none.
        after: URL of the next page; empty if none.
        asked: the search term.
        found: the number that was found.
        trouble: why none was found; empty otherwise.

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
    """Show the overview and a page: the one with `?number=`, or the one with `?from=`."""
    require_permission(request, "raffles.view_raffle")
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    context = {"map": _load_number_map(raffle, request=request), "title": f"Numbers of {raffle}"}
    return render(request, "raffles/numbers.html", admin.site.each_context(request) | context)


def _load_number_map(raffle: Raffle, *, request: HttpRequest) -> NumberMapPage:
    asked = request.GET.get("number", "").strip()[:40]
    sought = _parse_searched_ticket_number(raffle, asked)
    first = number_map.find_page_start(
        raffle, number=_parse_page_start(raffle, request) if sought is None else sought
    )
    last = min(first + TICKETS_PER_PAGE - 1, raffle.last_number)
    blocks = number_map.load_map_blocks(raffle)
    entries = number_map.load_map_page(raffle, first=first)
    links = _NumberMapLinks(raffle, request)
    return NumberMapPage(
        raffle=raffle,
        share=progress_bar.build_progress_bar(_sum_counts(blocks)),
        blocks=_build_overview(blocks, links=links, first=first),
        pages=_build_page_links(links, first=first),
        span=_format_range(raffle, first, last),
        cells=[
            TicketNumberCell(
                written=raffle.format_ticket_number(entry.number),
                state=TICKET_STATE_LABELS[entry.status],
                address=links.build_cell_url(entry),
                sought=entry.number == sought,
            )
            for entry in entries
        ],
        before=links.build_page_url(first - TICKETS_PER_PAGE)
        if first > raffle.first_number
        else "",
        after=links.build_page_url(first + TICKETS_PER_PAGE) if last < raffle.last_number else "",
        asked=asked,
        found=next(
            (links.load_found_ticket_number(entry) for entry in entries if entry.number == sought),
            None,
        ),
        trouble=_explain_unknown_ticket_number(raffle) if asked and sought is None else "",
    )


class _NumberMapLinks:
    """URLs of pages, orders and sales for the current user."""

    def __init__(self, raffle: Raffle, request: HttpRequest) -> None:
        self.raffle = raffle
        self.map_url = reverse("admin:desk_numbers", args=[raffle.pk])
        self.sale_url = reverse("admin:desk_sell", args=[raffle.pk])
        self.may_see_orders = request.user.has_perm("raffles.view_order")
        on_sale = sale_rules.get_not_selling_reason(raffle, now=timezone.now()) is None
        self.may_sell = on_sale and request.user.has_perm("raffles.add_order")

    def build_page_url(self, first: int) -> str:
        """Return the URL of the page that contains a ticket number."""
        return f"{self.map_url}?from={first}#page"

    def build_cell_url(self, entry: MapEntry) -> str:
        """Return the URL for a number; empty if there is none for the user."""
        if entry.order_id is None:
            return self._build_sale_url(entry) if entry.status == TicketStatus.AVAILABLE else ""
        if not self.may_see_orders:
            return ""
        return reverse("admin:raffles_order_change", args=[entry.order_id])

    def load_found_ticket_number(self, entry: MapEntry) -> FoundTicketNumber:
        """Return the number that was found, with its order."""
        order = None
        if entry.order_id is not None and self.may_see_orders:
            order = Order.objects.select_related("contact").get(pk=entry.order_id)
        return FoundTicketNumber(
            written=self.raffle.format_ticket_number(entry.number),
            state=TICKET_STATE_LABELS[entry.status],
            order=order,
            order_status=enums.format_label(OrderStatus(order.status)) if order else "",
            buyer=_describe_buyer(order) if order else "",
            sell=self._build_sale_url(entry) if entry.status == TicketStatus.AVAILABLE else "",
        )

    def _build_sale_url(self, entry: MapEntry) -> str:
        if not self.may_sell:
            return ""
        return f"{self.sale_url}?numbers={self.raffle.format_ticket_number(entry.number)}"


def _describe_buyer(order: Order) -> str:
    if order.contact is not None:
        return display.format_contact(order.contact)
    buyer = ", ".join(part for part in (order.buyer_name, order.buyer_phone) if part)
    return f"{buyer} (cash)" if buyer else "sold for cash"


def _parse_searched_ticket_number(raffle: Raffle, asked: str) -> int | None:
    """Return the number that was searched for, parsed as in the chat; None if it does not exist."""
    numbers = typed_numbers.read_ticket_numbers(asked, last_number=raffle.last_number)
    if numbers is None or not raffle.first_number <= numbers[0] <= raffle.last_number:
        return None
    return numbers[0]


def _parse_page_start(raffle: Raffle, request: HttpRequest) -> int:
    asked = ids.parse_digits(request.GET.get("from", ""))
    number = raffle.first_number if asked is None else asked
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
            address=links.build_page_url(block.first),
            here=block.first <= first <= block.last,
            share=progress_bar.build_progress_bar(block.counts),
        )
        for block in blocks
    ]


def _build_page_links(links: _NumberMapLinks, *, first: int) -> list[NumberRangeLink]:
    """Return links to the pages of the block that contains this one, if it has several."""
    raffle = links.raffle
    size = number_map.compute_block_size(raffle)
    if size == TICKETS_PER_PAGE:
        return []
    block_start = first - (first - raffle.first_number) % size
    block_end = min(block_start + size - 1, raffle.last_number)
    return [
        NumberRangeLink(
            written=raffle.format_ticket_number(start),
            address=links.build_page_url(start),
            here=start == first,
        )
        for start in range(block_start, block_end + 1, TICKETS_PER_PAGE)
    ]


def _format_range(raffle: Raffle, first: int, last: int) -> str:
    return f"{raffle.format_ticket_number(first)} to {raffle.format_ticket_number(last)}"
