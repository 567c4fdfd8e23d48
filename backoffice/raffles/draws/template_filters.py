"""Template filters for the pages of draws."""

from datetime import datetime
from typing import Final

from django import template

from backoffice.orders.prefetched import format_order_buyer
from backoffice.ui import display
from shared.raffles.models import Raffle

register: Final = template.Library()

register.filter("buyer", format_order_buyer)


@register.filter
def in_zone(value: datetime | None, raffle: Raffle) -> str:
    """Return a time in the raffle's time zone, with its name."""
    return display.format_time_with_zone(value, zone=raffle.time_zone)


@register.filter
def ticket(number: int, raffle: Raffle) -> str:
    """Return a ticket number with its leading zeros."""
    return raffle.format_ticket_number(number)
