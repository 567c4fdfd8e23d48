"""Payments that arrived too late: their worklist, and the decisions about them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import admin, messages
from django.core.paginator import Page
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from backoffice.orders import late_payment_options, ticket_numbers, worklists
from backoffice.orders.form_values import parse_note, parse_seen_proof_ids
from backoffice.orders.order_card import OrderCard
from backoffice.orders.pagination import get_worklist_page
from backoffice.orders.payment_decisions.decisions import OrderDecision
from backoffice.orders.permissions import require_view_permission
from backoffice.orders.review.next_page import build_review_url
from backoffice.orders.ticket_numbers import OrderTicketNumber
from backoffice.orders.worklists import WorklistCounts
from backoffice.ui import display
from backoffice.ui.actions import ActionRefused, build_staff_actor
from shared.conversation.understanding import typed_numbers
from shared.core.enums import OrderAction
from shared.raffles.models import Order, OrderEvent, PaymentProof
from shared.raffles.services import availability
from shared.use_cases import late_payments

TICKET_NUMBERS_SUGGESTED: Final = 8
"""Free ticket numbers that are suggested, in addition to as many as were paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePaymentCard(OrderCard):
    """A late payment in the worklist; `proof` is the latest one, if there is any."""

    numbers: list[OrderTicketNumber]
    way_out: str


@dataclass(frozen=True, slots=True)
class LatePaymentList:
    """One page of the worklist of late payments."""

    tabs: WorklistCounts
    cards: list[LatePaymentCard]
    leaf: Page[Order]


def late_payments_view(request: HttpRequest) -> HttpResponse:
    """Return the page of late payments that are waiting for a decision."""
    require_view_permission(request)
    now = timezone.now()
    tabs = worklists.count_worklists(now=now)
    leaf = get_worklist_page(_query_orders(), count=tabs.late, number=request.GET.get("page", ""))
    shown = LatePaymentList(tabs, _load_cards(list(leaf), now=now), leaf)
    context = {"late": shown, "tabs": tabs, "tab": "late", "title": "Late payments"}
    return render(request, "orders/late_payments.html", admin.site.each_context(request) | context)


@require_GET
def free_ticket_numbers_view(request: HttpRequest, order_id: int) -> JsonResponse:
    """Return some free ticket numbers of an order's raffle, with their leading zeros."""
    require_view_permission(request)
    order = get_object_or_404(Order.objects.select_related("raffle"), pk=order_id)
    limit = TICKET_NUMBERS_SUGGESTED + order.quantity
    pivot = secrets.randbits(31)
    free = availability.pick_free_examples(order.raffle, pivot=pivot, limit=limit)
    return JsonResponse({"free": [order.raffle.format_ticket_number(number) for number in free]})


@require_POST
def replace_ticket_numbers_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Replace the ticket numbers of a late payment: typed ones, or random ones for those gone."""
    with OrderDecision(request, order_id) as decision:
        decision.require_current_page()
        settled = late_payments.replace_numbers(
            order_id,
            numbers=_parse_typed_numbers(request) if request.POST.get("how") == "typed" else None,
            pivot=secrets.randbits(31),
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
        )
        sold = display.format_ticket_numbers(
            decision.order.raffle, settled.order.list_ticket_numbers()
        )
        decision.report_confirmation(
            messages.SUCCESS, f"{decision.order} is paid with {sold}. The buyer is told."
        )
    return decision.redirect()


@require_POST
def note_refund_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Note that the money of a late payment is refunded."""
    with OrderDecision(request, order_id) as decision:
        decision.require_current_page()
        late_payments.note_refund(
            order_id,
            note=parse_note(request),
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
        )
        decision.report(
            messages.SUCCESS, f"The refund of {decision.order} is noted. The buyer is told."
        )
    return decision.redirect()


def _parse_typed_numbers(request: HttpRequest) -> Sequence[int]:
    numbers = typed_numbers.read_ticket_numbers(request.POST.get("numbers", ""))
    if numbers is None:
        raise ActionRefused("Write the numbers as 07, 13 and 45; nothing was changed.")
    return numbers


def _query_orders() -> QuerySet[Order]:
    flagged = OrderEvent.objects.filter(order=OuterRef("pk"), action=OrderAction.LATE_PAYMENT)
    return (
        worklists.query_late_payment_orders()
        .select_related("raffle", "contact")
        .prefetch_related(ticket_numbers.TICKETS_PREFETCH, "ledger")
        .annotate(flagged_at=Subquery(flagged.order_by("-id").values("at")[:1]))
    )


def _load_cards(orders: Sequence[Order], *, now: datetime) -> list[LatePaymentCard]:
    latest = _find_latest_proofs(orders)
    return [_build_card(order, latest.get(order.pk), now=now) for order in orders]


def _find_latest_proofs(orders: Sequence[Order]) -> dict[int | None, PaymentProof]:
    proofs = PaymentProof.objects.filter(order__in=orders).order_by("id")
    return {proof.order_id: proof for proof in proofs}


def _build_card(order: Order, proof: PaymentProof | None, *, now: datetime) -> LatePaymentCard:
    numbers = ticket_numbers.load_ticket_numbers(order)
    since: datetime = getattr(order, "flagged_at", None) or order.closed_at or order.created_at
    return LatePaymentCard(
        order=order,
        page=build_review_url(order.pk, raffle_id=None),
        proof=proof,
        waiting_since=since,
        now=now,
        numbers=numbers,
        way_out=_describe_options(order, numbers, now=now),
    )


def _describe_options(order: Order, numbers: Sequence[OrderTicketNumber], *, now: datetime) -> str:
    gone = [number for number in numbers if number.gone]
    if refusal := late_payment_options.describe_late_refusal(order, now=now):
        return f"{refusal} Only a refund is left."
    if not gone:
        return "All its numbers are free again: they can be taken back."
    return f"{len(gone)} of {len(numbers)} gone: replace or refund."
