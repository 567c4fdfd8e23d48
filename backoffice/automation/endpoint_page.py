"""What the list and the page of an endpoint show, read at once before they are drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.urls import reverse

from backoffice.automation import event_labels
from backoffice.ui import display
from shared.core.enums import EventDeliveryStatus
from shared.events.models import EventDelivery, EventEndpoint

_QUEUED, _SENDING = EventDeliveryStatus.QUEUED, EventDeliveryStatus.SENDING
_DELIVERED, _FAILED = EventDeliveryStatus.DELIVERED, EventDeliveryStatus.FAILED


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How an endpoint fares.

    Attributes:
        waiting: how many deliveries wait or are being sent.
        failed: how many were given up.
        last: the latest that arrived or was given up, or the first that is tried in vain.

    """

    waiting: int = 0
    failed: int = 0
    last: EventDelivery | None = None


@dataclass(frozen=True, slots=True)
class EndpointDetailPage:
    """The page of an endpoint.

    Attributes:
        state: on or off, in words.
        style: Bootstrap's style for it.
        reason: why it is off; empty while it is on.
        off_since: since when it is off; empty while it is on.
        wants: which events it gets, in words.
        header: the name of the fixed header; empty without one.
        made: when, and by whom.
        waiting: how many deliveries wait, with where they are listed.
        failed: how many were given up, with where they are listed.
        last: what came of the last one; empty before the first.
        last_link: the page of that one.
        log: where all its deliveries are listed.

    """

    state: str
    style: str
    reason: str
    off_since: str
    wants: Sequence[str]
    header: str
    made: str
    waiting: tuple[int, str]
    failed: tuple[int, str]
    last: str
    last_link: str
    log: str


def load_endpoint_page(endpoint: EventEndpoint, *, now: datetime) -> EndpointDetailPage:
    """Read the page of an endpoint."""
    found = load_endpoint_health([endpoint])[endpoint.pk]
    state, style = describe_endpoint_state(endpoint)
    log = f"{reverse('admin:events_eventdelivery_changelist')}?endpoint={endpoint.pk}"
    by = f", {endpoint.created_by}" if endpoint.created_by else ""
    return EndpointDetailPage(
        state=state,
        style=style,
        reason=endpoint.disabled_reason,
        off_since=display.format_time(endpoint.disabled_at) if endpoint.disabled_at else "",
        wants=[event_labels.describe_event_type(type_) for type_ in endpoint.types]
        or ["All events"],
        header=endpoint.header_name,
        made=f"{display.format_time(endpoint.created_at)}{by}",
        waiting=(found.waiting, f"{log}&status={_QUEUED}"),
        failed=(found.failed, f"{log}&status={_FAILED}"),
        last=describe_last_delivery(found, now=now),
        last_link=(
            reverse("admin:events_eventdelivery_change", args=[found.last.pk]) if found.last else ""
        ),
        log=log,
    )


def describe_endpoint_state(endpoint: EventEndpoint) -> tuple[str, str]:
    """Give an endpoint's state in a word, and Bootstrap's style for it."""
    return ("On", "success") if endpoint.active else ("Off", "danger")


def describe_last_delivery(found: EndpointHealth, *, now: datetime) -> str:
    """Say what came of the last delivery; empty before the first."""
    if found.last is None:
        return ""
    answer = event_labels.describe_response(found.last.http_status, found.last.latency_ms)
    match EventDeliveryStatus(found.last.status):
        case EventDeliveryStatus.DELIVERED:
            at = found.last.delivered_at or found.last.created_at
            fresh = now - at < timedelta(minutes=1)
            when = "just now" if fresh else f"{display.format_time_since(at, now=now)} ago"
            return f"Delivered {when}: {answer}"
        case EventDeliveryStatus.FAILED:
            return f"Given up: {event_labels.describe_last_failure(found.last)}"
        case _:
            return f"Tried again soon: {event_labels.describe_last_failure(found.last)}"


def load_endpoint_health(endpoints: Sequence[EventEndpoint]) -> Mapping[int, EndpointHealth]:
    """Find how endpoints fare, in three queries however many they are."""
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
    waiting = (_QUEUED, _SENDING, _FAILED)
    found = EventDelivery.objects.filter(endpoint__in=keys, status__in=waiting).order_by()
    rows = found.values_list("endpoint", "status").annotate(Count("pk"))
    return {(endpoint, status): many for endpoint, status, many in rows}


def _find_last_deliveries(keys: Iterable[int]) -> dict[int, EventDelivery]:
    """Find the delivery that tells most of each endpoint, by one look into the index a status."""
    rows = list(
        EventEndpoint.objects.filter(pk__in=keys).values_list(
            "pk",
            Subquery(_build_first_delivery_query(_QUEUED, "id")),
            Subquery(_build_first_delivery_query(_DELIVERED, "-id")),
            Subquery(_build_first_delivery_query(_FAILED, "-id")),
        )
    )
    found = EventDelivery.objects.in_bulk([key for row in rows for key in row[1:] if key])
    telling = {
        endpoint: _choose_last_delivery(found.get(waiting), [found[key] for key in settled if key])
        for endpoint, waiting, *settled in rows
    }
    return {endpoint: delivery for endpoint, delivery in telling.items() if delivery}


def _choose_last_delivery(
    waiting: EventDelivery | None, settled: Iterable[EventDelivery]
) -> EventDelivery | None:
    if waiting is not None and waiting.attempts:
        return waiting
    return max(settled, key=lambda delivery: delivery.pk, default=None)


def _build_first_delivery_query(status: str, order: str) -> QuerySet[EventDelivery, Any]:
    of_it = EventDelivery.objects.filter(endpoint=OuterRef("pk"), status=status)
    return of_it.order_by(order).values("pk")[:1]
