"""Context of the pages of an event and of a delivery."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from backoffice.automation import event_labels
from backoffice.automation.delivery_actions import RESEND_PERMISSION
from backoffice.ui import display
from shared.core import config
from shared.core.enums import EventDeliveryStatus
from shared.events.models import Event, EventAttempt, EventDelivery
from shared.publishing import event_payloads

_MAX_ATTEMPTS: Final = 50
"""Maximum number of attempts on a delivery's page."""


@dataclass(frozen=True, slots=True)
class DeliveryAttemptRow:
    """An attempt of a delivery; `good` is false for a failure."""

    at: str
    answer: str
    error: str
    good: bool


@dataclass(frozen=True, slots=True)
class EventDeliveryRow:
    """A delivery of the event as a table row."""

    link: str
    endpoint: str
    state: str
    style: str
    why: str
    answer: str


@dataclass(frozen=True, slots=True)
class EventDetailPage:
    """Context of an event's page.

    Attributes:
        says: label of the type.
        type: type of the event, such as "order.paid".
        about: subject; may be empty.
        about_link: URL of the order; empty without one.
        at: when it happened.
        event_id: the id by which receivers recognise duplicates.
        sequence: position in the feed; a dash until it has one.
        data: data of the event as JSON, without signed links.
        sent: deliveries to endpoints.

    """

    says: str
    type: str
    about: str
    about_link: str
    at: str
    event_id: str
    sequence: str
    data: str
    sent: Sequence[EventDeliveryRow]


@dataclass(frozen=True, slots=True)
class DeliveryDetailPage:
    """Context of a delivery's page.

    Attributes:
        says: label of the event's type.
        type: type of the event, such as "order.paid".
        event_link: URL of the event.
        event_id: the id by which receivers recognise duplicates.
        about: subject of the event; may be empty.
        about_link: URL of the order; empty without one.
        endpoint: name of the endpoint.
        endpoint_link: URL of the endpoint.
        address: address that it is sent to.
        state: state of the delivery.
        style: Bootstrap's style of the state.
        why: reason of the state; may be empty.
        queued: when it was queued first.
        delivered: when it arrived; a dash before.
        tries: attempts, the latest first.
        more_tries: whether there were more attempts.
        body: the request body as JSON.
        response: beginning of the last response; may be empty.
        may_resend: whether the user may send it again and it is not being sent.

    """

    says: str
    type: str
    event_link: str
    event_id: str
    about: str
    about_link: str
    endpoint: str
    endpoint_link: str
    address: str
    state: str
    style: str
    why: str
    queued: str
    delivered: str
    tries: Sequence[DeliveryAttemptRow]
    more_tries: bool
    body: str
    response: str
    may_resend: bool


def load_event_page(event: Event, *, now: datetime) -> EventDetailPage:
    """Return the context of an event's page, with one query for its deliveries."""
    about, about_link = event_labels.describe_event_subject(event)
    deliveries = (
        event.deliveries.select_related("endpoint").defer("response").order_by("endpoint__name")
    )
    return EventDetailPage(
        says=event_labels.describe_event_type(event.type),
        type=event.type,
        about=about,
        about_link=about_link,
        at=display.format_time(event.created_at),
        event_id=event.event_id,
        sequence="–" if event.sequence is None else f"{event.sequence:,}",
        data=format_json_in_order(event.data),
        sent=[_build_delivery_row(delivery, now=now) for delivery in deliveries],
    )


def load_delivery_page(
    delivery: EventDelivery, *, request: HttpRequest, now: datetime
) -> DeliveryDetailPage:
    """Return the context of a delivery's page; its event and endpoint must be loaded."""
    event, endpoint = delivery.event, delivery.endpoint
    about, about_link = event_labels.describe_event_subject(event)
    state, style = event_labels.describe_delivery_state(delivery)
    attempts = list(delivery.tries.order_by("-id")[: _MAX_ATTEMPTS + 1])
    is_being_sent = delivery.status == EventDeliveryStatus.SENDING
    body = event_payloads.build_event_payload(
        event, public_url=config.get_settings().public_url, now=now
    )
    return DeliveryDetailPage(
        says=event_labels.describe_event_type(event.type),
        type=event.type,
        event_link=reverse("admin:events_event_change", args=[event.pk]),
        event_id=event.event_id,
        about=about,
        about_link=about_link,
        endpoint=endpoint.name,
        endpoint_link=reverse("admin:events_eventendpoint_change", args=[endpoint.pk]),
        address=endpoint.url,
        state=state,
        style=style,
        why=event_labels.explain_delivery_state(delivery, now=now),
        queued=display.format_time(delivery.created_at),
        delivered=display.format_time(delivery.delivered_at),
        tries=[_build_attempt_row(attempt) for attempt in attempts[:_MAX_ATTEMPTS]],
        more_tries=len(attempts) > _MAX_ATTEMPTS,
        body=format_json_in_order(body),
        response=delivery.response,
        may_resend=not is_being_sent and request.user.has_perm(RESEND_PERMISSION),
    )


def format_json_in_order(value: Any) -> str:
    """Return JSON with indentation and the keys in the order in which they are sent."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _build_delivery_row(delivery: EventDelivery, *, now: datetime) -> EventDeliveryRow:
    state, style = event_labels.describe_delivery_state(delivery)
    return EventDeliveryRow(
        link=reverse("admin:events_eventdelivery_change", args=[delivery.pk]),
        endpoint=delivery.endpoint.name,
        state=state,
        style=style,
        why=event_labels.explain_delivery_state(delivery, now=now),
        answer=event_labels.describe_response(delivery.http_status, delivery.latency_ms),
    )


def _build_attempt_row(attempt: EventAttempt) -> DeliveryAttemptRow:
    return DeliveryAttemptRow(
        at=display.format_time(attempt.at),
        answer=event_labels.describe_response(attempt.http_status, attempt.latency_ms)
        or "No answer",
        error=attempt.error,
        good=not attempt.error,
    )
