"""How times, money and outcomes are written for staff."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shared.conversation import formatting
from shared.raffles.models import Order, Raffle
from shared.whatsapp.models import WhatsAppContact


def format_time(value: datetime | None, *, zone: str = "") -> str:
    """Write a time as a clock in a zone shows it: "22 Nov 2026, 15:42"; a dash for none.

    Without a zone it is the installation's own.
    """
    if value is None:
        return "–"
    local = value.astimezone(ZoneInfo(zone or settings.TIME_ZONE))
    return f"{local.day} {local:%b %Y, %H:%M}"


def format_time_with_zone(value: datetime | None, *, zone: str = "") -> str:
    """Write a time and the zone: "22 Nov 2026, 15:42 (America/Bogota)"; a dash for none."""
    zone = zone or settings.TIME_ZONE
    named = "" if value is None else f" ({zone.replace('_', ' ')})"
    return format_time(value, zone=zone) + named


def format_time_since(value: datetime, *, now: datetime) -> str:
    """Say how long ago in one unit: "12 min", "3 h", "2 days"."""
    minutes = max(0, int((now - value).total_seconds() // 60))
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004 - two days


def format_order_total(order: Order) -> str:
    """Write an order's total: "$15.00"."""
    return formatting.format_money(order.total, order.currency)


def format_ticket_numbers(raffle: Raffle, found: Iterable[int]) -> str:
    """Write numbers with their zeros: "007, 213"."""
    return ", ".join(raffle.format_ticket_number(number) for number in found)


def format_contact(contact: WhatsAppContact | None) -> str:
    """Name a buyer with the phone, where both are known: "Ana, +15550100001"."""
    if contact is None:
        return "sold for cash"
    name = contact.profile_name or contact.username
    phone = f"+{contact.wa_id}" if contact.wa_id else ""
    return ", ".join(part for part in (name, phone) if part) or str(contact)


def render_badge(text: str, *, style: str) -> SafeString:
    """Show a word as a coloured badge; `style` is one of Bootstrap's, such as `success`."""
    return format_html('<span class="badge text-bg-{}">{}</span>', style, text)


def shorten_text(text: str, *, length: int = 90) -> str:
    """Cut a text for a list, and make one line of it."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
