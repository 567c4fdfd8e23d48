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
class Health:
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
class EndpointPage:
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


def of_endpoint(endpoint: EventEndpoint, *, now: datetime) -> EndpointPage:
    """Read the page of an endpoint."""
    found = health([endpoint])[endpoint.pk]
    state, style = state_of(endpoint)
    log = f"{reverse('admin:events_eventdelivery_changelist')}?endpoint={endpoint.pk}"
    by = f", {endpoint.created_by}" if endpoint.created_by else ""
    return EndpointPage(
        state=state,
        style=style,
        reason=endpoint.disabled_reason,
        off_since=display.clock(endpoint.disabled_at) if endpoint.disabled_at else "",
        wants=[event_labels.says(type_) for type_ in endpoint.types] or ["All events"],
        header=endpoint.header_name,
        made=f"{display.clock(endpoint.created_at)}{by}",
        waiting=(found.waiting, f"{log}&status={_QUEUED}"),
        failed=(found.failed, f"{log}&status={_FAILED}"),
        last=last_words(found, now=now),
        last_link=(
            reverse("admin:events_eventdelivery_change", args=[found.last.pk]) if found.last else ""
        ),
        log=log,
    )


def state_of(endpoint: EventEndpoint) -> tuple[str, str]:
    """Give an endpoint's state in a word, and Bootstrap's style for it."""
    return ("On", "success") if endpoint.active else ("Off", "danger")


def last_words(found: Health, *, now: datetime) -> str:
    """Say what came of the last delivery; empty before the first."""
    if found.last is None:
        return ""
    answer = event_labels.answer(found.last.http_status, found.last.latency_ms)
    match EventDeliveryStatus(found.last.status):
        case EventDeliveryStatus.DELIVERED:
            at = found.last.delivered_at or found.last.created_at
            fresh = now - at < timedelta(minutes=1)
            return (
                f"Delivered {'just now' if fresh else f'{display.ago(at, now=now)} ago'}: {answer}"
            )
        case EventDeliveryStatus.FAILED:
            return f"Given up: {event_labels.trouble(found.last)}"
        case _:
            return f"Tried again soon: {event_labels.trouble(found.last)}"


def health(endpoints: Sequence[EventEndpoint]) -> Mapping[int, Health]:
    """Find how endpoints fare, in three queries however many they are."""
    keys = [endpoint.pk for endpoint in endpoints]
    counts = _counts(keys)
    last = _last(keys)
    return {
        key: Health(
            waiting=counts.get((key, _QUEUED), 0) + counts.get((key, _SENDING), 0),
            failed=counts.get((key, _FAILED), 0),
            last=last.get(key),
        )
        for key in keys
    }


def _counts(keys: Iterable[int]) -> dict[tuple[int, str], int]:
    waiting = (_QUEUED, _SENDING, _FAILED)
    found = EventDelivery.objects.filter(endpoint__in=keys, status__in=waiting).order_by()
    rows = found.values_list("endpoint", "status").annotate(Count("pk"))
    return {(endpoint, status): many for endpoint, status, many in rows}


def _last(keys: Iterable[int]) -> dict[int, EventDelivery]:
    """Find the delivery that tells most of each endpoint, by one look into the index a status."""
    rows = list(
        EventEndpoint.objects.filter(pk__in=keys).values_list(
            "pk",
            Subquery(_first(_QUEUED, "id")),
            Subquery(_first(_DELIVERED, "-id")),
            Subquery(_first(_FAILED, "-id")),
        )
    )
    found = EventDelivery.objects.in_bulk([key for row in rows for key in row[1:] if key])
    telling = {
        endpoint: _telling(found.get(waiting), [found[key] for key in settled if key])
        for endpoint, waiting, *settled in rows
    }
    return {endpoint: delivery for endpoint, delivery in telling.items() if delivery}


def _telling(
    waiting: EventDelivery | None, settled: Iterable[EventDelivery]
) -> EventDelivery | None:
    if waiting is not None and waiting.attempts:
        return waiting
    return max(settled, key=lambda delivery: delivery.pk, default=None)


def _first(status: str, order: str) -> QuerySet[EventDelivery, Any]:
    of_it = EventDelivery.objects.filter(endpoint=OuterRef("pk"), status=status)
    return of_it.order_by(order).values("pk")[:1]
