"""Cards about the sales of each raffle on the dashboard."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from backoffice.orders.exports.selection import ExportKind
from backoffice.orders.exports.view import EXPORT_PERMISSION
from backoffice.raffles import progress_bar, status
from backoffice.raffles.progress_bar import ProgressBar
from backoffice.ui import display
from shared.core.enums import OrderStatus, RaffleStatus
from shared.raffles import sale_rules
from shared.raffles.models import Order, Raffle
from shared.raffles.services.availability import TicketCounts
from shared.raffles.services.sales import AmountsByCurrency, RaffleSums

RAFFLES_SHOWN: Final = 12
"""Raffles on the dashboard; a link leads to the others."""


@dataclass(frozen=True, slots=True)
class RaffleAmountLink:
    """An amount under its name, and the address of what is behind it; empty if there is none."""

    name: str
    amount: str
    address: str


@dataclass(frozen=True, slots=True)
class TicketCountLink:
    """The count of sold, held or free ticket numbers, and the address of their list."""

    name: str
    count: str
    address: str


@dataclass(frozen=True, slots=True)
class RaffleCard:
    """The sales of one raffle; an address is empty if the user may not open the page.

    Attributes:
        title: The title of the raffle.
        page: The address of its change page.
        badge: Its status as a badge.
        draw: The time of the draw in the raffle's time zone.
        zone: The name of that time zone.
        share: Sold, held and free ticket numbers as a progress bar.
        parts: The same as figures.
        money: Money in, money back and money expected; none if the user may not see orders.
        orders: The address of the list of its orders.
        numbers: The address of its number map.
        sell: The address of the page for cash sales.

    """

    title: str
    page: str
    badge: SafeString
    draw: str
    zone: str
    share: ProgressBar
    parts: Sequence[TicketCountLink]
    money: Sequence[RaffleAmountLink]
    orders: str
    numbers: str
    sell: str


@dataclass(frozen=True, slots=True)
class DraftRaffleLink:
    """A raffle that is not open yet, and the address of its page."""

    title: str
    page: str


@dataclass(frozen=True, slots=True)
class RaffleCards:
    """Raffles on sale or with pending orders, newest first, and raffles not open yet.

    Attributes:
        shown: At most `RAFFLES_SHOWN` cards.
        drafts: Raffles that are not open yet.
        all: The address of the list of all raffles; empty if all of these are shown.
        first: Whether there is no raffle at all yet.
        create: The address to create a raffle; empty if the user may not.

    """

    shown: Sequence[RaffleCard]
    drafts: Sequence[DraftRaffleLink]
    all: str
    first: bool
    create: str


def load_dashboard_raffles() -> list[Raffle]:
    """Return the raffles to show, drafts last, in one query.

    There is one more than `RAFFLES_SHOWN` if not all of them fit.
    """
    pending = Order.objects.filter(raffle=OuterRef("pk"), status__in=Order.LIVE)
    wanted = Raffle.objects.filter(
        Q(status__in=[RaffleStatus.DRAFT, RaffleStatus.OPEN, RaffleStatus.PAUSED])
        | Q(Exists(pending), status=RaffleStatus.CLOSED)
    )
    drafts_last = Case(
        When(status=RaffleStatus.DRAFT, then=Value(1)), default=0, output_field=IntegerField()
    )
    return list(wanted.order_by(drafts_last, "-pk")[: RAFFLES_SHOWN + 1])


def build_raffle_cards(
    found: Sequence[Raffle],
    sums: Mapping[int, RaffleSums],
    *,
    request: HttpRequest,
    now: datetime,
) -> RaffleCards:
    """Return the cards of raffles; one query if there are no raffles, else none.

    Args:
        found: Raffles from `load_dashboard_raffles`.
        sums: Sales sums by raffle id; a raffle without orders has none.
        request: The request of the user, whose permissions decide which links are shown.
        now: The current time.

    """
    first = not found and not Raffle.objects.exists()
    may = request.user.has_perm
    drafts = [raffle for raffle in found if raffle.status == RaffleStatus.DRAFT]
    selling = [raffle for raffle in found if raffle.status != RaffleStatus.DRAFT]
    listed = reverse("admin:raffles_raffle_changelist")
    return RaffleCards(
        shown=[
            _build_raffle_card(raffle, sums.get(raffle.pk, RaffleSums()), request=request, now=now)
            for raffle in selling[:RAFFLES_SHOWN]
        ],
        drafts=[
            DraftRaffleLink(raffle.title, _build_raffle_url(raffle))
            for raffle in drafts[: RAFFLES_SHOWN - len(selling)]
        ],
        all=listed if len(found) > RAFFLES_SHOWN else "",
        first=first,
        create=reverse("admin:raffles_raffle_add") if may("raffles.add_raffle") else "",
    )


def _build_raffle_card(
    raffle: Raffle, sums: RaffleSums, *, request: HttpRequest, now: datetime
) -> RaffleCard:
    may = request.user.has_perm
    sees_orders = may("raffles.view_order")
    orders = f"{reverse('admin:raffles_order_changelist')}?raffle={raffle.pk}"
    numbers = reverse("admin:desk_numbers", args=[raffle.pk])
    on_sale = sale_rules.get_not_selling_reason(raffle, now=now) is None
    money = _build_amount_links(raffle, sums, orders=orders, may=may) if sees_orders else ()
    share = _build_raffle_progress_bar(raffle, sums)
    return RaffleCard(
        title=raffle.title,
        page=_build_raffle_url(raffle),
        badge=status.render_status_badge(raffle),
        draw=_describe_draw(raffle, now=now),
        zone=raffle.time_zone.replace("_", " "),
        share=share,
        parts=[
            TicketCountLink(name, count, money[0].address if money and name == "sold" else numbers)
            for name, count in share.figures
        ],
        money=money,
        orders=orders if sees_orders else "",
        numbers=numbers,
        sell=reverse("admin:desk_sell", args=[raffle.pk])
        if on_sale and may("raffles.add_order")
        else "",
    )


def _build_raffle_progress_bar(raffle: Raffle, sums: RaffleSums) -> ProgressBar:
    free = max(0, raffle.number_count - sums.sold - sums.held)
    return progress_bar.build_progress_bar(
        TicketCounts(available=free, reserved=sums.held, sold=sums.sold)
    )


def _build_amount_links(
    raffle: Raffle, sums: RaffleSums, *, orders: str, may: Callable[[str], bool]
) -> Sequence[RaffleAmountLink]:
    def build_link(name: str, amounts: AmountsByCurrency, address: str) -> RaffleAmountLink:
        return RaffleAmountLink(
            name, display.format_amounts(amounts, currency=raffle.currency), address
        )

    export = f"{reverse('admin:desk_export')}?what={ExportKind.MONEY}&raffle={raffle.pk}"
    return (
        build_link("Money in", sums.money.confirmed, f"{orders}&status={OrderStatus.PAID}"),
        build_link("Money back", sums.money.back, export if may(EXPORT_PERMISSION) else ""),
        build_link("Expected", sums.expected, f"{orders}&status={OrderStatus.PENDING_PAYMENT}"),
    )


def _describe_draw(raffle: Raffle, *, now: datetime) -> str:
    """Return the time of the draw, e.g. "Draw 12 Dec 2026, 20:00, in 20 days"."""
    if raffle.draw_at is None:
        return "Drawn when sold out" if raffle.draw_when_sold_out else "No draw date yet"
    clock = display.format_time(raffle.draw_at, zone=raffle.time_zone)
    if raffle.draw_at <= now:
        return f"Draw was {clock}"
    return f"Draw {clock}, in {display.format_time_since(now, now=raffle.draw_at)}"


def _build_raffle_url(raffle: Raffle) -> str:
    return reverse("admin:raffles_raffle_change", args=[raffle.pk])
