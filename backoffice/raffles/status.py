"""The status of a raffle in words: its badge, and why it sells nothing at the moment."""

from datetime import datetime
from typing import Final

from django.utils.safestring import SafeString

from backoffice.ui import display
from shared.core.enums import RaffleStatus
from shared.raffles import sale_rules
from shared.raffles.models import Raffle

RAFFLE_STATUS_BADGES: Final = {
    RaffleStatus.DRAFT: ("Draft", "secondary"),
    RaffleStatus.OPEN: ("Open", "success"),
    RaffleStatus.PAUSED: ("Paused", "warning"),
    RaffleStatus.CLOSED: ("Closed", "dark"),
    RaffleStatus.SEALED: ("Sealed", "primary"),
    RaffleStatus.DRAWN: ("Drawn", "primary"),
    RaffleStatus.CANCELLED: ("Called off", "danger"),
}
"""By status, its label and the Bootstrap colour of its badge."""

NOT_SELLING_REASONS: Final = {
    "draft": "it is not open yet",
    "paused": "it is paused",
    "closed": "it is closed",
    "sealed": "its numbers are final and the draw follows",
    "drawn": "it has been drawn",
    "cancelled": "it was called off",
    "not_yet": "its sale has not begun",
    "over": "its sale is over",
}
"""Reasons why a raffle is not on sale, by `sale_rules.get_not_selling_reason`."""


def get_status_label(raffle: Raffle) -> str:
    """Return the label of a raffle's status, e.g. "Called off"."""
    return RAFFLE_STATUS_BADGES[RaffleStatus(raffle.status)][0]


def render_status_badge(raffle: Raffle) -> SafeString:
    """Return the status of a raffle as a badge."""
    label, style = RAFFLE_STATUS_BADGES[RaffleStatus(raffle.status)]
    return display.render_badge(label, style=style)


def describe_no_sale(raffle: Raffle, *, now: datetime) -> str:
    """Return why a raffle sells nothing, e.g. "it is paused"; empty while it sells."""
    reason = sale_rules.get_not_selling_reason(raffle, now=now)
    return "" if reason is None else describe_not_selling_reason(raffle, reason)


def describe_not_selling_reason(raffle: Raffle, reason: str) -> str:
    """Return a reason of `sale_rules.get_not_selling_reason` in words, with its time if known."""
    words = NOT_SELLING_REASONS.get(reason, "it is not on sale")
    if reason == "not_yet":
        begin = display.format_time_with_zone(raffle.sales_open_at, zone=raffle.time_zone)
        return f"{words}; it begins on {begin}"
    end = sale_rules.compute_sales_end(raffle)
    if reason != "over" or end is None:
        return words
    usual = ", an hour before the draw" if raffle.sales_close_at is None else ""
    return f"{words} since {display.format_time_with_zone(end, zone=raffle.time_zone)}{usual}"


def describe_draw(raffle: Raffle) -> str:
    """Return the time of the draw in the raffle's time zone, or "When sold out"; else a dash."""
    if raffle.draw_when_sold_out:
        return "When sold out"
    return display.format_time(raffle.draw_at, zone=raffle.time_zone)
