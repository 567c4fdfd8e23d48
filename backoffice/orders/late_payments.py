"""Payments that came too late: their list, and the decisions that end them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import admin, messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from backoffice.orders import proof_cards, ticket_numbers, worklists
from backoffice.orders.decisions import Said, decided, note_of, seen, staff
from backoffice.orders.review import queue
from backoffice.orders.review.queue import Leaf
from backoffice.orders.ticket_numbers import ShownNumber
from backoffice.orders.worklists import Tabs
from backoffice.ui import display
from shared.conversation import parsing
from shared.core.enums import OrderAction, RaffleStatus
from shared.raffles.models import Order, OrderEvent, PaymentProof
from shared.raffles.services import availability
from shared.use_cases import late_payments

SUGGESTIONS: Final = 8
"""How many free numbers are shown to choose from, beside as many as were paid."""


@dataclass(frozen=True, slots=True)
class LateCard:
    """One late payment in the list; `proof` is the latest that came, if any did."""

    order: Order
    page: str
    proof: PaymentProof | None
    shown: str
    thumbnail: str
    buyer: str
    amount: str
    numbers: list[ShownNumber]
    way_out: str
    since: str
    ago: str


@dataclass(frozen=True, slots=True)
class LateList:
    """The page of the late payments."""

    tabs: Tabs
    cards: list[LateCard]
    leaf: Leaf


def page(request: HttpRequest) -> HttpResponse:
    """Show which payments came too late and wait for a decision."""
    queue.may_look(request)
    tabs = worklists.tabs()
    leaf = queue.leaf_of(request.GET.get("page", ""), rows=tabs.late)
    shown = LateList(tabs, _cards(leaf, now=timezone.now()), leaf)
    context = {"late": shown, "tabs": tabs, "tab": "late", "title": "Late payments"}
    return render(request, "desk/late.html", admin.site.each_context(request) | context)


@require_GET
def free_numbers(request: HttpRequest, order_id: int) -> JsonResponse:
    """Give a few free numbers of an order's raffle to choose from, written with their zeros."""
    queue.may_look(request)
    order = get_object_or_404(Order.objects.select_related("raffle"), pk=order_id)
    limit = SUGGESTIONS + order.quantity
    pivot = secrets.randbits(31)
    free = availability.pick_free_examples(order.raffle, pivot=pivot, limit=limit)
    return JsonResponse({"free": [order.raffle.written(number) for number in free]})


@require_POST
def replace(request: HttpRequest, order_id: int) -> HttpResponse:
    """Give the buyer of a late payment other numbers: typed ones, or random for those gone."""

    def act(order: Order) -> Said:
        numbers = None
        if request.POST.get("how") == "typed":
            read = parsing.parse_ticket_numbers(request.POST.get("numbers", ""))
            if read is None:
                return messages.ERROR, "Write the numbers as 07, 13 and 45; nothing was changed."
            numbers = read.values
        settled = late_payments.replace_numbers(
            order.pk,
            numbers=numbers,
            pivot=secrets.randbits(31),
            by=staff(request),
            now=timezone.now(),
            seen_proofs=seen(request),
        )
        sold = display.numbers(order.raffle, settled.order.numbers())
        return messages.SUCCESS, f"{order} is paid with {sold}. The buyer is told."

    return decided(request, order_id, act)


@require_POST
def note_refund(request: HttpRequest, order_id: int) -> HttpResponse:
    """Note that the money of a late payment goes back."""

    def act(order: Order) -> Said:
        if not note_of(request):
            return messages.ERROR, "Write how the money goes back; nothing was changed."
        late_payments.note_refund(
            order.pk,
            note=note_of(request),
            by=staff(request),
            now=timezone.now(),
            seen_proofs=seen(request),
        )
        return messages.SUCCESS, f"The refund of {order} is noted. The buyer is told."

    return decided(request, order_id, act)


def _cards(leaf: Leaf, *, now: datetime) -> list[LateCard]:
    flagged = OrderEvent.objects.filter(order=OuterRef("pk"), action=OrderAction.LATE_PAYMENT)
    orders = (
        worklists.late_orders()
        .select_related("raffle", "contact")
        .prefetch_related(ticket_numbers.WITH_TICKETS)
        .annotate(flagged_at=Subquery(flagged.order_by("-id").values("at")[:1]))
    )
    found = list(orders[leaf.start : leaf.start + queue.PAGE])
    latest = _latest(found)
    return [_card(order, latest.get(order.pk), now=now) for order in found]


def _latest(orders: Sequence[Order]) -> dict[int | None, PaymentProof]:
    proofs = PaymentProof.objects.filter(order__in=orders).order_by("id")
    return {proof.order_id: proof for proof in proofs}


def _card(order: Order, proof: PaymentProof | None, *, now: datetime) -> LateCard:
    numbers = ticket_numbers.shown(order)
    since: datetime = getattr(order, "flagged_at", None) or order.closed_at or order.created_at
    return LateCard(
        order=order,
        page=queue.review_page(order.pk, raffle_id=None),
        proof=proof,
        shown=proof_cards.how(proof) if proof else "",
        thumbnail=proof_cards.thumbnail_of(proof) if proof else "",
        buyer=display.buyer(order.contact),
        amount=display.money(order),
        numbers=numbers,
        way_out=_way_out(order, numbers),
        since=display.clock(since, zone=order.raffle.time_zone),
        ago=display.ago(since, now=now),
    )


def _way_out(order: Order, numbers: Sequence[ShownNumber]) -> str:
    gone = [number for number in numbers if number.gone]
    if order.raffle.status == RaffleStatus.DRAWN:
        return "The raffle is drawn: only a refund is left."
    if not gone:
        return "All its numbers are free again: they can be taken back."
    return f"{len(gone)} of {len(numbers)} gone: replace or refund."
