"""Reversals of a confirmed payment: undoing it, and refunding the order."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from backoffice.orders import confirmations
from backoffice.orders.form_values import parse_note
from backoffice.orders.payment_decisions.decisions import OrderDecision
from backoffice.orders.permissions import REFUND_PERMISSION
from backoffice.orders.prefetched import format_order_buyer
from backoffice.orders.review.next_page import build_refunds_url, parse_decision_origin
from backoffice.ui import display, ids
from backoffice.ui.actions import ActionRefused, ActionResult, build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import OrderStatus, RaffleStatus
from shared.raffles import sale_rules
from shared.raffles.models import Order
from shared.raffles.notes import MAX_REFERENCE_LENGTH
from shared.raffles.results import Reversed
from shared.use_cases import reversals


@require_POST
def undo_confirmation_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Put a paid order under review again, for the reason that the form gives."""
    with OrderDecision(request, order_id) as decision:
        confirmation_id = ids.parse_digits(request.POST.get("confirmation", ""))
        if confirmation_id is None:
            raise ActionRefused("Load the page again; nothing was changed.")
        outcome = reversals.undo_confirmation(
            order_id,
            confirmation_id=confirmation_id,
            reason=parse_note(request, field="reason"),
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        decision.report(*_describe_undo(outcome), leaves=False)
    return decision.redirect_back()


def _describe_undo(outcome: Reversed) -> ActionResult:
    if outcome.repeated:
        return messages.INFO, (
            f"{outcome.by} undid this confirmation of {outcome.order} before. Nothing was changed."
        )
    return messages.SUCCESS, (
        f"The confirmation of {outcome.order} is undone: it is under review again and its numbers "
        "are held. The buyer is told."
    )


class RefundForm(forms.Form):
    """The refund of a paid order; the amount is always its total."""

    confirmation = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=ids.MAX_ID)
    note = forms.CharField(max_length=MAX_NOTE_LENGTH, widget=forms.Textarea)
    reference = forms.CharField(required=False, max_length=MAX_REFERENCE_LENGTH)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, field in self.fields.items():
            if name != "confirmation":
                field.widget.attrs["class"] = "form-control"
        self.fields["note"].widget.attrs["rows"] = 3


class RefundDecision(OrderDecision):
    """A refund, which needs a permission of its own.

    Raises:
        PermissionDenied: The user may not refund orders.
        Http404: There is no such order.

    """

    permission = REFUND_PERMISSION


@require_http_methods(["GET", "POST"])
def refund_order_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Return the form about the refund of a paid order, or record the refund."""
    require_permission(request, REFUND_PERMISSION)
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    form = RefundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _refund_order(request, order_id, form)
    confirmation = confirmations.load_confirmation(order, now=timezone.now())
    if confirmation is None or confirmation.refunded:
        refunded = confirmations.describe_refund(order) or "It is not paid."
        messages.info(request, f"{order} cannot be refunded. {refunded}")
        return redirect("admin:raffles_order_change", order.pk)
    form.fields["confirmation"].initial = confirmation.event.pk
    origin = parse_decision_origin(request.POST or request.GET)
    context = {
        "form": form,
        "order": order,
        "buyer": format_order_buyer(order),
        "total": display.format_order_total(order),
        "confirmed_by": confirmation.by,
        "numbers": display.format_ticket_numbers(order.raffle, order.list_ticket_numbers()),
        "called_off": order.raffle.status == RaffleStatus.CANCELLED,
        "final": sale_rules.find_sealing_refusal(order.raffle),
        "then": origin.then,
        "raffle_id": origin.raffle_id,
        "back": build_refunds_url(raffle_id=origin.raffle_id) if origin.then == "refunds" else "",
        "title": f"Refund {order}",
    }
    return render(
        request, "admin/raffles/order/refund.html", admin.site.each_context(request) | context
    )


def _refund_order(request: HttpRequest, order_id: int, form: RefundForm) -> HttpResponse:
    with RefundDecision(request, order_id) as decision:
        outcome = reversals.refund_order(
            order_id,
            confirmation_id=form.cleaned_data["confirmation"],
            note=form.cleaned_data["note"],
            reference=form.cleaned_data["reference"],
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        decision.report(*_describe_refund_outcome(decision.order, outcome))
    return decision.redirect()


def _describe_refund_outcome(order: Order, outcome: Reversed) -> ActionResult:
    if outcome.repeated:
        return messages.INFO, f"{outcome.by} refunded {order} before. Nothing was changed."
    total = display.format_order_total(order)
    told = "The buyer is told." if order.contact_id else "A cash sale has no chat: tell the buyer."
    if outcome.order.status == OrderStatus.PAID:
        return messages.SUCCESS, (
            f"The refund of {total} for {order} is noted; its numbers stay as they are. {told}"
        )
    return messages.SUCCESS, (
        f"{order} is refunded ({total}) and cancelled; its numbers are given back. {told}"
    )
