"""Decisions of staff about one order, each a POST that calls one use case.

None of them is part of Django's change form, which wraps a request in a transaction: a use case
owns its transaction, and the message about its outcome is shown after the commit.
"""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.orders import confirmations, last_decision, summary
from backoffice.orders.form_values import parse_note, parse_seen_proof_ids
from backoffice.orders.payment_decisions import same_file
from backoffice.orders.permissions import DECIDE_PERMISSION, require_decision_permission
from backoffice.orders.review.next_page import parse_decision_origin
from backoffice.ui import display, error_messages
from backoffice.ui.actions import ActionRefused, ActionResult, StaffAction, build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.core import enums
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import RejectReason
from shared.core.errors import DomainError
from shared.raffles import sale_rules
from shared.raffles.models import Order
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.use_cases import order_endings, payments


@require_POST
def confirm_payment_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Confirm the payment of an order, based on the proofs that the form names.

    If one of them also came with another order, a page asks once more.
    """
    require_decision_permission(request)
    order = get_object_or_404(Order.objects.select_related("raffle"), pk=order_id)
    codes = same_file.list_orders_with_same_file(order)
    if codes and same_file.ANSWER_FIELD not in request.POST:
        return same_file.render_question(request, order, codes)
    with OrderDecision(request, order_id) as decision:
        decision.require_current_page()
        money_seen = request.POST.get("money") == "yes"
        reason = parse_note(request) if money_seen else ""
        if money_seen and not reason:
            raise ActionRefused("Say how you know that the money came; nothing was changed.")
        if codes:
            answer = same_file.build_reason(request, codes)
            reason = ". ".join(filter(None, [reason, answer]))[:MAX_NOTE_LENGTH]
        outcome = payments.confirm_payment(
            order_id,
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
            reviewed=request.POST.get("waited") == "yes",
            money_seen=money_seen,
            reason=reason,
        )
        decision.report_confirmation(*_describe_confirmation(decision.order, outcome))
    return decision.redirect()


@require_POST
def reject_payment_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Reject the proofs of an order that the form names; the buyer may send another one."""
    with OrderDecision(request, order_id) as decision:
        decision.require_current_page()
        reason, note = _parse_reject_reason(request), parse_note(request)
        if reason is RejectReason.OTHER and not note:
            raise ActionRefused("Say in a few words what is wrong; nothing was changed.")
        payments.reject_payment(
            order_id,
            reason=reason,
            note=note,
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
        )
        label = enums.format_label(reason).lower()
        decision.report(
            messages.SUCCESS,
            f"The proof of {decision.order} is rejected ({label}); the buyer is told.",
        )
    return decision.redirect()


@require_POST
def ask_for_better_proof_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Ask the buyer for a better proof; the order stays under review."""
    with OrderDecision(request, order_id) as decision:
        decision.require_current_page()
        payments.ask_for_better_proof(
            order_id,
            note=parse_note(request),
            by=build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=parse_seen_proof_ids(request),
        )
        decision.report(
            messages.SUCCESS, f"The buyer of {decision.order} is asked for another proof."
        )
    return decision.redirect()


@require_POST
def cancel_order_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Cancel an order and free its ticket numbers, after a page that asks to confirm this."""
    require_decision_permission(request)
    if request.POST.get("sure") != "yes":
        return _render_cancel_confirmation(request, order_id)
    with OrderDecision(request, order_id) as decision:
        decision.require_current_page()
        order_endings.cancel_order(
            order_id,
            by=build_staff_actor(request),
            now=timezone.now(),
            reason=parse_note(request, field="reason"),
        )
        decision.report(
            messages.SUCCESS, f"{decision.order} is cancelled and its numbers are free again."
        )
    return decision.redirect()


class OrderDecision(StaffAction):
    """Context manager around one decision about an order, and the redirect after it.

    The page that follows is chosen before the decision, which takes the order off its worklist.
    The form names in `then` the page that the decision is made on, see `DecisionOrigin`.

    Raises:
        PermissionDenied: The user may not decide about orders.
        Http404: There is no such order.

    """

    permission = DECIDE_PERMISSION

    def __init__(self, request: HttpRequest, order_id: int) -> None:
        super().__init__(request)
        require_permission(request, self.permission)
        self.order = get_object_or_404(
            Order.objects.select_related("raffle", "contact"), pk=order_id
        )
        self._origin = parse_decision_origin(request.POST)
        self._next_url = self._origin.build_next_url(
            self.order, name=request.user.get_username(), now=timezone.now()
        )

    def require_current_page(self) -> None:
        """Raise an error if the buyer was asked for another proof since the page was loaded.

        Raises:
            ActionRefused: The queue page showed the order as not asked yet.

        """
        if (
            self._origin.then == "queue"
            and self.order.asked_again_at
            and self.request.POST.get("asked") != "yes"
        ):
            decided = last_decision.describe_last_decision(self.order, now=timezone.now())
            raise ActionRefused(
                f"{self.order}: {decided}. Nothing was changed; look again.",
                level=messages.WARNING,
            )

    def report(self, level: int, sentence: str, *, leaves: bool = True) -> None:
        """Set the message; one about a success links back to the order, if its page is left."""
        if level == messages.SUCCESS and leaves:
            sentence = self._origin.add_order_link(self.order, sentence)
        super().report(level, sentence)

    def report_confirmation(self, level: int, sentence: str) -> None:
        """Set the message about a confirmation; one about a success leads to undoing it."""
        if level == messages.SUCCESS and confirmations.may_undo_confirmation(
            self.order, now=timezone.now()
        ):
            sentence = self._origin.add_undo_link(self.order, sentence)
        self.report(level, sentence)

    def describe_refusal(self, refusal: DomainError) -> ActionResult:
        """Return who decided first if somebody else did, otherwise the reason of the refusal."""
        order = self.order
        if refusal.code == "proof_unseen":
            return messages.WARNING, (
                f"Another proof for {order} arrived while you were looking; it is marked “new”. "
                "Nothing was changed."
            )
        if refusal.code == "proof_elsewhere":
            return messages.WARNING, (
                f"A proof of {order} was moved to another order while you were looking. "
                "Nothing was changed."
            )
        if refusal.details.get("by"):
            decided = last_decision.describe_last_decision(order, now=timezone.now())
            return messages.WARNING, f"{order} is decided: {decided}. Nothing was changed."
        reason = error_messages.describe_ticket_number_error(refusal, raffle=order.raffle)
        return messages.ERROR, f"{reason} Nothing was changed."

    def redirect(self) -> HttpResponse:
        """Redirect to the next order after a success, otherwise back to this one."""
        if self.succeeded:
            return redirect(self._next_url)
        return self.redirect_back()

    def redirect_back(self) -> HttpResponse:
        """Redirect to the page of this order that the decision was made on."""
        new = self.refusal.details.get("proof_ids", []) if self.refusal else []
        return redirect(self._origin.build_return_url(self.order, new=new))


def _parse_reject_reason(request: HttpRequest) -> RejectReason:
    try:
        return RejectReason(request.POST.get("reason", ""))
    except ValueError as error:
        raise ActionRefused("Choose why the proof is rejected; nothing was changed.") from error


def _describe_confirmation(
    order: Order, outcome: Settled | AlreadySettled | NeedsDecision
) -> ActionResult:
    raffle = order.raffle
    match outcome:
        case Settled(late=late):
            numbers = outcome.order.list_ticket_numbers()
            verb = "is" if len(numbers) == 1 else "are"
            sold = f"{display.format_ticket_numbers(raffle, numbers)} {verb} sold"
            back = " It was late; its numbers were still free and were taken back." if late else ""
            return messages.SUCCESS, f"{order} is paid: {sold}.{back} The buyer is told."
        case AlreadySettled(by=by, at=at):
            moment = last_decision.format_decision_time(
                at, zone=raffle.time_zone, now=timezone.now()
            )
            return messages.INFO, f"{by} confirmed {order} {moment}. Nothing was changed."
        case NeedsDecision() if refusal := sale_rules.find_settling_refusal(
            raffle, now=timezone.now()
        ):
            return messages.WARNING, (
                f"{order} was not confirmed, nothing was sold. {refusal.message()} "
                "Its payment is on the list of refunds: give the money back and note it."
            )
        case NeedsDecision(taken=taken, free=free):
            left = display.format_ticket_numbers(raffle, free) or "none"
            return messages.WARNING, (
                f"{order} was not confirmed, nothing was sold. It had ended, and meanwhile "
                f"somebody else has {display.format_ticket_numbers(raffle, taken)}; still "
                f"free: {left}. "
                "Give the buyer other numbers or note a refund."
            )


def _render_cancel_confirmation(request: HttpRequest, order_id: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    context = {
        "review": summary.load_order_summary(order, now=timezone.now()),
        "order": order,
        "title": f"Cancel {order}?",
    }
    return render(
        request, "admin/raffles/order/cancel.html", admin.site.each_context(request) | context
    )
