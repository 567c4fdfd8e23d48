"""Writes down that something happened, in the transaction in which it happens."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.core.enums import EventType
from shared.events.models import Event


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
    """Keep an event for whoever wants to be told; its place in the feed is given after the commit.

    Runs inside the caller's transaction: what is rolled back has not happened.

    Args:
        type_: what happened.
        data: how things were then, ready for JSON; no link that expires.
        subject: what it is about, e.g. an order's code.
        order_id: the order it is about.
        proof_id: the payment proof it is about.
        dedupe_key: of what happens only once; a repeat writes nothing and spoils no transaction.
        now: when it happened.

    """
    event = Event(
        type=EventType(type_),  # the only check a repeated key would swallow as well
        data=dict(data),
        subject=subject,
        order_id=order_id,
        proof_id=proof_id,
        dedupe_key=dedupe_key,
        created_at=now,
    )
    if dedupe_key is None:
        event.save(force_insert=True)
    else:
        Event.objects.bulk_create([event], ignore_conflicts=True)
