"""The life of a raffle in the admin: its counts, and the steps that are buttons.

Each step is a POST of its own that calls one service, which owns its transactions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from backoffice import words
from backoffice.desk.decisions import Said, told
from shared.core import enums
from shared.core.enums import RaffleStatus
from shared.raffles import transitions
from shared.raffles.models import Raffle
from shared.raffles.services import availability, lifecycle, numbers
from shared.raffles.services.availability import Counts

_STYLES: Final = {
    RaffleStatus.DRAFT: "secondary",
    RaffleStatus.OPEN: "success",
    RaffleStatus.PAUSED: "warning",
    RaffleStatus.CLOSED: "dark",
    RaffleStatus.DRAWN: "primary",
}
_NUMBERS_A_SECOND: Final = 50_000
"""How fast numbers are made on a small machine; only for the hint on the page."""


@dataclass(frozen=True, slots=True)
class Life:
    """Where a raffle stands, and which buttons fit."""

    badge: SafeString
    counts: Counts
    missing: int
    seconds: int
    orders: str
    may_generate: bool
    may_open: bool
    may_pause: bool
    may_close: bool


def life_of(raffle: Raffle, *, request: HttpRequest, now: datetime) -> Life:
    """Count a raffle's numbers and choose the buttons that `request`'s user may press."""
    counts = availability.recent_counts(raffle.pk, now=now)
    missing = max(0, raffle.number_count - counts.total)
    following = transitions.RAFFLE[RaffleStatus(raffle.status)]
    may = request.user.has_perm("raffles.change_raffle")
    return Life(
        badge=badge(raffle),
        counts=counts,
        missing=missing,
        seconds=missing // _NUMBERS_A_SECOND,
        orders=reverse("admin:raffles_order_changelist") + f"?raffle={raffle.pk}",
        may_generate=may and missing > 0 and raffle.status != RaffleStatus.DRAWN,
        may_open=may and not missing and RaffleStatus.OPEN in following,
        may_pause=may and RaffleStatus.PAUSED in following,
        may_close=may and RaffleStatus.CLOSED in following,
    )


def badge(raffle: Raffle) -> SafeString:
    """Give the status as a badge."""
    status = RaffleStatus(raffle.status)
    return words.badge(enums.label(status), style=_STYLES[status])


@require_POST
def generate_numbers(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Make the raffle's numbers; what an earlier try made stays."""

    def act() -> Said:
        made = numbers.generate(raffle_id)
        return messages.SUCCESS, f"{made:,} numbers were made. The raffle can be opened now."

    return _stepped(request, raffle_id, act)


@require_POST
def open_sales(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Begin to sell, or go on after a pause."""

    def act() -> Said:
        lifecycle.open_raffle(raffle_id, now=timezone.now())
        return messages.SUCCESS, "The raffle is open: buyers can get numbers."

    return _stepped(request, raffle_id, act)


@require_POST
def pause_sales(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Sell nothing new for now; what is pending can still be paid."""

    def act() -> Said:
        lifecycle.pause(raffle_id, now=timezone.now())
        return messages.SUCCESS, "The raffle is paused. What is pending can still be paid."

    return _stepped(request, raffle_id, act)


@require_POST
def close_sales(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Sell nothing new for good; asks once more before it does."""
    _may_change(request)
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    if request.POST.get("sure") != "yes":
        life = life_of(raffle, request=request, now=timezone.now())
        context = {"raffle": raffle, "life": life, "title": f"Close {raffle}?"}
        page = admin.site.each_context(request) | context
        return render(request, "admin/raffles/raffle/close.html", page)

    def act() -> Said:
        lifecycle.close(raffle_id, now=timezone.now())
        return messages.SUCCESS, "The raffle is closed. What is pending can still be paid."

    return _stepped(request, raffle_id, act)


def _stepped(request: HttpRequest, raffle_id: int, act: Callable[[], Said]) -> HttpResponse:
    _may_change(request)
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    told(request, act)
    return redirect("admin:raffles_raffle_change", raffle.pk)


def _may_change(request: HttpRequest) -> None:
    if not request.user.has_perm("raffles.change_raffle"):
        raise PermissionDenied
