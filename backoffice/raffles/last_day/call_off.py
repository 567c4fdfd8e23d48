"""Call-off page: what becomes of the orders, the reason, and a typed confirmation."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backoffice.raffles import status
from backoffice.raffles.last_day import buyers
from backoffice.raffles.last_day.buyers import BuyerCounts
from backoffice.ui import audit_log
from backoffice.ui.actions import StaffAction, build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.conversation import formatting
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import OrderStatus, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles import transitions
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle

CALL_OFF_PERMISSION: Final = "raffles.call_off_raffle"


class CallOffForm(forms.Form):
    """The reason, and the raffle's title typed as a confirmation."""

    reason = forms.CharField(
        label="Why",
        required=False,
        help_text="Buyers read it in their message.",
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": MAX_NOTE_LENGTH}),
    )
    title = forms.CharField(
        label="Type the raffle's title to confirm",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, raffle: Raffle, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted_title = raffle.title
        self.fields["title"].help_text = raffle.title
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"

    def clean_title(self) -> str:
        """Require the title, in any case and with any white space."""
        typed: str = self.cleaned_data["title"]
        if _normalise_title(typed) != _normalise_title(self._wanted_title):
            raise ValidationError("That is not the title; type it as it stands below.")
        return typed

    def add_refusal(self, refusal: DomainError) -> None:
        """Add a domain error to the field that it is about."""
        about_note = refusal.code in {"note_missing", "note_too_long"}
        self.add_error("reason" if about_note else None, refusal.message())


@dataclass(frozen=True, slots=True)
class CallOffConsequences:
    """What becomes of a raffle's orders.

    Attributes:
        paid: Paid orders, whose money must go back.
        money: Their sum, formatted.
        free: Complete orders that cost nothing.
        reviewed: Orders with a proof under review, whose money must go back if it came.
        held: Other orders that hold ticket numbers; they end.
        buyers: The buyers who are told.

    """

    paid: int
    money: str
    free: int
    reviewed: int
    held: int
    buyers: BuyerCounts


@require_http_methods(["GET", "POST"])
def call_off_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the form, or call off the raffle and return to its page."""
    require_permission(request, CALL_OFF_PERMISSION)
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    form = CallOffForm(request.POST if request.method == "POST" else None, raffle=raffle)
    if form.is_valid() and _call_off(request, raffle, form):
        return redirect("admin:raffles_raffle_change", raffle.pk)
    context = {
        "raffle": raffle,
        "form": form,
        "refusal": "" if may_call_off(raffle) else _explain_refusal(raffle),
        "effects": _load_consequences(raffle, now=timezone.now()),
        "title": f"Call off {raffle}?",
    }
    page = admin.site.each_context(request) | context
    return render(request, "raffles/call_off.html", page)


def may_call_off(raffle: Raffle) -> bool:
    """Return whether a raffle can still be called off."""
    return RaffleStatus.CANCELLED in (transitions.RAFFLE_TRANSITIONS[RaffleStatus(raffle.status)])


class CallOffAction(StaffAction):
    """Context manager around calling off, which shows a refusal at the form."""

    def __init__(self, request: HttpRequest, form: CallOffForm) -> None:
        super().__init__(request)
        self._form = form

    def describe_refusal(self, refusal: DomainError) -> tuple[int, str]:
        """Add the refusal to the form and return the message above it."""
        self._form.add_refusal(refusal)
        return messages.ERROR, "The raffle was not called off."


def _call_off(request: HttpRequest, raffle: Raffle, form: CallOffForm) -> bool:
    action = CallOffAction(request, form)
    with action:
        lifecycle.call_off(
            raffle.pk,
            reason=form.cleaned_data["reason"],
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        audit_log.record_action(request, raffle, "Called off the raffle")
        action.report(
            messages.SUCCESS,
            "The raffle is called off. Its orders end one after the other, and buyers are told.",
        )
    return action.succeeded


def _explain_refusal(raffle: Raffle) -> str:
    label = status.get_status_label(raffle).lower()
    return f"The raffle is {label}, so it cannot be called off any more."


def _load_consequences(raffle: Raffle, *, now: datetime) -> CallOffConsequences:
    """Return what becomes of the orders, from two queries."""
    paid, live = Q(status=OrderStatus.PAID, total__gt=0), Q(status__in=Order.LIVE)
    reviewed = live & Q(under_review_since__isnull=False)
    counts = Order.objects.filter(raffle=raffle, status__in=Order.HOLDING).aggregate(
        paid=Count("pk", filter=paid),
        money=Sum("total", filter=paid),
        free=Count("pk", filter=Q(status=OrderStatus.PAID, total=0)),
        reviewed=Count("pk", filter=reviewed),
        live=Count("pk", filter=live),
    )
    return CallOffConsequences(
        paid=counts["paid"],
        money=formatting.format_money(counts["money"] or Decimal(0), raffle.currency),
        free=counts["free"],
        reviewed=counts["reviewed"],
        held=counts["live"] - counts["reviewed"],
        buyers=buyers.count_buyers(raffle, Order.HOLDING, now=now),
    )


def _normalise_title(title: str) -> str:
    return " ".join(title.split()).casefold()
