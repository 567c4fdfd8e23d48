"""What the pages of one event and of one delivery show, read at once before they are drawn."""

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

_ATTEMPTS_SHOWN: Final = 50
"""The latest tries that a page shows; sent again and again, there may be more."""


@dataclass(frozen=True, slots=True)
class DeliveryAttemptRow:
    """One try to deliver: when, what was answered, and whether it was good news."""

    at: str
    answer: str
    error: str
    good: bool


@dataclass(frozen=True, slots=True)
class EventDeliveryRow:
    """One line of an event's deliveries."""

    link: str
    endpoint: str
    state: str
    style: str
    why: str
    answer: str


@dataclass(frozen=True, slots=True)
class EventDetailPage:
    """The page of an event.

    Attributes:
        says: what happened, in words.
        type: the name programs know it by.
        about: what it is about; may be empty.
        about_link: where that is; empty without a page.
        at: when it happened.
        event_id: the id that receivers tell repeats by.
        sequence: its place in the feed; a dash until it has one.
        data: what happened, as JSON, without links that expire.
        sent: what became of it on its way to each endpoint that wants it.

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
    """The page of a delivery.

    Attributes:
        says: what happened, in words.
        type: the name programs know it by.
        event_link: the event's page.
        event_id: the id that receivers tell repeats by.
        about: what the event is about; may be empty.
        about_link: where that is; empty without a page.
        endpoint: its name.
        endpoint_link: its page.
        address: where it is sent.
        state: how far it got, in words.
        style: Bootstrap's style for that.
        why: why it is there; may be empty.
        queued: when it was queued first.
        delivered: when it arrived; a dash before.
        tries: every try, the latest first.
        more_tries: there were more than are shown.
        body: what is sent, as JSON.
        response: how the last answer begins; may be empty.
        may_resend: whether this person may send it again, and it is not under way.

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
    """Read the page of an event, with one query for its deliveries."""
    about, about_link = event_labels.describe_event_subject(event)
    sent = event.deliveries.select_related("endpoint").defer("response").order_by("endpoint__name")
    return EventDetailPage(
        says=event_labels.describe_event_type(event.type),
        type=event.type,
        about=about,
        about_link=about_link,
        at=display.format_time(event.created_at),
        event_id=event.event_id,
        sequence="–" if event.sequence is None else f"{event.sequence:,}",
        data=format_json_in_order(event.data),
        sent=[_build_delivery_row(delivery, now=now) for delivery in sent],
    )


def load_delivery_page(
    delivery: EventDelivery, *, request: HttpRequest, now: datetime
) -> DeliveryDetailPage:
    """Read the page of a delivery, which comes with its event and endpoint; one query for tries."""
    event, endpoint = delivery.event, delivery.endpoint
    about, about_link = event_labels.describe_event_subject(event)
    state, style = event_labels.describe_delivery_state(delivery)
    tries = list(delivery.tries.order_by("-id")[: _ATTEMPTS_SHOWN + 1])
    under_way = delivery.status == EventDeliveryStatus.SENDING
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
        tries=[_build_attempt_row(attempt) for attempt in tries[:_ATTEMPTS_SHOWN]],
        more_tries=len(tries) > _ATTEMPTS_SHOWN,
        body=format_json_in_order(body),
        response=delivery.response,
        may_resend=not under_way and request.user.has_perm(RESEND_PERMISSION),
    )


def format_json_in_order(value: Any) -> str:
    """Write JSON as people read it, in the order in which it is sent."""
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
