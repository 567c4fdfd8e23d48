"""The dashboard: pending work, sales of the raffles, and the health of the channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest

from backoffice.dashboard import (
    channel_health,
    last_day,
    pending_counts,
    raffle_cards,
    sales_cache,
    sales_chart,
    waiting_people,
)
from backoffice.dashboard.channel_health import ChannelHealth, OpenAlarms
from backoffice.dashboard.last_day import LastDayRaffle
from backoffice.dashboard.pending_counts import DashboardCounts
from backoffice.dashboard.raffle_cards import RaffleCards
from backoffice.dashboard.sales_chart import SalesChart
from backoffice.dashboard.waiting_people import WaitingPeople
from backoffice.ui import display


@dataclass(frozen=True, slots=True)
class PendingWork:
    """Counts of work that is pending for staff.

    Attributes:
        review: Orders to review.
        oldest: The waiting time of the first order to review; empty if there is none.
        asked: Orders whose buyer was asked for another proof.
        expiring: Orders that expire within ten minutes.
        ends: The time until the first of them expires; empty if there is none.
        late: Payments that arrived after the ticket numbers were gone.
        orphans: Receipts to sort.
        orders: Whether the user may see orders.
        proofs: Whether the user may see proofs.

    """

    review: int
    oldest: str
    asked: int
    expiring: int
    ends: str
    late: int
    orphans: int
    orders: bool
    proofs: bool


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard at the time `at`; a part is None if the user may not see it."""

    at: str
    last_day: Sequence[LastDayRaffle]
    waits: PendingWork | None
    raffles: RaffleCards | None
    chart: SalesChart | None
    channel: ChannelHealth | None
    alarms: OpenAlarms | None
    people: WaitingPeople | None

    @property
    def urgent_draws(self) -> Sequence[LastDayRaffle]:
        """The raffles whose draw is a day ahead at most, or has come."""
        return [raffle for raffle in self.last_day if not raffle.is_far]

    @property
    def far_draws(self) -> Sequence[LastDayRaffle]:
        """The raffles with work for a draw that is more than a day ahead."""
        return [raffle for raffle in self.last_day if raffle.is_far]

    @property
    def blank(self) -> bool:
        """Whether there is nothing that the user may see."""
        return not any(
            (self.waits, self.raffles, self.chart, self.channel, self.alarms, self.people)
        )


def load_dashboard(request: HttpRequest, *, now: datetime) -> Dashboard:
    """Return the parts of the dashboard that the user may see, in at most nine queries."""
    may = request.user.has_perm
    counts = pending_counts.count_pending_work(may=may, now=now)
    sees_raffles, sees_orders = may("raffles.view_raffle"), may("raffles.view_order")
    rows = raffle_cards.load_dashboard_raffles() if sees_raffles else []
    sums = (
        sales_cache.get_recent_sales(now=now, zone=settings.TIME_ZONE)
        if rows or sees_orders
        else None
    )
    known = sums.raffles if sums else {}
    chart = None
    if sums and sees_orders:
        chart = sales_chart.build_sales_chart(
            sums.days, currency=rows[0].currency if rows else "USD"
        )
    return Dashboard(
        at=display.format_time(now),
        last_day=last_day.load_last_day_raffles(now=now) if sees_raffles and sees_orders else (),
        waits=_build_pending_work(request, counts, now=now),
        raffles=raffle_cards.build_raffle_cards(rows, known, request=request, now=now)
        if sees_raffles
        else None,
        chart=chart,
        channel=channel_health.load_channel_health(request, counts, now=now),
        alarms=channel_health.load_open_alarms(counts, now=now),
        people=waiting_people.load_waiting_people(count=counts.people.count, now=now),
    )


def _build_pending_work(
    request: HttpRequest, counts: DashboardCounts, *, now: datetime
) -> PendingWork | None:
    orders = request.user.has_perm("raffles.view_order")
    proofs = request.user.has_perm("raffles.view_paymentproof")
    if not (orders or proofs):
        return None
    oldest, ends = counts.review.first, counts.expiring.first
    return PendingWork(
        review=counts.review.count,
        oldest=display.format_time_since(oldest, now=now) if oldest else "",
        asked=counts.asked.count,
        expiring=counts.expiring.count,
        ends=_describe_first_expiry(ends, now=now) if ends else "",
        late=counts.late.count,
        orphans=counts.orphans.count,
        orders=orders,
        proofs=proofs,
    )


def _describe_first_expiry(at: datetime, *, now: datetime) -> str:
    if at <= now:
        return "the first just now"
    if at < now + timedelta(minutes=1):
        return "the first within a minute"
    return f"the first in {display.format_time_since(now, now=at)}"
