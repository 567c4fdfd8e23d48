"""The review queue: orders with a payment proof to review, longest waiting first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.orders import worklists
from backoffice.orders.order_card import OrderCard
from backoffice.orders.pagination import get_worklist_page
from backoffice.orders.permissions import require_view_permission
from backoffice.orders.proofs import proof_cards
from backoffice.orders.review import queue_state
from backoffice.orders.review.next_page import build_review_url
from backoffice.orders.review.queue_state import QueueState
from backoffice.orders.worklists import RaffleReviewCount, WorklistCounts
from backoffice.ui import display, ids
from shared.raffles.models import Order, PaymentProof


@dataclass(frozen=True, slots=True)
class QueueBadge:
    """A warning or a hint about an order, with its Bootstrap colour."""

    text: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCard(OrderCard):
    """An order in the queue; `asked` is the time since its buyer was asked for another proof."""

    asked: str
    badges: tuple[QueueBadge, ...]


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """One page of the review queue.

    Attributes:
        state: What the open page polls for, at the address `state_url`.
        tabs: The counts of all worklists.
        cards: The orders of this page.
        raffles: The raffles with orders in the queue.
        chosen: The raffle that the queue is filtered by, if it has any.
        waiting: Orders that wait for staff.
        asked: Orders that wait for their buyers.
        oldest: The time since the first of them waits; empty on other pages than the first.
        oldest_since: When its wait began; None if `oldest` is empty.
        leaf: The page of the paginator.
        first: The address of the first order to review; empty if there is none.

    """

    state: QueueState
    state_url: str
    tabs: WorklistCounts
    cards: list[QueueCard]
    raffles: list[RaffleReviewCount]
    chosen: RaffleReviewCount | None
    waiting: int
    asked: int
    oldest: str
    oldest_since: datetime | None
    leaf: Page[Order]
    first: str


def queue_view(request: HttpRequest) -> HttpResponse:
    """Return the page of orders that are waiting for review."""
    require_view_permission(request)
    shown = _load_queue(
        raffle_id=ids.parse_digits(request.GET.get("raffle", "")),
        number=request.GET.get("page", ""),
        now=timezone.now(),
    )
    context = {"queue": shown, "tabs": shown.tabs, "tab": "queue", "title": "Review queue"}
    if shown.chosen:
        context["keep"] = f"&raffle={shown.chosen.raffle_id}"
    return render(request, "orders/queue.html", admin.site.each_context(request) | context)


def _load_queue(*, raffle_id: int | None, number: str, now: datetime) -> ReviewQueue:
    state = queue_state.load_queue_state(raffle_id=raffle_id)  # first: what changes later is polled
    raffles = worklists.count_reviews_by_raffle()
    counted = [raffle for raffle in raffles if raffle_id in {None, raffle.raffle_id}]
    rows, asked = sum(raffle.count for raffle in counted), sum(raffle.asked for raffle in counted)
    orders = worklists.query_orders_to_review(raffle_id=raffle_id)
    leaf = get_worklist_page(orders.select_related("raffle", "contact"), count=rows, number=number)
    cards = _load_cards(list(leaf), raffle_id=raffle_id, now=now)
    ready = [card for card in cards if not card.asked]
    oldest = ready[0] if ready and leaf.number == 1 else None
    return ReviewQueue(
        state=state,
        state_url=_build_state_url(raffle_id),
        tabs=worklists.count_worklists(now=now),
        cards=cards,
        raffles=raffles,
        chosen=counted[0] if raffle_id is not None and counted else None,
        waiting=rows - asked,
        asked=asked,
        oldest=oldest.ago if oldest else "",
        oldest_since=oldest.waiting_since if oldest else None,
        leaf=leaf,
        first=ready[0].page if ready else "",
    )


def _build_state_url(raffle_id: int | None) -> str:
    address = reverse("admin:desk_queue_state")
    return address if raffle_id is None else f"{address}?{urlencode({'raffle': raffle_id})}"


def _load_cards(
    orders: Sequence[Order], *, raffle_id: int | None, now: datetime
) -> list[QueueCard]:
    proofs = list(PaymentProof.objects.filter(order__in=orders).order_by("id"))
    pending = [proof for proof in proofs if proof_cards.is_proof_pending(proof)]
    twins = proof_cards.load_identical_proofs(pending)
    alike = proof_cards.load_similar_proofs(pending)
    by_order: Mapping[int | None, list[PaymentProof]] = _group_proofs_by_order(proofs)
    return [
        _build_card(order, by_order.get(order.pk, []), twins, alike, raffle_id=raffle_id, now=now)
        for order in orders
    ]


def _group_proofs_by_order(proofs: Sequence[PaymentProof]) -> dict[int | None, list[PaymentProof]]:
    groups: dict[int | None, list[PaymentProof]] = defaultdict(list)
    for proof in proofs:
        groups[proof.order_id].append(proof)
    return groups


def _build_card(
    order: Order,
    proofs: Sequence[PaymentProof],
    twins: Mapping[int, list[PaymentProof]],
    alike: Mapping[int, list[PaymentProof]],
    *,
    raffle_id: int | None,
    now: datetime,
) -> QueueCard:
    pending = [proof for proof in proofs if proof_cards.is_proof_pending(proof)]
    latest = next(reversed(pending or proofs), None)
    return QueueCard(
        order=order,
        page=build_review_url(order.pk, raffle_id=raffle_id),
        proof=latest,
        waiting_since=order.under_review_since or now,
        now=now,
        asked=display.format_time_since(order.asked_again_at, now=now)
        if order.asked_again_at
        else "",
        badges=tuple(_build_badges(pending, twins, alike)),
    )


def _build_badges(
    proofs: Sequence[PaymentProof],
    twins: Mapping[int, list[PaymentProof]],
    alike: Mapping[int, list[PaymentProof]],
) -> list[QueueBadge]:
    identical = _map_order_codes(other for proof in proofs for other in twins[proof.pk])
    similar = _map_order_codes(other for proof in proofs for other in alike[proof.pk])
    similar = {pk: code for pk, code in similar.items() if pk not in identical}
    badges = [] if proofs else [QueueBadge("No proof", "secondary")]
    if identical:
        badges.append(QueueBadge(f"Same file as {_format_order_codes(identical)}", "danger"))
    if similar:
        badges.append(QueueBadge(f"Looks like {_format_order_codes(similar)}", "warning"))
    if any(proof.late for proof in proofs):
        badges.append(QueueBadge("Late", "warning"))
    if len(proofs) > 1:
        badges.append(QueueBadge(f"{len(proofs)} proofs", "info"))
    return badges


def _map_order_codes(proofs: Iterable[PaymentProof]) -> dict[int, str]:
    return {proof.order.pk: str(proof.order) for proof in proofs if proof.order is not None}


def _format_order_codes(orders: Mapping[int, str]) -> str:
    """Return the code of the oldest order and the count of the others."""
    code = orders[min(orders)]
    return f"{code} and {len(orders) - 1} more" if len(orders) > 1 else code
