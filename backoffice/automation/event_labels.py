"""Labels of events, deliveries and delivery attempts for staff."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html

from backoffice.ui import display
from shared.core.enums import EventDeliveryStatus, EventType
from shared.events.models import Event, EventDelivery
from shared.raffles import codes

EVENT_TYPE_LABELS: Final[Mapping[str, str]] = {
    EventType.ORDER_CREATED: "An order was placed",
    EventType.ORDER_PROOF_RECEIVED: "A payment proof came in",
    EventType.ORDER_PAID: "A payment was confirmed",
    EventType.ORDER_REJECTED: "A payment proof was rejected",
    EventType.ORDER_CANCELLED: "An order was cancelled",
    EventType.ORDER_EXPIRED: "The time of an order ran out",
    EventType.ORDER_LATE_PAYMENT: "A payment came too late",
    EventType.ORDER_UNCONFIRMED: "A confirmation was undone",
    EventType.ORDER_REFUNDED: "A paid order was refunded",
    EventType.RAFFLE_SOLD_OUT: "A raffle is sold out",
    EventType.RAFFLE_DRAW_MOVED: "The draw of a raffle was moved",
    EventType.RAFFLE_CALLED_OFF: "A raffle was called off",
    EventType.RAFFLE_SEALED: "The list of a raffle was sealed",
    EventType.RAFFLE_DRAWN: "Prizes of a raffle were drawn",
    EventType.WINNER_CONFIRMED: "A winner was confirmed",
    EventType.PRIZE_CLAIMED: "A prize was claimed",
    EventType.MESSAGE_FAILED: "A message did not reach its buyer",
    EventType.CONTACT_WANTS_PERSON: "A buyer waits for a person",
    EventType.CHANNEL_ALERT: "An alarm was raised",
}
"""Labels by type of event."""

DELIVERY_STATUS_BADGES: Final[Mapping[str, tuple[str, str]]] = {
    EventDeliveryStatus.FAILED: ("Given up", "danger"),
    EventDeliveryStatus.QUEUED: ("Waiting", "info"),
    EventDeliveryStatus.SENDING: ("Being sent", "info"),
    EventDeliveryStatus.DELIVERED: ("Delivered", "success"),
}
"""Label and Bootstrap style by status of a delivery, those that need attention first."""


def describe_event_type(type_: str) -> str:
    """Return the label of an event type, or the type itself if it is unknown."""
    return EVENT_TYPE_LABELS.get(type_, type_)


def describe_delivery_state(delivery: EventDelivery) -> tuple[str, str]:
    """Return the state of a delivery and Bootstrap's style for it."""
    if delivery.status == EventDeliveryStatus.QUEUED and delivery.attempts:
        return "Tried again soon", "warning"
    return DELIVERY_STATUS_BADGES[delivery.status]


def explain_delivery_state(delivery: EventDelivery, *, now: datetime) -> str:
    """Return the reason for a delivery's state; empty if the state needs none.

    Args:
        delivery: the delivery, with its endpoint loaded.
        now: the current time.

    """
    match EventDeliveryStatus(delivery.status):
        case EventDeliveryStatus.DELIVERED | EventDeliveryStatus.SENDING:
            return ""
        case EventDeliveryStatus.FAILED:
            return _add_full_stop(describe_last_failure(delivery))
        case EventDeliveryStatus.QUEUED if not delivery.endpoint.active:
            return "Waits until its endpoint is turned on."
        case EventDeliveryStatus.QUEUED:
            failure = _add_full_stop(describe_last_failure(delivery))
            return f"{failure} {_describe_next_attempt(delivery, now=now)}".strip()


def describe_last_failure(delivery: EventDelivery) -> str:
    """Return how the last attempt failed; empty before the first attempt."""
    response = f"Answered {delivery.http_status}" if delivery.http_status else ""
    return delivery.error or response


def describe_response(http_status: int | None, latency_ms: int | None) -> str:
    """Return status and latency of a response: "200 in 85 ms".

    Args:
        http_status: None if there was no response.
        latency_ms: milliseconds until the response or the failure; None before the first attempt.

    """
    if http_status is None and latency_ms is None:
        return ""
    latency = "" if latency_ms is None else f" in {latency_ms:,} ms"
    return f"{http_status or 'none'}{latency}"


def describe_delivery(delivery: EventDelivery) -> str:
    """Return the name of a delivery: "order.paid R-7K3F9 to n8n"."""
    return f"{delivery.event} to {delivery.endpoint.name}"


def format_feed_place(event: Event) -> str:
    """Return the sequence number of an event; a dash until it has one."""
    return "–" if event.sequence is None else f"{event.sequence:,}"


def build_event_type_answers(field: str) -> dict[str, tuple[str, Q]]:
    """Return the answers of a filter by event type.

    Args:
        field: lookup of the event's type from the filtered model.

    Returns:
        By type, the label and the condition.

    """
    return {
        str(type_): (f"{label} ({type_})", Q(**{field: type_}))
        for type_, label in EVENT_TYPE_LABELS.items()
    }


def build_event_search_condition(term: str) -> Q:
    """Return a condition on events: the event id, or the subject such as an order code."""
    return Q(event_id=term) | Q(subject=codes.normalise_code(term) or term)


def render_event_subject(event: Event) -> str:
    """Return the subject of an event, as a link if it is an order; may be empty."""
    if not event.order_id:
        return event.subject
    link = reverse("admin:raffles_order_change", args=[event.order_id])
    return format_html('<a href="{}">{}</a>', link, event.subject or "The order")


def _describe_next_attempt(delivery: EventDelivery, *, now: datetime) -> str:
    due = delivery.next_attempt_at
    if due is None or due <= now:
        return "Leaves within seconds."
    seconds = int((due - now).total_seconds())
    wait = f"{seconds} s" if seconds < 60 else display.format_time_since(now, now=due)  # noqa: PLR2004 - a minute
    return f"Tried again in {wait}."


def _add_full_stop(text: str) -> str:
    return f"{text.rstrip('.')}." if text else ""
