"""Payment proofs that fit no order: their list, their page, and the decisions that end them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from backoffice.orders import last_decision, orphan_proof_page, proof_cards, worklists
from backoffice.orders.decisions import parse_note, require_decision_permission
from backoffice.orders.review import queue
from backoffice.orders.review.queue import WorklistPage
from backoffice.orders.worklists import WorklistCounts
from backoffice.ui import display, error_messages
from backoffice.ui.actions import ActionResult, attempt_action, build_staff_actor
from shared.conversation import parsing
from shared.core.enums import Verdict
from shared.core.errors import DomainError
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import ProofKept, ProofLate
from shared.raffles.services import availability
from shared.use_cases import orphan_proofs

_LIST_URL_NAME: Final = "admin:desk_orphans"

DISMISSED_PROOFS_SHOWN: Final = 10
"""How many of those dismissed lately are listed below."""


@dataclass(frozen=True, slots=True)
class OrphanProofCard:
    """One proof without an order in the list; `settled` once it was dismissed."""

    proof: PaymentProof
    page: str
    shown: str
    thumbnail: str
    sender: str
    at: str
    ago: str
    twin: str
    settled: str


@dataclass(frozen=True, slots=True)
class OrphanProofList:
    """The page of the orphans."""

    tabs: WorklistCounts
    waiting: list[OrphanProofCard]
    dismissed: list[OrphanProofCard]
    leaf: WorklistPage


def orphan_proofs_view(request: HttpRequest) -> HttpResponse:
    """Show which proofs fit no order: those that wait, and the last that were dismissed."""
    queue.require_view_permission(request)
    tabs, now = worklists.count_worklists(), timezone.now()
    leaf = queue.choose_worklist_page(request.GET.get("page", ""), rows=tabs.orphans)
    turn = worklists.query_orphan_proofs().select_related("contact")
    gone = PaymentProof.objects.filter(order__isnull=True, verdict=Verdict.DISMISSED)
    shown = OrphanProofList(
        tabs=tabs,
        waiting=_build_cards(list(turn[leaf.start : leaf.start + queue.ORDERS_PER_PAGE]), now=now),
        dismissed=_build_cards(
            list(gone.select_related("contact").order_by("-reviewed_at")[:DISMISSED_PROOFS_SHOWN]),
            now=now,
        ),
        leaf=leaf,
    )
    context = {"orphans": shown, "tabs": tabs, "tab": "orphans", "title": "Orphan proofs"}
    return render(request, "orders/orphan_proofs.html", admin.site.each_context(request) | context)


def orphan_proof_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Show a proof that fits no order, and all that helps to find out whose it is."""
    queue.require_view_permission(request)
    proof = get_object_or_404(
        PaymentProof.objects.select_related("contact", "order__raffle"), pk=proof_id
    )
    searched = request.GET.get("code", "").strip()[:30]
    shown = orphan_proof_page.load_orphan_proof_page(proof, searched=searched, now=timezone.now())
    context = {
        "orphan": shown,
        "may_decide": queue.may_decide_orders(request),
        "title": "A proof without an order",
    }
    return render(request, "orders/orphan_proof.html", admin.site.each_context(request) | context)


@require_GET
def next_orphan_proof_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Lead to the proof that waits after this one."""
    queue.require_view_permission(request)
    return redirect(
        _build_proof_url(worklists.load_orphan_proof_worklist().next_after(proof_id))
        or _LIST_URL_NAME
    )


@require_POST
def attach_proof_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Put the proof to an order, which is then reviewed like any other."""

    def act() -> ActionResult:
        written = request.POST.get("order", "")
        if not written.isdecimal():
            return messages.ERROR, "Choose the order it belongs to; nothing was changed."
        outcome = orphan_proofs.attach_proof(
            proof_id, order_id=int(written[:18]), by=build_staff_actor(request), now=timezone.now()
        )
        return _describe_attachment(outcome)

    return _run_proof_decision(request, proof_id, act)


def make_order_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Make an order for who sent the proof; asks which numbers before it does."""
    require_decision_permission(request)
    if request.method != "POST":
        return _render_order_form(request, proof_id)
    written = request.POST.get("raffle", "")
    raffle = get_object_or_404(Raffle, pk=int(written[:18]) if written.isdecimal() else 0)

    def act() -> ActionResult:
        wanted = request.POST.get("numbers", "").strip()
        read = parsing.parse_ticket_numbers(wanted) if wanted else None
        many = parsing.parse_quantity(request.POST.get("quantity", ""))
        if wanted and read is None:
            return messages.ERROR, "Write the numbers as 07, 13 and 45; nothing was changed."
        if not wanted and not many:
            return messages.ERROR, "Say how many numbers, or which; nothing was changed."
        order = orphan_proofs.create_order_from_proof(
            proof_id,
            raffle_id=raffle.pk,
            numbers=read.values if read else None,
            quantity=len(read.values) if read else many or 0,
            pivot=secrets.randbits(31),
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        return messages.SUCCESS, _add_review_link(order, f"{order} is made and waits for review.")

    return _run_proof_decision(request, proof_id, act, raffle=raffle)


def _render_order_form(request: HttpRequest, proof_id: int) -> HttpResponse:
    proof = get_object_or_404(
        PaymentProof.objects.select_related("contact", "order__raffle"), pk=proof_id
    )
    now = timezone.now()
    context = {
        "shown": proof_cards.build_proof_cards([proof], zone=settings.TIME_ZONE)[0],
        "sender": display.format_contact(proof.contact),
        "raffles": availability.list_raffles_on_sale(proof.phone_number_id, now=now),
        "title": "Make an order for a proof",
    }
    return render(request, "orders/make_order.html", admin.site.each_context(request) | context)


@require_POST
def dismiss_proof_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Note that the proof pays nothing; its file stays."""

    def act() -> ActionResult:
        note = parse_note(request)
        if not note:
            return messages.ERROR, "Say in a few words why; nothing was changed."
        tell = request.POST.get("tell") == "yes"
        orphan_proofs.dismiss_proof(
            proof_id, note=note, tell_buyer=tell, by=build_staff_actor(request), now=timezone.now()
        )
        buyer = "The buyer is told." if tell else "The buyer is not told."
        return messages.SUCCESS, f"The proof is dismissed. {buyer}"

    return _run_proof_decision(request, proof_id, act)


def _describe_attachment(outcome: ProofKept | ProofLate) -> ActionResult:
    order = outcome.order
    if isinstance(outcome, ProofLate) and not outcome.taken_back:
        return messages.SUCCESS, _add_review_link(
            order, f"The proof is put to {order}, which had ended: decide about the late payment."
        )
    return messages.SUCCESS, _add_review_link(
        order, f"The proof is put to {order} and waits for review."
    )


def _add_review_link(order: Order, sentence: str) -> str:
    address = reverse("admin:desk_review", args=[order.pk])
    return format_html('{} <a class="alert-link" href="{}">Review it</a>', sentence, address)


def _run_proof_decision(
    request: HttpRequest,
    proof_id: int,
    act: Callable[[], ActionResult],
    *,
    raffle: Raffle | None = None,
) -> HttpResponse:
    """Make one decision about an orphan and lead to the next that waits."""
    require_decision_permission(request)
    get_object_or_404(PaymentProof, pk=proof_id)
    then = worklists.load_orphan_proof_worklist().next_after(proof_id)
    level, _ = attempt_action(
        request, act, refused=lambda refusal: _describe_proof_refusal(refusal, raffle=raffle)
    )
    if level != messages.SUCCESS:
        return redirect(_build_proof_url(proof_id))
    return redirect(_build_proof_url(then) or _LIST_URL_NAME)


def _describe_proof_refusal(refusal: DomainError, *, raffle: Raffle | None) -> ActionResult:
    match refusal.code, refusal.details:
        case "proof_settled", {"by": by, "at": datetime() as at, "order_code": order_code}:
            did = f"put it to {order_code}" if order_code else "dismissed it"
            moment = last_decision.format_decision_time(
                at, zone=settings.TIME_ZONE, now=timezone.now()
            )
            return messages.WARNING, f"{by} {did} {moment}. Nothing was changed."
    sentence = (
        error_messages.describe_ticket_number_error(refusal, raffle=raffle)
        if raffle
        else refusal.message()
    )
    return messages.ERROR, f"{sentence} Nothing was changed."


def _build_proof_url(proof_id: int | None) -> str:
    return "" if proof_id is None else reverse("admin:desk_orphan", args=[proof_id])


def _build_cards(proofs: list[PaymentProof], *, now: datetime) -> list[OrphanProofCard]:
    twins = proof_cards.find_identical_proofs(proofs)
    return [
        OrphanProofCard(
            proof=proof,
            page=_build_proof_url(proof.pk),
            shown=proof_cards.choose_proof_display(proof),
            thumbnail=proof_cards.build_thumbnail_url(proof),
            sender=display.format_contact(proof.contact),
            at=display.format_time(proof.arrived_at, zone=settings.TIME_ZONE),
            ago=display.format_time_since(proof.arrived_at, now=now),
            twin=", ".join(str(other.order) for other in twins[proof.pk][:2]),
            settled=proof_cards.describe_verdict(proof, zone=settings.TIME_ZONE),
        )
        for proof in proofs
    ]
