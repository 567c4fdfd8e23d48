"""What the API says of a decision and a raffle: money as text, times with their offset."""

from datetime import datetime
from typing import Any

from shared.conversation import described
from shared.core.enums import OrderAction
from shared.raffles.models import Order, OrderEvent, Raffle
from shared.raffles.services.availability import Counts
from shared.whatsapp.models import OutboundMessage


def confirmation(found: Order, *, already_confirmed: bool) -> dict[str, Any]:
    """Describe a paid order: who confirmed it and when, and whether the buyer hears of it."""
    event = found.events.filter(action=OrderAction.PAID).last()
    return {
        "id": found.pk,
        "code": found.code,
        "status": found.status,
        "already_confirmed": already_confirmed,
        "late": _was_late(event),
        "numbers": described.numbers(found),
        "confirmed_by": None if event is None else _actor(event),
        "confirmed_at": None if event is None else moment(event.at),
        "buyer_notified": notice_of(found, "paid", "numbers_replaced"),
    }


def cancellation(found: Order, *, already_cancelled: bool) -> dict[str, Any]:
    """Describe a cancelled order."""
    event = found.events.filter(action=OrderAction.CANCELLED).last()
    return {
        "id": found.pk,
        "code": found.code,
        "status": found.status,
        "already_cancelled": already_cancelled,
        "numbers": described.numbers(found),
        "cancelled_by": None if event is None else _actor(event),
        "cancelled_at": None if event is None else moment(event.at),
        "buyer_notified": notice_of(found, "cancelled_by_seller"),
    }


def availability(raffle: Raffle, *, counts: Counts, why_not: str | None) -> dict[str, Any]:
    """Describe how many numbers of a raffle are free, held and sold."""
    return {
        "id": raffle.pk,
        "title": raffle.title,
        "status": raffle.status,
        "selling": why_not is None,
        "why_not": why_not,
        "unit_price": str(raffle.price),
        "currency": raffle.currency,
        "total": counts.total,
        "available": counts.available,
        "reserved": counts.reserved,
        "sold": counts.sold,
        "draw_at": moment(raffle.draw_at),
    }


def notice_of(found: Order, *keys: str) -> str | None:
    """Say what became of the notice to the buyer, such as "queued"; None if there is none."""
    notice = OutboundMessage.objects.filter(
        contact=found.contact_id, about=found.code or "", key__in=keys
    ).first()
    return None if notice is None else notice.status.lower()


def moment(value: datetime | None) -> str | None:
    """Write a time as ISO 8601 with its offset."""
    return None if value is None else value.isoformat()


def _actor(event: OrderEvent) -> dict[str, str]:
    return {"kind": event.actor_kind.lower(), "label": event.actor_label}


def _was_late(event: OrderEvent | None) -> bool:
    return event is not None and event.from_status in {"CANCELLED", "EXPIRED"}
