"""The queue: orders whose payment proof waits for a person, longest waiting first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.orders import proof_cards, worklists
from backoffice.orders.worklists import RaffleReviewCount, WorklistCounts
from backoffice.ui import display
from shared.raffles.models import Order, PaymentProof

ORDERS_PER_PAGE: Final = 50
"""Orders on one page."""


@dataclass(frozen=True, slots=True)
class QueueBadge:
    """A word of warning or of help, with Bootstrap's colour for it."""

    text: str
    style: str


@dataclass(frozen=True, slots=True)
class QueueCard:
    """One waiting order in the list; `asked` says since when its buyer owes another proof."""

    order: Order
    page: str
    proof: PaymentProof | None
    shown: str
    thumbnail: str
    buyer: str
    amount: str
    since: str
    ago: str
    asked: str
    badges: tuple[QueueBadge, ...]


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """Which page of a list this is; `previous` and `following` are 0 where there is none."""

    number: int
    count: int

    @property
    def previous(self) -> int:
        """The page before."""
        return self.number - 1

    @property
    def following(self) -> int:
        """The page after."""
        return self.number + 1 if self.number < self.count else 0

    @property
    def start(self) -> int:
        """How many rows stand before this page."""
        return (self.number - 1) * ORDERS_PER_PAGE


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """The page of the queue."""

    tabs: WorklistCounts
    cards: list[QueueCard]
    raffles: list[RaffleReviewCount]
    chosen: RaffleReviewCount | None
    waiting: int
    asked: int
    oldest: str
    leaf: WorklistPage
    first: str


def queue_view(request: HttpRequest) -> HttpResponse:
    """Show which orders wait for review."""
    require_view_permission(request)
    shown = _load_queue(
        raffle_id=parse_raffle_id(request.GET.get("raffle", "")),
        number=request.GET.get("page", ""),
        now=timezone.now(),
    )
    context = {"queue": shown, "tabs": shown.tabs, "tab": "queue", "title": "Review queue"}
    if shown.chosen:
        context["keep"] = f"&raffle={shown.chosen.raffle_id}"
    return render(request, "orders/queue.html", admin.site.each_context(request) | context)


def require_view_permission(request: HttpRequest) -> None:
    """Let only those in who may see orders.

    Raises:
        PermissionDenied: otherwise.

    """
    if not (request.user.has_perm("raffles.view_order") or may_decide_orders(request)):
        raise PermissionDenied


def may_decide_orders(request: HttpRequest) -> bool:
    """Whether this person decides about money."""
    return request.user.has_perm("raffles.change_order")


def parse_raffle_id(written: str) -> int | None:
    """Read the id of the raffle that a list is narrowed to; None for all."""
    return int(written) if written.isdecimal() and len(written) < 10 else None  # noqa: PLR2004


def choose_worklist_page(written: str, *, rows: int) -> WorklistPage:
    """Find the page that an address asks for; the nearest where it does not exist."""
    count = max(1, -(-rows // ORDERS_PER_PAGE))
    wanted = int(written) if written.isdecimal() and len(written) < 10 else 1  # noqa: PLR2004
    return WorklistPage(min(max(wanted, 1), count), count)


def _load_queue(*, raffle_id: int | None, number: str, now: datetime) -> ReviewQueue:
    raffles = worklists.count_reviews_by_raffle()
    counted = [share for share in raffles if raffle_id in {None, share.raffle_id}]
    rows, asked = sum(share.count for share in counted), sum(share.asked for share in counted)
    leaf = choose_worklist_page(number, rows=rows)
    turn = worklists.query_orders_to_review(raffle_id=raffle_id).select_related("raffle", "contact")
    found = list(turn[leaf.start : leaf.start + ORDERS_PER_PAGE])
    cards = _load_cards(found, raffle_id=raffle_id, now=now)
    ready = [card for card in cards if not card.asked]
    return ReviewQueue(
        tabs=worklists.count_worklists(),
        cards=cards,
        raffles=raffles,
        chosen=counted[0] if raffle_id is not None and counted else None,
        waiting=rows - asked,
        asked=asked,
        oldest=ready[0].ago if ready and leaf.number == 1 else "",
        leaf=leaf,
        first=ready[0].page if ready else "",
    )


def _load_cards(
    orders: Sequence[Order], *, raffle_id: int | None, now: datetime
) -> list[QueueCard]:
    proofs = list(PaymentProof.objects.filter(order__in=orders).order_by("id"))
    judged = [proof for proof in proofs if proof_cards.is_proof_pending(proof)]
    twins, alike = (
        proof_cards.find_identical_proofs(judged),
        proof_cards.load_similar_proofs(judged),
    )
    of_order: Mapping[int | None, list[PaymentProof]] = _group_proofs_by_order(proofs)
    return [
        _build_card(order, of_order.get(order.pk, []), twins, alike, raffle_id=raffle_id, now=now)
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
    open_ones = [proof for proof in proofs if proof_cards.is_proof_pending(proof)]
    latest = next(reversed(open_ones or proofs), None)
    since = order.under_review_since or now
    return QueueCard(
        order=order,
        page=build_review_url(order.pk, raffle_id=raffle_id),
        proof=latest,
        shown=proof_cards.choose_proof_display(latest) if latest else "",
        thumbnail=proof_cards.build_thumbnail_url(latest) if latest else "",
        buyer=display.format_contact(order.contact),
        amount=display.format_order_total(order),
        since=display.format_time(since, zone=order.raffle.time_zone),
        ago=display.format_time_since(since, now=now),
        asked=display.format_time_since(order.asked_again_at, now=now)
        if order.asked_again_at
        else "",
        badges=tuple(_build_badges(open_ones, twins, alike)),
    )


def build_review_url(order_id: int, *, raffle_id: int | None) -> str:
    """Give the address where an order is reviewed, within the list one came from."""
    address = reverse("admin:desk_review", args=[order_id])
    return address if raffle_id is None else f"{address}?raffle={raffle_id}"


def _build_badges(
    proofs: Sequence[PaymentProof],
    twins: Mapping[int, list[PaymentProof]],
    alike: Mapping[int, list[PaymentProof]],
) -> list[QueueBadge]:
    same = _map_order_codes(other for proof in proofs for other in twins[proof.pk])
    near = _map_order_codes(other for proof in proofs for other in alike[proof.pk])
    near = {pk: code for pk, code in near.items() if pk not in same}
    badges = [QueueBadge(f"Same file as {_format_order_codes(same)}", "danger")] if same else []
    if near:
        badges.append(QueueBadge(f"Looks like {_format_order_codes(near)}", "warning"))
    if any(proof.late for proof in proofs):
        badges.append(QueueBadge("Late", "warning"))
    if len(proofs) > 1:
        badges.append(QueueBadge(f"{len(proofs)} proofs", "info"))
    return badges


def _map_order_codes(proofs: Iterable[PaymentProof]) -> dict[int, str]:
    return {proof.order.pk: str(proof.order) for proof in proofs if proof.order is not None}


def _format_order_codes(orders: Mapping[int, str]) -> str:
    """Name the oldest order and count the others."""
    code = orders[min(orders)]
    return f"{code} and {len(orders) - 1} more" if len(orders) > 1 else code
