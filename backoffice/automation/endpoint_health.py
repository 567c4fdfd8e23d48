"""Health of endpoints: what waits, what failed, and the last result."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from backoffice.automation import event_labels
from backoffice.ui import display
from shared.core.enums import EventDeliveryStatus
from shared.events.models import EventDelivery, EventEndpoint

_QUEUED, _SENDING = EventDeliveryStatus.QUEUED, EventDeliveryStatus.SENDING
_DELIVERED, _FAILED = EventDeliveryStatus.DELIVERED, EventDeliveryStatus.FAILED


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """Numbers and result of an endpoint's deliveries.

    Attributes:
        waiting: number of deliveries that are queued or being sent.
        failed: number of deliveries that were given up.
        last: the first queued delivery if it has been tried, else the latest finished one.

    """

    waiting: int = 0
    failed: int = 0
    last: EventDelivery | None = None


def describe_endpoint_state(endpoint: EventEndpoint) -> tuple[str, str]:
    """Return the state of an endpoint and Bootstrap's style for it."""
    return ("On", "success") if endpoint.active else ("Off", "danger")


def describe_last_delivery(health: EndpointHealth, *, now: datetime) -> str:
    """Return the result of the last delivery; empty before the first."""
    if health.last is None:
        return ""
    answer = event_labels.describe_response(health.last.http_status, health.last.latency_ms)
    match EventDeliveryStatus(health.last.status):
        case EventDeliveryStatus.DELIVERED:
            at = health.last.delivered_at or health.last.created_at
            is_recent = now - at < timedelta(minutes=1)
            when = "just now" if is_recent else f"{display.format_time_since(at, now=now)} ago"
            return f"Delivered {when}: {answer}"
        case EventDeliveryStatus.FAILED:
            return f"Given up: {event_labels.describe_last_failure(health.last)}"
        case EventDeliveryStatus.QUEUED | EventDeliveryStatus.SENDING:
            return f"Tried again soon: {event_labels.describe_last_failure(health.last)}"


def load_endpoint_health(endpoints: Sequence[EventEndpoint]) -> Mapping[int, EndpointHealth]:
    """Return the health of endpoints by primary key, from three queries."""
    keys = [endpoint.pk for endpoint in endpoints]
    counts = _count_deliveries(keys)
    last = _find_last_deliveries(keys)
    return {
        key: EndpointHealth(
            waiting=counts.get((key, _QUEUED), 0) + counts.get((key, _SENDING), 0),
            failed=counts.get((key, _FAILED), 0),
            last=last.get(key),
        )
        for key in keys
    }


def _count_deliveries(keys: Iterable[int]) -> dict[tuple[int, str], int]:
    statuses = (_QUEUED, _SENDING, _FAILED)
    deliveries = EventDelivery.objects.filter(endpoint__in=keys, status__in=statuses)
    rows = deliveries.order_by().values_list("endpoint", "status").annotate(Count("pk"))
    return {(endpoint, status): count for endpoint, status, count in rows}


def _find_last_deliveries(keys: Iterable[int]) -> dict[int, EventDelivery]:
    """Return the `EndpointHealth.last` of each endpoint, with one index lookup per status."""
    rows = list(
        EventEndpoint.objects.filter(pk__in=keys).values_list(
            "pk",
            Subquery(_build_first_delivery_query(_QUEUED, "id")),
            Subquery(_build_first_delivery_query(_DELIVERED, "-id")),
            Subquery(_build_first_delivery_query(_FAILED, "-id")),
        )
    )
    deliveries = EventDelivery.objects.in_bulk([key for row in rows for key in row[1:] if key])
    chosen = {
        endpoint: _choose_last_delivery(
            deliveries.get(queued), [deliveries[key] for key in finished if key]
        )
        for endpoint, queued, *finished in rows
    }
    return {endpoint: delivery for endpoint, delivery in chosen.items() if delivery}


def _choose_last_delivery(
    queued: EventDelivery | None, finished: Iterable[EventDelivery]
) -> EventDelivery | None:
    if queued is not None and queued.attempts:
        return queued
    return max(finished, key=lambda delivery: delivery.pk, default=None)


def _build_first_delivery_query(status: str, order: str) -> QuerySet[EventDelivery, Any]:
    deliveries = EventDelivery.objects.filter(endpoint=OuterRef("pk"), status=status)
    return deliveries.order_by(order).values("pk")[:1]
