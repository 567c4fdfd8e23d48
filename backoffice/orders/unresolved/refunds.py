"""Refunds: the worklist of the money that must go back, and the refunds that were made last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Page
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from backoffice.messaging import chat_view
from backoffice.orders import late_payment_options, worklists
from backoffice.orders.order_card import OrderCard
from backoffice.orders.pagination import get_worklist_page
from backoffice.orders.permissions import may_refund_orders, require_view_permission
from backoffice.orders.prefetched import format_order_buyer
from backoffice.orders.review.next_page import build_review_url
from backoffice.orders.worklists import WorklistCounts
from backoffice.ui import display, ids, phone_numbers
from shared.conversation import formatting
from shared.core.enums import OrderAction, OrderStatus, RaffleAction, RaffleStatus
from shared.raffles.models import LedgerEntry, Order, OrderEvent, PaymentProof, RaffleEvent
from shared.raffles.services.queries import refund_queries
from shared.raffles.services.sales import AmountsByCurrency

_CENT: Final = Decimal("0.01")

REFUNDS_SHOWN: Final = 10
"""Refunds made last that are shown below the worklist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundCard(OrderCard):
    """An order whose money must go back.

    Attributes:
        reason: The reason why the money goes back.
        work: The address of the form about the refund; empty if the user may not refund.
        whatsapp: A link that opens WhatsApp with the buyer; empty without a country code.

    """

    reason: str
    work: str
    whatsapp: str

    @property
    def buyer(self) -> str:
        """The name and phone number of the buyer, also of a cash sale."""
        return format_order_buyer(self.order)


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund that was made."""

    order: Order
    page: str
    buyer: str
    amount: str
    who: str
    at: str
    reference: str


@dataclass(frozen=True, slots=True)
class RaffleRefundCount:
    """The count and the sums of the refunds to make in one raffle."""

    raffle_id: int
    title: str
    count: int
    amounts: AmountsByCurrency


@dataclass(frozen=True, slots=True)
class RefundList:
    """One page of the worklist of refunds; `total` is the sum of all rows."""

    tabs: WorklistCounts
    cards: list[RefundCard]
    raffles: list[RaffleRefundCount]
    chosen: int | None
    count: int
    total: str
    leaf: Page[Order]
    made: list[RefundRow]
    export: str


@require_GET
def refunds_view(request: HttpRequest) -> HttpResponse:
    """Return the page of refunds to make, and the refunds that were made last."""
    require_view_permission(request)
    now, raffle_id = timezone.now(), ids.parse_digits(request.GET.get("raffle", ""))
    shown = _load_refund_list(request, raffle_id=raffle_id, now=now)
    context = {"refunds": shown, "tabs": shown.tabs, "tab": "refunds", "title": "Refunds to make"}
    if raffle_id is not None:
        context["keep"] = f"&raffle={raffle_id}"
    return render(request, "orders/refunds.html", admin.site.each_context(request) | context)


def _load_refund_list(request: HttpRequest, *, raffle_id: int | None, now: datetime) -> RefundList:
    raffles = _count_refunds_by_raffle(now=now)
    counted = [raffle for raffle in raffles if raffle_id in {None, raffle.raffle_id}]
    count = sum(raffle.count for raffle in counted)
    orders = _query_orders(raffle_id=raffle_id, now=now)
    leaf = get_worklist_page(orders, count=count, number=request.GET.get("page", ""))
    made = refund_queries.query_refunds(raffle_id=raffle_id)
    made = made.select_related("order__raffle", "order__contact")
    return RefundList(
        tabs=worklists.count_worklists(now=now),
        cards=_load_cards(
            list(leaf), raffle_id=raffle_id, may_refund=may_refund_orders(request), now=now
        ),
        raffles=raffles,
        chosen=raffle_id,
        count=count,
        total=_format_sum(counted),
        leaf=leaf,
        made=[_build_refund_row(entry) for entry in made[:REFUNDS_SHOWN]],
        export=_build_export_url(raffle_id=raffle_id),
    )


def _count_refunds_by_raffle(*, now: datetime) -> list[RaffleRefundCount]:
    """Return counts and sums of each raffle with refunds to make, in one query."""
    groups = (
        refund_queries.query_orders_to_refund(now=now)
        .order_by("raffle__title", "raffle_id", "currency")
        .values_list("raffle_id", "raffle__title", "currency")
        .annotate(count=Count("id"), amount=Sum("total"))
    )
    counts: dict[int, RaffleRefundCount] = {}
    for raffle_id, title, currency, count, amount in groups:
        known = counts.get(raffle_id)
        counts[raffle_id] = RaffleRefundCount(
            raffle_id,
            title,
            count + (known.count if known else 0),
            {
                **(known.amounts if known else {}),
                currency: amount.quantize(_CENT),
            },  # SQLite sums as floats
        )
    return list(counts.values())


def _format_sum(counted: Sequence[RaffleRefundCount]) -> str:
    amounts: dict[str, Decimal] = {}
    for raffle in counted:
        for currency, amount in raffle.amounts.items():
            amounts[currency] = amounts.get(currency, Decimal()) + amount
    return display.format_amounts(amounts, currency=next(iter(amounts))) if amounts else ""


def _query_orders(*, raffle_id: int | None, now: datetime) -> QuerySet[Order]:
    flagged = OrderEvent.objects.filter(order=OuterRef("pk"), action=OrderAction.LATE_PAYMENT)
    called_off = RaffleEvent.objects.filter(
        raffle=OuterRef("raffle_id"), action=RaffleAction.CALLED_OFF
    )
    return (
        refund_queries.query_orders_to_refund(now=now, raffle_id=raffle_id)
        .select_related("raffle", "contact")
        .prefetch_related("ledger")
        .annotate(
            flagged_at=Subquery(flagged.order_by("-id").values("at")[:1]),
            called_off_at=Subquery(called_off.order_by("-id").values("at")[:1]),
        )
    )


def _load_cards(
    orders: Sequence[Order], *, raffle_id: int | None, may_refund: bool, now: datetime
) -> list[RefundCard]:
    proofs = PaymentProof.objects.filter(order__in=orders).order_by("id")
    latest = {proof.order_id: proof for proof in proofs}
    return [
        _build_card(
            order, latest.get(order.pk), raffle_id=raffle_id, may_refund=may_refund, now=now
        )
        for order in orders
    ]


def _build_card(
    order: Order,
    proof: PaymentProof | None,
    *,
    raffle_id: int | None,
    may_refund: bool,
    now: datetime,
) -> RefundCard:
    paid = order.status == OrderStatus.PAID
    since: datetime | None = getattr(order, "called_off_at" if paid else "flagged_at", None)
    page = build_review_url(order.pk, raffle_id=raffle_id, then="refunds")
    return RefundCard(
        order=order,
        page=page,
        proof=proof,
        waiting_since=since or order.closed_at or order.created_at,
        now=now,
        reason=_describe_reason(order, now=now),
        work=_build_refund_url(order, raffle_id=raffle_id) if paid and may_refund else "",
        whatsapp=chat_view.build_whatsapp_link(
            _find_whatsapp_digits(order), text=_build_text(order)
        ),
    )


def _describe_reason(order: Order, *, now: datetime) -> str:
    if order.status == OrderStatus.PAID:
        return "It was paid, and the raffle was called off."
    if order.raffle.status == RaffleStatus.CANCELLED:
        return "A payment came, and the raffle was called off."
    return f"Paid too late. {late_payment_options.describe_late_refusal(order, now=now)}"


def _find_whatsapp_digits(order: Order) -> str:
    if order.contact is None:
        return phone_numbers.find_international_digits(order.buyer_phone)
    return order.contact.wa_id or ""


def _build_text(order: Order) -> str:
    """Return the beginning of a message by hand to the buyer."""
    return (
        f"{order.raffle.title}, order {order}: you get your {display.format_order_total(order)} "
        "back. Where shall we send it?"
    )


def _build_refund_url(order: Order, *, raffle_id: int | None) -> str:
    query: dict[str, object] = {"then": "refunds"}
    if raffle_id is not None:
        query["raffle"] = raffle_id
    return f"{reverse('admin:raffles_order_refund', args=[order.pk])}?{urlencode(query)}"


def _build_export_url(*, raffle_id: int | None) -> str:
    query: dict[str, object] = {"what": "REFUNDS", "status": ""}
    if raffle_id is not None:
        query["raffle"] = raffle_id
    return f"{reverse('admin:desk_export')}?{urlencode(query)}"


def _build_refund_row(entry: LedgerEntry) -> RefundRow:
    order = entry.order
    return RefundRow(
        order=order,
        page=reverse("admin:raffles_order_change", args=[order.pk]),
        buyer=format_order_buyer(order),
        amount=formatting.format_money(entry.amount, entry.currency),
        who=entry.actor_label or entry.actor_kind.lower(),
        at=display.format_time(entry.at, zone=order.raffle.time_zone),
        reference=entry.reference,
    )
