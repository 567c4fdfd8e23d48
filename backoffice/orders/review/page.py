"""The page where a payment proof is judged: the proof large, and beside it all that helps."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.orders import (
    last_decision,
    late_payment_options,
    proof_cards,
    summary,
    ticket_numbers,
    worklists,
)
from backoffice.orders.late_payment_options import LateChoice
from backoffice.orders.proof_cards import Other, Shown, ShownProof
from backoffice.orders.review import queue
from backoffice.orders.ticket_numbers import ShownNumber
from backoffice.orders.worklists import Place
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import OrderStatus, RaffleStatus, RejectReason, Verdict
from shared.raffles.models import Order, PaymentProof

OTHERS: Final = 10
"""How many other orders of the buyer are shown."""


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """Another order of the same buyer, with its latest proof and what was decided about it."""

    order: Order
    page: str
    status: str
    style: str
    total: str
    at: str
    proof: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class Bench:
    """The review page of one order.

    Attributes:
        order: what is judged.
        total, numbers, buyer, placed, waiting: its facts, in words.
        proofs: all that came with it.
        current: id of the proof that is shown first.
        seen: ids of the proofs a decision made here has seen.
        compared: the proof of another order shown beside, and the own one it is compared with.
        others: the buyer's other orders, newest first.
        place: where it stands in its list.
        decided: who did what when, if it does not wait any more.
        asked: since when its buyer owes another proof.
        late: the ways out, if it was paid too late.
        may_judge: a proof waits and something can be decided.
        may_sell: and that may be a confirmation: the raffle is not drawn.
        unshown: a proof waits whose file is not here yet.

    """

    order: Order
    total: str
    numbers: list[ShownNumber]
    buyer: str
    placed: str
    waiting: str
    status: str
    style: str
    proofs: list[ShownProof]
    current: int | None
    seen: tuple[int, ...]
    compared: tuple[ShownProof, Other] | None
    others: list[OtherOrder]
    place: Place
    decided: str
    asked: str
    late: LateChoice | None
    may_judge: bool
    may_sell: bool
    unshown: bool


def page(request: HttpRequest, order_id: int) -> HttpResponse:
    """Show an order's proofs and all that helps to judge them."""
    queue.may_look(request)
    found = ticket_numbers.with_numbers(order_id)
    if found is None:
        raise Http404("There is no such order.")
    order, numbers = found
    raffle_id = queue.raffle_of(request.GET.get("raffle", ""))
    bench = read(
        order,
        numbers=numbers,
        raffle_id=raffle_id,
        new=_ids(request.GET.getlist("new")),
        compare=request.GET.get("compare", ""),
        now=timezone.now(),
    )
    context = {
        "bench": bench,
        "raffle_id": raffle_id,
        "here": queue.review_page(order.pk, raffle_id=raffle_id),
        "may_decide": queue.may_decide(request),
        "reasons": enums.build_choices(RejectReason),
        "state": _state(bench, raffle_id=raffle_id),
        "previous": _page(bench.place.previous, raffle_id=raffle_id),
        "following": _page(bench.place.following, raffle_id=raffle_id),
        "title": f"Review {order}",
    }
    return render(request, "desk/review.html", admin.site.each_context(request) | context)


def read(
    order: Order,
    *,
    numbers: list[ShownNumber],
    raffle_id: int | None,
    new: Collection[int],
    compare: str,
    now: datetime,
) -> Bench:
    """Read everything the review page of an order shows.

    Args:
        order: with its raffle and contact.
        numbers: what it holds or held.
        raffle_id: the raffle that the queue is narrowed to; None: all.
        new: ids of proofs that arrived while others were looked at.
        compare: id of the proof of another order to be shown beside, or nothing.
        now: the clock.

    """
    zone = order.raffle.time_zone
    judged = order.under_review or order.needs_decision
    proofs = proof_cards.of(list(order.proofs.all()), zone=zone, new=new, warned=judged)
    seen = tuple(shown.proof.pk for shown in proofs if shown.waits)
    line = worklists.late_line() if order.needs_decision else worklists.line(raffle_id=raffle_id)
    drawn = order.raffle.status == RaffleStatus.DRAWN
    compared = _compared(proofs, compare)
    return Bench(
        order=order,
        total=display.money(order),
        numbers=numbers,
        buyer=display.buyer(order.contact),
        placed=display.clock(order.placed_at, zone=zone),
        waiting=display.ago(order.under_review_since, now=now) if order.under_review_since else "",
        status=enums.format_label(OrderStatus(order.status)),
        style=summary.STATUS_STYLES[OrderStatus(order.status)],
        proofs=proofs,
        current=compared[0].proof.pk if compared else _current(proofs),
        seen=seen,
        compared=compared,
        others=_others(order),
        place=line.place(order.pk),
        decided="" if judged else last_decision.last_word(order, now=now),
        asked=display.ago(order.asked_again_at, now=now) if order.asked_again_at else "",
        late=late_payment_options.of(order, numbers=numbers, seen=seen),
        may_judge=judged,
        may_sell=order.under_review and not drawn,
        unshown=any(shown.waits and shown.shown is Shown.FETCHING for shown in proofs),
    )


def _current(proofs: list[ShownProof]) -> int | None:
    """Choose the proof that is shown first: a new one, else one that waits, else the last."""
    new = [shown for shown in proofs if shown.is_new]
    open_ones = [shown for shown in proofs if shown.waits]
    first = (new or open_ones or proofs[-1:])[:1]
    return first[0].proof.pk if first else None


def _compared(proofs: list[ShownProof], wanted: str) -> tuple[ShownProof, Other] | None:
    pairs = [(shown, other) for shown in proofs for other in shown.others]
    return next((pair for pair in pairs if str(pair[1].proof.pk) == wanted), None)


def _others(order: Order) -> list[OtherOrder]:
    """Read the buyer's other orders, each with its latest proof, in one query."""
    if order.contact_id is None:
        return []
    latest = PaymentProof.objects.filter(order=OuterRef("pk")).order_by("-id")
    columns = {name: name for name in ("id", "status", "content_type", "verdict", "reject_reason")}
    found = (
        Order.objects.filter(contact_id=order.contact_id)
        .exclude(pk=order.pk)
        .select_related("raffle")
        .annotate(latest=Subquery(latest.values(row=JSONObject(**columns))[:1]))
        .order_by("-id")
    )
    return [_other(other) for other in found[:OTHERS]]


def _other(order: Order) -> OtherOrder:
    row: dict[str, str] | None = getattr(order, "latest", None)
    proof = PaymentProof(**row) if row else None
    return OtherOrder(
        order=order,
        page=reverse("admin:desk_review", args=[order.pk]),
        status="Paid too late"
        if order.needs_decision
        else enums.format_label(OrderStatus(order.status)),
        style=summary.STATUS_STYLES[OrderStatus(order.status)],
        total=display.money(order),
        at=display.clock(order.created_at, zone=order.raffle.time_zone),
        proof=_verdict(proof) if proof else "",
        thumbnail=proof_cards.thumbnail_of(proof) if proof else "",
    )


def _verdict(proof: PaymentProof) -> str:
    if proof.reject_reason:
        return f"proof rejected: {enums.format_label(RejectReason(proof.reject_reason)).lower()}"
    waits = proof.verdict == Verdict.PENDING
    return "proof waits" if waits else f"proof {enums.format_label(Verdict(proof.verdict)).lower()}"


def _state(bench: Bench, *, raffle_id: int | None) -> str:
    """Give the address that tells what changed since the page was drawn."""
    asked: list[tuple[str, object]] = [("seen", key) for key in bench.seen]
    asked += [
        ("fetching", shown.proof.pk) for shown in bench.proofs if shown.shown is Shown.FETCHING
    ]
    if raffle_id is not None:
        asked.append(("raffle", raffle_id))
    address = reverse("admin:desk_review_state", args=[bench.order.pk])
    return f"{address}?{urlencode(asked)}"


def _page(order_id: int | None, *, raffle_id: int | None) -> str:
    return "" if order_id is None else queue.review_page(order_id, raffle_id=raffle_id)


def _ids(written: Collection[str]) -> set[int]:
    return {int(key) for key in written if key.isdecimal() and len(key) < 19}  # noqa: PLR2004 - 64 bits
