"""How events, their deliveries and the tries of these are told to staff."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.urls import reverse

from backoffice.ui import display
from shared.core.enums import EventDeliveryStatus, EventType
from shared.events.models import Event, EventDelivery

EVENT_TYPE_LABELS: Final[Mapping[str, str]] = {
    EventType.ORDER_CREATED: "An order was placed",
    EventType.ORDER_PROOF_RECEIVED: "A payment proof came in",
    EventType.ORDER_PAID: "A payment was confirmed",
    EventType.ORDER_REJECTED: "A payment proof was turned down",
    EventType.ORDER_CANCELLED: "An order was cancelled",
    EventType.ORDER_EXPIRED: "The time of an order ran out",
    EventType.ORDER_LATE_PAYMENT: "A payment came too late",
    EventType.RAFFLE_SOLD_OUT: "A raffle is sold out",
    EventType.MESSAGE_FAILED: "A message did not reach its buyer",
    EventType.CHANNEL_ALERT: "An alarm was raised",
}
"""What happened, by the event's type."""

DELIVERY_STATUS_BADGES: Final[Mapping[str, tuple[str, str]]] = {
    EventDeliveryStatus.FAILED: ("Given up", "danger"),
    EventDeliveryStatus.QUEUED: ("Waiting", "info"),
    EventDeliveryStatus.SENDING: ("Being sent", "info"),
    EventDeliveryStatus.DELIVERED: ("Delivered", "success"),
}
"""A delivery's status in a word, and Bootstrap's style for it; what needs a look comes first."""


def describe_event_type(type_: str) -> str:
    """Say what happened; an unknown type stands for itself."""
    return EVENT_TYPE_LABELS.get(type_, type_)


def describe_delivery_state(delivery: EventDelivery) -> tuple[str, str]:
    """Give a delivery's state in a word, and Bootstrap's style for it."""
    if delivery.status == EventDeliveryStatus.QUEUED and delivery.attempts:
        return "Tried again soon", "warning"
    return DELIVERY_STATUS_BADGES[delivery.status]


def explain_delivery_state(delivery: EventDelivery, *, now: datetime) -> str:
    """Say why a delivery is where it is; empty where its state says it all.

    Args:
        delivery: with its endpoint.
        now: what "in 5 min" counts from.

    """
    match EventDeliveryStatus(delivery.status):
        case EventDeliveryStatus.DELIVERED | EventDeliveryStatus.SENDING:
            return ""
        case EventDeliveryStatus.FAILED:
            return _add_full_stop(describe_last_failure(delivery))
        case EventDeliveryStatus.QUEUED if not delivery.endpoint.active:
            return "Waits until its endpoint is turned on."
        case _:
            failure = _add_full_stop(describe_last_failure(delivery))
            return f"{failure} {_describe_next_attempt(delivery, now=now)}".strip()


def describe_last_failure(delivery: EventDelivery) -> str:
    """Say how the last try failed; empty before the first."""
    answered = f"Answered {delivery.http_status}" if delivery.http_status else ""
    return delivery.error or answered


def describe_response(http_status: int | None, latency_ms: int | None) -> str:
    """Write an answer for a list: "200 in 85 ms"; empty before the first try."""
    if http_status is None and latency_ms is None:
        return ""
    took = "" if latency_ms is None else f" in {latency_ms:,} ms"
    return f"{http_status or 'none'}{took}"


def describe_delivery(sent: EventDelivery) -> str:
    """Name a delivery: "order.paid R-7K3F9 to n8n"."""
    return f"{sent.event} to {sent.endpoint.name}"


def describe_event_subject(event: Event) -> tuple[str, str]:
    """Say what an event is about, and where that is; both may be empty."""
    link = reverse("admin:raffles_order_change", args=[event.order_id]) if event.order_id else ""
    return event.subject, link


def _describe_next_attempt(delivery: EventDelivery, *, now: datetime) -> str:
    due = delivery.next_attempt_at
    if due is None or due <= now:
        return "Leaves within seconds."
    seconds = int((due - now).total_seconds())
    wait = f"{seconds} s" if seconds < 60 else display.format_time_since(now, now=due)  # noqa: PLR2004 - a minute
    return f"Tried again in {wait}."


def _add_full_stop(text: str) -> str:
    return f"{text.rstrip('.')}." if text else ""


def build_event_type_answers(field: str) -> dict[str, tuple[str, Q]]:
    """Give the answers to what happened; `field` leads to the event's type."""
    return {
        str(type_): (f"{said} ({type_})", Q(**{field: type_}))
        for type_, said in EVENT_TYPE_LABELS.items()
    }
