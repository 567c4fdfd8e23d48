"""What staff decide about an order: each a POST of its own that calls one use case.

None of them happens in the change form, which Django wraps in a transaction: a use case owns its
own, and must have committed before anybody is told.
"""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.orders import last_decision, summary
from backoffice.orders.review import next_page
from backoffice.ui import display, error_messages
from backoffice.ui.actions import (
    ActionResult,
    attempt_action,
    build_staff_actor,
)
from shared.core import enums
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import RejectReason
from shared.core.errors import DomainError
from shared.raffles.models import Order
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.use_cases import order_endings, payments

"""A level of Django's messages, and the sentence."""


@require_POST
def confirm_payment_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Confirm the payment of an order, having seen the proofs the form names."""

    def act(order: Order) -> ActionResult:
        outcome = payments.confirm_payment(
            order.pk,
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
            reviewed=request.POST.get("waited") == "yes",
        )
        return _describe_confirmation(order, outcome)

    return run_order_decision(request, order_id, act)


@require_POST
def reject_payment_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Turn down the proofs of an order that the form names; the buyer may send another."""

    def act(order: Order) -> ActionResult:
        reason, note = request.POST.get("reason", ""), parse_note(request)
        if reason not in set(RejectReason):
            return messages.ERROR, "Choose why the proof is turned down; nothing was changed."
        if reason == RejectReason.OTHER and not note:
            return messages.ERROR, "Say in a few words what is wrong; nothing was changed."
        payments.reject_payment(
            order.pk,
            reason=RejectReason(reason),
            note=note,
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
        )
        why = enums.format_label(RejectReason(reason)).lower()
        return messages.SUCCESS, f"The proof of {order} is turned down ({why}); the buyer is told."

    return run_order_decision(request, order_id, act)


@require_POST
def ask_for_better_proof_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Ask the buyer for a better proof; the order stays under review."""

    def act(order: Order) -> ActionResult:
        payments.ask_for_better_proof(
            order.pk,
            note=parse_note(request),
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
        )
        return messages.SUCCESS, f"The buyer of {order} is asked for another proof."

    return run_order_decision(request, order_id, act)


@require_POST
def cancel_order_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Cancel an order and free its numbers; asks once more before it does."""
    require_decision_permission(request)
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    if request.POST.get("sure") != "yes":
        shown = summary.load_order_summary(order, now=timezone.now())
        context = {"review": shown, "order": order, "title": f"Cancel {order}?"}
        return render(
            request, "admin/raffles/order/cancel.html", admin.site.each_context(request) | context
        )

    def act(order: Order) -> ActionResult:
        reason = request.POST.get("reason", "").strip()[:MAX_NOTE_LENGTH]
        order_endings.cancel_order(
            order.pk, by=build_staff_actor(request), now=timezone.now(), reason=reason
        )
        return messages.SUCCESS, f"{order} is cancelled and its numbers are free again."

    return run_order_decision(request, order_id, act)


def run_order_decision(
    request: HttpRequest, order_id: int, act: Callable[[Order], ActionResult]
) -> HttpResponse:
    """Make one decision about an order, tell how it went, and lead to where one goes on.

    Args:
        request: a POST that names in `then` where it came from, see `landing`.
        order_id: which order.
        act: the decision; a refusal becomes a sentence that says who was faster.

    Raises:
        PermissionDenied: this person does not decide about money.

    """
    require_decision_permission(request)
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    way = next_page.parse_decision_origin(request.POST)
    following = way.following(order, name=request.user.get_username(), now=timezone.now())

    def attempt() -> ActionResult:
        if way.then == "queue" and order.asked_again_at and request.POST.get("asked") != "yes":
            first = last_decision.describe_last_decision(order, now=timezone.now())
            return messages.WARNING, f"{order}: {first}. Nothing was changed; look again."
        level, sentence = act(order)
        return level, way.with_link(order, sentence) if level == messages.SUCCESS else sentence

    level, refusal = attempt_action(
        request, attempt, refused=lambda refusal: _describe_decision_refusal(order, refusal)
    )
    if level == messages.SUCCESS:
        return redirect(following)
    return redirect(way.back(order, new=refusal.details.get("proof_ids", []) if refusal else []))


def require_decision_permission(request: HttpRequest) -> None:
    """Go on only with who decides about money.

    Raises:
        PermissionDenied: for all others.

    """
    if not request.user.has_perm("raffles.change_order"):
        raise PermissionDenied


def parse_seen_proof_ids(request: HttpRequest) -> list[int]:
    """Read which proofs the page showed that this decision was made on."""
    keys = request.POST.getlist("seen")
    return [int(key) for key in keys if key.isdecimal() and len(key) < 19]  # noqa: PLR2004 - 64 bits


def parse_note(request: HttpRequest) -> str:
    """Read what was written beside a decision."""
    return request.POST.get("note", "").strip()[:MAX_NOTE_LENGTH]


def _describe_decision_refusal(order: Order, refusal: DomainError) -> ActionResult:
    """Say who did what when, where somebody was faster; else why it cannot be."""
    if refusal.code == "proof_unseen":
        return messages.WARNING, (
            f"Another proof for {order} arrived while you were looking; it is marked “new”. "
            "Nothing was changed."
        )
    if refusal.details.get("by"):
        first = last_decision.describe_last_decision(order, now=timezone.now())
        return messages.WARNING, f"{order} is decided: {first}. Nothing was changed."
    reason = error_messages.describe_ticket_number_error(refusal, raffle=order.raffle)
    return messages.ERROR, f"{reason} Nothing was changed."


def _describe_confirmation(
    order: Order, outcome: Settled | AlreadySettled | NeedsDecision
) -> ActionResult:
    raffle = order.raffle
    match outcome:
        case Settled(late=late):
            found = outcome.order.list_ticket_numbers()
            verb = "is" if len(found) == 1 else "are"
            sold = f"{display.format_ticket_numbers(raffle, found)} {verb} sold"
            back = " It was late; its numbers were still free and were taken back." if late else ""
            return messages.SUCCESS, f"{order} is paid: {sold}.{back} The buyer is told."
        case AlreadySettled(by=by, at=at):
            moment = last_decision.format_decision_time(
                at, zone=raffle.time_zone, now=timezone.now()
            )
            return messages.INFO, f"{by} confirmed {order} {moment}. Nothing was changed."
        case NeedsDecision(taken=taken, free=free):
            left = display.format_ticket_numbers(raffle, free) or "none"
            return messages.WARNING, (
                f"{order} was not confirmed, nothing was sold. It had ended, and meanwhile "
                f"somebody else has {display.format_ticket_numbers(raffle, taken)}; still "
                f"free: {left}. "
                "Give the buyer other numbers or note a refund."
            )
