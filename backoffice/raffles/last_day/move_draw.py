"""Move-the-draw page: a new date or "when sold out", and the reason, which buyers read."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backoffice.raffles import status
from backoffice.raffles.last_day import buyers
from backoffice.raffles.raffle_form import LocalDateTimeInput
from backoffice.ui import audit_log, display
from backoffice.ui.actions import StaffAction, build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.errors import DomainError
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle

_FIELDS_BY_REFUSAL: Final = {
    "draw_date_not_ahead": "draw_at",
    "note_missing": "reason",
    "note_too_long": "reason",
}
"""The field that a refusal is about, by its code."""


class MoveDrawForm(forms.Form):
    """The new draw and the reason; times are in the current time zone."""

    when = forms.ChoiceField(
        label="The new draw",
        choices=[("date", "On a date"), ("sold_out", "When all numbers are sold")],
        widget=forms.RadioSelect,
        initial="date",
    )
    draw_at = forms.DateTimeField(
        label="Date and time",
        required=False,
        widget=LocalDateTimeInput,
        error_messages={"invalid": "A date and a time, please."},
    )
    reason = forms.CharField(
        label="Why",
        required=False,
        help_text="Buyers read it in their message.",
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": MAX_NOTE_LENGTH}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("draw_at", "reason"):
            self.fields[name].widget.attrs["class"] = "form-control"

    def clean_draw_at(self) -> datetime | None:
        """Require a date, unless the raffle is to be drawn when sold out."""
        if self.cleaned_data.get("when") == "sold_out":
            return None
        draw_at: datetime | None = self.cleaned_data["draw_at"]
        if draw_at is None:
            raise ValidationError("When is the draw?")
        return draw_at

    def add_refusal(self, refusal: DomainError) -> None:
        """Add a domain error to the field that it is about."""
        self.add_error(_FIELDS_BY_REFUSAL.get(refusal.code), refusal.message())


@require_http_methods(["GET", "POST"])
def move_draw_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the form, or move the draw and return to the raffle."""
    require_permission(request, "raffles.change_raffle")
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    with timezone.override(raffle.time_zone):
        form = MoveDrawForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and _move_draw(request, raffle, form):
            return redirect("admin:raffles_raffle_change", raffle.pk)
        return _render_form(request, raffle, form)


def _move_draw(request: HttpRequest, raffle: Raffle, form: MoveDrawForm) -> bool:
    """Move the draw; return False with the reason at the form if that is refused."""
    action = MoveDrawAction(request, form)
    with action:
        now = timezone.now()
        moved = lifecycle.move_draw(
            raffle.pk,
            draw_at=form.cleaned_data["draw_at"],
            reason=form.cleaned_data["reason"],
            by=build_staff_actor(request),
            now=now,
        )
        if moved.draw_at == raffle.draw_at and moved.draw_when_sold_out == (
            raffle.draw_when_sold_out
        ):
            action.report(messages.INFO, "That was the draw already; nothing was changed.")
        else:
            old, new = status.describe_draw(raffle), status.describe_draw(moved)
            audit_log.record_action(request, raffle, f"Moved the draw from {old} to {new}")
            action.report(
                messages.SUCCESS,
                f"The draw is moved: {new}. Its buyers are told now.",
            )
    return not form.errors and action.level != messages.ERROR


class MoveDrawAction(StaffAction):
    """Context manager around moving a draw, which shows a refusal at the form."""

    def __init__(self, request: HttpRequest, form: MoveDrawForm) -> None:
        super().__init__(request)
        self._form = form

    def describe_refusal(self, refusal: DomainError) -> tuple[int, str]:
        """Add the refusal to the form and return the message above it."""
        self._form.add_refusal(refusal)
        return messages.ERROR, "The draw was not moved."


def _render_form(request: HttpRequest, raffle: Raffle, form: MoveDrawForm) -> HttpResponse:
    now = timezone.now()
    refusal = lifecycle.find_move_draw_refusal(raffle, now=now)
    context = {
        "raffle": raffle,
        "form": form,
        "refusal": refusal.message() if refusal else "",
        "draw": status.describe_draw(raffle),
        "zone": raffle.time_zone.replace("_", " "),
        "buyers": buyers.count_buyers(raffle, Order.HOLDING, now=now),
        "sales_close_at": display.format_time(raffle.sales_close_at, zone=raffle.time_zone)
        if raffle.sales_close_at
        else "",
        "title": f"Move the draw · {raffle}",
    }
    page = admin.site.each_context(request) | context
    return render(request, "raffles/move_draw.html", page)
