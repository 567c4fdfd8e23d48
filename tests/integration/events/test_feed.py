"""Tests of the event feed: no event ever appears before a sequence number already read."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import pytest
from django.db import connection, transaction

from shared.core.enums import EventDeliveryStatus, EventType
from shared.events.models import Event, EventAttempt, EventDelivery
from shared.events.services import endpoints, feed
from tests.builders import MINUTE, NOON
from tests.integration.concurrency import repeat_at_once
from tests.integration.events.event_builders import (
    claim_deliveries,
    create_delivery,
    create_endpoint,
    record_event,
    sequence_events,
)
from tests.waiting import PATIENCE

PAUSE: Final = 0.002
"""Seconds that a loop sleeps between two calls, or it would keep the others from the database."""


def list_sequences(after: int = 0, *types: str) -> list[int | None]:
    return [event.sequence for event in feed.list_events_after(after, limit=1_000, types=types)]


@pytest.mark.django_db
class TestNumber:
    def test_gives_places_in_the_order_of_writing_and_goes_on_from_the_last(self) -> None:
        for _ in range(3):
            record_event()

        assert sequence_events(limit=2) == [1, 2]
        assert sequence_events(limit=2) == [3]
        assert sequence_events() == []
        assert list_sequences() == [1, 2, 3]
        assert list_sequences(2) == [3]

    def test_queues_each_event_for_who_wants_it_and_is_switched_on(self) -> None:
        everything = create_endpoint()
        paid = create_endpoint(types=[EventType.ORDER_PAID])
        off = create_endpoint()
        endpoints.disable_endpoint(off.pk, reason="Switched off by rita.", now=NOON)
        record_event(EventType.ORDER_PAID)
        record_event(EventType.ORDER_CANCELLED)

        sequence_events(now=NOON + MINUTE)

        made = EventDelivery.objects.order_by("event__sequence", "endpoint_id")
        assert list(made.values_list("event__sequence", "endpoint_id", "next_attempt_at")) == [
            (1, everything.pk, NOON + MINUTE),
            (1, paid.pk, NOON + MINUTE),
            (2, everything.pk, NOON + MINUTE),
        ]

    def test_sends_nothing_later_of_what_happened_while_an_endpoint_was_off(self) -> None:
        endpoint = create_endpoint()
        record_event()
        sequence_events()
        endpoints.disable_endpoint(endpoint.pk, reason="Switched off by rita.", now=NOON)
        record_event()
        sequence_events()
        assert claim_deliveries() == []

        endpoints.enable_endpoint(endpoint.pk)

        assert [claimed.event.sequence for claimed in claim_deliveries()] == [1]
        assert list_sequences() == [1, 2]

    def test_reads_only_the_types_that_are_asked_for(self) -> None:
        for type_ in (EventType.ORDER_PAID, EventType.CHANNEL_ALERT, EventType.ORDER_PAID):
            record_event(type_)
        sequence_events()

        assert list_sequences(0, EventType.ORDER_PAID) == [1, 3]
        assert len(feed.list_events_after(0, limit=2)) == 2


@pytest.mark.django_db(transaction=True)
class TestSeveralAtOnce:
    def test_gives_a_late_commit_a_late_place(self, vendor: str) -> None:
        if vendor == "sqlite":
            return  # one transaction ends before the next begins
        written, seen = threading.Event(), threading.Event()

        def slowly() -> None:
            with transaction.atomic():
                record_event(EventType.ORDER_CREATED)
                written.set()
                assert seen.wait(timeout=PATIENCE)
            connection.close()

        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(slowly)
            assert written.wait(timeout=PATIENCE)
            record_event(EventType.ORDER_PAID)  # started later, committed earlier
            assert sequence_events() == [1]
            assert [event.type for event in feed.list_events_after(0, limit=9)] == [
                EventType.ORDER_PAID
            ]
            seen.set()
            slow.result()

        assert sequence_events() == [2]
        assert [event.type for event in feed.list_events_after(1, limit=9)] == [
            EventType.ORDER_CREATED
        ]

    def test_a_reader_misses_nothing_while_many_write_and_two_number(self) -> None:
        endpoint = create_endpoint()
        writers, each = 3, 8
        seen: list[int] = []

        def act(turn: int) -> None:
            if turn < writers:
                for _ in range(each):
                    with transaction.atomic():
                        record_event()
                        record_event()
            elif turn < writers + 2:
                while sequence_events(limit=3) or Event.objects.count() < 2 * writers * each:
                    time.sleep(PAUSE)
            else:
                while len(seen) < 2 * writers * each:
                    events = feed.list_events_after(max(seen, default=0), limit=5)
                    seen.extend(event.sequence or 0 for event in events)
                    time.sleep(PAUSE)

        repeat_at_once(writers + 3, act)

        assert seen == list(range(1, 2 * writers * each + 1))
        assert EventDelivery.objects.filter(endpoint=endpoint).count() == len(seen)


@pytest.mark.django_db
class TestPrune:
    def test_forgets_old_events_with_their_deliveries_a_few_at_a_time(self) -> None:
        endpoint = create_endpoint()
        old = [create_delivery(endpoint, status=EventDeliveryStatus.DELIVERED) for _ in range(3)]
        for delivery in old:
            EventAttempt.objects.create(delivery=delivery, at=NOON, http_status=200)
        record_event(at=NOON + 2 * MINUTE)
        before = NOON + timedelta(minutes=1)

        assert [feed.prune_events(before=before, limit=2) for _ in range(3)] == [2, 1, 0]

        assert Event.objects.count() == 1
        assert not EventDelivery.objects.exists()
        assert not EventAttempt.objects.exists()
