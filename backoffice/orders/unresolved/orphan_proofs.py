"""Receipts to sort: their worklist, their page, and the decisions about them.

They are proofs that fit no order, and further ones of an order that is paid already. The page of
one also moves a proof that stands with an order under review, or with one that has ended.
"""

import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.contrib import admin, messages
from django.core.paginator import Page
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from backoffice.orders import last_decision, worklists
from backoffice.orders.form_values import parse_note
from backoffice.orders.pagination import get_worklist_page
from backoffice.orders.permissions import (
    may_decide_orders,
    require_decision_permission,
    require_view_permission,
)
from backoffice.orders.proofs import proof_cards
from backoffice.orders.review.next_page import build_review_url
from backoffice.orders.unresolved import orphan_proof_page
from backoffice.orders.worklists import WorklistCounts
from backoffice.ui import display, error_messages, ids
from backoffice.ui.actions import ActionRefused, ActionResult, StaffAction, build_staff_actor
from shared.conversation.understanding import typed_numbers
from shared.core.enums import OrderStatus, Verdict
from shared.core.errors import DomainError
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.notes import MAX_REFERENCE_LENGTH
from shared.raffles.results import ProofKept, ProofLate
from shared.raffles.services import availability
from shared.raffles.services.proof_placement.proof_moves import ProofMoved
from shared.use_cases import orphan_proofs, proof_sorting

_LIST_URL_NAME: Final = "admin:desk_orphans"

_AMOUNT_PATTERN: Final = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)

DISMISSED_PROOFS_SHOWN: Final = 10
"""Proofs dismissed last that are shown below the worklist."""


@dataclass(frozen=True, slots=True)
class OrphanProofCard:
    """A proof in the worklist.

    `why` says why it stands there, `others` counts those of the same sender, and `settled` is empty
    unless it was dismissed.
    """

    proof: PaymentProof
    page: str
    shown: str
    thumbnail: str
    sender: str
    at: str
    ago: str
    twin: str
    why: str
    others: int
    settled: str


@dataclass(frozen=True, slots=True)
class OrphanProofList:
    """One page of the worklist."""

    tabs: WorklistCounts
    waiting: list[OrphanProofCard]
    dismissed: list[OrphanProofCard]
    leaf: Page[PaymentProof]


def orphan_proofs_view(request: HttpRequest) -> HttpResponse:
    """Return the page of receipts to sort: those that wait, and the last dismissed ones."""
    require_view_permission(request)
    now = timezone.now()
    tabs = worklists.count_worklists(now=now)
    waiting = worklists.query_unsorted_proofs().select_related("contact", "order__raffle")
    leaf = get_worklist_page(waiting, count=tabs.orphans, number=request.GET.get("page", ""))
    dismissed = PaymentProof.objects.filter(
        Q(order__isnull=True) | Q(order__status=OrderStatus.PAID), verdict=Verdict.DISMISSED
    )
    shown = OrphanProofList(
        tabs=tabs,
        waiting=_build_cards(list(leaf), now=now),
        dismissed=_build_cards(
            list(
                dismissed.select_related("contact", "order__raffle").order_by("-reviewed_at")[
                    :DISMISSED_PROOFS_SHOWN
                ]
            ),
            now=now,
        ),
        leaf=leaf,
    )
    context = {"orphans": shown, "tabs": tabs, "tab": "orphans", "title": "Receipts to sort"}
    return render(request, "orders/orphan_proofs.html", admin.site.each_context(request) | context)


def orphan_proof_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Return the page of a proof, with the orders that it may belong to."""
    require_view_permission(request)
    proof = get_object_or_404(
        PaymentProof.objects.select_related("contact", "order__raffle"), pk=proof_id
    )
    searched = request.GET.get("code", "").strip()[:30]
    shown = orphan_proof_page.load_orphan_proof_page(proof, searched=searched, now=timezone.now())
    context = {
        "orphan": shown,
        "may_decide": may_decide_orders(request),
        "title": "A receipt to sort",
    }
    return render(request, "orders/orphan_proof.html", admin.site.each_context(request) | context)


@require_GET
def next_orphan_proof_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Redirect to the receipt to sort that waits after this one."""
    require_view_permission(request)
    return redirect(_build_next_url(proof_id))


@require_POST
def attach_proof_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Assign the proof to the order that it pays, which is then reviewed like any other."""
    with OrphanProofDecision(request, proof_id) as decision:
        order_id = ids.parse_digits(request.POST.get("order", ""))
        if order_id is None:
            raise ActionRefused("Choose the order it belongs to; nothing was changed.")
        by, now = build_staff_actor(request), timezone.now()
        outcome: ProofKept | ProofLate
        if decision.source_id is None:
            outcome = orphan_proofs.attach_proof(proof_id, order_id=order_id, by=by, now=now)
            decision.report(messages.SUCCESS, _describe_attachment(outcome))
        else:
            moved = proof_sorting.move_proof(
                proof_id, from_order_id=decision.source_id, to_order_id=order_id, by=by, now=now
            )
            decision.report(messages.SUCCESS, _describe_move(moved))
    return decision.redirect()


@require_POST
def refund_second_payment_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Note that the money of a second payment of a paid order goes back."""
    with OrphanProofDecision(request, proof_id) as decision:
        if decision.source_id is None:
            raise ActionRefused("It belongs to no paid order; nothing was changed.")
        proof_sorting.refund_second_payment(
            proof_id,
            order_id=decision.source_id,
            amount=_parse_amount(request),
            note=parse_note(request),
            reference=request.POST.get("reference", "").strip()[:MAX_REFERENCE_LENGTH],
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        decision.report(
            messages.SUCCESS, "The refund of the second payment is noted. The buyer is told."
        )
    return decision.redirect()


def _parse_amount(request: HttpRequest) -> Decimal:
    """Return the amount that was typed, with a point or a comma before the cents."""
    typed = request.POST.get("amount", "").strip().replace(",", ".")
    if not _AMOUNT_PATTERN.fullmatch(typed):
        raise ActionRefused("Write the amount as 150.00; nothing was changed.")
    return Decimal(typed)


def make_order_view(request: HttpRequest, proof_id: int) -> HttpResponse:
    """Create an order for the sender of the proof; a GET returns the form."""
    require_decision_permission(request)
    if request.method != "POST":
        return _render_order_form(request, proof_id)
    raffle = get_object_or_404(Raffle, pk=ids.parse_digits(request.POST.get("raffle", "")))
    with OrphanProofDecision(request, proof_id, raffle=raffle) as decision:
        numbers, quantity = _parse_wanted_tickets(request)
        order = orphan_proofs.create_order_from_proof(
            proof_id,
            raffle_id=raffle.pk,
            numbers=numbers,
            quantity=quantity,
            pivot=secrets.randbits(31),
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        decision.report(
            messages.SUCCESS, _add_review_link(order, f"{order} is made and waits for review.")
        )
    return decision.redirect()


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
    """Dismiss a proof that pays for nothing; its file is kept."""
    with OrphanProofDecision(request, proof_id) as decision:
        note = parse_note(request)
        if not note:
            raise ActionRefused("Say in a few words why; nothing was changed.")
        tell_buyer = request.POST.get("tell") == "yes"
        orphan_proofs.dismiss_proof(
            proof_id,
            order_id=decision.source_id,
            note=note,
            tell_buyer=tell_buyer,
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        buyer = "The buyer is told." if tell_buyer else "The buyer is not told."
        decision.report(messages.SUCCESS, f"The proof is dismissed. {buyer}")
    return decision.redirect()


class OrphanProofDecision(StaffAction):
    """Context manager around one decision about a receipt to sort, and the redirect after it.

    The proof that follows is chosen before the decision, which takes the proof off its worklist.

    Raises:
        PermissionDenied: The user may not decide about orders.
        Http404: There is no such proof.

    """

    def __init__(
        self, request: HttpRequest, proof_id: int, *, raffle: Raffle | None = None
    ) -> None:
        """Choose the page that follows.

        Args:
            request: The POST of the member of staff; its field `from` is the id of the order that
                the page showed the proof with, or empty.
            proof_id: The proof.
            raffle: The raffle of the ticket numbers that a refusal may name, if any.

        """
        super().__init__(request)
        require_decision_permission(request)
        get_object_or_404(PaymentProof, pk=proof_id)
        self.source_id = ids.parse_digits(request.POST.get("from", ""))
        self._proof_id = proof_id
        self._raffle = raffle
        self._next_url = self._choose_next_url()

    def _choose_next_url(self) -> str:
        """Return the next receipt to sort, or the order's own page if it stands in another list."""
        worklist = worklists.load_unsorted_proof_worklist()
        if self.source_id is not None and self._proof_id not in worklist.ids:
            return build_review_url(self.source_id, raffle_id=None)
        return _build_next_url(self._proof_id)

    def describe_refusal(self, refusal: DomainError) -> ActionResult:
        """Return who decided first if somebody else did, otherwise the reason of the refusal."""
        match refusal.code, refusal.details:
            case "proof_settled", {"by": by, "at": datetime() as at, **more}:
                did = _describe_settlement(Verdict(more["verdict"]), more["order_code"])
                moment = last_decision.format_decision_time(
                    at, zone=settings.TIME_ZONE, now=timezone.now()
                )
                return messages.WARNING, f"{by} {did} {moment}. Nothing was changed."
        sentence = (
            error_messages.describe_ticket_number_error(refusal, raffle=self._raffle)
            if self._raffle
            else refusal.message()
        )
        return messages.ERROR, f"{sentence} Nothing was changed."

    def redirect(self) -> HttpResponse:
        """Redirect to the next proof after a success, otherwise back to this one."""
        return redirect(self._next_url if self.succeeded else _build_proof_url(self._proof_id))


def _describe_settlement(verdict: Verdict, order_code: str | None) -> str:
    """Return what somebody did with a proof, as the rest of a sentence."""
    match verdict:
        case Verdict.PENDING:
            return f"put it to {order_code}"
        case Verdict.ACCEPTED:
            return f"confirmed {order_code} with it"
        case Verdict.REJECTED:
            return f"turned it down for {order_code}"
        case Verdict.DISMISSED:
            return "dismissed it"


def _parse_wanted_tickets(request: HttpRequest) -> tuple[Sequence[int] | None, int]:
    """Return the typed ticket numbers, if any, and the quantity."""
    typed = request.POST.get("numbers", "").strip()
    numbers = typed_numbers.read_ticket_numbers(typed) if typed else None
    quantity = typed_numbers.read_quantity(request.POST.get("quantity", ""))
    if typed and numbers is None:
        raise ActionRefused("Write the numbers as 07, 13 and 45; nothing was changed.")
    if numbers is not None:
        return numbers, len(numbers)
    if not quantity:
        raise ActionRefused("Say how many numbers, or which; nothing was changed.")
    return None, quantity


def _describe_attachment(outcome: ProofKept | ProofLate) -> str:
    order = outcome.order
    if isinstance(outcome, ProofLate) and not outcome.taken_back:
        return _add_review_link(
            order, f"The proof is put to {order}, which had ended: decide about the late payment."
        )
    return _add_review_link(order, f"The proof is put to {order} and waits for review.")


def _describe_move(moved: ProofMoved) -> str:
    sentence = _describe_attachment(moved.outcome)
    if moved.left_review:
        return format_html("{} {} waits for its payment again.", sentence, moved.source)
    return sentence


def _add_review_link(order: Order, sentence: str) -> str:
    address = build_review_url(order.pk, raffle_id=None)
    return format_html('{} <a class="alert-link" href="{}">Review it</a>', sentence, address)


def _build_next_url(proof_id: int) -> str:
    """Return the address of the proof after this one, or of the list if none is waiting."""
    following = worklists.load_unsorted_proof_worklist().find_next(proof_id)
    return reverse(_LIST_URL_NAME) if following is None else _build_proof_url(following)


def _build_proof_url(proof_id: int) -> str:
    return reverse("admin:desk_orphan", args=[proof_id])


def _build_cards(proofs: list[PaymentProof], *, now: datetime) -> list[OrphanProofCard]:
    twins = proof_cards.load_identical_proofs(proofs)
    senders = Counter(proof.contact_id for proof in proofs if proof.contact_id is not None)
    return [
        OrphanProofCard(
            proof=proof,
            page=_build_proof_url(proof.pk),
            shown=proof_cards.choose_proof_display(proof),
            thumbnail=proof_cards.build_thumbnail_url(proof),
            sender=display.format_contact(proof.contact),
            at=display.format_time(proof.arrived_at, zone=_get_zone(proof)),
            ago=display.format_time_since(proof.arrived_at, now=now),
            twin=", ".join(str(other.order) for other in twins[proof.pk][:2]),
            why=orphan_proof_page.describe_place(proof),
            others=senders.get(proof.contact_id or 0, 1) - 1,
            settled=proof_cards.describe_verdict(proof, zone=_get_zone(proof)),
        )
        for proof in proofs
    ]


def _get_zone(proof: PaymentProof) -> str:
    """Return the time zone of the order that a proof stands with, or that of the seller."""
    return settings.TIME_ZONE if proof.order is None else proof.order.raffle.time_zone
