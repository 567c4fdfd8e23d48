"""Times, amounts, ticket numbers, contacts and JSON as text for staff."""

import json
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shared.conversation import formatting
from shared.raffles.models import Order, Raffle
from shared.raffles.services.sales import AmountsByCurrency
from shared.whatsapp.models import WhatsAppContact


def format_time(value: datetime | None, *, zone: str = "") -> str:
    """Return a time in a time zone, e.g. "22 Nov 2026, 15:42"; a dash for None.

    Args:
        value: The time.
        zone: IANA name of the time zone; empty for the time zone of the installation.

    """
    if value is None:
        return "–"
    local = value.astimezone(ZoneInfo(zone or settings.TIME_ZONE))
    return f"{local.day} {local:%b %Y, %H:%M}"


def format_time_with_zone(value: datetime | None, *, zone: str = "") -> str:
    """Return a time with its time zone, e.g. "22 Nov 2026, 15:42 (America/Bogota)".

    Args:
        value: The time; a dash is returned for None.
        zone: IANA name of the time zone; empty for the time zone of the installation.

    """
    zone = zone or settings.TIME_ZONE
    named = "" if value is None else f" ({zone.replace('_', ' ')})"
    return format_time(value, zone=zone) + named


def format_time_since(value: datetime, *, now: datetime) -> str:
    """Return the time since `value` in one unit: "12 min", "3 h" or "2 days"."""
    minutes = max(0, int((now - value).total_seconds() // 60))
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004 - two days


def format_order_total(order: Order) -> str:
    """Return the total of an order with its currency, e.g. "$15.00"."""
    return formatting.format_money(order.total, order.currency)


def format_amounts(amounts: AmountsByCurrency, *, currency: str) -> str:
    """Return amounts in several currencies, e.g. "$15.00 + €5.00".

    Args:
        amounts: Amounts by ISO 4217 currency code; zero amounts are left out.
        currency: ISO 4217 code of the currency that comes first, also used for "$0.00" if all
            amounts are zero.

    """
    known = {key: amount for key, amount in amounts.items() if amount} or {currency: Decimal(0)}
    order = sorted(known, key=lambda key: (key != currency, key))
    return " + ".join(formatting.format_money(known[key], key) for key in order)


def format_ticket_numbers(raffle: Raffle, numbers: Iterable[int]) -> str:
    """Return ticket numbers with their leading zeros, e.g. "007, 213"."""
    return ", ".join(raffle.format_ticket_number(number) for number in numbers)


def format_contact(contact: WhatsAppContact | None) -> str:
    """Return the name and phone number of a contact, e.g. "Ana, +15550100001".

    Args:
        contact: The buyer; None for a cash sale without a chat.

    """
    if contact is None:
        return "sold for cash"
    name = isolate_text(contact.profile_name or contact.username)
    phone = f"+{contact.wa_id}" if contact.wa_id else ""
    return ", ".join(part for part in (name, phone) if part) or str(contact)


def isolate_text(text: str) -> str:
    """Return a text that does not turn what follows it, such as a phone number, from right to left.

    Only texts with letters that are written from right to left are changed: they are put between
    FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (Unicode Standard Annex 9).
    """
    turned = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in text)
    return f"\u2068{text}\u2069" if turned else text


def render_badge(text: str, *, style: str) -> SafeString:
    """Return a text as a coloured badge; `style` is a Bootstrap colour such as `success`."""
    return format_html('<span class="badge text-bg-{}">{}</span>', style, text)


def shorten_text(text: str, *, length: int = 90) -> str:
    """Return a text as one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def format_json(value: Any, *, sort_keys: bool = False) -> str:
    """Return JSON with indentation, with sorted keys or in the order in which they are sent."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort_keys)
