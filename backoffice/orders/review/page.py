"""The review page of an order: its proofs, and the facts that help to decide about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import OuterRef, Subquery, prefetch_related_objects
from django.db.models.functions import JSONObject
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.messaging import buyer_pattern
from backoffice.orders import (
    confirmations,
    last_decision,
    late_payment_options,
    summary,
    ticket_numbers,
    timeline,
    worklists,
)
from backoffice.orders.confirmations import OrderConfirmation
from backoffice.orders.late_payment_options import LatePaymentOptions
from backoffice.orders.permissions import may_decide_orders, require_view_permission
from backoffice.orders.proofs import proof_cards
from backoffice.orders.proofs.proof_cards import ProofCard, ProofDisplay, SimilarProofCard
from backoffice.orders.review.next_page import build_review_url
from backoffice.orders.ticket_numbers import OrderTicketNumber
from backoffice.orders.timeline import TimelineEntry
from backoffice.orders.worklists import WorklistPosition
from backoffice.ui import display, ids
from shared.core import enums
from shared.core.enums import OrderAction, OrderStatus, RejectReason, Verdict
from shared.raffles import sale_rules
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services.payment_proofs import proof_verdicts
from shared.raffles.services.queries import refund_queries

NOTES_SHOWN: Final = 10
"""Notes about the order that are shown; its own page has all of them."""

OTHER_ORDERS_SHOWN: Final = 10
"""Other orders of the buyer that are shown."""


@dataclass(frozen=True, slots=True)
class OtherOrderRow:
    """Another order of the same buyer, with its latest proof and the verdict on it."""

    order: Order
    page: str
    status: str
    style: str
    total: str
    at: str
    proof: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The review page of one order.

    Attributes:
        order: The order.
        total, numbers, buyer, placed, waiting: Its facts as text.
        proofs: All its proofs.
        current: Id of the proof that is shown first.
        seen: Ids of the pending proofs, which a decision on this page is based on.
        compared: A proof of the order, and the proof of another order shown beside it.
        notes: The latest notes of staff about it, newest first.
        others: Other orders of the buyer, newest first.
        place: Its position in its worklist.
        decided: The last decision, if the order is not waiting any more, or if it is an undo.
        confirmation: Its confirmation; None while it is not paid.
        asked: The time since its buyer was asked for another proof.
        late: The options for a late payment; None if it was not paid too late.
        may_judge: Whether it is waiting for a decision.
        refusal: The reason why that decision cannot be a confirmation any more; may be empty.
        may_sell, may_reject: Whether that decision may be a confirmation or a rejection.
        keeps_time: Whether a rejection leaves time to pay; after the draw it ends the order.
        to_open: Ids of the pending proofs that pages cannot show: they count as seen only once
            the reviewer says that the file was opened.
        pattern: That much of this buyer waits at once; empty if it does not.
        hidden: Whether nobody can look at what would be confirmed: a file is still being fetched,
            or there is none.

    """

    order: Order
    total: str
    numbers: list[OrderTicketNumber]
    buyer: str
    placed: str
    waiting: str
    status: str
    style: str
    proofs: list[ProofCard]
    current: int | None
    seen: tuple[int, ...]
    compared: tuple[ProofCard, SimilarProofCard] | None
    notes: tuple[TimelineEntry, ...]
    others: list[OtherOrderRow]
    place: WorklistPosition
    decided: str
    confirmation: OrderConfirmation | None
    asked: str
    late: LatePaymentOptions | None
    may_judge: bool
    refusal: str
    may_sell: bool
    may_reject: bool
    keeps_time: bool
    to_open: tuple[int, ...]
    pattern: str
    hidden: bool


def review_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Return the review page of an order."""
    require_view_permission(request)
    found = ticket_numbers.load_order_with_ticket_numbers(order_id)
    if found is None:
        raise Http404("There is no such order.")
    order, numbers = found
    raffle_id = ids.parse_digits(request.GET.get("raffle", ""))
    bench = load_review_page(
        order,
        numbers=numbers,
        raffle_id=raffle_id,
        new=ids.parse_ids(request.GET.getlist("new")),
        compare=request.GET.get("compare", ""),
        now=timezone.now(),
    )
    context = {
        "bench": bench,
        "raffle_id": raffle_id,
        "here": build_review_url(order.pk, raffle_id=raffle_id),
        "may_decide": may_decide_orders(request),
        "reasons": enums.build_choices(RejectReason),
        "state": _build_state_url(bench, raffle_id=raffle_id),
        "previous": _build_page_url(bench.place.previous, raffle_id=raffle_id),
        "following": _build_page_url(bench.place.following, raffle_id=raffle_id),
        "then": "refunds" if request.GET.get("then") == "refunds" else "late",
        "undo": "undo" in request.GET,
        "title": f"Review {order}",
    }
    return render(request, "orders/review.html", admin.site.each_context(request) | context)


def load_review_page(
    order: Order,
    *,
    numbers: list[OrderTicketNumber],
    raffle_id: int | None,
    new: Collection[int],
    compare: str,
    now: datetime,
) -> ReviewPage:
    """Return the review page of an order.

    Args:
        order: The order, with its raffle and contact.
        numbers: The ticket numbers it holds or held last.
        raffle_id: The raffle that the queue is filtered by; None for all raffles.
        new: Ids of proofs that arrived after the page was first shown.
        compare: Id of the proof of another order to compare with; empty for none.
        now: The current time.

    """
    zone = order.raffle.time_zone
    judged = order.under_review or order.needs_decision
    proofs = proof_cards.build_proof_cards(
        list(order.proofs.all()), zone=zone, new=new, warned=judged
    )
    seen = tuple(shown.proof.pk for shown in proofs if shown.waits)
    to_open = tuple(shown.proof.pk for shown in proofs if shown.must_be_opened)
    worklist = (
        worklists.load_late_payment_worklist()
        if order.needs_decision
        else worklists.load_review_worklist(raffle_id=raffle_id)
    )
    refusal = (
        confirmations.describe_confirmation_refusal(order, now=now) if order.under_review else ""
    )
    final = sale_rules.find_sealing_refusal(order.raffle) is not None
    if order.status not in Order.LIVE:
        prefetch_related_objects([order], "ledger")
    refunded = order.status not in Order.LIVE and refund_queries.is_refunded(order)
    status, style = _describe_status(order, refunded=refunded)
    compared = _find_compared_proofs(proofs, compare)
    return ReviewPage(
        order=order,
        total=display.format_order_total(order),
        numbers=numbers,
        buyer=display.format_contact(order.contact),
        placed=display.format_time(order.placed_at, zone=zone),
        waiting=display.format_time_since(order.under_review_since, now=now)
        if order.under_review_since
        else "",
        status=status,
        style=style,
        proofs=proofs,
        current=compared[0].proof.pk if compared else _choose_current_proof(proofs),
        seen=seen,
        compared=compared,
        notes=_load_notes(order, now=now),
        others=_load_other_orders(order),
        place=worklist.find_position(order.pk),
        decided=_describe_decision(order, now=now),
        confirmation=confirmations.load_confirmation(order, now=now),
        asked=display.format_time_since(order.asked_again_at, now=now)
        if order.asked_again_at
        else "",
        late=late_payment_options.build_late_payment_options(
            order, numbers=numbers, seen=seen, to_open=to_open, now=now
        ),
        may_judge=judged,
        refusal=refusal,
        may_sell=order.under_review and not refusal,
        may_reject=order.needs_decision or not final,
        keeps_time=sale_rules.may_still_settle(order.raffle, now=now),
        to_open=to_open,
        pattern=buyer_pattern.describe_pattern(order.contact_id) if judged else "",
        hidden=not proof_verdicts.can_be_judged(shown.proof for shown in proofs),
    )


def _describe_status(order: Order, *, refunded: bool) -> tuple[str, str]:
    """Return the status of an order and its Bootstrap colour."""
    if refunded:
        return "Refunded", "dark"
    return enums.format_label(OrderStatus(order.status)), summary.ORDER_STATUS_STYLES[
        OrderStatus(order.status)
    ]


def _describe_decision(order: Order, *, now: datetime) -> str:
    """Return the last decision about an order that is not waiting, or whose confirmation is undone.

    The reason of an undo is part of it: it says what the next reviewer must look at.
    """
    if order.needs_decision:
        return ""
    if not order.under_review:
        return last_decision.describe_last_decision(order, now=now)
    undone = order.events.filter(action=OrderAction.UNCONFIRMED).order_by("-id").first()
    if undone is None:
        return ""
    sentence = last_decision.describe_decision(undone, zone=order.raffle.time_zone, now=now)
    return f"{sentence}: “{undone.reason}”"


def _choose_current_proof(proofs: list[ProofCard]) -> int | None:
    """Return the id of the proof that is shown first: a new, a pending or the last one."""
    new = [shown for shown in proofs if shown.is_new]
    pending = [shown for shown in proofs if shown.waits]
    first = next(iter(new or pending or proofs[-1:]), None)
    return first.proof.pk if first else None


def _find_compared_proofs(
    proofs: list[ProofCard], wanted: str
) -> tuple[ProofCard, SimilarProofCard] | None:
    pairs = [(shown, other) for shown in proofs for other in shown.others]
    return next((pair for pair in pairs if str(pair[1].proof.pk) == wanted), None)


def _load_notes(order: Order, *, now: datetime) -> tuple[TimelineEntry, ...]:
    notes = order.events.filter(action=OrderAction.NOTE_ADDED).order_by("-id")[:NOTES_SHOWN]
    return timeline.build_timeline(reversed(notes), zone=order.raffle.time_zone, now=now)


def _load_other_orders(order: Order) -> list[OtherOrderRow]:
    """Return the latest other orders of the buyer with their latest proof, in one query."""
    if order.contact_id is None:
        return []
    latest = PaymentProof.objects.filter(order=OuterRef("pk")).order_by("-id")
    columns = {
        name: name
        for name in ("id", "status", "content_type", "rendition", "verdict", "reject_reason")
    }
    others = (
        Order.objects.filter(contact_id=order.contact_id)
        .exclude(pk=order.pk)
        .select_related("raffle")
        .annotate(
            latest=Subquery(latest.values(row=JSONObject(**columns))[:1]),
            refunded=refund_queries.build_refunded_condition(),
        )
        .order_by("-id")
    )
    return [_build_other_order_row(other) for other in others[:OTHER_ORDERS_SHOWN]]


def _build_other_order_row(order: Order) -> OtherOrderRow:
    row: dict[str, str] | None = getattr(order, "latest", None)
    proof = PaymentProof(**row) if row else None
    status, style = _describe_status(order, refunded=getattr(order, "refunded", False))
    return OtherOrderRow(
        order=order,
        page=reverse("admin:desk_review", args=[order.pk]),
        status="Needs a decision" if order.needs_decision else status,
        style=style,
        total=display.format_order_total(order),
        at=display.format_time(order.created_at, zone=order.raffle.time_zone),
        proof=_describe_proof_verdict(proof) if proof else "",
        thumbnail=proof_cards.build_thumbnail_url(proof) if proof else "",
    )


def _describe_proof_verdict(proof: PaymentProof) -> str:
    if proof.reject_reason:
        return f"proof rejected: {enums.format_label(RejectReason(proof.reject_reason)).lower()}"
    waits = proof.verdict == Verdict.PENDING
    return "proof waits" if waits else f"proof {enums.format_label(Verdict(proof.verdict)).lower()}"


def _build_state_url(bench: ReviewPage, *, raffle_id: int | None) -> str:
    """Return the address that the page polls for changes, see `polling`."""
    query: list[tuple[str, object]] = [("seen", key) for key in bench.seen]
    query += [
        ("fetching", shown.proof.pk)
        for shown in bench.proofs
        if shown.shown is ProofDisplay.FETCHING
    ]
    if raffle_id is not None:
        query.append(("raffle", raffle_id))
    address = reverse("admin:desk_review_state", args=[bench.order.pk])
    return f"{address}?{urlencode(query)}"


def _build_page_url(order_id: int | None, *, raffle_id: int | None) -> str:
    return "" if order_id is None else build_review_url(order_id, raffle_id=raffle_id)
