"""Winners page: each is confirmed before anybody is told; prizes are claimed or drawn again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawAction, DrawPage
from backoffice.raffles.draws.result_page import REDRAW_LABELS
from backoffice.raffles.draws.rules_forms import add_bootstrap_classes
from backoffice.ui import audit_log
from backoffice.ui.actions import build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import ActorKind, RedrawReason
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import WinnerNotConfirmed
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim, SealedList
from shared.raffles.models import Raffle
from shared.raffles.services.draws import claim_deadlines, drawing, winners

_GIVEN_REASONS: Final = [reason for reason in RedrawReason if reason != RedrawReason.SOURCE_VOID]
"""Reasons that a person gives; for void values the values themselves are declared void."""


class RedrawForm(forms.Form):
    """Why a prize is drawn again; everybody can read it in the record."""

    reason = forms.ChoiceField(
        label="Why",
        choices=[(reason.value, REDRAW_LABELS[reason]) for reason in _GIVEN_REASONS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason."},
    )
    comment = forms.CharField(
        label="What happened",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": MAX_NOTE_LENGTH}),
        help_text="Anybody can read it in the record of the draw, so name nobody.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bootstrap_classes(self)


@require_GET
def winners_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the winner of each prize with its order, and what is to do about it."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    require_permission(request, pages.WINNERS_PERMISSION)
    found = winners.load_winners(raffle)
    context = {
        "winners": found,
        "now": timezone.now(),
        "unconfirmed": sum(winner.claim is None for winner in found),
        "may_export": request.user.has_perm(pages.EXPORT_PERMISSION),
    }
    return pages.render_draw_page(request, raffle, DrawPage.WINNERS, context)


@require_POST
def confirm_winner_view(request: HttpRequest, raffle_id: int, result_id: int) -> HttpResponse:
    """Confirm that the order of a drawn number wins."""

    def act(result: DrawResult, by: Actor, now: datetime) -> tuple[str, str]:
        winners.confirm_winner(result.pk, by=by, now=now)
        return "The winner is confirmed. Now tell them.", "Confirmed the winner of"

    return _act_on_result(request, raffle_id, result_id, act)


@require_POST
def claim_prize_view(request: HttpRequest, raffle_id: int, result_id: int) -> HttpResponse:
    """Record that the winner has claimed the prize."""

    def act(result: DrawResult, by: Actor, now: datetime) -> tuple[str, str]:
        winners.claim_prize(result.pk, note=request.POST.get("note", ""), by=by, now=now)
        return f"{result.prize}: claimed.", "Noted the claim of"

    return _act_on_result(request, raffle_id, result_id, act)


@require_POST
def name_consent_view(request: HttpRequest, raffle_id: int, result_id: int) -> HttpResponse:
    """Record whether the winner's first name may be published."""

    def act(result: DrawResult, by: Actor, now: datetime) -> tuple[str, str]:  # noqa: ARG001
        claim = PrizeClaim.objects.filter(result=result).first()
        if claim is None:
            raise WinnerNotConfirmed
        consent = request.POST.get("consent") == "yes"
        winners.set_name_consent(claim, consent=consent)
        may = "may" if consent else "may not"
        return f"The winner's first name {may} be published.", f"First name {may} be published:"

    return _act_on_result(request, raffle_id, result_id, act)


@require_http_methods(["GET", "POST"])
def redraw_view(request: HttpRequest, raffle_id: int, result_id: int) -> HttpResponse:
    """Ask for the reason; a POST draws the prize again."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    result = _load_result(raffle, result_id)
    form = RedrawForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        action = DrawAction(request)
        with action:
            again = drawing.redraw(
                result.pk,
                reason=RedrawReason(form.cleaned_data["reason"]),
                comment=form.cleaned_data["comment"],
                by=build_staff_actor(request),
                now=timezone.now(),
            )
            number = raffle.format_ticket_number(again.number)
            audit_log.record_action(request, raffle, f"Drew {again.prize} again: {number}")
            action.report(messages.SUCCESS, f"{again.prize} was drawn again: {number}.")
        if action.succeeded or _is_replaced(action):
            return redirect(pages.build_page_url(raffle.pk, DrawPage.WINNERS))
    context = {
        "title": "Draw again",
        "result": result,
        "same_person": _is_second_person_needed(result, request),
        "deadline": claim_deadlines.compute_claim_deadline(result),
        "form": form,
        "template": "raffles/draws/redraw.html",
    }
    return pages.render_draw_page(request, raffle, DrawPage.WINNERS, context)


def _is_second_person_needed(result: DrawResult, request: HttpRequest) -> bool:
    """Whether two people draw, and the user drew this prize."""
    drew_it = (result.by_kind, result.by_id) == (ActorKind.STAFF, str(request.user.pk))
    return drew_it and SealedList.objects.filter(raffle=result.raffle_id, two_people=True).exists()


def _is_replaced(action: DrawAction) -> bool:
    return action.refusal is not None and action.refusal.code == "result_replaced"


def _act_on_result(
    request: HttpRequest,
    raffle_id: int,
    result_id: int,
    act: Callable[[DrawResult, Actor, datetime], tuple[str, str]],
) -> HttpResponse:
    """Do something about a result of a raffle, and return to the winners.

    `act` returns the message, and what the log says before the prize and its number.
    """
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    result = _load_result(raffle, result_id)
    action = DrawAction(request)
    with action:
        sentence, logged = act(result, build_staff_actor(request), timezone.now())
        number = raffle.format_ticket_number(result.number)
        audit_log.record_action(request, raffle, f"{logged} {result.prize}, {number}")
        action.report(messages.SUCCESS, sentence)
    return redirect(pages.build_page_url(raffle.pk, DrawPage.WINNERS))


def _load_result(raffle: Raffle, result_id: int) -> DrawResult:
    results = DrawResult.objects.select_related("prize").filter(raffle=raffle)
    return get_object_or_404(results, pk=result_id)
