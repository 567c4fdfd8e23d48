"""The feed of events: recorded with the change, sequenced after the commit, pruned when old."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from shared.core import logs
from shared.core.enums import EventType
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.events.models import Event, EventDelivery, EventEndpoint, EventSequence

_log = logs.get_logger(__name__)

_INSERT_EVENTS: Final = CompiledInsert(Event)
_INSERT_NEW_EVENTS: Final = CompiledInsert(Event, unique=["dedupe_key"])


def record_event(
    type_: EventType,
    *,
    data: Mapping[str, Any],
    subject: str = "",
    order_id: int | None = None,
    proof_id: int | None = None,
    dedupe_key: str | None = None,
    now: datetime,
) -> None:
    """Record an event in the caller's transaction; it is sequenced after the commit.

    Args:
        type_: the type of the event.
        data: the state after the change, ready for JSON, without links that expire.
        subject: the subject in a few words, e.g. an order's code.
        order_id: the order it is about.
        proof_id: the payment proof it is about.
        dedupe_key: the key of an event that happens only once. If it is recorded already, nothing
            is written and the caller's transaction goes on.
        now: the time of the event.

    """
    event = Event(
        type=EventType(type_),
        data=dict(data),
        subject=subject,
        order_id=order_id,
        proof_id=proof_id,
        dedupe_key=dedupe_key,
        created_at=now,
    )
    (_INSERT_EVENTS if dedupe_key is None else _INSERT_NEW_EVENTS).run([event])


def has_new_events() -> bool:
    """Return whether committed events are waiting for a sequence number."""
    return Event.objects.filter(sequence=None).exists()


def assign_sequence_numbers(*, now: datetime, limit: int = 500) -> list[Event]:
    """Assign sequence numbers to new events and queue them for the endpoints that want them.

    One transaction after the other assigns numbers, only to committed events and in the order in
    which they were written. A reader who has read the feed up to a number therefore never finds a
    new event before it, and several gateways may call this at the same time. Nothing is queued
    for an endpoint that is switched off, now or later: those events are in the feed only.

    Runs inside the caller's transaction, which should end soon, since it holds the counter.

    Args:
        now: when the deliveries are due.
        limit: the largest number of events; call again while that many are returned.

    Returns:
        The events that got a sequence number, in that order.

    """
    counter, _ = EventSequence.objects.select_for_update().get_or_create(pk=1)
    events = list(Event.objects.filter(sequence=None).order_by("pk")[:limit])
    for event in events:
        counter.last += 1
        event.sequence = counter.last
    Event.objects.bulk_update(events, ["sequence"])
    counter.save(update_fields=["last"])
    queued = EventDelivery.objects.bulk_create(_build_deliveries(events, now=now))
    _log.info("events_numbered", events=len(events), last=counter.last, deliveries=len(queued))
    return events


def list_events_after(sequence: int, *, limit: int, types: Collection[str] = ()) -> list[Event]:
    """Return the events after a sequence number, oldest first.

    Args:
        sequence: the last number that was read; 0 starts with the oldest event that is kept.
        limit: the largest number of events.
        types: the types to return; empty for all.

    """
    behind = Event.objects.filter(sequence__gt=sequence).order_by("sequence")
    return list((behind.filter(type__in=types) if types else behind)[:limit])


@transaction.atomic
def prune_events(*, before: datetime, limit: int) -> int:
    """Delete the oldest events that happened before a time, with their deliveries and attempts.

    Args:
        before: events from this time on are kept.
        limit: the largest number of events; call again while that many are returned.

    Returns:
        The number of deleted events.

    """
    old = Event.objects.select_for_update(skip_locked=True).filter(created_at__lt=before)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    if ids:
        Event.objects.filter(pk__in=ids).delete()
    return len(ids)


def _build_deliveries(events: Sequence[Event], *, now: datetime) -> list[EventDelivery]:
    # Locked, so that no endpoint is deleted between this read and the commit.
    active = EventEndpoint.objects.select_for_update(no_key=True).filter(active=True)
    endpoints = list(active.order_by("pk"))
    return [
        EventDelivery(event=event, endpoint=endpoint, next_attempt_at=now, created_at=now)
        for event in events
        for endpoint in endpoints
        if endpoint.wants(event.type)
    ]
