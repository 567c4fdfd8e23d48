"""Tests of webhooks between the answer to Meta and their reading: once, in order, and none lost."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from shared.core.constants import LEFT_OVER_AFTER
from shared.core.enums import InboxStatus
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    DeliveryStatus,
    InboundMessage,
    ReceivedWebhook,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services.inbox import inbox_queue, received_webhooks
from shared.whatsapp.services.inbox.received_webhooks import (
    MAX_BYTES_PER_READING,
    MAX_READINGS,
    ReadWebhooks,
    SignedBody,
)
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.concurrency import lock_in_another_thread, repeat_at_once
from tests.integration.whatsapp.webhook_builders import build_message, build_status

LATER = NOON + 2 * LEFT_OVER_AFTER


def keep(*documents: object, now: datetime = NOON) -> None:
    """Store the bodies of webhooks as the gateway does before it answers."""
    received_webhooks.keep_bodies(
        [
            SignedBody(each if isinstance(each, bytes) else json.dumps(each).encode(), "c0ffee")
            for each in documents
        ],
        now=now,
    )


def build_document(
    *messages: Mapping[str, Any], statuses: tuple[Mapping[str, Any], ...] = ()
) -> dict[str, Any]:
    """Return a webhook with messages and statuses, not yet encoded."""
    value = {
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID},
        "messages": list(messages),
        "statuses": list(statuses),
    }
    return {"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}


def read_all(*, now: datetime = NOON, limit: int = 256) -> int:
    """Read until nothing is left, and return how many webhooks that were."""
    count, are_more_waiting = 0, True
    while are_more_waiting:
        read = received_webhooks.read_webhooks(now=now, limit=limit)
        count, are_more_waiting = count + read.count, read.are_more_waiting
    return count


def list_wamids() -> list[str]:
    return list(InboundMessage.objects.order_by("id").values_list("wa_message_id", flat=True))


@contextmanager
def fail_at(statement: str, error: BaseException, *, about: str = "") -> Iterator[None]:
    """Raise an error at each statement of a kind whose values contain a text."""

    def execute_or_fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if statement in sql.replace('"', "") and about in str(params):
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(execute_or_fail):
        yield


@contextmanager
def limit_values_of_statements(most: int) -> Iterator[None]:
    """Let a statement on SQLite have at most `most` values; PostgreSQL's limit is fixed."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, most)
    try:
        yield
    finally:
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


AWAY = OperationalError("the server closed the connection")
INSERT_MESSAGE = "INSERT INTO whatsapp_inboundmessage"


@pytest.mark.django_db(transaction=True)
class TestReading:
    def test_stores_every_item_with_the_arrival_of_its_webhook(self) -> None:
        keep(build_document(build_message("wamid.1")), now=NOON)
        keep(build_document(statuses=(build_status("sent", wamid="wamid.0"),)), b"not json")

        read = received_webhooks.read_webhooks(now=NOON + timedelta(seconds=5))

        message = InboundMessage.objects.get()
        assert (read.count, read.stored.contact_ids) == (3, (message.contact_id,))
        assert (message.received_at, message.correlation_id) == (NOON, "c0ffee")
        assert message.status == InboxStatus.RECEIVED
        assert DeliveryStatus.objects.get().status == "sent"
        assert bytes(UnreadableItem.objects.get().body) == b"not json"
        assert Alarm.objects.get().key == "unreadable"
        assert not ReceivedWebhook.objects.exists()
        assert received_webhooks.read_webhooks(now=NOON) == ReadWebhooks()

    def test_keeps_the_order_in_which_messages_of_a_second_arrived(self) -> None:
        order = ["wamid.z", "wamid.a", "wamid.m", "wamid.b"]
        keep(*(build_document(build_message(wamid)) for wamid in order))

        received_webhooks.read_webhooks(now=NOON)

        assert list_wamids() == order

    def test_takes_as_many_statements_for_many_as_for_one(self) -> None:
        def count_statements(size: int, serial: int) -> int:
            keep(
                *(
                    build_document(
                        build_message(f"wamid.{serial}.{n}", phone=f"155501{n:05d}"),
                        statuses=(build_status("read", wamid=f"wamid.{serial}.{n}"),),
                    )
                    for n in range(size)
                )
            )
            with CaptureQueriesContext(connection) as captured:
                assert received_webhooks.read_webhooks(now=NOON).count == size
            return len(captured)

        count_statements(200, 1)  # new buyers

        few, many = count_statements(1, 2), count_statements(200, 3)

        assert few == many <= 12  # two for the lock of PostgreSQL

    def test_happens_once_however_many_gateways_read(self) -> None:
        for turn in range(6):
            keep(
                *(
                    build_document(build_message(f"wamid.{turn}.{n}", phone=f"1555010{n:04d}"))
                    for n in range(40)
                )
            )

        repeat_at_once(4, lambda _: read_all(limit=16))

        assert len(set(list_wamids())) == InboundMessage.objects.count() == 240
        assert WhatsAppContact.objects.count() == 40
        assert not ReceivedWebhook.objects.exists()

    @pytest.mark.parametrize("now", [NOON, LATER], ids=["new", "left over"])
    def test_by_two_gateways_keeps_the_order_of_arrival(self, now: datetime) -> None:
        order = [f"wamid.{n}" for n in range(40)]
        keep(*(build_document(build_message(wamid)) for wamid in order))
        seen: list[list[str]] = []

        def read_and_look(_: int) -> None:
            while received_webhooks.read_webhooks(now=now, limit=3).count:
                seen.append(list_wamids())

        repeat_at_once(2, read_and_look)

        assert list_wamids() == order
        assert all(wamids == order[: len(wamids)] for wamids in seen)

    def test_goes_on_if_another_gateway_hangs_while_it_reads(self, vendor: str) -> None:
        if vendor == "sqlite":
            return  # it has one writer, for which all others wait
        keep(*(build_document(build_message(f"wamid.{n}")) for n in range(3)))

        def begin_to_read() -> None:
            with connection.cursor() as cursor:
                cursor.execute(received_webhooks.LOCK_READING)
            list(ReceivedWebhook.objects.order_by("id").select_for_update()[:1])

        with lock_in_another_thread(begin_to_read):
            assert received_webhooks.read_webhooks(now=NOON).count == 2
            assert list_wamids() == ["wamid.1", "wamid.2"]

        assert read_all() == 1

    def test_takes_no_more_into_memory_than_a_few_large_webhooks(self) -> None:
        padding = " " * (MAX_BYTES_PER_READING // 2)
        keep(*(json.dumps(padding + str(n)).encode() for n in range(3)))

        readings = [received_webhooks.read_webhooks(now=NOON) for _ in range(3)]

        assert [read.count for read in readings] == [1, 1, 1]
        assert [read.are_more_waiting for read in readings] == [True, True, False]
        assert UnreadableItem.objects.count() == 3

    def test_does_not_block_what_arrives_meanwhile(self) -> None:
        keep(build_document(build_message("wamid.1")))
        with fail_at("DELETE FROM whatsapp_receivedwebhook", AWAY), pytest.raises(OperationalError):
            received_webhooks.read_webhooks(now=NOON)

        assert list_wamids() == []
        keep(build_document(build_message("wamid.2")))
        assert read_all() == 2
        assert list_wamids() == ["wamid.1", "wamid.2"]

    def test_is_what_the_oldest_buyer_waits_for(self) -> None:
        keep(b"{}", now=NOON - MINUTE)

        assert inbox_queue.get_oldest_unanswered_age(now=NOON) == MINUTE


@pytest.mark.same_everywhere
@pytest.mark.parametrize(
    ("value", "may_hold_some"),
    [
        ({"messages": [build_message()]}, True),
        ({"statuses": [build_status("sent")]}, False),
        ({"messages": [build_message(text={"body": '"statuses":'})], "statuses": []}, True),
        ({"message_template_id": 1}, True),
    ],
)
def test_only_webhooks_of_delivery_statuses_can_wait(value: Any, may_hold_some: bool) -> None:
    assert received_webhooks.may_hold_messages(json.dumps(value).encode()) is may_hold_some


@pytest.mark.django_db(transaction=True)
class TestPoison:
    def test_one_that_the_database_refuses_does_not_spoil_the_others(self) -> None:
        bad = build_status("failed", wamid="wamid.bad")
        documents = [build_document(build_message(f"wamid.{n}")) for n in range(40)]
        documents[30] = build_document(build_message("wamid.30"), statuses=(bad,))
        keep(*documents)

        refusal = DataError("value too long")
        with fail_at("INSERT INTO whatsapp_deliverystatus", refusal, about="wamid.bad"):
            assert read_all() == 40

        assert len(list_wamids()) == 40
        kept = UnreadableItem.objects.get()
        assert json.loads(bytes(kept.body))["wa_message_id"] == "wamid.bad"
        assert kept.reason == "not stored: DataError"

    def test_one_with_more_items_than_a_statement_may_have_values_is_read(self) -> None:
        people = [f"1555010{n:04d}" for n in range(60)]
        contacts = [{"wa_id": phone, "profile": {"name": phone}} for phone in people]
        document = build_document(*(build_message(phone=phone) for phone in people))
        change = document["entry"][0]["changes"][0]
        change["value"] |= {"contacts": contacts, "statuses": list(range(60))}
        notices = [{"field": "security", "value": {"event": str(n)}} for n in range(60)]
        document["entry"][0]["changes"] += notices
        keep(document)
        contacts += [{"wa_id": phone, "profile": {"name": f"New {phone}"}} for phone in people]
        keep({**document, "object": "again, with other names"})

        with limit_values_of_statements(50):
            assert read_all() == 2

        assert InboundMessage.objects.count() == AccountNotice.objects.count() == 60
        assert UnreadableItem.objects.count() == 60

    @pytest.mark.parametrize("place", [0, 2])
    def test_one_that_ends_the_process_is_given_up_and_the_others_are_read(
        self, place: int
    ) -> None:
        documents = [build_document(build_message(f"wamid.{n}")) for n in range(4)]
        poison = build_document(build_message("wamid.poison"))
        documents.insert(place, poison)
        keep(*documents)

        for _ in range(MAX_READINGS):
            with (
                fail_at(INSERT_MESSAGE, KeyboardInterrupt(), about="wamid.poison"),
                pytest.raises(KeyboardInterrupt),
            ):
                read_all(now=LATER)
        read_all(now=LATER)

        assert list_wamids() == [f"wamid.{n}" for n in range(4)]
        assert json.loads(bytes(UnreadableItem.objects.get().body)) == poison
        assert Alarm.objects.get().key == "unreadable"
        assert not ReceivedWebhook.objects.exists()

    def test_a_database_that_goes_away_counts_as_no_attempt(self) -> None:
        keep(build_document(build_message("wamid.1")))

        for _ in range(MAX_READINGS + 1):
            with fail_at(INSERT_MESSAGE, AWAY), pytest.raises(OperationalError):
                received_webhooks.read_webhooks(now=LATER)

        assert ReceivedWebhook.objects.get().attempts == 0
        assert read_all(now=LATER) == 1
        assert list_wamids() == ["wamid.1"]
