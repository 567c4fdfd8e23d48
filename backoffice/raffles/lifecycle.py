"""Lifecycle of a raffle in the admin: counts, revenue, and the buttons that change the status.

Each button is a POST view that calls one service, which owns its transaction.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from backoffice.raffles import history, progress_bar, status
from backoffice.raffles.draws.pages import DrawPage, build_page_url, describe_refusal
from backoffice.raffles.history import RaffleHistoryEntry
from backoffice.raffles.last_day import follow_up
from backoffice.raffles.last_day.call_off import CALL_OFF_PERMISSION, may_call_off
from backoffice.raffles.last_day.follow_up import FollowUp
from backoffice.raffles.progress_bar import ProgressBar
from backoffice.ui import audit_log
from backoffice.ui.actions import ActionResult, build_staff_actor, run_action
from backoffice.ui.permissions import require_permission
from shared.conversation import formatting
from shared.core.enums import LedgerKind, OrderStatus, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles import sale_rules, transitions
from shared.raffles.errors import TransitionNotAllowed
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability, duplication, lifecycle
from shared.raffles.services.availability import TicketCounts
from shared.raffles.services.draws import draw_rules


@dataclass(frozen=True, slots=True)
class RaffleRevenue:
    """Number and total amount of the orders with a status.

    Attributes:
        orders: number of orders.
        amount: their total, formatted.
        address: URL of the list of these orders.

    """

    orders: int
    amount: str
    address: str


@dataclass(frozen=True, slots=True)
class RaffleLifecyclePanel:
    """Status panel of a raffle's page, with the buttons that the user may use."""

    badge: SafeString
    no_sale: str
    share: ProgressBar
    missing: int
    money_in: RaffleRevenue
    money_back: str
    expected: RaffleRevenue
    orders: str
    may_generate: bool
    may_open: bool
    may_pause: bool
    may_close: bool
    may_move_draw: bool
    may_call_off: bool
    may_duplicate: bool
    may_sell: bool
    may_export: bool
    may_see_orders: bool
    needs_rules: bool
    history: list[RaffleHistoryEntry]
    follow_up: FollowUp | None

    @property
    def missing_words(self) -> str:
        """Number of ticket numbers that are not generated yet: "1,000,000"."""
        return f"{self.missing:,}"


def load_lifecycle_panel(raffle: Raffle, *, request: HttpRequest) -> RaffleLifecyclePanel:
    """Return the raffle's counts and revenue, and which buttons the request's user may use.

    Args:
        raffle: The raffle; its admin has set whether it `needs_rules`.
        request: The request of the user.

    """
    has_perm = request.user.has_perm
    counts, now = count_ticket_numbers(raffle), timezone.now()
    missing = raffle.number_count - counts.total
    next_statuses = transitions.RAFFLE_TRANSITIONS[RaffleStatus(raffle.status)]
    may_change = has_perm("raffles.change_raffle")
    money_in, money_back = _sum_money(raffle)
    paid, expected = _sum_orders(raffle)
    events = history.load_raffle_events(raffle) if has_perm("raffles.view_raffleevent") else []
    return RaffleLifecyclePanel(
        badge=status.render_status_badge(raffle),
        no_sale=status.describe_no_sale(raffle, now=now)
        if raffle.status == RaffleStatus.OPEN
        else "",
        share=progress_bar.build_progress_bar(counts),
        missing=missing,
        money_in=replace(paid, amount=money_in),
        money_back=money_back,
        expected=expected,
        orders=_build_orders_url(raffle),
        may_generate=may_change and missing > 0 and raffle.status == RaffleStatus.DRAFT,
        may_open=may_change and not missing and RaffleStatus.OPEN in next_statuses,
        may_pause=may_change and RaffleStatus.PAUSED in next_statuses,
        may_close=may_change and RaffleStatus.CLOSED in next_statuses,
        may_move_draw=may_change and lifecycle.find_move_draw_refusal(raffle, now=now) is None,
        may_call_off=has_perm(CALL_OFF_PERMISSION) and may_call_off(raffle),
        may_duplicate=has_perm("raffles.add_raffle"),
        may_sell=has_perm("raffles.add_order")
        and sale_rules.get_not_selling_reason(raffle, now=now) is None,
        may_export=has_perm("raffles.export_order"),
        may_see_orders=has_perm("raffles.view_order"),
        needs_rules=getattr(raffle, "needs_rules", False),
        history=history.build_history(events, zone=raffle.time_zone),
        follow_up=follow_up.load_follow_up(raffle, events, request=request),
    )


def count_ticket_numbers(raffle: Raffle) -> TicketCounts:
    """Return the counts of a raffle's numbers; only a draft may lack some of them."""
    if raffle.status == RaffleStatus.DRAFT:
        return availability.count_tickets(raffle.pk)
    return availability.count_tickets_by_raffle([raffle])[raffle.pk]


@require_POST
def open_raffle_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Start the sale, or continue it after a pause."""

    def act(raffle: Raffle) -> ActionResult:
        try:
            lifecycle.open_raffle(raffle.pk, by=build_staff_actor(request), now=timezone.now())
        except DomainError as refusal:
            if refusal.code in _REFUSALS_ABOUT_RULES:
                return messages.ERROR, _link_to_rules(raffle, refusal)
            if refusal.code not in _FIELDS_BY_REFUSAL:
                raise
            return messages.ERROR, _link_to_field(raffle, refusal)
        audit_log.record_action(request, raffle, "Opened the raffle")
        return messages.SUCCESS, _describe_opening(raffle)

    return _run_status_change(request, raffle_id, act, target=RaffleStatus.OPEN)


@require_POST
def pause_raffle_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Pause the sale; pending orders can still be paid."""

    def act(raffle: Raffle) -> ActionResult:
        lifecycle.pause(raffle.pk, by=build_staff_actor(request), now=timezone.now())
        audit_log.record_action(request, raffle, "Paused the raffle")
        return messages.SUCCESS, "The raffle is paused. What is pending can still be paid."

    return _run_status_change(request, raffle_id, act, target=RaffleStatus.PAUSED)


@require_POST
def close_raffle_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """End the sale, after a confirmation page."""
    require_permission(request, "raffles.change_raffle")
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    if request.POST.get("sure") != "yes":
        context = {
            "raffle": raffle,
            "share": progress_bar.build_progress_bar(count_ticket_numbers(raffle)),
            "then": "draw" if request.POST.get("then") == "draw" else "",
            "title": f"Close {raffle}?",
        }
        page = admin.site.each_context(request) | context
        return render(request, "admin/raffles/raffle/close.html", page)

    def act(raffle: Raffle) -> ActionResult:
        lifecycle.close(raffle.pk, by=build_staff_actor(request), now=timezone.now())
        audit_log.record_action(request, raffle, "Closed the raffle")
        return messages.SUCCESS, "The raffle is closed. What is pending can still be paid."

    answer = _run_status_change(request, raffle_id, act, target=RaffleStatus.CLOSED)
    if request.POST.get("then") == "draw":
        return redirect(build_page_url(raffle.pk, DrawPage.SEAL))
    return answer


@require_POST
def duplicate_raffle_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Create a draft with the same terms and redirect to it."""
    require_permission(request, "raffles.add_raffle")
    original = get_object_or_404(Raffle, pk=raffle_id)
    copies: list[Raffle] = []

    def act() -> ActionResult:
        copy = duplication.duplicate_raffle(original.pk, now=timezone.now())
        audit_log.record_action(request, copy, f"Duplicated “{original}”", flag=ADDITION)
        audit_log.record_action(request, original, f"Duplicated it as “{copy}”")
        copies.append(copy)
        return messages.SUCCESS, (
            "This is a copy with the same terms. Set its dates, check the rest and save it; "
            "then make its numbers."
        )

    run_action(request, act)
    raffle = copies[0] if copies else original
    return redirect("admin:raffles_raffle_change", raffle.pk)


_FIELDS_BY_REFUSAL: Final = {
    "draw_date_missing": ("draw_at", "Choose the draw"),
    "draw_date_not_ahead": ("draw_at", "Change the draw"),
    "sales_end_not_ahead": ("sales_close_at", "Change when sales end"),
    "time_zone_not_confirmed": ("time_zone", "Choose the time zone, and save"),
}
"""The form's field to change, and its link's label, by the code of a refused opening."""


_REFUSALS_ABOUT_RULES: Final = frozenset({"legal_details_missing", "rules_invalid"})
"""Codes of refusals that are mended on the page of the draw's rules."""


def _describe_opening(raffle: Raffle) -> str:
    """Return that the raffle is open, and until when its rules can change if they still can."""
    opened = "The raffle is open: buyers can get numbers."
    if draw_rules.are_rules_frozen(raffle.pk):
        return opened
    return format_html(
        "{} How it is drawn can change until the first one is sold. "
        '<a class="alert-link" href="{}">Rules of the draw</a>',
        opened,
        build_page_url(raffle.pk, DrawPage.RULES),
    )


def _link_to_rules(raffle: Raffle, refusal: DomainError) -> SafeString:
    """Return the refusal's sentence with a link to the rules of the draw."""
    page = build_page_url(raffle.pk, DrawPage.RULES)
    return format_html(
        '{} <a class="alert-link" href="{}">Rules of the draw</a>', describe_refusal(refusal), page
    )


def _link_to_field(raffle: Raffle, refusal: DomainError) -> SafeString:
    """Return the refusal's sentence with a link to the field of the form that it is about."""
    field, label = _FIELDS_BY_REFUSAL[refusal.code]
    page = reverse("admin:raffles_raffle_change", args=[raffle.pk])
    return format_html(
        '{} <a class="alert-link" href="{}#id_{}">{}</a>', refusal.message(), page, field, label
    )


def _run_status_change(
    request: HttpRequest,
    raffle_id: int,
    act: Callable[[Raffle], ActionResult],
    *,
    target: RaffleStatus,
) -> HttpResponse:
    """Change the status; show a message if the raffle has the status already."""
    require_permission(request, "raffles.change_raffle")
    raffle = get_object_or_404(Raffle, pk=raffle_id)

    def change_status() -> ActionResult:
        try:
            return act(raffle)
        except TransitionNotAllowed as refusal:
            if refusal.details.get("current") != target:
                raise
            raffle.status = target
            return (
                messages.INFO,
                f"The raffle is {status.get_status_label(raffle).lower()} already.",
            )

    run_action(request, change_status)
    return redirect("admin:raffles_raffle_change", raffle.pk)


def _build_orders_url(raffle: Raffle, order_status: OrderStatus | None = None) -> str:
    status_filter = f"&status={order_status.value}" if order_status else ""
    return f"{reverse('admin:raffles_order_changelist')}?raffle={raffle.pk}{status_filter}"


def _sum_money(raffle: Raffle) -> tuple[str, str]:
    """Return the money that came in and, if any, the money that went back."""
    entries = raffle.ledger.order_by("kind").values_list("kind").annotate(sum=Sum("amount"))
    ledger: defaultdict[str, Decimal] = defaultdict(Decimal, entries)
    back = ledger[LedgerKind.UNDONE] + ledger[LedgerKind.REFUNDED]
    return (
        formatting.format_money(ledger[LedgerKind.CONFIRMED], raffle.currency),
        formatting.format_money(back, raffle.currency) if back else "",
    )


def _sum_orders(raffle: Raffle) -> tuple[RaffleRevenue, RaffleRevenue]:
    """Return the paid orders and those still to be paid, in one query."""
    statuses = (OrderStatus.PAID, OrderStatus.PENDING_PAYMENT)
    orders = (
        Order.objects.filter(raffle=raffle, status__in=statuses)
        .order_by("status")
        .values_list("status")
        .annotate(count=Count("pk"), sum=Sum("total"))
    )
    totals = {status: (count, total) for status, count, total in orders}
    paid, expected = (
        RaffleRevenue(
            count,
            formatting.format_money(total, raffle.currency),
            _build_orders_url(raffle, status),
        )
        for status in statuses
        for count, total in [totals.get(status, (0, Decimal(0)))]
    )
    return paid, expected
