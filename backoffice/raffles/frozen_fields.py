"""Fields of a raffle's form that can no longer change, each with the reason."""

from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils.html import format_html

from shared.core.enums import RaffleStatus
from shared.raffles.errors import DrawDatePassed
from shared.raffles.models import Raffle
from shared.raffles.services import lifecycle
from shared.raffles.services.draws import draw_rules

FIELDS_FROZEN_BY_NUMBERS: Final = ("number_count", "first_number", "number_width")
"""Fields that the ticket numbers were generated from."""

FIELDS_FROZEN_BY_OPENING: Final = ("draw_at", "draw_when_sold_out", "time_zone")
"""Fields that buyers rely on once the raffle was open; the draw is moved with a reason."""

_NUMBERS_MADE: Final = "Cannot change any more: the numbers are made."


def explain_frozen_fields(raffle: Raffle, *, now: datetime) -> dict[str, str]:
    """Return the fields of a raffle that are read-only, each with the reason for people."""
    frozen: dict[str, str] = {}
    if has_ticket_numbers(raffle):
        frozen |= dict.fromkeys(FIELDS_FROZEN_BY_NUMBERS, _NUMBERS_MADE)
        if has_orders(raffle):
            frozen["currency"] = "Cannot change any more: orders exist."
        if draw_rules.are_rules_frozen(raffle.pk):
            frozen["prize"] = "Cannot change any more: numbers were sold for it."
            frozen["title"] = "Cannot change any more: it stands in the rules of the draw."
    if raffle.pk and raffle.status != RaffleStatus.DRAFT:
        frozen |= dict.fromkeys(FIELDS_FROZEN_BY_OPENING, "")
        frozen["time_zone"] = "Cannot change any more: buyers know the times."
        frozen["draw_at"] = _explain_frozen_draw(raffle, now=now)
    return frozen


def _explain_frozen_draw(raffle: Raffle, *, now: datetime) -> str:
    refusal = lifecycle.find_move_draw_refusal(raffle, now=now)
    if isinstance(refusal, DrawDatePassed):
        return refusal.message()
    if refusal is not None:
        return "Cannot change any more."
    address = reverse("admin:raffles_raffle_move_draw", args=[raffle.pk])
    return format_html('Buyers know it. <a href="{}">Move the draw</a>', address)


def is_time_zone_frozen(raffle: Raffle) -> bool:
    """Return whether the raffle's time zone can no longer change."""
    return raffle.status != RaffleStatus.DRAFT


def has_ticket_numbers(raffle: Raffle) -> bool:
    """Return whether any ticket number exists; every raffle except a draft has all of them."""
    if not raffle.pk:
        return False
    return raffle.status != RaffleStatus.DRAFT or raffle.numbers.exists()


def has_orders(raffle: Raffle) -> bool:
    """Return whether the raffle has any orders."""
    return bool(raffle.pk) and raffle.orders.exists()
