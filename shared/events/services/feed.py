"""The feed of events: each gets its place once it is committed, and is queued for who wants it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shared.core import logs
from shared.events.models import Event, EventDelivery, EventEndpoint, EventSequence

_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SequencedEvents:
    """The events that just got their place in the feed, in that order."""

    events: list[Event]


def assign_sequence_numbers(
    *, now: datetime, limit: int = 500, along: Callable[[Sequence[Event]], None] | None = None
) -> SequencedEvents:
    """Give the newest events their places, and queue each for the endpoints that want it.

    Places are given in transactions one after the other, only to what is committed, in the order
    in which it was written. So whoever has read the feed up to a place never finds something new
    before it, and several gateways may do this at once. An endpoint that is switched off gets
    nothing queued: what happens meanwhile is in the feed and is not sent later.

    Opens its own transaction, and none when there is nothing new.

    Args:
        now: when the deliveries are due.
        limit: how many at most; call again while that many are returned.
        along: given them inside the transaction; what it raises leaves them without a place.

    """
    if not Event.objects.filter(sequence=None).exists():
        return SequencedEvents([])
    return _assign_in_transaction(now=now, limit=limit, along=along)


def list_events_after(sequence: int, *, limit: int, types: Collection[str] = ()) -> list[Event]:
    """Give the events behind a place in the feed, oldest first.

    Args:
        sequence: the last place that was read; 0 begins with the oldest that is kept.
        limit: how many at most.
        types: which ones; none named: all.

    """
    behind = Event.objects.filter(sequence__gt=sequence).order_by("sequence")
    return list((behind.filter(type__in=types) if types else behind)[:limit])


@transaction.atomic
def prune_events(*, before: datetime, limit: int) -> int:
    """Delete the oldest events that happened `before`, with their deliveries and tries.

    Returns:
        How many events were deleted, at most `limit`; call again while it is that many.

    """
    old = Event.objects.select_for_update(skip_locked=True).filter(created_at__lt=before)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    if ids:
        Event.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic(durable=True)
def _assign_in_transaction(
    *, now: datetime, limit: int, along: Callable[[Sequence[Event]], None] | None
) -> SequencedEvents:
    counter, _ = EventSequence.objects.select_for_update().get_or_create(pk=1)
    events = list(Event.objects.filter(sequence=None).order_by("pk")[:limit])
    for event in events:
        counter.last += 1
        event.sequence = counter.last
    Event.objects.bulk_update(events, ["sequence"])
    counter.save(update_fields=["last"])
    if along is not None:
        along(events)
    queued = EventDelivery.objects.bulk_create(_build_deliveries(events, now=now))
    _log.info("events_numbered", events=len(events), last=counter.last, deliveries=len(queued))
    return SequencedEvents(events)


def _build_deliveries(events: Sequence[Event], *, now: datetime) -> list[EventDelivery]:
    # Locked, so that none is deleted between this look and the commit.
    active = EventEndpoint.objects.select_for_update(no_key=True).filter(active=True)
    endpoints = list(active.order_by("pk"))
    return [
        EventDelivery(event=event, endpoint=endpoint, next_attempt_at=now, created_at=now)
        for event in events
        for endpoint in endpoints
        if endpoint.wants(event.type)
    ]
