"""Seal page: a check list of what keeps a raffle from being sealed, and the one button."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backoffice.accounts.permission_holders import count_staff_with_permission
from backoffice.orders.review.next_page import build_review_url
from backoffice.raffles import progress_bar
from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawAction, DrawPage
from backoffice.raffles.progress_bar import ProgressBar
from backoffice.ui import audit_log
from backoffice.ui.actions import ActionRefused, build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.core.enums import DrawMethod, RaffleStatus, SourceKind
from shared.raffles import sale_rules
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import DrawRules, DrawSource, SealedList
from shared.raffles.errors import TransitionNotAllowed
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability
from shared.raffles.services.draws import draw_rules, sealed_lists, source_dates

MAX_ORDERS_LISTED: Final = 50
"""Open orders that the check list names."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that keeps the raffle from being sealed, and the page on which it is decided."""

    code: str
    page: str
    why: str


@dataclass(frozen=True, slots=True)
class DecidingDate:
    """The date of a source that decides; `later` if it is not the one that the rules name."""

    name: str
    at: datetime
    later: bool
    round_number: int | None


@dataclass(frozen=True, slots=True)
class SealCheckList:
    """What the page says about a raffle that is not sealed yet.

    Attributes:
        closed: Whether its sale is closed.
        orders: The first open and undecided orders.
        open_count: How many there are.
        share: Sold, held and free numbers.
        minimum: Fewest numbers that must be sold.
        too_few: Whether fewer are sold, so that it can only be called off.
        no_rules: Whether numbers were sold before the raffle had rules.
        people: Staff who may draw.
        dates: The dates that decide if it is sealed now.
        decide_until: The time of the draw, after which nobody may decide about orders; None if it
            has passed or somebody may.
        sales_end: When the sale ends by itself; None: it does not.

    """

    closed: bool
    orders: list[OpenOrder]
    open_count: int
    share: ProgressBar
    minimum: int
    too_few: bool
    no_rules: bool
    people: int
    dates: list[DecidingDate]
    decide_until: datetime | None
    sales_end: datetime | None

    @property
    def two_people(self) -> bool:
        """Whether each value needs two people if it is sealed now."""
        return self.people > 1

    @property
    def ready(self) -> bool:
        """Whether nothing keeps the raffle from being sealed."""
        return self.closed and not (self.open_count or self.too_few or self.no_rules)


@require_http_methods(["GET", "POST"])
def seal_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the check list, or the sealed list; a POST seals."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    if request.method == "POST":
        return _seal(request, raffle)
    now = timezone.now()
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    context: dict[str, Any] = {"sealed": sealed}
    if sealed is not None:
        context["dates"] = [_read_source_date(entry) for entry in sealed.sources]
        context["template"] = "raffles/draws/sealed.html"
    else:
        context["check"] = load_check_list(raffle, now=now)
        context["may_close"] = request.user.has_perm("raffles.change_raffle")
    return pages.render_draw_page(request, raffle, DrawPage.SEAL, context)


def load_check_list(raffle: Raffle, *, now: datetime) -> SealCheckList:
    """Return what keeps a raffle from being sealed, in at most ten queries."""
    counts = availability.count_tickets_by_raffle([raffle])[raffle.pk]
    rules = DrawRules.objects.filter(raffle=raffle).first()
    minimum = rules.minimum_sold if rules is not None else 1
    unsettled = sealed_lists.query_unsettled_orders(raffle.pk)
    undecided = sealed_lists.query_undecided_orders(raffle.pk)
    orders = _list_orders(unsettled, undecided)
    full = len(orders) > MAX_ORDERS_LISTED
    closed = raffle.status == RaffleStatus.CLOSED
    has_public_source = sale_rules.has_public_source(raffle)
    ahead = raffle.draw_at is not None and raffle.draw_at > now
    return SealCheckList(
        closed=closed,
        orders=orders[:MAX_ORDERS_LISTED],
        open_count=unsettled.count() + undecided.count() if full else len(orders),
        share=progress_bar.build_progress_bar(counts),
        minimum=minimum,
        too_few=counts.sold < minimum,
        no_rules=draw_rules.need_rules(raffle.pk),
        people=count_staff_with_permission(pages.DRAW_PERMISSION),
        dates=_compute_dates(raffle, now=now),
        decide_until=raffle.draw_at if has_public_source and ahead else None,
        sales_end=sale_rules.compute_sales_end(raffle),
    )


def _list_orders(unsettled: QuerySet[Order], undecided: QuerySet[Order]) -> list[OpenOrder]:
    """Return the open orders, at most one more than the page lists."""
    limit = MAX_ORDERS_LISTED + 1
    waiting = [
        OpenOrder(
            str(order),
            page=build_review_url(order.pk, raffle_id=order.raffle_id)
            if order.under_review_since
            else reverse("admin:raffles_order_change", args=[order.pk]),
            why="under review" if order.under_review_since else "not paid yet",
        )
        for order in unsettled[:limit]
    ]
    late = [
        OpenOrder(
            str(order),
            page=build_review_url(order.pk, raffle_id=order.raffle_id),
            why="its payment came too late: decide about it",
        )
        for order in undecided[:limit]
    ]
    return (waiting + late)[:limit]


def _compute_dates(raffle: Raffle, *, now: datetime) -> list[DecidingDate]:
    """Return the dates that decide if the raffle is sealed now."""
    if raffle.draw_method == DrawMethod.RECORDED_DRUM:
        return []
    dates = []
    for source in DrawSource.objects.filter(raffle=raffle):
        index = source_dates.find_first_date(source, raffle, sealed_at=now)
        at = source_dates.compute_date(source, raffle, sealed_at=now, index=index)
        drand = source.kind == SourceKind.DRAND
        dates.append(
            DecidingDate(
                source.name,
                at=at,
                later=index > 0,
                round_number=draw_methods.compute_drand_round(at) if drand else None,
            )
        )
    return dates


def _read_source_date(entry: dict[str, Any]) -> DecidingDate:
    """Return the date of a source as the sealed list has it."""
    return DecidingDate(
        entry["name"],
        at=datetime.fromisoformat(entry["at"]),
        later=entry["date_index"] > 0,
        round_number=entry.get("round"),
    )


def _seal(request: HttpRequest, raffle: Raffle) -> HttpResponse:
    require_permission(request, pages.DRAW_PERMISSION)
    action = DrawAction(request)
    with action:
        if request.POST.get("sure") != "yes":
            raise ActionRefused("Confirm that the list may be sealed; nothing was changed.")
        people = count_staff_with_permission(pages.DRAW_PERMISSION)
        try:
            sealed = sealed_lists.seal(
                raffle.pk,
                two_people=people > 1,
                by=build_staff_actor(request),
                now=timezone.now(),
            )
        except TransitionNotAllowed as refusal:
            if refusal.details.get("current") not in {RaffleStatus.SEALED, RaffleStatus.DRAWN}:
                raise
            raise ActionRefused("It is sealed already.", level=messages.INFO) from refusal
        audit_log.record_action(request, raffle, f"Sealed {sealed.count:,} sold numbers")
        action.report(messages.SUCCESS, f"Sealed: {sealed.count:,} sold numbers take part.")
    return redirect(pages.build_page_url(raffle.pk, DrawPage.SEAL))
